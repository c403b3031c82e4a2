"""What a run tells GitHub: the job summary within its limit, annotations as its runner reads them, and nothing that decides."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from conformance.cli import main
from conformance.contract.rules import Level, catalogue
from conformance.escaping import visible
from conformance.report.ci import MOST_SUMMARY_BYTES, Place, annotate, cut, scenario_places, tell_ci
from conformance.report.summary import markdown
from conformance.verdict.evidence import Evidence, Outcome
from tests.suite.support.command_runs import Run, certify
from tests.suite.support.made_once import made_once
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, scenario, waiver

CHECKOUT: Final = Path(__file__).parents[3]


def as_read(line: str) -> dict[str, str]:
    """A workflow command as GitHub's runner takes it apart: first by its marks, then each part unescaped."""
    head, _, message = line.removeprefix("::").partition("::")
    kind, _, properties = head.partition(" ")
    pairs = [part.split("=", 1) for part in properties.split(",")]
    texts = {**dict(pairs), "message": message}
    for coded, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        texts = {name: value.replace(coded, character) for name, value in texts.items()}
    return {"kind": kind, **texts}


def failing(*rules: str, reason: str = "it was accepted") -> Evidence:
    """A run in which these rules were seen broken, each by a scenario of its own."""
    evidence = all_pass(*rules)
    for rule in rules:
        scenario(evidence, rule, f"{rule} is broken", Outcome.FAILED, reason)
    return evidence


def required(number: int) -> list[str]:
    return [rule.id for rule in catalogue().rules.values() if rule.level is Level.REQUIRED][:number]


# -- annotations ---------------------------------------------------------------------------------------------------


def test_each_failing_rule_is_annotated_by_its_level() -> None:
    recommended = next(rule.id for rule in catalogue().rules.values() if rule.level is Level.RECOMMENDED)
    certificate = certified(failing("ORD-04", "ORD-05", recommended), [waiver("ORD-05")])
    read = [as_read(line) for line in annotate(certificate, {"ORD-04": Place("features/orders.feature", 38)})]
    assert [(one["kind"], one["title"]) for one in read] == [
        ("error", "ORD-04 fail (required) on ours"),
        ("warning", f"{recommended} fail (recommended) on ours"),
        ("notice", "ORD-05 waived (required) on ours"),
    ]
    assert read[0]["message"] == f"{catalogue()['ORD-04'].statement}\nORD-04: it was accepted"
    assert (read[0]["file"], read[0]["line"]) == ("features/orders.feature", "38")
    assert "file" not in read[1]
    assert "ticket 4711" in read[2]["message"]


def test_nothing_is_annotated_where_nothing_fails() -> None:
    assert annotate(certified(all_pass()), {}) == []


@pytest.mark.parametrize("nasty", ["100% , a: b", "%0A %25", "one\r\ntwo\nthree", "::error::no", "a=b,c=d"])
def test_an_annotation_is_one_line_and_reads_back(nasty: str) -> None:
    certificate = certified(failing("ORD-04", reason=nasty), name=nasty.replace("\r", "").replace("\n", " "))
    (line,) = annotate(certificate, {})
    assert line.splitlines() == [line]
    read = as_read(line)
    assert read["message"].endswith(f"ORD-04: {visible(nasty)}")
    assert read["title"].endswith(f" on {certificate.target.name}")
    assert read.keys() == {"kind", "title", "message"}


@pytest.mark.parametrize(("failures", "rules_told"), [(9, 9), (10, 10), (11, 9), (40, 9)])
def test_no_more_are_made_than_github_shows(failures: int, rules_told: int) -> None:
    lines = annotate(certified(failing(*required(failures))), {})
    assert len(lines) == min(failures, 10)
    told = [line for line in lines if "more rules" not in line]
    assert len(told) == rules_told
    if failures > 10:
        last = as_read(lines[-1])
        assert last["title"] == f"{failures - 9} more rules on ours"
        assert last["message"].split(", ") == required(failures)[9:]


def test_a_long_reason_is_cut() -> None:
    (line,) = annotate(certified(failing("ORD-04", reason="x" * 100_000)), {})
    assert len(line) < 2_000


def test_every_rule_has_a_place_in_this_checkout() -> None:
    places = scenario_places(CHECKOUT, CHECKOUT)
    assert places.keys() >= catalogue().rules.keys()
    for rule, place in places.items():
        assert f"@{rule}" in (CHECKOUT / place.file).read_text(encoding="utf-8").splitlines()[place.line - 1].split()


def test_places_are_told_from_the_workspace_and_only_within_it(tmp_path: Path) -> None:
    assert scenario_places(CHECKOUT, CHECKOUT.parent)["ORD-04"].file == f"{CHECKOUT.name}/features/orders.feature"
    assert scenario_places(CHECKOUT, tmp_path) == {}
    assert scenario_places(tmp_path, tmp_path) == {}  # an installed suite


