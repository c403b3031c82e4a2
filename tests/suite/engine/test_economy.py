"""How a certification spreads its client errors: no more than it may spend, one for every fault, most where most shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.rules import catalogue
from conformance.engine.economy import SET_ASIDE, SHOWS, Key, choose, shares, tried
from conformance.profiles import PROFILES
from strategies.faults import FAULTS, Kind, possible
from strategies.scope import Scope
from tests.suite.support.properties import READINGS, mock_scope, prove

CERTIFICATION: Final = PROFILES["certification"]
BUDGET: Final = CERTIFICATION.client_errors or 0
HUGE: Final = 100_000

SCOPES: Final[Mapping[str, Scope]] = {
    **{readings: mock_scope(chosen) for readings, chosen in READINGS.items()},
    "a single account": replace(mock_scope({}), places=mock_scope({}).places[:1]),
    "no fixtures": replace(mock_scope({}), fixtures={}, foreign_code=None),
}
"""By name: what runs have to work with."""


def makeable(scope: Scope) -> dict[Key, int]:
    """How many kinds each scenario of a fault can make there, of those that can make any."""
    kinds_of = {
        (rule_id, endpoint, kinds): sum(possible(kind, scope, endpoint) for kind in kinds)
        for rule_id, faults in FAULTS.items()
        for kinds in faults.values()
        for endpoint in catalogue()[rule_id].endpoints
    }
    return {key: number for key, number in kinds_of.items() if number}


def least(scope: Scope) -> int:
    """The budget that gives every scenario one kind and no more."""
    return sum(SET_ASIDE.values()) + len(makeable(scope))


# -- shares --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_a_certification_may_spend_is_spent_and_no_more(scope: Scope) -> None:
    assert sum(SET_ASIDE.values()) + sum(shares(scope, BUDGET).values()) == BUDGET


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_no_budget_that_suffices_for_one_kind_each_is_exceeded(scope: Scope) -> None:
    enough = least(scope)

    def law(budget: int) -> None:
        assert sum(SET_ASIDE.values()) + sum(shares(scope, budget).values()) <= budget

    prove(st.integers(enough, enough + 600), law, 30)


@pytest.mark.parametrize("budget", [0, 1, BUDGET, HUGE])
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_every_scenario_of_a_fault_gets_a_kind_and_none_more_than_it_can_make(scope: Scope, budget: int) -> None:
    given, able = shares(scope, budget), makeable(scope)
    assert given.keys() == able.keys()
    assert all(1 <= given[key] <= able[key] for key in able)


def test_a_budget_that_suffices_for_nothing_gives_one_kind_each() -> None:
    scope = mock_scope({})
    assert set(shares(scope, 0).values()) == {1}
    assert set(shares(scope, least(scope)).values()) == {1}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_more_budget_never_means_fewer(scope: Scope) -> None:
    def law(budgets: tuple[int, int]) -> None:
        less, more = (shares(scope, budget) for budget in sorted(budgets))
        assert all(less[key] <= more[key] for key in less)

    prove(st.tuples(st.integers(0, 1200), st.integers(0, 1200)), law, 30)


def test_each_client_error_more_buys_one_kind_more_until_all_are_tried() -> None:
    scope = mock_scope({})
    enough, kinds = least(scope), sum(makeable(scope).values())
    bought = [sum(shares(scope, budget).values()) for budget in range(enough, enough + 40)]
    assert bought == [len(makeable(scope)) + more for more in range(40)]
    every = sum(SET_ASIDE.values()) + kinds
    assert sum(shares(scope, every - 1).values()) == kinds - 1
    assert sum(shares(scope, every).values()) == kinds


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_with_a_huge_budget_every_kind_is_tried(scope: Scope) -> None:
    assert shares(scope, HUGE) == makeable(scope)


def test_the_next_kind_is_the_one_that_shows_most() -> None:
    """What a kind shows is its fault's weight divided by how many the scenario tries already."""
    scope = mock_scope({})
    weight_of: dict[Key, float] = {
        (rule_id, endpoint, kinds): SHOWS.get(f"{rule_id} {words}", SHOWS.get(rule_id, 1.0))
        for rule_id, faults in FAULTS.items()
        for words, kinds in faults.items()
        for endpoint in catalogue()[rule_id].endpoints
    }
    given, able = shares(scope, BUDGET), makeable(scope)
    last_bought = min(weight_of[key] / (given[key] - 1) for key in given if given[key] > 1)
    next_best = max(weight_of[key] / given[key] for key in given if given[key] < able[key])
    assert next_best <= last_bought


