"""What the gate decides, check by check, on made-up certificates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.contract.readings import resolve
from conformance.contract.rules import Level, catalogue
from conformance.errors import CannotRun
from conformance.verdict.certificate import SCHEMA
from conformance.verdict.certificate_file import parse_certificate
from conformance.verdict.gate import decide
from conformance.verdict.gate_case import WEIGHTS, Asked, Check, Found, Group, Result, Wanted
from conformance.verdict.not_exercised import NEEDS_CONTROL
from conformance.verdict.signature import Signature, SignatureState
from conformance.verdict.verdicts import (
    EXIT_CODES,
    NOT_SELECTED,
    Kinds,
    RuleVerdict,
    RunVerdict,
    Waiver,
    judge_verdicts,
)
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
from tests.suite.support.made_up_certificates import FINISHED
from tests.suite.support.properties import prove

PASS, FAIL, SKIP, UNKNOWN = RuleVerdict.PASS, RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE
TODAY = NOW.date()
LATER, YESTERDAY = date(2026, 12, 31), TODAY - timedelta(days=1)
ONE, TWO, THREE = REQUIRED[:3]
LESSER = RECOMMENDED[0]


def told(decision: Any, check: Check) -> list[tuple[str, Result, dict[str, object]]]:
    """What one check found: kinds, results and facts."""
    return [(found.kind, found.result, dict(found.facts)) for found in decision.checks if found.check is check]


# -- a sound certificate -------------------------------------------------------------------------------------------


TESTED = {
    "name": "ours",
    "environment": "sandbox",
    "base_url": "https://koncili.example",
    "integrator": "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11",
    "accounts": "19055 CHANNEL_NAME, 19056 CHANNEL_NAME, 19060 OTHER_CHANNEL",
}


def test_a_conformant_certificate_passes_every_check() -> None:
    decision = decided(document())
    contract = {"version": catalogue().version, "sha256": catalogue().sha256}
    signature = {"path": "", "allowed": "", "signer": "", "key": "", "said": ""}
    counts = {"pass": len(REQUIRED), "fail": 0, "not_exercised": 0, "inconclusive": 0, "waived": []}
    assert decision.checks == (
        Found(Check.CERTIFICATE, "read", Result.PASSED, 0, {"schema": SCHEMA, "suite": document()["suite"]["version"]}),
        Found(Check.DIGEST, "right", Result.PASSED),
        Found(Check.RULES, "whole", Result.PASSED, 0, {"count": len(catalogue().rules)}),
        Found(Check.SIGNATURE, "not-asked", Result.NOTED, 0, signature),
        Found(Check.AGE, "fresh", Result.PASSED, 0, {"finished": FINISHED, "most": WEEK}),
        Found(Check.CONTRACT, "same", Result.PASSED, 0, contract),
        Found(Check.TARGET, "not-asked", Result.NOTED, 0, TESTED),
        Found(Check.READINGS, "probed", Result.PASSED, 0, {"readings": ["extract-types = portal"]}),
        Found(Check.PROFILE, "enough", Result.PASSED, 0, {"stated": "certification"}),
        Found(Check.COVERAGE, "untold", Result.NOTED),
        Found(Check.WAIVERS, "none", Result.NOTED),
        Found(Check.SKIPS, "none", Result.NOTED),
        Found(Check.VERDICT, "conformant", Result.PASSED, 0, {**counts, "required": len(REQUIRED)}),
    )
    assert decision.groups == ()
    assert decision.exit_code == 0


def test_the_same_certificate_is_decided_alike_each_time() -> None:
    certificate = document({ONE: FAIL, TWO: SKIP})
    assert decided(certificate) == decided(certificate)


# -- an edited one -------------------------------------------------------------------------------------------------


def _without_first_rule(certificate: Document) -> None:
    del certificate["rules"][0]


def _passes(certificate: Document) -> None:
    certificate["rules"][0]["verdict"] = "pass"
    certificate["verdict"] = "conformant"


EDITS: dict[str, Callable[[Document], object]] = {
    "the run's verdict": lambda certificate: certificate.update(verdict="conformant"),
    "a rule's verdict and the run's": _passes,
    "a reason": lambda certificate: certificate["rules"][0].update(reason="it is fine"),
    "a rule taken out": _without_first_rule,
    "the base URL": lambda certificate: certificate["target"].update(baseUrl="https://another.example"),
    "a counterexample": lambda certificate: certificate["rules"][0].update(counterexample=None),
    "when it finished": lambda certificate: certificate.update(finishedAt="2026-11-22T13:30:00Z"),
    "a waiver": lambda certificate: certificate["rules"][0].update(waiver={"reason": "x", "until": "2026-12-31"}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_certificate_is_refused(edit: Callable[[Document], object]) -> None:
    certificate = document({ONE: FAIL})
    stated = certificate["digest"]
    edit(certificate)
    decision = decided(certificate)
    assert refusals(decision)["digest: wrong"] == 3
    assert told(decision, Check.DIGEST) == [
        ("wrong", Result.REFUSED, {"stated": stated, "actual": sealed(certificate)["digest"]})
    ]
    assert decision.exit_code == 3


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a document's values are that hold no others."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    inner = [leaf for key, part in parts for leaf in leaves(part, (*place, key))]
    yield from inner or [place]


def test_any_edit_of_any_value_is_noticed() -> None:
    whole = document({ONE: FAIL, TWO: SKIP}, waived=[Waiver(THREE, "known", LATER, whole=True)])
    values = (
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=5) | st.sampled_from(["pass", "conformant", "deep", "2027-01-01", "required", [], {}])
    )  # fmt: skip

    def law(case: tuple[tuple[Any, ...], Any]) -> None:
        (*way, last), value = case
        holder = certificate = deepcopy(whole)
        for key in way:
            holder = holder[key]
        if holder[last] == value and isinstance(holder[last], bool) == isinstance(value, bool):
            return  # 1 and 1.0 are the same number in JSON
        holder[last] = value
        try:
            decision = decided(certificate)
        except CannotRun:
            return
        assert {"digest: wrong", "digest: missing", "digest: impossible"} & refusals(decision).keys()

    prove(st.tuples(st.sampled_from(list(leaves(whole))), values), law, 300)


def test_a_certificate_without_a_digest_is_refused() -> None:
    """One that an older suite wrote has none."""
    certificate = document()
    del certificate["digest"]
    assert refusals(decided(certificate)) == {"digest: missing": 3}
    assert refusals(decided({**certificate, "digest": None})) == {"digest: missing": 3}


def test_a_number_that_readers_take_for_different_ones_is_refused() -> None:
    decision = decided({**document(), "seed": 2**53})
    assert refusals(decision) == {"digest: impossible": 3}
    (found,) = told(decision, Check.DIGEST)
    assert str(2**53) in str(found[2]["why"])


# -- a forged one, with its digest recomputed ------------------------------------------------------------------------


def _twice(certificate: Document) -> None:
    certificate["rules"].append(certificate["rules"][2])


def _unknown(certificate: Document) -> None:
    certificate["rules"][1]["id"] = "ORD-99"


@pytest.mark.parametrize(
    ("edit", "kind", "facts"),
    [
        (_without_first_rule, "missing", {"rules": [next(iter(catalogue().rules))]}),
        (_twice, "twice", {"rules": [list(catalogue().rules)[2]]}),
        (_unknown, "unknown", {"rules": ["ORD-99"]}),
        (
            lambda certificate: certificate["rules"][0].update(level="recommended"),
            "level",
            {"rules": [next(iter(catalogue().rules))]},
        ),
        (
            lambda certificate: certificate.update(verdict="partial"),
            "verdict",
            {"stated": RunVerdict.PARTIAL, "follows": RunVerdict.CONFORMANT},
        ),
    ],
)
def test_what_no_run_writes_is_refused_though_its_digest_is_right(
    edit: Callable[[Document], object], kind: str, facts: dict[str, object]
) -> None:
    certificate = document()
    edit(certificate)
    decision = decided(sealed(certificate))
    assert (kind, Result.REFUSED, facts) in told(decision, Check.RULES)
    assert refusals(decision)[f"rules: {kind}"] == 3
    assert "digest: wrong" not in refusals(decision)


def test_a_failing_rule_called_recommended_is_noticed() -> None:
    certificate = document({ONE: FAIL})
    entry = next(entry for entry in certificate["rules"] if entry["id"] == ONE)
    entry["level"], certificate["verdict"] = "recommended", "conformant"
    assert refusals(decided(sealed(certificate))) == {"rules: level": 3}


def test_several_things_wrong_with_the_rules_are_all_told() -> None:
    certificate = document({ONE: FAIL})
    _twice(certificate)
    _unknown(certificate)
    certificate["verdict"] = "conformant"
    found = told(decided(sealed(certificate)), Check.RULES)
    assert [kind for kind, _, _ in found] == ["twice", "verdict", "missing", "unknown"]


def test_the_rules_of_another_contract_are_not_compared_with_ours() -> None:
    certificate = document()
    certificate["contract"]["version"] = "2020.01"
    _without_first_rule(certificate)
    decision = decided(sealed(certificate))
    assert told(decision, Check.RULES) == [("not-compared", Result.NOTED, {})]
    certificate["verdict"] = "partial"
    assert refusals(decided(sealed(certificate))) == {"rules: verdict": 3, "contract: other": 3}


# -- what it is of -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "most", "kind"),
    [
        (timedelta(days=7), WEEK, None),
        (timedelta(days=7, seconds=1), WEEK, "old"),
        (timedelta(seconds=1), 0.0, "old"),
        (timedelta(), 0.0, None),
        (timedelta(days=400), 1e30, None),
        (timedelta(minutes=-5), WEEK, None),
        (timedelta(minutes=-5, seconds=-1), WEEK, "future"),
    ],
)
def test_a_certificate_counts_for_a_time(age: timedelta, most: float, kind: str | None) -> None:
    decision = decided(document(), now=FINISHED + age, max_age=most)
    assert refusals(decision) == ({f"age: {kind}": 3} if kind else {})
    facts: dict[str | None, dict[str, object]] = {
        None: {"finished": FINISHED, "most": most},
        "old": {"finished": FINISHED, "most": most, "until": FINISHED + timedelta(seconds=min(most, WEEK))},
        "future": {"finished": FINISHED},
    }
    assert [found[2] for found in told(decision, Check.AGE)] == [facts[kind]]


@pytest.mark.parametrize("field", ["version", "sha256"])
def test_a_certificate_of_another_contract_is_refused(field: str) -> None:
    certificate = document()
    certificate["contract"][field] = "0" * 64
    decision = decided(sealed(certificate))
    assert refusals(decision) == {"contract: other": 3}
    ours = {"own_version": catalogue().version, "own_sha256": catalogue().sha256}
    facts = {**certificate["contract"], **ours, "suite": certificate["suite"]["version"]}
    assert told(decision, Check.CONTRACT) == [("other", Result.REFUSED, facts)]


@pytest.mark.parametrize("name", list(TESTED))
def test_the_target_must_be_the_one_that_is_asked_for(name: Any) -> None:
    right = decided(document(), target=(Wanted(name, TESTED[name], "--option"),))
    assert refusals(right) == {}
    assert told(right, Check.TARGET) == [("same", Result.PASSED, TESTED)]
    wrong = decided(document(), target=(Wanted(name, "another", "--option"),))
    assert refusals(wrong) == {"target: other": 3}
    facts = {"what": name, "stated": TESTED[name], "wanted": "another", "option": "--option"}
    assert told(wrong, Check.TARGET) == [("other", Result.REFUSED, facts)]


def test_whatever_is_wrong_with_the_target_is_told() -> None:
    wanted = (Wanted("name", "a", "-n"), Wanted("environment", "sandbox", "-e"), Wanted("base_url", "b", "-b"))
    found = told(decided(document(), target=wanted), Check.TARGET)
    assert [facts["what"] for _, _, facts in found] == ["name", "base_url"]


def test_a_certificate_of_the_mock_is_called_one_where_nothing_was_asked() -> None:
    mock = document(environment="mock")
    assert [kind for kind, _, _ in told(decided(mock), Check.TARGET)] == ["mock"]
    assert decided(mock).exit_code == 0
    asked = decided(mock, target=(Wanted("environment", "sandbox", "--environment"),))
    assert refusals(asked) == {"target: other": 3}


@pytest.mark.parametrize(
    ("stated", "least", "passes"),
    [
        ("smoke", "smoke", True), ("certification", "smoke", True), ("deep", "certification", True),
        ("smoke", "certification", False), ("certification", "deep", False), ("certification", "certification", True),
        ("thorough", "smoke", False),
    ],
)  # fmt: skip
def test_at_least_a_profile_is_asked_for(stated: str, least: str, passes: bool) -> None:
    decision = decided(document(profile=stated), profile=least)
    assert refusals(decision) == ({} if passes else {"profile: too-little": 3})
    facts = {"stated": stated} if passes else {"stated": stated, "least": least}
    assert [found[2] for found in told(decision, Check.PROFILE)] == [facts]


def kinds(*, tried: int, left: int, earlier: int = 0, age: timedelta = timedelta()) -> Kinds:
    """So many kinds; of those left so many that earlier runs tried, so long before the end of the run."""
    names = [f"kind {number}" for number in range(left)]
    at = (FINISHED - age).isoformat()
    return Kinds(tuple(f"tried {number}" for number in range(tried)), tuple(names), dict.fromkeys(names[:earlier], at))


@pytest.mark.parametrize(
    ("of", "least", "found"),
    [
        (kinds(tried=3, left=1), None, ("not-asked", 0)),
        (kinds(tried=3, left=1), "75", ("enough", 0)),
        (kinds(tried=3, left=1), "75.1", ("too-little", 2)),
        (kinds(tried=2, left=0), "100", ("enough", 0)),
        (kinds(tried=999, left=1), "100", ("too-little", 2)),
        (kinds(tried=9_999, left=1), "100", ("too-little", 2)),
        (kinds(tried=1, left=3, earlier=2), "75", ("enough-with-earlier", 0)),
        (kinds(tried=1, left=3, earlier=2), "76", ("too-little-with-earlier", 2)),
        (kinds(tried=1, left=3, earlier=2), None, ("not-asked-with-earlier", 0)),
        (kinds(tried=1, left=3, earlier=3, age=timedelta(days=6)), "100", ("enough-with-earlier", 0)),
        (kinds(tried=1, left=3, earlier=3, age=timedelta(days=7)), "26", ("too-little", 2)),
        (kinds(tried=0, left=0), "100", ("enough", 0)),
        (None, None, ("untold", 0)),
        (None, "0", ("unknown", 3)),
    ],
)
def test_at_least_so_many_kinds_are_asked_for(of: Kinds | None, least: str | None, found: tuple[str, int]) -> None:
    """What earlier runs tried counts as long as their certificate would."""
    decision = decided(document(kinds=of), min_coverage=None if least is None else Decimal(least))
    assert [(each.kind, each.code) for each in decision.checks if each.check is Check.COVERAGE] == [found]
    assert decision.exit_code == found[1]


def test_certification_is_what_is_asked_for_where_nothing_is_said() -> None:
    assert refusals(decided(document(profile="smoke"))) == {"profile: too-little": 3}


@pytest.mark.parametrize("state", list(SignatureState))
def test_a_signature_that_was_asked_for_must_be_good(state: SignatureState) -> None:
    signature = Signature(state=state, path="c.sig", allowed="allowed", signer="ci", key="a key", said="no")
    decision = decided(document(), signature=signature)
    facts = asdict(signature)
    del facts["state"]
    unasked = {SignatureState.NOT_ASKED, SignatureState.NOT_LOOKED_AT}
    good = Result.PASSED if state is SignatureState.GOOD else Result.NOTED if state in unasked else Result.REFUSED
    assert told(decision, Check.SIGNATURE) == [(state.value, good, facts)]
    assert decision.exit_code == (3 if good is Result.REFUSED else 0)


# -- the verdict ---------------------------------------------------------------------------------------------------


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


# -- readings ------------------------------------------------------------------------------------------------------


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


# -- skips ---------------------------------------------------------------------------------------------------------

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


# -- waivers -------------------------------------------------------------------------------------------------------


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


# -- what could not be read ----------------------------------------------------------------------------------------


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
    assert refusals(decided(document(), contract=other)) == {"contract: other": 3}


def test_verdicts_are_judged_by_level() -> None:
    assert judge_verdicts([(Level.REQUIRED, PASS), (Level.RECOMMENDED, FAIL)]) is RunVerdict.CONFORMANT
    assert judge_verdicts([(Level.REQUIRED, FAIL), (Level.RECOMMENDED, PASS)]) is RunVerdict.NONCONFORMANT


def test_a_document_is_read_as_it_stands() -> None:
    raw = json.dumps(document()).encode()
    file = parse_certificate(raw, "certificate.json")
    assert (file.raw, file.document) == (raw, document())
