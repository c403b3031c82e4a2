"""The parts of index.html: bodies, counterexamples, and the matrix of rules by endpoint."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from conformance.contract.rules import catalogue
from conformance.report.page.bodies import lines_of
from conformance.report.page.example import example_of, reason_of, story_of
from conformance.report.page.matrix import COLUMNS, row_of
from conformance.report.page.render import page
from conformance.report.page.view import view_of
from conformance.verdict.verdicts import Kinds, RuleResult, RuleVerdict, RunVerdict
from tests.suite.support.example_certificates import (
    BASE_URL,
    FAILURES,
    ORDER,
    STORY,
    certificate,
    counterexample,
    entry,
    failing,
)
from tests.suite.support.made_up_certificates import made
from tests.suite.support.report_pages import read

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


def test_what_was_seen_stands_in_its_cell() -> None:
    shown = read(failing())
    row = next(row for row in shown.all("tr") if row.attributes.get("data-rule") == "AUTH-03")
    assert row.text.count("4 accepted3 refused") == 6
    assert row.text.count("does not apply") == 2
    assert len(shown.all("td", class_="broken")) == 6  # five failures with an exchange, and the waived rule


def test_what_passes_with_nothing_counted_there_is_not_called_passed() -> None:
    assert cells("ORD-17", RuleVerdict.PASS, endpoints={"GET /order": {"accepted": 1}}) == {
        "POST /order": "idle", "GET /order": "pass", "DELETE /order": "idle",
    }  # fmt: skip


# -- which kinds were tried ----------------------------------------------------------------------------------------


def test_a_rule_that_did_not_try_every_kind_is_told_and_is_no_remark() -> None:
    kinds = Kinds(("zero", "a cent"), ("<b>", "minus a cent"), {"minus a cent": "2026-11-22T11:58:00+00:00"})
    some = RuleResult(catalogue()["ORD-10"], RuleVerdict.PASS, kinds.words, 1, 1, 0, kinds=kinds)
    stale = RuleResult(catalogue()["ORD-04"], RuleVerdict.PASS, "stale waiver: remove it", 1, 1, 0)
    view = view_of(made([some, stale]))
    assert view.covered == "2 of 4 kinds of faults tried, 1 more by earlier runs since 2026-11-22 11:58 UTC (75 %)"
    assert [rule.id for rule in view.remarks] == ["ORD-04"]
    text = page(view.certificate)
    assert "2 of 4 kinds tried, 1 more by earlier runs" in text
    for told in ("Tried: 2", "Tried by earlier runs: 1", "Left: 1", "&lt;b&gt;"):
        assert told in text, told
