"""The strategies reach every boundary of an order often enough: dates, extracts, types, shapes of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import EXTRACT_TYPES
from conformance.mock import world
from strategies import dates
from strategies.calls import calls
from strategies.identifiers import SHAPES
from strategies.money import LARGEST_CENTS, reais
from strategies.orders import LARGE, MOST_EXTRACTS, STATUSES, Order, orders
from tests.suite.support.drawn_orders import SAMPLE, TIMES, is_written_with_decimals, lawful_orders, values
from tests.suite.support.properties import ORDER_READINGS, mock_scope, sample


def reached(readings: str, shows: Callable[[Order], bool]) -> float:
    """Of so many of the orders, how many show a property."""
    return sum(map(shows, lawful_orders(readings))) / TIMES


def texts(order: Order) -> list[str]:
    """The dates of an order that are given."""
    return [order[name] for name in dates.FIELDS if order.get(name) is not None]


def instant(order: Order, name: str) -> datetime | None:
    """The instant of a date, if it is given."""
    text = order.get(name)
    return None if text is None else datetime.fromisoformat(text)


def gaps(order: Order) -> list[timedelta]:
    """The times between the events of an order, in the documented sequence."""
    chain = [instant(order, name) for name in ("createdDate", "approvedDate", "sendDate", "deliveryDate")]
    given = [event for event in chain if event is not None]
    return [later - earlier for earlier, later in pairwise(given)]


def is_late(order: Order) -> bool:
    """Whether the delivery came after its estimate."""
    due, came = instant(order, "estimatedDeliveryDate"), instant(order, "deliveryDate")
    return due is not None and came is not None and came > due


def misleads_as_text(order: Order) -> bool:
    """Whether two events in sequence are out of it when their dates are compared as text."""
    chain = [order.get(name) for name in ("createdDate", "approvedDate", "sendDate", "deliveryDate")]
    given = [text for text in chain if text is not None]
    return any(earlier > later for earlier, later in pairwise(given))


def on(holds: Callable[[datetime], bool]) -> Callable[[Order], bool]:
    """Whether that holds of a date of the order, in universal time."""
    return lambda order: any(holds(datetime.fromisoformat(text).astimezone(UTC)) for text in texts(order))


DATE_REACH: Final[dict[str, tuple[int, Callable[[Order], bool]]]] = {
    # at least so many of 300
    "equal instants": (50, lambda order: timedelta() in gaps(order)),
    "equal instants in different words": (
        8,
        lambda order: any(
            gap == timedelta() and order["createdDate"] != order["approvedDate"] for gap in gaps(order)[:1]
        ),
    ),
    "a gap of a millisecond": (20, lambda order: timedelta(milliseconds=1) in gaps(order)),
    "a gap of a second": (15, lambda order: timedelta(seconds=1) in gaps(order)),
    "a gap of days": (40, lambda order: any(gap > timedelta(days=1) for gap in gaps(order))),
    "an offset other than Z": (150, lambda order: any(not text.endswith("Z") for text in texts(order))),
    "an offset of half hours": (30, lambda order: any(text.endswith("+05:30") for text in texts(order))),
    "Z": (150, lambda order: any(text.endswith("Z") for text in texts(order))),
    "milliseconds printed": (150, lambda order: any("." in text for text in texts(order))),
    "milliseconds printed that are zero": (90, lambda order: any(".000" in text for text in texts(order))),
    "a sequence that text gets wrong": (30, misleads_as_text),
    "an estimate years ahead": (
        5,
        lambda order: (instant(order, "estimatedDeliveryDate") or dates.START) > dates.START + timedelta(days=900),
    ),
    "a late delivery": (8, is_late),
    "a punctual delivery": (20, lambda order: order.get("deliveryDate") is not None and not is_late(order)),
    "a date in a week of another year": (15, on(lambda day: day.isocalendar().year != day.year)),
    "29 February": (10, on(lambda day: (day.month, day.day) == (2, 29))),
    "the last day of a month": (40, on(lambda day: (day + timedelta(days=1)).day == 1)),
    "the last second of a day": (20, on(lambda day: day.time().replace(microsecond=0) == time(23, 59, 59))),
    "a month of summer": (60, on(lambda day: day.month in range(4, 10))),
    "a date that is null": (90, lambda order: any(order.get(name, "") is None for name in dates.FIELDS)),
    "a date that is left out": (100, lambda order: any(name not in order for name in dates.FIELDS)),
    "an optional date that is given": (
        30,
        lambda order: any(order.get(name) is not None for name in dates.OPTIONAL[order["status"]]),
    ),
    "no date but those demanded": (
        100,
        lambda order: not any(order.get(name) is not None for name in dates.OPTIONAL[order["status"]]),
    ),
    **{
        # mypy infers no types for defaults of a lambda.
        f"status {status}": (20, lambda order, status=status: order["status"] == status)  # type: ignore[misc]
        for status in STATUSES
    },
}


@pytest.mark.parametrize(("at_least", "shows"), DATE_REACH.values(), ids=DATE_REACH)
def test_the_dates_of_orders_reach(at_least: int, shows: Callable[[Order], bool]) -> None:
    assert reached("default readings", shows) >= at_least


def some(shows: Callable[[Mapping[str, Any]], bool]) -> Callable[[Order], bool]:
    """Whether some extract of an order shows a property."""
    return lambda order: any(map(shows, order["extracts"]))


REACH: Final[dict[str, tuple[int, Callable[[Order], bool]]]] = {
    "a single extract": (50, lambda order: len(order["extracts"]) == 1),
    "several sales": (50, lambda order: len(values(order, "SALE")) > 1),
    "a first extract that is no sale": (30, lambda order: order["extracts"][0]["type"] != "SALE"),
    "two extracts of the same type and value": (
        15,
        lambda order: len({(part["type"], part["value"]) for part in order["extracts"]}) < len(order["extracts"]),
    ),
    "an amount below ten cents": (30, lambda order: any(abs(value) < Decimal("0.1") for value in values(order))),
    "an everyday amount": (100, lambda order: any(1 < abs(value) < 1000 for value in values(order))),
    # Above this a 32-bit float has no cents.
    "an amount above 131072 BRL": (35, lambda order: any(abs(value) > 131_072 for value in values(order))),
    "an amount with one decimal": (
        40,
        lambda order: any(str(value)[-2] == "." for value in values(order) if len(str(value)) > 2),
    ),
    "an amount without cents": (40, lambda order: not all(map(is_written_with_decimals, values(order)))),
    "an extract that is there twice": (
        50,
        lambda order: any(one in order["extracts"][:place] for place, one in enumerate(order["extracts"])),
    ),
    "an expectedDate years ahead": (
        15,
        lambda order: any(
            datetime.fromisoformat(part["expectedDate"]) - datetime.fromisoformat(order["createdDate"])
            > timedelta(days=899)
            for part in order["extracts"]
            if part.get("expectedDate")
        ),
    ),
    "an expectedDate in another zone": (60, some(lambda part: not (part.get("expectedDate") or "Z").endswith("Z"))),
    "an amount that is no whole number": (150, lambda order: any(value % 1 for value in values(order))),
    "income from SHIP": (30, lambda order: any(value > 0 for value in values(order, "SHIP"))),
    "a cost of SHIP": (25, lambda order: any(value < 0 for value in values(order, "SHIP"))),
    "an expectedDate": (60, some(lambda part: part.get("expectedDate") is not None)),
    "an expectedDate that is null": (60, some(lambda part: part.get("expectedDate", "") is None)),
    "an expectedDate that is left out": (90, some(lambda part: "expectedDate" not in part)),
    "a whole percentage": (6, some(lambda part: isinstance(part.get("percentage"), int))),
    "a percentage of zero": (3, some(lambda part: part.get("percentage", "") == 0)),
    "a percentage with decimals": (20, some(lambda part: isinstance(part.get("percentage"), Decimal))),
    "a COMISSION without percentage": (
        10,
        some(lambda part: part["type"] == "COMISSION" and "percentage" not in part),
    ),
    "accountId as a number": (60, lambda order: isinstance(order["accountId"], int)),
    "accountId as a string": (50, lambda order: isinstance(order["accountId"], str)),
    "a field that no document names": (90, lambda order: "customerName" in order),
    "an array that no document names": (50, lambda order: "items" in order),
    "no field that no document names": (30, lambda order: not {"customerName", "items"} & order.keys()),
    "letters beyond ASCII": (70, lambda order: not order.get("customerName", "").isascii()),
    "characters beyond 16 bits": (
        10,
        lambda order: any(ord(letter) > 0xFFFF for letter in order.get("customerName", "")),
    ),
    **{
        f"account {account.id}": (30, lambda order, id_=account.id: int(order["accountId"]) == id_)  # type: ignore[misc]
        for account in world.ENABLED
    },
}


@pytest.mark.parametrize(("at_least", "shows"), REACH.values(), ids=REACH)
def test_orders_reach(at_least: int, shows: Callable[[Order], bool]) -> None:
    assert reached("default readings", shows) >= at_least


def test_orders_reach_eight_extracts() -> None:
    """So rarely that it takes more orders to tell."""
    drawn = sample(orders(mock_scope({})), 3 * SAMPLE)
    assert sum(len(order["extracts"]) >= 8 for order in drawn) >= 6


TYPE_REACH: Final = [
    pytest.param(readings, type_, id=f"{readings}: {type_}")
    for readings, chosen in {
        "default readings": "workflow", "extended types": "extended", "portal types": "portal",
    }.items()
    for type_ in EXTRACT_TYPES[chosen]
]  # fmt: skip


@pytest.mark.parametrize(("readings", "type_"), TYPE_REACH)
def test_orders_reach_every_type_of_their_reading(readings: str, type_: str) -> None:
    assert reached(readings, lambda order: bool(values(order, type_))) >= 15


@pytest.mark.parametrize("readings", ["default readings", "extended types", "portal types"])
def test_orders_have_no_type_of_another_reading(readings: str) -> None:
    types = set(mock_scope(ORDER_READINGS[readings]).extract_types)
    assert {part["type"] for order in lawful_orders(readings) for part in order["extracts"]} == types


@pytest.mark.parametrize("type_", ["SHIP", "RETURN_SHIP", "ADJUSTMENT"])
@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "negative"])
def test_orders_reach_both_signs_of_a_type_that_takes_either(type_: str, sign: int) -> None:
    assert reached("portal types", lambda order: any(value * sign > 0 for value in values(order, type_))) >= 8


@pytest.mark.parametrize(("readings", "form"), [("integer ids", int), ("string ids", str)])
def test_account_ids_have_the_form_of_their_reading(readings: str, form: type) -> None:
    assert {type(order["accountId"]) for order in lawful_orders(readings)} == {form}


@pytest.mark.parametrize("endpoint", [Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER], ids=lambda endpoint: endpoint.label)
def test_calls_reach_every_shape_of_code(endpoint: Endpoint) -> None:
    assert {call.shape for call in sample(calls(mock_scope({}), endpoint), SAMPLE)} == set(SHAPES)


def test_orders_have_what_they_are_asked_to_have() -> None:
    wanted = orders(mock_scope({}), statuses=("CANCELED",), present=("sendDate",), types=("COMISSION", "SHIP"))
    for order in sample(wanted, 60):
        assert order["status"] == "CANCELED"
        assert order["sendDate"] is not None
        assert {part["type"] for part in order["extracts"]} == {"SALE", "COMISSION", "SHIP"}
        assert len(order["extracts"]) <= MOST_EXTRACTS


def test_large_orders_have_a_sale_that_a_32_bit_float_has_no_cents_for() -> None:
    for order in sample(orders(mock_scope({}), large=True), 120):
        assert max(values(order, "SALE")) >= LARGE
        assert order["totalGrossValue"] == sum(values(order, "SALE")) <= reais(LARGEST_CENTS)


def test_no_amount_and_no_total_is_larger_than_any_target_must_take() -> None:
    drawn = [*lawful_orders("portal types"), *sample(orders(mock_scope({}), types=("SALE",) * 8), 60)]
    assert max(abs(value) for order in drawn for value in values(order)) <= reais(LARGEST_CENTS) == Decimal("999999.99")
    assert max(order["totalGrossValue"] for order in drawn) <= reais(LARGEST_CENTS)
    assert max(order["totalGrossValue"] for order in drawn) > Decimal("900000")


def test_orders_keep_to_the_limit_that_they_are_given() -> None:
    drawn = sample(orders(mock_scope({}), types=("SALE", "SALE"), limit=Decimal("100.00")), 120)
    assert all(value > 0 for order in drawn for value in values(order, "SALE"))
    assert max(order["totalGrossValue"] for order in drawn) <= 100
    assert all(value == round(value, 2) for order in drawn for value in values(order))


@pytest.mark.parametrize(
    "endpoint", [Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER], ids=lambda endpoint: endpoint.label
)
def test_calls_have_codes_of_the_shapes_that_they_are_asked_for(endpoint: Endpoint) -> None:
    drawn = sample(calls(mock_scope({}), endpoint, shapes=("via", "accents")), 60)
    assert {call.shape for call in drawn} == {"via", "accents"}
