"""How Allure sorts what went wrong."""

from __future__ import annotations

import re
from typing import Final

import pytest

from conformance.errors import CannotRun, TargetUnavailable
from conformance.report.allure_categories import (
    RESOLUTIONS,
    STATUSES,
    Kind,
    for_allure_2,
    for_allure_3,
    kind_of_doubt,
    kind_of_finding,
    kind_of_scenario,
    message_of,
)
from conformance.run.outcome import in_words
from conformance.verdict.evidence import Outcome, ScenarioEvidence
from conformance.verdict.violation import Finding, Violation

FINDINGS: Final[dict[tuple[str, int | None], Kind]] = {
    ("it to be refused with 400", 200): Kind.ACCEPTED,
    ("it to be refused with 400", 404): Kind.WRONG,
    ("it to be refused with 400 and code 400-1", 400): Kind.WRONG,
    ("it to be refused with 400", 500): Kind.SERVER_ERROR,
    ("it to be accepted with 2xx", 400): Kind.REFUSED,
    ("it to be accepted with 200", 202): Kind.WRONG,
    ("it to be accepted with 2xx", 503): Kind.SERVER_ERROR,
    ("2xx", 422): Kind.REFUSED,
    ("200", 404): Kind.REFUSED,
    ("404", 200): Kind.ACCEPTED,
    ("404", 405): Kind.WRONG,
    ("404 and code 404-1", 400): Kind.WRONG,
    ("404 and code 404-1", 200): Kind.ACCEPTED,
    ("no token", 401): Kind.WRONG,
    ("an access token and a refresh token", 401): Kind.REFUSED,
    ("an access token and a refresh token", 200): Kind.WRONG,
    ("a token to live for 7200 s", 401): Kind.REFUSED,
    ("no server error", 500): Kind.SERVER_ERROR,
    ("the documented error body", 400): Kind.WRONG,
    ("a documented status", 418): Kind.WRONG,
    ("the message to name sendDate", 400): Kind.WRONG,
    ("an undocumented method to be refused", 200): Kind.ACCEPTED,
    ("the deletion of a reconciled order to be refused", 200): Kind.ACCEPTED,
    ("an order that was never sent not to be found", 200): Kind.ACCEPTED,
    ("no order to be found", 200): Kind.ACCEPTED,
    ("every release to be accepted", 400): Kind.REFUSED,
    ("a period that was refused before to be free", 400): Kind.REFUSED,
    ("a refused creation to leave nothing behind", 400): Kind.REFUSED,
    ("the order as it was last accepted", 404): Kind.REFUSED,
    ("the order as it was last accepted", 200): Kind.WRONG,
    ("order 1 to be as it was last accepted", 404): Kind.REFUSED,
    ("order 1 to be there", 404): Kind.REFUSED,
    ("the order to stay as it was", 404): Kind.REFUSED,
    ("the new state 1800 s after it was accepted", 404): Kind.REFUSED,
    ("the order to be gone", 200): Kind.WRONG,
    ("the reconciliation to wait for all of its releases", 200): Kind.WRONG,
    ("429 to call 91 within a minute", 200): Kind.ACCEPTED,
    ("90 calls a minute to be answered, call 3 too", 429): Kind.REFUSED,
    ("423 after 500 client errors", 200): Kind.ACCEPTED,
    ("no 423 before that", 423): Kind.REFUSED,
    ("no block any more", None): Kind.REFUSED,
    ("one RECONCILIATION notification", None): Kind.WRONG,
    ("an id that no other has", 201): Kind.WRONG,
}
"""What was expected, and the status that came."""


@pytest.mark.parametrize(("expected", "status"), FINDINGS)
def test_what_an_endpoint_got_wrong(expected: str, status: int | None) -> None:
    violation = Violation(rule="ORD-04", expected=expected, actual="something came", exchange=None, context="but why")
    assert kind_of_finding(str(violation), status) is FINDINGS[expected, status]


def test_only_what_was_expected_counts() -> None:
    reason = "ORD-04: expected one thing, but it was to be refused, and expected to be accepted, but was not"
    assert kind_of_finding(reason, 200) is Kind.WRONG
    assert kind_of_finding("no such words", 400) is Kind.WRONG


def scenario(outcome: Outcome, reason: str = "", status: int | None = None) -> ScenarioEvidence:
    finding = Finding("ORD-04", reason, {}, {"status": status}, "") if status else None
    return ScenarioEvidence("id", "ORD-04", "name", outcome, reason, finding=finding)


def test_a_scenario_that_failed_is_of_the_kind_of_its_finding() -> None:
    failed = scenario(Outcome.FAILED, "ORD-04: expected it to be refused with 400, but it answered 200", 200)
    assert kind_of_scenario(failed) is Kind.ACCEPTED
    assert kind_of_scenario(failed, may_fail=Kind.WAIVED) is Kind.WAIVED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("broken"), Kind.HARNESS),
        (TargetUnavailable("no answer"), Kind.UNAVAILABLE),
        (CannotRun("the store is gone"), Kind.UNDECIDED),
    ],
)
def test_a_doubt_is_told_by_the_words_of_the_certification(error: Exception, kind: Kind) -> None:
    assert kind_of_scenario(scenario(Outcome.INCONCLUSIVE, in_words(error))) is kind


def test_a_target_that_went_away_is_unavailable() -> None:
    away = "no answer; the 4th call in a row without an answer: run again when the target is up"
    assert kind_of_doubt(away) is Kind.UNAVAILABLE


def test_what_passed_has_no_kind_and_what_did_not_run_was_not_exercised() -> None:
    assert kind_of_scenario(scenario(Outcome.PASSED)) is None
    for outcome in (Outcome.NOT_EXERCISED, Outcome.NOT_RUN):
        assert kind_of_scenario(scenario(outcome)) is Kind.NOT_EXERCISED


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_in_one_category_for_every_reader(kind: Kind) -> None:
    message = message_of(kind, "ORD-04: expected it to be refused with 400,\nbut a server error came")
    second = [each["name"] for each in for_allure_2() if re.fullmatch(each["messageRegex"], message)]
    third = [each["name"] for each in for_allure_3() if re.search(each["matchers"]["message"], message)]
    assert second == third == [kind]
    resolved = [rule for rule in RESOLUTIONS["rules"] if re.search(rule["messageRegexp"], message)]
    assert bool(resolved) is (kind in {Kind.WAIVED, Kind.LATER})


def test_only_what_koncili_gets_wrong_has_failed() -> None:
    ours = {Kind.WAIVED, Kind.LATER, Kind.UNAVAILABLE, Kind.HARNESS, Kind.UNDECIDED, Kind.NOT_EXERCISED}
    assert {kind for kind, status in STATUSES.items() if status != "failed"} == ours
