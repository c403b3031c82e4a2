"""What a person sees of a run: a line that lives on a terminal, plain lines elsewhere, the verdict alone with -q."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import catalogue
from conformance.planning.costs import Stage
from conformance.report.lines import Line, Tone
from conformance.report.progress import Progress
from conformance.report.screen import BEAT_SECONDS, Loudness, Screen, is_lively, styled, tell
from conformance.verdict.evidence import Outcome
from tests.suite.report.test_progress import BIG, OTHER, SMALL, over
from tests.suite.support.command_runs import COMMAND, PATIENCE_SECONDS, Run, certify

STATEMENT: Final = "A CONCLUDED order without sendDate, estimatedDeliveryDate or deliveryDate is refused."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def screen(stream: io.StringIO, loudness: Loudness = Loudness.NORMAL, clock: Clock | None = None) -> Screen:
    progress = Progress(("ORD-01", "ORD-04"), (BIG, SMALL, OTHER))
    return Screen(progress, stream, loudness=loudness, lively=False, clock=clock or Clock())


def shown(loudness: Loudness, *stages: Stage, outcome: Outcome = Outcome.PASSED) -> list[str]:
    stream = io.StringIO()
    whole = screen(stream, loudness)
    for stage in stages:
        whole.ended(over(stage, outcome=outcome))
    return stream.getvalue().splitlines()


# -- without a terminal ------------------------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_said_of_what_passes() -> None:
    assert shown(Loudness.NORMAL, BIG, SMALL, OTHER) == []


def test_a_rule_that_fails_is_told_at_once_and_once() -> None:
    assert shown(Loudness.NORMAL, OTHER, OTHER, outcome=Outcome.FAILED) == [f"✗ ORD-04 {STATEMENT}"]


def test_quiet_is_quiet() -> None:
    assert shown(Loudness.QUIET, OTHER, outcome=Outcome.FAILED) == []


@pytest.mark.parametrize(("outcome", "symbol"), [
    (Outcome.PASSED, "✓"), (Outcome.FAILED, "✗"), (Outcome.NOT_EXERCISED, "○"), (Outcome.INCONCLUSIVE, "?"),
])  # fmt: skip
def test_verbose_names_every_scenario(outcome: Outcome, symbol: str) -> None:
    assert shown(Loudness.VERBOSE, BIG, SMALL, outcome=outcome) == [
        f"{symbol} ORD-01 any order: 3 accepted (0.2 s)",
        f"{symbol} ORD-01 another order: 3 accepted (0.2 s)",
    ]


def test_a_long_run_says_once_a_minute_how_far_it_is() -> None:
    stream, clock = io.StringIO(), Clock()
    whole = screen(stream, clock=clock)
    clock.now = BEAT_SECONDS - 1
    whole.ended(over(BIG))
    assert stream.getvalue() == ""
    clock.now = BEAT_SECONDS
    whole.ended(over(SMALL))
    assert stream.getvalue() == "1 of 2 rules, 40 requests, 0 client errors, about 1:30 min left\n"
    clock.now += BEAT_SECONDS - 1
    whole.ended(over(OTHER))
    assert stream.getvalue().count("\n") == 1


def test_a_wait_is_a_line() -> None:
    stream = io.StringIO()
    whole = screen(stream)
    for left in (62.0, 61.0, 0.0, 9.0):
        whole.wait("the rate", left)
    assert stream.getvalue() == "waiting 1:02 min for the rate\nwaiting 9 s for the rate\n"


def test_a_quiet_run_waits_quietly() -> None:
    stream = io.StringIO()
    screen(stream, Loudness.QUIET).wait("the rate", 62.0)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("error", "told"), [(ValueError("odd"), True), (OSError("No space left"), False)])
def test_what_broke_down_is_kept_but_for_a_full_disk_which_has_words_of_its_own(
    error: Exception, *, told: bool
) -> None:
    whole = screen(io.StringIO())
    with pytest.raises(type(error)) as raised:
        raise error
    whole.pytest_internalerror("the traceback", raised)
    assert whole.broke_down == (["the traceback"] if told else [])


# -- colours -----------------------------------------------------------------------------------------------------------


def test_only_a_terminal_is_lively_and_only_unless_the_user_wants_it_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert is_lively(Terminal())
    assert not is_lively(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_lively(Terminal())
    monkeypatch.setenv("NO_COLOR", "")
    assert is_lively(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_lively(Terminal())


def test_lines_have_their_colour() -> None:
    assert styled(Line("fail", Tone.BAD), lively=True) == "\x1b[31mfail\x1b[0m"
    assert styled(Line("fail", Tone.BAD), lively=False) == "fail"
    assert styled(Line("plain"), lively=True) == "plain"


def test_a_pipe_that_nobody_reads_any_more_is_no_error() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    tell([Line("a line")], Closed())


# -- whole runs --------------------------------------------------------------------------------------------------------

DEFECT: Final = ("--defect", "ord-04-not-enforced", "--rule", "ORD-04")


def on_a_terminal(reports: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code of a certification, and what a terminal got of it."""
    leading, following = pty.openpty()
    command = [str(COMMAND), "certify", "--no-html", "--reports", str(reports), *arguments]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        command, stdout=following, stderr=following, start_new_session=True,
        env={**plain, "TERM": "xterm-256color", **environment},
    ) as process:  # fmt: skip
        os.close(following)
        told = b""
        try:
            while part := os.read(leading, 65536):
                told += part
        except OSError:  # the other side is closed
            pass
        finally:
            os.close(leading)
        return process.wait(PATIENCE_SECONDS), told.decode()


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return certify(tmp_path_factory.mktemp("plain"), *DEFECT)


