"""From evidence to verdicts: a failure outweighs all, and nothing passes on no evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from conformance.contract.readings import resolve
from conformance.contract.rules import Level, Rule, Side, catalogue
from conformance.errors import CannotRun
from conformance.target.redaction import Redactor
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.verdicts import EXIT_CODES, RuleResult, RuleVerdict, RunVerdict, judge_rule, judge_run
from conformance.verdict.violation import Finding, Violation
from conformance.verdict.waivers import Waiver, load_waivers, waive

READINGS = resolve({})
RULE = catalogue()["ORD-04"]
FINDING = Finding("ORD-04", "accepted", {}, {}, "curl")


def _evidence(*scenarios: tuple[Outcome, dict[Side, int]], finding: Finding | None = None) -> Evidence:
    evidence = Evidence()
    for number, (outcome, counts) in enumerate(scenarios):
        name = f"scenario-{number}"
        evidence.expect(name, RULE.id, name)
        for side, count in counts.items():
            for _ in range(count):
                evidence.saw(name, side)
        reason = "" if outcome is Outcome.PASSED else f"reason-{number}"
        evidence.finish(name, outcome, reason, finding if outcome is Outcome.FAILED else None)
    return evidence


BOTH = {Side.ACCEPTED: 2, Side.REFUSED: 2}


@pytest.mark.parametrize(
    ("evidence", "verdict", "reason"),
    [
        pytest.param(_evidence((Outcome.PASSED, BOTH)), "pass", "", id="both sides"),
        pytest.param(Evidence(), "not-exercised", "not selected", id="no scenario"),
        pytest.param(_evidence((Outcome.PASSED, {})), "inconclusive", "acceptance", id="passed with nothing seen"),
        pytest.param(_evidence((Outcome.PASSED, {Side.REFUSED: 3})), "inconclusive", "acceptance", id="no twin"),
        pytest.param(_evidence((Outcome.PASSED, {Side.ACCEPTED: 3})), "inconclusive", "refusal", id="no refusal"),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.PASSED, {})),
            "inconclusive",
            "scenario-1",
            id="one row of two empty",
        ),
        pytest.param(_evidence((Outcome.NOT_RUN, {})), "not-exercised", "not selected", id="not run"),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.NOT_RUN, {})), "not-exercised", "1 of 2", id="one row of two run"
        ),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.NOT_EXERCISED, {})),
            "not-exercised",
            "reason-1",
            id="one row skipped",
        ),
        pytest.param(
            _evidence((Outcome.PASSED, BOTH), (Outcome.INCONCLUSIVE, {})),
            "inconclusive",
            "reason-1",
            id="one inconclusive",
        ),
        pytest.param(_evidence((Outcome.FAILED, {})), "inconclusive", "reason-0", id="failed without a finding"),
        pytest.param(
            _evidence((Outcome.INCONCLUSIVE, {}), (Outcome.FAILED, BOTH), finding=FINDING),
            "fail",
            "accepted",
            id="failed",
        ),
    ],
)
def test_the_verdict_on_a_rule(evidence: Evidence, verdict: str, reason: str) -> None:
    result = judge_rule(RULE, evidence, READINGS)
    assert result.verdict == verdict
    assert reason in result.reason


def test_what_was_observed_elsewhere_fails_the_rule_too() -> None:
    evidence = _evidence((Outcome.PASSED, BOTH))
    evidence.observe(Violation(rule=RULE.id, expected="400", actual="200", exchange=None), Redactor())
    assert judge_rule(RULE, evidence, READINGS).verdict is RuleVerdict.FAIL


def test_the_sides_of_a_rule_may_hang_on_a_reading() -> None:
    rule = catalogue()["ORD-18"]
    assert rule.sides_under(resolve({"empty-extracts": "accepted"})) == (Side.ACCEPTED,)
    assert rule.sides_under(READINGS) == (Side.ACCEPTED, Side.REFUSED)


# -- the whole run -------------------------------------------------------------------------------------------------


def _result(verdict: RuleVerdict, rule: Rule = RULE) -> RuleResult:
    return RuleResult(rule, verdict, "why", 1, 1, 0)


RECOMMENDED = next(rule for rule in catalogue().rules.values() if rule.level is Level.RECOMMENDED)
PASS, FAIL, SKIP, UNKNOWN = RuleVerdict.PASS, RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        ([PASS, PASS], RunVerdict.CONFORMANT, 0),
        ([PASS, FAIL, UNKNOWN], RunVerdict.NONCONFORMANT, 1),
        ([PASS, SKIP], RunVerdict.PARTIAL, 2),
        ([PASS, UNKNOWN, SKIP], RunVerdict.INCONCLUSIVE, 2),
        ([SKIP, SKIP], RunVerdict.INCONCLUSIVE, 2),
        ([RuleVerdict.WAIVED], RunVerdict.INCONCLUSIVE, 2),
        ([PASS, RuleVerdict.WAIVED], RunVerdict.CONFORMANT, 0),
        ([], RunVerdict.INCONCLUSIVE, 2),
    ],
)
def test_the_verdict_on_a_run(verdicts: Iterable[RuleVerdict], expected: RunVerdict, code: int) -> None:
    verdict = judge_run([_result(each) for each in verdicts])
    assert verdict is expected
    assert EXIT_CODES[verdict] == code


@pytest.mark.parametrize("verdict", list(RuleVerdict))
def test_recommended_rules_never_decide(verdict: RuleVerdict) -> None:
    assert judge_run([_result(PASS), _result(verdict, RECOMMENDED)]) is RunVerdict.CONFORMANT
    assert judge_run([_result(verdict, RECOMMENDED)]) is RunVerdict.INCONCLUSIVE


# -- evidence ------------------------------------------------------------------------------------------------------


def test_the_evidence_of_workers_is_merged() -> None:
    run_here, run_there = _evidence((Outcome.PASSED, BOTH)), _evidence((Outcome.NOT_RUN, {}))
    run_there.observe(Violation(rule="ERR-02", expected="no 5xx", actual="500", exchange=None), Redactor())
    for parts in ([run_here, run_there], [run_there, run_here]):
        merged = Evidence.merged(part.as_dict() for part in parts)
        assert merged.scenarios["scenario-0"].outcome is Outcome.PASSED
        assert merged.scenarios["scenario-0"].count(Side.REFUSED) == 2
        assert merged.observed["ERR-02"].reason.startswith("ERR-02")


# -- waivers -------------------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("until", "before", "after", "reason"),
    [
        (date(2026, 11, 22), FAIL, RuleVerdict.WAIVED, "waived until"),
        (date(2026, 11, 21), FAIL, FAIL, "expired"),
        (date(2026, 12, 31), PASS, PASS, "stale"),
        (date(2026, 12, 31), SKIP, SKIP, "why"),
    ],
)
def test_a_waiver_counts_until_its_last_day(until: date, before: RuleVerdict, after: RuleVerdict, reason: str) -> None:
    (result,) = waive([_result(before)], [Waiver(RULE.id, "known", until)], TODAY)
    assert result.verdict is after
    assert reason in result.reason


def test_a_rule_that_is_not_waived_is_left_as_it_is() -> None:
    result = _result(FAIL)
    assert waive([result], [Waiver("ORD-05", "known", TODAY)], TODAY) == [result]


def test_waivers_are_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text('[[waivers]]\nrule = "ORD-04"\nreason = "ticket 7"\nuntil = 2026-12-31\n')
    assert load_waivers(path) == (Waiver("ORD-04", "ticket 7", date(2026, 12, 31)),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[waivers]]\nrule = "ORD-99"\nreason = "x"\nuntil = 2026-12-31', "waivers[0].rule"),
        ('[[waivers]]\nrule = "ORD-04"\nreason = " "\nuntil = 2026-12-31', "waivers[0].reason"),
        ('[[waivers]]\nrule = "ORD-04"\nreason = "x"\nuntil = "soon"', "waivers[0].until"),
        ('[[waivers]]\nrule = "ORD-04"\nreason = "x"\nuntil = 2026-12-31T10:00:00Z', "waivers[0].until"),
        ('[[waivers]]\nrule = "ORD-04"\nreason = "x"\nuntil = 2026-12-31\nby = "me"', "waivers[0].by"),
        ('[[waiver]]\nrule = "ORD-04"', "waiver: unknown"),
        ("waivers = 3", "array of tables"),
        ('[[waivers]]\nrule = "ORD-04"\nreason = "x"\nuntil = 2026-12-31\n' * 2, "twice"),
        ("[[", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_waivers_file_is_named(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(text)
    with pytest.raises(CannotRun) as caught:
        load_waivers(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_waivers_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"none\.toml"):
        load_waivers(tmp_path / "none.toml")
