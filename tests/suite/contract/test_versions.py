"""The versions of the contract: frozen as they are, and what was added later is shown and never scored."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from conformance.contract import rules
from conformance.contract.readings import resolve
from conformance.contract.rules import Catalogue, Level, catalogue, every_rule, read_catalogue
from conformance.errors import CannotRun
from conformance.report.files import CERTIFICATE, Reports
from conformance.report.junit import cases
from conformance.run.options import Task
from conformance.run.outcome import Ending
from conformance.run.session import Options
from conformance.target.wire.redaction import Redactor
from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.gate_case import Check, Decision
from conformance.verdict.verdicts import RunVerdict
from tests.suite.support.gate_cases import decided, document, refusals, sealed
from tests.suite.support.gate_checks import told
from tests.suite.support.made_up_certificates import FINISHED, STARTED
from tests.suite.support.made_up_evidence import all_pass, scenario

RAW = files("conformance.contract").joinpath("rules.yaml").read_text(encoding="utf-8")

FIRST, SECOND = "2026.11", "2031.01"
"""The first version, and one that is made up for these tests."""

NEW = "ORD-05"
"""The rule that came with it."""

TRAFFIC = {"requests": 9, "client_errors": 3, "server_errors": 0, "throttled": 0}


@pytest.mark.parametrize("version", every_rule().versions)
def test_a_version_is_as_it_was_frozen(version: str) -> None:
    actual = every_rule().as_of(version).sha256
    assert actual == every_rule().versions[version], (
        f"the rules of {version} are frozen, and are others now: give a new rule, or one that demands something else, a row of "
        "its own with a `since` of a version that is not frozen yet (`versions` at the head of rules.yaml; what is there now has "
        f"the digest {actual})"
    )


def changed(old: str, new: str) -> Catalogue:
    """The catalogue with a change in its file."""
    assert old in RAW
    return read_catalogue(RAW.replace(old, new, 1).encode())


def digest(made: Catalogue) -> str:
    return made.as_of(FIRST).sha256


def test_words_and_sources_may_be_put_better() -> None:
    made = changed("statement: The right credentials get", "statement: Right credentials get")
    assert digest(made) == every_rule().sha256
    assert digest(changed('source: "P: authentication flow"', 'source: "P: the flow"')) == every_rule().sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    level: recommended\n", "    level: required\n"),
        ("    refused: 403\n", "    refused: 4xx\n"),
        ('codes: ["404-1"]', 'codes: ["404-3"]'),
        ("sides: [accepted, refused]", "sides: [refused]"),
        ("needs: [clock]", "needs: []"),
        ("    id: ACC-01", "    id: ACC-91"),
    ],
)
def test_what_verdicts_hang_on_may_not_change(old: str, new: str) -> None:
    old, new = (text.replace("    id:", "  - id:") if "id:" in text else text for text in (old, new))
    assert digest(changed(old, new)) != every_rule().sha256


def test_a_rule_must_be_of_a_version_that_there_is() -> None:
    with pytest.raises(ValueError, match=r"AUTH-01: `since` is none of the versions"):
        changed("    area: authentication\n", '    area: authentication\n    since: "2029.01"\n')


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """A catalogue of two versions: one rule came with the second."""
    row = f"  - id: {NEW}\n"
    raw = (
        re.sub(r"    since: .*\n", "", RAW)
        .replace(row, f'{row}    since: "{SECOND}"\n')
        .replace("versions:\n", f'versions:\n  "{FIRST}": "-"\n  "{SECOND}": "-"\n')
    )
    made = read_catalogue(re.sub(rf'(  "{SECOND}": "-"\n)(  "[^\n]*\n)+', r"\1", raw).encode())
    monkeypatch.setattr(rules, "every_rule", lambda: made)
    return made


def seen(*, broken: str) -> Evidence:
    """A run in which all rules hold but one."""
    evidence = all_pass(broken)
    scenario(evidence, broken, f"{broken} is broken", Outcome.FAILED)
    evidence.readings.update(resolve({}))
    evidence.readings_from.update(dict.fromkeys(resolve({}), "default"))
    return evidence


def ended(evidence: Evidence, place: Path, version: str | None) -> tuple[Ending, Certificate]:
    """A run that was asked for that version and saw this."""
    ending = Ending(Task(options=Options(contract=version), reports=Reports(place)), STARTED)
    place.mkdir(exist_ok=True)
    return ending, ending.certify(evidence, TRAFFIC, Redactor(), finished_at=FINISHED)


def gated(place: Path, version: str | None) -> Decision:
    """What the gate decides by that version."""
    document_ = dict(load_certificate(place / CERTIFICATE).document)
    return decided(document_, contract=catalogue(version=version))


def test_what_was_added_later_is_shown_and_not_scored(grown: Catalogue, tmp_path: Path) -> None:
    evidence = seen(broken=NEW)
    ending, certificate = ended(evidence, tmp_path, FIRST)
    entry = next(entry for entry in certificate.rules if entry.id == NEW)
    assert (entry.level, entry.verdict, bool(entry.findings)) == (Level.LATER, "fail", True)
    assert (certificate.verdict, ending.exit_code) == (RunVerdict.CONFORMANT, 0)
    assert certificate.contract.version == FIRST
    assert certificate.contract.sha256 != grown.sha256
    [case] = {case.status for case in cases(certificate, evidence) if case.name.startswith(NEW)}
    assert case == "skipped"
    decision = gated(tmp_path, FIRST)
    assert decision.exit_code == 0
    assert (
        "later",
        {"version": FIRST, "rules": [f"{NEW} fail"]},
    ) in [(kind, facts) for kind, _, facts in told(decision, Check.CONTRACT)]


@pytest.mark.parametrize("version", [None, SECOND])
def test_it_is_scored_once_it_is_asked_for(grown: Catalogue, tmp_path: Path, version: str | None) -> None:
    ending, certificate = ended(seen(broken=NEW), tmp_path, version)
    assert (certificate.verdict, ending.exit_code) == (RunVerdict.NONCONFORMANT, 1)
    assert (certificate.contract.version, certificate.contract.sha256) == (SECOND, grown.sha256)
    assert gated(tmp_path, version).exit_code == 1


@pytest.mark.usefixtures("grown")
def test_a_rule_of_then_is_scored_by_then_and_now(tmp_path: Path) -> None:
    for version in (FIRST, SECOND):
        ending, _ = ended(seen(broken="ORD-04"), tmp_path / version, version)
        assert (ending.exit_code, gated(tmp_path / version, version).exit_code) == (1, 1)


@pytest.mark.usefixtures("grown")
def test_the_gate_takes_no_certificate_by_another_version(tmp_path: Path) -> None:
    ended(seen(broken=NEW), tmp_path, FIRST)
    assert refusals(gated(tmp_path, None)) == {"contract: another": 3}
    ended(seen(broken="ERR-03"), tmp_path, None)  # a recommended one
    assert refusals(gated(tmp_path, FIRST)) == {"contract: another": 3}


@pytest.mark.usefixtures("grown")
def test_nobody_takes_a_required_rule_for_a_later_one(tmp_path: Path) -> None:
    ended(seen(broken="ORD-04"), tmp_path, FIRST)
    edited = json.loads((tmp_path / CERTIFICATE).read_text(encoding="utf-8"))
    for entry in edited["rules"]:
        if entry["id"] == "ORD-04":
            entry["level"] = "later"
    edited["verdict"] = "conformant"
    assert refusals(decided(sealed(edited), contract=catalogue(version=FIRST))) == {"rules: level": 3}


def test_what_an_older_suite_could_not_know_of_is_not_missing(grown: Catalogue) -> None:
    older = document()
    older["rules"] = [entry for entry in older["rules"] if entry["id"] != NEW]
    older["contract"] = {"version": FIRST, "sha256": grown.as_of(FIRST).sha256}
    assert decided(sealed(older), contract=catalogue(version=FIRST)).exit_code == 0


def test_what_only_a_newer_suite_knows_is_not_unknown() -> None:
    newer = document()
    newer["rules"].append({**newer["rules"][0], "id": "ORD-99", "level": "later"})
    assert decided(sealed(newer)).exit_code == 0
    newer["rules"][-1]["level"] = "recommended"
    assert refusals(decided(sealed(newer))) == {"rules: unknown": 3}


def test_no_such_version_is_told_with_those_that_there_are() -> None:
    with pytest.raises(CannotRun, match=r"there is no contract '2025\.01'; the versions are 2026\.11"):
        catalogue(version="2025.01")
