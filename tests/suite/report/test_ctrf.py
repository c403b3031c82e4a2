"""ctrf.json as the Common Test Report Format's own schema has it, and as junit.xml says it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from conformance.report.ctrf import STATUSES, ctrf
from conformance.report.junit import cases
from conformance.verdict.certificate import AboutEntry
from conformance.verdict.evidence import Evidence
from tests.suite.support.example_certificates import failing
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, waiver
from tests.suite.support.mixed_runs import mixed

SCHEMA: Final = jsonschema_rs.validator_for(
    json.loads((Path(__file__).parent / "data" / "ctrf-schema-0.0.json").read_text(encoding="utf-8"))
)
"""As npm's `ctrf` 0.3.0 ships it (MIT, https://ctrf.io)."""


def written(evidence: Evidence, **changed: Any) -> dict[str, Any]:
    certificate = certified(evidence, [waiver("ORD-06")], **changed)
    document: dict[str, Any] = json.loads(ctrf(certificate, evidence))
    assert [str(error) for error in SCHEMA.iter_errors(document)] == []
    return document


def test_every_case_of_junit_is_there_with_its_end() -> None:
    evidence = mixed()
    document = written(evidence)["results"]
    expected = cases(certified(evidence, [waiver("ORD-06")]), evidence)
    assert [(one["name"], one["status"]) for one in document["tests"]] == [
        (case.name, STATUSES[case.status]) for case in expected
    ]
    counted = Counter(one["status"] for one in document["tests"])
    assert {status: document["summary"][status] for status in counted} == counted
    assert set(counted) == {"passed", "failed", "skipped", "other"}
    assert document["summary"]["tests"] == len(expected)
    assert document["summary"]["pending"] == 0


def test_what_broke_a_rule_is_told_with_it() -> None:
    tests = {one["name"]: one for one in written(mixed())["results"]["tests"]}
    broken = tests["ORD-04: one is broken"]
    assert (broken["status"], broken["rawStatus"], broken["tags"]) == ("failed", "failure", ["ORD-04", "required"])
    assert "curl of ORD-04" in broken["trace"]
    assert "\x1b" not in broken["message"]
    beside = tests["ERR-02: what was seen of it besides its own scenarios"]
    assert (beside["status"], beside["message"]) == ("failed", "ERR-02: it answered 500")


def test_what_was_tested_is_told() -> None:
    document = written(all_pass(), about=AboutEntry(version="4.2"))["results"]
    assert document["environment"] == {"appName": "ours", "testEnvironment": "mock", "appVersion": "4.2"}
    assert document["summary"]["extra"]["verdict"] == "conformant"
    assert document["tool"]["name"] == "koncili-conformance"


@pytest.mark.parametrize("evidence", [Evidence(), all_pass()])
def test_any_run_is_a_whole_document(evidence: Evidence) -> None:
    written(evidence)
    assert [str(error) for error in SCHEMA.iter_errors(json.loads(ctrf(failing(), evidence)))] == []
