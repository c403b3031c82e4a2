"""Whatever a target says: no medium takes it for anything but text. Each is rendered, and then read as its reader reads it."""

from __future__ import annotations

import json
import logging
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conformance.contract.judge import Request
from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun, TargetUnavailable
from conformance.escaping import cell, fenced, line, lines, visible
from conformance.escaping import markdown as escaped
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk, Wire
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.wire import listening
from conformance.planning.plan import make_plan
from conformance.planning.show import full, short
from conformance.report.ci import annotate
from conformance.report.discreet import Discretion, discreet
from conformance.report.gate_words import as_json, text
from conformance.report.junit import junit
from conformance.report.lines import Line
from conformance.report.screen import styled
from conformance.report.summary import brief, markdown, terminal
from conformance.report.waits import words as waiting_words
from conformance.run.recovery_client import Report
from conformance.target.config import parse_target
from conformance.target.wire.redaction import Redactor
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.gate_case import Check, Decision, Found, Result
from conformance.verdict.verdicts import RuleVerdict
from conformance.verdict.violation import Finding, Violation
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, scenario, waiver
from tests.suite.support.properties import repeatable
from tests.suite.support.watched_command import COMMAND, ROOT, certify, plain_pytest, watch

FRAGMENTS: Final = [
    "::error::broken", "::add-mask::e", "::set-output name=a::b", "::stop-commands::x", "##[error]broken",
    "##vso[task.x]", "##[group]", "##teamcity[x]", "::", "#", "##", "[", "%0A::error::x", "%0D", "%25", "\n", "\r",
    "\r\n", "\t", "\x0b", "\x0c", "\x1b[2J", "\x1b]8;;http://a\x07", "\x9b31m", "\x00", "\x07", "\x7f", "\x85",
    "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\xa0", "\u3000", "\ud800", "\udfff",
    "\ufffe", "\U000e0041", "# Heading", "\n# Heading\n", "\n===\n", "---", "\n---\ntitle: x\n---\n", "> quote",
    "- item", "1. item", "    code", "|", "\\|", "\\", "| a | b |", "`", "``", "```", "````", "\n```\n", "~~~",
    "<script>", "</code>", "<!--", "<a href='x'>", "&lt;", "&#x3c;", "[a](http://b)", "![a](b)", "[a]:", "<http://a>",
    "http://evil.example/x", "www.evil.example", "ana@evil.example", "@octocat", "*b*", "_i_", "**", "~~s~~",
    ":tada:", "$(id)", "';--", "]]>", "é", "e\u0301", "日本", "\U0001f600", "it answered 200", "ORD-04", " ", "  ",
    "x" * 50,
]  # fmt: skip
"""What acts somewhere, and what does not."""

HOSTILE: Final = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=8).map("".join)

NASTIEST: Final = "\n::error::x\r\n##[error]y\n# H\n```\n| a\\|b |<b>`` www.a.example @octocat \x1b[2J\u202e\ud800"


# -- as they are read ----------------------------------------------------------------------------------------------


def commands(output: str) -> list[str]:
    """The lines that the runners of GitHub, Azure and TeamCity would carry out: those of GitHub after leading white space, old
    ones anywhere in a line."""
    found = []
    for one in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", output):
        begins = one.lstrip().lstrip("\ufeff\u200b\u180e").lstrip()
        if begins.startswith(("::", "##teamcity[")) or re.search(r"##(\[|vso\[)", one):
            found.append(one)
    return found


def odd(output: str) -> set[str]:
    """The characters in it that nobody sees, or that move what is seen, but for line feeds."""
    return {sign for sign in output if not sign.isprintable() and sign != "\n"}


ADDRESS: Final = re.compile(r"(?i)https?:|ftp:|www\.|@\w|\w@|:[a-z]\w*:")
"""What GitHub makes a link, a mention or a picture of, in text that is no code."""


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def read_markdown(source: str) -> list[Token]:
    """Its tokens by CommonMark with tables and strikethrough, with none in them that could come from a target."""
    tokens = list(flat(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)))
    assert not {token.type for token in tokens} & {
        "html_block", "html_inline", "link_open", "image", "blockquote_open", "ordered_list_open", "hr", "em_open", "s_open",
        "strong_open", "code_block", "hardbreak",
    }  # fmt: skip
    assert [token.content for token in tokens if token.type == "text" and ADDRESS.search(token.content)] == []
    return tokens


