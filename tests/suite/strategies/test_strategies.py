"""The strategies reach every boundary often enough, and what they make is sound: codes, money, JSON, placeholders, edits."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.contract.readings import EXTRACT_TYPES
from conformance.mock import world
from strategies import dates
from strategies.calls import LEFT_OUT, Call, Edit, Path, Rendered, calls
from strategies.faults import Case, Kind, cases, possible
from strategies.identifiers import MAX_RUN, ODD_SHAPES, ROOMY, SHAPES, Minter
from strategies.money import LARGEST_CENTS, reais
from strategies.orders import LARGE, MOST_EXTRACTS, STATUSES, Order, orders
from strategies.packed import packed
from strategies.placeholders import CODE, OTHER_CODE, TOKEN, Placeholder, fill
from tests.suite.support.properties import ORDER_READINGS, READINGS, faults, mock_scope, prove, repeatable, sample

SAMPLE, TIMES = 300, 2
"""What is rare comes in twice so many orders more nearly as often as it should."""

VALUES: Final = {
    name: f"the {name}" for name in ("code", "other_code", "token", "credentials", "refresh_token", "email")
}


@cache
def lawful_orders(readings: str) -> tuple[Order, ...]:
    """So many lawful orders under these readings, the same ones each time."""
    return tuple(sample(orders(mock_scope(ORDER_READINGS[readings])), TIMES * SAMPLE))


def reached(readings: str, shows: Callable[[Order], bool]) -> float:
    """Of so many of the orders, how many show a property."""
    return sum(map(shows, lawful_orders(readings))) / TIMES


# -- reach: dates --------------------------------------------------------------------------------------------------


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
        f"status {status}": (20, lambda order, status=status: order["status"] == status)  # type: ignore[misc]
        for status in STATUSES
    },
}


@pytest.mark.parametrize(("at_least", "shows"), DATE_REACH.values(), ids=DATE_REACH)
def test_the_dates_of_orders_reach(at_least: int, shows: Callable[[Order], bool]) -> None:
    assert reached("default readings", shows) >= at_least


# -- reach: extracts and the rest ----------------------------------------------------------------------------------


def values(order: Order, type_: str | None = None) -> list[Decimal]:
    """The values of an order's extracts, or of those of one type."""
    return [part["value"] for part in order["extracts"] if type_ in {None, part["type"]}]


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


# -- codes ---------------------------------------------------------------------------------------------------------

NUMBERS: Final = st.integers(0, MAX_RUN - 1)
SHAPE_NAMES: Final = st.lists(st.sampled_from(tuple(SHAPES)), min_size=1, max_size=12)


def test_codes_are_new_within_a_run_and_across_runs() -> None:
    def law(example: tuple[list[int], list[str]]) -> None:
        runs, shapes = example
        codes = [minter.mint(shape) for minter in map(Minter, runs) for shape in shapes]
        assert len(set(codes)) == len(runs) * len(shapes)

    prove(st.tuples(st.lists(NUMBERS, min_size=2, max_size=4, unique=True), SHAPE_NAMES), law, 200)


def test_different_numbers_make_different_codes_in_any_two_shapes() -> None:
    number = st.tuples(st.sampled_from(tuple(SHAPES)), NUMBERS, NUMBERS)

    def law(drawn: list[tuple[str, int, int]]) -> None:
        assert len({SHAPES[shape](run, serial) for shape, run, serial in drawn}) == len(drawn)

    prove(st.lists(number, min_size=2, max_size=8, unique=True), law, 200)


ALL_SHAPES: Final = {**SHAPES, **ODD_SHAPES}


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_a_code_is_as_long_whatever_its_numbers(shape: str) -> None:
    assert len(ALL_SHAPES[shape](0, 0)) == len(ALL_SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1))


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_codes_of_a_shape_have_the_same_kinds_of_characters_in_it(shape: str) -> None:
    """A target that takes no letters, or wants some, answers alike to an order and to its twin: one had letters by chance."""

    def kinds(code: str) -> set[str]:
        return {"a letter" if one.isalpha() else "a digit" if one.isdigit() else one for one in code}

    def law(numbers: list[tuple[int, int]]) -> None:
        first, *others = (kinds(ALL_SHAPES[shape](run, serial)) for run, serial in numbers)
        assert all(one == first for one in others)

    prove(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=4), law, 100)


PLAIN: Final = re.compile(r"[A-Za-z0-9._#-]{1,40}")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_any_target_must_take_are_forty_plain_characters(shape: str) -> None:
    assert PLAIN.fullmatch(SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1))


def test_codes_of_one_more_character_are_plain_where_that_is_said() -> None:
    assert all(PLAIN.fullmatch(SHAPES[shape](0, 0) + "1") for shape in ROOMY)
    assert {len(SHAPES[shape](0, 0)) for shape in SHAPES if shape not in ROOMY} == {40}