# -- what is set aside, what shows ---------------------------------------------------------------------------------


def test_client_errors_are_set_aside_for_rules_that_there_are() -> None:
    assert SET_ASIDE.keys() <= catalogue().rules.keys()
    assert all(spent > 0 for spent in SET_ASIDE.values())


@pytest.mark.parametrize("name", SHOWS)
def test_what_shows_much_or_little_is_a_fault_that_there_is(name: str) -> None:
    rule_id, _, words = name.partition(" ")
    assert rule_id in FAULTS
    assert not words or words in FAULTS[rule_id]
    assert SHOWS[name] > 0


def test_what_shows_is_not_said_of_a_rule_whose_every_fault_has_its_own() -> None:
    for rule_id, faults in FAULTS.items():
        if all(f"{rule_id} {words}" in SHOWS for words in faults):
            assert rule_id not in SHOWS


# -- choose, tried -------------------------------------------------------------------------------------------------

FEWER: Final = [(most, of) for of in range(2, 9) for most in range(1, of)]


@pytest.mark.parametrize(("most", "of"), FEWER)
def test_of_kinds_the_first_are_always_chosen_and_one_of_the_rest_in_turn(most: int, of: int) -> None:
    kinds, rest = list(range(of)), of - most + 1
    for turn in range(3 * of):
        assert choose(kinds, most, turn) == [*kinds[: most - 1], most - 1 + turn % rest]


@pytest.mark.parametrize(("most", "of"), FEWER)
def test_over_as_many_seeds_as_there_are_kinds_left_each_is_tried(most: int, of: int) -> None:
    kinds, rest = list(range(of)), of - most + 1
    for first_seed in (0, 1, 4711):
        chosen = [choose(kinds, most, first_seed + seed) for seed in range(rest)]
        assert {kind for some in chosen for kind in some} == set(kinds)


@pytest.mark.parametrize("most", [3, 4, 1000])
def test_all_kinds_are_chosen_where_there_is_room_for_all(most: int) -> None:
    assert [choose("abc", most, turn) for turn in range(4)] == [list("abc")] * 4


def test_of_no_kinds_none_is_chosen() -> None:
    assert choose([], 1, 7) == []


def scenarios(scope: Scope) -> list[tuple[Key, list[Kind]]]:
    """Every scenario of a fault, with the kinds that it can make."""
    return [(key, [kind for kind in key[2] if possible(kind, scope, key[1])]) for key in makeable(scope)]


def test_smoke_tries_one_kind_of_each_fault() -> None:
    for key, able in scenarios(mock_scope({})):
        assert tried(PROFILES["smoke"], {}, key, able, 0) == able[:1]


def test_deep_tries_every_kind_of_each_fault() -> None:
    for key, able in scenarios(mock_scope({})):
        assert tried(PROFILES["deep"], {}, key, able, 5) == able


def test_a_certification_tries_its_shares() -> None:
    scope = mock_scope({})
    given = shares(scope, BUDGET)
    for key, able in scenarios(scope):
        assert len(tried(CERTIFICATION, given, key, able, 3)) == given[key]


def test_a_certification_tries_every_kind_over_enough_seeds() -> None:
    scope = mock_scope({})
    given = shares(scope, BUDGET)
    for key, able in scenarios(scope):
        seeds = range(len(able))
        names = {kind.name for seed in seeds for kind in tried(CERTIFICATION, given, key, able, seed)}
        assert names == {kind.name for kind in able}


def test_only_a_certification_counts_client_errors() -> None:
    assert [name for name, profile in PROFILES.items() if profile.client_errors is not None] == ["certification"]


def test_a_certification_may_spend_enough_for_one_kind_each_and_stays_below_400() -> None:
    assert max(map(least, SCOPES.values())) <= BUDGET < 400
