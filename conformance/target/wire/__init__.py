"""Calls on their way to the target and back: client, transport, HTTP, journal, and what keeps secrets out of all that is told.

May import the contract and what the runs share. Start with client.py.
"""
