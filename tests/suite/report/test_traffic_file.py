"""What the processes of a run wrote becomes one HAR, in the order of sending, in memory that does not grow."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.report.files import TRAFFIC, Reports
from conformance.report.traffic_file import write_traffic
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.verdict.exchanges import FIELD, Mark

BEGUN = datetime(2026, 11, 28, tzinfo=UTC)


def write(path: Path, seconds: Sequence[int], body: str = "{}", redactor: Redactor | None = None) -> None:
    """Let a journal write orders that were sent so many seconds after the beginning, in this order."""
    with Journal(redactor or Redactor(), path) as journal:
        for second in seconds:
            sent = json.dumps({"marketplaceCode": f"A-{second}", "body": body}).encode()
            url = "https://koncili.test" + Endpoint.SUBMIT_ORDER.path
            journal.record(
                Exchange(
                    BEGUN + timedelta(seconds=second), "POST", url, {}, sent, 201, {}, b"{}", 0.5, Endpoint.SUBMIT_ORDER
                )
            )


def entries_of(path: Path) -> list[dict[str, Any]]:
    """What a HAR holds, read as everybody reads it."""
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["log"]["entries"]
    return entries


def seconds_of(path: Path) -> list[float]:
    """When its exchanges were sent, in seconds from the beginning."""
    return [(datetime.fromisoformat(entry["startedDateTime"]) - BEGUN).total_seconds() for entry in entries_of(path)]


def test_what_several_processes_sent_is_put_in_the_order_of_sending(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    write(reports.traffic_of("gw0"), [0, 4, 3])  # calls at once: the first may be answered last
    write(reports.traffic_of("gw1"), [1, 2, 5])
    instant = (BEGUN + timedelta(seconds=3)).isoformat()
    digests, seen = reports.merge_traffic(
        Redactor(), {instant: [Mark("ORD-01", "accepted", "x")], "": [Mark("LIM-01", "checked", "x")]}
    )
    merged = reports.path(TRAFFIC)
    assert seconds_of(merged) == [0, 1, 2, 3, 4, 5]
    assert [entry[FIELD]["number"] for entry in entries_of(merged)] == [1, 2, 3, 4, 5, 6]
    assert [len(entry[FIELD]["evidence"]) for entry in entries_of(merged)] == [0, 0, 0, 1, 0, 0]
    own = json.loads(merged.read_text(encoding="utf-8"))["log"][FIELD]
    assert own == {"entries": 6, "elsewhere": [{"rule": "LIM-01", "side": "checked", "count": 1}]}
    assert digests.keys() == {TRAFFIC}
    assert seen is not None
    assert seen.statuses == {"POST /order": {"201": 6}}
    assert [path.name for path in tmp_path.iterdir()] == [TRAFFIC]


def test_the_file_of_one_process_keeps_its_order(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    write(reports.path(TRAFFIC), [0, 4, 3])
    reports.merge_traffic(Redactor(), {})
    assert seconds_of(reports.path(TRAFFIC)) == [0, 4, 3]


@pytest.mark.parametrize("kept", [0, 1, 90, 700, 1_000_000])
def test_the_file_of_a_process_that_was_killed_stays_as_it_is(tmp_path: Path, kept: int) -> None:
    """Wherever its end is; nobody takes half an exchange for one, or loses those of the others."""
    reports = Reports(tmp_path)
    write(reports.traffic_of("gw0"), [0, 2])
    write(killed := reports.traffic_of("gw1"), [1, 3])
    raw = killed.read_bytes()[:kept].rstrip(b" \n}]")
    killed.write_bytes(raw)
    reports.merge_traffic(Redactor(), {})
    assert seconds_of(reports.path(TRAFFIC)) == [0, 2]
    assert killed.read_bytes() == raw
    assert not reports.traffic_of("gw0").exists()


def test_where_no_file_is_whole_all_stay_as_they_are(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    reports.path(TRAFFIC).write_text('{"log": {"entries": [')
    digests, seen = reports.merge_traffic(Redactor(), {})
    assert (reports.path(TRAFFIC).read_text(), seen) == ('{"log": {"entries": [', None)
    assert digests.keys() == {TRAFFIC}


def test_what_only_another_process_knew_to_be_secret_is_blotted_out(tmp_path: Path) -> None:
    reports, knows = Reports(tmp_path), Redactor()
    write(reports.traffic_of("gw0"), [0], body="s3cr3t-of-another")
    knows.learn("s3cr3t-of-another", "password")
    reports.merge_traffic(knows, {})
    assert "s3cr3t" not in reports.path(TRAFFIC).read_text(encoding="utf-8")
    assert "<redacted:password>" in reports.path(TRAFFIC).read_text(encoding="utf-8")


def peak(path: Path, *, in_order: bool) -> int:
    """The most bytes that are taken while that file is written anew."""

    class Nowhere(StringIO):
        def write(self, text: str, /) -> int:
            return len(text)

    tracemalloc.start()
    try:
        write_traffic(Nowhere(), [path], Redactor(), {}, in_order=in_order)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("in_order", [False, True], ids=["of one process", "of several"])
def test_memory_does_not_grow_with_the_number_of_exchanges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_order: bool
) -> None:
    monkeypatch.setattr("conformance.report.traffic_file.WINDOW", 20)
    monkeypatch.setattr("conformance.verdict.observed.MOST_ORDERS", 20)
    few, many = tmp_path / "few.har", tmp_path / "many.har"
    write(few, range(300), body="x" * 1_000)
    write(many, range(2_400), body="x" * 1_000)
    assert peak(many, in_order=in_order) < 1.5 * peak(few, in_order=in_order)
