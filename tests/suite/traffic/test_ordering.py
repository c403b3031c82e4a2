"""Recordings as one stream by time: nearly in sequence, in none at all, without times, many at once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.traffic import ordering, read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing, Origin, Request
from conformance.traffic.ndjson import line_of
from conformance.traffic.ordering import LONG_AGO, in_sequence, keyed, merged, survey, times_in

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
MINUTES = st.lists(st.none() | st.integers(0, 30), max_size=60)


def exchanges(minutes: Sequence[int | None], file: str = "a") -> list[Exchange]:
    """Calls so many minutes past noon; None is one without a time."""
    request = Request("POST", "/order", (), b"{}")
    return [
        Exchange(
            Origin(file, place),
            NOT_RECORDED if minute is None else NOON + timedelta(minutes=minute),
            NOT_RECORDED,
            request,
            NOT_RECORDED,
        )
        for place, minute in enumerate(minutes)
    ]


def by_time(found: list[Exchange]) -> list[Exchange]:
    """What the sequence has to be, by the plainest means."""
    keys: list[datetime] = []
    for one in found:
        keys.append(
            keys[-1]
            if isinstance(one.started, Missing) and keys
            else LONG_AGO
            if isinstance(one.started, Missing)
            else one.started
        )
    return [one for _, one in sorted(zip(keys, found, strict=True), key=lambda pair: pair[0])]


@given(MINUTES)
def test_every_way_of_sorting_gives_the_same_sequence(minutes: list[int | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "WINDOW", 3)
        patch.setattr(ordering, "RUN_CALLS", 4)
        patch.setattr(ordering, "MOST_RUNS", 3)
        found = exchanges(minutes)
        seen = survey(time for time, _, _ in keyed(found))
        for nearly in {seen.nearly_sorted, False}:
            assert [one for _, _, one in in_sequence(keyed(found), nearly_sorted=nearly)] == by_time(found)
        if seen.is_sorted:
            assert [one for _, _, one in in_sequence(keyed(found), nearly_sorted=True, is_sorted=True)] == by_time(
                found
            )


@given(st.lists(MINUTES, max_size=5))
def test_recordings_are_merged_by_time_and_then_by_the_sequence_in_which_they_were_named(
    many: list[list[int | None]],
) -> None:
    lists = [by_time(exchanges(minutes, str(number))) for number, minutes in enumerate(many)]
    begun = [(survey(time for time, _, _ in keyed(one)).first, partial(keyed, one)) for one in lists]
    keys = [
        (time, number, place, one)
        for number, each in enumerate(lists)
        for place, (time, _, one) in enumerate(keyed(each))
    ]
    assert list(merged(begun)) == [one for *_, one in sorted(keys, key=lambda key: key[:3])]


def test_a_recording_is_opened_when_its_first_time_comes() -> None:
    opened: list[int] = []

    def begin(hour: int) -> Iterator[Any]:
        opened.append(hour)
        return keyed(exchanges([60 * hour, 60 * hour + 59]))

    found = merged([(NOON + timedelta(hours=hour), partial(begin, hour)) for hour in (2, 0, 1)])
    next(found)
    assert opened == [0]
    next(found)
    next(found)
    assert opened == [0, 1]


@pytest.mark.parametrize("piece", [1 << 20, 64, 7])
def test_times_are_found_without_reading_the_json(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "_PIECE", piece)
    inner = json.dumps({"startedDateTime": "2020-01-01T00:00:00Z", "started": "2020-01-01T00:00:00Z"})
    text = json.dumps(
        [{"startedDateTime": "2026-11-03T12:00:00Z", "text": inner}, {"started": "2026-11-03T09:01:00-03:00"}]
    )
    text += ' {"started" :\n"2026-11-03T12:02:00\\u002B00:00"}'  # as System.Text.Json escapes
    assert list(times_in(BytesIO(text.encode()))) == [NOON + timedelta(minutes=minute) for minute in range(3)]


def test_a_recording_in_no_sequence_is_sorted_by_way_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "WINDOW", 10)
    monkeypatch.setattr(ordering, "RUN_CALLS", 50)
    made = Mock(wraps=tempfile.TemporaryFile)
    monkeypatch.setattr(tempfile, "TemporaryFile", made)
    minutes = [(7 * n) % 200 for n in range(200)]
    (tmp_path / "a").write_bytes(b"".join(map(line_of, exchanges(minutes))))
    found = list(read_all([tmp_path / "a"], pytest.fail))
    assert [one.started for one in found] == [NOON + timedelta(minutes=minute) for minute in range(200)]
    assert [minutes[one.origin.entry] for one in found] == list(range(200))
    assert made.call_count == 4
