"""Two recorders hold the same calls, and their clocks are hours apart: the calls were made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from conformance.audit.run import Audited, audit
from conformance.traffic.clocks import MOST_SOURCES
from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.ndjson import line_of
from conformance.verdict.verdicts import RunVerdict
from tests.suite.audit.test_in_parts import is_alike
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, HEADERS, Recording

HOURS = pytest.mark.parametrize("hours", [-24.0, -3.0, 0.01, 3.0])


GIVEN = "eyJhbGciOi.eyJzdWIiOi.s1gnature0001"


def day(token: str = GIVEN) -> Recording:
    """A day on which the first try of a release, and of a creation, was in vain."""
    recording = Recording()
    recording.log_in(token)
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(), status=503, answer=ERROR_400)
    recording.open(creation())
    recording.release(release(), status=503, answer=ERROR_400)
    recording.look_up(answer=order())
    recording.release(release(), headers={**HEADERS, "gumgatoken": token})
    recording.notify(DONE)
    return recording


def files(folder: Path, *recordings: Sequence[Exchange]) -> list[Path]:
    paths = [folder / f"{number}.ndjson" for number in range(len(recordings))]
    for path, exchanges in zip(paths, recordings, strict=True):
        path.write_bytes(b"".join(map(line_of, exchanges)))
    return paths


def later(exchanges: Sequence[Exchange], hours: float) -> list[Exchange]:
    return [
        one if isinstance(one.started, Missing) else replace(one, started=one.started + timedelta(hours=hours))
        for one in exchanges
    ]


def broken(audited: Audited) -> set[str]:
    return {finding.rule.id for finding in audited.auditor.findings.found}


@HOURS
def test_calls_that_two_recorders_hold_hours_apart_were_made_once(hours: float, tmp_path: Path) -> None:
    exchanges = day().exchanges
    paths = files(tmp_path, exchanges, later(exchanges, hours))
    alone, both = audit(paths[:1]), audit(paths)
    assert alone.certificate.verdict is both.certificate.verdict is RunVerdict.CONFORMANT
    assert alone.auditor.counts.calls == both.auditor.counts.calls
    assert both.certificate.recording is not None
    assert f"{hours * 3600:+.0f} s apart" in both.certificate.recording.problems[0]
    is_alike(paths)


@HOURS
def test_a_part_of_the_calls_shows_how_far_clocks_are_apart(hours: float, tmp_path: Path) -> None:
    """Of the second recording the beginning is missing: a release that carries the same token is the same."""
    exchanges = day().exchanges
    paths = files(tmp_path, exchanges, later(exchanges[4:], hours))
    both = audit(paths)
    assert both.certificate.verdict is RunVerdict.CONFORMANT
    assert both.auditor.counts.calls == audit(paths[:1]).auditor.counts.calls


@HOURS
def test_what_is_wrong_is_found_once_by_two_clocks(hours: float, tmp_path: Path) -> None:
    recording = day()
    recording.submit(order(status="SHIPPED"), status=400, answer=ERROR_400)
    exchanges = recording.exchanges
    audited = audit(files(tmp_path, exchanges, later(exchanges, hours)))
    assert [(one.rule.id, one.times) for one in audited.auditor.findings.found] == [("ORD-02", 1)]


def test_two_days_are_two_days_whatever_stands_in_place_of_tokens(tmp_path: Path) -> None:
    """A mock that began anew gave the same id for the same period."""
    first = day("REDACTED_ACCESS_TOKEN_1").exchanges
    for second in (day("REDACTED_ACCESS_TOKEN_1"), day(GIVEN.replace("1", "2"))):
        audited = audit(files(tmp_path, first, later(second.exchanges, 24)))
        assert audited.auditor.counts.first is not None
        assert audited.auditor.counts.last is not None
        assert audited.auditor.counts.last - audited.auditor.counts.first > timedelta(hours=20)


def test_clocks_that_somebody_sets_are_left_as_they_are(tmp_path: Path) -> None:
    exchanges = day().exchanges
    audited = audit(files(tmp_path, exchanges, later(exchanges, 2.2 / 3600)))
    assert audited.certificate.recording is not None
    assert not [one for one in audited.certificate.recording.problems if "clock" in one]
    assert broken(audited) == set()


def test_where_calls_are_not_apart_alike_no_clock_is_known(tmp_path: Path) -> None:
    exchanges = day().exchanges
    moved = [*later(exchanges[:3], 3), *later(exchanges[3:], 4)]
    audited = audit(files(tmp_path, exchanges, moved))
    assert audited.certificate.recording is not None
    assert not [one for one in audited.certificate.recording.problems if "clock" in one]


def test_the_files_of_a_log_are_not_compared(tmp_path: Path) -> None:
    exchanges = day().exchanges
    audited = audit(files(tmp_path, *(later(exchanges, hour) for hour in range(MOST_SOURCES + 1))))
    assert audited.certificate.recording is not None
    assert not [one for one in audited.certificate.recording.problems if "clock" in one]
