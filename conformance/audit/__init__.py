"""An audit: rebuilds Koncili's world from an integrator's recorded calls and judges each of them in the world of its moment.

What a recording can't decide is not exercised, with its reason, and never a fault.
May import the contract, target, traffic, verdict and report. Start with auditor.py.
"""
