"""The gate: what waivers may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from conformance.verdict.gate_case import Check, Result
from conformance.verdict.verdicts import RuleVerdict, Waiver
from tests.suite.support.gate_cases import decided, document, refusals, sealed
from tests.suite.support.gate_checks import FAIL, LATER, LESSER, ONE, PASS, SKIP, TODAY, TWO, UNKNOWN, YESTERDAY, told


@pytest.mark.parametrize(
    ("verdict", "until", "kind", "code"),
    [
        (FAIL, LATER, "valid", 0),
        (FAIL, TODAY, "valid", 0),
        (FAIL, YESTERDAY, "expired", 1),
        (PASS, LATER, "stale", 3),
        (PASS, YESTERDAY, "stale", 3),
        (UNKNOWN, LATER, "idle", 2),
        (SKIP, LATER, "idle", 2),
        (SKIP, YESTERDAY, "expired-idle", 3),
    ],
)
def test_a_waiver_given_to_the_gate(verdict: RuleVerdict, until: date, kind: str, code: int) -> None:
    decision = decided(document({ONE: verdict}), waivers=(Waiver(ONE, "ticket 7", until, whole=True),))
    ((found, result, facts),) = told(decision, Check.WAIVERS)
    assert found == kind
    assert result is {"valid": Result.PASSED, "idle": Result.NOTED}.get(kind, Result.REFUSED)
    whole = {"covered": "the whole rule"}
    assert facts == {"rule": ONE, "reason": "ticket 7", "until": str(until), "verdict": verdict} | whole
    assert decision.exit_code == code
    if result is Result.REFUSED:
        assert refusals(decision)[f"waivers: {kind}"] == (1 if kind == "expired" else 3)


def test_a_waiver_of_some_kinds_lets_a_failure_by_others_through_no_gate() -> None:
    whole = document({ONE: FAIL})
    (finding,) = (entry["findings"][0] for entry in whole["rules"] if entry["id"] == ONE)
    enough = decided(whole, waivers=(Waiver(ONE, "x", LATER, kinds=(finding["id"],)),))
    assert told(enough, Check.WAIVERS)[0][:2] == ("valid", Result.PASSED)
    short = decided(whole, waivers=(Waiver(ONE, "x", LATER, kinds=("another",)),))
    ((kind, result, facts),) = told(short, Check.WAIVERS)
    assert (kind, result, facts["left"]) == ("short", Result.REFUSED, finding["id"])
    assert refusals(short) == {"waivers: short": 1, "verdict: nonconformant": 1}
    for entry in whole["rules"]:
        entry["findings"] = []  # as older suites told none
    untold = decided(sealed(whole), waivers=(Waiver(ONE, "x", LATER, kinds=(finding["id"],)),))
    assert told(untold, Check.WAIVERS)[0][0] == "short"


def test_what_a_waived_failure_hinders_is_let_through_by_the_same_waiver_alone() -> None:
    certificate = document({ONE: FAIL, TWO: RuleVerdict.INCONCLUSIVE})
    for entry in certificate["rules"]:
        entry["hinderedBy"] = [ONE] if entry["id"] == TWO else []
    certificate = sealed(certificate)
    plain, wide = Waiver(ONE, "x", LATER, whole=True), Waiver(ONE, "x", LATER, whole=True, hinders=(TWO,))
    assert decided(certificate, waivers=(plain,)).exit_code == 2
    through = decided(certificate, waivers=(wide,))
    assert [kind for kind, *_ in told(through, Check.WAIVERS)] == ["valid", "hindered"]
    assert through.exit_code == 0
    assert decided(certificate, waivers=(replace(wide, until=YESTERDAY),)).exit_code == 1


def test_a_failure_that_is_waived_is_named_and_decides_no_more() -> None:
    decision = decided(
        document({ONE: FAIL, TWO: FAIL}), waivers=tuple(Waiver(rule, "x", LATER, whole=True) for rule in (ONE, TWO))
    )
    ((kind, result, facts),) = told(decision, Check.VERDICT)
    assert (kind, result, facts["waived"], facts["fail"]) == ("conformant-waived", Result.PASSED, [ONE, TWO], 0)
    assert decision.groups == ()
    one = decided(document({ONE: FAIL, TWO: FAIL}), waivers=(Waiver(ONE, "x", LATER, whole=True),))
    assert refusals(one) == {"verdict: nonconformant": 1}
    assert [group.rules for group in one.groups] == [(TWO,)]


def test_a_waiver_of_the_run_counts_until_its_day_and_no_longer() -> None:
    certificate = document(waived=[Waiver(ONE, "ticket 7", TODAY, whole=True)])
    assert certificate["verdict"] == "conformant"
    assert told(decided(certificate), Check.WAIVERS)[0][:2] == ("valid", Result.PASSED)
    since = decided(certificate, now=datetime(TODAY.year, TODAY.month, TODAY.day + 1, tzinfo=UTC))
    assert refusals(since) == {"waivers: expired": 1, "verdict: nonconformant": 1}
    whole = {"until": str(TODAY), "covered": "the whole rule"}
    facts = {"rule": ONE, "reason": "ticket 7", "verdict": RuleVerdict.WAIVED} | whole
    assert told(since, Check.WAIVERS) == [("expired", Result.REFUSED, facts)]


def test_a_waiver_given_to_the_gate_outweighs_that_of_the_run() -> None:
    certificate = document(waived=[Waiver(ONE, "old", YESTERDAY, whole=True)])
    renewed = decided(certificate, waivers=(Waiver(ONE, "renewed", LATER, whole=True),))
    assert renewed.exit_code == 0
    assert [facts["reason"] for _, _, facts in told(renewed, Check.WAIVERS)] == ["renewed"]
    ended = decided(
        document(waived=[Waiver(ONE, "old", LATER, whole=True)]), waivers=(Waiver(ONE, "ended", YESTERDAY, whole=True),)
    )
    assert refusals(ended) == {"waivers: expired": 1, "verdict: nonconformant": 1}


def test_a_waiver_bears_on_its_own_rule_alone() -> None:
    decision = decided(document({ONE: FAIL, TWO: FAIL}), waivers=(Waiver(TWO, "x", LATER, whole=True),))
    assert [group.rules for group in decision.groups] == [(ONE,)]


def test_an_expired_waiver_of_a_recommended_rule_is_an_error_of_the_file_not_of_the_target() -> None:
    decision = decided(document({LESSER: FAIL}), waivers=(Waiver(LESSER, "x", YESTERDAY, whole=True),))
    assert refusals(decision) == {"waivers: expired": 3}


def test_a_waived_rule_that_does_not_say_until_when_counts_as_failed() -> None:
    certificate = document(waived=[Waiver(ONE, "x", LATER, whole=True), Waiver(TWO, "x", LATER, whole=True)])
    entry = next(entry for entry in certificate["rules"] if entry["id"] == ONE)
    entry["waiver"] = None
    decision = decided(sealed(certificate))
    assert refusals(decision) == {"rules: undated": 3, "verdict: nonconformant": 1}
    assert told(decision, Check.RULES) == [("undated", Result.REFUSED, {"rules": [ONE]})]


def test_a_waiver_in_the_certificate_of_a_rule_that_is_not_waived_is_nothing() -> None:
    certificate = document({ONE: FAIL})
    entry = next(entry for entry in certificate["rules"] if entry["id"] == ONE)
    entry["waiver"] = {"reason": "x", "until": "2026-12-31"}
    decision = decided(sealed(certificate))
    assert told(decision, Check.WAIVERS) == [("none", Result.NOTED, {})]
    assert refusals(decision) == {"verdict: nonconformant": 1}
