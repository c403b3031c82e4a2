"""Every defect of the mock is caught and blamed on its rules; every variant passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.contract.rules import Level, catalogue
from conformance.mock.defects import DEFECTS
from conformance.mock.variants import VARIANTS
from tests.suite.runs import certify


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_caught_and_blamed_on_its_rules(name: str, tmp_path: Path) -> None:
    """Only the scenarios of the rules that may be blamed are run here; that no other rule is blamed takes whole runs."""
    defect = DEFECTS[name]
    run = certify(tmp_path, "--defect", name, *(f"--rule={rule}" for rule in sorted(defect.rules)))
    failed = run.verdicts("fail")
    assert failed, run.output + run.errors
    assert failed <= defect.rules
    required = {rule for rule in failed if catalogue()[rule].level is Level.REQUIRED}
    if required:
        assert run.code == 1, run.output
    for rule in failed:
        example = run.entry(rule)["counterexample"]
        assert "curl " in example["curl"] or rule.startswith("NTF-"), example
        if example["curl"]:
            assert example["request"]["method"] in example["curl"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_passes_whole(name: str, tmp_path: Path) -> None:
    # Consolidation bears on every scenario over several calls; the others show with a case or two per rule.
    profile = "certification" if "consolidation" in name else "smoke"
    run = certify(tmp_path, "--variant", name, "--profile", profile)
    assert run.verdicts("fail", "inconclusive", "not-exercised") == set(), run.output
    assert run.code == 0
    readings = run.certificate["readings"]
    assert {**readings, **dict(VARIANTS[name].readings)} == readings


ALONE = {
    "ord-16-refused-but-stored": {"ORD-16"},
    "del-01-takes-neighbours": {"DEL-01"},
    "wfl-04-shared-between-accounts": {"WFL-04"},
    "rec-09-period-kept": {"REC-09"},
    "rel-18-refused-counted": {"REL-18"},
    "qry-01-float32": {"QRY-01", "ORD-15"},
}
"""What the state machine catches by itself, and the rule that it blames (which of two depends on which order shows it)."""


@pytest.mark.parametrize("name", ALONE)
def test_the_state_machine_alone_catches(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name, "--rule", "WFL-04")
    (blamed,) = run.verdicts("fail")
    assert blamed in ALONE[name], run.output
    assert run.code == 1
    story = run.entry(blamed)["counterexample"]["curl"].splitlines()
    steps = [line for line in story if line.startswith("# ")]
    assert len(steps) == len([line for line in story if line.startswith("curl ")])


@pytest.mark.parametrize(
    "name", ["ord-04-not-enforced", "ord-16-refused-but-stored", "err-02-odd-text", "rel-08-within-a-cent"]
)
def test_nothing_else_is_blamed_in_a_whole_run(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name)
    assert run.code == 1
    assert run.verdicts("fail") <= DEFECTS[name].rules
