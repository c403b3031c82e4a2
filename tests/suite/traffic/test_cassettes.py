"""Cassettes and logs by hand: of tools that can't be run here, and what the made recordings don't hold."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.traffic import read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Response

RUBY = """---
http_interactions:
- request:
    method: post
    uri: https://api.example/order
    body:
      encoding: UTF-8
      string: '{"marketplaceCode":"0012","createdDate":2026-11-03}'
    headers:
      Gumgatoken:
      - "<TOKEN>"
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Encoding:
      - gzip
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        PACKED
  recorded_at: Tue, 03 Nov 2026 12:00:00 GMT
- request:
    method: get
    uri: https://api.example/my-accounts
    body:
      encoding: US-ASCII
      string: ''
    headers: {}
  response:
    status:
      code: 204
    headers: {}
    body:
      string: ''
recorded_with: VCR 6.3.1
"""


def read(folder: Path, text: str | bytes) -> list[Exchange]:
    (folder / "a").write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_all([folder / "a"], pytest.fail))


def one(folder: Path, value: object) -> Exchange:
    (found,) = read(folder, json.dumps(value))
    return found


def answered(exchange: Exchange) -> Response:
    assert isinstance(exchange.response, Response)
    return exchange.response


def test_a_cassette_of_ruby_is_read(tmp_path: Path) -> None:
    packed = base64.b64encode(gzip.compress(b'{"ok": true}')).decode()
    first, second = read(tmp_path, RUBY.replace("PACKED", packed))
    assert (first.request.method, first.request.url) == ("POST", "https://api.example/order")
    assert first.request.body == b'{"marketplaceCode":"0012","createdDate":2026-11-03}'
    assert first.request.header("gumgaToken") == "<TOKEN>"
    assert answered(first).body == b'{"ok": true}'
    assert (first.started, second.request.body, answered(second).body) == (NOT_RECORDED, b"", b"")


@pytest.mark.parametrize("end", ["recorded_with: VCR 6.3.1\n", "recorded_wi"])
def test_of_a_cassette_without_its_end_the_last_call_may_be_half_of_one(end: str, tmp_path: Path) -> None:
    text = RUBY.replace("PACKED", "").replace("recorded_with: VCR 6.3.1\n", end)
    assert len(read(tmp_path, text)) == 2
    told: list[str] = []
    (tmp_path / "a").write_text(text.removesuffix(end))
    assert len(list(read_all([tmp_path / "a"], told.append))) == 1
    assert "cut off" in told[0]


def test_a_call_of_httpx_in_a_cassette_of_vcr_is_read(tmp_path: Path) -> None:
    request = {"method": "POST", "uri": "https://api.example/order", "body": "{}", "headers": {"content-length": ["2"]}}
    response = {"status_code": 200, "http_version": "HTTP/1.1", "headers": {}, "content": '{"ok": 1}'}
    found = one(tmp_path, {"version": 1, "interactions": [{"request": request, "response": response}]})
    assert (found.request.body, answered(found).status, answered(found).body) == (b"{}", 200, b'{"ok": 1}')


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [
        (None, "0", b""),
        (None, None, NOT_RECORDED),
        ("", "645", NOT_RECORDED),
        ({"string": "", "base64_string": base64.b64encode(b"\x00\xe3").decode()}, "2", b"\x00\xe3"),
        ({"base64_string": "no base64!"}, "2", NOT_RECORDED),
        (7, "1", NOT_RECORDED),
    ],
)
def test_a_body_of_a_cassette_is_present_empty_or_not_recorded(
    body: object, length: str | None, expected: object, tmp_path: Path
) -> None:
    headers = {"Content-Length": [length]} if length else {"Accept": ["*/*"]}
    request = {"method": "POST", "uri": "/order", "body": body, "headers": headers}
    found = one(tmp_path, {"http_interactions": [{"request": request, "response": {}}]})
    assert (found.request.body, found.response) == (expected, NOT_RECORDED)


def nock(**changes: Any) -> dict[str, Any]:
    call = {
        "scope": "https://api.example:443",
        "method": "POST",
        "path": "/order?a=1",
        "body": {"a": 203.6},
        "status": 200,
    }
    return call | {"response": {"id": 237}, "rawHeaders": ["Content-Type", "application/json", "X", "1"]} | changes


def test_a_call_of_nock_is_read_with_what_javascript_may_have_changed(tmp_path: Path) -> None:
    found = one(tmp_path, [nock()])
    assert (found.request.url, found.request.body) == ("https://api.example/order?a=1", b'{"a": 203.6}')
    assert (answered(found).header("x"), answered(found).body) == ("1", b'{"id": 237}')
    assert found.request.header("integrator") is NOT_RECORDED
    assert one(tmp_path, [nock(body={"extracts": [{"a": 2**53 + 2}]})]).request.body is NOT_RECORDED
    assert one(tmp_path, [nock(body="")]).request.body is NOT_RECORDED
    assert one(tmp_path, [nock(body="7b7d", reqheaders={"content-length": 2})]).request.body == b"{}"
    assert one(tmp_path, [nock(body="7b7d", reqheaders={"content-length": 4})]).request.body == b"7b7d"
    packed = gzip.compress(b"[1]").hex()
    coded = nock(response=[packed[:10], packed[10:]], rawHeaders={"content-encoding": "gzip"})
    assert answered(one(tmp_path, [coded])).body == b"[1]"


LINE = {
    "msec": "1793707200.500", "request_time": "0.500", "request": "POST /order HTTP/1.1", "http_host": "api.example",
    "scheme": "https", "status": "200", "http_integrator": "", "request_body": "{}", "http_content_length": "2",
}  # fmt: skip


def test_a_line_of_an_access_log_is_a_call_that_began_before_it_was_written(tmp_path: Path) -> None:
    found = one(tmp_path, LINE)
    assert found.started == datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert found.took == timedelta(seconds=0.5)
    assert (found.request.url, found.request.body) == ("https://api.example/order", b"{}")
    assert (found.request.header("integrator"), found.request.header("gumgaToken")) == ("", NOT_RECORDED)
    assert answered(found).body is NOT_RECORDED
    for end in ({"time_iso8601": "2026-11-03T09:00:00-03:00"}, {"$time_local": "03/Nov/2026:12:00:00 +0000"}):
        line = {name: value for name, value in LINE.items() if name != "msec"} | end
        logged = one(tmp_path, line)  # in whole seconds calls keep the sequence of their lines
        assert (logged.started, logged.whole_seconds) == (datetime(2026, 11, 3, 12, tzinfo=UTC), True)
        logged = one(tmp_path, line | {"request_time": "2.500"})  # at the latest
        assert logged.started == datetime(2026, 11, 3, 11, 59, 58, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("logged", "status"),
    [
        ({"status": "499"}, None),
        ({"status": "000"}, None),
        ({"status": "502"}, "unknown"),
        ({"status": "502", "upstream_status": "502"}, "unknown"),
        ({"status": "502", "upstream_header_time": "-"}, None),
        ({"status": "504", "upstream_bytes_received": "0"}, None),
        ({"status": "502", "upstream_header_time": "-, 0.010"}, 502),
        ({"status": "503"}, 503),
    ],
)
def test_a_proxy_s_own_refusal_is_no_answer(logged: dict[str, str], status: object, tmp_path: Path) -> None:
    response = one(tmp_path, LINE | logged).response
    assert (response.status if isinstance(response, Response) else "unknown" if response else None) == status


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [("", "645", NOT_RECORDED), ("", "0", b""), ("-", "645", NOT_RECORDED), ('{"a": "b', "645", NOT_RECORDED)],
)
def test_a_body_over_the_buffer_is_not_recorded(body: str, length: str, expected: object, tmp_path: Path) -> None:
    found = one(tmp_path, LINE | {"request_body": body, "http_content_length": length})
    assert found.request.body == expected


def test_a_call_of_go_vcr_is_read(tmp_path: Path) -> None:
    text = """---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/1.1
        content_length: 2
        headers:
            Integrator:
                - 3f0e0f64
        url: https://api.example/order
        method: POST
        body: '{}'
      response:
        headers:
            Content-Type:
                - application/json
        body: '{"ok": 1}'
        status: 200 OK
        code: 200
        duration: 1.5ms
    - id: 1
      request:
        url: https://api.example/my-accounts
        method: GET
        body: ""
