"""Amounts in BRL, as Decimals to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

CENT: Final = Decimal("0.01")

LARGEST_CENTS: Final = 9_999_999_999
"""Just under a hundred million BRL: more than any order, and more than a 32-bit float or integer holds to the cent."""


def reais(cents: int) -> Decimal:
    """The amount of that many cents."""
    return Decimal(cents).scaleb(-2)


# Over so wide a range Hypothesis draws by magnitude: cents, everyday prices and large amounts all come up.
AMOUNTS: Final = st.integers(1, LARGEST_CENTS).map(reais)
"""A positive amount, from one cent."""
