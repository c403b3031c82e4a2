"""index.html, without a browser: what it is made of, that nothing in it is lost or changed, that nothing gets out of it."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.report.files import CERTIFICATE, PAGE, Reports
from conformance.report.page.bodies import lines_of
from conformance.report.page.example import example_of, reason_of, story_of
from conformance.report.page.matrix import COLUMNS, row_of
from conformance.report.page.render import BESIDE, page, page_again, page_told
from conformance.report.page.view import UNKNOWN, view_of
from conformance.report.page.words import duration, meaning
from conformance.report.rulebook import expected
from conformance.verdict.certificate import Certificate
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from tests.suite.certificates import (
    BASE_URL,
    FAILURES,
    ORDER,
    STORY,
    UNDECIDED,
    certificate,
    counterexample,
    entry,
    failing,
    passing,
    single,
)

VOID: Final = {"meta", "link", "input", "br", "rect", "wbr"}


@dataclass
class Element:
    """An element of a page, and the tags that it is within."""

    tag: str
    attributes: dict[str, str]
    within: tuple[str, ...] = ()
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All the text in it."""
        return "".join(self.parts)


@dataclass
class Read(HTMLParser):
    """A page as a browser would take it apart."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(
            tag, {name: value or "" for name, value in attrs}, within=tuple(one.tag for one in self._open)
        )
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop().tag == tag, "elements are closed in the order in which they were opened"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.parts.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements with this tag, attributes, and class (`class_`: one of several)."""
        class_ = attributes.pop("class_", None)
        return [
            element
            for element in self.elements
            if element.tag == tag
            and attributes.items() <= element.attributes.items()
            and (class_ is None or class_ in element.attributes.get("class", "").split())
        ]

    def close(self) -> None:
        super().close()
        assert self._open == [], "every element is closed"


def read(of: Certificate, beside: Any = ()) -> Read:
    """The page of a certificate, taken apart."""
    reader = Read()
    reader.feed(page(of, beside))
    reader.close()
    return reader


@pytest.fixture(scope="module")
def shown() -> Read:
    """The page of a failing run."""
    return read(failing(), BESIDE)


# -- bodies ----------------------------------------------------------------------------------------------------------


def test_a_body_is_laid_out_and_each_token_stays_as_it_was_sent() -> None:
    assert [line.text for line in lines_of(ORDER)] == [
        "{",
        '  "marketplaceCode": "701-0000000-0000637",',
        '  "accountId": 19055,',
        '  "totalGrossValue": 203.630,',
        '  "extracts": [',
        "    {",
        '      "type": "SALE",',
        '      "value": 203.630',
        "    },",
        "    {",
        '      "type": "SHIP",',
        '      "value": -5E+0',
        "    }",
        "  ],",
        '  "note": "\\u00e9 / \\/"',
        "}",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "203.630",
        "[1.10, 1e400, 12345678901234567890.0, -0.00]",
        '{"a": 1, "a": 2}',
        '{"a": {}, "b": [], "c": [[], {}], "": ["{", "[1, 2]", "a: \\"b\\","]}',
        '"\\ud800 \\u202e"',
        "[true, null, false]",
        "[" * 40 + "]" * 40,
    ],
)
def test_no_body_changes(body: str) -> None:
    def bare(text: str) -> str:
        return re.sub(r'("(?:[^"\\]|\\.)*")|\s', r"\1", text)

    laid_out = "\n".join(line.text for line in lines_of(body))
    assert bare(laid_out) == bare(body)
    assert json.dumps(json.loads(laid_out)) == json.dumps(json.loads(body))


@pytest.mark.parametrize(
    "body", ["<h1>no JSON</h1>", '{"a": 1', "a\n  b\n", '{"a": NaN}', "[" * 41 + "]" * 41, "[" * 9999]
)
def test_what_is_not_json_or_too_deep_stays_as_it_is(body: str) -> None:
    assert "\n".join(line.text for line in lines_of(body)) == body


