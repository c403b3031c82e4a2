"""What a run will spend, known before its first request.

May import the contract and the target. Start with plan.py.
"""
