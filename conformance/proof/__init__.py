"""The proof of the suite: every defect of the mock is caught and rightly blamed, every variant passes.

May import all but the engine (which pytest loads) and the command line. Start with prover.py.
"""
