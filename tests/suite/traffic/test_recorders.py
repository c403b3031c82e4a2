"""The same calls as each recorder writes them: read, they are the same calls, and what the recorder lost is not recorded.

`recordings/making/make.sh` makes the recordings anew, each by the tool that it is named after, against the mock.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from conformance.contract.jsontext import NotJSON, loads
from conformance.errors import CannotRun
from conformance.traffic import read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Missing, Recorded, Response

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RECORDINGS = Path(__file__).parent / "recordings"
CALLS = loads((RECORDINGS / "making" / "calls.json").read_text(encoding="utf-8"))

TOKEN, FIRST, SECOND = "POST token credentials 200 json", "POST order first 200 json", "POST order second 200 json"
FOUND, UNKNOWN, NOBODY = "GET order - 200 json", "DELETE order - 404 json", "GET order - none"
USUAL = [TOKEN, FIRST, SECOND, FOUND, UNKNOWN]
THROUGH_PROXY = [*USUAL, "POST order latin-1 400 json", "POST order bom 200 json", "POST order first 400 json", NOBODY]


def without_answers(calls: list[str]) -> list[str]:
    return [call.replace(" json", " ?") for call in calls]


EXPECTED = {
    "mock.ndjson": USUAL,
    "vcr.yaml": USUAL,
    "vcr-json.json": USUAL,
    "vcr-httpx.yaml": USUAL,  # its answers still compressed
    "vcr-aiohttp.yaml": ["POST token ? 200 json", FIRST, SECOND, FOUND, UNKNOWN],  # of all text: JSON or a form?
    "vcr-ruby.yml": USUAL,
    "betamax.json": [TOKEN, SECOND, FOUND, UNKNOWN],  # of two calls of one address it kept the last
    "axios-har-tracker.har": [TOKEN, FIRST, SECOND, FOUND, UNKNOWN, NOBODY],
    "polly.har": USUAL,
    "nock.json": USUAL,
    "newman.json": [TOKEN, FIRST, SECOND, NOBODY],
    "playwright.zip": [
        TOKEN, FIRST, "POST order ? 200 json", FOUND, NOBODY, "POST order ? 403 json",
    ],
    "playwright-omit.har": [
        "POST token ? 200 ?", "POST order ? 200 ?", "POST order ? 200 ?", "GET order - 200 ?", NOBODY, "POST order ? 403 ?",
    ],
    "chrome-har.har": [
        "GET my-accounts - 403 ?", "GET favicon.ico - 404 ?", "POST token ? 200 ?", "POST order ? 200 ?",
        "POST order ? 200 ?", "GET order - 200 ?", "POST order ? 403 ?",
    ],
    "mitmproxy.har": THROUGH_PROXY,
    "mitmproxy.zhar": THROUGH_PROXY,
    "mitmproxy-12.har": [line.replace("bom", "first") for line in THROUGH_PROXY],
    "wiremock.json": THROUGH_PROXY[:-1],
    "nginx.ndjson": without_answers(
        [*USUAL, "POST order ? 400 json", "POST order bom 200 json", "POST order first 400 json", "GET my-accounts - none"]
    ),
}  # fmt: skip
"""What is read of each recording: method, end of the path, body of the request, status, body of the answer. `-` is empty, `?` not
recorded."""

UNTIMED = {name for name in EXPECTED if name.startswith("vcr")} | {"betamax.json", "nock.json", "newman.json"}


def told(exchange: Exchange) -> str:
    """An exchange in one line."""
    path = urlsplit(exchange.request.url).path.rpartition("/")[2]
    response = exchange.response
    if response is None:
        answer = "none"
    elif isinstance(response, Response):
        answer = f"{response.status} {'?' if response.body is NOT_RECORDED else kind(response.body)}"
    return f"{exchange.request.method} {path} {kind(exchange.request.body)} {answer}"


def kind(body: Recorded) -> str:
    """What a body is."""
    if isinstance(body, Missing):
        return "?"
    if not body:
        return "-"
    try:
        value = loads(body.removeprefix(b"\xef\xbb\xbf"))
    except NotJSON:
        return "latin-1" if "São" in body.decode("latin-1") else "no JSON"
    for name, order in zip(("first", "second"), CALLS["orders"], strict=True):
        if value in (order, {**order, "city": "São João del-Rei"}) and "errorCode" not in value:
            # An answer may be the order as well.
            return "bom" if body.startswith(b"\xef\xbb\xbf") else name
    return "credentials" if "credentials" in value else "json"


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_is_read_as_the_calls_that_were_made(name: str) -> None:
    found = list(read_all([RECORDINGS / name], pytest.fail))
    lines = [told(one).replace("200 first", "200 json") for one in found]
    assert sorted(lines) == sorted(EXPECTED[name])
    assert all((one.started is NOT_RECORDED) == (name in UNTIMED) for one in found)
    assert [one.origin.entry for one in found if name in UNTIMED] == list(range(len(found) if name in UNTIMED else 0))
    with_token = [one for one in found if "/order" in one.request.url and "403" not in told(one)]
    for one in with_token:
        assert one.request.header("integrator") == CALLS["integrator"]
        token = one.request.header("gumgaToken")
        assert isinstance(token, str)
        assert token.startswith("eyJ") or token == "{{token}}"


def test_every_recording_has_its_row() -> None:
    assert {path.name for path in RECORDINGS.iterdir() if path.is_file()} == {*EXPECTED, "README.md"}


def test_a_header_that_a_cassette_does_not_hold_may_have_been_sent() -> None:
    for name in ("vcr.yaml", "betamax.json"):
        first, *_ = read_all([RECORDINGS / name], pytest.fail)
        assert first.request.header("integrator") is NOT_RECORDED
    first, *_ = read_all([RECORDINGS / "axios-har-tracker.har"], pytest.fail)
    assert first.request.header("integrator") is None


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "zlib": zlib.compress,
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.endswith(("zip", "zhar", "nginx.ndjson"))])
def test_a_recording_is_known_by_its_content_however_it_is_packed_and_called(
    name: str, packing: str, tmp_path: Path
) -> None:
    (tmp_path / "recording").write_bytes(PACKED[packing]((RECORDINGS / name).read_bytes()))
    found = read_all([tmp_path / "recording"], pytest.fail)
    assert [told(one) for one in found] == [told(one) for one in read_all([RECORDINGS / name], pytest.fail)]


@pytest.mark.parametrize("packing", ["gzip", "zstd", "zlib"])
def test_a_packed_recording_that_was_cut_is_read_up_to_there(packing: str, tmp_path: Path) -> None:
    content = (RECORDINGS / "mock.ndjson").read_bytes() * 400
    packed = PACKED[packing](
        b"".join(line.replace(b"19055", b"%d" % n) for n, line in enumerate(content.splitlines(keepends=True)))
    )
    (tmp_path / "a").write_bytes(packed[: len(packed) * 2 // 3])
    lines: list[str] = []
    found = list(read_all([tmp_path / "a"], lines.append))
    assert 0 < len(found) < 2_000
    assert 1 <= len(lines) <= 2
    assert "cut off or damaged" in lines[0]


def test_attached_bodies_are_read_beside_the_recording_and_nowhere_else(tmp_path: Path) -> None:
    shutil.unpack_archive(RECORDINGS / "playwright.zip", tmp_path / "unpacked")
    har = tmp_path / "unpacked" / "har.har"
    assert [told(one) for one in read_all([har], pytest.fail)] == [
        told(one) for one in read_all([RECORDINGS / "playwright.zip"], pytest.fail)
    ]
    (tmp_path / "secret.json").write_text("{}")
    value = json.loads(har.read_text())
    for entry in value["log"]["entries"]:
        entry["request"]["postData"] = {"_file": "../secret.json"}
    har.write_text(json.dumps(value))
    assert {one.request.body for one in read_all([har], pytest.fail) if one.request.method == "POST"} == {NOT_RECORDED}


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.endswith(".zip")])  # whose end is its directory
def test_a_recording_that_was_cut_anywhere_is_told_and_read_up_to_there(name: str, tmp_path: Path) -> None:
    content = (RECORDINGS / name).read_bytes()
    whole = [told(one) for one in read_all([RECORDINGS / name], pytest.fail)]
    for cut in range(1, 10):
        (tmp_path / "a").write_bytes(content[: len(content) * (10 - cut) // 10])
        lines: list[str] = []
        try:
            found = list(read_all([tmp_path / "a"], lines.append))
        except CannotRun:  # that it is one of Newman's or nock's shows late
            assert name in {"newman.json", "nock.json"}
            continue
        assert len(found) < len(whole) or name == "newman.json"
        assert lines or name.startswith("nginx")
        assert all("eyJ" not in line and "São" not in line for line in lines)


DAMAGES = [
    b"",
    b"null",
    b"{}",
    b'"',
    b'"\\ud800"',
    b"-1",
    b"\x00",
    b"\xff",
    b"9" * 5_000,
    b"1e99999999999999999999",
    b"- ",
    b": ",
    b"*a",
]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_that_is_damaged_anywhere_raises_nothing_and_tells_no_secret(name: str, tmp_path: Path) -> None:
    content = (RECORDINGS / name).read_bytes()
    random = Random(name)  # noqa: S311 - no secret
    lines: list[str] = []
    for damage in DAMAGES * 3:
        begin = random.randrange(len(content))
        (tmp_path / "a").write_bytes(content[:begin] + damage + content[begin + random.randrange(9) :])
        with suppress(CannotRun):
            deque(read_all([tmp_path / "a"], lines.append), maxlen=0)
    assert not [line for line in lines if "eyJ" in line or "203.63" in line]
