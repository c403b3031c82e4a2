"""What the documents say: endpoints, rules, readings and the judge. Pure: nothing here does network I/O."""
