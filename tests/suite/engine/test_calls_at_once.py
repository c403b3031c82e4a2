"""What a certification says of calls at once: evidence where they overlapped, lanes where no order explains them, and nothing
where they are answered wrongly one after the other, too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from conformance.concurrency.history import Operation, Outcome
from conformance.concurrency.linearizability import Unexplained
from conformance.concurrency.model import Call, Delete, Look, Open, Refresh, Release, Submit
from conformance.engine.lanes import MOST_CALLS, ON_ORDERS, ON_RECONCILIATIONS, blamed, rounds
from tests.suite.support.command_runs import certify
from tests.suite.support.properties import prove

RULES: Final = ("CON-01", "CON-02", "CON-03", "CON-04", "CON-05")
CHOSEN: Final = [part for rule in RULES for part in ("--rule", rule)]


def test_each_rule_tells_that_its_calls_overlapped(tmp_path: Path) -> None:
    run = certify(tmp_path, *CHOSEN)
    for rule in RULES:
        entry = run.entry(rule)
        assert entry["verdict"] == "pass"
        assert entry["atOnce"]["overlapped"] == entry["atOnce"]["tries"] > 0
    assert sum(run.entry(rule)["clientErrors"] for rule in RULES) <= 40


@pytest.mark.parametrize(("name", "rule"), [("race-rec-all", "CON-01"), ("race-refresh-twice", "CON-05")])
def test_a_race_is_shown_lane_by_lane(name: str, rule: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, "--rule", rule)
    entry = run.entry(rule)
    assert entry["verdict"] == "fail"
    assert "no order of these calls explains the answers" in entry["reason"]
    assert "seen in 3 of 3 tries, and never where they come one after the other" in entry["reason"]
    lanes = entry["counterexample"]["lanes"]
    assert [line[:6] for line in lanes[1:]] == ["lane 1", "lane 2"]
    assert all(line.strip() in run.output for line in lanes[1:])
    assert lanes[1] in (tmp_path / "summary.md").read_text()
    assert "Calls at once, lane by lane" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    "name", ["rec-06-not-enforced", "rel-11-not-enforced", "rel-12-not-enforced", "del-01-not-deleted"]
)
def test_what_is_wrong_one_after_the_other_is_another_rule_s_business(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, *CHOSEN)
    assert {rule: run.by_rule[rule] for rule in RULES if run.by_rule[rule] == "fail"} == {}


@pytest.mark.parametrize("name", ["at-once-all-refused", "at-once-429", "at-once-lost", "at-once-on-a-socket"])
def test_what_is_lawful_at_once_passes(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", name, *CHOSEN)
    assert {run.by_rule[rule] for rule in RULES} == {"pass"}


@pytest.mark.parametrize("of", [ON_ORDERS, ON_RECONCILIATIONS])
def test_rounds_stay_short(of: tuple[str, ...]) -> None:
    def law(drawn: list[list[str]]) -> None:
        assert 1 <= len(drawn) <= 2
        assert all(2 <= len(calls) <= 3 for calls in drawn)
        assert sum(map(len, drawn)) <= MOST_CALLS

    prove(rounds(of), law, 50)


BLAMED: dict[str, tuple[list[Call], str]] = {
    "two open": ([Open("a", 0, 1, 1), Open("b", 0, 1, 1)], "CON-01"),
    "one order twice": ([Release("a", "A", 1), Release("a", "A", 1)], "CON-02"),
    "two orders": ([Release("a", "A", 1), Release("a", "B", 1)], "CON-03"),
    "versions": ([Submit("A", "v1"), Submit("A", "v2"), Look("A")], "CON-04"),
    "a deletion": ([Submit("A", "v1"), Delete("A"), Look("A")], "CON-05"),
    "refreshes": ([Refresh("a"), Refresh("a")], "CON-05"),
}


@pytest.mark.parametrize("name", BLAMED)
def test_the_rule_is_that_of_the_call_that_cannot_be_explained(name: str) -> None:
    calls, rule = BLAMED[name]
    history = tuple(Operation(0, call, "", 0, 1, Outcome.ACCEPTED) for call in calls)
    assert blamed(Unexplained(history, history[:-1], history[-1], "")) == rule
