"""Which orders the kinds of faults are made in: together those of a rule see every status, account and size."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine.economy import choose_kinds
from conformance.engine.kind_turns import KindTurns, kind_turns
from conformance.planning.set_aside import IN_EVERY_STATUS, SET_ASIDE
from conformance.profiles import PROFILES
from strategies.faults import Case, cases
from strategies.orders import LARGE, STATUSES, place_of
from strategies.turns import TURNS
from tests.suite.support.properties import mock_scope, tried

SCOPE: Final = mock_scope({})
SEEDS: Final = range(3)


def turns(seed: int, profile: str = "certification") -> KindTurns:
    """The turns of a run of that seed."""
    chosen = choose_kinds(SCOPE, PROFILES[profile], seed)
    return kind_turns(chosen, seed, again=PROFILES[profile].client_errors is not None)


def broken(rule: str, seed: int) -> list[Case]:
    """A case of each try of a rule's kinds."""
    return [
        tried(cases(SCOPE, refusal.endpoint, kind, turn=turn))
        for refusal, kinds in turns(seed).items()
        if refusal.rule == rule
        for kind, turn in kinds
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rule", IN_EVERY_STATUS)
def test_the_kinds_of_a_rule_see_every_status_account_and_size_and_updates(rule: str, seed: int) -> None:
    drawn = broken(rule, seed)
    bodies = [case.lawful.body for case in drawn]
    assert {body["status"] for body in bodies} == {*STATUSES}
    assert {place_of(body) for body in bodies} == {*SCOPE.places}
    assert {case.twin_first for case in drawn} == {True, False}
    assert any(len(body["extracts"]) >= 10 for body in bodies)
    assert any(entry["value"] > LARGE for body in bodies for entry in body["extracts"])


@pytest.mark.parametrize("seed", range(6))
def test_the_sign_of_a_value_is_looked_at_where_an_order_has_one_extract_only(seed: int) -> None:
    assert any(len(case.lawful.body["extracts"]) == 1 for case in broken("ORD-10", seed))


@pytest.mark.parametrize("seed", range(6))
def test_dates_are_compared_in_orders_of_every_status(seed: int) -> None:
    """What is late in some statuses only says nothing of the others: a kind that any order can have is for these first."""
    assert {case.lawful.body["status"] for case in broken("ORD-07", seed)} == {*STATUSES}


@pytest.mark.parametrize("seed", range(6))
def test_what_is_given_back_is_tried_where_an_order_is_over(seed: int) -> None:
    tried = [(case.lawful.body["status"], f"{case.edit.value}") for case in broken("ORD-09", seed)]
    given_back = {status for status, type_ in tried if type_ in {"RETURN_COMISSION", "RETURN_SHIP"}}
    assert given_back == {"CONCLUDED", "CANCELED"}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_that_is_tried_has_a_turn(seed: int) -> None:
    chosen = choose_kinds(SCOPE, PROFILES["certification"], seed)
    for refusal, kinds in turns(seed).items():
        assert refusal.endpoint is Endpoint.SUBMIT_ORDER
        assert {kind.name for kind, _ in kinds} == {kind.name for kind in chosen[refusal]}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_more_comes_again_than_is_set_aside(seed: int) -> None:
    chosen = choose_kinds(SCOPE, PROFILES["certification"], seed)
    for rule in IN_EVERY_STATUS:
        tries = sum(len(kinds) for refusal, kinds in turns(seed).items() if refusal.rule == rule)
        again = tries - sum(len(kinds) for refusal, kinds in chosen.items() if refusal.rule == rule)
        assert again <= max(SET_ASIDE.get(rule, 0), TURNS - 2)


def test_a_smoke_test_tries_nothing_again() -> None:
    assert all(len(kinds) == 1 for kinds in turns(0, "smoke").values())


def test_seeds_begin_with_other_turns() -> None:
    first = {tuple(kinds[0][1] for kinds in turns(seed, "smoke").values()) for seed in range(TURNS)}
    assert len(first) == TURNS
