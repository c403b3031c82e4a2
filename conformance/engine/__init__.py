"""What the scenarios are made of: the bench on which calls are sent, the laws that make properties of them, reconciliations
from opening to completion, the state machine, probes, the schema layer.

May import everything but the proof and the command line; nothing in the library imports it, the scenarios of
tests/certification do. Start with bench.py, then laws.py.
"""
