"""Ctrl-C, SIGTERM, and a terminal that hangs up: no scenario begins after it. In a run with workers each worker ends its
scenario at once, clears away and hands over what it saw; else the controller would leave by itself, and the evidence of its
workers would be lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType, TracebackType
from typing import Any, Final

import pytest

from conformance.compat import xdist
from conformance.compat.pytest import retraced
from conformance.target.wire.interrupts import SIGNALS, hear_no_more_of, is_ignored

INTERRUPTED: Final = "interrupted"


class InterruptionGuard:
    """The plugin of a process without workers. An interruption is raised in the middle of anything and may get lost there: in a
    finalizer, in a library that catches all."""

    def __init__(self) -> None:
        """From now on until pytest ends. Signals reach the main thread only."""
        self.interrupted = False
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        self._before[number](number, frame)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Raise it again before the next scenario."""
        if self.interrupted:
            raise KeyboardInterrupt
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Let pytest tell of it: it stumbles over a place without a line number, of which Python 3.11 has some."""
        retraced(excinfo, with_lines(excinfo.tb))

    def pytest_unconfigure(self) -> None:
        """Leave the signals as they were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


class InterruptedWorker:
    """The plugin of a worker: an interrupted scenario ends the session in order."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._in_scenario = False
        for number in SIGNALS:  # some send it to the whole group
            if number == signal.SIGINT or not is_ignored(number):
                signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._session.shouldstop:  # it is clearing away already
            return
        self._session.shouldstop = INTERRUPTED
        if self._in_scenario:
            raise KeyboardInterrupt

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Keep the interruption to the scenario."""
        self._in_scenario = True
        try:
            return (yield)
        except KeyboardInterrupt:
            return True
        finally:
            self._in_scenario = False


def with_lines(trace: TracebackType) -> TracebackType:
    """The same traceback; where a place has no line number, with that of its function."""
    following = with_lines(trace.tb_next) if trace.tb_next else None
    # typeshed knows no place without one.
    line: int | None = trace.tb_lineno
    return TracebackType(following, trace.tb_frame, trace.tb_lasti, line or trace.tb_frame.f_code.co_firstlineno)


def end_workers_on_signal(config: pytest.Config, tell: Callable[[], None]) -> None:
    """At the first Ctrl-C, SIGTERM or SIGHUP, tell so, let the workers end and wait for them; at the second leave."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        hear_no_more_of(number)
        if not xdist.leads(config):
            raise KeyboardInterrupt
        tell()
        # Ctrl-C reaches every process of the terminal by itself.
        end_workers(config, INTERRUPTED, signalled=number != signal.SIGINT)

    for number in SIGNALS:
        if not is_ignored(number):
            signal.signal(number, interrupt)


def end_workers(config: pytest.Config, why: str, *, signalled: bool = True, lost: object = None) -> None:
    """Let every worker end now, but one that is `lost`. `signalled` is whether the scenarios that are running are interrupted."""
    xdist.stop(config, why)
    for node in xdist.workers(config):
        if node is not lost:
            node.shutdown()
            if signalled:
                xdist.interrupt(node)
