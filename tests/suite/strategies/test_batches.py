"""Batches: they reach every boundary, a release mirrors its order, and no period is used twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import pytest

from conformance.contract.readings import RELEASE_TYPES
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import creation_of, release_of
from strategies.identifiers import SHAPES
from strategies.money import LARGEST_CENTS, reais
from strategies.orders import LARGE, MOST_EXTRACTS
from strategies.periods import EARLIER, LENGTHS, MONTH, PERIOD, at
from strategies.placeholders import fill
from strategies.reconciliations import RELEASED, Batch, batches, beside_plain, plain_batch
from strategies.scope import Place
from tests.suite.support.broken_batches import FEW, INIT, Body, since
from tests.suite.support.properties import BATCH_READINGS, Bench, mock_scope, sample

SAMPLE: Final = 600

MOST_ORDERS: Final = 4

VALUES: Final = {"code": "the code", "neighbour": "the neighbour", "reconciliation": "237", PERIOD: INIT}


@cache
def lawful_batches(readings: str = "default readings") -> tuple[Batch, ...]:
    """So many lawful batches under these readings (under others than the default ones a few), the same ones each time."""
    size = SAMPLE if readings == "default readings" else FEW
    return tuple(sample(batches(mock_scope(BATCH_READINGS[readings]), at_most=MOST_ORDERS), size))


def test_where_the_target_takes_no_short_periods_none_is_drawn() -> None:
    shortest = 2 * 86_400
    drawn = sample(batches(replace(mock_scope({}), shortest=shortest)), FEW)
    assert {batch.seconds for batch in drawn} == {shortest + seconds for seconds in LENGTHS}
    assert batches_of(shortest, MONTH) == {MONTH}
    assert batches_of(shortest, 60) == {shortest}


def batches_of(shortest: int, seconds: int) -> set[int]:
    """How long those last that are to last so long."""
    drawn = sample(batches(replace(mock_scope({}), shortest=shortest), seconds=seconds), FEW)
    return {batch.seconds for batch in drawn}


@cache
def creations(readings: str = "default readings") -> tuple[Body, ...]:
    """What opens these batches, for one period."""
    return tuple(fill(batch.creation, VALUES) for batch in lawful_batches(readings))


def releases(readings: str = "default readings") -> Iterator[tuple[Batch, Body, Body]]:
    """Every release in these batches, with its batch and its order."""
    for batch in lawful_batches(readings):
        for order, release in zip(batch.orders, batch.releases, strict=True):
            yield batch, fill(order, VALUES), fill(release, VALUES)


ZONES: Final = ("Z", "+01:00", "-03:00", "+05:30")

BATCH_REACH: Final[dict[str, tuple[int, Callable[[Batch], bool]]]] = {
    # at least so many of 600
    **{f"{n} orders": (80, lambda batch, n=n: len(batch.orders) == n) for n in range(1, MOST_ORDERS + 1)},  # type: ignore[misc]
    **{f"{n} seconds": (80, lambda batch, n=n: batch.seconds == n) for n in LENGTHS},  # type: ignore[misc]
    **{f"account {one.id}": (80, lambda batch, one=one: batch.place.account == one.id) for one in world.ENABLED},  # type: ignore[misc]
    **{f"codes of {shape}": (10, lambda batch, shape=shape: batch.shape == shape) for shape in SHAPES},  # type: ignore[misc]
    "a single entry": (40, lambda batch: batch.creation["releasesQtd"] == 1),
    "more than ten entries": (100, lambda batch: batch.creation["releasesQtd"] > 10),
    "the account's id written in two ways": (
        160,
        lambda batch: {type(order["accountId"]) for order in batch.orders} != {type(batch.creation["accountId"])},
    ),
    "orders in two statuses": (120, lambda batch: len({order["status"] for order in batch.orders}) == 2),
    "orders of one status": (120, lambda batch: len({order["status"] for order in batch.orders}) == 1),
}


@pytest.mark.parametrize(("at_least", "shows"), BATCH_REACH.values(), ids=BATCH_REACH)
def test_batches_reach(at_least: int, shows: Callable[[Batch], bool]) -> None:
    assert sum(map(shows, lawful_batches())) >= at_least


PRINT_REACH: Final[dict[str, tuple[int, Callable[[Body], bool]]]] = {
    **{f"begins in {zone}": (60, lambda body, zone=zone: body["periodInitDate"].endswith(zone)) for zone in ZONES},  # type: ignore[misc]
    **{f"ends in {zone}": (60, lambda body, zone=zone: body["periodEndDate"].endswith(zone)) for zone in ZONES},  # type: ignore[misc]
    "begins with milliseconds": (160, lambda body: ".000" in body["periodInitDate"]),
    "begins without": (160, lambda body: "." not in body["periodInitDate"]),
    "an end that is earlier as text": (60, lambda body: body["periodEndDate"] < body["periodInitDate"]),
    "accountId as a number": (160, lambda body: isinstance(body["accountId"], int)),
    "accountId as text": (160, lambda body: isinstance(body["accountId"], str)),
}


@pytest.mark.parametrize(("at_least", "shows"), PRINT_REACH.values(), ids=PRINT_REACH)
def test_creations_reach(at_least: int, shows: Callable[[Body], bool]) -> None:
    assert sum(map(shows, creations())) >= at_least


@pytest.mark.parametrize("where", RELEASED, ids=["the middle", "+1 s", "+1 ms", "-1 s", "-1 ms"])
def test_releases_reach_the_middle_and_both_ends_of_every_period(where: Callable[[timedelta], timedelta]) -> None:
    reached = {
        batch.seconds
        for batch, _, release in releases()
        if since(release["releasedDate"]) == where(timedelta(seconds=batch.seconds))
    }
    assert reached == set(LENGTHS)


@pytest.mark.parametrize("zone", ZONES)
def test_releases_are_dated_in_every_zone(zone: str) -> None:
    assert sum(release["releasedDate"].endswith(zone) for _, _, release in releases()) >= 160


def test_batches_have_what_they_are_asked_to_have() -> None:
    place, types = Place(19056, world.CHANNEL), ("COMISSION", "SHIP")
    for batch in sample(batches(mock_scope({}), at_least=2, at_most=3, types=types, places=(place,)), 60):
        assert batch.place == place
        assert len(batch.orders) in {2, 3}
        assert {"SALE", *types} <= {entry["type"] for entry in batch.orders[0]["extracts"]}


def test_batches_last_as_long_as_they_are_asked_to() -> None:
    for batch in sample(batches(mock_scope({}), seconds=MONTH), 30):
        body = fill(batch.creation, VALUES)
        assert since(body["periodEndDate"]) == timedelta(seconds=batch.seconds) == timedelta(days=31, seconds=3601)
        assert timedelta() < since(fill(batch.releases[0], VALUES)["releasedDate"]) < timedelta(seconds=MONTH)


def test_batches_have_codes_of_the_shapes_that_they_are_asked_for() -> None:
    assert {batch.shape for batch in sample(batches(mock_scope({}), shapes=("via", "long")), 60)} == {"via", "long"}


def test_large_batches_have_a_sale_that_a_32_bit_float_has_no_cents_for() -> None:
    for batch in sample(batches(mock_scope({}), at_most=2, large=True), 60):
        first = batch.orders[0]["extracts"]
        assert max(entry["value"] for entry in first if entry["type"] == "SALE") >= LARGE
        assert batch.creation["totalNetValue"] <= reais(LARGEST_CENTS)


@pytest.mark.parametrize("readings", ["default readings", "gross totals", "totals of all entries"])
def test_no_total_of_a_batch_is_larger_than_any_target_must_take(readings: str) -> None:
    assert max(abs(body["totalNetValue"]) for body in creations(readings)) <= reais(LARGEST_CENTS)


def test_orders_beside_the_first_have_no_types_because_of_it() -> None:
    drawn = sample(batches(mock_scope({}), at_least=2, at_most=2, types=("COMISSION", "SHIP")), 60)
    assert any(len(batch.orders[1]["extracts"]) == 1 for batch in drawn)


@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_a_release_mirrors_the_extracts_in_their_sequence(readings: str) -> None:
    for batch, order, release in releases(readings):
        parts = [
            {name: extract[name] for name in ("marketplaceCode", "type", "value")} for extract in order["extracts"]
        ]
        assert release["releases"] == parts
        # The same amount with more decimals or fewer, but in no other print.
        assert all(-2 <= int(Decimal(entry["value"]).as_tuple().exponent) <= 0 for entry in release["releases"])
        assert release["marketplaceCode"] == order["marketplaceCode"] == "the code"
        assert (int(release["accountId"]), release["channelName"]) == (batch.place.account, batch.place.channel)
        assert (int(order["accountId"]), order["channelName"]) == (batch.place.account, batch.place.channel)
        assert repr(release["accountId"]) == repr(batch.creation["accountId"])
        assert 1 <= len(parts) <= MOST_EXTRACTS
        assert {entry["type"] for entry in parts} <= set(RELEASE_TYPES)
        assert (release["reconciliationId"], release["releaseType"]) == (237, "IN_CASH")


@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_what_is_announced_is_what_is_sent(readings: str) -> None:
    reading = mock_scope(BATCH_READINGS[readings]).readings["total-net-value"]
    for batch in lawful_batches(readings):
        sent = [entry for release in batch.releases for entry in release["releases"]]
        counted = [entry["value"] for entry in sent if reading == "sum-of-entries" or entry["type"] == "SALE"]
        assert batch.creation["releasesQtd"] == len(sent)
        assert batch.creation["totalNetValue"] == sum(counted)
        assert isinstance(batch.creation["totalNetValue"], Decimal)
        assert (int(batch.creation["accountId"]), batch.creation["channelName"]) == (
            batch.place.account,
            batch.place.channel,
        )


@pytest.mark.parametrize(("readings", "form"), [("integer ids", int), ("string ids", str)])
def test_account_ids_have_the_form_of_their_reading(readings: str, form: type) -> None:
    assert {type(body["accountId"]) for body in creations(readings)} == {form}


def test_a_period_lasts_as_long_as_it_says_and_a_release_lies_strictly_within() -> None:
    for batch, body in zip(lawful_batches(), creations(), strict=True):
        assert since(body["periodInitDate"]) == timedelta()
        assert since(body["periodEndDate"]) == timedelta(seconds=batch.seconds)
    for batch, _, release in releases():
        assert timedelta() < since(release["releasedDate"]) < timedelta(seconds=batch.seconds)
        assert since(release["createdDate"]) < since(release["releasedDate"])


@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_a_plain_batch_is_lawful(readings: str) -> None:
    scope = mock_scope(BATCH_READINGS[readings])
    for place in scope.places:
        for sizes in ((1,), (3,), (1, 2, MOST_EXTRACTS)):
            check_whole(plain_batch(scope, place, *sizes), scope.readings)


@pytest.mark.parametrize("readings", BATCH_READINGS)
def test_a_batch_with_a_plain_order_beside_it_is_lawful(readings: str) -> None:
    scope = mock_scope(BATCH_READINGS[readings])
    for batch in lawful_batches(readings)[:10]:
        beside = beside_plain(scope, batch, 2)
        assert beside.releases[:-1] == batch.releases
        assert beside.creation["releasesQtd"] == batch.creation["releasesQtd"] + 2
        check_whole(beside, scope.readings)


def check_whole(batch: Batch, readings: Mapping[str, str]) -> None:
    """Check that the judge finds nothing broken in a batch, and that the mock is told of its end."""
    bench = Bench(Koncili(readings=readings))
    begun = bench.begin(batch)
    assert bench.broken_rules(creation_of(batch), begun[0]) == []
    number = bench.open(batch.place, begun[0][PERIOD], batch.seconds, quantity=batch.creation["releasesQtd"]).id
    for position, values in enumerate(begun):
        request = bench.request(release_of(batch, position), {**values, "reconciliation": str(number)})
        assert bench.koncili.handle(request).status == 200
    bench.koncili.world.all_reconciliations[-1].total = batch.creation["totalNetValue"]
    bench.koncili.control({"advanceSeconds": 2})
    assert bench.koncili.world.all_reconciliations[-1].situation == "CONCILIED"


INSTANTS: Final[dict[str, tuple[Any, str]]] = {
    "the beginning": (at(timedelta()), "2001-01-02T03:04:05Z"),
    "with milliseconds": (at(timedelta(), milliseconds=True), "2001-01-02T03:04:05.000Z"),
    "a millisecond before": (at(timedelta(milliseconds=-1)), "2001-01-02T03:04:04.999Z"),
    "an hour after": (at(timedelta(hours=1), 0), "2001-01-02T04:04:05+00:00"),
    "to the west": (at(timedelta(), -180), "2001-01-02T00:04:05-03:00"),
    "to the east, the day after": (at(timedelta(hours=20), 330), "2001-01-03T04:34:05+05:30"),
    "of an earlier period": (at(timedelta(seconds=30), period=EARLIER), "2002-01-01T00:00:30Z"),
}


@pytest.mark.parametrize(("placeholder", "expected"), INSTANTS.values(), ids=INSTANTS)
def test_an_instant_is_told_from_the_beginning_of_a_period(placeholder: Any, expected: str) -> None:
    assert fill(placeholder, {PERIOD: INIT, EARLIER: "2002-01-01T00:00:00Z"}) == expected
