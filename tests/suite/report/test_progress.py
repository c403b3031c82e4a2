"""How far a run is, in numbers and in a line."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from conformance.planning.costs import Stage
from conformance.report.progress import Ended, Progress, told, words
from conformance.verdict.evidence import Outcome

BIG: Final = Stage("ORD-01", "any order", {"POST /order": 30}, 0)
SMALL: Final = Stage("ORD-01", "another order", {"POST /order": 6, "GET /order": 4}, 0)
OTHER: Final = Stage("ORD-04", "a date left out", {"POST /order": 60}, 30)
AROUND: Final = Stage("", "preflight", {"POST /public/api/auth/token": 500}, 0)

STAGES: Final = (AROUND, BIG, SMALL, OTHER)


def over(stage: Stage, **changes: object) -> Ended:
    passed = Ended(
        rule=stage.rule, name=stage.name, outcome=Outcome.PASSED, reason="", counts={"accepted": 3, "refused": 0},
        seconds=0.25, requests=stage.size, client_errors=stage.client_errors, left=None,
    )  # fmt: skip
    return replace(passed, **changes)  # type: ignore[arg-type]


def progress(*ended: Ended, seconds: float = 0.0) -> Progress:
    made = Progress(("ORD-01", "ORD-04", "LIM-01"), STAGES, seconds)
    for one in ended:
        made.add(one)
    return made


def test_a_rule_is_done_when_all_its_scenarios_are() -> None:
    assert (progress().rules_done, progress().rules) == (0, 3)
    assert progress(over(BIG)).rules_done == 0
    assert progress(over(BIG), over(SMALL)).rules_done == 1


def test_a_rule_of_which_nothing_was_measured_counts_as_one_scenario() -> None:
    unmeasured = Stage("LIM-01", "too many", {}, 0)
    assert progress(over(unmeasured)).rules_done == 1
    assert progress(over(unmeasured)).part == 0


def test_the_part_that_is_over_goes_by_requests() -> None:
    assert progress().part == 0
    assert progress(over(BIG)).part == pytest.approx(0.3)
    assert progress(over(BIG), over(SMALL)).part == pytest.approx(0.4)
    assert progress(over(BIG), over(SMALL), over(OTHER)).part == 1
    assert progress(*[over(OTHER)] * 3).part == 1


def test_nothing_to_do_is_done() -> None:
    assert Progress((), ()).part == 1


def test_the_time_left_follows_from_what_is_over() -> None:
    assert progress(over(BIG), over(SMALL)).seconds_left(20.0) == pytest.approx(30.0)


def test_at_first_it_is_what_the_limits_demand_or_unknown() -> None:
    assert progress().seconds_left(20.0) is None
    assert progress(seconds=100.0).seconds_left(20.0) == 80.0
    assert progress(seconds=10.0).seconds_left(20.0) == 0.0


def test_failing_rules_are_counted_once() -> None:
    failed = [over(stage, outcome=Outcome.FAILED) for stage in (BIG, SMALL)]
    assert progress(*failed, over(OTHER, outcome=Outcome.INCONCLUSIVE)).failing == {"ORD-01"}


def test_what_was_sent_is_added_up() -> None:
    whole = progress(over(BIG), over(OTHER))
    assert (whole.requests, whole.client_errors) == (90, 30)


def test_the_budget_is_the_last_that_was_heard_of() -> None:
    assert progress(over(BIG)).left is None
    assert progress(over(BIG, left=40), over(OTHER, left=9), over(SMALL)).left == 9


def test_the_line_of_a_run() -> None:
    assert words(progress(), 0, 0, 1.0) == "0 of 3 rules, 0 requests, 0 client errors"
    half = progress(over(BIG, outcome=Outcome.FAILED), over(SMALL, left=370))
    assert words(half, 1204, 1, 20.0) == (
        "1 of 3 rules, 1 failing, 1,204 requests, 1 client error (370 left), about 30 s left"
    )


def test_the_line_says_what_is_waited_for_instead_of_the_time() -> None:
    half = progress(over(BIG), over(SMALL))
    assert words(half, 40, 0, 20.0, "waiting 9 s for the rate") == (
        "1 of 3 rules, 40 requests, 0 client errors, waiting 9 s for the rate"
    )


def test_the_line_of_a_scenario() -> None:
    assert told(over(BIG)) == "ORD-01 any order: 3 accepted (0.2 s)"
    assert told(over(BIG, counts={}, reason="needs a clock", requests=0)) == "ORD-01 any order: needs a clock"


def test_what_a_worker_tells_is_read_back() -> None:
    ended = over(OTHER, outcome=Outcome.NOT_EXERCISED, left=7)
    assert Ended.from_json(ended.to_json()) == ended
