"""What the documents say: endpoints, rules, readings and the judge. Pure: nothing here does network I/O.

Imports nothing of ours. Start with rules.py and rules.yaml, then judge.py.
"""
