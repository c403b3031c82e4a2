"""Amounts of money in BRL: two are the same where they agree to the cent, since no document speaks of less."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

_EXACT: Final = Context(prec=400, traps=[])
"""Wide enough for any amount that JSON of a sane size can hold; the default of 28 digits raises beyond that."""

_CENT: Final = Decimal("0.01")

LARGEST_EXPONENT: Final = 300
"""No amount is larger than a one with so many zeros; a text like 1E+999999999 would need that many digits as cents."""


def to_the_cent(amount: int | Decimal) -> Decimal:
    """The amount in whole cents, half a cent away from zero: 203.62999999999999545 is 203.63. What is too large to have
    cents stays as it is."""
    value = amount if type(amount) is Decimal else Decimal(amount)
    if not value.is_finite() or value.adjusted() > LARGEST_EXPONENT:
        return value
    return value.quantize(_CENT, rounding=ROUND_HALF_UP, context=_EXACT)


def is_same_amount(one: int | Decimal, other: int | Decimal) -> bool:
    """Whether two JSON numbers mean the same amount."""
    return to_the_cent(one) == to_the_cent(other)
