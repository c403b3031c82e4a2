"""Tries the findings of a certificate again: still there, fixed, or neither.

May import all but the command line, the proof and the engine. Start with replaying.py.
"""