def shape(source: str) -> list[tuple[str, str]]:
    """Its blocks, in order: what they are, without what stands in them."""
    kinds = (
        "heading_open",
        "paragraph_open",
        "fence",
        "bullet_list_open",
        "list_item_open",
        "table_open",
        "tr_open",
        "th_open",
    )
    return [(token.type, token.tag) for token in read_markdown(source) if token.type in (*kinds, "td_open")]


# -- made up -------------------------------------------------------------------------------------------------------

PLACE: Final = {"method": "POST", "url": "http://127.0.0.1/order", "headers": {}, "body": "{}"}


def evidence_of(said: str) -> Evidence:
    """A run that was told this in every place where a target can tell something."""
    evidence = all_pass("ORD-06", "QRY-02")
    seen = said.encode("utf-8", "replace").decode()  # answers are bytes: halves of surrogates are in no text of one
    response = {"status": 400, "headers": {seen: seen}, "body": seen}
    story = f"# 1. {seen}: 200\ncurl '{seen}'\n# 2. {seen}: 400\ncurl --data-raw '{seen}' 'http://127.0.0.1/order'"
    for rule in ("ORD-04", "ORD-05", "REL-01"):
        scenario(evidence, rule, f"{rule} is broken", Outcome.FAILED, said)
        broken = evidence.scenarios[f"{rule} is broken"]
        broken.finding = Finding(rule, visible(said), {**PLACE, "body": seen}, response, story)
    scenario(evidence, "ORD-06", "left out", Outcome.NOT_EXERCISED, said)
    scenario(evidence, "QRY-02", "undecided", Outcome.INCONCLUSIVE, said)
    return evidence


def certificate_of(said: str) -> Certificate:
    made = certified(evidence_of(said), [waiver("ORD-05")], name="x")
    rules = tuple(
        entry.model_copy(update={"reason": said}) if entry.verdict is not RuleVerdict.PASS else entry
        for entry in made.rules
    )
    target = made.target.model_copy(update={"name": said, "base_url": said})
    return made.model_copy(update={"rules": rules, "target": target})


QUIET: Final = certificate_of("it answered 200")


# -- the media -----------------------------------------------------------------------------------------------------


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_nothing_acts_on_the_terminal_or_a_ci_system(said: str) -> None:
    made = certificate_of(said)
    told = [*terminal(made), *brief(made), Line(f"stopped: {said}"), Line(said), Line(f"not cleared away: {said}")]
    output = "\n".join(styled(one, lively=False) for one in told)
    assert (commands(output), odd(output)) == ([], set())
    lively = re.sub(r"\x1b\[(\d+)m(.*)\x1b\[0m", r"\2", "\n".join(styled(one, lively=True) for one in told))
    assert lively == output


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_annotations_are_ours_alone(said: str) -> None:
    output = annotate(certificate_of(said), {})
    assert [one.split(" ", 1)[0] for one in output] == ["::error", "::error", "::notice"]
    assert odd("".join(output)) == set()
    for one in output:
        assert "::" not in one.removeprefix("::").split("::", 1)[0], "the properties end where they should"
        assert re.fullmatch(r"::\w+ title=[^,:]*::.*", one)


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
@example(said="```")
@example(said="`")
@example(said="a\\|b|c\\\\|d")
def test_the_summary_has_our_blocks_alone(said: str) -> None:
    source = markdown(certificate_of(said))
    assert odd(source) == set()
    assert [block for block in shape(source) if block[0] != "fence"] == [
        block for block in shape(markdown(QUIET)) if block[0] != "fence"
    ]
    assert len([1 for kind, _ in shape(source) if kind == "fence"]) == 6, "curl lines and answer of three"
    assert source.startswith("# ")


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_junit_is_xml_and_shows_all(said: str) -> None:
    source = junit(certificate_of(said), evidence_of(said))
    root = ET.fromstring(source)  # noqa: S314 - our own
    assert (odd(source), len(root.findall(".//failure"))) == (set(), 2)
    assert {failure.get("message") for failure in root.findall(".//failure")} == {
        f"{rule}: {visible(said)}" for rule in ("ORD-04", "REL-01")
    }
    assert source.encode()


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_the_gate_says_nothing_of_theirs_by_itself(said: str) -> None:
    names = [said, "A-1", said]
    found = Found(
        Check.TARGET, "other", Result.REFUSED, 3, {"what": said, "stated": said, "option": said, "wanted": names}
    )
    decision = Decision((found,))
    output = "\n".join(re.sub(r"\x1b\[\d+m", "", one) for one in text(decision, said))
    assert (commands(output), odd(output)) == ([], set())
    document = as_json(said, decision, said)
    assert commands(document) == []
    assert json.loads(document)["certificate"] == said


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_errors_plans_and_waits_say_it_in_a_line(said: str) -> None:
    target = parse_target(mock_target_table("http://127.0.0.1:8765"), "target.toml").model_copy(update={"name": said})
    plan = make_plan("smoke", ["ORD-04"], {}, paced=False, budget_status=None, probing=False)
    told = [*full(plan, target), *short(plan, target), waiting_words(said, 3.0), waiting_words(said, -1.0)]
    told += [str(CannotRun(said)), str(TargetUnavailable(said)), str(CannotRun(f"a: {said}"))]
    told += [line(Report(kept=[said], undone=[said]).kept[0]), lines(f"harness error\n{said}")]
    output = "\n".join(told)
    assert (commands(output), odd(output)) == ([], set())


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_a_violation_is_told_in_one_line_from_the_start(said: str) -> None:
    violation = Violation(rule="ORD-04", expected="400", actual=f"it said {said}", exchange=None, context=said)
    told = str(violation)
    assert told.isprintable()
    assert Finding.of(violation, Redactor()).reason == told
    evidence = all_pass("ORD-06")
    scenario(evidence, "ORD-06", "undecided", Outcome.INCONCLUSIVE, said)
    assert evidence.scenarios["undecided"].reason.isprintable()


