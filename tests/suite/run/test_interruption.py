"""An interruption that got lost where it was raised ends the run all the same."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from types import SimpleNamespace, TracebackType

import pytest

from conformance.run.interruption import InterruptionGuard, with_lines


@pytest.fixture
def alone() -> Iterator[None]:
    """Python's own handlers, whatever this process does on a signal."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def guard(alone: None) -> Iterator[InterruptionGuard]:
    del alone
    plugin = InterruptionGuard()
    yield plugin
    plugin.pytest_unconfigure()


def begin(guard: InterruptionGuard) -> Generator[None, object, object]:
    """A scenario begins."""
    protocol: Generator[None, object, object] = guard.pytest_runtest_protocol()
    next(protocol)
    return protocol


def test_an_interruption_that_got_lost_is_raised_before_the_next_scenario(guard: InterruptionGuard) -> None:
    begin(guard)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        begin(guard)


@pytest.mark.usefixtures("alone")
def test_the_signals_are_as_before_at_the_end() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    guard = InterruptionGuard()
    assert signal.getsignal(signal.SIGINT) != before[0]
    guard.pytest_unconfigure()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def without_lines(error: BaseException) -> TracebackType:
    """Its traceback, as Python 3.11 gives it for places without a line number."""
    trace = error.__traceback__
    assert trace is not None
    return SimpleNamespace(tb_next=trace, tb_frame=trace.tb_frame, tb_lasti=trace.tb_lasti, tb_lineno=None)  # type: ignore[return-value]


def test_pytest_can_tell_of_a_place_without_a_line_number() -> None:
    with pytest.raises(KeyboardInterrupt) as raised:
        raise KeyboardInterrupt
    mended = with_lines(without_lines(raised.value))
    assert mended.tb_lineno == mended.tb_frame.f_code.co_firstlineno
    assert mended.tb_next is not None
    assert mended.tb_next.tb_lineno == raised.tb.tb_lineno
    info = pytest.ExceptionInfo.from_exc_info((KeyboardInterrupt, raised.value, mended))
    assert "KeyboardInterrupt" in str(info.getrepr(funcargs=True))
