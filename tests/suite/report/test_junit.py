"""junit.xml as two readers that others wrote understand it: PyPI's junitparser, and Allure 3's reader of JUnit."""

from __future__ import annotations

import csv
import html
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, xunit2

from conformance.contract.rules import catalogue
from conformance.report.html import find_allure
from conformance.report.junit import junit
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence, Outcome
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, scenario, waiver
from tests.suite.support.mixed_runs import mixed


@dataclass(frozen=True)
class Read:
    """A test case as a reader understood it."""

    name: str
    status: str
    message: str = ""
    text: str = ""


def written(evidence: Evidence, path: Path) -> Certificate:
    """Write the file of a run that saw this, ORD-06 being waived."""
    certificate = certified(evidence, [waiver("ORD-06")])
    path.write_text(junit(certificate, evidence), encoding="utf-8")
    return certificate


def by_junitparser(path: Path) -> list[Read]:
    return [_read(case) for suite in JUnitXml.fromfile(str(path)) for case in suite]


def _read(case: TestCase) -> Read:
    ended = {Failure: "failed", Error: "broken", Skipped: "skipped"}
    for result in case.result:
        return Read(case.name, ended[type(result)], result.message or "", result.text or "")
    return Read(case.name, "passed")


def by_allure(path: Path, scratch: Path) -> list[Read]:
    """What Allure makes of the directory where the file lies."""
    config, table = scratch / "allurerc.json", scratch / "cases.csv"
    plugins = {"csv": {"options": {"fileName": str(table)}}, "agent": {"enabled": False}}
    config.write_text(json.dumps({"name": "read back", "output": str(scratch / "report"), "plugins": plugins}))
    subprocess.run(
        [
            *find_allure(Path(sys.prefix) / "allure"),
            "generate",
            "--config",
            str(config),
            "--cwd",
            str(path.parent),
            ".",
        ],
        cwd=scratch,
        env={"PATH": os.environ["PATH"], "HOME": str(scratch), "ALLURE_NO_ANALYTICS": "true"},
        check=True,
        timeout=120,
        capture_output=True,
    )
    # Allure leaves entities as they stand.
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines(keepends=True))
    return [Read(*(html.unescape(row[name]) for name in ("Name", "Status", "Error", "Stack Trace"))) for row in rows]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the mixed run."""
    path = tmp_path_factory.mktemp("junit") / "junit.xml"
    written(mixed(), path)
    return path


def rules_of(cases: list[Read], status: str) -> set[str]:
    return {case.name.partition(":")[0] for case in cases if case.status == status}


def rules_that(certificate: Certificate, *verdicts: str) -> set[str]:
    return {entry.id for entry in certificate.rules if entry.verdict in verdicts}


def test_every_verdict_is_to_be_seen(file: Path) -> None:
    cases, certificate = by_junitparser(file), certified(mixed(), [waiver("ORD-06")])
    assert rules_of(cases, "failed") == rules_that(certificate, "fail") == {"ORD-04", "ERR-02"}
    assert rules_of(cases, "broken") == rules_that(certificate, "inconclusive") == {"ORD-02", "ORD-03"}
    assert rules_of(cases, "skipped") == rules_that(certificate, "not-exercised", "waived")
    assert rules_of(cases, "skipped") == {"ORD-05", "ORD-06", "ORD-07", "ERR-05"}
    assert rules_of(cases, "passed") == rules_that(certificate, "pass") | {"ORD-02", "ORD-04", "ERR-02"}


def test_allure_reads_the_same(file: Path, tmp_path: Path) -> None:
    def key(case: Read) -> tuple[str, str, str, str]:
        return case.name, case.status, " ".join(case.message.split()), " ".join(case.text.split())

    assert sorted(map(key, by_allure(file, tmp_path))) == sorted(map(key, by_junitparser(file)))


def test_the_counts_are_those_of_the_cases(file: Path) -> None:
    whole = JUnitXml.fromfile(str(file))
    cases = by_junitparser(file)
    ended = [case.status for case in cases]
    expected = (len(cases), ended.count("failed"), ended.count("broken"), ended.count("skipped"))
    assert (
        (whole.tests, whole.failures, whole.errors, whole.skipped) == expected == (len(catalogue().rules) + 3, 2, 2, 4)
    )
    for suite in whole:
        there = [_read(case).status for case in suite]
        expected = (len(there), there.count("failed"), there.count("broken"), there.count("skipped"))
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == expected


def test_a_failure_names_its_rule_and_how_to_see_it_again(file: Path) -> None:
    failed = {case.name: case for case in by_junitparser(file) if case.status == "failed"}
    own = failed["ORD-04: one is broken"]
    assert own.message.startswith('ORD-04: a <b> & "c" ]]> \\x00\\x1b[31m \\ud800 \u20ac')
    assert own.text.startswith(f"{catalogue()['ORD-04'].statement}\n\nORD-04: a <b>")
    assert own.text.endswith("curl of ORD-04\n\nanswered 200: fine")
    seen_elsewhere = failed["ERR-02: what was seen of it besides its own scenarios"]
    assert seen_elsewhere.message == "ERR-02: it answered 500"
    assert "curl of ERR-02" in seen_elsewhere.text


def test_what_is_skipped_or_undecided_says_why(file: Path) -> None:
    why = {case.name: case.message for case in by_junitparser(file) if case.status in {"skipped", "broken"}}
    assert why["ORD-05: one needs what is not there"] == "needs fixtures.x"
    assert why["ORD-06: one is broken, as is known"] == "waived until 2026-12-31: ticket 4711 (covers the whole rule)"
    assert why["ORD-07: left out"] == "not selected"
    assert why["ERR-05: what was seen of it besides its own scenarios"] == "not selected"
    assert why["ORD-02: one shows nothing"] == "no acceptance was seen"
    assert all(why.values())


def test_cases_are_told_apart_and_carry_their_rule(file: Path) -> None:
    cases: list[Any] = [case for suite in xunit2.JUnitXml.fromfile(str(file)) for case in suite]
    names = [(case.classname, case.name) for case in cases]
    assert len(set(names)) == len(names)
    assert ("koncili.orders", "ORD-04: one is broken") in names
    (broken,) = [case for case in cases if case.name == "ORD-04: one is broken"]
    assert {item.name: item.value for item in broken.properties()} == {
        "rule": "ORD-04",
        "level": "required",
        "verdict": "fail",
    }


@pytest.mark.parametrize(
    ("evidence", "verdict", "ended"),
    [
        pytest.param(Evidence(), "inconclusive", {"skipped", "broken"}, id="nothing ran"),
        pytest.param(all_pass(), "conformant", {"passed"}, id="all holds"),
        pytest.param(all_pass("ORD-05"), "partial", {"passed", "skipped"}, id="one was left out"),
    ],
)
def test_a_run_without_a_failure_shows_its_verdict_too(
    evidence: Evidence, verdict: str, ended: set[str], tmp_path: Path
) -> None:
    assert written(evidence, tmp_path / "junit.xml").verdict == verdict
    assert {case.status for case in by_junitparser(tmp_path / "junit.xml")} == ended


def test_an_undecided_scenario_of_a_rule_left_out_is_skipped(tmp_path: Path) -> None:
    evidence = all_pass("ORD-05")
    scenario(evidence, "ORD-05", "one shows nothing", Outcome.PASSED, seen=False)
    scenario(evidence, "ORD-05", "one is left out", Outcome.NOT_EXERCISED, "needs fixtures.x")
    assert written(evidence, tmp_path / "junit.xml").verdict == "partial"
    assert rules_of(by_junitparser(tmp_path / "junit.xml"), "skipped") == {"ORD-05"}
    assert rules_of(by_junitparser(tmp_path / "junit.xml"), "broken") == set()
