"""Amounts in BRL, as Decimals to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

CENT: Final = Decimal("0.01")

LARGEST_CENTS: Final = 99_999_999
"""Just under a million BRL, more than a 32-bit float holds to the cent: what any target must take. What is larger may be refused
(rule ERR-06)."""

_ROOM_CENTS: Final = 100_00
"""By how much faults move a value: it stays an amount that must be taken."""


def reais(cents: int) -> Decimal:
    """The amount of that many cents."""
    return Decimal(cents).scaleb(-2)


def most(parts: int) -> Decimal:
    """The largest amount that is drawn of which so many, added up, are still one that any target must take."""
    return reais((LARGEST_CENTS - _ROOM_CENTS) // parts)


def at_most(amount: Decimal, limit: Decimal) -> Decimal:
    """The amount, or what is left of it above multiples of the limit: at least a cent, and the small ones as they are."""
    return amount if amount <= limit else (amount % limit or limit)


# Over so wide a range Hypothesis draws by magnitude: cents, everyday prices and large amounts all come up.
AMOUNTS: Final = st.integers(1, LARGEST_CENTS - _ROOM_CENTS).map(reais)
"""A positive amount, from one cent."""

LARGE_AMOUNTS: Final = st.integers(10_000_00, LARGEST_CENTS - _ROOM_CENTS).map(reais)
"""One of five digits and more before the point."""
