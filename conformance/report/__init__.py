"""What a run leaves for people and machines: summary, Allure labels, HTML."""
