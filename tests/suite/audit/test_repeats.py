"""A call that two recordings hold was sent once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.audit.run import audit
from conformance.traffic.exchange import Exchange, Missing, Origin
from conformance.verdict.verdicts import RunVerdict
from tests.suite.audit.test_any_recording import recordings
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import order
from tests.suite.support.integrations import record
from tests.suite.support.recorded_calls import Recording


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the example's recording, in which nothing is wrong."""
    path = tmp_path_factory.mktemp("day") / "day.ndjson"
    record(path)
    return path.read_bytes().splitlines(keepends=True)


def test_a_day_that_was_exported_twice_is_judged_once(day: list[bytes], tmp_path: Path) -> None:
    morning, whole = tmp_path / "morning.ndjson", tmp_path / "whole.ndjson"
    morning.write_bytes(b"".join(day[: 2 * len(day) // 3]))
    whole.write_bytes(b"".join(day))
    alone, both = audit([whole]).certificate, audit([morning, whole]).certificate
    assert both.verdict is alone.verdict is RunVerdict.CONFORMANT
    assert [rule.checked for rule in both.rules] == [rule.checked for rule in alone.rules]
    assert alone.recording is not None
    assert both.recording is not None
    assert (alone.recording.repeated, both.recording.calls) == (0, alone.recording.calls)
    assert 0 < both.recording.repeated <= len(day)
    assert is_alike([morning, whole], part_bytes=TINY)


def test_what_one_recording_holds_twice_was_sent_twice() -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(), after=0)
    recording.submit(order(), after=0, file="other.har")
    counts = recording.audited().counts
    assert (counts.calls, counts.repeated) == (2, 1)


def test_what_was_answered_otherwise_is_another_call() -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(), after=0, file="other.har", status=500)
    recording.submit(order(status="CONCLUDED"), after=0, file="other.har")
    counts = recording.audited().counts
    assert (counts.calls, counts.repeated) == (3, 0)


@given(exchanges=recordings(), data=st.data())
def test_whatever_is_held_again_changes_nothing(exchanges: list[Exchange], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(exchanges), unique_by=id)) if exchanges else []
    doubled: list[Exchange] = []
    for exchange in exchanges:
        doubled.append(exchange)
        if any(exchange is one for one in again) and not isinstance(exchange.started, Missing):
            twin = replace(exchange, origin=Origin(f"again-{exchange.origin.file}", exchange.origin.entry))
            doubled += [] if isinstance(exchange.took, Missing) else [twin]
    plain, both = Recording(exchanges).audited(), Recording(doubled).audited()
    assert both.findings.tallies == plain.findings.tallies
    assert both.counts.calls == plain.counts.calls
