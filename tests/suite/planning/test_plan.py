"""What a run will spend, by the clock and in client errors: rates, rolling windows, what fits and what is offered instead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import OTHER, Endpoint
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.planning.costs import (
    CLEARING,
    PREFLIGHT,
    PROBING,
    RUNS,
    Stage,
    as_json,
    client_errors_of,
    measured,
    stages_of,
)
from conformance.planning.plan import Plan, make_plan
from conformance.planning.show import full, refusal, short, span
from conformance.planning.timeline import RATES, Limits, Request, least_seconds, requests_in_turn, simulate
from conformance.profiles import PROFILES
from conformance.target.config import Target, parse_target
from conformance.target.shared.budget_status import BudgetStatus
from tests.suite.support.properties import prove

SUBMIT, GET = Endpoint.SUBMIT_ORDER.label, Endpoint.GET_ORDER.label
RULES: Final = tuple(catalogue().rules)
CONTROLLED: Final = {rule.id for rule in catalogue().rules.values() if {"clock", "mock"} & set(rule.needs)}
HOUR: Final = 3600


def plan(
    profile: str = "certification",
    budget_status: BudgetStatus | None = None,
    rules: Sequence[str] = RULES,
    *,
    paced: bool = True,
    probing: bool = True,
) -> Plan:
    return make_plan(
        profile,
        rules,
        dict.fromkeys(sorted(CONTROLLED), "no clock"),
        paced=paced,
        budget_status=budget_status,
        probing=probing,
    )


def opening(
    monkeypatch: pytest.MonkeyPatch, *, paced: bool, reconciles_in: float | None, reconciliations: int = 30
) -> Plan:
    """The plan of a run that opens so many reconciliations."""
    some = (Stage("ORD-01", "orders", {SUBMIT: 10}, 0), Stage("REC-01", "creations", {SUBMIT: 60}, 0, reconciliations))
    monkeypatch.setattr("conformance.planning.costs.measured", lambda: {"certification": some})
    return make_plan(
        "certification", ("ORD-01", "REC-01"), {}, paced=paced, budget_status=None, reconciles_in=reconciles_in
    )


def spent(*frees: float, budget: int = 400) -> BudgetStatus:
    return BudgetStatus(budget, len(frees), tuple(sorted(frees)))


@st.composite
def stages(draw: st.DrawFn) -> list[Stage]:
    """A few stages that reach past every rate."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        labels = draw(st.sets(st.sampled_from([SUBMIT, GET, Endpoint.SUBMIT_RELEASE.label, OTHER]), min_size=1))
        requests = {label: draw(st.integers(1, 150)) for label in sorted(labels)}
        found.append(Stage("ORD-01", str(number), requests, draw(st.integers(0, sum(requests.values())))))
    return found


budget_statuses = st.builds(
    lambda budget, frees: BudgetStatus(budget, len(frees), tuple(map(float, sorted(frees)))),
    st.integers(1, 60),
    st.lists(st.integers(1, HOUR), max_size=60),
)

# -- the documented rates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "rate", "seconds"),
    [(0, 90, 0), (1, 90, 0), (90, 90, 0), (91, 90, 60), (180, 90, 60), (181, 90, 120), (900, 300, 120)],
)
def test_each_next_rate_of_requests_takes_a_minute(number: int, rate: int, seconds: int) -> None:
    assert least_seconds(number, rate) == seconds
    timeline = simulate([Request(SUBMIT if rate == 300 else GET, is_client_error=False, stage=0)] * number, Limits())
    assert timeline.seconds == seconds


def test_endpoints_without_a_documented_rate_have_the_lowest() -> None:
    documented = {SUBMIT: 300, Endpoint.DELETE_ORDER.label: 300}
    assert {label: rate for label, rate in RATES.items() if rate != 90} == documented
    assert RATES.keys() == {*(endpoint.label for endpoint in Endpoint), OTHER}