"""
    first, second = read(tmp_path, text)
    assert (first.request.body, answered(first).status, answered(first).body) == (b"{}", 200, b'{"ok": 1}')
    assert first.request.header("integrator") == "3f0e0f64"
    assert (second.request.url, second.response) == ("https://api.example/my-accounts", NOT_RECORDED)


def test_a_call_of_php_vcr_is_read(tmp_path: Path) -> None:
    text = """
-
    request:
        method: POST
        url: 'https://api.example/order'
        headers: {Integrator: 3f0e0f64}
        body: '{}'
    response:
        status: {code: 200, message: OK}
        headers: {Content-Type: application/json}
        body: '{"ok": 1}'
-
    request:
        method: GET
        url: 'https://api.example/my-accounts'
    response:
        status: '404'
"""
    first, second = read(tmp_path, text)
    assert (first.request.body, answered(first).body, answered(second).status) == (b"{}", b'{"ok": 1}', 404)


def test_a_list_of_calls_with_names_in_capitals_is_read(tmp_path: Path) -> None:
    call = {
        "RecordedAt": "2026-11-03T12:00:00Z",
        "Request": {
            "Body": "{}",
            "Headers": {"Integrator": "3f0e0f64"},
            "Method": "POST",
            "Uri": "https://api.example/order",
        },
        "Response": {"Body": '{"ok": 1}', "Headers": {}, "Status": {"Code": 200}},
    }
    found = one(tmp_path, [call])
    assert (found.request.body, found.request.header("integrator"), answered(found).status) == (b"{}", "3f0e0f64", 200)
