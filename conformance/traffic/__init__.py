"""Recorded traffic: reads recordings of many tools, one exchange after the other, and says what they don't hold.

May import the contract and what all stand on. Judges nothing. Start with exchange.py: what an exchange is, whatever recorded it.
"""

from conformance.traffic.reading import read_all

__all__ = ["read_all"]
