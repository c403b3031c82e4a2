"""The outcome in words: failures first, long stories cut, and the step that comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.report.lines import Line, Tone
from conformance.report.screen import styled
from conformance.report.summary import MOST_SHOWN, MOST_STEPS, brief, markdown, next_step, terminal
from conformance.target.config import parse_target
from conformance.verdict.certificate import Certificate, make_certificate
from conformance.verdict.not_exercised import NEEDS_CONTROL
from conformance.verdict.verdicts import NOT_SELECTED, Kinds, RuleResult, RuleVerdict
from conformance.verdict.violation import SHOWS_IT, Finding

RULES: Final = list(catalogue().rules.values())

STORY: Final = "\n".join(f"# {number}. step: 200\ncurl {number}" for number in range(1, 11))


def result(rule: str, verdict: RuleVerdict = RuleVerdict.PASS, reason: str = "", curl: str = "curl 1") -> RuleResult:
    failed = verdict is RuleVerdict.FAIL
    finding = Finding(rule, reason, {}, {"status": 200, "body": "{}"}, curl) if failed else None
    return RuleResult(catalogue()[rule], verdict, reason, 1, 1, 0, finding)


def certificate(*results: RuleResult) -> Certificate:
    return make_certificate(
        results=results,
        target=parse_target(mock_target_table("http://127.0.0.1:8765"), "target.toml"),
        profile="certification",
        seed=0,
        readings={},
        readings_from={},
        traffic={"requests": 9, "client_errors": 3, "server_errors": 0, "throttled": 0},
        started_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        finished_at=datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC),
    )


def texts(lines: Iterable[Line]) -> list[str]:
    return [line.text for line in lines]


FAILED: Final = result("ORD-04", RuleVerdict.FAIL, "it was accepted")
PASSED: Final = result("ORD-05")
WAIVED: Final = result("ORD-07", RuleVerdict.WAIVED, "waived until 2026-12-31: ticket 4711")


def left_out(rule: str, reason: str) -> RuleResult:
    return result(rule, RuleVerdict.NOT_EXERCISED, reason)


def test_failures_come_first_with_all_that_shows_them_again() -> None:
    statement = catalogue()["ORD-04"].statement
    assert texts(terminal(certificate(PASSED, left_out("ORD-06", "needs a thing"), FAILED)))[:4] == [
        f"✗ ORD-04 fail (required): {statement}", "    it was accepted", "    curl 1", "    answered 200 {}",
    ]  # fmt: skip


def test_lines_have_the_tone_of_their_verdict() -> None:
    lines = list(terminal(certificate(PASSED, left_out("ORD-06", "needs a thing"), FAILED)))
    by_symbol = {line.text[0]: line.tone for line in lines if line.text[:1] in {"✗", "○"}}
    assert by_symbol == {"✗": Tone.BAD, "○": Tone.FAINT}
    (verdict,) = [line for line in lines if line.text.endswith("NONCONFORMANT")]
    assert verdict.tone is Tone.BAD


def told(curl: str) -> list[str]:
    """What the terminal tells of a counterexample with these curl lines."""
    return texts(terminal(certificate(PASSED, result("WFL-04", RuleVerdict.FAIL, "it was accepted", curl))))[2:]


def test_of_a_long_story_the_step_that_shows_it_is_told() -> None:
    shown = told(STORY)
    assert shown[0] == "    ... 4 steps before, in index.html"
    assert shown[1 : 1 + 2 * MOST_STEPS] == [f"    {line}" for line in STORY.splitlines()[-2 * MOST_STEPS :]]
    assert shown[1 + 2 * MOST_STEPS] == "    answered 200 {}"


@pytest.mark.parametrize("number", range(1, 11))
def test_the_step_that_shows_it_is_told_wherever_it_stands(number: int) -> None:
    shown = told(STORY.replace(f"# {number}. step: 200", f"# {number}. step: 200{SHOWS_IT}"))
    assert f"    curl {number}" in shown
    assert f"    curl {number + 1}" not in shown
    after = f"    ... {10 - number} step{'s' * (number != 9)} after, in index.html"
    assert (after in shown) == (number < 10)


def test_a_story_that_fits_is_not_cut() -> None:
    assert not any(line.endswith("in index.html") for line in told("\n".join(STORY.splitlines()[: 2 * MOST_STEPS])))


def test_a_finding_is_told_with_the_command_that_tries_it_again() -> None:
    made = certificate(FAILED)
    (finding,) = next(entry for entry in made.rules if entry.id == "ORD-04").findings
    assert "    again, with new codes and periods: try again " + finding.id in texts(
        terminal(made, "try again {}".format)
    )
    assert not any("again" in line and "periods" in line for line in texts(terminal(made)))


def test_rules_with_one_reason_are_told_together() -> None:
    lines = texts(
        terminal(certificate(PASSED, left_out("ORD-06", "needs a thing"), left_out("ORD-07", "needs a thing")))
    )
    assert lines[0] == "○ 2 rules not-exercised: needs a thing"


def test_of_many_failures_some_are_told() -> None:
    failed = [result(rule.id, RuleVerdict.FAIL, f"broken {rule.id}") for rule in RULES[: MOST_SHOWN + 3]]
    lines = texts(terminal(certificate(*failed)))
    assert sum(line.startswith("✗") for line in lines) == MOST_SHOWN
    assert "... and 3 more at fail, in index.html" in lines


def test_the_brief_end_is_failures_and_verdict() -> None:
    statement = catalogue()["ORD-04"].statement
    assert texts(brief(certificate(PASSED, FAILED))) == [
        f"✗ ORD-04 (required): {statement}", "mock (http://127.0.0.1:8765): NONCONFORMANT",
    ]  # fmt: skip


LIVE: Final = [left_out("AUTH-05", NEEDS_CONTROL["clock"]), left_out("LIM-01", NEEDS_CONTROL["mock"])]


@pytest.mark.parametrize(
    ("results", "step"),
    [
        ([PASSED], "Every required rule was seen to hold."),
        ([PASSED, WAIVED], "Every required rule was seen to hold but what is waived: ORD-07."),
        ([PASSED, WAIVED, left_out("ORD-06", NOT_SELECTED)], "to certify all. Not so what is waived: ORD-07."),
        ([PASSED, FAILED], "Each failing rule has a counterexample"),
        ([result("ORD-05", RuleVerdict.INCONCLUSIVE, "gone")], "Nothing is decided"),
        ([PASSED, left_out("ORD-06", NOT_SELECTED)], "leave out --rule to certify all"),
        ([PASSED, *LIVE], "All that a live endpoint can show was seen to hold"),
        ([PASSED, *LIVE, left_out("ACC-03", "needs fixtures.inactive_account")], "see what the other rules need"),
        ([PASSED, left_out("ORD-06", NOT_SELECTED), *LIVE], "see what the other rules need"),
    ],
)
def test_the_next_step_follows_from_what_was_seen(results: list[RuleResult], step: str) -> None:
    made = certificate(*results)
    assert step in next_step(made)
    assert step in markdown(made)
    assert step in texts(terminal(made))[-1]


def test_recommended_rules_do_not_change_the_next_step() -> None:
    recommended = next(rule.id for rule in RULES if rule.level == "recommended")
    made = certificate(PASSED, left_out("ORD-06", NOT_SELECTED), left_out(recommended, "needs a thing"))
    assert "leave out --rule" in next_step(made)


def test_what_a_target_answers_is_no_command_to_a_terminal_or_a_ci_system() -> None:
    hostile = "made\n::error title=x::y\r\x1b[2J\u202e"
    finding = Finding("ORD-04", "", {}, {"status": 200, "body": hostile}, f"curl\x1b[2J '{hostile}'")
    made = certificate(replace(FAILED, reason=hostile, finding=finding))
    lines = [styled(line, lively=False) for line in terminal(made)]
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in lines)
    assert r"    made\n::error title=x::y\r\x1b[2J\u202e" in lines
    assert r"    answered 200 made\n::error title=x::y\r\x1b[2J\u202e" in lines


def test_markup_in_a_reason_stays_text() -> None:
    made = certificate(replace(FAILED, reason="<script>"))
    assert "\n`<script>`\n" in markdown(made)


# -- which kinds were tried ----------------------------------------------------------------------------------------

SOME: Final = replace(PASSED, kinds=Kinds(("a", "b"), ("a | pipe", "d", "e"), {"e": "2026-11-22T11:58:00+00:00"}))
ALL: Final = replace(result("ORD-04"), kinds=Kinds(("a",)))


def test_a_rule_that_did_not_try_every_kind_is_told_on_the_terminal() -> None:
    shown = texts(terminal(certificate(SOME, ALL, result("ORD-06"))))
    assert "3 of 6 kinds of faults tried, 1 more by earlier runs since 2026-11-22 11:58 UTC (66.6 %)" in shown
    assert "pass, with not all kinds tried (--complete tries them): ORD-05 2 of 5" in shown


def test_where_every_kind_was_tried_no_rule_is_told_for_it() -> None:
    shown = texts(terminal(certificate(ALL)))
    assert "1 of 1 kind of faults tried (100 %)" in shown
    assert not any("not all kinds" in line for line in shown)


def test_the_summary_has_the_kinds_of_each_rule_and_those_that_are_left() -> None:
    text = markdown(certificate(SOME, ALL, result("ORD-06")))
    assert "| ORD-05 | required | ✓ pass | 2 of 5 | 1 | 1 |" in text
    assert "| ORD-04 | required | ✓ pass | 1 of 1 | 1 | 1 |" in text
    assert "| ORD-06 | required | ✓ pass |  | 1 | 1 |" in text
    assert "- ORD-05, 2 of 5 tried; left: `a \\x7c pipe`; d; e (tried by an earlier run)\n" in text
    assert "- ORD-04" not in text
    assert "Kinds of faults left" not in markdown(certificate(ALL))


def test_a_certificate_that_tells_no_kinds_is_told_without() -> None:
    assert not any("kind" in line for line in texts(terminal(certificate(PASSED))))
    assert "kinds of faults" not in markdown(certificate(PASSED))
