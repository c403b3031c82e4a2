"""Hypothesis strategies for what an integrator sends, and for each way of getting it wrong.

May import the contract, but not its judge. Start with orders.py, then faults.py.
"""