# -- the job summary -----------------------------------------------------------------------------------------------


def test_the_summary_is_added_to_what_is_there(tmp_path: Path) -> None:
    certificate = certified(failing("ORD-04"))
    path = tmp_path / "summary"
    path.write_text("# An earlier step of the script\n", encoding="utf-8")
    assert tell_ci(certificate, {"GITHUB_STEP_SUMMARY": str(path)}) == []
    assert path.read_text(encoding="utf-8") == "# An earlier step of the script\n" + markdown(certificate)


def test_without_github_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tell_ci(certified(failing("ORD-04")), {"GITHUB_ACTIONS": "false", "GITHUB_STEP_SUMMARY": ""}) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [0, MOST_SUMMARY_BYTES - 5_000, MOST_SUMMARY_BYTES - 20, MOST_SUMMARY_BYTES + 9])
def test_the_summary_stays_within_the_limit(there: int, tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"x" * there)
    long = certified(failing(*required(70), reason="\N{EURO SIGN}" * 8_000))
    assert tell_ci(long, {"GITHUB_STEP_SUMMARY": str(path)}) == []
    added = path.read_bytes()[there:].decode("utf-8")
    assert not added or there + len(added.encode()) <= MOST_SUMMARY_BYTES
    assert "Cut here" in added or MOST_SUMMARY_BYTES - there < 100


def test_a_cut_text_ends_on_a_whole_line_outside_of_a_code_block() -> None:
    text = (
        "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n````sh\ncurl \N{EURO SIGN}\n```\nstill code\n````\n\nwords\n" * 3
    )
    lines = set(text.split("\n"))
    for most in range(len(text.encode())):
        short = cut(text, most)
        assert len(short.encode()) <= most
        if short:
            kept, _, note = short.rpartition("\n**Cut here")
            assert set(kept.split("\n")) <= lines
            assert "summary.md" in note
            last: list[Any] = MarkdownIt("commonmark").parse(short)[-3:]
            assert [token.type for token in last] == ["paragraph_open", "inline", "paragraph_close"]
            assert last[1].content.startswith("**Cut here")
    assert cut(text, len(text.encode())) == text


def test_a_summary_that_cannot_be_written_is_told_and_no_more(tmp_path: Path) -> None:
    (told,) = tell_ci(certified(all_pass()), {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert told == f"no job summary: {tmp_path} cannot be written: Is a directory"


# -- a run ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on GitHub, of two processes, against a mock that breaks the rule; the rule written in small letters."""
    return made_once(tmp_path_factory, "github", _on_github)


def _on_github(place: Path) -> Run:
    return certify(
        place / "reports", "--rule", "ord-04", "--defect", "ord-04-not-enforced", "--workers", "2",
        GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(place / "summary"), GITHUB_WORKSPACE=str(CHECKOUT),
    )  # fmt: skip


def test_a_run_tells_github_once(run: Run) -> None:
    assert run.code == 1, run.output + run.errors
    summary = (run.reports.parent / "summary").read_text(encoding="utf-8")
    assert summary == (run.reports / "summary.md").read_text(encoding="utf-8")
    (line,) = re.findall("^::.*", run.output, re.MULTILINE)
    read = as_read(line)
    assert (read["kind"], read["file"]) == ("error", "features/orders.feature")
    assert read["message"].endswith(run.entry("ORD-04")["reason"])


def test_a_runs_junit_agrees_with_its_certificate(run: Run) -> None:
    ended: dict[str, Counter[str]] = {}
    for suite in JUnitXml.fromfile(str(run.reports / "junit.xml")):
        for case in suite:
            kinds = [type(result).__name__ for result in case.result] or ["Passed"]
            ended.setdefault(case.name.partition(":")[0], Counter()).update(kinds)
    assert ended.pop("ORD-04") == {"Failure": 3}
    assert ended.keys() == run.verdicts("not-exercised")
    assert {kind for kinds in ended.values() for kind in kinds} == {"Skipped"}


# -- the examples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"])
def test_the_examples_call_what_there_is(name: str) -> None:
    """`make check` lints the workflows; what they run is ours to check."""
    text = (CHECKOUT / "examples" / "ci" / name).read_text(encoding="utf-8")
    calls = re.findall(r'"\$KONCILI" ([a-z]+)(.*?)(?:\|\||\n\n|\n *[a-z-]+:|\'|$)', text, re.DOTALL)
    assert {command for command, _ in calls} >= {"certify", "gate"}
    for command, arguments in calls:
        there = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", arguments)) <= there, command
