"""An entry that can't be read is no proof that something was never sent: what hangs on it is not judged, and the rest is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.audit.run import Audited, audit
from conformance.verdict.verdicts import RuleVerdict, RunVerdict
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.audit.test_outcome import audit as audit_command
from tests.suite.support.bodies import order
from tests.suite.support.integrations import record
from tests.suite.support.recorded_calls import Recording

BROKEN: Final = b'{"started": "2026-11-03T12:00:00Z", "request": {"method": "POST", "url\n'


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the example's recording, in which nothing is wrong."""
    path = tmp_path_factory.mktemp("day") / "day.ndjson"
    record(path)
    return path.read_bytes().splitlines(keepends=True)


def without(lines: list[bytes], *places: int) -> list[bytes]:
    return [BROKEN if place in places else line for place, line in enumerate(lines)]


def audited(lines: list[bytes], path: Path) -> Audited:
    path.write_bytes(b"".join(lines))
    return audit([path])


def failed(found: Audited) -> list[str]:
    return [f"{rule.id}: {rule.reason}" for rule in found.certificate.rules if rule.verdict is RuleVerdict.FAIL]


def test_no_entry_whose_call_can_t_be_read_makes_a_fault_of_another(day: list[bytes], tmp_path: Path) -> None:
    assert failed(audited(day, tmp_path / "whole")) == []
    for place in range(len(day)):
        found = audited(without(day, place), tmp_path / f"{place}")
        assert failed(found) == []
        assert found.certificate.verdict is RunVerdict.PARTIAL
        assert found.certificate.recording is not None
        assert found.certificate.recording.unreadable == 1
        assert all(note.entry >= 0 for note in found.auditor.books.notes)


def test_audits_in_parts_find_the_same_around_it(day: list[bytes], tmp_path: Path) -> None:
    for place in range(0, len(day), 5):
        path = tmp_path / f"{place}.ndjson"
        path.write_bytes(b"".join(without(day, place, place + 2)))
        assert is_alike([path], part_bytes=TINY)


def test_the_end_of_a_recording_that_was_cut_off_leaves_it_partial(day: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    path.write_bytes(b"".join(day)[:-20])
    ended = audit_command(path, reports=tmp_path / "reports")
    assert ended.returncode == 2
    assert "PARTIAL" in ended.stdout
    assert "one entry can't be read, and what was called there nobody knows" in ended.stdout


def test_a_call_from_the_client_s_own_cache_is_none_and_leaves_nothing_open(tmp_path: Path) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up()
    path = tmp_path / "a.har"
    found = [entry(one) for one in recording.exchanges]
    cached = {**found[1], "_fromCache": "disk"}
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": [found[0], cached, found[1]]}}))
    certificate = audit([path]).certificate
    assert certificate.recording is not None
    assert certificate.recording.unreadable == 0
    assert certificate.verdict is RunVerdict.CONFORMANT


def entry(exchange: Any) -> dict[str, Any]:
    """As a HAR has it."""
    request, response = exchange.request, exchange.response
    headers = [{"name": name, "value": value} for name, value in request.headers]
    return {
        "startedDateTime": exchange.started.isoformat(),
        "time": 40,
        "request": {
            "method": request.method, "url": request.url, "headers": headers,
            **({"postData": {"mimeType": "application/json", "text": request.body.decode()}} if request.body else {}),
        },
        "response": {"status": response.status, "headers": [], "content": {"text": response.body.decode()}},
    }  # fmt: skip
