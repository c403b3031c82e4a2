"""How long a run waits where a target asks for time, and how it slows down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from conformance.target.wire.throttling import (
    LONGEST_BLOCK,
    MISSES,
    SOME,
    UNTROUBLED,
    Patience,
    Slowdown,
    block_seconds,
    told_seconds,
)

NOW: Final = datetime(2026, 11, 27, 12, tzinfo=UTC)
EPOCH: Final = int(NOW.timestamp())
HOUR, DAY = 3600, 86_400

TOLD: Final[dict[str, tuple[float | None, float]]] = {
    "0": (0, HOUR),
    "1": (1, HOUR),
    " 600 ": (600, HOUR),
    "7200": (7200, 7200),
    "3600000": (3_600_000, DAY),
    "99999999999999": (99_999_999_999_999, DAY),
    "9" * 400: (float("9" * 20), DAY),
    "9" * 10_000: (float("9" * 20), DAY),
    "Fri, 27 Nov 2026 14:00:00 GMT": (7200, 7200),
    "Fri, 27 Nov 2026 11:00:00 -0300": (7200, 7200),
    "Fri, 27 Nov 2026 10:00:00 GMT": (0, HOUR),
    "Sun, 06 Nov 2044 08:49:37 GMT": (566_253_577 + 0, DAY),
    "2026-11-27T14:00:00Z": (7200, 7200),
    "2026-11-27T11:00:00-03:00": (7200, 7200),
    "2026-11-27 14:00": (7200, 7200),
    str(EPOCH + 7200): (7200, 7200),
    str((EPOCH + 7200) * 1000): (7200, 7200),
    str(EPOCH - 5): (0, HOUR),
    "-5": (None, HOUR),
    "1.5": (None, HOUR),
    "": (None, HOUR),
    "soon": (None, HOUR),
    "1, 2": (None, HOUR),
    "١٢": (None, HOUR),
    "Fri, 99 Nov 2026 14:00:00 GMT": (None, HOUR),
    "0001-01-01T00:00:00+14:00": (0, HOUR),
    "9999-12-31T23:59:59-14:00": (251_636_932_799 + 14 * HOUR, DAY),
}
"""A Retry-After, the seconds that it asks for (None: it can't be read), and how long a block by it lasts."""


@pytest.mark.parametrize("text", TOLD, ids=lambda text: text[:30])
def test_a_retry_after_is_read_and_a_block_lasts_an_hour_to_a_day(text: str) -> None:
    seconds, block = TOLD[text]
    told = told_seconds(text, NOW)
    assert (told is None) == (seconds is None)
    if told is not None and seconds is not None and seconds < DAY:
        assert told == pytest.approx(seconds)
    assert block_seconds(text, NOW) == pytest.approx(block)
    assert block_seconds(text, NOW) <= LONGEST_BLOCK


def test_a_call_that_is_throttled_again_waits_longer_and_then_no_more() -> None:
    patience = Patience()
    assert [patience.after_throttling(0.0) for _ in range(4)] == [0.05, 1.0, 60.0, None]
    assert patience.tries == 4


def test_failures_are_tried_again_for_a_minute() -> None:
    patience = Patience()
    pauses = [patience.after_failure() for _ in range(7)]
    waited = [pause for pause in pauses if pause is not None]
    assert (len(waited), pauses[-1]) == (6, None)
    assert 45 <= sum(waited) <= 61.5
    assert waited[0] <= 0.5


AT_BEST: Final = 0.01
"""Seconds that a request takes."""


class Clock:
    """Time that passes only when it is waited for."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def send(slowdown: Slowdown, clock: Clock, *, throttled: bool = False) -> float:
    """One request, at its time; how long that was waited for."""
    pause = slowdown.pause()
    clock.now += pause + AT_BEST
    slowdown.sent()
    if throttled:
        slowdown.throttled()
    return pause


def test_a_run_that_is_throttled_slows_down_and_later_goes_as_before() -> None:
    clock = Clock()
    slowdown = Slowdown(0.5, clock)
    assert [send(slowdown, clock, throttled=True) for _ in range(SOME)] == [0.0] * SOME
    assert 0 < send(slowdown, clock) < 0.5
    for _ in range(3 * UNTROUBLED):
        send(slowdown, clock)
    assert send(slowdown, clock) == 0.0


def test_slowing_down_helps_against_a_rate() -> None:
    """A server that lets one a second pass, and ten at once: the documented rate is two a second."""
    clock = Clock()
    slowdown, bucket, last, refused = Slowdown(0.5, clock), 10.0, 0.0, 0
    for _ in range(200):
        clock.now += slowdown.pause() + 0.01
        slowdown.sent()
        bucket, last = min(10.0, bucket + clock.now - last), clock.now
        if bucket < 1:
            refused += 1
            slowdown.throttled()
            clock.now += 1.0
            continue
        bucket -= 1
    assert refused < 30


def test_slowing_down_in_vain_is_given_up() -> None:
    """A server that refuses every tenth, however slowly they come."""
    clock = Clock()
    slowdown = Slowdown(0.5, clock)
    waited = [send(slowdown, clock, throttled=number % 10 == 9) for number in range(1000)]
    assert sum(waited) < 20
    assert waited[10 * SOME * (MISSES + 2) :] == [0.0] * (1000 - 10 * SOME * (MISSES + 2))
