"""Lawful orders, the same ones for all tests that look at them, and what is looked at."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final

from strategies.orders import Order, orders
from tests.suite.support.properties import ORDER_READINGS, mock_scope, sample

SAMPLE: Final = 300
TIMES: Final = 2
"""What is rare comes in twice so many orders more nearly as often as it should."""


@cache
def lawful_orders(readings: str) -> tuple[Order, ...]:
    """So many lawful orders under these readings, the same ones each time."""
    return tuple(sample(orders(mock_scope(ORDER_READINGS[readings])), TIMES * SAMPLE))


def values(order: Order, type_: str | None = None) -> list[Decimal]:
    """The values of an order's extracts, or of those of one type."""
    return [part["value"] for part in order["extracts"] if type_ in {None, part["type"]}]


def is_written_with_decimals(value: Decimal) -> bool:
    """Whether an amount has digits after the point, be they zero."""
    return int(value.as_tuple().exponent) < 0
