"""index.html, without a browser: all that a certificate says is in it, once."""

from __future__ import annotations

import pytest

from conformance.contract.readings import PRINTED_CONTRADICTIONS, READINGS
from conformance.contract.rules import Level, catalogue
from conformance.report.page.render import BESIDE
from conformance.report.page.view import view_of
from conformance.report.page.words import duration, meaning
from conformance.report.rulebook import expected
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from tests.suite.support.example_certificates import (
    BASE_URL,
    UNDECIDED,
    certificate,
    entry,
    failing,
    single,
)
from tests.suite.support.report_pages import Read, read

REQUIRED = sum(rule.level is Level.REQUIRED for rule in catalogue().rules.values())


@pytest.fixture(scope="module")
def shown() -> Read:
    """The page of a failing run."""
    return read(failing(), BESIDE)


# -- all of it is there ----------------------------------------------------------------------------------------------


def test_every_rule_is_there_once_with_all_that_is_known_of_it(shown: Read) -> None:
    details = {one.attributes["id"]: one for one in shown.all("details", class_="rule")}
    assert list(details) == list(catalogue().rules)
    assert len(shown.all("details", class_="rule")) == len(catalogue().rules)
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
        "ACC-02", "ORD-04", "ORD-10", "ORD-16", "ERR-02", "AUTH-08",
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
    levels = [rule.level for rule in catalogue().rules.values()]
    required, recommended = levels.count(Level.REQUIRED) - 10, levels.count(Level.RECOMMENDED) - 2
    assert tiles == [
        f"✓ {required + recommended} pass {required} required{recommended} recommended",
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
    assert "sha256 abc" in top.text


def test_readings_and_contradictions_are_told(shown: Read) -> None:
    rows = {
        row.attributes["id"]: row.text for row in shown.all("tr") if row.attributes.get("id", "").startswith("reading-")
    }
    assert rows.keys() == {f"reading-{reading}" for reading in READINGS}
    assert "stated by the target file" in rows["reading-extract-types"]
    assert "found out by probing" in rows["reading-period-bounds"]
    assert all(READINGS[row.removeprefix("reading-")].disagreement in text for row, text in rows.items())
    assert all(contradiction in shown.all("main")[0].text for contradiction in PRINTED_CONTRADICTIONS)


REQUIRED = sum(rule.level is Level.REQUIRED for rule in catalogue().rules.values())


@pytest.mark.parametrize(
    ("verdict", "verdicts", "words"),
    [
        (RunVerdict.CONFORMANT, {}, f"All {REQUIRED} required rules were seen to hold."),
        (
            RunVerdict.CONFORMANT,
            {"ORD-05": "waived"},
            f"{REQUIRED - 1} of {REQUIRED} required rules were seen to hold; 1 failed and is waived.",
        ),
        (
            RunVerdict.NONCONFORMANT,
            {"ORD-05": "fail", "ERR-03": "fail"},
            f"1 required rule of {REQUIRED} was seen broken.",
        ),
        (
            RunVerdict.NONCONFORMANT,
            {"ORD-05": "fail", "ORD-04": "fail"},
            f"2 required rules of {REQUIRED} were seen broken.",
        ),
        (RunVerdict.PARTIAL, {"ORD-05": "not-exercised"}, f"broken, but 1 of {REQUIRED} was not exercised."),
        (RunVerdict.INCONCLUSIVE, {"ORD-05": "inconclusive"}, f"broken, but 1 of {REQUIRED} could not be decided."),
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