def test_plain_codes_have_every_character_that_they_may_have_and_digits_beyond_doubles_and_64_bits() -> None:
    codes = [shape(MAX_RUN - 1, MAX_RUN - 1) for shape in SHAPES.values()]
    assert {"-", "_", ".", "#"} <= {*"".join(codes)}
    numbers = {len(code): int(code) for code in codes if code.isdigit()}
    assert {18, 20} <= numbers.keys()
    assert float(numbers[18]) == float(numbers[18] + 1)
    assert numbers[20] > 2**64


@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_what_a_target_may_refuse_is_not_plain(shape: str) -> None:
    assert PLAIN.fullmatch(ODD_SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1)) is None


def test_codes_that_a_target_may_refuse_are_as_long_as_they_say() -> None:
    lengths = {shape: len(code(0, 0)) for shape, code in ODD_SHAPES.items() if shape.endswith(" characters")}
    lengths.pop("Chinese characters")
    assert lengths == {f"{length} characters": length for length in (45, 60, 100, 200, 300)}


def test_there_is_no_code_of_an_unknown_shape() -> None:
    with pytest.raises(KeyError, match="ebay"):
        Minter(1).mint("ebay")


# -- money and JSON ------------------------------------------------------------------------------------------------


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


def is_written_with_decimals(value: Decimal) -> bool:
    """Whether an amount has digits after the point, be they zero."""
    return int(value.as_tuple().exponent) < 0


@pytest.mark.parametrize("readings", ORDER_READINGS)
def test_a_body_survives_json_exactly(readings: str) -> None:
    for order in lawful_orders(readings):
        body = fill(order, VALUES)
        text = dumps(body)
        # The representation tells 1 from Decimal("1") and Decimal("1.0") from Decimal("1.00"), and shows the sequence.
        assert repr(loads(text)) == repr(as_read(body))
        assert text.isascii()


# -- packed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(2, 3, 4), (5,), (1, 1), (7, 1, 2), ()], ids=str)
def test_packed_decodes_every_combination(sizes: tuple[int, ...]) -> None:
    assert sorted(set(sample(packed(sizes), 400))) == sorted(product(*map(range, sizes)))


def test_packed_prefers_none_of_its_choices() -> None:
    """The sizes are those of an extract's choices; of each the first and the last half must come up."""
    sizes = (3, 2, 3, 9, 4, 101, 6, 8)
    drawn = sample(packed(sizes), 600)
    for place, size in enumerate(sizes):
        high = sum(choices[place] >= size / 2 for choices in drawn) / len(drawn)
        assert 0.2 < high < 0.8, f"of the choices below {size}, {high:.0%} are in the upper half"


@pytest.mark.parametrize(("at_least", "smallest"), [(0, (0, 0, 0)), (2, (0, 2, 0))], ids=["any", "the second from 2"])
def test_packed_shrinks_to_the_first_of_each(at_least: int, smallest: tuple[int, ...]) -> None:
    found = hypothesis.find(packed([3, 4, 5]), lambda choices: choices[1] >= at_least, settings=repeatable(100))
    assert found == smallest


def test_packed_refuses_what_does_not_fit_one_draw() -> None:
    packed([256, 256, 256])
    with pytest.raises(ValueError, match="33554432"):
        packed([2**25])


# -- faults of an extract --------------------------------------------------------------------------------------------


def changed_extracts(case: Case) -> set[str]:
    """Which extracts of an order a fault changes: the first, the last, or one in between."""
    before, after = case.lawful.body["extracts"], case.broken.body["extracts"]
    assert len(before) > 1
    numbers = [number for number, one in enumerate(before) if one != after[number]]
    return {"first" if number == 0 else "last" if number == len(before) - 1 else "in between" for number in numbers}


CHOSEN_BY_TYPE: Final = {
    "lower case", "other spelling", "a blank after it", "an ordinal", "an ordinal as text", "RETURN_SALE",
    "RETURN_COMISSION", "RETURN_SHIP", "ADJUSTMENT", "a list of it",
}  # fmt: skip
"""Kinds that stand where an extract has a type of the same sign."""


@pytest.mark.parametrize("rule_id", ["ORD-09", "ORD-11"])
def test_of_the_kinds_of_a_fault_in_an_extract_every_other_one_stands_at_the_first(rule_id: str) -> None:
    kinds = list(dict.fromkeys(kind.name for _, _, kind, _ in faults(rule_id)))
    where = {
        kind.name: set().union(*map(changed_extracts, sample(cases(mock_scope({}), endpoint, kind), 30)))
        for _, _, kind, endpoint in faults(rule_id)
        if kind.name not in {"in lower case", *CHOSEN_BY_TYPE}  # the first is by itself, and so in its first turn
    }
    assert {name: found for name, found in where.items() if len(found) != 1} == {}
    assert [where[name] for name in kinds if name in where] == [
        {"first"} if turn % 2 else {"last"} for turn in range(len(where))
    ]


