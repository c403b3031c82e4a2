"""What a smoke test of a live endpoint leaves to the certification, and what that leaves to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.engine.economy import Earlier, choose_kinds
from conformance.engine.kill_matrix import KindOf
from conformance.planning.costs import client_errors_of, measured, stages_of
from conformance.planning.fitting import without
from conformance.planning.plan import make_plan
from conformance.planning.smoke import CLIENT_ERRORS, WITHOUT_CALLBACK, affordable, left_out
from conformance.planning.turns import STOOD_ON
from conformance.profiles import PROFILES
from conformance.target.shared.budget_status import BudgetStatus
from tests.suite.support.properties import mock_scope

ALL = tuple(dict.fromkeys(stage.rule for stage in measured()["smoke"] if stage.rule))
BUDGET = 392
"""What an hour of the default error_budget gives a run."""

OF_OTHERS = 20
"""What others may have spent of it: then it does not suffice for both."""


def test_a_smoke_test_spends_at_most_sixty_client_errors() -> None:
    kept = affordable(measured()["smoke"])
    assert client_errors_of(kept) <= CLIENT_ERRORS == 60
    assert {*STOOD_ON} <= {stage.rule for stage in kept}


def test_it_leaves_out_no_scenario_that_spends_nothing_and_few_rules() -> None:
    everything = measured()["smoke"]
    kept = affordable(everything)
    assert {stage.name for stage in everything if not stage.client_errors} <= {stage.name for stage in kept}
    assert len({stage.rule for stage in kept if stage.rule}) >= 0.85 * len(ALL)


def test_some_are_kept_where_no_notification_tells_when_a_reconciliation_is_finished() -> None:
    status = BudgetStatus(BUDGET)
    found = make_plan("smoke", ALL, {}, paced=True, budget_status=status, has_callback=False)
    assert found.client_errors <= CLIENT_ERRORS - WITHOUT_CALLBACK


def test_a_rule_that_is_asked_for_alone_is_tried_whole() -> None:
    scenarios = {(stage.rule, stage.name) for stage in measured()["smoke"] if stage.rule == "ORD-13"}
    assert len(scenarios) > 10
    assert not left_out(scenarios)


def test_what_was_never_measured_is_not_left_out() -> None:
    scenarios = {(stage.rule, stage.name) for stage in measured()["smoke"] if stage.rule}
    assert ("ORD-99", "new") not in left_out({*scenarios, ("ORD-99", "new")})


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_shards_share_what_a_smoke_test_may_spend(shards: int) -> None:
    scenarios = {(stage.rule, stage.name) for stage in measured()["smoke"] if stage.rule}
    spent = sum(
        stage.client_errors
        for stage in measured()["smoke"]
        if (stage.rule, stage.name) in scenarios - left_out(scenarios, shards)
    )
    assert spent <= CLIENT_ERRORS / shards


def test_a_plan_of_a_smoke_test_has_what_it_runs() -> None:
    status = BudgetStatus(BUDGET)
    found = make_plan("smoke", ALL, {}, paced=True, budget_status=status)
    assert found.client_errors <= CLIENT_ERRORS
    assert found.scenarios < make_plan("smoke", ALL, {}, paced=True, budget_status=None).scenarios


def test_an_hour_holds_a_smoke_test_and_the_certification_after_it() -> None:
    smoke = client_errors_of(affordable(measured()["smoke"]))
    status = BudgetStatus(BUDGET, smoke, (3000.0,) * smoke)
    assert make_plan("certification", ALL, {}, paced=True, budget_status=status).fits


def test_what_a_smoke_test_has_seen_makes_room_for_what_others_spent() -> None:
    spent = client_errors_of(affordable(measured()["smoke"])) + OF_OTHERS
    status = BudgetStatus(BUDGET, spent, (3000.0,) * spent)
    assert not make_plan("certification", ALL, {}, paced=True, budget_status=status).fits
    assert make_plan("certification", ALL, {}, paced=True, budget_status=status, seen_by_smoke=40).fits


def test_what_is_spared_leaves_every_scenario_its_client_error() -> None:
    stages = stages_of("certification", ALL, probing=True)
    assert client_errors_of(without(stages, 40)) == client_errors_of(stages) - 40
    assert all(
        bool(before.client_errors) == bool(after.client_errors)
        for before, after in zip(stages, without(stages, 10_000), strict=True)
    )


def test_a_certification_leaves_the_kinds_of_the_smoke_test_to_it_and_tries_others() -> None:
    scope, profile = mock_scope({}), PROFILES["certification"]
    whole = choose_kinds(scope, profile, 0, {})
    smoke = [KindOf(refusal, kinds[0].name) for refusal, kinds in whole.items() if len(kinds) > 1][:20]
    history = {kind: Earlier(60.0, passed=True, counts=True, is_left_to=True) for kind in smoke}
    found = choose_kinds(scope, profile, 0, history)
    names = {KindOf(refusal, kind.name) for refusal, kinds in found.items() for kind in kinds}
    assert len(names) == sum(map(len, whole.values())) - len(smoke)
    assert not names & {*smoke}
    assert {refusal for refusal, kinds in found.items() if kinds} == {*whole}, (
        "every scenario needs evidence of its own"
    )


def test_what_the_smoke_test_saw_fail_or_saw_too_long_ago_is_tried_as_ever() -> None:
    scope, profile = mock_scope({}), PROFILES["certification"]
    whole = choose_kinds(scope, profile, 0, {})
    refusal, kinds = next((refusal, kinds) for refusal, kinds in whole.items() if len(kinds) > 1)
    kind = KindOf(refusal, kinds[0].name)
    seen = Earlier(60.0, passed=False, counts=True, is_left_to=True)
    for before in (seen, replace(seen, passed=True, is_left_to=False)):
        found = choose_kinds(scope, profile, 0, {kind: before})
        assert sum(map(len, found.values())) == sum(map(len, whole.values()))
    assert kinds[0] in choose_kinds(scope, profile, 0, {kind: seen})[refusal]
