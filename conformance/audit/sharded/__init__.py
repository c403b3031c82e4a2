"""An audit in parts, by several processes or machines: the same result as by one.

1. Each part of a recording is read, and its exchanges are routed: into pieces by account, and, without what only their account
   needs, into one for all (parts.py, pieces.py, routing.py).
2. Each group of accounts is judged by itself, and how clients call over all accounts (judging.py).
3. What was found is put together (merging.py).

May import what an audit may. Start with run.py.
"""
