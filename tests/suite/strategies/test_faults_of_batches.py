"""Each fault of a reconciliation or a release is what it says, in all its forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from struct import pack
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import RELEASE_TYPES
from conformance.mock import world
from strategies.calls import calls
from strategies.fault_parts import MANY
from strategies.faults import FAULTS, fault_batches
from strategies.orders import LARGE
from strategies.periods import EARLIER, EARLIER_SECONDS, LATEST, LENGTHS, LONG, MONTH, PERIOD
from tests.suite.support.broken_batches import (
    FEW,
    Body,
    Broken,
    broken,
    kind_of,
    names_of,
    period,
    plain_names_of,
    since,
)
from tests.suite.support.properties import mock_scope, sample

# How far the beginning lies past the end, in seconds; None where the two are exchanged.
NOT_EARLIER: Final[dict[str, float | None]] = {
    "equal": 0,
    "equal, in another zone": 0,
    "a second later": 1,
    "exchanged": None,
    "half an hour later, earlier as text": 1800,
}


@pytest.mark.parametrize("name", sorted(names_of("REC-03")))
def test_rec_03_a_period_begins_so_long_after_its_end(name: str) -> None:
    some = broken("REC-03", name, many=4 * FEW)
    for one in some:
        init, end = period(one.broken)
        past = NOT_EARLIER[name]
        assert init - end == timedelta(seconds=one.seconds if past is None else past)
        if "as text" in name:
            assert one.broken["periodInitDate"] < one.broken["periodEndDate"]
    assert {one.seconds for one in some} == set(LENGTHS)


# How it lies to which earlier one, and for how many seconds it is over it.
OVER: Final[dict[str, tuple[str, str, float]]] = {
    "equal": ("equal", EARLIER, 60),
    "equal to the last": ("equal", LATEST, 60),
    "equal, in another zone": ("equal", EARLIER, 60),
    "inside": ("inside", EARLIER, 40),
    "inside, of a second": ("inside", EARLIER, 1),
    "around": ("around", EARLIER, 60),
    "around, of a month": ("around", EARLIER, 60),
    "inside one of a month, weeks after it began": ("inside", LONG, 60),
    "same beginning, earlier end": ("inside", EARLIER, 50),
    "later beginning, same end": ("inside", EARLIER, 50),
    "same beginning, later end": ("around", EARLIER, 60),
    "earlier beginning, same end": ("around", EARLIER, 60),
    "it ends in the middle": ("before", EARLIER, 30),
    "it begins in the middle": ("after", EARLIER, 30),
    "it ends a second after the other begins": ("before", EARLIER, 1),
    "it begins a second before the other ends": ("after", EARLIER, 1),
    "it begins a second before the last ends": ("after", LATEST, 1),
    "it ends in the middle of the last, in another zone": ("before", LATEST, 30),
}


def lasts(earlier: str) -> int:
    """For how many seconds that earlier period lasts."""
    return MONTH if earlier == LONG else EARLIER_SECONDS


def test_what_lies_late_in_a_month_begins_in_another_one() -> None:
    for one in broken("REC-04", "inside one of a month, weeks after it began"):
        began, (init, _) = datetime.fromisoformat(one.values[LONG]), period(one.broken)
        assert (began.year, began.month) != (init.year, init.month)


def lies(init: datetime, end: datetime, other: datetime, other_end: datetime) -> str:
    """How a period lies to another that it overlaps."""
    if (init, end) == (other, other_end):
        return "equal"
    if other <= init and end <= other_end:
        return "inside"
    if init <= other and other_end <= end:
        return "around"
    return "before" if init < other else "after"


@pytest.mark.parametrize(
    ("rule_id", "name"), [(rule_id, name) for rule_id in ("REC-04", "REC-05") for name in sorted(names_of(rule_id))]
)
def test_rec_04_and_05_a_period_lies_so_over_an_earlier_one(rule_id: str, name: str) -> None:
    how, which, seconds = OVER[name]
    for one in broken(rule_id, name)[:10]:
        init, end = period(one.broken)
        for earlier in {EARLIER, LATEST, which}:
            begins = datetime.fromisoformat(one.values[earlier])
            ends = begins + timedelta(seconds=lasts(earlier))
            over = min(end, ends) - max(init, begins)
            if earlier == which:
                assert (lies(init, end, begins, ends), over) == (how, timedelta(seconds=seconds))
            elif end - init < timedelta(days=31):
                assert over < timedelta(), "it overlaps no other"


@pytest.mark.parametrize("name", sorted(OVER))
def test_where_periods_last_longer_the_ones_over_an_earlier_one_do_so_too(name: str) -> None:
    """A target that takes no short periods would refuse them for that."""
    how, which, _ = OVER[name]
    scope = replace(mock_scope({}), shortest=2 * 86_400)
    begins = datetime(2001, 2, 1, tzinfo=UTC)
    ends = begins + timedelta(seconds=MONTH if which == LONG else scope.shortest + EARLIER_SECONDS)
    kinds = {kind.name: kind for rule in ("REC-04", "REC-05") for some in FAULTS[rule].values() for kind in some}
    ((_, edit),) = sample(fault_batches(scope, Endpoint.CREATE_RECONCILIATION, (kinds[name],)), FEW)[-1].edits
    assert edit.placeholders == {which}
    init, end = (datetime.fromisoformat(str(one.change(begins.isoformat()))) for one in (edit.value, edit.also[0][1]))
    assert lies(init, end, begins, ends) == how
    assert end - init >= timedelta(seconds=scope.shortest)
    assert min(end, ends) > max(init, begins)


# How far outside the period, in seconds: before its beginning (negative) or after its end.
OUTSIDE: Final[dict[str, float]] = {
    "a second before": -1,
    "a second after": 1,
    "four days before": -4 * 86_400,
    "a second before, later as text": -1,
    "a second after, earlier as text": 1,
    "four years before, on a day of the period": 1 - 1461 * 86_400,
}


@pytest.mark.parametrize("name", sorted(names_of("REL-03")))
def test_rel_03_a_release_is_dated_so_far_outside(name: str) -> None:
    for one in broken("REL-03", name):
        released = since(one.broken["releasedDate"], one.values[PERIOD])
        beyond = released if OUTSIDE[name] < 0 else released - timedelta(seconds=one.seconds)
        assert beyond == timedelta(seconds=OUTSIDE[name])
    assert {one.seconds for one in broken("REL-03", name)} == set(LENGTHS)


def test_rel_03_the_day_and_the_time_of_another_year_are_those_of_the_period() -> None:
    for one in broken("REL-03", "four years before, on a day of the period"):
        released, inside = (
            datetime.fromisoformat(text).astimezone(UTC)
            for text in (one.broken["releasedDate"], one.opened["periodInitDate"])
        )
        assert released.replace(year=inside.year) - inside == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "misleads"),
    [
        ("a second before, later as text", lambda one: one.broken["releasedDate"] > one.opened["periodInitDate"]),
        ("a second after, earlier as text", lambda one: one.broken["releasedDate"] < one.opened["periodEndDate"]),
    ],
)
def test_rel_03_text_is_often_misleading(name: str, misleads: Callable[[Broken], bool]) -> None:
    assert sum(map(misleads, broken("REL-03", name))) >= 10


def entries(body: Body) -> list[tuple[str, Decimal]]:
    """Type and value of every entry of a release."""
    return [(entry["type"], entry["value"]) for entry in body["releases"]]


def changed_entries(one: Broken) -> list[tuple[tuple[str, Decimal], tuple[str, Decimal]]]:
    """The entries that are no longer what they were, before and after."""
    return [
        (before, after)
        for before, after in zip(entries(one.lawful), entries(one.broken), strict=True)
        if before != after
    ]


# Of each changed value the type (None: any), and by how much it is further from zero; and whether the sum stays.
OTHER_VALUES: Final[dict[str, tuple[list[str | None], str, bool]]] = {
    "by a cent, of the sale": (["SALE"], "0.01", False),
    "by a cent, of a commission": (["COMISSION"], "0.01", False),
    "by a cent, of the largest": ([None], "0.01", False),
    "by a cent in two, the sum unchanged": (["COMISSION", "SALE"], "0.01", True),
    "by a hundred": ([None], "100", False),
}

SIGN: Final = "the sign of a SHIP"


def test_rel_08_every_kind_is_looked_at() -> None:
    assert plain_names_of("REL-08") == {*OTHER_VALUES, SIGN}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_rel_08_a_value_is_other_by_so_much_and_keeps_its_sign(name: str) -> None:
    types, by, sum_stays = OTHER_VALUES[name]
    for one in broken("REL-08", name):
        found = changed_entries(one)
        assert len(found) == len(types)
        assert None in types or sorted(type_ for (type_, _), _ in found) == types
        for (type_, before), (same_type, after) in found:
            assert type_ == same_type
            assert (abs(after) - abs(before), after * before > 0) == (Decimal(by), True)
        sums = [sum(value for _, value in entries(body)) for body in (one.lawful, one.broken)]
        assert (sums[0] == sums[1]) == sum_stays


def test_rel_08_a_ship_has_the_other_sign() -> None:
    for one in broken("REL-08", SIGN):
        (((type_, before), after),) = changed_entries(one)
        assert type_ == "SHIP"
        assert after == ("SHIP", -before)


def test_rel_08_in_a_fault_batch_the_largest_is_so_large_that_a_32_bit_float_hardly_sees_the_cent() -> None:
    kind, seen = kind_of("REL-08", "by a cent, of the largest"), 0
    for fault_batch in sample(fault_batches(mock_scope({}), Endpoint.SUBMIT_RELEASE, (kind,)), FEW):
        ((_, edit),) = fault_batch.edits
        values = [
            [entry["value"] for entry in call.body["releases"]]
            for call in (fault_batch.lawful, edit.apply(fault_batch.lawful))
        ]
        ((before, after),) = [pair for pair in zip(*values, strict=True) if pair[0] != pair[1]]
        assert (
            before == max(one["value"] for one in fault_batch.lawful.body["releases"] if one["type"] == "SALE") >= LARGE
        )
        assert after - before == Decimal("0.01")
        seen += pack("f", before) != pack("f", after)
    assert seen <= FEW // 5


@pytest.mark.parametrize("name", sorted(names_of("REL-06")))
def test_rel_06_a_value_is_zero_or_negated(name: str) -> None:
    type_, how = name.split()
    for one in broken("REL-06", name):
        ((before, after),) = changed_entries(one)
        assert (before[0], after[0]) == (type_, type_)
        assert after[1] == (0 if how == "zero" else -before[1])


@pytest.mark.parametrize("name", sorted(plain_names_of("REL-07")))
def test_rel_07_a_type_is_another_that_takes_the_value(name: str) -> None:
    for one in broken("REL-07", name):
        ((before, after),) = changed_entries(one)
        assert before[0] != after[0] in RELEASE_TYPES
        assert before[1] == after[1]


Entries = list[tuple[str, Decimal]]

FEWER_OR_MORE: Final[dict[str, Callable[[Entries], Entries]]] = {
    "none": lambda _: [],
    "one missing, the last": lambda before: before[:-1],
    "one missing, the first": lambda before: before[1:],
    "one twice": lambda before: [*before, before[0]],
    "one more": lambda before: [*before, ("SHIP", max(value for _, value in before) + Decimal("0.01"))],
}

SPLIT: Final = "one split in two"


def test_rel_09_every_kind_is_looked_at() -> None:
    assert plain_names_of("REL-09") == {*FEWER_OR_MORE, SPLIT}


@pytest.mark.parametrize("name", FEWER_OR_MORE)
def test_rel_09_the_entries_are_so_many_fewer_or_more(name: str) -> None:
    for one in broken("REL-09", name):
        assert entries(one.broken) == FEWER_OR_MORE[name](entries(one.lawful))


def test_rel_09_the_largest_is_split_so_that_the_sum_stays() -> None:
    splits = 0
    for one in broken("REL-09", SPLIT):
        before, after = Counter(entries(one.lawful)), Counter(entries(one.broken))
        ((type_, value),) = (before - after) or {max(before, key=lambda entry: abs(entry[1])): 1}
        cent = Decimal("0.01").copy_sign(value)
        # A single cent cannot be split: it is there twice.
        parts = [(type_, value - cent), (type_, cent)] if value != cent else [(type_, cent), (type_, cent)]
        assert after == before - Counter([(type_, value)]) + Counter(parts)
        assert abs(value) == max(abs(value) for _, value in before)
        splits += value != cent
    assert splits >= FEW // 2


FIRST, LAST = 0, -1

IN_AN_ENTRY: Final[dict[tuple[str, str], tuple[str | None, int]]] = {
    # of a kind: the type of the entries that it may change (None: any), and which of them it changes
    ("REL-05", "unknown"): (None, LAST),
    ("REL-05", "lower case"): ("SALE", LAST),
    ("REL-05", "other spelling"): ("COMISSION", FIRST),
    ("REL-05", "of another document"): (None, LAST),
    ("REL-06", "SALE negated"): ("SALE", LAST),
    ("REL-07", "a COMISSION as SHIP"): ("COMISSION", LAST),
    ("REL-08", "by a cent, of the sale"): ("SALE", LAST),
    ("REL-08", "by a hundred"): (None, LAST),
    ("REL-10", "another order's, in one entry"): (None, LAST),
    ("REL-10", "one that no order has, in one entry"): (None, FIRST),
    ("REL-17", "value left out"): (None, LAST),
}


@pytest.mark.parametrize(("rule_id", "name"), IN_AN_ENTRY, ids=map(": ".join, IN_AN_ENTRY))
def test_a_fault_of_an_entry_stands_at_the_first_or_the_last(rule_id: str, name: str) -> None:
    """At the last in any case where there are many: a server may look at the first few only."""
    type_, which = IN_AN_ENTRY[rule_id, name]
    for one in broken(rule_id, name):
        before, after = one.lawful["releases"], one.broken["releases"]
        able = [number for number, entry in enumerate(before) if type_ in {None, entry["type"]}]
        there = able[LAST if len(before) >= MANY else which]
        assert [number for number, entry in enumerate(before) if entry != after[number]] == [there]


@pytest.mark.parametrize("rule_id", ["REL-05", "REL-08", "REL-10"])
def test_where_a_fault_may_stand_first_or_last_these_are_two(rule_id: str) -> None:
    for name in names_of(rule_id):
        assert all(len(one.lawful["releases"]) > 1 for one in broken(rule_id, name)[:10]), name


DOCUMENTED_ELSEWHERE: Final = {
    "default readings": {"RETURN_SALE", "ADJUSTMENT"},
    "extended types": {"RETURN_SALE", "ADJUSTMENT"},
    "portal types": {"FREIGHT"},
}


@pytest.mark.parametrize("readings", DOCUMENTED_ELSEWHERE)
def test_rel_05_a_type_is_one_of_another_document(readings: str) -> None:
    found = {
        after["type"] for one in broken("REL-05", "of another document", readings) for after in one.broken["releases"]
    }
    assert found - set(RELEASE_TYPES) == DOCUMENTED_ELSEWHERE[readings]


LEVELS: Final[dict[str, tuple[str, set[str]]]] = {
    # of a code that differs: where, and what stands there
    "another order's, in one entry": ("entry", {"neighbour"}),
    "one that no order has, in one entry": ("entry", {"other_code"}),
    "another order's, at the top": ("top", {"neighbour"}),
    "one that no order has, at the top": ("top", {"other_code"}),
}


@pytest.mark.parametrize("name", LEVELS)
def test_rel_10_a_code_is_another_order_s_or_no_order_s(name: str) -> None:
    where, placeholders = LEVELS[name]
    for one in broken("REL-10", name):
        top = one.broken["marketplaceCode"]
        inside = {entry["marketplaceCode"] for entry in one.broken["releases"]}
        others = {one.values[placeholder] for placeholder in placeholders}
        assert one.values["neighbour"] != one.values["code"]
        assert ({top} if where == "top" else inside - {one.values["code"]}) == others
        assert inside == {one.values["code"]} or top == one.values["code"]


@pytest.mark.parametrize("same_channel", [True, False], ids=["of the channel", "of another channel"])
def test_rel_14_an_account_is_another_one_with_its_own_channel(same_channel: bool) -> None:
    name = "another account of the channel" if same_channel else "an account of another channel"
    places = {(account.id, account.channel) for account in world.ENABLED}
    for one in broken("REL-14", name):
        before, after = ((int(body["accountId"]), body["channelName"]) for body in (one.lawful, one.broken))
        assert before != after in places
        assert (before[1] == after[1]) == same_channel
        assert isinstance(one.broken["accountId"], type(one.lawful["accountId"]))


def test_every_kind_has_its_name_once_in_its_rule() -> None:
    for rule_id in FAULTS:
        if rule_id.startswith(("REC-", "REL-")):
            names = [kind.name for kinds in FAULTS[rule_id].values() for kind in kinds]
            assert len(set(names)) == len(names), rule_id


def test_a_release_drawn_as_a_call_has_an_order_beside_it() -> None:
    for call in sample(calls(mock_scope({}), Endpoint.SUBMIT_RELEASE), 60):
        assert call.batch is not None
        assert len(call.batch.orders) == 2
        assert call.body == call.batch.releases[0]