def test_on_a_terminal_the_line_lives_and_is_gone_at_the_end(tmp_path: Path) -> None:
    code, told = on_a_terminal(tmp_path, *DEFECT)
    assert code == 1
    course, _, end = told.rpartition("\x1b[?25h")  # the cursor is shown again
    assert re.search(r"0 of 1 rule, 0 requests", course)
    assert "of 1 rule" not in end
    assert "\x1b[31m✗ ORD-04 fail" in end


def test_no_color_is_plain_on_a_terminal_too(tmp_path: Path) -> None:
    code, told = on_a_terminal(tmp_path, *DEFECT, NO_COLOR="1")
    assert code == 1
    assert "\x1b" not in told
    assert "NONCONFORMANT" in told


def test_nothing_of_pytest_itself_is_shown(failing: Run) -> None:
    assert failing.errors == ""
    assert not re.search(r"deselected|passed|\d+ failed|====|!!!!", failing.output)
    assert failing.output.startswith(f"✗ ORD-04 {STATEMENT}\n\n✗ ORD-04 fail (required): {STATEMENT}\n")


def test_the_end_is_the_verdict_the_next_step_and_where_it_is(failing: Run) -> None:
    *_, verdict, rules, kinds, profile, step, page, certificate, _html = failing.output.splitlines()
    assert verdict.endswith(": NONCONFORMANT")
    assert rules == f"rules: 1 fail, {len(catalogue().rules) - 1} not-exercised"
    assert re.fullmatch(r"\d+ of \d+ kinds of faults tried \([0-9.]+ %\)", kinds)
    assert profile.startswith("profile certification, seed 0, ")
    assert step == "Each failing rule has a counterexample: `koncili-conformance replay` sends it anew."
    assert page == f"page: {failing.reports / 'index.html'}"
    assert certificate == f"certificate: {failing.reports / 'certificate.json'}"


def test_quiet_prints_the_failing_rules_and_the_verdict(tmp_path: Path) -> None:
    run = certify(tmp_path, *DEFECT, "-q")
    assert run.output == f"✗ ORD-04 (required): {STATEMENT}\nmock (http://127.0.0.1:8765): NONCONFORMANT\n"
    assert (run.code, run.errors) == (1, "")


def test_an_interruption_is_answered_at_once(tmp_path: Path) -> None:
    command = [str(COMMAND), "certify", "--no-html", "--reports", str(tmp_path), "-v"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(PATIENCE_SECONDS) == 2
    assert "interrupted: clearing away; Ctrl-C again leaves that to cleanup\n" in rest
    assert not re.search(r"KeyboardInterrupt|full-trace|Interrupted:", rest)
