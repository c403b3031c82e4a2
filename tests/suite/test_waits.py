"""What a run waits for is shown: a line where there is no terminal, a countdown where there is one."""

from __future__ import annotations

import pytest

from conformance.errors import WaitTooLong
from conformance.report.waits import ERASE_LINE, Waits
from conformance.target.waiting import Waiting, shown


def waited(seconds: float, *, is_terminal: bool) -> str:
    written: list[str] = []
    waits = Waits(written.append, is_terminal)
    Waiting(tell=waits.tell, sleep=lambda _: None).wait("the rate", seconds)
    return "".join(written)


def test_without_a_terminal_a_wait_is_a_line() -> None:
    assert waited(62, is_terminal=False) == "waiting 1:02 min for the rate\n"


def test_two_waits_are_two_lines() -> None:
    written: list[str] = []
    waiting = Waiting(tell=Waits(written.append, is_terminal=False, before="\n").tell, sleep=lambda _: None)
    for seconds in (10, 20):
        waiting.wait("the rate", seconds)
    assert written == ["\nwaiting 10 s for the rate\n", "\nwaiting 20 s for the rate\n"]


def test_on_a_terminal_a_wait_counts_down_and_leaves_nothing() -> None:
    lines = waited(6, is_terminal=True).split(ERASE_LINE)
    assert lines == ["", *(f"waiting {left} s for the rate" for left in range(6, 0, -1)), ""]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_short_wait_is_not_worth_a_line(*, is_terminal: bool) -> None:
    assert waited(4.9, is_terminal=is_terminal) == ""


def test_a_wait_of_unknown_length_is_one_line() -> None:
    written: list[str] = []
    waiting = Waiting(at_most=12.0, tell=Waits(written.append, is_terminal=False).tell, sleep=lambda _: None)
    for step in range(24):
        waiting.poll("another run", step / 2, 0.5)
    assert written == ["waiting for another run\n"]
    with pytest.raises(WaitTooLong, match=r"^another run: waited 12 s, and --max-wait allows 12 s$"):
        waiting.poll("another run", 12.0, 0.5)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (3599, "59:59 min"), (3900, "1:05 h")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert shown(seconds) == words
