"""Calls at once: what was sent and answered when, and whether some order of the calls explains it. Pure.

Imports nothing of ours. Start with history.py, then linearizability.py.
"""
