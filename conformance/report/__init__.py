"""What a run shows and leaves for people and machines: terminal, summary, JUnit, Allure, the page, the words of the gate.

May import what makes certificates and plans, no run. Start with files.py, then summary.py.
"""
