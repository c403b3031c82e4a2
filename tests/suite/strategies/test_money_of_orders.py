"""Money is Decimal to the cent, and survives JSON exactly."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract.jsontext import dumps, loads
from strategies.placeholders import fill
from tests.suite.support.drawn_orders import is_written_with_decimals, lawful_orders, values
from tests.suite.support.properties import ORDER_READINGS

VALUES: Final = {"code": "the code"}


def leaves(value: Any) -> Iterator[Any]:
    """Every value within that is neither an object nor an array."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


@pytest.mark.parametrize("readings", ORDER_READINGS)
def test_money_is_decimal_to_the_cent(readings: str) -> None:
    for order in lawful_orders(readings):
        numbers = [value for value in leaves(order) if isinstance(value, int | float | Decimal)]
        assert not [value for value in numbers if isinstance(value, float)]
        assert all(int(Decimal(value).as_tuple().exponent) >= -2 for value in numbers)
        assert all(isinstance(value, Decimal) for value in (order["totalGrossValue"], *values(order)))


@pytest.mark.parametrize("readings", ORDER_READINGS)
def test_the_total_is_that_of_the_sales(readings: str) -> None:
    for order in lawful_orders(readings):
        assert order["totalGrossValue"] == sum(values(order, "SALE"))


def as_read(value: Any) -> Any:
    """What JSON makes of a value: an amount written without cents is an integer there."""
    if isinstance(value, dict):
        return {name: as_read(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_read(part) for part in value]
    return int(value) if isinstance(value, Decimal) and not is_written_with_decimals(value) else value


@pytest.mark.parametrize("readings", ORDER_READINGS)
def test_a_body_survives_json_exactly(readings: str) -> None:
    for order in lawful_orders(readings):
        body = fill(order, VALUES)
        text = dumps(body)
        # The representation tells 1 from Decimal("1") and Decimal("1.0") from Decimal("1.00"), and shows the sequence.
        assert repr(loads(text)) == repr(as_read(body))
        assert text.isascii()
