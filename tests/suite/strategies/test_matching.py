"""Differences between entries and extracts that cancel out: what the judge says of them, and who takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine import economy
from conformance.engine.kill_matrix import Refusal
from conformance.mock.defects import DEFECTS
from conformance.mock.defects.matching import MATCHING
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect
from conformance.profiles import PROFILES
from strategies.calls import Call
from strategies.faults import FAULTS, FaultBatch, cases, fault_batches
from strategies.scope import Place
from tests.suite.support.bodies import Parts, entries, open_world, release, releasing
from tests.suite.support.properties import Bench, mock_scope, sample

Entry = tuple[str, Decimal]
Entries = Sequence[Entry]

ROWS: Final[dict[str, tuple[str, Parts, Parts, str]]] = {
    # a server that takes the entries for the extracts, the extracts, the entries, and the rule that is broken
    "the sum of each type": (
        "rel-09-sums-by-type",
        (("SHIP", "-5.00"), ("SHIP", "-7.00")),
        (("SHIP", "-6.00"), ("SHIP", "-6.00")),
        "REL-08",
    ),
    "a set": (
        "rel-09-entries-as-a-set",
        (("SHIP", "-5.00"), ("SHIP", "-5.00")),
        (("SHIP", "-5.00"),),
        "REL-09",
    ),
    "presence": (
        "rel-07-by-presence",
        (("SALE", "100.00"), ("SHIP", "-5.00"), ("SHIP", "-5.00")),
        (("SALE", "100.00"), ("SALE", "100.00"), ("SHIP", "-5.00")),
        "REL-07",
    ),
    "types alone": (
        "rel-08-matches-by-type",
        (("SALE", "100.00"), ("SHIP", "-5.00")),
        (("SALE", "100.00"), ("SHIP", "-6.00")),
        "REL-08",
    ),
    "a map from type to value": (
        "rel-09-last-of-each-type",
        (("SHIP", "-5.00"), ("SHIP", "-7.00")),
        (("SHIP", "-6.00"), ("SHIP", "-7.00")),
        "REL-08",
    ),
    "values by position": (
        "rel-08-values-by-position",
        (("COMISSION", "-5.00"), ("SHIP", "-7.00")),
        (("SHIP", "-5.00"), ("COMISSION", "-7.00")),
        "REL-08",
    ),
    "twins more often": (
        "rel-09-twins-more-often",
        (("SALE", "100.00"), ("SHIP", "-5.00")),
        (("SALE", "100.00"), ("SHIP", "-5.00"), ("SHIP", "-5.00")),
        "REL-09",
    ),
}


@pytest.mark.parametrize(("server", "extracts", "parts", "rule"), ROWS.values(), ids=ROWS)
def test_a_difference_that_cancels_out_is_one_all_the_same(
    server: str, extracts: Parts, parts: Parts, rule: str
) -> None:
    assert releasing(open_world(extracts=extracts, quantity=9), releases=entries(*parts)) == [rule]
    for quirks, status in (((), 400), ((DEFECTS[server],), 200)):
        bench = open_world(extracts=extracts, quantity=9)
        bench.koncili.quirks = quirks
        call = Call(Endpoint.SUBMIT_RELEASE, body=release(releases=entries(*parts)))
        assert bench.koncili.handle(bench.request(call, bench.values())).status == status


# -- the kinds that keep everything but the entries ----------------------------------------------------------------

RULES: Final = ("REL-07", "REL-08", "REL-09")

KEEPING: Final = {
    kind.name: kind for rule in RULES for kinds in FAULTS[rule].values() for kind in kinds if kind.multiples
}


def _sums(some: Entries) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for type_, value in some:
        sums[type_] = sums.get(type_, Decimal(0)) + value
    return sums


TOGETHER: Final[dict[str, Callable[[Entries], Any]]] = {
    "sum": lambda some: sum(value for _, value in some),
    "sum of each type": _sums,
    "which there are": set,
    "last of each type": dict,
    "first of each type": lambda some: dict(reversed(some)),
}
"""What all entries have together, and every one of these kinds keeps."""

COUNTED: Final[dict[str, Callable[[Entries], Any]]] = {
    "how many": len,
    "values": lambda some: Counter(value for _, value in some),
}
ENDS: Final[dict[str, Callable[[Entries], Any]]] = {"first and last": lambda some: (some[0], some[-1])}
TYPES: Final[dict[str, Callable[[Entries], Any]]] = {"types": lambda some: Counter(type_ for type_, _ in some)}
TYPES_BY_POSITION: Final[dict[str, Callable[[Entries], Any]]] = {
    "types by position": lambda some: [type_ for type_, _ in some]
}
VALUES_BY_POSITION: Final[dict[str, Callable[[Entries], Any]]] = {
    "values by position": lambda some: [value for _, value in some]
}

KEPT: Final = {
    "two types exchanged, all sums unchanged": COUNTED | VALUES_BY_POSITION,
    "two types exchanged, values and sums unchanged": COUNTED | TYPES | VALUES_BY_POSITION,
    "the values of two types exchanged, all sums unchanged": COUNTED | ENDS | TYPES | TYPES_BY_POSITION,
    "twins left out, all sums unchanged": ENDS,
    "twins once more, all sums unchanged": ENDS,
}


def test_every_such_kind_is_looked_at() -> None:
    assert set(KEPT) == set(KEEPING)


@pytest.mark.parametrize("name", KEPT)
def test_all_that_may_be_compared_together_is_kept(name: str) -> None:
    for case in sample(cases(mock_scope({}), Endpoint.SUBMIT_RELEASE, KEEPING[name]), 60):
        before, after = (
            [(entry["type"], entry["value"]) for entry in call.body["releases"]] for call in (case.lawful, case.broken)
        )
        assert Counter(before) != Counter(after)
        for what, together in (TOGETHER | KEPT[name]).items():
            assert together(before) == together(after), what


# -- who hides from a certification --------------------------------------------------------------------------------


@cache
def tried(rule: str, seed: int) -> FaultBatch:
    """What a certification of that seed sends for the rule, of one of many examples."""
    scope, profile = mock_scope({}), PROFILES["certification"]
    (fault,) = FAULTS[rule]
    some = economy.choose_kinds(scope, profile, seed)[Refusal(rule, Endpoint.SUBMIT_RELEASE, fault)]
    return sample(fault_batches(scope, Endpoint.SUBMIT_RELEASE, some), 30)[10 + seed]


@cache
def every(rule: str) -> FaultBatch:
    """All kinds of the rule, of one of many examples."""
    (kinds,) = FAULTS[rule].values()
    return sample(fault_batches(mock_scope({}), Endpoint.SUBMIT_RELEASE, kinds), 30)[10]


def taken(defect: Defect, fault_batch: FaultBatch) -> list[str]:
    """The kinds that a server with the defect accepts."""
    names = []
    for kind, edit in fault_batch.edits:
        bench = Bench(Koncili(quirks=[defect]))
        values = bench.ready(fault_batch.lawful)
        if bench.koncili.handle(bench.request(edit.apply(fault_batch.lawful), values)).status == 200:
            names.append(kind.name)
    return names


LOOSE: Final = [defect for defect in MATCHING if defect.forgives]

ONE_BY_ONE: Final = {
    "rel-08-within-a-cent",
    "rel-08-within-one-percent",
    "rel-08-whole-reais",
    "rel-08-float32",
    "rel-09-none-taken",
    "rel-08-all-but-the-sale",
    "rel-08-shipping-without-sign",
    "rel-09-as-far-as-both-go",
    "rel-09-sorted-as-far-as-both-go",
}
"""Those that compare no aggregate, so that no kind that keeps all of them hides from a certification there."""

BY_ALL_TOGETHER: Final = [defect for defect in LOOSE if defect.name not in ONE_BY_ONE]


def test_what_compares_one_by_one_takes_no_kind_that_keeps_the_whole() -> None:
    assert {
        defect.name
        for defect in LOOSE
        if not any(name in KEEPING for rule in defect.rules for name in taken(defect, every(rule)))
    } == ONE_BY_ONE


@pytest.mark.parametrize("defect", LOOSE, ids=lambda defect: defect.name)
def test_every_loose_comparison_takes_some_kind(defect: Defect) -> None:
    assert any(taken(defect, every(rule)) for rule in defect.rules)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("defect", BY_ALL_TOGETHER, ids=lambda defect: defect.name)
def test_what_compares_all_together_does_not_hide_from_a_certification(defect: Defect, seed: int) -> None:
    assert any(taken(defect, tried(rule, seed)) for rule in sorted(defect.rules))


def test_the_namesake_is_on_another_account_of_the_channel() -> None:
    kind = KEEPING["two types exchanged, values and sums unchanged"]
    for case in sample(cases(mock_scope({}), Endpoint.SUBMIT_RELEASE, kind), 30):
        batch = case.lawful.batch
        assert batch is not None
        assert batch.namesake is not None
        other = Place(int(batch.namesake["accountId"]), batch.namesake["channelName"])
        assert (other != batch.place, other.channel) == (True, batch.place.channel)
        shown = [(extract["type"], extract["value"]) for extract in batch.namesake["extracts"]]
        assert shown == [(entry["type"], entry["value"]) for entry in case.broken.body["releases"]]