def test_of_a_long_answer_a_reason_tells_the_beginning() -> None:
    told = str(Violation(rule="ORD-04", expected="400", actual="x" * 300_000, exchange=None))
    assert len(told) < 3_000
    assert told.endswith("xxx... (300,000 characters)")


@repeatable(60)
@given(said=HOSTILE)
@example(said=NASTIEST)
def test_what_pytest_and_loggers_show_is_harmless(said: str) -> None:
    shown = discreet([said, (said, 3), f"E   {said}"], Redactor())
    output = "\n".join([shown[0], shown[1][0], shown[2]])
    assert (commands(output), odd(output)) == ([], set())


def test_log_records_are_harmless(record: logging.LogRecord) -> None:
    assert commands(record.getMessage()) == []
    assert odd(record.getMessage()) == set()


@pytest.fixture
def record() -> Iterator[logging.LogRecord]:
    """A log record as one is made while a run goes on."""
    cleanups: list[Any] = []
    config: Any = SimpleNamespace(add_cleanup=cleanups.append)
    Discretion(config, Redactor)
    try:
        yield logging.getLogRecordFactory()("x", logging.INFO, __file__, 1, "answered %s", (NASTIEST,), None)
    finally:
        for cleanup in cleanups:
            cleanup()


# -- the functions -------------------------------------------------------------------------------------------------


@repeatable(200)
@given(said=st.text(st.characters()))
@example(said="")
@example(said="a" * 10)
def test_what_is_visible_stays_and_the_rest_is_written(said: str) -> None:
    assert visible(said).isprintable()
    assert visible(said) == said or not said.isprintable()
    visible(said).encode()
    assert lines(said).count("\n") == said.count("\n")


@repeatable(200)
@given(said=HOSTILE)
def test_in_a_paragraph_a_heading_an_item_and_a_cell_it_is_text_or_code(said: str) -> None:
    shown = escaped(said)
    for source in (shown, f"# {shown}", f"- {shown}", f"before {shown} after"):
        inline = [token for token in read_markdown(source) if token.type in {"text", "code_inline"}]
        assert "".join(token.content for token in inline).strip().removeprefix("before ").removesuffix(
            " after"
        ).strip() == (visible(said).strip())
    table = f"| a | b |\n|---|---|\n| {cell(said)} | 1 |"
    assert [kind for kind, _ in shape(table)].count("td_open") == 2
    (block,) = [token for token in read_markdown("\n".join(fenced("", said))) if token.type == "fence"]
    assert block.content == visible(said, keep="\n") + "\n"


@pytest.mark.parametrize(
    "plain", ["mock", "it was accepted", "needs a clock that can be moved; a live endpoint has none", "Ação"]
)
def test_plain_words_stay_plain_words(plain: str) -> None:
    assert escaped(plain) == plain


def test_the_catalogue_needs_no_code() -> None:
    assert [rule.id for rule in catalogue().rules.values() if "|" in rule.statement] == []
    assert resolve({})
    assert replace(Line("x"), text="y") == Line("y")


# -- runs ----------------------------------------------------------------------------------------------------------

