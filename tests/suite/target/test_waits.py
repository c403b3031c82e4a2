"""What a run waits for is shown: a line where there is no terminal, a countdown where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from conformance.durations import seconds_of
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
    wait = waiting.begin("another run")
    for _ in range(24):
        wait.poll(0.5)
    assert written == ["waiting for another run\n"]
    with pytest.raises(WaitTooLong, match=r"^another run: waited 12 s, and --max-wait 12 s allows no more$"):
        wait.poll(0.5)


# -- none is longer than the user said -----------------------------------------------------------------------------


@dataclass
class Clock:
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def bounded(clock: Clock, at_most: float | None) -> Waiting:
    return Waiting(at_most=at_most, sleep=clock.sleep, clock=lambda: clock.now)


def test_what_takes_longer_is_not_begun() -> None:
    clock = Clock()
    with pytest.raises(WaitTooLong, match=r"^the rate: that takes another 13 s, longer than --max-wait 12 s allows$"):
        bounded(clock, 12.0).wait("the rate", 13.0)
    assert clock.now == 0.0


def test_nothing_is_never_too_long() -> None:
    clock = Clock()
    wait = bounded(clock, 0.0).begin("the target")
    clock.now += 1.0
    wait.on(0.0)
    wait.poll(0.0)


def test_the_stretches_of_a_wait_count_together() -> None:
    clock = Clock()
    wait = bounded(clock, 12.0).begin("the target")
    wait.on(5.0)
    wait.on(5.0)
    with pytest.raises(WaitTooLong, match=r"takes another 5 s after 10 s, longer than --max-wait 12 s allows$"):
        wait.on(5.0)
    assert clock.now == 10.0


def test_before_the_end_there_is_one_more_look() -> None:
    """Of ever longer stretches the last is as long as is left."""
    clock, looks = Clock(), list[float]()
    wait = bounded(clock, 10.0).begin("the target")
    for stretch in (1.0, 2.0, 4.0, 8.0):
        wait.poll(stretch)
        looks.append(clock.now)
    assert looks == [1.0, 3.0, 7.0, 10.0]
    with pytest.raises(WaitTooLong, match="waited 10 s"):
        wait.poll(16.0)


def test_what_the_looks_take_counts() -> None:
    """A target that needs five seconds for each answer is not asked for longer than one that answers at once."""
    clock = Clock()
    wait = bounded(clock, 12.0).begin("the target")
    for _ in range(3):
        wait.poll(0.5)
        clock.now += 5.0
    with pytest.raises(WaitTooLong, match="waited 16 s"):
        wait.poll(0.5)


def test_who_listens_instead_of_sleeping_hears_how_long() -> None:
    clock = Clock()
    wait = bounded(clock, 12.0).begin("a notification")
    assert wait.allowed(10.0) == 10.0
    clock.now = 10.0
    assert wait.allowed(10.0) == 2.0
    clock.now = 12.0
    with pytest.raises(WaitTooLong, match=r"^a notification: waited 12 s"):
        wait.allowed(10.0)
    assert bounded(clock, None).begin("a notification").allowed(10.0) == 10.0


def test_a_long_stretch_gives_signs_of_life() -> None:
    clock, signs = Clock(), list[float]()
    waiting = bounded(clock, None)
    waiting.meanwhile = lambda: signs.append(clock.now)
    waiting.begin("the target").poll(3.0)
    assert signs == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604_800), (" 1.5 M ", 90), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1", "10 min", "1h30m", "nan", "inf", "1e3", "٣", "9" * 400])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration such as 90s, 10m, 2h or 7d$"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (3599, "59:59 min"), (3900, "1:05 h")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert shown(seconds) == words
