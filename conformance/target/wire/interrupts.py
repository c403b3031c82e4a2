"""Ctrl-C, SIGTERM and a terminal that hangs up, while a call is under way: its answer is awaited for a moment, so that what it
did is known, and so that nothing is cleared away that it makes anew a millisecond later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

AWAITED_SECONDS: Final = 5.0
"""How long an answer is awaited after a signal. At the second signal it is not awaited any more."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a person, a CI system and a terminal that is closed end a run by."""


def is_ignored(number: signal.Signals) -> bool:
    """Whether the process was begun so that it does not hear it, as by nohup."""
    return signal.getsignal(number) is signal.SIG_IGN


def hear_no_more_of(number: int) -> None:
    """A terminal that hangs up tells so twice, by the kernel and by the shell: that is no second Ctrl-C."""
    if number == signal.SIGHUP:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


@contextmanager
def held() -> Iterator[None]:
    """Hold a signal until the block is left, or for `AWAITED_SECONDS`; then the handler that was there before gets it, and raises
    what it raises. Outside the main thread, which no signal reaches, this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard: list[tuple[int, FrameType | None]] = []
    timers: list[threading.Timer] = []

    def hear(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if heard or not callable(handler):
            heard.clear()
            _pass_on(handler, number, frame)
            return
        heard.append((number, frame))
        timers.append(threading.Timer(AWAITED_SECONDS, signal.pthread_kill, [threading.main_thread().ident, number]))
        timers[0].daemon = True
        timers[0].start()

    for number in SIGNALS:
        if callable(before[number]):  # one that is ignored, or ends the process at once, stays so
            signal.signal(number, hear)
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number in SIGNALS:
            if signal.getsignal(number) is hear:
                signal.signal(number, before[number])
        if heard:
            _pass_on(before[signal.Signals(heard[0][0])], *heard[0])


def _pass_on(
    handler: Callable[[int, FrameType | None], Any] | int | None, number: int, frame: FrameType | None
) -> None:
    if callable(handler):
        handler(number, frame)