SAID: Final = (
    "broken\n::error title=forged::x\n::add-mask::e\r::stop-commands::t\n  ##[error]y\n# Forged\n\n```\n</details><script>\n"
    "| a | b |\n@octocat http://evil.example \x1b[2J\x1b]0;t\x07\x9b1m\u2028::error::z\u202e\u200b\x00\ud800"
)


def _hostile(_: Request, answer: Answer) -> Answer:
    """Says it in every text of every refusal, and what a header can hold in headers."""
    body: Any = answer.body
    if isinstance(body, dict) and "errorCode" in body:
        body = dict.fromkeys(body, SAID)
    header = {"X-Said": "::error::said ##[error]said", "Retry-After": "::error::1"}
    return replace(answer, body=body, headers=MappingProxyType({**answer.headers, **header}))


def _mute(_: Request, answer: Answer) -> Answer:
    """Refuses the credentials, in those words."""
    return replace(answer, status=401, body={"errorMessage": SAID, "errorCode": SAID})


@contextmanager
def hostile_target(path: Path, answers: Callable[[Request, Answer], Answer] = _hostile) -> Iterator[Path]:
    """The target file of such a server; its name is hostile too."""
    quirk = Quirk(name="hostile", statement="says what acts elsewhere", answers=answers)
    with listening(Koncili(quirks=[quirk]), Wire()) as base_url:
        table = mock_target_table(base_url) | {"name": SAID.replace("\ud800", "")}
        path.write_text(to_toml(table), encoding="utf-8")
        yield path


RULES: Final = ("ORD-04", "ACC-02")
OURS: Final = re.compile(
    r"::(error|warning) (file=features/\w+\.feature,line=\d+,)?title=[A-Z]{3}-\d\d fail \(\w+\) on broken\\n.*"
)

RUNS: Final = {
    "certify -v": ["-v"],
    "certify -v on a terminal": ["-v"],
    "pytest at length": ["-vv", "-rA", "--tb=long", "-l", "--log-cli-level=DEBUG", "-o", "log_cli=true"],
    "pytest, Python's own tracebacks": ["--tb=native", "-rA", "-s"],
}


@pytest.mark.parametrize("how", RUNS)
def test_a_run_against_a_hostile_server(how: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(ROOT)}
    with hostile_target(tmp_path / "target.toml") as target:
        given: dict[str, Any] = {"variables": github, "given": (target,), "terminal": how.endswith("terminal")}
        if how.startswith("certify"):
            rules = [f"--rule={rule}" for rule in RULES]
            run = certify(tmp_path, f"--target={target}", "--no-html", *rules, *RUNS[how], **given)
        else:
            rules = [f"--koncili-rule={rule}" for rule in RULES]
            run = plain_pytest(tmp_path, f"--koncili-target={target}", "--koncili-no-html", *rules, *RUNS[how], **given)
    output = run.shown.decode()
    assert run.code == 1, output
    if given["terminal"]:  # where our own line is drawn, by rich
        output = re.sub(r"\x1b\[\??[0-9;]*[mKAhlG]|\r", "", output.replace("\r\n", "\n"))
    found = commands(output)
    assert [one for one in found if not OURS.fullmatch(one)] == []
    assert found, "our own annotations are there"
    assert odd(output) == set()
    source = summary.read_text(encoding="utf-8")
    assert source == (run.reports / "summary.md").read_text(encoding="utf-8")
    headings = [
        token.content for token in read_markdown(source) if token.type == "inline" and "Forged" in token.content
    ]
    assert not any(content.startswith("# Forged") for content in headings)
    assert source.startswith("# ````broken\\n::error")
    assert {block for block, _ in shape(source)} <= {block for block, _ in shape(markdown(QUIET))}
    ET.parse(run.reports / "junit.xml")  # noqa: S314 - our own
    assert odd((run.reports / "junit.xml").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("command", ["certify", "pytest"])
def test_a_hostile_refusal_of_the_credentials(command: str, tmp_path: Path) -> None:
    with hostile_target(tmp_path / "target.toml", _mute) as target:
        given: dict[str, Any] = {"variables": {"GITHUB_ACTIONS": "true"}, "given": (target,)}
        if command == "pytest":
            run = plain_pytest(tmp_path, f"--koncili-target={target}", "--koncili-rule=ORD-04", **given)
        else:
            run = watch(tmp_path, str(COMMAND), "certify", f"--target={target}", **given)
    output = run.shown.decode()
    assert run.code == 3, output
    assert "gives no access token for these credentials: 401" in output
    assert (commands(output), odd(output)) == ([], set())