def test_every_request_and_every_client_error_has_its_turn() -> None:
    def law(some: list[Stage]) -> None:
        requests = requests_in_turn(some)
        assert [request.stage for request in requests] == sorted(request.stage for request in requests)
        for number, stage in enumerate(some):
            own = [request for request in requests if request.stage == number]
            assert Counter(request.endpoint for request in own) == Counter(stage.requests)
            assert sum(request.is_client_error for request in own) == stage.client_errors

    prove(stages(), law, 50)


def one_by_one(requests: Sequence[Request], limits: Limits) -> tuple[list[float], float]:
    """The same by brute force: each request at the first instant at which neither a rate nor the budget is exceeded."""
    now, waiting, sent, leaving = 0.0, 0.0, list[tuple[str, float]](), list[float]()
    if limits.budget_status:
        leaving += limits.budget_status.frees
    for request in requests:
        if limits.budget_status:
            for instant in sorted({now, *(instant for instant in leaving if instant > now)}):
                if sum(left > instant for left in leaving) < limits.budget_status.budget:
                    waiting, now = waiting + instant - now, instant
                    break
        if limits.paced:
            own = [instant for endpoint, instant in sent if endpoint == request.endpoint]
            while sum(instant > now - 60 for instant in own) >= RATES[request.endpoint]:
                now = min(instant for instant in own if instant > now - 60) + 60
        sent.append((request.endpoint, now))
        if request.is_client_error:
            leaving.append(now + HOUR)
    return [instant for _, instant in sent], waiting


@pytest.mark.parametrize("paced", [True, False])
def test_no_rate_and_no_budget_is_exceeded_and_nothing_waits_longer(paced: bool) -> None:
    def law(case: tuple[list[Stage], BudgetStatus | None]) -> None:
        some, budget_status = case
        requests = requests_in_turn(some)
        instants, waiting = one_by_one(requests, Limits(paced, budget_status))
        timeline = simulate(requests, Limits(paced, budget_status))
        assert (timeline.seconds, timeline.waiting) == (instants[-1], waiting)

    prove(st.tuples(stages(), st.none() | budget_statuses), law, 30)


def test_whoever_begins_later_waits_no_longer() -> None:
    def law(case: tuple[list[Stage], BudgetStatus, int, int]) -> None:
        some, budget_status, sooner, later = case
        requests, limits = requests_in_turn(some), Limits(budget_status=budget_status)
        sooner, later = sorted((sooner, later))
        assert simulate(requests, limits, later).waiting <= simulate(requests, limits, sooner).waiting

    instants = st.integers(0, HOUR)
    prove(st.tuples(stages(), budget_statuses, instants, instants), law, 50)


def test_nothing_takes_less_than_the_least() -> None:
    def law(some: list[Stage]) -> None:
        least = max(least_seconds(number, RATES[label]) for label, number in _whole(some).items())
        assert simulate(requests_in_turn(some), Limits()).seconds >= least

    prove(stages(), law, 50)


def _whole(some: Sequence[Stage]) -> Counter[str]:
    return sum((Counter(stage.requests) for stage in some), Counter[str]())


# -- the measured costs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", RUNS)
def test_every_rule_that_a_live_endpoint_can_show_was_measured(profile: str) -> None:
    found = measured()[profile]
    assert {stage.rule for stage in found if stage.rule} == set(RULES) - CONTROLLED
    assert [stage.name for stage in found if not stage.rule] == [PREFLIGHT, PROBING, CLEARING]
    labels = {*(endpoint.label for endpoint in Endpoint), OTHER}
    assert all(stage.requests.keys() <= labels and 0 <= stage.client_errors <= stage.size for stage in found)


def test_a_larger_profile_runs_the_same_scenarios_and_spends_more() -> None:
    names = {profile: [(stage.rule, stage.name) for stage in found] for profile, found in measured().items()}
    assert names["smoke"] == names["certification"] == names["deep"]
    errors = [client_errors_of(measured()[profile]) for profile in RUNS]
    assert errors == sorted(errors)


