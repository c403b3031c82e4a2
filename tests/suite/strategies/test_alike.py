"""Codes that are alike are two, and each kind beyond what documents bound is beyond it in one way alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.judge import judge
from conformance.contract.order_rules import judge_order
from conformance.contract.readings import resolve
from conformance.mock.bounded import PLAIN_CODE
from conformance.mock.defects.collations import without_accents
from conformance.mock.defects.zones import SKIPPED, TWICE
from conformance.mock.koncili import Koncili
from strategies.alike import ALIKE, Alike, pairs, same_in_32_bits
from strategies.calls import Call
from strategies.identifiers import MAX_RUN, ODD_SHAPES, SHAPES, Minter
from strategies.placeholders import fill
from strategies.unbounded import (
    AS_LAWFUL,
    CODES_BEYOND,
    COUNTS,
    FUTURE,
    LONG_CODES,
    MOST_LAWFUL,
    ODD_CODES,
    ORDERS_BEYOND,
    PAST,
    ZONES,
    Change,
    grown,
)
from tests.suite.support.properties import Bench, mock_scope, sample

CODES: Final = {**SHAPES, **ODD_SHAPES}

NUMBERS: Final = [(0, 0), (1, 1), (1, 2), (12, 345), (999, 1000), (MAX_RUN - 1, MAX_RUN - 1), (MAX_RUN - 1, 0)]

KINDS: Final = [
    pytest.param(name, alike, shape, id=f"{name}: {shape}")
    for name, alike in {**ALIKE, **LONG_CODES, **ODD_CODES}.items()
    for shape in alike.shapes
]

# -- codes that are alike ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "alike", "shape"), KINDS)
def test_the_second_code_is_another(name: str, alike: Alike, shape: str) -> None:
    for numbers in NUMBERS:
        code = CODES[shape](*numbers)
        assert alike.change(code) != code, name


@pytest.mark.parametrize(("name", "alike", "shape"), KINDS)
def test_codes_are_plain_where_any_target_must_take_them(name: str, alike: Alike, shape: str) -> None:
    for numbers in NUMBERS:
        pair = CODES[shape](*numbers), alike.change(CODES[shape](*numbers))
        assert all(map(PLAIN_CODE.fullmatch, pair)) == alike.is_plain, name


def test_no_two_orders_of_a_run_have_one_code() -> None:
    minter, codes = Minter(7), []
    for _ in range(30):
        for alike in (*ALIKE.values(), *LONG_CODES.values(), *ODD_CODES.values()):
            firsts = [minter.mint(shape) for shape in alike.shapes]
            codes += [*firsts, *map(alike.change, firsts)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("name", "code", "other"),
    [
        ("the same to a double", "576461413038785752", "576461413038785753"),
        ("with a blank at the end", "A-1", "A-1 "),
        ("without its accents", "Açaí nº 1", "Acai nº 1"),
        ("in lower case", "LU-1", "lu-1"),
        ("with an accent", "LU-1", "LÚ-1"),
        ("in full-width digits", "701", "\uff17\uff10\uff11"),
        ("without its symbols", "701-2798273", "7012798273"),
        ("with a zero before", "1", "01"),
        ("with decimals", "1", "1.0"),
        ("underscores for hyphens", "701-1", "701_1"),
        ("the same in 64 bits", str(2**64 + 7), "7"),
    ],
)
def test_codes_are_alike_as_they_say(name: str, code: str, other: str) -> None:
    assert ALIKE[name].change(code) == other


def test_codes_of_eighteen_and_twenty_digits_are_one_to_a_double_and_two_in_fact() -> None:
    assert float("576461413038785752") == float("576461413038785777")
    for shape in ("tiktok-shop", "twenty-digits"):
        for numbers in NUMBERS:
            code = SHAPES[shape](*numbers)
            other = ALIKE["the same to a double"].change(code)
            assert (float(code), len(code)) == (float(other), len(other))


def test_an_account_is_another_that_is_the_same_in_32_bits() -> None:
    assert same_in_32_bits(19055) == 4294986351


def test_the_two_orders_of_a_pair_are_told_apart_by_their_totals() -> None:
    for pair in sample(pairs(mock_scope({})), 120):
        first, second = pair.orders
        assert first["totalGrossValue"] != second["totalGrossValue"]
        assert {(int(one["accountId"]), one["channelName"]) for one in pair.orders} == {
            (pair.place.account, pair.place.channel)
        }


# -- what no document bounds ---------------------------------------------------------------------------------------

CHANGES: Final = {f"{what} {name}": change for what, kinds in ORDERS_BEYOND.items() for name, change in kinds.items()}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_order_beyond_the_bounds_is_lawful_but_for_them(change: Change) -> None:
    readings, values = resolve({}), {"code": "701-0000001-0000001"}
    for one in sample(grown(mock_scope({}), change), 30):
        assert one.odd != one.plain
        assert list(judge_order(fill(one.plain, values), readings)) == []
        assert list(judge_order(fill(one.odd, values), readings)) == []


def test_what_a_clock_skips_is_as_lawful_as_noon_of_that_day() -> None:
    assert AS_LAWFUL.keys() >= ZONES.keys()
    clocks = {**PAST, **ZONES}
    for name in AS_LAWFUL.keys() & clocks.keys():
        for one in sample(grown(mock_scope({}), clocks[name], AS_LAWFUL[name]), 10):
            assert one.twin is not None
            assert list(judge_order(fill(one.twin, {"code": "701-0000001-0000001"}), resolve({}))) == []
            odd, even = (_texts(order) - _texts(one.plain) for order in (one.odd, one.twin))
            assert {text[:10] for text in odd} == {text[:10] for text in even}
            assert all(text[11:] == "12:00:00Z" for text in even)


def test_so_many_extracts_as_any_target_must_take_are_among_the_kinds() -> None:
    name = f"{MOST_LAWFUL} extracts"
    for one in sample(grown(mock_scope({}), COUNTS[name], AS_LAWFUL[name]), 10):
        assert len(one.odd["extracts"]) == 50
        assert one.twin == one.plain


def _texts(order: dict[str, Any]) -> set[str]:
    return {str(order.get("createdDate")), *(str(one.get("expectedDate")) for one in order["extracts"])}


@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_the_plain_mock_takes_every_code(shape: str) -> None:
    bench = Bench(Koncili())
    order = sample(pairs(mock_scope({})), 30)[0].orders[0]
    values = bench.values() | {"code": ODD_SHAPES[shape](1, 1)}
    request = bench.request(Call(Endpoint.SUBMIT_ORDER, body=order), values)
    assert judge(request, bench.koncili.world, bench.koncili.readings) == []
    assert bench.koncili.handle(request).status == 200


def test_larger_kinds_come_after_smaller_ones_so_that_one_refusal_tells_of_the_rest() -> None:
    plain = sample(grown(mock_scope({}), lambda _, order: order), 30)[1].plain
    size = {
        what: [_size(what, change, plain) for change in kinds.values()]
        for what, kinds in ORDERS_BEYOND.items()
        if what not in {"a total of its own", "a date that a clock skips or has twice", "a date long past"}
    }
    assert {what: sorted(sizes) for what, sizes in size.items()} == size
    assert [len(code(1, 1)) for code in map(CODES.get, LONG_CODES) if code] == [45, 60, 100, 200, 300]


def _size(what: str, change: Change, plain: dict[str, object]) -> Decimal:
    order = change(lambda _: 1, plain)  # type: ignore[arg-type]
    if what == "many extracts":
        return Decimal(len(order["extracts"]))
    if what == "a large amount":
        return Decimal(order["totalGrossValue"])
    dates = [order.get("estimatedDeliveryDate") or "", *(one.get("expectedDate") or "" for one in order["extracts"])]
    far = [instant for text in dates if (instant := parse_instant(text)) and instant.year > 2037]
    return Decimal(int(max(far).timestamp()))


def test_every_set_of_kinds_has_a_name_in_a_scenario() -> None:
    assert len({*CODES_BEYOND, *ORDERS_BEYOND}) == len(CODES_BEYOND) + len(ORDERS_BEYOND) == 8


# -- clocks --------------------------------------------------------------------------------------------------------


def _instants() -> list[datetime]:
    order = sample(grown(mock_scope({}), lambda _, one: one), 30)[1].plain
    found = []
    for change in (*PAST.values(), *ZONES.values()):
        changed = change(lambda _: 1, order)  # type: ignore[arg-type]
        texts = [changed["createdDate"], changed["extracts"][0].get("expectedDate") or ""]
        found += [instant for text in texts if (instant := parse_instant(text))]
    return found


@pytest.mark.parametrize("zone", SKIPPED)
def test_an_instant_has_the_time_of_an_hour_that_the_clock_skipped(zone: str) -> None:
    walls = [wall.replace(tzinfo=UTC) for wall in (*_instants(), *(one.astimezone(UTC) for one in _instants()))]
    assert any(timedelta() <= wall - SKIPPED[zone] < timedelta(hours=1) for wall in walls)


@pytest.mark.parametrize("zone", TWICE)
def test_there_are_instants_of_both_hours_that_the_clock_had_twice(zone: str) -> None:
    since = [instant - TWICE[zone] for instant in _instants()]
    assert any(timedelta(hours=-1) <= one < timedelta() for one in since)
    assert any(timedelta() <= one < timedelta(hours=1) for one in since)


def test_no_far_date_is_so_far_that_a_clock_ahead_has_no_year_for_it() -> None:
    plain = sample(grown(mock_scope({}), lambda _, order: order), 30)[1].plain
    latest = max(_size("a date far ahead", change, plain) for change in FUTURE.values())
    assert datetime.fromtimestamp(int(latest), UTC) + timedelta(hours=14) < datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


def test_accents_are_told_apart_from_letters() -> None:
    assert without_accents("Açaí nº 1") == "Acai nº 1"
