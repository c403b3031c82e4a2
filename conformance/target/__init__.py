"""Whom we talk to, and how: the target file, the client, its tokens, its journal and its limits.

May import the contract. Start with config.py, then wire and shared.
"""
