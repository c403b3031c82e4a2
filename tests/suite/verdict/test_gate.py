"""The gate: sound, edited and forged certificates, and what they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.verdict.certificate import SCHEMA
from conformance.verdict.gate_case import Check, Found, Result, Wanted
from conformance.verdict.signature import Signature, SignatureState
from conformance.verdict.verdicts import Kinds, RunVerdict, Waiver
from tests.suite.support.gate_cases import REQUIRED, WEEK, Document, decided, document, refusals, sealed
from tests.suite.support.gate_checks import FAIL, LATER, ONE, SKIP, THREE, TWO, kinds, told
from tests.suite.support.made_up_certificates import FINISHED
from tests.suite.support.properties import prove

# -- a sound certificate ---------------------------------------------------------------------------------------------

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
        Found(Check.FILES, "none", Result.NOTED, 0, {"files": []}),
        Found(Check.RULES, "whole", Result.PASSED, 0, {"count": len(catalogue().rules)}),
        Found(Check.SIGNATURE, "not-asked", Result.NOTED, 0, signature),
        Found(Check.AGE, "fresh", Result.PASSED, 0, {"finished": FINISHED, "most": WEEK}),
        Found(Check.CONTRACT, "same", Result.PASSED, 0, contract),
        Found(Check.PROOF, "none", Result.NOTED),
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


@pytest.mark.parametrize(
    ("beside", "kind", "code"),
    [("sha256:" + "a" * 64, "same", 0), ("sha256:" + "b" * 64, "other", 3), (None, "absent", 3)],
)
def test_what_lies_beside_it_must_be_of_the_same_run(beside: str | None, kind: str, code: int) -> None:
    certificate = document()
    certificate["files"] = {"traffic.har": "sha256:" + "a" * 64}
    decision = decided(sealed(certificate), files={"traffic.har": beside})
    ((found, _, facts),) = told(decision, Check.FILES)
    assert (found, facts, decision.exit_code) == (kind, {"files": ["traffic.har"]}, code)


def test_a_certificate_counts_without_what_its_run_left_only_where_that_is_asked_for() -> None:
    certificate = document()
    certificate["files"] = {"traffic.har": "sha256:" + "a" * 64}
    decision = decided(sealed(certificate), files={"traffic.har": None}, alone=True)
    ((kind, result, _),) = told(decision, Check.FILES)
    assert (kind, result, decision.exit_code) == ("alone", Result.NOTED, 0)
    another = decided(sealed(certificate), files={"traffic.har": "sha256:" + "b" * 64}, alone=True)
    assert another.exit_code == 3


def test_the_same_certificate_is_decided_alike_each_time() -> None:
    certificate = document({ONE: FAIL, TWO: SKIP})
    assert decided(certificate) == decided(certificate)


# -- an edited one ---------------------------------------------------------------------------------------------------


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


# -- what it is of ---------------------------------------------------------------------------------------------------


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