def test_the_file_is_as_it_is_written() -> None:
    from conformance.planning.costs import COSTS_FILE

    assert COSTS_FILE.read_text(encoding="utf-8") == as_json(measured())


def test_a_part_of_the_rules_clears_a_part_away() -> None:
    everything, part, nothing = (
        stages_of("certification", rules, probing=False)[-1].requests.get(Endpoint.DELETE_ORDER.label, 0)
        for rules in (RULES, ("ORD-01",), ())
    )
    assert nothing == 0 < part < everything


# -- plans ---------------------------------------------------------------------------------------------------------


def test_a_certification_fits_a_whole_budget() -> None:
    found = plan(budget_status=spent())
    assert found.fits
    assert found.waiting == 0
    assert found.fits_in == 0
    assert found.smaller is None
    assert found.scenarios == found.free_scenarios
    assert found.least_seconds <= found.seconds < HOUR
    assert found.client_errors < 400


def test_what_can_not_be_exercised_costs_nothing_and_is_told() -> None:
    found = make_plan("smoke", ("ORD-04", "ACC-04"), {"ACC-04": "no fixture"}, paced=True, budget_status=None)
    alone = make_plan("smoke", ("ORD-04",), {}, paced=True, budget_status=None)
    assert found.not_exercised == {"ACC-04": "no fixture"}
    assert (found.rules, found.requests) == (("ORD-04",), alone.requests)


def test_a_reading_that_is_stated_is_not_probed() -> None:
    assert plan(probing=False).client_errors < plan(probing=True).client_errors


def test_without_limits_nothing_waits() -> None:
    found = plan("deep", paced=False)
    assert (found.seconds, found.least_seconds, found.fits) == (0, 0, True)


@pytest.mark.parametrize("budget", [100, 400, 450])
def test_deep_waits_an_hour_for_each_budget_but_the_first(budget: int) -> None:
    """And finishes no later than if nothing else than the budget and the rates, one after the other, took its time."""
    found, unlimited = plan("deep", spent(budget=budget)), plan("deep")
    hours = (found.client_errors - 1) // budget
    assert hours * HOUR <= found.seconds <= hours * HOUR + unlimited.seconds
    assert 0 < found.free_scenarios < found.scenarios
    assert found.fits_in is None


def test_a_budget_that_is_spent_in_part_leaves_smoke() -> None:
    found = plan(budget_status=spent(*[1200.0] * 120))
    assert not found.fits
    assert found.fits_in == 1200
    assert found.smaller is not None
    assert (found.smaller.profile, found.smaller.rules) == ("smoke", ())


def test_where_no_profile_fits_the_cheapest_rules_are_offered() -> None:
    found = plan(budget_status=spent(*[1200.0] * 380))
    assert found.smaller is not None
    assert found.smaller.profile == "smoke"
    assert 0 < len(found.smaller.rules) < len(RULES)
    assert found.smaller.client_errors <= 20


def test_with_nothing_left_nothing_is_offered() -> None:
    found = plan(budget_status=spent(*[float(second) for second in range(1, 401)]))
    assert found.smaller is None
    assert found.free_scenarios == 0
    assert found.waiting > 0


def test_it_fits_once_enough_has_left_the_hour() -> None:
    """A client error leaves every 10 seconds: as many as are missing must have left, but for those that leave during the run."""
    found = plan(budget_status=spent(*[float(10 * place) for place in range(1, 121)]))
    missing = found.client_errors - 280
    assert found.fits_in is not None
    assert 0 < found.fits_in <= 10 * (missing + 1)


