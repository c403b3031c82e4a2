"""`koncili-conformance prove` as a user runs it, and that a proof in which the suite is wrong does not come out whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.mock.defects import DEFECTS, FAMILY_OF
from conformance.mock.variants import VARIANTS
from conformance.proof.page import PREFIX
from conformance.proof.proof import Fate, Proof
from tests.suite.support import forked
from tests.suite.support.command_runs import PATIENCE_SECONDS, kept_in
from tests.suite.support.made_once import made_once

PART: Final = "ord-04-not"
CHOSEN: Final = [name for name in DEFECTS if PART in name]


@dataclass(frozen=True)
class Proved:
    """How a proof ended, and where it left its results."""

    code: int
    output: str
    errors: str
    reports: Path

    @property
    def proof(self) -> Proof:
        """What proof.json holds."""
        return Proof.model_validate_json((self.reports / "proof.json").read_text(encoding="utf-8"))

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The proof's results for the report, by name."""
        found = (self.reports / "allure-results").glob(f"{PREFIX}*-result.json")
        documents = [json.loads(path.read_text(encoding="utf-8")) for path in found]
        return {document["name"]: document for document in documents}


def proved(reports: Path, *command: str) -> Proved:
    """Run a command that proves, and leaves its results there."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        cwd=reports.parent,
        env=_environment(reports),
    )
    return Proved(done.returncode, done.stdout, done.stderr, reports)


def prove(reports: Path, *arguments: str) -> Proved:
    """`koncili-conformance prove` with those arguments."""
    words = ("prove", "--no-html", "--jobs", "2", "--reports", str(reports), *arguments)
    done = forked.run(*words, environment=_environment(reports), patience=PATIENCE_SECONDS, cwd=reports.parent)
    return Proved(done.returncode, done.stdout, done.stderr, reports)


def _environment(reports: Path) -> dict[str, str]:
    return {**os.environ, **kept_in(reports.parent / "state")}


# -- a part of the fleets ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Proved:
    """A proof of a few defects, in a directory in which a certification and an older proof left something."""
    return made_once(tmp_path_factory, "part", _prove_part)


def _prove_part(directory: Path) -> Proved:
    reports = directory / "reports"
    results = reports / "allure-results"
    results.mkdir(parents=True)
    (results / f"{PREFIX}old-result.json").write_text('{"name": "of an older proof"}', encoding="utf-8")
    (results / "scenario-result.json").write_text("{}", encoding="utf-8")
    (reports / "certificate.json").write_text("{}", encoding="utf-8")
    return prove(reports, "--only", PART)


def test_of_a_part_all_are_caught_and_the_proof_is_partial(part: Proved) -> None:
    assert part.code == 2, part.output + part.errors
    proof = part.proof
    assert proof.verdict == "partial"
    assert (proof.selected, proof.interrupted, proof.profile, proof.mode) == (
        PART, False, "certification", "first-blame",
    )  # fmt: skip
    assert proof.clean.verdict is Fate.PASSED
    assert [defect.name for defect in proof.defects] == CHOSEN
    assert {defect.verdict for defect in proof.defects} == {Fate.CAUGHT}
    assert (str(proof.sensitivity), str(proof.specificity)) == (f"{len(CHOSEN)}/{len(CHOSEN)}", "0/0")


def test_a_caught_defect_is_told_with_what_it_was_blamed_on(part: Proved) -> None:
    for defect in part.proof.defects:
        assert defect.blamed.keys() == {"ORD-04"} == set(defect.rules)
        assert defect.family == FAMILY_OF[defect.name]
        assert defect.statement == DEFECTS[defect.name].statement
        assert defect.counterexample.lstrip().startswith("ORD-04: ")
        assert "curl " in defect.counterexample
        assert defect.scenarios >= 1
        assert defect.requests > 0


def test_a_defect_s_run_ends_at_the_first_rule_that_is_rightly_blamed(part: Proved) -> None:
    proof = part.proof
    assert all(defect.scenarios < 5 < proof.clean.scenarios for defect in proof.defects)


def test_the_terminal_is_told_of_each_and_of_the_end(part: Proved) -> None:
    assert part.errors == ""
    for name in CHOSEN:
        assert f" + {name} " in part.output
    assert f"{len(CHOSEN) + 1}/{len(CHOSEN) + 1} mocks, 0 not as they should be" in part.output
    assert "PARTIAL: Right as far as it went: not all was run." in part.output
    assert f"proof: {part.reports / 'proof.json'}" in part.output


def test_the_results_stand_beside_those_of_a_certification_and_take_the_place_of_an_older_proof(part: Proved) -> None:
    assert part.results.keys() == {"the plain mock", *CHOSEN}
    assert {result["status"] for result in part.results.values()} == {"passed"}
    assert (part.reports / "allure-results" / "scenario-result.json").exists()
    assert (part.reports / "certificate.json").read_text(encoding="utf-8") == "{}"


def test_a_proof_leaves_nothing_else(part: Proved) -> None:
    assert {path.name for path in part.reports.iterdir()} - {".lock"} == {
        "proof.json", "proof.md", "certificate.json", "allure-results",
    }  # fmt: skip


def test_a_whole_run_of_a_defect_sees_every_rule_that_it_is_blamed_on(tmp_path: Path) -> None:
    run = prove(tmp_path, "--only", "ord-04-not-enforced", "--whole", "--profile", "smoke", "--seed", "7")
    assert run.code == 2, run.output + run.errors
    proof = run.proof
    assert (proof.mode, proof.profile, proof.seed) == ("whole", "smoke", 7)
    (defect,) = proof.defects
    assert defect.blamed.keys() == {"ORD-04"}
    assert defect.scenarios == proof.clean.scenarios


def test_a_variant_passes(tmp_path: Path) -> None:
    run = prove(tmp_path, "--only", "nulls-left-out", "--profile", "smoke")
    assert run.code == 2, run.output + run.errors
    (variant,) = run.proof.variants
    assert (variant.name, variant.family, variant.verdict) == ("nulls-left-out", "variant", Fate.PASSED)
    assert variant.statement == VARIANTS["nulls-left-out"].statement
    assert (str(run.proof.sensitivity), str(run.proof.specificity)) == ("0/0", "1/1")


# -- what can't run ------------------------------------------------------------------------------------------------

UNABLE: Final = {
    "a part that no name has": (["--only", "ord-99"], "'ord-99'"),
    "an unknown profile": (["--profile", "splendid"], "splendid"),
    "no jobs": (["--jobs", "0"], "--jobs"),
}


@pytest.mark.parametrize(("arguments", "told"), UNABLE.values(), ids=UNABLE)
def test_what_cannot_be_proved_is_named(arguments: list[str], told: str, tmp_path: Path) -> None:
    run = prove(tmp_path, *arguments)
    assert run.code == 3
    assert told in run.errors
    assert not (tmp_path / "proof.json").exists()


# -- a proof that does not come out --------------------------------------------------------------------------------

# The prover makes its mocks by their names, so the tables are given them too.
WRONG_FLEET: Final = """
import sys
from dataclasses import replace
from pathlib import Path

