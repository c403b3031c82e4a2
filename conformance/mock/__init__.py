"""A Koncili of our own: a stateful server with a clock that tests can move, defects and variants.

May import the contract, by whose judge it refuses. Start with koncili.py, then quirks.py.
"""
