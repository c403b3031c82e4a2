"""Calls at once: what was sent and answered when, and whether some order of the calls explains it. Pure."""