from conformance.mock import defects, variants
from conformance.mock.quirks import Defect, Variant
from conformance.proof import prover
from conformance.proof import proving as run
from conformance.proof.prover import Plan

if __name__ == "__main__":
    not_enforced = defects.DEFECTS["ord-04-not-enforced"]
    fleet = {
        "changes-nothing": Defect(name="changes-nothing", statement="Is as the plain mock.", rules=frozenset({"ORD-04"})),
        "blamed-elsewhere": replace(not_enforced, name="blamed-elsewhere", rules=frozenset({"ORD-05"})),
        "right": replace(not_enforced, name="right"),
        "ends-the-run": Defect(
            name="ends-the-run", statement="Raises.", rules=frozenset({"ORD-01"}), answers=lambda *_: sys.exit("enough"),
        ),
        "breaks-a-rule": Variant(
            name="breaks-a-rule", statement="Takes what ORD-04 refuses.", overlooks=not_enforced.overlooks,
        ),
        "marks": Variant(name="marks", statement="Shows a field more.", shows=lambda body: {**body, "mark": 1}),
        "loses-marked": Variant(
            name="loses-marked", statement="Shows nothing of what is marked.",
            answers=lambda _, answer: answer.having(body={}) if "mark" in (answer.body or ()) else answer,
        ),
    }
    for name, mock in fleet.items():
        if isinstance(mock, Defect):
            defects.DEFECTS[name] = mock
        else:
            variants.VARIANTS[name] = mock
    prover.FAMILY_OF = dict.fromkeys(fleet, "made for a test")
    together, names = "--together" in sys.argv, [word for word in sys.argv[2:] if not word.startswith("-")]
    chosen = tuple(fleet[name] for name in names)
    plan = Plan(profile="smoke", seed=None, jobs=2, whole=False, mocks=chosen, together=together)
    sys.exit(run.run_proof(plan, selected=None, reports=Path(sys.argv[1]), html=False, tell=print))
