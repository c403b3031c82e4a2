"""A call that two recordings hold was sent once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.audit.run import audit
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing, Origin
from conformance.traffic.ndjson import line_of
from conformance.verdict.verdicts import RunVerdict
from tests.suite.audit.test_any_recording import recordings
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import LATER, creation, order, release
from tests.suite.support.integrations import record
from tests.suite.support.recorded_calls import DONE, ERROR_400, TOKEN, Recording


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


def test_what_one_recording_holds_at_one_time_with_other_durations_was_sent_twice() -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(), after=0, took=timedelta(milliseconds=201))
    recording.submit(order(), after=0, file="other.har")
    counts = recording.audited().counts
    assert (counts.calls, counts.repeated) == (2, 1)


def test_what_took_the_same_to_the_microsecond_was_merged_into_one_file_twice() -> None:
    recording = Recording()
    for _ in range(2):
        recording.submit(order(), after=0, took=timedelta(microseconds=123_457))
        recording.open(creation(), after=0, took=timedelta(microseconds=98_765))
    recording.submit(order(), after=0, took=timedelta(microseconds=123_458))
    counts = recording.audited().counts
    assert (counts.calls, counts.repeated) == (3, 2)


def held_again(recording: Recording, *, since: int = 0) -> Recording:
    """What was merged into one file from two exports of which the second one begins at that entry, in the sequence of times."""
    again = [
        replace(one, origin=Origin(one.origin.file, 1_000 + number)) for number, one in enumerate(recording.exchanges)
    ]
    return Recording(sorted([*recording.exchanges, *again[since:]], key=lambda one: str(one.started)))


def worked(took: timedelta | Missing) -> Recording:
    """A day in which nothing is wrong, at the rate that is documented."""
    recording = Recording()
    recording.log_in(took=took)
    recording.submit(order(), took=took)
    recording.delete(took=took)
    recording.submit(order(), took=took)
    recording.look_up(status=429, answered={"retry-after": "1"}, took=took)
    for _ in range(80):
        recording.look_up(answer=order(), after=1.2, took=took)
    recording.open(creation(), took=took)
    recording.release(release(), took=took)
    recording.notify(DONE)
    recording.open(creation(**LATER), number=238, took=took)
    recording.submit(order("701-2", status="NEW"), status=400, answer=ERROR_400, took=took)
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning", took=took)
    return recording


@pytest.mark.parametrize("since", [0, 20, 88, 90])
@pytest.mark.parametrize("took", [timedelta(milliseconds=200), timedelta(0), timedelta(seconds=1), NOT_RECORDED])
@pytest.mark.parametrize("whole_seconds", [False, True])
def test_a_file_into_which_a_day_was_merged_twice_is_judged_once(
    took: timedelta | Missing, since: int, whole_seconds: bool, tmp_path: Path
) -> None:
    recording = worked(took)
    if whole_seconds:
        recording.exchanges[:] = [
            replace(one, started=one.started if isinstance(one.started, Missing) else one.started.replace(microsecond=0),
                    whole_seconds=True) for one in recording.exchanges
        ]  # fmt: skip
    alone, merged = recording.audited(), held_again(recording, since=since).audited()
    assert {one.rule.id for one in merged.findings.found} == {one.rule.id for one in alone.findings.found} == {"ORD-02"}
    assert merged.counts.repeated == len(recording.exchanges) - since
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join(map(line_of, held_again(recording, since=since).exchanges)))
    assert is_alike([path], part_bytes=TINY)


def test_whether_what_a_file_holds_twice_was_sent_at_once_is_not_to_be_told() -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(), after=0)
    recording.log_in()
    for _ in range(2):
        recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning", after=0)
    auditor = recording.audited()
    assert not auditor.findings.found
    assert auditor.findings.tallies["CLI-17"].undecided == 2


def seen_twice(recording: Recording, apart: float) -> Recording:
    """What another recorder on the way holds, too, by a clock of its own and with other durations."""
    again = [
        replace(
            one,
            origin=Origin("proxy.har", one.origin.entry),
            started=one.started + timedelta(seconds=apart),
            took=one.took - timedelta(milliseconds=5),
        )
        for one in recording.exchanges
        if not isinstance(one.started, Missing) and not isinstance(one.took, Missing)
    ]
    return Recording(sorted([*recording.exchanges, *again], key=lambda one: str(one.started)))


@pytest.mark.parametrize("apart", [0.003, 1.7, -1.7])
def test_of_calls_that_two_recorders_hold_the_rate_is_not_twice_as_high(apart: float) -> None:
    recording = Recording()
    for _ in range(89):
        recording.look_up(answer=order(), after=0.6)
    auditor = seen_twice(recording, apart).audited()
    assert not auditor.findings.found
    recording.look_up(answer=order(), after=0.6)
    recording.look_up(answer=order(), after=0.6)
    assert set(seen_twice(recording, apart).broken()) == {"CLI-09"}


def test_workers_with_a_recorder_each_exceed_a_rate_together() -> None:
    recording = Recording()
    for number in range(120):
        query = f"marketplaceCode={number}&channelName=CHANNEL_NAME&accountId=19055"
        recording.look_up(query, answer=order(), after=0.4, file=f"{number % 2}.har")
    assert set(recording.broken()) == {"CLI-09"}


def test_queries_of_one_order_are_as_many_where_a_log_goes_on_in_a_new_file() -> None:
    recording = Recording()
    for number in range(100):
        recording.look_up(answer=order(), after=0.4, file="first.har" if number < 65 else "second.har")
    assert set(recording.broken()) == {"CLI-09"}


@pytest.mark.parametrize("apart", [0.003, 1.7, -1.7])
def test_a_token_that_came_to_its_end_and_a_lost_creation_are_told_once_by_two_recorders(apart: float) -> None:
    recording = Recording()
    recording.look_up(status=403, answer={"response": "NO_TOKEN"})
    recording.open(creation(), status=None)
    recording.open(creation(), after=40)
    assert seen_twice(recording, apart).broken() == {}


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
            doubled.append(twin)
    plain, both = Recording(exchanges).audited(), Recording(doubled).audited()
    assert both.findings.tallies == plain.findings.tallies
    assert both.counts.calls == plain.counts.calls
