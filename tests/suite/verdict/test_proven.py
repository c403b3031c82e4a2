"""The proof of the suite in its certificates, and what the gate asks of it; what the target file says of the target."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.errors import CannotRun
from conformance.escaping import markdown as escaped
from conformance.proof.proof import Fate, Proof, Ratio, Subject, judge_proof, ratio
from conformance.report.page.render import page
from conformance.report.summary import markdown
from conformance.verdict.certificate import AboutEntry, Suite
from conformance.verdict.certificate_file import parse_certificate
from conformance.verdict.gate_case import Check, Result, Wanted
from conformance.verdict.proven import ProofEntry, own_proof
from conformance.verdict.suite_code import code_digest
from tests.suite.support.gate_cases import NOW, Document, decided, document, refusals, sealed
from tests.suite.support.gate_checks import told
from tests.suite.support.made_up_certificates import STARTED, certified

MONTH: Final = 30 * 86_400.0


def subject(name: str, verdict: Fate) -> Subject:
    return Subject(
        name=name, family="made up", statement="", verdict=verdict, scenarios=1, requests=1, client_errors=0, seconds=1
    )


def proof(**changed: Any) -> Proof:
    """A proof of two defects and a variant, as it should be, by this very code."""
    clean = subject("the plain mock", Fate.PASSED)
    defects = (subject("a", Fate.CAUGHT), subject("b", changed.pop("second", Fate.CAUGHT)))
    variants = (subject("c", Fate.PASSED),)
    sensitivity, specificity = ratio(defects, 2), ratio(variants, 1)
    everything = changed.pop("everything", True)
    made: dict[str, Any] = {
        "verdict": judge_proof(clean=clean, sensitivity=sensitivity, specificity=specificity, everything=everything),
        "suite": Suite.own(), "profile": "certification", "seed": 0, "mode": "first-blame",
        "started_at": STARTED - timedelta(hours=1), "finished_at": STARTED, "seconds": 60,
        "sensitivity": sensitivity, "specificity": specificity, "clean": clean, "defects": defects, "variants": variants,
    }  # fmt: skip
    return Proof(**made | changed)


def file_of(made: Proof, path: Path) -> Path:
    path.write_text(made.to_json(), encoding="utf-8")
    return path


def entry(made: Proof) -> ProofEntry:
    return ProofEntry.of(made.to_json().encode())


def proved(made: Proof | None, *, code: str | None = "own", profile: str = "certification") -> Document:
    """A certificate that tells of that proof."""
    edited = document(profile=profile)
    edited["suite"]["code"] = code_digest() if code == "own" else code
    edited["proof"] = json.loads(entry(made).model_dump_json(by_alias=True)) if made else None
    return sealed(edited)


# -- which proof is told -----------------------------------------------------------------------------------------------


def test_the_proof_beside_the_reports_is_told(tmp_path: Path) -> None:
    found = own_proof(None, file_of(proof(), tmp_path / "proof.json"))
    assert found is not None
    assert (str(found.sensitivity), str(found.specificity), found.is_whole) == ("2/2", "1/1", True)
    assert (found.finished_at, found.code, found.profile) == (STARTED, code_digest(), "certification")


def test_one_in_which_variants_shared_mocks_is_partial(tmp_path: Path) -> None:
    found = own_proof(None, file_of(proof(together=True), tmp_path / "proof.json"))
    assert found is not None
    assert (found.verdict, found.is_whole) == ("partial", False)
    assert entry(proof(together=True, second=Fate.MISSED)).verdict == "not-whole"


OF_OTHER_CODE: Final = Suite(version="0", commit=None, code="sha256:" + "0" * 64)
OF_AN_OLDER_SUITE: Final = Suite(version="0", commit=None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            proof(suite=OF_OTHER_CODE).to_json(),
            "is the proof of another state of the suite; run `koncili-conformance prove`",
        ),
        (proof(suite=OF_AN_OLDER_SUITE).to_json(), "is no proof that can be read: code is missing or malformed"),
        ("{}", "its schema is not koncili-conformance/proof/1"),
        ("[]", "its schema is not koncili-conformance/proof/1"),
        ("no JSON", "is no proof that can be read: Expecting value"),
        (None, "is no proof that can be read: "),
    ],
)
def test_one_of_another_suite_is_none_and_to_name_it_is_an_error(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "proof.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert own_proof(None, path) is None
    with pytest.raises(CannotRun) as error:
        own_proof(path, None)
    assert str(path) in str(error.value)
    assert why in str(error.value)


# -- what the gate asks of it ------------------------------------------------------------------------------------------


def test_a_whole_proof_of_the_same_code_is_taken() -> None:
    decision = decided(proved(proof()), require_proof=True, max_proof_age=MONTH)
    assert decision.exit_code == 0
    [(kind, result, facts)] = told(decision, Check.PROOF)
    assert (kind, result, facts["sensitivity"], facts["specificity"]) == ("whole", Result.PASSED, "2/2", "1/1")


@pytest.mark.parametrize(
    ("certificate", "asked", "kind"),
    [
        (lambda: proved(None), {}, "missing"),
        (lambda: proved(proof(), code=None), {}, "other"),
        (lambda: proved(proof(), code="sha256:" + "1" * 64), {}, "other"),
        (lambda: proved(proof()), {"proof_beside": "sha256:" + "2" * 64}, "other-file"),
        (lambda: proved(proof(second=Fate.MISSED)), {}, "not-whole"),
        (lambda: proved(proof(everything=False)), {}, "not-whole"),
        (lambda: proved(proof(sensitivity=Ratio(right=1, of=2))), {}, "not-whole"),
        (lambda: proved(proof(specificity=Ratio(right=0, of=0))), {}, "not-whole"),
        (lambda: proved(proof(profile="smoke")), {}, "too-little"),
        (lambda: proved(proof(profile="unheard of")), {}, "too-little"),
        (lambda: proved(proof(finished_at=NOW - timedelta(days=31))), {}, "old"),
        (lambda: proved(proof(finished_at=NOW + timedelta(days=1))), {}, "future"),
    ],
)
def test_other_proofs_are_refused(certificate: Callable[[], Document], asked: dict[str, Any], kind: str) -> None:
    decision = decided(certificate(), require_proof=True, max_proof_age=MONTH, **asked)
    assert refusals(decision) == {f"proof: {kind}": 3}
    assert decided(certificate(), **asked).exit_code == 0  # none was asked for


def test_a_quick_certification_needs_no_more_than_a_quick_proof() -> None:
    certificate = proved(proof(profile="smoke"), profile="smoke")
    assert decided(certificate, require_proof=True, max_proof_age=MONTH, profile="smoke").exit_code == 0
    assert decided(proved(proof(), profile="deep"), require_proof=True, max_proof_age=MONTH).exit_code == 0


# -- what was tested ---------------------------------------------------------------------------------------------------

ABOUT: Final = AboutEntry(owner="Koncili", version="4.2 <beta>", contact="api@koncili.example")


def test_what_the_target_file_says_of_the_target_is_told_everywhere() -> None:
    certificate = certified(about=ABOUT, proof=entry(proof()))
    read = parse_certificate(certificate.sealed.to_json().encode(), "certificate.json").certificate
    assert (read.about, read.proof) == (ABOUT, entry(proof()))
    assert (
        f"- owner: {escaped(ABOUT.owner)}\n- version: {escaped(ABOUT.version)}\n- contact: {escaped(ABOUT.contact)}\n"
        in markdown(certificate)
    )
    assert "proved: 2/2 defects caught, 1/1 variants passed" in markdown(certificate)
    shown = page(certificate)
    assert all(
        part in shown for part in ("Version tested", "4.2 &lt;beta&gt;", "api@koncili.example", "Proof of the suite")
    )
    assert "Version tested" not in page(certified())


def test_a_certificate_of_another_version_of_the_target_is_refused() -> None:
    edited = document()
    edited["about"] = {"owner": "Koncili", "version": "4.1", "contact": ""}
    option = "--target sandbox.toml"
    asked = (Wanted("owner", "Koncili", option), Wanted("version", "4.2", option))
    assert refusals(decided(sealed(edited), target=asked)) == {"target: other": 3}
    assert refusals(decided(document(), target=asked[:1])) == {"target: other": 3}
    edited["about"]["version"] = "4.2"
    assert decided(sealed(edited), target=asked).exit_code == 0
