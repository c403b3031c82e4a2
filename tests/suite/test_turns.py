"""The order in which scenarios run at the documented pace keeps every rate busy."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from conformance.planning.costs import Stage, measured, requests_of
from conformance.planning.course import RATES, Limits, least_seconds, requests_in_turn, run_through
from conformance.planning.turns import costs_of, in_turn, stages_in_turn
from conformance.profiles import PROFILES
from tests.suite.support import prove

GET, RELEASE, SUBMIT = "GET /order", "POST /reconciliation/release", "POST /order"


def test_endpoints_take_turns() -> None:
    costs = [{GET: 10}] * 3 + [{RELEASE: 10, SUBMIT: 10}] * 3
    assert in_turn(costs) == [0, 3, 1, 4, 2, 5]


def test_every_scenario_has_one_turn() -> None:
    costs = st.lists(st.dictionaries(st.sampled_from(sorted(RATES)), st.integers(0, 50), max_size=4), max_size=20)
    prove(costs, lambda some: _is_permutation(in_turn(some), len(some)), 100)


def _is_permutation(turns: list[int], size: int) -> None:
    assert sorted(turns) == list(range(size))


def test_what_was_not_measured_has_a_turn_too() -> None:
    assert costs_of("smoke", [("ORD-99", "no such scenario")]) == [{}]
    assert in_turn([{}, {GET: 1}, {}]) == [0, 2, 1]


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
    return run_through(requests_in_turn(stages), Limits()).seconds
