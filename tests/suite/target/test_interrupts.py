"""A signal that comes while a call is under way waits for its answer, for a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from conformance.target.wire import interrupts


class Interrupted(BaseException):
    """What the handler of these tests raises."""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    def hear(number: int, _: object) -> None:
        raise Interrupted(number)

    before = {number: signal.signal(number, hear) for number in interrupts.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _call(*steps: Callable[[], object]) -> None:
    with interrupts.held():
        for step in steps:
            step()


def _signal(number: int = signal.SIGINT) -> Callable[[], object]:
    return lambda: signal.raise_signal(number)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_it_is_raised_when_the_answer_is_noted(number: signal.Signals) -> None:
    noted: list[str] = []
    with pytest.raises(Interrupted):
        _call(_signal(number), lambda: noted.append("answer"))
    assert noted == ["answer"]


def test_at_the_second_the_answer_is_not_awaited() -> None:
    noted: list[str] = []
    with pytest.raises(Interrupted):
        _call(_signal(), _signal(), lambda: noted.append("answer"))
    assert noted == []


def test_an_answer_that_does_not_come_is_not_awaited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "AWAITED_SECONDS", 0.01)
    noted: list[str] = []
    with pytest.raises(Interrupted):
        _call(_signal(), lambda: threading.Event().wait(60), lambda: noted.append("no answer"))
    assert noted == []


def test_what_fails_meanwhile_is_not_lost() -> None:
    def broken_off() -> None:
        raise ConnectionError

    with pytest.raises(Interrupted) as raised:
        _call(_signal(), broken_off)
    assert isinstance(raised.value.__context__, ConnectionError)


def test_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts.held():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_what_a_handler_installs_stays() -> None:
    """The first signal of some lets the second end the process."""

    def first(number: int, _: object) -> None:
        signal.signal(number, signal.default_int_handler)
        raise Interrupted(number)

    signal.signal(signal.SIGINT, first)
    with pytest.raises(Interrupted):
        _call(_signal())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts.held():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_outside_the_main_thread_nothing_changes() -> None:
    seen = []

    def call() -> None:
        with interrupts.held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
