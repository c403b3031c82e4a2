"""HAR as recorders write it: what of a call is present, empty, and not recorded."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import CannotRun
from conformance.traffic import read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Response

SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtb2NrIn0.c2VjcmV0"

HEADERS = [{"name": "Host", "value": "api.example"}, {"name": "GumgaToken", "value": SECRET}]


def entry(**changes: Any) -> dict[str, Any]:
    """An entry as the specification has it, with other parts of its request or answer."""
    request = {
        "method": "POST",
        "url": "https://api.example/order",
        "headers": HEADERS,
        "bodySize": 2,
        "postData": {"mimeType": "application/json", "text": "{}"},
    }
    response = {
        "status": 200,
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"size": 2, "text": "{}", "mimeType": "application/json"},
    }
    whole = {"startedDateTime": "2026-11-03T12:00:00.000Z", "time": 12.5, "request": request, "response": response}
    for name, value in changes.items():
        place, _, part = name.partition("_")
        if part:
            whole[place] = {**whole[place], part: value}  # type: ignore[dict-item]
        else:
            whole[place] = value
    return whole


def har(*entries: object, creator: str = "a recorder") -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": entries}})


def read(folder: Path, text: str | bytes, name: str = "a.har") -> tuple[list[Exchange], list[str]]:
    """What a recording holds, and what was told of it."""
    file, told = folder / name, list[str]()
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_all([file], told.append)), told


def one(folder: Path, **changes: Any) -> Exchange:
    found, told = read(folder, har(entry(**changes)))
    assert (len(found), told) == (1, [])
    return found[0]


def test_an_entry_is_read_whole(tmp_path: Path) -> None:
    found = one(tmp_path, request_method="post")
    assert found.started == datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert found.took == timedelta(milliseconds=12.5)
    assert (found.request.method, found.request.url, found.request.body) == ("POST", "https://api.example/order", b"{}")
    assert found.request.header("gumgaToken") == SECRET
    assert found.request.header("integrator") is None
    assert found.response == Response(200, (("content-type", "application/json"),), b"{}")


@pytest.mark.parametrize(
    ("posted", "length", "expected"),
    [
        ({"text": "{}"}, None, b"{}"),
        ({"text": ""}, None, NOT_RECORDED),
        ({"text": ""}, "645", NOT_RECORDED),
        ({"text": ""}, "0", b""),
        (None, "645", NOT_RECORDED),
        (None, "0", b""),
        (None, None, NOT_RECORDED),
        ({"params": [{"name": "accountId", "value": 19055}]}, None, NOT_RECORDED),
        ({"_file": "gone.json"}, None, NOT_RECORDED),
        ({"text": '{"a": "b'}, "645", NOT_RECORDED),
        ({"text": '{"credentials": "<redacted>"}'}, "645", b'{"credentials": "<redacted>"}'),
        ({"text": base64.b64encode(b"\xe3\x28").decode(), "encoding": "base64"}, None, b"\xe3\x28"),
    ],
)
@pytest.mark.parametrize("size", [0, 645, -1, None])
def test_a_body_is_present_empty_or_not_recorded(
    posted: dict[str, Any] | None, length: str | None, expected: bytes, size: int | None, tmp_path: Path
) -> None:
    headers = [*HEADERS, *([{"name": "Content-Length", "value": length}] if length else [])]
    found = one(tmp_path, request_headers=headers, request_postData=posted, request_bodySize=size)
    assert found.request.body == expected


@pytest.mark.parametrize(("size", "expected"), [(0, b""), (-1, b""), (645, NOT_RECORDED)])
def test_a_query_has_no_body_unless_its_size_says_so(size: int, expected: bytes, tmp_path: Path) -> None:
    found = one(tmp_path, request_method="GET", request_postData=None, request_bodySize=size)
    assert found.request.body == expected


@pytest.mark.parametrize("status", [0, -1, "", None])
def test_a_status_that_is_none_is_no_answer(status: object, tmp_path: Path) -> None:
    assert one(tmp_path, response_status=status).response is None


@pytest.mark.parametrize("between", ["", "\n", " \r\n\r\n"])
def test_documents_may_stand_one_after_the_other(between: str, tmp_path: Path) -> None:
    found, told = read(tmp_path, between.join([har(entry(), entry()), har(entry()), har(), har(entry())]))
    assert ([one.origin.entry for one in found], told) == ([0, 1, 2, 3], [])


@pytest.mark.parametrize("rest", ["]", "-- end of recording", har(entry())[:200]])
def test_what_stands_after_a_document_and_is_none_is_told(rest: str, tmp_path: Path) -> None:
    found, told = read(tmp_path, har(entry()) + rest)
    assert (len(found), len(told)) == (1, 1)


CUT = '{"marketplaceCode": "701-2798273-4005859", "channelName": "CHAN'


@pytest.mark.parametrize(
    "mark", ["...", "\u2026", "... (1,234 more bytes)", "[TRUNCATED]", "<truncated>", " ...[truncated 645 bytes]"]
)
def test_a_body_of_which_the_recorder_kept_the_beginning_is_not_recorded(mark: str, tmp_path: Path) -> None:
    assert one(tmp_path, request_postData={"text": CUT + mark}).request.body is NOT_RECORDED


@pytest.mark.parametrize("text", ['{"note": "..."}', '{"note": "truncated"}', CUT, "marketplaceCode=1...&x=2"])
def test_a_body_that_does_not_end_with_such_a_mark_is_as_it_was_sent(text: str, tmp_path: Path) -> None:
    assert one(tmp_path, request_postData={"text": text}).request.body == text.encode()


@pytest.mark.parametrize("status", ["200 OK", "HTTP/1.1 200 OK", "200", "200.0", 200.0])
def test_a_status_with_its_reason_or_as_a_fraction_is_one(status: object, tmp_path: Path) -> None:
    answer = one(tmp_path, response_status=status).response
    assert isinstance(answer, Response)
    assert answer.status == 200


@pytest.mark.parametrize("status", ["OK", "(redacted)", True, -200, 20, 1e300, 200.5, [200], {}])
def test_what_is_no_status_tells_nothing_of_an_answer(status: object, tmp_path: Path) -> None:
    assert one(tmp_path, response_status=status).response is NOT_RECORDED


def test_an_answer_that_was_left_out_is_not_recorded(tmp_path: Path) -> None:
    assert one(tmp_path, response=None).response is NOT_RECORDED


def test_header_values_may_be_numbers_and_none_at_all_are_not_recorded(tmp_path: Path) -> None:
    found = one(tmp_path, request_headers=[{"name": "Host", "value": "h"}, {"name": "X", "value": 645}])
    assert found.request.header("x") == "645"
    found = one(tmp_path, request_headers=[])
    assert found.request.header("integrator") is NOT_RECORDED


def test_headers_without_a_host_are_not_all_that_were_sent(tmp_path: Path) -> None:
    found = one(tmp_path, request_headers=[{"name": "gumgaToken", "value": SECRET}])
    assert found.request.header("gumgatoken") == SECRET
    assert found.request.header("integrator") is NOT_RECORDED


def test_a_time_without_an_offset_is_not_recorded(tmp_path: Path) -> None:
    assert one(tmp_path, startedDateTime="2026-11-03T12:00:00").started is NOT_RECORDED
    assert one(tmp_path, time=-1).took is NOT_RECORDED


def test_utf_8_that_was_read_as_latin_1_is_mended(tmp_path: Path) -> None:
    text = '{"comprador": "São João"}'
    mojibake, size = text.encode().decode("latin-1"), len(text.encode())
    found = one(tmp_path, request_postData={"text": mojibake}, request_bodySize=size)
    assert found.request.body == text.encode()
    found = one(tmp_path, request_postData={"text": text}, request_bodySize=size)
    assert found.request.body == text.encode()
    found = one(tmp_path, request_postData={"text": text}, request_bodySize=len(text))  # a length in characters
    assert found.request.body == text.encode()


def test_halves_of_surrogates_are_bytes_that_were_no_utf_8(tmp_path: Path) -> None:
    found = one(tmp_path, request_postData={"text": "S\udce3o"})
    assert found.request.body == b"S\xe3o"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_a_body_is_without_its_content_coding_whether_the_recorder_took_it_off_or_not(
    coding: str, tmp_path: Path
) -> None:
    packed = base64.b64encode(gzip.compress(b'{"id": 237}')).decode()
    headers = [{"name": "Content-Encoding", "value": coding}]
    for content in ({"text": packed, "encoding": "base64"}, {"text": '{"id": 237}'}):
        found = one(tmp_path, response_headers=headers, response_content=content).response
        assert isinstance(found, Response)
        assert found.body == b'{"id": 237}'
    for text in (gzip.compress(b'{"id": 237}').decode("utf-8", "replace"), packed[:8]):
        content = {"text": text, "encoding": "base64"} if text == packed[:8] else {"text": text}
        found = one(tmp_path, response_headers=headers, response_content=content).response
        assert isinstance(found, Response)
        assert found.body is NOT_RECORDED


def test_what_the_client_s_cache_answered_is_no_call(tmp_path: Path) -> None:
    found, told = read(tmp_path, har({**entry(), "_fromCache": "disk"}, entry()))
    assert [one.origin.entry for one in found] == [1]
    assert "no call" in told[0]


@pytest.mark.parametrize(
    ("creator", "timings", "took"),
    [
        ("mitmproxy", {"connect": 16.2, "ssl": -1.0, "send": 4.4, "wait": 8.7, "receive": 0.5}, 13.6),
        ("mitmproxy", {"connect": 6.2, "ssl": 10.0, "send": 4.4, "wait": 8.7, "receive": 0.5}, 13.6),
        ("mitmproxy", {"connect": 99.0}, 0),
        ("mitmproxy", {"connect": None}, 29.8),
        ("mitmproxy", None, 29.8),
        ("WebInspector", {"connect": 16.2, "send": 4.4, "wait": 8.7, "receive": 0.5}, 29.8),
    ],
)
def test_mitmproxy_counts_the_time_of_connecting_twice(
    creator: str, timings: dict[str, float | None] | None, took: float, tmp_path: Path
) -> None:
    found, _ = read(tmp_path, har(entry(time=29.8, timings=timings), creator=creator))
    assert found[0].took == pytest.approx(timedelta(milliseconds=took), abs=timedelta(microseconds=10))


@pytest.mark.parametrize(
    ("failure", "left"),
    [
        ({"_error": "net::ERR_CONNECTION_REFUSED"}, False),
        ({"_failureText": "net::ERR_NAME_NOT_RESOLVED"}, False),
        ({"statusText": "connect ECONNREFUSED 127.0.0.1:443"}, False),
        ({"_error": "net::ERR_EMPTY_RESPONSE"}, True),
        ({"_failureText": "net::ERR_TIMED_OUT"}, True),
        ({"_error": "net::ERR_CONNECTION_RESET"}, True),
        ({}, True),
    ],
)
def test_what_found_no_connection_is_no_call(failure: dict[str, str], left: bool, tmp_path: Path) -> None:
    lost = {"status": 0, "statusText": "", "headers": [], "content": {"size": 0}, **failure}
    found, told = read(tmp_path, har(entry(response=lost), entry()))
    assert [one.response is None for one in found] == ([True, False] if left else [False])
    assert bool(told) is not left
    answered = {**entry()["response"], **failure}
    assert len(read(tmp_path, har(entry(response=answered)))[0]) == 1


def test_recordings_are_one_stream_by_the_time_of_sending(tmp_path: Path) -> None:
    for name, seconds in (("a.har", (3, 1)), ("b.har", (0, 2))):
        times = [f"2026-11-03T0{second}:00:00-03:00" for second in seconds]
        (tmp_path / name).write_text(har(*(entry(startedDateTime=time) for time in times)))
    found = read_all([tmp_path / "a.har", tmp_path / "b.har"], pytest.fail)
    assert [(Path(one.origin.file).name, one.origin.entry) for one in found] == [
        ("b.har", 0), ("a.har", 1), ("b.har", 1), ("a.har", 0),
    ]  # fmt: skip


def test_of_a_recording_that_was_cut_what_is_there_is_read(tmp_path: Path) -> None:
    text = har(*[entry() for _ in range(3)])
    ends = [text.index('{"startedDateTime"')]
    while (at := text.find(', {"startedDateTime"', ends[-1] + 1)) > 0:
        ends.append(at)
    for length in range(0, len(text), 3):
        found, told = read(tmp_path, text[:length]) if length > 60 else ([], ["x"])
        assert len(found) == (sum(length >= end for end in ends[1:]) if length < len(text) - 3 else 3)
        assert len(told) == 1
        assert SECRET not in told[0]


@pytest.mark.parametrize("damage", ['"', "]", ":", "}", "{", "[", ",", "zz", "\\", "\x00"])
def test_what_is_broken_is_left_out_and_the_rest_is_read(damage: str, tmp_path: Path) -> None:
    text = har(*[entry() for _ in range(3)])
    second = text.index(', {"startedDateTime"') + 2
    third = text.index(', {"startedDateTime"', second) + 2
    for at in range(second + 2, third - 4, 3):
        found, told = read(tmp_path, text[:at] + damage + text[at:])
        assert [one.request.url for one in found][-1:] == ["https://api.example/order"], (at, told)
        assert len(found) >= 2
        assert all(SECRET not in line for line in told)


def test_a_pipe_is_refused_since_a_recording_is_read_more_than_once(tmp_path: Path) -> None:
    """As `<(zcat day.ndjson.gz)` of a shell is one: its beginning would be read, and nothing more."""
    os.mkfifo(tmp_path / "day.ndjson")
    with pytest.raises(CannotRun, match="is a pipe"):
        list(read_all([tmp_path / "day.ndjson"], pytest.fail))


def test_an_archive_whose_end_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "day.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("day.har", json.dumps({"log": {"entries": []}}))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CannotRun, match="of which the end is missing"):
        list(read_all([path], pytest.fail))


def test_an_archive_may_hold_recordings_of_several_forms(tmp_path: Path) -> None:
    """Those that are no HAR were left out beside one; bodies beside a recording, which Playwright names by digests, are none."""
    line = {"request": {"method": "GET", "url": "https://api.example/order"}, "response": {"status": 200}}
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        archive.writestr(
            "a.har", json.dumps({"log": {"entries": [{"startedDateTime": "2026-11-02T09:00:00Z", **line}]}})
        )
        archive.writestr("b.ndjson", json.dumps(line) + "\n")
        archive.writestr("c.jsonl.gz", gzip.compress(json.dumps(line).encode()))
        archive.writestr(f"{'0a' * 20}.jsonl", "no recording")
        archive.writestr("notes.txt", "no recording")
    assert len(list(read_all([tmp_path / "day.zip"], pytest.fail))) == 3


def test_flows_as_mitmproxy_keeps_them_are_told_how_to_be_read(tmp_path: Path) -> None:
    flows = "2479:9:websocket;0:~8:response;696:6:reason;2:OK,11:status_code;3:200#13:timestamp"
    with pytest.raises(CannotRun, match=r"mitmdump -n -r .*day\.flow --set hardump="):
        read(tmp_path, flows, name="day.flow")


@pytest.mark.parametrize("text", ["<html></html>", '{"name": "no recording"}', "42", "[1, 2]x", "\x00\x01"])
def test_what_is_no_recording_is_refused_by_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"other\.txt"):
        read(tmp_path, text, name="other.txt")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"nowhere\.har"):
        list(read_all([tmp_path / "nowhere.har"], pytest.fail))


def test_a_query_that_stands_beside_the_address_only_belongs_to_it(tmp_path: Path) -> None:
    query = [{"name": "marketplaceCode", "value": "a b"}, {"name": "accountId", "value": 19055}]
    assert one(tmp_path, request_url="/order", request_queryString=query).request.url == (
        "/order?marketplaceCode=a+b&accountId=19055"
    )
    assert one(tmp_path, request_url="/order?a=1", request_queryString=query).request.url == "/order?a=1"


def test_a_recording_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.har").write_text(har(entry()))
    (tmp_path / "b.har").symlink_to(tmp_path / "a.har")
    told: list[str] = []
    assert len(list(read_all([tmp_path / "a.har", tmp_path / "b.har"], told.append))) == 1
    assert "named before" in told[0]


def test_a_broken_entry_far_into_blanks_costs_no_more_than_its_length(tmp_path: Path) -> None:
    text = har(entry(), "BROKEN", entry()).replace('"BROKEN"', '{"a" zz' + " " * 300_000 + "}")
    found, told = read(tmp_path, text)
    assert ([one.origin.entry for one in found], len(told)) == ([0, 2], 1)


def test_what_devtools_exports_is_read_with_its_preflights_and_failures(tmp_path: Path) -> None:
    of_devtools = {
        "_initiator": {"type": "script"},
        "_priority": "High",
        "_resourceType": "fetch",
        "cache": {},
        "connection": "1",
    }
    provisional = [{"name": "gumgaToken", "value": SECRET}, {"name": "sec-ch-ua-platform", "value": '"Linux"'}]
    of_http_2 = [{"name": ":authority", "value": "api.example"}, {"name": ":method", "value": "POST"}, *provisional]
    failed = {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
    }
    entries = [
        entry(request_method="OPTIONS", request_postData=None, request_bodySize=0, response_status=204),
        entry(request_headers=of_http_2, startedDateTime="2026-11-03T12:00:01.123Z"),
        entry(
            request_headers=provisional, request_httpVersion="", response=failed, startedDateTime="2026-11-03T12:00:02Z"
        ),
    ]
    found, told = read(tmp_path, har(*({**one, **of_devtools} for one in entries), creator="WebInspector"))
    preflight, sent, lost = found
    assert told == []
    assert (preflight.request.method, preflight.request.body) == ("OPTIONS", b"")
    assert (sent.request.header("integrator"), sent.request.header("gumgatoken")) == (None, SECRET)
    assert (lost.request.header("integrator"), lost.response) == (NOT_RECORDED, None)