def test_what_is_offered_fits_and_so_does_what_is_put_off() -> None:
    def law(case: tuple[str, list[int]]) -> None:
        profile, frees = case
        found = plan(profile, spent(*map(float, frees)))
        assert found.fits == (found.waiting == 0)
        if found.client_errors < 400 - len(frees):
            assert found.fits
        if found.smaller is not None:
            offered = plan(found.smaller.profile, spent(*map(float, frees)), found.smaller.rules or RULES)
            assert offered.fits
            assert offered.client_errors == found.smaller.client_errors
        if found.fits_in is not None:
            assert plan(profile, spent(*(free - found.fits_in for free in frees if free > found.fits_in))).fits

    prove(st.tuples(st.sampled_from(["smoke", "certification"]), st.lists(st.integers(1, HOUR), max_size=400)), law, 15)


# -- no longer than the user wants to wait ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frees", "max_wait", "is_begun"),
    [
        ([1200.0] * 120, 600.0, False),  # 250 are left, and for the next the run would wait 20 minutes
        ([1200.0] * 120, 1200.0, True),
        ([1200.0] * 120, None, True),
        ([], 0.0, True),  # all of the budget is left: the rates are no reason, a slow target makes none of them wait
        ([float(second) for second in range(1, 401)], 0.0, False),
        ([float(second) for second in range(1, 401)], 60.0, True),  # one after the other leaves the hour
    ],
)
def test_a_run_that_would_end_waiting_is_not_begun(
    frees: list[float], max_wait: float | None, *, is_begun: bool
) -> None:
    assert bool(refusal(plan(budget_status=spent(*frees)), max_wait)) is not is_begun


def test_a_run_that_is_not_begun_says_what_would_fit() -> None:
    lines = refusal(plan(budget_status=spent(*[1200.0] * 120)), 600.0).splitlines()
    assert lines[0].startswith("--max-wait 10 min does not suffice, so nothing is sent: after ")
    assert re.search(
        r"after \d+ of \d+ scenarios the run would wait 1\d min for the budget of client errors$", lines[0]
    )
    assert lines[1].endswith("; 280 of 400 are left in this hour")
    assert lines[2].startswith("It fits in 20 min")
    assert lines[3].startswith("This fits now: --profile smoke (")


@pytest.mark.parametrize("profile", ["smoke", "certification"])
def test_the_longest_wait_is_one_of_all(profile: str) -> None:
    def law(frees: list[int]) -> None:
        found = plan(profile, spent(*map(float, frees)))
        assert 0 <= found.longest_wait <= found.waiting
        assert (found.longest_wait == 0) is found.fits

    prove(st.lists(st.integers(1, HOUR), min_size=150, max_size=400), law, 10)


def test_a_scenario_that_is_not_selected_is_not_planned() -> None:
    whole = plan(rules=("ORD-04",))
    (some, *_) = [(stage.rule, stage.name) for stage in measured()["certification"] if stage.rule == "ORD-04"]
    found = make_plan("certification", ("ORD-04",), {}, paced=True, budget_status=None, names={some})
    assert found.scenarios == 1 < whole.scenarios
    assert found.client_errors < whole.client_errors


# -- in words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "1 s"), (119, "119 s"), (120, "2 min"), (3569, "59 min"), (3600, "1 h"), (4800, "1 h 20 min")],
)
def test_times_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.fixture(scope="module")
def target() -> Target:
    table = mock_target_table("https://koncili.example")
    return parse_target({**table, "name": "sandbox", "environment": "sandbox", "pace": "documented"}, "target.toml")


def test_a_whole_plan_tells_every_endpoint_and_every_reason(target: Target) -> None:
    found = plan(budget_status=spent())
    text = "\n".join(full(found, target))
    assert text.startswith("plan for sandbox (https://koncili.example): profile certification, ")
    for label, number in found.requests.items():
        assert any(line.startswith(label) and f" {number:,} " in f"{line} " for line in text.splitlines())
    assert f"client errors: {found.client_errors}; 400 of 400 are left in this hour" in text
    assert f"○ {len(CONTROLLED)} rules not-exercised: no clock" in text
    assert "without a callback_url" in text
    assert text.endswith("It fits the budget that is left.")