"""


def prove_wrong(directory: Path, *names: str) -> Proved:
    """Prove some mocks of a fleet about which the suite must be wrong."""
    script = directory / "wrong_fleet.py"
    script.write_text(WRONG_FLEET, encoding="utf-8")
    reports = directory / "reports"
    reports.mkdir()
    return proved(reports, sys.executable, str(script), str(reports), *names)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Proved:
    """A proof of mocks about which the suite must be wrong, and of one about which it is right."""
    names = ("changes-nothing", "blamed-elsewhere", "right", "breaks-a-rule")
    return made_once(tmp_path_factory, "wrong", lambda directory: prove_wrong(directory, *names))


def test_a_proof_in_which_the_suite_is_wrong_is_not_whole(wrong: Proved) -> None:
    assert wrong.code == 1, wrong.output + wrong.errors
    proof = wrong.proof
    assert proof.verdict == "not-whole"
    assert proof.clean.verdict is Fate.PASSED
    assert {subject.name: subject.verdict for subject in (*proof.defects, *proof.variants)} == {
        "changes-nothing": Fate.MISSED,
        "blamed-elsewhere": Fate.MISBLAMED,
        "right": Fate.CAUGHT,
        "breaks-a-rule": Fate.FALSE_ALARM,
    }
    assert (str(proof.sensitivity), str(proof.specificity)) == ("1/3", "0/1")


def test_what_was_wrong_is_told_with_the_rules_that_were_blamed(wrong: Proved) -> None:
    missed = wrong.output.index("MISSED changes-nothing: Is as the plain mock.")
    misblamed = wrong.output.index("MISBLAMED blamed-elsewhere: ")
    alarm = wrong.output.index("FALSE ALARM breaks-a-rule: Takes what ORD-04 refuses.")
    assert wrong.output[missed:].splitlines()[1] == "  may be blamed: ORD-04"
    assert wrong.output[misblamed:].splitlines()[1] == "  may be blamed: ORD-05"
    assert wrong.output[misblamed:].splitlines()[2].startswith("  ORD-04: ")
    assert wrong.output[alarm:].splitlines()[1].startswith("  ORD-04: ")
    assert "NOT-WHOLE: The suite says something wrong of what is named above." in wrong.output
    statuses = {name: result["status"] for name, result in wrong.results.items()}
    assert statuses == {
        "the plain mock": "passed", "changes-nothing": "failed", "blamed-elsewhere": "failed", "right": "passed",
        "breaks-a-rule": "failed",
    }  # fmt: skip


def test_a_missed_defect_was_run_to_its_end(wrong: Proved) -> None:
    by_name = {defect.name: defect for defect in wrong.proof.defects}
    assert by_name["changes-nothing"].scenarios == wrong.proof.clean.scenarios
    assert by_name["changes-nothing"].blamed == {}
    assert by_name["changes-nothing"].counterexample == ""


def test_a_mock_that_ends_its_run_is_undecided_and_the_others_go_on(tmp_path: Path) -> None:
    run = prove_wrong(tmp_path, "ends-the-run", "right")
    assert run.code == 1, run.output + run.errors
    assert {defect.name: defect.verdict for defect in run.proof.defects} == {
        "ends-the-run": Fate.UNDECIDED, "right": Fate.CAUGHT,
    }  # fmt: skip


# -- variants that share a mock ------------------------------------------------------------------------------------


def test_of_those_that_share_a_mock_the_one_that_is_wrong_is_found(tmp_path: Path) -> None:
    run = prove_wrong(tmp_path, "breaks-a-rule", "marks", "right", "--together")
    assert run.code == 1, run.output + run.errors
    alarm, marks = run.proof.variants
    assert (alarm.name, alarm.verdict, set(alarm.blamed), alarm.beside) == (
        "breaks-a-rule", Fate.FALSE_ALARM, {"ORD-04"}, (),
    )  # fmt: skip
    assert (marks.name, marks.verdict, marks.beside) == ("marks", Fate.PASSED, ())
    assert [defect.verdict for defect in run.proof.defects] == [Fate.CAUGHT]
    assert (run.proof.together, run.proof.verdict) == (True, "not-whole")


def test_what_only_two_together_do_is_told_of_both(tmp_path: Path) -> None:
    run = prove_wrong(tmp_path, "marks", "loses-marked", "--together")
    assert run.code == 1, run.output + run.errors
    assert {(one.name, one.verdict, one.beside) for one in run.proof.variants} == {
        ("marks", Fate.FALSE_ALARM, ("loses-marked",)), ("loses-marked", Fate.FALSE_ALARM, ("marks",)),
    }  # fmt: skip


def test_those_that_pass_together_are_told_each_by_its_name(tmp_path: Path) -> None:
    names = ("nulls-left-out", "no-error-source")
    run = prove(tmp_path, *(word for name in names for word in ("--only", name)), "--together", "--profile", "smoke")
    assert run.code == 2, run.output + run.errors
    assert [(one.name, one.statement, one.verdict, one.beside) for one in run.proof.variants] == [
        (name, VARIANTS[name].statement, Fate.PASSED, (other,)) for name, other in (names, names[::-1])
    ]
    assert "2 variants in 1 mocks" in run.output
    assert f"{run.proof.clean.requests + run.proof.variants[0].requests} requests" in run.output
