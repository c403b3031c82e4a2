"""`koncili-conformance explain`: every rule and finding is explained, and what it names is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from conformance.commandline.explain_command import explain
from conformance.contract.rules import Kind, every_rule
from conformance.errors import CannotRun
from conformance.verdict.certificate import During, FindingEntry
from conformance.verdict.verdicts import RuleVerdict
from tests.suite.support.example_certificates import failing

ROOT: Final = Path(__file__).parents[3]
RULES: Final = every_rule().rules


def run(*arguments: str) -> Result:
    return CliRunner().invoke(explain, list(arguments))


def found(rule: str) -> FindingEntry:
    return FindingEntry(
        id=f"{rule}-0123abcd",
        endpoint="POST /order",
        kind="left out",
        scenario="A scenario",
        reason=f"{rule}: expected something else",
        during=During(rule=rule, scenario="A scenario", kinds=["left out"]),
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.json"
    made = failing()
    rules = [
        entry.model_copy(update={"findings": [found(entry.id)] if entry.verdict is RuleVerdict.FAIL else []})
        for entry in made.rules
    ]
    path.write_text(made.model_copy(update={"rules": rules}).to_json(), encoding="utf-8")
    return path


@pytest.mark.parametrize("rule_id", RULES)
def test_every_rule_is_explained_and_what_it_names_is_there(rule_id: str) -> None:
    result = run(rule_id.lower())
    assert result.exit_code == 0, result.output
    rule = RULES[rule_id]
    assert rule.statement in result.output
    assert rule.source in result.output
    assert rule.instead in result.output
    places = re.findall(r"^  (features/\S+):(\d+)$", result.output, re.MULTILINE)
    assert bool(places) is (Kind.ENDPOINT in rule.applies)
    for name, number in places:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        title = lines[int(number) - 1].partition(":")[2].strip()
        assert title in result.output
        assert f"@{rule_id}" in lines[int(number) - 2]


def test_a_finding_is_explained_by_its_certificate(certificate: Path) -> None:
    entries = [entry for entry in json.loads(certificate.read_text(encoding="utf-8"))["rules"] if entry["findings"]]
    assert entries
    for entry in entries:
        for finding in entry["findings"]:
            result = run(finding["id"], "--certificate", str(certificate))
            assert result.exit_code == 0, result.output
            assert entry["statement"] in result.output
            assert f"shown by {entry['id']} A scenario, trying: left out" in result.output
            assert f"replay {certificate} {finding['id']}" in result.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ORD-7", "did you mean ORD-07?"),
        ("ORD-04-00000000", "ORD-04-00000000 is a finding's id; name the certificate that has it: --certificate FILE"),
    ],
)
def test_what_is_not_there_is_said(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(name)
    assert isinstance(result.exception, CannotRun)
    assert said in str(result.exception)


def test_a_finding_that_its_certificate_does_not_have_is_said(certificate: Path) -> None:
    result = run("ORD-04-00000000", "--certificate", str(certificate))
    assert isinstance(result.exception, CannotRun)
    assert "has no finding ORD-04-00000000" in str(result.exception)
