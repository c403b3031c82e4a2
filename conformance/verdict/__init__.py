"""From what was seen to what is certified: evidence, verdicts, waivers and the certificate; and what a gate makes of one.

May import the contract and the target. Start with evidence.py, then verdicts.py.
"""
