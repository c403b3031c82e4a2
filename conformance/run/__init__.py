"""A certification run: what it holds (session, live), how pytest carries it (plugin, certification), and how it ends.

May import everything but the engine, the proof and the command line. Start with session.py, then certification.py.
"""