def test_every_line_knows_its_place() -> None:
    body = '{"a": [{"b": 1, "c": [2, 3]}, 4], "d": {"e\\u002e": {}}}'
    assert [(line.text.strip(), line.place) for line in lines_of(body)] == [
        ("{", ""),
        ('"a": [', "a"),
        ("{", "a[0]"),
        ('"b": 1,', "a[0].b"),
        ('"c": [', "a[0].c"),
        ("2,", "a[0].c[0]"),
        ("3", "a[0].c[1]"),
        ("]", "a[0].c"),
        ("},", "a[0]"),
        ("4", "a[1]"),
        ("],", "a"),
        ('"d": {', "d"),
        ('"e\\u002e": {}', "d.e."),
        ("}", "d"),
        ("}", ""),
    ]


# -- counterexamples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A-1: expected x, but y", ("x", "y", "", "")),
        ("A-1: expected x, but y, but z (in passing)", ("x", "y, but z (in passing)", "", "")),
        ("A-1: expected x, but y (changed in one place: a[0] = (left out))", ("x", "y", "a[0] = (left out)", "")),
        ("A-1: expected x, but y\nz [waiver expired on 2026-01-02]", ("x", "y\nz", "", "waiver expired on 2026-01-02")),
        ("the target went away", ("", "", "", "")),
        ("", ("", "", "", "")),
    ],
)
def test_a_reason_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    reason = reason_of(text)
    assert (reason.expected, reason.actual, reason.changed, reason.remark) == parts
    assert reason.whole == text


def test_a_story_is_told_in_steps() -> None:
    steps = story_of(STORY)
    assert [(step.what, step.status) for step in steps] == [
        ("submit order A on account 19055", "200"),
        ("submit order A, status CANCELLED", "400"),
        ("ask for order A on account 19055", "404"),
    ]
    assert all(step.curl.startswith("curl -i") for step in steps)
    assert "\n".join(f"# {n}. {step.what}: {step.status}\n{step.curl}" for n, step in enumerate(steps, 1)) == STORY


@pytest.mark.parametrize(
    ("curl", "whats"),
    [
        ("", []),
        ("curl a", [""]),
        ("curl 'a\n# 1. b: 200\nc'", [""]),  # the only request, with what looks like a comment in it
        ("# 1. a: 200\ncurl 'x\n# 3. b: 200\n# 1. c: 200'\n# 2. d: 404\ncurl y", ["a", "d"]),
    ],
)
def test_only_the_next_number_begins_a_step(curl: str, whats: list[str]) -> None:
    assert [step.what for step in story_of(curl)] == whats


def test_the_step_that_is_shown_in_full_is_marked() -> None:
    whole = FAILURES["ORD-16"]["counterexample"]
    steps = example_of(whole, reason_of("")).steps
    assert [step.is_shown for step in steps] == [False, False, True]
    other = whole.model_copy(update={"response": {"status": 201}})
    assert not any(step.is_shown for step in example_of(other, reason_of("")).steps)


def test_what_was_changed_is_marked() -> None:
    shown = read(failing())
    assert [mark.text for mark in shown.all("mark")] == ["accountId=19", '"value": -5E+0']


def test_a_rule_that_fails_without_an_exchange_is_shown_all_the_same() -> None:
    empty = counterexample("GET", "/order").model_copy(update={"request": {}, "response": {}, "curl": ""})
    rule = catalogue()["ORD-04"]
    shown = read(
        certificate([entry(rule, RuleVerdict.FAIL, "so it is", counterexample=empty)], RunVerdict.NONCONFORMANT)
    )
    (failure,) = shown.all("article")
    assert "so it is" in failure.text
    assert "Request" not in failure.text


def test_a_long_body_says_that_it_is_cut() -> None:
    long = entry(
        catalogue()["ORD-04"], RuleVerdict.FAIL, "why", counterexample=counterexample("POST", "/order", "x" * 20_000)
    )
    (failure,) = read(certificate([long], RunVerdict.NONCONFORMANT)).all("article")
    assert "x" * 20_000 in failure.text
    assert "keeps the first 20,000 characters" in failure.text
    assert "keeps the first" not in read(failing()).all("body")[0].text


# -- all of it is there ----------------------------------------------------------------------------------------------


