"""Recorders that write times in whole seconds: of two calls of one second nobody knows whether the first was over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conformance.audit.auditor import Auditor
from conformance.audit.run import audit
from conformance.contract.jsontext import dumps
from conformance.traffic.exchange import Exchange, Missing
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import DONE, Recording, verdict


def busy() -> Recording:
    """Calls one after the other in two seconds, a slow one among them."""
    recording = Recording()
    recording.submit(order(), after=0.55, took=timedelta(seconds=0.2))
    recording.look_up(answer=order(), after=0.21, took=timedelta(seconds=0.9))
    recording.open(creation(), after=0.91, took=timedelta(seconds=0.1))
    recording.release(release(), after=0.11, took=timedelta(seconds=0.05))
    recording.submit(order("701-2"), after=0.06, took=timedelta(seconds=0.01))
    recording.delete("marketplaceCode=701-2&channelName=CHANNEL_NAME&accountId=19055", after=0.02)
    recording.notify(DONE)
    return recording


def at_once(took: float, after: float) -> Recording:
    """Two submissions of one order, the second so long after the first, which took so long."""
    recording = Recording()
    recording.submit(order(), took=timedelta(seconds=took))
    recording.submit(order(), after=after, took=timedelta(seconds=0.1))
    return recording


def cut(time: datetime) -> str:
    return f"{time.replace(microsecond=0):%Y-%m-%dT%H:%M:%S}"


def parts(exchange: Exchange) -> tuple[datetime, timedelta]:
    assert not isinstance(exchange.started, Missing)
    assert not isinstance(exchange.took, Missing)
    return exchange.started, exchange.took


def text(body: object) -> str:
    return body.decode() if isinstance(body, bytes) else ""


def as_har(recording: Recording) -> bytes:
    entries = []
    for exchange in recording.exchanges:
        started, took = parts(exchange)
        sent, answer = exchange.request, exchange.response
        headers = [] if isinstance(sent.headers, Missing) else [*sent.headers, ("host", "koncili.example")]
        posted = {"mimeType": "application/json", "text": text(sent.body)}
        content = {"text": text(getattr(answer, "body", b""))}
        entries.append(
            {
                "startedDateTime": cut(started) + "-00:00",
                "time": took / timedelta(milliseconds=1),
                "request": {
                    "method": sent.method,
                    "url": sent.url,
                    "headers": [{"name": name, "value": value} for name, value in headers],
                    **({"postData": posted} if sent.body else {}),
                },
                "response": {"status": getattr(answer, "status", 0), "headers": [], "content": content},
            }
        )
    return json.dumps({"log": {"creator": {"name": "seconds"}, "entries": entries}}).encode()


def as_lines(recording: Recording) -> bytes:
    lines = []
    for exchange in recording.exchanges:
        started, took = parts(exchange)
        sent, answer = exchange.request, exchange.response
        headers = [] if isinstance(sent.headers, Missing) else list(sent.headers)
        line = {
            "started": cut(started) + "Z",
            "seconds": took.total_seconds(),
            "request": {"method": sent.method, "url": sent.url, "headers": headers, "body": text(sent.body)},
            "response": {
                "status": getattr(answer, "status", 0),
                "headers": [],
                "body": text(getattr(answer, "body", "")),
            },
        }
        lines.append(dumps(line))
    return "\n".join(lines).encode()


def as_log(recording: Recording) -> bytes:
    lines = []
    for exchange in sorted(recording.exchanges, key=lambda one: parts(one)[0] + parts(one)[1]):
        started, took = parts(exchange)
        sent = exchange.request
        headers = {} if isinstance(sent.headers, Missing) else dict(sent.headers)
        line = {
            "time_iso8601": cut(started + took) + "+00:00",
            "request_time": f"{took.total_seconds():.3f}",
            "request_method": sent.method,
            "request_uri": sent.url.removeprefix("https://koncili.example").removeprefix("https://integrator.example"),
            "scheme": "https",
            "http_host": "koncili.example" if headers else "integrator.example",
            "http_gumgatoken": headers.get("gumgatoken", ""),
            "http_integrator": headers.get("integrator", ""),
            "request_body": text(sent.body),
            "status": str(getattr(exchange.response, "status", 0)),
            "resp_body": text(getattr(exchange.response, "body", b"")),
        }
        lines.append(json.dumps(line))
    return "\n".join(lines).encode()


WRITERS = {"har": as_har, "lines": as_lines, "log": as_log}


def audited(recording: Recording, writer: str, folder: Path) -> Auditor:
    """What an audit finds of it, alike in one process and in parts."""
    path = folder / "day"
    path.write_bytes(WRITERS[writer](recording))
    assert is_alike([path], part_bytes=TINY)
    return audit([path]).auditor


@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_called_one_after_the_other_within_a_second_is_no_fault(writer: str, tmp_path: Path) -> None:
    auditor = audited(busy(), writer, tmp_path)
    assert {one.rule.id: one.spots for one in auditor.findings.found} == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule
    assert verdict(auditor, "CLI-17") == "undecided"


@pytest.mark.parametrize(
    ("took", "after", "expected"), [(0.1, 0.5, "undecided"), (0.9, 0.5, "undecided"), (2.9, 1.5, "broken")]
)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_called_at_once_for_certain_is_found(
    writer: str, took: float, after: float, expected: str, tmp_path: Path
) -> None:
    assert verdict(audited(at_once(took, after), writer, tmp_path), "CLI-17") == expected


def test_a_call_after_seconds_is_not_at_once(tmp_path: Path) -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(), after=3)
    for writer in WRITERS:
        assert verdict(audited(recording, writer, tmp_path), "CLI-17") == "kept"
