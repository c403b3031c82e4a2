"""The order in which scenarios run on a live endpoint: what all else stands on first, and every documented rate busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import strategies as st

from conformance.contract.rules import Level, catalogue
from conformance.planning.costs import Stage, measured, requests_of
from conformance.planning.timeline import RATES, Limits, least_seconds, requests_in_turn, simulate
from conformance.planning.turns import STOOD_ON, costs_of, in_turn, rank, stages_in_turn
from conformance.profiles import PROFILES
from tests.suite.support.properties import prove

GET, RELEASE, SUBMIT = "GET /order", "POST /reconciliation/release", "POST /order"


def alike(costs: Sequence[Mapping[str, int]]) -> list[int]:
    """The turns of scenarios of one rule."""
    return in_turn(["ORD-04"] * len(costs), costs)


def test_endpoints_take_turns() -> None:
    costs = [{GET: 10}] * 3 + [{RELEASE: 10, SUBMIT: 10}] * 3
    assert alike(costs) == [0, 3, 1, 4, 2, 5]


def test_every_scenario_has_one_turn() -> None:
    costs = st.dictionaries(st.sampled_from(sorted(RATES)), st.integers(0, 50), max_size=4)
    scenarios = st.lists(st.tuples(st.sampled_from([*catalogue().rules, ""]), costs), max_size=20)

    def law(some: list[tuple[str, dict[str, int]]]) -> None:
        rules, costs = [rule for rule, _ in some], [cost for _, cost in some]
        for paced in (True, False):
            turns = in_turn(rules, costs, paced=paced)
            assert sorted(turns) == list(range(len(some)))
            assert [rank(rules[turn]) for turn in turns] == sorted(map(rank, rules))

    prove(scenarios, law, 100)


def test_what_others_stand_on_comes_first_and_what_decides_nothing_last() -> None:
    rules = ["ERR-04", "ORD-04", "REL-01", "ACC-01", "ORD-01", "WFL-01"]
    assert in_turn(rules, [{}] * 6, paced=False) == [2, 4, 1, 5, 0, 3]
    assert set(STOOD_ON) <= catalogue().rules.keys()
    assert all(catalogue()[rule].level is Level.REQUIRED for rule in STOOD_ON)


def test_what_was_not_measured_has_a_turn_too() -> None:
    assert costs_of("smoke", [("ORD-99", "no such scenario")]) == [{}]
    assert alike([{}, {GET: 1}, {}]) == [0, 2, 1]


@pytest.mark.parametrize("profile", PROFILES)
def test_turns_make_no_run_longer(profile: str) -> None:
    stages = measured()[profile]
    assert seconds_of(stages_in_turn(stages)) <= seconds_of(stages)


@pytest.mark.parametrize("profile", ["smoke", "certification"])
def test_a_run_takes_hardly_longer_than_the_rates_allow(profile: str) -> None:
    stages = measured()[profile]
    least = max(least_seconds(number, RATES[label]) for label, number in requests_of(stages).items())
    assert seconds_of(stages_in_turn(stages)) <= least + 60


def seconds_of(stages: Sequence[Stage]) -> float:
    return simulate(requests_in_turn(stages), Limits()).seconds
