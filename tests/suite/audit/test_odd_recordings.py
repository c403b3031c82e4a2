"""Odd recordings: what is readable is judged, the rest is told, whether by one process or in parts; and what recorders wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

import pytest

from conformance.audit.run import Audited, audit
from conformance.traffic.exchange import Exchange
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import RECORDINGS, results
from tests.suite.audit.test_outcome import command
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.in_parts import in_parts_of
from tests.suite.support.recorded_calls import CODE, QUERY, Recording

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ORDERS: Final = 12


def lawful_day(account: int = 19055) -> list[Exchange]:
    """Orders of an account, looked up, reconciled, released."""
    day = Recording()
    day.log_in()
    codes = [f"701-{account}-{number}" for number in range(ORDERS)]
    for code in codes:
        day.submit(order(code, accountId=account))
        day.look_up(QUERY.replace(CODE, code).replace("19055", str(account)), answer=order(code, accountId=account))
    day.open(creation(accountId=account, releasesQtd=3 * ORDERS), number=account)
    for code in codes:
        entries = [{**one, "marketplaceCode": code} for one in release()["releases"]]
        day.release(release(marketplaceCode=code, accountId=account, reconciliationId=account, releases=entries))
    day.notify({"accountId": account, "reconciliationId": account, "situation": "CONCILIED"})
    return day.exchanges


LINES: Final = [line_of(exchange) for exchange in lawful_day()]
OTHERS: Final = [line_of(exchange) for exchange in lawful_day(19056)]


def shuffled(lines: Sequence[bytes]) -> list[bytes]:
    """In no sequence."""
    return Random(0).sample(lines, len(lines))  # noqa: S311 - no secret


LONG: Final = 1_000_000

ODD: Final[dict[str, tuple[bytes, int, list[str]]]] = {
    "as it was recorded": (b"".join(LINES), len(LINES), []),
    "out of order": (b"".join(shuffled(LINES)), len(LINES), []),
    "two accounts at once": (b"".join(shuffled([*LINES, *OTHERS])), len(LINES) * 2, []),
    "CRLF": (b"".join(LINES).replace(b"\n", b"\r\n"), len(LINES), []),
    "empty lines": (b"\n\r\n \n".join(LINES), len(LINES), []),
    "no line end": (b"".join(LINES)[:-1], len(LINES), []),
    "a byte order mark": (b"\xef\xbb\xbf" + b"".join(LINES), len(LINES), []),
    "UTF-16": (b"".join(LINES).decode().encode("utf-16"), len(LINES), []),
    "the last line cut": (b"".join([*LINES, LINES[0][:-40]]), len(LINES), ["the file ends there"]),
    "other JSON among it": (
        b"".join([*LINES, b"[1, 2]\n", b'"text"\n', b"null\n"]),
        len(LINES),
        ["has no request"] * 3,
    ),
    "NUL bytes": (b"".join([*LINES[:9], bytes(500) + b"\n", *LINES[9:]]), len(LINES), ["is no JSON"]),
    "a line without end": (b"".join([*LINES[:9], b"[" * LONG + b"\n", *LINES[9:]]), len(LINES), ["is no JSON"]),
}


def in_one_process(path: Path) -> Audited:
    return audit([path])


def in_parts(path: Path) -> Audited:
    return audit([path], work=in_parts_of(3_000))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("way", [in_one_process, in_parts])
def test_what_is_readable_is_judged_and_the_rest_told(
    name: str, way: Callable[[Path], Audited], tmp_path: Path
) -> None:
    content, readable, problems = ODD[name]
    path = tmp_path / "day.ndjson"
    path.write_bytes(content)
    certificate = way(path).certificate
    assert certificate.recording is not None
    assert certificate.recording.exchanges == readable
    assert [entry.id for entry in certificate.rules if entry.findings] == []
    told = certificate.recording.problems
    assert len(told) == len(problems)
    assert all(words in one for words, one in zip(problems, told, strict=True))
    assert certificate.recording.ties_out


@pytest.mark.parametrize("blocks", [1, 9])
@pytest.mark.parametrize("way", [in_one_process, in_parts])
def test_a_compressed_recording_that_was_cut_is_judged_up_to_there(
    way: Callable[[Path], Audited], blocks: int, tmp_path: Path
) -> None:
    """Of a block that was cut nothing can be read."""
    path = tmp_path / "day.ndjson.zst"
    packing = zstd.ZstdCompressor()
    packed = [packing.compress(b"".join(LINES), packing.FLUSH_BLOCK) for _ in range(blocks)]
    path.write_bytes(b"".join(packed)[:-30])
    certificate = way(path).certificate
    assert certificate.recording is not None
    assert (certificate.recording.exchanges > 0) is (blocks > 1)
    assert certificate.recording.exchanges < len(LINES) * blocks
    assert any("cut off or damaged" in problem for problem in certificate.recording.problems)


@pytest.mark.parametrize("way", [in_one_process, in_parts])
def test_a_line_that_is_too_long_is_told(
    way: Callable[[Path], Audited], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.traffic.ndjson.LONGEST_LINE_BYTES", 10_000)
    path = tmp_path / "day.ndjson"
    path.write_bytes(b"".join([*LINES[:9], b"x" * 95_000 + b"\n", *LINES[9:]]))
    certificate = way(path).certificate
    assert certificate.recording is not None
    assert certificate.recording.exchanges == len(LINES)
    (problem,) = certificate.recording.problems
    assert "line 10 (entry 9) is longer than 10,000 bytes" in problem


def test_a_recording_that_may_not_be_read_ends_with_3(tmp_path: Path) -> None:
    closed = tmp_path / "closed.ndjson"
    closed.write_bytes(LINES[0])
    closed.chmod(0)
    try:
        readable = closed.read_bytes() == LINES[0]  # to root everything is
    except PermissionError:
        readable = False
    done = command("audit", closed, "--reports", tmp_path / "reports")
    assert "Traceback" not in done.stderr
    assert readable or (done.returncode == 3 and "closed.ndjson: can't be read" in done.stderr)


AUDITED: Final[dict[str, dict[str, list[int]]]] = {
    "mock.ndjson": {},
    "vcr.yaml": {},
    "vcr-json.json": {},
    "vcr-httpx.yaml": {},
    "vcr-aiohttp.yaml": {},
    "vcr-ruby.yml": {},
    "betamax.json": {},
    "nock.json": {},
    "polly.har": {},
    "axios-har-tracker.har": {"ORD-12": [5]},
    "newman.json": {"ORD-12": [3]},
    "playwright.zip": {"ORD-12": [4], "AUTH-03": [5], "CLI-14": [5]},
    "playwright-omit.har": {"ORD-12": [4], "CLI-14": [5]},
    "chrome-har.har": {"CLI-14": [0, 6]},
    "mitmproxy.har": {"ORD-12": [8], "ORD-14": [5]},
    "mitmproxy.zhar": {"ORD-12": [8], "ORD-14": [5]},
    "mitmproxy-12.har": {"ORD-12": [8], "ORD-14": [5]},
    "nginx.ndjson": {"CLI-14": [8]},
    "wiremock.json": {"ORD-14": [2]},
}
"""What each recorder's recording shows: a query that names no order, a body in Latin-1, a beacon without headers. That these
calls were made so is what `test_recorders.py` says of them; nothing else is wrong with any of them."""


@pytest.mark.parametrize(
    "name", sorted(path.name for path in RECORDINGS.iterdir() if path.is_file() and path.suffix != ".md")
)
def test_the_recording_of_each_recorder_shows_what_was_wrong_and_nothing_else(name: str) -> None:
    whole = audit([RECORDINGS / name])
    findings = whole.auditor.findings.found
    assert {one.rule.id: [spot.origin.entry for spot in one.spots] for one in findings} == AUDITED[name]
    assert json.loads(results(whole)[0])["verdict"] in {"nonconformant" if AUDITED[name] else "partial", "conformant"}
