"""Which certifications leave kinds of faults to later runs, and how many."""

from __future__ import annotations

import pytest

from conformance.engine.economy import choose_kinds
from conformance.planning.costs import measured, stages_of
from conformance.planning.fitting import BY_ACCIDENT, MORE_WITHOUT_CALLBACK, without
from conformance.planning.plan import Plan, make_plan
from conformance.planning.sequence import sequence
from conformance.planning.set_aside import IN_EVERY_STATUS, SET_ASIDE
from conformance.planning.smoke import LAWS, tries_kinds
from conformance.planning.timeline import requests_in_turn
from conformance.planning.turns import stages_in_turn
from conformance.profiles import PROFILES
from conformance.target.shared.budget_status import BudgetStatus
from tests.suite.support.properties import mock_scope

ALL = tuple(dict.fromkeys(stage.rule for stage in measured()["certification"] if stage.rule))
BUDGET = 392
"""What an hour of the default error_budget gives a run."""


def plan(spent: int, *, has_callback: bool = True, frees: float = 3500.0, profile: str = "certification") -> Plan:
    """That of a certification of all rules, so many client errors of the hour being spent."""
    status = BudgetStatus(BUDGET, spent, (frees,) * spent)
    return make_plan(
        profile, ALL, {}, paced=True, budget_status=status, has_callback=has_callback, may_leave_kinds=True
    )


@pytest.mark.parametrize("has_callback", [True, False])
def test_a_certification_with_the_hour_to_itself_leaves_no_kind(has_callback: bool) -> None:
    found = plan(0, has_callback=has_callback)
    assert (found.fits, found.kinds_left) == (True, 0)


@pytest.mark.parametrize("has_callback", [True, False])
@pytest.mark.parametrize("spent", [50, 60, 70])
def test_it_leaves_the_fewest_that_make_it_fit(spent: int, has_callback: bool) -> None:
    found, whole = plan(spent, has_callback=has_callback), plan(0)
    more = BY_ACCIDENT + (0 if has_callback else MORE_WITHOUT_CALLBACK)
    assert found.fits
    # Every request reserves one until it is answered: what comes after the last client error wants one more.
    last = requests_in_turn(stages_in_turn(stages_of("certification", ALL, probing=True), paced=True))[-1]
    reserved = 0 if last.is_client_error else 1
    assert found.kinds_left == max(0, whole.client_errors + more + reserved - (BUDGET - spent))
    assert found.client_errors == whole.client_errors - found.kinds_left


def test_it_leaves_none_where_that_would_not_suffice() -> None:
    found = plan(250)
    assert (found.fits, found.kinds_left, found.client_errors) == (False, 0, plan(0).client_errors)


def test_it_leaves_none_for_client_errors_that_leave_the_hour_in_time() -> None:
    assert plan(70, frees=10.0).kinds_left == 0


def test_a_first_hour_without_notifications_holds_smoke_test_and_certification() -> None:
    """What `init` spends is gone by then."""
    status = BudgetStatus(BUDGET, 6, (3590.0,) * 6)
    steps = sequence(ALL, {}, paced=True, budget_status=status, probing=True, has_callback=False)
    assert all(step.plan.fits for step in steps)
    spent = 6 + sum(step.plan.client_errors for step in steps)
    assert spent + MORE_WITHOUT_CALLBACK + BY_ACCIDENT <= BUDGET


@pytest.mark.parametrize("leave", [1, 20, 40])
def test_so_many_kinds_less_are_chosen_and_every_scenario_keeps_one(leave: int) -> None:
    scope, profile = mock_scope({}), PROFILES["certification"]
    whole, found = choose_kinds(scope, profile, 0, {}), choose_kinds(scope, profile, 0, {}, leave=leave)
    assert sum(map(len, found.values())) == sum(map(len, whole.values())) - leave
    assert {refusal for refusal, kinds in found.items() if kinds} == {*whole}


def test_no_plan_leaves_more_kinds_than_there_are_to_leave() -> None:
    whole = choose_kinds(mock_scope({}), PROFILES["certification"], 0, {})
    stages = stages_of("certification", ALL, probing=True)
    most = sum(stage.client_errors for stage in stages) - sum(stage.client_errors for stage in without(stages, 10_000))
    assert most <= sum(len(kinds) - 1 for kinds in whole.values())


def test_what_is_set_aside_is_for_laws() -> None:
    """Of ORD-07 and REL-03 both: scenarios try kinds, and one is a law. Some kinds come again. REC-02 asks whether periods are
    still taken when many reconciliations were opened."""
    assert {rule for rule in SET_ASIDE if not rule.startswith(LAWS)} <= {"ORD-07", "REC-02", "REL-03", *IN_EVERY_STATUS}
    stages = [stage for stage in measured()["certification"] if stage.rule.startswith(LAWS)]
    assert not any(map(tries_kinds, stages))