def test_every_rule_is_there_once_with_all_that_is_known_of_it(shown: Read) -> None:
    details = {one.attributes["id"]: one for one in shown.all("details", class_="rule")}
    assert list(details) == list(catalogue().rules)
    assert len(shown.all("details", class_="rule")) == 88
    assert [row.attributes["data-rule"] for row in shown.all("tr") if "data-rule" in row.attributes] == list(details)
    for entry_ in failing().rules:
        rule, detail = catalogue()[entry_.id], details[entry_.id]
        assert detail.attributes["data-verdict"] == entry_.verdict
        assert detail.attributes["data-level"] == rule.level
        assert detail.attributes["data-area"] == rule.area
        for words in (rule.statement, rule.source, expected(rule), entry_.reason, *(e.label for e in rule.endpoints)):
            assert words in detail.text, entry_.id
        assert f"{entry_.requests} requests, {entry_.client_errors} client errors" in detail.text
        if rule.reading:
            assert rule.reading in detail.text


def test_failures_come_first_and_required_ones_before_recommended(shown: Read) -> None:
    assert [one.attributes["data-rule"] for one in shown.all("article")] == [
        "ACC-02", "ORD-04", "ORD-10", "ORD-16", "ERR-02", "ERR-03",
    ]  # fmt: skip
    headings = [one.text for one in shown.all("h2")]
    assert headings == ["Overview", "Failures", "Undecided or waived", "Rules by endpoint", "All rules", "Readings"]
    by_rule = {one.attributes["data-rule"]: one.text for one in shown.all("article")}
    for words in (
        "it to be refused with 400",
        "it answered 200",
        "sendDate = (left out)",
        '"totalGrossValue": 203.630',
    ):
        assert words in by_rule["ORD-04"]
    assert "<h1>Internal server error</h1>" in by_rule["ERR-02"]
    assert "1. " not in by_rule["ORD-16"]  # the list numbers its steps
    assert [one.text.split("→")[0].strip() for one in shown.all("p") if "→" in one.text][:1] == [
        "submit order A on account 19055"
    ]


def test_what_shares_a_reason_is_told_together(shown: Read) -> None:
    shared = {one.text for one in shown.all("p", class_="reason")}
    assert {reason for _, reason in UNDECIDED.values()} <= shared
    limits = next(one for one in shown.all("div", class_="shared") if "lock the integrator out" in one.text)
    assert all(rule in limits.text for rule in ("LIM-01", "LIM-02", "LIM-03"))
    whole = read(single())
    assert len(whole.all("div", class_="shared")) == 1
    assert [one.text for one in whole.all("article")] == []


def test_every_verdict_has_a_symbol_and_its_word(shown: Read) -> None:
    symbols = {}
    for verdict in RuleVerdict:
        marked = [
            one.text.split()
            for one in shown.all("span", class_="verdict")
            if verdict in one.attributes["class"].split()
        ]
        assert marked
        assert all(words[1:] == [verdict] for words in marked)
        symbols[verdict] = {words[0] for words in marked}
    assert all(len(one) == 1 for one in symbols.values())
    assert len({symbol for one in symbols.values() for symbol in one}) == len(RuleVerdict)


def test_counts_are_told_apart_by_level(shown: Read) -> None:
    tiles = [" ".join(one.text.split()) for one in shown.all("label", class_="tile")]
    assert tiles == [
        "✓ 76 pass 68 required8 recommended",
        "✗ 6 fail 5 required1 recommended",
        "○ 4 not-exercised 4 required0 recommended",
        "? 1 inconclusive 0 required1 recommended",
        "~ 1 waived 1 required0 recommended",
    ]


def test_the_run_is_named(shown: Read) -> None:
    (top,) = shown.all("header")
    words = " ".join(top.text.split())
    for part in ("Nonconformant", "sandbox", BASE_URL, "certification, 7", "2026-11-22 12:00:00 UTC", "3 min 20 s"):
        assert part in words
    assert catalogue().sha256 in words
    assert "Digest" not in words


def test_a_digest_is_shown_where_there_is_one() -> None:
    (top,) = read(failing().model_copy(update={"digest": "sha256:abc"})).all("header")
    assert "sha256:abc" in top.text


