"""Rules of clients about headers, URLs and notifications, and what holds for all of them."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.rules import Kind, catalogue
from conformance.traffic.exchange import NOT_RECORDED
from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import DONE, HEADERS, QUERY, TOKEN, UNTIMED, Recording, verdict


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HEADERS, "kept"),
        ({"gumgatoken": TOKEN}, "broken"),
        ({**HEADERS, "integrator": "me"}, "broken"),
        ({**HEADERS, "integrator": "********"}, "undecided"),
        ({}, "undecided"),
        (NOT_RECORDED, "undecided"),
    ],
)
def test_the_integrator_is_told_with_every_call(headers: Any, expected: str) -> None:
    recording = Recording()
    recording.look_up(answer=order(), headers=headers)
    assert verdict(recording.audited(), "CLI-14") == expected


@pytest.mark.parametrize(
    "query",
    [f"{QUERY}&gumgaToken=abc", f"{QUERY}&access_token=abc", f"{QUERY}&key={TOKEN}", f"{QUERY}&key=password-4711"],
)
def test_a_secret_in_a_url_is_found_and_not_told(query: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.look_up(query, answer=order())
    (finding,) = recording.audited().findings.found
    assert finding.rule.id == "CLI-15"
    assert TOKEN not in f"{finding.says}{finding.value}{finding.pointer}"
    assert "password-4711" not in f"{finding.says}{finding.value}{finding.pointer}"


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"status": "success"}, "kept"),
        (201, {"status": "success"}, "broken"),
        (200, {"status": "ok"}, "broken"),
        (200, b"", "broken"),
        (500, {"status": "success"}, "broken"),
        (None, None, "broken"),
        (200, NOT_RECORDED, "undecided"),
    ],
)
def test_notifications_are_answered_as_documented(status: int | None, answer: Any, expected: str) -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.notify(DONE, status=status, answer=answer)
    assert verdict(recording.audited(), "CLI-16") == expected


CLIENT_RULES = [rule for rule in catalogue(Kind.INTEGRATION).rules if rule.startswith("CLI-")]


def test_every_rule_has_what_a_report_tells() -> None:
    assert [f"CLI-{number:02}" for number in range(1, 19)] == CLIENT_RULES
    for rule in catalogue(Kind.INTEGRATION).rules.values():
        assert rule.instead.endswith(".")
        assert rule.source


@pytest.mark.parametrize("rule", ["CLI-09", "CLI-10", "CLI-11", "CLI-17"])
def test_without_times_nothing_is_said_of_pace(rule: str) -> None:
    recording = Recording()
    for _ in range(100):
        recording.submit(order(), after=0.1)
        recording.look_up(status=429, after=0.1)
        recording.look_up(status=423, after=0.1)
    assert rule in {*recording.broken(), "CLI-17"}
    assert verdict(recording.without(**UNTIMED).audited(), rule) == "undecided"