# -- placeholders and edits -----------------------------------------------------------------------------------------------


def test_fill_fills_holes_deeply() -> None:
    given = {"a": [{"b": CODE, "c": [[OTHER_CODE]]}], "d": Placeholder("token", str.upper, "in capitals"), "e": None}
    before = copy.deepcopy(given)
    filled = fill(given, VALUES)
    assert filled == {"a": [{"b": "the code", "c": [["the other_code"]]}], "d": "THE TOKEN", "e": None}
    assert given == before


@pytest.mark.parametrize("value", [1, Decimal("1.00"), "<code>", None, True, LEFT_OUT, {"a": []}], ids=repr)
def test_fill_leaves_what_holds_no_hole(value: object) -> None:
    assert repr(fill(value, {})) == repr(value)


def test_fill_misses_what_it_is_not_given() -> None:
    with pytest.raises(KeyError, match="token"):
        fill([TOKEN], {"code": "x"})


def differences(one: Any, other: Any, path: Path = ()) -> list[Path]:
    """The smallest places in which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [
            found
            for key in keys
            for found in differences(one.get(key, LEFT_OUT), other.get(key, LEFT_OUT), (*path, key))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for place, (part, twin) in enumerate(zip(one, other, strict=True))
            for found in differences(part, twin, (*path, place))
        ]
    return [] if (type(one), one) == (type(other), other) else [path]


def lies_in(path: Path, places: list[Path]) -> bool:
    """Whether a place is one of those, or within one."""
    return any(path[: len(place)] == place for place in places)


def parts(call: Call) -> dict[str, Any]:
    """What an edit may change of a call."""
    return {"query": dict(call.query), "headers": dict(call.headers), "body": call.body}


def check_edit(case: Case) -> None:
    """Check that the edit changed the place that it names, and no other (an account and its channel count as one)."""
    before = copy.deepcopy(case.lawful)
    broken = case.broken
    assert case.lawful == before, "the lawful call was changed"
    assert differences(parts(case.lawful), parts(before)) == []
    found = differences(parts(case.lawful), parts(broken))
    if isinstance(case.edit.value, Rendered):
        assert (found, broken.rendered) == ([], case.edit.value)
    else:
        named = [case.edit.path, *(path for path, _ in case.edit.also)]
        assert any(lies_in(path, named[:1]) for path in found), "it changes nothing"
        assert [path for path in found if not lies_in(path, named)] == []
        assert broken.rendered is None
    assert replace(broken, **parts(case.lawful), rendered=None) == replace(case.lawful, **parts(case.lawful))


ALL_KINDS: Final = [
    pytest.param(kind, endpoint, readings, id=f"{rule_id} on {endpoint.label}: {fault}, {kind.name}")
    for readings in ("default readings", "portal types", "string ids")
    for rule_id, fault, kind, endpoint in faults(readings=readings)
    # Under other readings only what the default ones leave no room for.
    if readings == "default readings" or not possible(kind, mock_scope({}), endpoint)
]


@pytest.mark.parametrize(("kind", "endpoint", "readings"), ALL_KINDS)
def test_an_edit_changes_one_place_only(kind: Kind, endpoint: Endpoint, readings: str) -> None:
    prove(cases(mock_scope(READINGS[readings]), endpoint, kind), check_edit, 3)


EDITS: Final[dict[str, tuple[Edit, Any, str]]] = {
    "a field": (Edit(("body", "a"), 2), {"a": 2, "b": [{"c": 1}, {"c": 2}]}, "a = 2"),
    "a field left out": (Edit(("body", "a"), LEFT_OUT), {"b": [{"c": 1}, {"c": 2}]}, "a = (left out)"),
    "a field made null": (Edit(("body", "a"), None), {"a": None, "b": [{"c": 1}, {"c": 2}]}, "a = null"),
    "a new field": (Edit(("body", "z"), 0), {"a": 1, "b": [{"c": 1}, {"c": 2}], "z": 0}, "z = 0"),
    "a field in an array": (Edit(("body", "b", 1, "c"), 9), {"a": 1, "b": [{"c": 1}, {"c": 9}]}, "b[1].c = 9"),
    "an entry of an array": (Edit(("body", "b", 0), None), {"a": 1, "b": [None, {"c": 2}]}, "b[0] = null"),
    "the whole body": (Edit(("body",), []), [], "body = []"),
}


@pytest.mark.parametrize(("edit", "expected", "words"), EDITS.values(), ids=EDITS)
def test_an_edit_by_example(edit: Edit, expected: Any, words: str) -> None:
    call = Call(Endpoint.SUBMIT_ORDER, body={"a": 1, "b": [{"c": 1}, {"c": 2}]})
    assert edit.apply(call).body == expected
    assert str(edit) == words
    assert call.body == {"a": 1, "b": [{"c": 1}, {"c": 2}]}