def test_what_does_not_fit_says_when_it_does_and_what_fits_now(target: Target) -> None:
    text = "\n".join(full(plan(budget_status=spent(*[1200.0] * 120)), target))
    assert "It does not fit now: after " in text
    assert "It fits in 20 min" in text
    assert "This fits now: --profile smoke (" in text
    assert "It never fits" in "\n".join(full(plan("deep", spent()), target))
    some = "\n".join(full(plan(budget_status=spent(*[60.0] * 380)), target))
    assert re.search(r"\(\d+ rules, (1\d|20) client errors, ", some)
    assert "Nothing fits now." in "\n".join(full(plan(budget_status=spent(*[60.0] * 400)), target))


def test_where_there_are_no_limits_none_are_told(target: Target) -> None:
    text = "\n".join(full(plan(paced=False), target))
    assert "a minute" not in text
    assert text.endswith("It fits: no limits hold here.")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("already", [0, 150, 400])
def test_before_a_run_a_few_lines_say_it(profile: str, already: int, target: Target) -> None:
    lines = list(short(plan(profile, spent(*[1200.0] * already)), target))
    assert 4 <= len(lines) <= 8
    assert all(lines)


# -- a target that takes its time to reconcile ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paced", "reconciles_in", "told"),
    [
        (
            False,
            60.0,
            "expected: 30 min at an unlimited pace, of which 30 min for 30 reconciliations one after the other",
        ),
        (True, 60.0, "expected: 30 min at the documented pace, of which 30 min for 30 reconciliations"),
        (True, 0.0, " at the documented pace, of which 0 s for 30 reconciliations"),
        (False, None, "expected: 0 s at an unlimited pace, besides the target's own time to answer and to reconcile"),
    ],
)
def test_a_plan_tells_what_reconciling_takes(
    monkeypatch: pytest.MonkeyPatch, target: Target, *, paced: bool, reconciles_in: float | None, told: str
) -> None:
    """The rest goes on meanwhile: it does not come on top."""
    found = opening(monkeypatch, paced=paced, reconciles_in=reconciles_in)
    assert found.reconciliations == 30
    assert any(told in line for line in full(found, target))


@pytest.mark.parametrize(("accounts", "one_after_other"), [(1, 17), (2, 14), (3, 13), (9, 11)])
def test_what_is_opened_on_all_accounts_in_turn_takes_its_time_on_all_at_once(
    monkeypatch: pytest.MonkeyPatch, target: Target, accounts: int, one_after_other: int
) -> None:
    """Where it took 20 s a plan foretold 820 s, and it took 704."""
    some = (Stage("WFL-01", "whole", {SUBMIT: 10}, 0, 7), Stage("CON-01", "at once", {SUBMIT: 60}, 0, 10))
    monkeypatch.setattr("conformance.planning.costs.measured", lambda: {"certification": some})
    rules = ("WFL-01", "CON-01")
    found = make_plan(
        "certification", rules, {}, paced=False, budget_status=None, reconciles_in=20.0, accounts=accounts
    )
    assert found.reconciling == one_after_other * 20.0
    assert any(f"for {one_after_other} reconciliations one after the other" in line for line in full(found, target))


@pytest.mark.parametrize(("takes", "seen"), [(0.0, 0.0), (5.0, 5.5), (20.0, 22.0), (60.0, 66.0), (100.0, 110.0)])
def test_where_nothing_notifies_the_end_of_a_reconciliation_is_seen_later(takes: float, seen: float) -> None:
    rules = ("REC-01", "WFL-01")
    told, silent = (
        make_plan(
            "certification", rules, {}, paced=False, budget_status=None, reconciles_in=takes, has_callback=has_callback
        )
        for has_callback in (True, False)
    )
    assert told.reconciling == told.one_after_other * takes
    assert silent.reconciling == pytest.approx(silent.one_after_other * seen, rel=0.01)


def test_a_run_that_opens_no_reconciliation_takes_no_time_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = opening(monkeypatch, paced=True, reconciles_in=60.0, reconciliations=0)
    assert found.reconciling is None
