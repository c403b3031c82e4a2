"""The gate: the verdict, the readings, what was skipped and what could not be read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from conformance.contract.readings import resolve
from conformance.contract.rules import Level, catalogue
from conformance.verdict.certificate_file import parse_certificate
from conformance.verdict.gate import decide
from conformance.verdict.gate_case import WEIGHTS, Asked, Check, Group, Result
from conformance.verdict.not_exercised import NEEDS_CONTROL
from conformance.verdict.verdicts import EXIT_CODES, NOT_SELECTED, RuleVerdict, RunVerdict, judge_verdicts
from tests.suite.support.gate_cases import (
    CLOCK,
    NOW,
    RECOMMENDED,
    REQUIRED,
    WEEK,
    Document,
    decided,
    document,
    refusals,
    sealed,
)
from tests.suite.support.gate_checks import FAIL, LESSER, ONE, PASS, SKIP, THREE, TWO, UNKNOWN, told
from tests.suite.support.properties import prove

# -- the verdict -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "code", "accepted"),
    [
        ({ONE: FAIL}, 1, 1),
        ({ONE: FAIL, TWO: SKIP, THREE: UNKNOWN}, 1, 1),
        ({ONE: SKIP}, 2, 0),
        ({ONE: UNKNOWN}, 2, 2),
        ({ONE: UNKNOWN, TWO: SKIP}, 2, 2),
        (dict.fromkeys(catalogue().rules, SKIP), 2, 2),
        (dict.fromkeys(RECOMMENDED, FAIL), 0, 0),
        (dict.fromkeys(RECOMMENDED, UNKNOWN), 0, 0),
    ],
)
def test_the_verdict_decides_and_what_was_not_exercised_can_be_accepted(
    verdicts: dict[str, RuleVerdict], code: int, accepted: int
) -> None:
    assert decided(document(verdicts)).exit_code == code
    assert decided(document(verdicts), accept_partial=True).exit_code == accepted


def test_the_verdict_is_told_with_its_counts() -> None:
    decision = decided(document({ONE: FAIL, TWO: SKIP, THREE: UNKNOWN, LESSER: FAIL}))
    rest = len(REQUIRED) - 3
    counts = {"pass": rest, "fail": 1, "not_exercised": 1, "inconclusive": 1, "waived": [], "required": rest + 3}
    assert told(decision, Check.VERDICT) == [("nonconformant", Result.REFUSED, counts)]
    partial = decided(document({TWO: SKIP}), accept_partial=True)
    counts = {"pass": rest + 2, "fail": 0, "not_exercised": 1, "inconclusive": 0, "waived": [], "required": rest + 3}
    assert told(partial, Check.VERDICT) == [("partial-accepted", Result.PASSED, counts)]


@pytest.mark.parametrize("reason", [NOT_SELECTED, f"2 of 3 scenarios were not exercised: {NOT_SELECTED}"])
def test_what_somebody_chose_not_to_certify_is_not_accepted_as_partial(reason: str) -> None:
    certificate = document({ONE: SKIP, TWO: SKIP})
    next(entry for entry in certificate["rules"] if entry["id"] == TWO)["reason"] = reason
    decision = decided(sealed(certificate), accept_partial=True)
    assert decision.exit_code == 2
    ((kind, result, facts),) = told(decision, Check.VERDICT)
    assert (kind, result, facts["left_out"]) == ("partial-by-choice", Result.REFUSED, 1)


def test_rules_that_deserve_a_look_are_told_by_reason_failures_first_and_recommended_last() -> None:
    certificate = document(
        {ONE: SKIP, TWO: FAIL, THREE: SKIP, REQUIRED[3]: UNKNOWN, LESSER: FAIL, RECOMMENDED[1]: SKIP}
    )
    assert decided(certificate).groups == (
        Group(Level.REQUIRED, FAIL, "why it is fail", (TWO,)),
        Group(Level.REQUIRED, UNKNOWN, "why it is inconclusive", (REQUIRED[3],)),
        Group(Level.REQUIRED, SKIP, CLOCK, (ONE, THREE)),
        Group(Level.RECOMMENDED, FAIL, "why it is fail", (LESSER,)),
    )


def test_rules_with_other_reasons_are_told_apart() -> None:
    certificate = document({ONE: SKIP, TWO: SKIP})
    certificate["rules"][list(catalogue().rules).index(ONE)]["reason"] = "another"
    assert [(group.reason, group.rules) for group in decided(sealed(certificate)).groups] == [
        ("another", (ONE,)),
        (CLOCK, (TWO,)),
    ]


def test_the_weightiest_exit_code_counts() -> None:
    assert WEIGHTS == (0, 2, 1, 3)
    assert decided(document({ONE: FAIL}), max_age=1.0).exit_code == 3
    assert decided(document({ONE: SKIP}), max_age=1.0).exit_code == 3
    both = decided(document({ONE: FAIL}), max_age=1.0, profile="deep")
    assert refusals(both) == {"age: old": 3, "profile: too-little": 3, "verdict: nonconformant": 1}


def test_the_gate_and_certify_agree_on_every_verdict() -> None:
    def law(verdicts: dict[str, RuleVerdict]) -> None:
        certificate = document(verdicts)
        assert decided(certificate).exit_code == EXIT_CODES[RunVerdict(certificate["verdict"])]

    some = st.sampled_from([*REQUIRED[:4], *RECOMMENDED[:2]])
    prove(st.dictionaries(some, st.sampled_from([PASS, FAIL, SKIP, UNKNOWN])), law, 40)


# -- readings --------------------------------------------------------------------------------------------------------


def _read(how: str, **readings: str) -> Document:
    """A certificate with these readings, otherwise the default ones."""
    certificate, chosen = document(), {name.replace("_", "-"): value for name, value in readings.items()}
    certificate["readings"] = {**resolve({}), **chosen}
    certificate["readingsFrom"] = {**dict.fromkeys(resolve({}), "default"), **dict.fromkeys(chosen, how)}
    return sealed(certificate)


@pytest.mark.parametrize(
    ("how", "strict", "kind"),
    [
        ("stated", False, "told"),
        ("stated", True, "chosen"),
        ("probed", False, "probed"),
        ("probed", True, "probed"),
    ],
)
def test_readings_other_than_the_default_are_told_and_chosen_ones_refused_where_that_is_asked(
    how: str,
    strict: bool,
    kind: str,
) -> None:
    decision = decided(_read(how, value_mismatch="discrepancy"), strict_readings=strict)
    ((found, result, facts),) = told(decision, Check.READINGS)
    assert (found, facts) == (kind, {"readings": ["value-mismatch = discrepancy"]})
    assert result is {"told": Result.NOTED, "chosen": Result.REFUSED}.get(kind, Result.PASSED)
    assert decision.exit_code == (3 if kind == "chosen" else 0)


def test_a_chosen_reading_that_is_the_default_is_nothing_to_tell() -> None:
    decision = decided(_read("stated", value_mismatch="rejected"), strict_readings=True)
    assert told(decision, Check.READINGS) == [("default", Result.PASSED, {"readings": []})]


@pytest.mark.parametrize(
    ("asked", "differing"),
    [
        ({"value-mismatch": "discrepancy"}, None),
        ({}, "value-mismatch = discrepancy (now not stated)"),
        ({"value-mismatch": "rejected"}, "value-mismatch = discrepancy (now rejected)"),
        ({"value-mismatch": "discrepancy", "empty-extracts": "rejected"}, None),
    ],
)
def test_the_readings_must_be_those_of_the_target_file(asked: dict[str, str], differing: str | None) -> None:
    decision = decided(_read("stated", value_mismatch="discrepancy"), readings=asked)
    assert refusals(decision) == ({"readings: other": 3} if differing else {})
    assert [facts["readings"] for _, _, facts in told(decision, Check.READINGS)] == [
        [differing] if differing else ["value-mismatch = discrepancy"]
    ]


def test_a_certificate_without_readings_is_none_that_a_run_writes() -> None:
    certificate = document()
    certificate["readings"] = {}
    assert refusals(decided(sealed(certificate))) == {"readings: missing": 3}


# -- skips -----------------------------------------------------------------------------------------------------------

FIXTURE = "needs fixtures.inactive_account in the target file"


def _skipped(reason: str, stated: dict[str, str] | None = None) -> Document:
    certificate = document({TWO: SKIP})
    next(entry for entry in certificate["rules"] if entry["id"] == TWO)["reason"] = reason
    certificate["target"]["notExercised"] = stated or {}
    return sealed(certificate)


@pytest.mark.parametrize(
    ("reason", "is_beyond"),
    [
        (CLOCK, True),
        (f"2 of 3 scenarios were not exercised: {CLOCK}; {NEEDS_CONTROL['mock']}", True),
        (FIXTURE, False),
        (f"2 of 3 scenarios were not exercised: {CLOCK}; {FIXTURE}", False),
        ("", False),
    ],
)
def test_only_what_no_live_endpoint_can_show_needs_no_statement(reason: str, is_beyond: bool) -> None:
    decision = decided(_skipped(reason), accept_partial=True)
    assert refusals(decision) == ({} if is_beyond else {"skips: unstated": 2})


def test_a_stated_skip_passes_with_its_reason_shown() -> None:
    stated = {TWO: "no such account there"}
    for decision in (
        decided(_skipped(FIXTURE, stated), accept_partial=True),
        decided(_skipped(FIXTURE), accept_partial=True, not_exercised=stated),
    ):
        assert told(decision, Check.SKIPS) == [("stated", Result.NOTED, {"rule": TWO, "reason": stated[TWO]})]
        assert decision.exit_code == 0
    assert refusals(decided(_skipped(FIXTURE, stated))) == {"verdict: partial": 2}
    theirs = decided(_skipped(FIXTURE, stated), accept_partial=True, not_exercised={})
    assert refusals(theirs) == {"skips: unstated": 2}


def test_a_stated_skip_that_did_not_happen_is_refused() -> None:
    decision = decided(document(), not_exercised={ONE: "no such account there"})
    assert refusals(decision) == {"skips: exercised": 3}


def test_a_rule_that_passes_on_no_evidence_is_refused() -> None:
    certificate = document()
    certificate["rules"][0] |= {"accepted": 0, "refused": 0, "checked": 0}
    decision = decided(sealed(certificate))
    assert refusals(decision) == {"rules: unseen": 3}
    assert told(decision, Check.RULES)[0][2] == {"rules": [ONE]}


# -- what could not be read ------------------------------------------------------------------------------------------


def test_what_can_not_be_read_is_refused_and_the_rest_looked_at() -> None:
    decision = decided(document({ONE: FAIL}), unread={Check.WAIVERS: "no TOML", Check.TARGET: "no file"})
    assert refusals(decision) == {"target: unread": 3, "waivers: unread": 3, "verdict: nonconformant": 1}
    assert told(decision, Check.WAIVERS) == [("unread", Result.REFUSED, {"why": "no TOML"})]
    assert [found.check for found in decision.checks] == list(Check)


def test_without_a_certificate_nothing_is_decided() -> None:
    asked = Asked(now=NOW, max_age=WEEK)
    decision = decide(None, asked, catalogue(), {Check.WAIVERS: "no TOML", Check.CERTIFICATE: "not there"})
    assert refusals(decision) == {"certificate: unread": 3, "waivers: unread": 3}
    assert [found.check for found in decision.checks] == [Check.CERTIFICATE, Check.WAIVERS]
    assert decision.exit_code == 3


def test_a_certificate_of_another_catalogue_is_judged_by_that() -> None:
    other = replace(catalogue(), version="3000.1")
    assert refusals(decided(document(), contract=other)) == {"contract: another": 3}


def test_verdicts_are_judged_by_level() -> None:
    assert judge_verdicts([(Level.REQUIRED, PASS), (Level.RECOMMENDED, FAIL)]) is RunVerdict.CONFORMANT
    assert judge_verdicts([(Level.REQUIRED, FAIL), (Level.RECOMMENDED, PASS)]) is RunVerdict.NONCONFORMANT


def test_a_document_is_read_as_it_stands() -> None:
    raw = json.dumps(document()).encode()
    file = parse_certificate(raw, "certificate.json")
    assert (file.raw, file.document) == (raw, document())
