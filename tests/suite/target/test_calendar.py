"""Periods of reconciliations overlap no other: not of the run, nor of any other run, whether its counters were kept or lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.target.shared.calendar import FIRST_DAY, LAST_DAY, LONG, LONG_SECONDS, SHORT, Calendar, UsedUp, tracks
from strategies.periods import EARLIER_SECONDS, LENGTHS, MONTH
from tests.suite.support.properties import prove

SECONDS: Final = st.sampled_from([*LENGTHS, EARLIER_SECONDS, MONTH]) | st.integers(1, 2 * LONG_SECONDS)

STARTS: Final = (0.0, 10.0, 1_795_000_000.0, 1_795_000_123.4)

Period = tuple[datetime, datetime]


def counters() -> Callable[[str, int, int], int]:
    """Counters as a store keeps them."""
    kept: dict[str, int] = {}

    def claim(counter: str, first: int, size: int) -> int:
        begin = kept.get(counter, first)
        kept[counter] = begin + size
        return begin

    return claim


def allotted(calendar: Calendar, lengths: list[int]) -> list[Period]:
    """Beginning and end of periods of these lengths, in sequence."""
    begins = [datetime.fromisoformat(calendar.allot(seconds)) for seconds in lengths]
    return [(init, init + timedelta(seconds=seconds)) for init, seconds in zip(begins, lengths, strict=True)]


def free(length: timedelta) -> timedelta:
    """How much stays free on both sides of a period: as much again, at most ten minutes, and a second."""
    return min(length, timedelta(minutes=10)) + timedelta(seconds=1)


def overlapping(periods: list[Period]) -> list[tuple[Period, Period]]:
    return [(one, other) for one, other in pairwise(sorted(periods)) if other[0] <= one[1]]


# What certifications were seen to ask for, all that is long included.
A_RUN: Final = [60] * 51 + [10] * 32 + [2] * 24 + [601] * 20 + [86_400, 86_400, 259_200, MONTH]


@pytest.mark.parametrize("start", STARTS)
def test_periods_of_a_run_have_as_much_or_ten_minutes_free_on_both_sides(start: float) -> None:
    def law(lengths: list[int]) -> None:
        periods = sorted(allotted(Calendar(start=start), lengths))
        for (init, end), (next_init, next_end) in pairwise(periods):
            assert next_init - end >= free(end - init) + free(next_end - next_init)

    prove(st.lists(SECONDS, min_size=2, max_size=40), law, 40)


@pytest.mark.parametrize("start", STARTS)
def test_periods_stay_between_the_first_and_the_last_day(start: float) -> None:
    def law(lengths: list[int]) -> None:
        for init, end in allotted(Calendar(start=start), lengths):
            assert init > FIRST_DAY
            assert end < LAST_DAY

    prove(st.lists(SECONDS, min_size=1, max_size=40), law, 40)


def test_runs_that_share_counters_overlap_nowhere() -> None:
    claim = counters()
    calendars = [Calendar(claim, start) for start in (0.0, 1e9, 1.5e9)]
    turns = [period for length in A_RUN for calendar in calendars for period in allotted(calendar, [length])]
    assert not overlapping(turns)


def test_a_later_run_goes_on_where_the_counters_are() -> None:
    claim = counters()
    periods = [period for start in range(5) for period in allotted(Calendar(claim, 1e9 + start), A_RUN)]
    assert not overlapping(periods)


@pytest.mark.parametrize("apart", [1, 2, 10, 60, 3600, 12 * 3600])
def test_runs_whose_counters_were_lost_overlap_nowhere(apart: int) -> None:
    """Four runs one after the other, so far apart. Months, of which there are few, are another matter."""
    short = [length for length in A_RUN if length < LONG_SECONDS]
    starts = [1.795e9 + number * apart for number in range(4)]
    assert not overlapping([period for start in starts for period in allotted(Calendar(start=start), short)])


@pytest.mark.parametrize("apart", [1, 2, 5, 10, 60, 120, 3600, 86_400])
def test_a_month_after_lost_counters_lies_elsewhere(apart: int) -> None:
    long = [length for length in A_RUN if length >= LONG_SECONDS]
    starts = [1.795e9, 1.795e9 + apart]
    assert not overlapping([period for start in starts for period in allotted(Calendar(start=start), long)])


def test_a_track_that_was_begun_in_its_middle_is_used_to_its_last_second_but_once() -> None:
    calendar = Calendar(start=50.0)
    periods: list[Period] = []
    with pytest.raises(UsedUp, match="every period of this length from 2001 to 2019"):
        periods.extend(one for _ in range(1000) for one in allotted(calendar, [MONTH]))
    assert not overlapping(periods)
    assert len(periods) >= LONG.seconds // (MONTH + 1202) - 2
    assert datetime.fromisoformat(calendar.allot(60)) >= SHORT.first


@pytest.mark.parametrize("seconds", [60, MONTH])
def test_elsewhere_is_where_another_run_did_not_come(seconds: int) -> None:
    calendar, others = Calendar(start=7.0), Calendar(start=7.0)
    theirs = allotted(others, A_RUN)
    allotted(calendar, [seconds])
    calendar.elsewhere(seconds)
    assert not overlapping([*theirs, *allotted(calendar, [seconds])])


def test_periods_lie_where_the_target_file_wants_them() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    calendar = Calendar(start=1e9, tracks=tracks(first, last))
    for seconds in (2, 60, 601, 31 * 86_400 + 3_601, 60):
        init = datetime.fromisoformat(calendar.allot(seconds))
        assert first < init < init + timedelta(seconds=seconds) < last


def test_a_stretch_of_time_has_counters_of_its_own() -> None:
    last = datetime(2026, 1, 1, tzinfo=UTC)
    names = {track.name for year in (2024, 2025) for track in tracks(datetime(year, 1, 1, tzinfo=UTC), last)}
    assert len(names | {LONG.name, SHORT.name}) == 6


def test_a_short_stretch_of_time_is_used_up_and_says_so() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    calendar = Calendar(tracks=tracks(first, first + timedelta(days=120)))
    calendar.allot(31 * 86_400)
    calendar.allot(31 * 86_400)
    with pytest.raises(UsedUp, match="from 2026 to 2026"):
        calendar.allot(31 * 86_400)