def test_readings_and_contradictions_are_told(shown: Read) -> None:
    rows = {
        row.attributes["id"]: row.text for row in shown.all("tr") if row.attributes.get("id", "").startswith("reading-")
    }
    assert rows.keys() == {f"reading-{reading}" for reading in READINGS}
    assert "stated by the target file" in rows["reading-extract-types"]
    assert "found out by probing" in rows["reading-period-bounds"]
    assert all(READINGS[row.removeprefix("reading-")].disagreement in text for row, text in rows.items())
    assert all(contradiction in shown.all("main")[0].text for contradiction in PRINTED_CONTRADICTIONS)


@pytest.mark.parametrize(
    ("verdict", "verdicts", "words"),
    [
        (RunVerdict.CONFORMANT, {}, "All 78 required rules were seen to hold."),
        (
            RunVerdict.CONFORMANT,
            {"ORD-05": "waived"},
            "77 of 78 required rules were seen to hold; 1 failed and is waived.",
        ),
        (RunVerdict.NONCONFORMANT, {"ORD-05": "fail", "ERR-03": "fail"}, "1 required rule of 78 was seen broken."),
        (RunVerdict.NONCONFORMANT, {"ORD-05": "fail", "ORD-04": "fail"}, "2 required rules of 78 were seen broken."),
        (RunVerdict.PARTIAL, {"ORD-05": "not-exercised"}, "broken, but 1 of 78 was not exercised."),
        (RunVerdict.INCONCLUSIVE, {"ORD-05": "inconclusive"}, "broken, but 1 of 78 could not be decided."),
        (RunVerdict.INCONCLUSIVE, dict.fromkeys(catalogue().rules, "not-exercised"), "nothing is decided."),
    ],
)
def test_the_verdict_is_put_in_a_sentence(verdict: RunVerdict, verdicts: dict[str, str], words: str) -> None:
    rules = [entry(rule, RuleVerdict(verdicts.get(rule.id, "pass"))) for rule in catalogue().rules.values()]
    run = certificate(rules, verdict)
    assert meaning(run).endswith(words)
    assert meaning(run) in read(run).all("header")[0].text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(9.42, "9.4 s"), (59.9, "59.9 s"), (200, "3 min 20 s"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_what_was_spent_is_told(shown: Read) -> None:
    (spent,) = shown.all("div", class_="spent")
    words = " ".join(spent.text.split())
    assert words.startswith("Spent 377 client errors of a budget of 400 an hour")
    budget = view_of(failing()).budget
    assert budget.spent == 94.2
    assert [one.rule.client_errors for one in budget.spenders] == sorted(
        (one.rule.client_errors for one in budget.spenders), reverse=True
    )
    assert budget.elsewhere == 377 - sum(rule.client_errors for rule in failing().rules)
    assert budget.elsewhere > 0
    assert f"clearing away took {budget.elsewhere} more" in words
    over = single().model_copy(update={"traffic": single().traffic.model_copy(update={"client_errors": 900})})
    assert view_of(over).budget.spent == 100
    without = single().model_copy(update={"target": single().target.model_copy(update={"error_budget": None})})
    assert "not held to a budget" in read(without).all("div", class_="spent")[0].text


# -- the matrix ------------------------------------------------------------------------------------------------------


def cells(rule: str, verdict: RuleVerdict, **other: Any) -> dict[str, str]:
    """The kinds of a row's cells, by endpoint, without those to which the rule does not apply."""
    row = row_of(entry(catalogue()[rule], verdict, **other), BASE_URL)
    return {
        endpoint.label: cell.kind for endpoint, cell in zip(COLUMNS, row, strict=True) if cell.kind != "away"
    }  # fmt: skip


def test_a_row_has_the_endpoints_of_its_rule() -> None:
    for rule in catalogue().rules.values():
        assert cells(rule.id, RuleVerdict.PASS) == {endpoint.label: "pass" for endpoint in rule.endpoints}
        assert cells(rule.id, RuleVerdict.NOT_EXERCISED) == dict.fromkeys(
            cells(rule.id, RuleVerdict.PASS), "not-exercised"
        )


def test_the_failing_endpoint_is_marked() -> None:
    wide = [endpoint.label for endpoint in catalogue()["AUTH-03"].endpoints]
    broken = cells("AUTH-03", RuleVerdict.FAIL, counterexample=counterexample("GET", "/order?x=1"))
    assert broken == dict.fromkeys(wide, "idle") | {"GET /order": "broken"}
    nowhere = cells("AUTH-03", RuleVerdict.FAIL, counterexample=counterexample("PATCH", "/order"))
    assert nowhere == dict.fromkeys(wide, "fail")
    elsewhere = cells("ORD-04", RuleVerdict.FAIL, counterexample=counterexample("GET", "/order"))
    assert elsewhere == {"POST /order": "idle", "GET /order": "broken"}
    assert cells("ORD-04", RuleVerdict.WAIVED, counterexample=counterexample("POST", "/order")) == {
        "POST /order": "broken"
    }


@pytest.mark.parametrize("url", ["http://[", "", "nowhere"])
def test_a_spoilt_url_marks_nothing(url: str) -> None:
    spoilt = counterexample("POST", "/order").model_copy(update={"request": {"method": "POST", "url": url}})
    assert cells("ORD-04", RuleVerdict.FAIL, counterexample=spoilt) == {"POST /order": "fail"}


def test_what_was_seen_stands_in_its_cell(shown: Read) -> None:
    row = next(row for row in shown.all("tr") if row.attributes.get("data-rule") == "AUTH-03")
    assert row.text.count("4 accepted3 refused") == 6
    assert row.text.count("does not apply") == 2
    assert len(shown.all("td", class_="broken")) == 6  # five failures with an exchange, and the waived rule


def test_what_passes_with_nothing_counted_there_is_not_called_passed() -> None:
    assert cells("ORD-17", RuleVerdict.PASS, endpoints={"GET /order": {"accepted": 1}}) == {
        "POST /order": "idle", "GET /order": "pass", "DELETE /order": "idle",
    }  # fmt: skip


# -- nothing gets out of it ------------------------------------------------------------------------------------------

HOSTILE: Final = (
    "</script><script>alert(1)</script>\"'`><img src=x onerror=alert(1)></style><!-- </title></pre></details>"
    "\0\a\x1b[31m\r\u202e\u2066\ufeff &amp; &lt; {{ 7 * 7 }} {% raw %}\U000e0041" + "x" * 200
)


def spoilt(text: str) -> Certificate:
    """A certificate of which every text is this one."""
    run = json.loads(failing().to_json())
    run["profile"] = text
    run["target"] |= {"name": text, "baseUrl": text}
    run["suite"] = {"version": text, "commit": text}
    run["contract"]["version"] = text
    run["readings"] = {text: text}
    run["readingsFrom"] = {}
    run["rules"] = [rule for rule in run["rules"] if rule["id"] in {*FAILURES, *UNDECIDED, "ORD-01"}]
    for number, rule in enumerate(run["rules"]):
        rule |= {"id": f"{text}{number}", "statement": text, "reason": text, "endpoints": {text: {"accepted": 1}}}
        if rule["counterexample"]:
            exchange = {"method": text, "url": text, "headers": {text: text}, "body": text, "status": text}
            rule["counterexample"] = {"request": exchange, "response": exchange, "curl": f"# 1. {text}: 200\n{text}"}
    return Certificate.model_validate_json(json.dumps(run))


def outline(of: Read) -> Iterator[tuple[str, tuple[str, ...]]]:
    for element in of.elements:
        if element.attributes.get("class") != "odd":
            yield element.tag, tuple(sorted(element.attributes))


def test_no_text_becomes_markup() -> None:
    harmless, hostile = read(spoilt("x" * len(HOSTILE))), read(spoilt(HOSTILE))
    assert list(outline(hostile)) == list(outline(harmless))
    assert not any(name.startswith("on") for element in hostile.elements for name in element.attributes)
    assert Counter(element.tag for element in hostile.elements)["script"] == 1
    # what is shown, and copied, is what was there; but for a NUL, which HTML cannot hold
    code = [element.text for element in hostile.all("code") if "pre" in element.within]
    assert HOSTILE.replace("\0", "\N{SYMBOL FOR NULL}") in code


def test_what_nobody_would_see_is_made_visible() -> None:
    odd = {element.attributes["data-code"] for element in read(spoilt(HOSTILE)).all("i", class_="odd")}
    assert odd == {"U+0000", "U+0007", "U+001B", "U+000D", "U+202E", "U+2066", "U+FEFF", "U+E0041"}
    assert read(spoilt("Ação 日本 \U0001f600\t-")).all("i") == []


def test_nothing_is_loaded_from_anywhere(shown: Read) -> None:
    links = [
        element.attributes[name] for element in shown.elements for name in ("src", "href") if name in element.attributes
    ]
    beside = {path for path, _, _ in BESIDE}
    assert beside <= set(links)
    ids = [element.attributes["id"] for element in shown.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for link in links:
        assert link in beside or link.startswith("data:image/svg+xml,") or link.removeprefix("#") in ids, link
    assert not {element.tag for element in shown.elements} & {
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "audio",
        "video",
    }
    assert not any("style" in element.attributes for element in shown.elements)  # the policy would not have it


def test_the_policy_lets_run_what_is_ours_alone(shown: Read) -> None:
    (policy,) = shown.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.split(" ", 1) for rule in policy.attributes["content"].split("; "))
    assert rules["default-src"] == "'none'"
    for tag in ("style", "script"):
        (element,) = shown.all(tag)
        digest = base64.b64encode(sha256(element.text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy.attributes["content"]
    assert shown.elements.index(policy) < min(
        shown.elements.index(shown.all(tag)[0]) for tag in ("style", "script", "link")
    )


def test_only_what_was_made_is_linked(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    (tmp_path / CERTIFICATE).write_text("{}")
    assert page_told(reports, passing()) == f"page: {tmp_path / PAGE}"
    text = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert 'href="certificate.json"' in text
    assert "Allure" not in text
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").touch()
    page_told(reports, passing())
    assert 'href="html/index.html"' in (tmp_path / PAGE).read_text(encoding="utf-8")


# -- certificates of other versions, sizes, files --------------------------------------------------------------------


def test_an_older_certificate_has_a_page_too() -> None:
    run = json.loads(failing().to_json())
    del run["target"]["errorBudget"]
    for rule in run["rules"]:
        for name in ("endpoints", "requests", "clientErrors", "counterexample"):
            del rule[name]
    run["rules"][0]["id"] = "OLD-01"
    run["readings"]["old-reading"] = "so"
    shown = read(Certificate.model_validate_json(json.dumps(run)))
    (old,) = shown.all("details", id="OLD-01")
    assert UNKNOWN in old.text
    assert UNKNOWN in shown.all("tr", id="reading-old-reading")[0].text
    assert len(shown.all("details", class_="rule")) == 88


def test_a_page_is_small() -> None:
    assert len(page(failing(), BESIDE).encode()) < 400_000


def test_a_new_run_clears_the_page_away(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("of another run")
    reports = Reports(tmp_path)
    reports.claim()
    reports.release()
    assert not (tmp_path / PAGE).exists()


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    told = page_told(Reports(tmp_path / "gone"), passing())
    assert told.startswith("no page: ")
    assert told.endswith(f"`koncili-conformance report --reports {tmp_path / 'gone'}` tries again")


def test_the_page_is_made_anew_from_the_certificate(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE).write_text(failing().to_json(), encoding="utf-8")
    done = CliRunner().invoke(main, ["report", "--reports", str(tmp_path)])
    assert f"page: {tmp_path / PAGE}" in done.output
    assert (done.exit_code, "no results there" in done.output) == (3, True)  # of Allure, which a run leaves as well
    (tmp_path / PAGE).unlink()
    assert page_again(Reports(tmp_path)) == tmp_path / PAGE
    assert (tmp_path / PAGE).read_text(encoding="utf-8").count('<details class="rule"') == 88


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the file: Invalid JSON"),
        ('{"schema": "other"}', r"schema: Input should be"),
        ("[]", "the file: Input should be"),
    ],
)
def test_what_is_no_certificate_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE).write_text(text)
    with pytest.raises(
        CannotRun, match=f"certificate.json: is no certificate of this suite: {message}.*; run `koncili"
    ):
        page_again(Reports(tmp_path))
    assert not (tmp_path / PAGE).exists()
