"""Of which orders, and when in their reconciliation, broken releases are tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine.economy import choose_kinds
from conformance.engine.kill_matrix import Refusal
from conformance.engine.release_turns import PLAIN, Comes, Turn, by_turns
from conformance.mock.defects import defect
from conformance.mock.defects.some_releases import MANY, SOME_RELEASES
from conformance.profiles import PROFILES
from strategies.faults import FAULTS, FaultBatch, Kind, fault_batches
from strategies.reconciliations import STATUSES
from tests.suite.support.command_runs import certify
from tests.suite.support.properties import mock_scope, tried

SCOPE: Final = mock_scope({})
SHARED: Final = replace(SCOPE, opened_at=(SCOPE.places[0], SCOPE.places[-1]))
"""Where releases are tried beside others."""


def kinds_of(rule: str, seed: int = 0) -> tuple[Kind, ...]:
    """The kinds of a release rule's fault that a certification tries."""
    chosen = choose_kinds(SCOPE, PROFILES["certification"], seed)
    return tuple(kind for fault in FAULTS[rule] for kind in chosen[Refusal(rule, Endpoint.SUBMIT_RELEASE, fault)])


def drawn(turn: Turn, kinds: tuple[Kind, ...]) -> FaultBatch:
    """An example of what is tried in that turn."""
    sizes = {"crowded": turn.crowded, "bare": turn.bare}
    strategy = fault_batches(SHARED, Endpoint.SUBMIT_RELEASE, kinds, **sizes, turn=turn.number)
    return tried(strategy)


def sizes(rule: str) -> Iterator[tuple[Comes, int]]:
    """When each turn's broken releases come, and of how many extracts their order is."""
    for turn, kinds in by_turns(rule, kinds_of(rule)).items():
        yield turn.comes, len(drawn(turn, kinds).lawful.body["releases"])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", [rule for rule in FAULTS if rule.startswith("REL-")])
def test_each_kind_has_its_turn_once(rule: str, seed: int) -> None:
    kinds = kinds_of(rule, seed)
    turns = by_turns(rule, kinds)
    assert sorted(kind.name for some in turns.values() for kind in some) == sorted(kind.name for kind in kinds)
    assert len({str(turn) for turn in turns}) == len(turns)  # by its name it is drawn


def test_of_most_rules_all_kinds_come_between_others() -> None:
    assert [*by_turns("REL-04", kinds_of("REL-04"))] == [PLAIN]


def test_values_are_compared_in_small_and_large_orders_first_last_and_between() -> None:
    found = dict(sizes("REL-08"))
    assert found.keys() == {*Comes}
    assert found[Comes.FIRST] == 1
    assert found[Comes.LAST] > MANY


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", ["REL-08", "REL-09"])
def test_releases_are_compared_on_each_account_and_of_orders_of_each_status(rule: str, seed: int) -> None:
    """Each was drawn by itself, and some runs left one out."""
    batches = [drawn(turn, kinds).lawful.batch for turn, kinds in by_turns(rule, kinds_of(rule, seed)).items()]
    assert {one.place for one in batches if one} == {*SHARED.opened_at}
    assert {one.orders[0]["status"] for one in batches if one} == {*STATUSES}


def test_what_needs_several_extracts_is_not_beside_what_one_does_for() -> None:
    """Five were tried of REL-08 where an earlier run had taken others: one of them made the order of a single extract larger."""
    for rule in ("REL-06", "REL-08", "REL-09"):
        every = tuple(kind for fault in FAULTS[rule].values() for kind in fault)
        for some in [every, *((one, other) for one in every for other in every if one != other)]:
            turns = by_turns(rule, some)
            assert sorted(kind.name for kinds in turns.values() for kind in kinds) == sorted(kind.name for kind in some)
            assert all(
                {kind.alone for kind in kinds} == {True}
                for turn, kinds in turns.items()
                if turn.bare and any(kind.alone for kind in some)
            )


def test_entries_are_counted_in_small_and_large_orders() -> None:
    found = [size for _, size in sizes("REL-09")]
    assert min(found) == 1
    assert max(found) > MANY


@pytest.mark.parametrize("name", [one.name for one in SOME_RELEASES])
def test_who_compares_some_releases_only_is_caught_beside_others(name: str, tmp_path: Path) -> None:
    """By itself a broken release completes its reconciliation; on the shelf one must be made to."""
    rules = ("REL-01", "REL-03", "REL-08", "REL-09", "REL-11", "REL-13", "REL-15")
    run = certify(tmp_path, "--defect", name, *(word for rule in rules for word in ("--rule", rule)))
    assert run.verdicts("fail") == {*defect(name).rules}


@pytest.mark.parametrize(
    "name", ["rel-18-half-written", "rel-18-refused-is-there", "rel-08-not-of-updates", "rel-01-first-version"]
)
def test_what_a_refused_release_of_an_updated_order_leaves_is_no_fault_of_the_right_one(
    name: str, tmp_path: Path
) -> None:
    """It was blamed on REL-01, and a server error in it on ERR-02."""
    run = certify(
        tmp_path,
        "--defect",
        name,
        "--keep-going",
        *(word for rule in ("REL-01", "REL-08", "REL-18") for word in ("--rule", rule)),
    )
    assert run.verdicts("fail") == {*defect(name).rules} & {"REL-01", "REL-08", "REL-18"}
