"""What all runs of an integrator share: the store, the budget of client errors, the ledger, channels, periods, runs.

May import the contract. Start with store_base.py, then budget.py.
"""
