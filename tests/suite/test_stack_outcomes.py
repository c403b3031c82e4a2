"""What `make stacks` makes of a certificate: which verdict each server deserves. (The servers are not run here.)"""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.outcomes import ALARM, MISSED, PATIENCE, RIGHT, UNDECIDED, WRONG, Outcome, summary


def certificate(*failed: str, waits: str = "") -> dict[str, Any]:
    rules = [{"id": rule, "verdict": "fail", "reason": ""} for rule in failed]
    if waits:
        rules.append(
            {"id": waits, "verdict": "not-exercised", "reason": f"so long this run did not last; {PATIENCE} waits"}
        )
    return {"rules": rules, "traffic": {"requests": 100, "clientErrors": 10}}


@pytest.mark.parametrize(
    ("expected", "code", "failed", "waits", "mark"),
    [
        ([], 0, [], "", RIGHT),
        ([], 2, [], "ORD-15", RIGHT),
        ([], 1, ["ORD-01"], "", ALARM),
        ([], 2, ["QRY-06"], "", ALARM),
        ([], 3, [], "", ALARM),
        (["ORD-02"], 1, ["ORD-02"], "", RIGHT),
        (["ORD-02", "ORD-13"], 1, ["ORD-02"], "", RIGHT),
        (["ORD-02"], 1, ["ORD-02", "ORD-13"], "", WRONG),
        (["ORD-02"], 2, ["ORD-02"], "", WRONG),
        (["ORD-22"], 2, ["ORD-22"], "", RIGHT),
        (["ORD-22"], 1, ["ORD-22"], "", WRONG),
        (["ORD-15"], 0, [], "", MISSED),
        (["ORD-15"], 2, [], "ORD-15", MISSED),
        (["ORD-15", PATIENCE], 2, [], "ORD-15", UNDECIDED),
        (["ORD-15", PATIENCE], 1, ["ORD-15"], "", RIGHT),
        (["ORD-15", PATIENCE], 2, [], "QRY-03", MISSED),
        (["ORD-15", PATIENCE], 0, [], "", MISSED),
    ],
)
def test_the_verdict_that_a_server_deserves(
    expected: list[str], code: int, failed: list[str], waits: str, mark: str
) -> None:
    outcome = Outcome.of("java", "a-fault", expected, code, certificate(*failed, waits=waits), 1.0)
    assert (outcome.mark, outcome.is_right) == (mark, mark in {RIGHT, UNDECIDED})


def test_the_summary_counts_by_stack_and_names_what_is_wrong() -> None:
    outcomes = [
        Outcome.of("java", "trimmed", ["QRY-05"], 1, certificate("QRY-05"), 1.0),
        Outcome.of("java", "merged", ["ORD-15"], 0, certificate(), 1.0),
        Outcome.of("php", "", [], 1, certificate("ORD-01"), 1.0),
    ]
    assert summary(outcomes) == [
        "java, faults: 2: 1 right, 1 MISSED", "php, lawful: 1: 1 FALSE ALARM", "java merged: MISSED", "php (clean): FALSE ALARM",
    ]  # fmt: skip
