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
        assert example["curl"].startswith("curl "), example
        assert example["request"]["method"] in example["curl"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_passes_whole(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--variant", name)
    assert run.verdicts("fail", "inconclusive", "not-exercised") == set(), run.output
    assert run.code == 0
    readings = run.certificate["readings"]
    assert {**readings, **dict(VARIANTS[name].readings)} == readings


@pytest.mark.parametrize(
    "name", ["ord-04-not-enforced", "ord-16-refused-but-stored", "err-02-odd-text", "ord-15-merges"]
)
def test_nothing_else_is_blamed_in_a_whole_run(name: str, tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", name)
    assert run.code == 1
    assert run.verdicts("fail") <= DEFECTS[name].rules
