"""What a person sees of `certify` while it runs, in place of pytest's own output: a line that lives where there is a terminal,
else a line a minute."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TextIO

import pytest

from conformance import escaping
from conformance.compat.pytest import let_write_to
from conformance.contract.rules import catalogue
from conformance.i18n.messages import tr
from conformance.report.lines import Line, Tone
from conformance.report.progress import Ended, Progress, words
from conformance.report.progress import told as in_words
from conformance.report.summary import SYMBOL_OF_OUTCOME
from conformance.report.waits import words as waiting_words
from conformance.streams import lasting
from conformance.target.wire.journal import Traffic
from conformance.verdict.evidence import Outcome

if TYPE_CHECKING:
    from rich.live import Live

BEAT_SECONDS: Final = 60.0
"""How often a run without a terminal says how far it is: CI systems end jobs that stay silent."""

REFRESHES_A_SECOND: Final = 4

BAR_WIDTH: Final = 24

_STYLES: Final = {Tone.PLAIN: "", Tone.GOOD: "32", Tone.BAD: "31", Tone.DOUBT: "33", Tone.FAINT: "2"}


class Loudness(Enum):
    """How much is told: the verdict, the course of the run, or every scenario."""

    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


def own_stream() -> TextIO:
    """Standard output past pytest, which captures it while a scenario runs."""
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):  # there is no file behind it
        return sys.stdout
    return lasting(descriptor, sys.stdout.encoding, closefd=True)


def is_lively(stream: TextIO) -> bool:
    """Whether lines may be drawn anew and in colour: on a terminal, unless the user wants it plain (NO_COLOR)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


class Screen:
    """The pytest plugin that shows a run. `stream` must be one that pytest does not capture."""

    def __init__(
        self,
        progress: Progress,
        stream: TextIO,
        *,
        loudness: Loudness = Loudness.NORMAL,
        lively: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds."""
        self.progress = progress
        self.loudness = loudness
        self.lively = lively
        self.pytests = io.StringIO()
        """What pytest itself would have printed."""
        self.broke_down: list[str] = []
        """Errors of the suite itself, outside of scenarios."""
        self.traffic: Callable[[], Traffic | None] = lambda: None
        """What this process has sent so far, if it sends anything."""
        self._stream = stream
        self._clock = clock
        self._began = self._told_at = clock()
        self._waiting = ""
        self.has_told = False
        """Whether any line was told that stays."""
        self._live: Live | None = None

    # -- pytest ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take the terminal over."""
        let_write_to(config, self.pytests)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A scenario may be over, here or in a worker."""
        told = getattr(report, ENDED, None)
        if told is not None:
            self.ended(Ended.from_json(told))

    def pytest_internalerror(self, excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Something broke down outside of scenarios. A disk that is full, above all, has words of its own."""
        if not isinstance(excinfo.value, OSError):
            self.broke_down.append(str(excrepr))

    # -- what is shown ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """From now on the line lives."""
        if not self.lively or self.loudness is Loudness.QUIET or self._live is not None:
            return
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            get_renderable=self._drawn,
            console=Console(file=self._stream, highlight=False, markup=False, emoji=False),
            refresh_per_second=REFRESHES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def end(self) -> None:
        """The line is gone."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def ended(self, ended: Ended) -> None:
        """A scenario is over."""
        is_new = ended.outcome is Outcome.FAILED and ended.rule not in self.progress.failing
        self.progress.add(ended)
        symbol, tone = SYMBOL_OF_OUTCOME[ended.outcome]
        if self.loudness is Loudness.VERBOSE:
            self.say(Line(f"{symbol} {in_words(ended)}", tone))
        elif is_new and self.loudness is Loudness.NORMAL:
            self.say(Line(f"{symbol} {ended.rule} {tr(catalogue()[ended.rule].statement)}", tone))
        if not self.lively and self.loudness is not Loudness.QUIET:
            self._beat()

    def wait(self, what: str, left: float) -> None:
        """The run waits for something for so many seconds more; none: it goes on."""
        now = waiting_words(what, left) if left > 0 else ""
        if now and not self._waiting and not self.lively and self.loudness is not Loudness.QUIET:
            self.say(Line(now))
        self._waiting = now

    def interrupted(self) -> None:
        """The user wants the run to end. Called by a signal, perhaps in the middle of writing: a stream would not take that."""
        self._waiting = tr("interrupted: clearing away; Ctrl-C again leaves that to cleanup")
        if not self.lively and self.loudness is not Loudness.QUIET:
            os.write(self._stream.fileno(), f"{self._waiting}\n".encode())

    def say(self, line: Line) -> None:
        """A line that stays."""
        self.has_told = True
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text.from_ansi(styled(line, lively=True)), soft_wrap=True)
        else:
            self._stream.write(styled(line, lively=self.lively) + "\n")
            self._stream.flush()
        self._told_at = self._clock()

    def _beat(self) -> None:
        if self._clock() - self._told_at >= BEAT_SECONDS:
            self.say(Line(self._words()))

    def _words(self) -> str:
        sent = self.traffic()
        requests, errors = (
            (sent.requests, sent.client_errors) if sent else (self.progress.requests, self.progress.client_errors)
        )
        return words(self.progress, requests, errors, self._clock() - self._began, self._waiting)

    def _drawn(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=BAR_WIDTH)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        style = "red" if self.progress.failing else "green"
        bar = ProgressBar(
            total=1.0, completed=self.progress.part, width=BAR_WIDTH, complete_style=style, finished_style=style
        )
        grid.add_row(bar, Text(escaping.line(self._words())))
        return grid


ENDED: Final = "koncili_ended"
"""The attribute of a pytest report that says how its scenario ended. (pytest-xdist sends it on)"""


def styled(line: Line, *, lively: bool) -> str:
    """A line as it is written: what a target said in it neither begins another nor acts."""
    style, text = _STYLES[line.tone], line.text if line.is_command else escaping.line(line.text)
    return f"\x1b[{style}m{text}\x1b[0m" if lively and style else text


def tell(lines: list[Line], stream: TextIO) -> None:
    """Write lines. What does not take them any more (a closed pipe) keeps nothing else from being done."""
    lively = is_lively(stream)
    with suppress(BrokenPipeError):
        stream.write("".join(f"{styled(line, lively=lively)}\n" for line in lines))
        stream.flush()
