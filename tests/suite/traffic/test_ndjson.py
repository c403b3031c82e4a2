"""The suite's own form of a recording: lines of JSON, as the mock writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.commandline.recording import recorder_of
from conformance.contract.judge import Request as Asked
from conformance.errors import CannotRun
from conformance.mock.app import respond
from conformance.mock.koncili import Koncili
from conformance.traffic import ndjson, read_all
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Origin, Request, Response
from conformance.traffic.ndjson import line_of, read_ndjson

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8).filter(lambda name: name != "content-encoding")
HEADERS = st.just(NOT_RECORDED) | st.lists(st.tuples(NAMES, TEXTS), max_size=3).map(tuple)
BODIES = st.just(NOT_RECORDED) | st.binary(max_size=8) | TEXTS.map(str.encode)
EXCHANGES = st.builds(
    Exchange,
    origin=st.just(Origin("a", 0)),
    started=st.just(NOT_RECORDED) | st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    took=st.just(NOT_RECORDED) | st.integers(0, 10**9).map(lambda n: timedelta(milliseconds=n)),
    request=st.builds(Request, st.just("POST"), st.just("/order"), HEADERS, BODIES, st.booleans()),
    response=st.none()
    | st.just(NOT_RECORDED)
    | st.builds(Response, st.integers(100, 599), HEADERS, BODIES, st.booleans()),
)


class Lines(list[bytes]):
    """A stream of lines."""

    def readline(self, _: int) -> bytes:
        return self.pop(0) if self else b""


@given(EXCHANGES)
def test_what_is_written_is_read_as_it_was(exchange: Exchange) -> None:
    line = line_of(exchange)
    assert list(read_ndjson(Lines([line]), "a", pytest.fail)) == [exchange]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("null", NOT_RECORDED),
        ('""', b""),
        ('"null"', b"null"),
        ('{"totalGrossValue": 203.630,  "a": 1E+2}', b'{"totalGrossValue": 203.630,  "a": 1E+2}'),
        ('"{\\"a\\": 1}"', b'{"a": 1}'),
    ],
)
def test_a_body_may_stand_in_the_line_as_it_was_sent(body: str, expected: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"request": {"method": "post", "url": "/order", "body": %s}}\n' % body)  # noqa: UP031
    (found,) = read_all([tmp_path / "a.ndjson"], pytest.fail)
    assert (found.request.method, found.request.body) == ("POST", expected)
    assert (found.started, found.took, found.response) == (NOT_RECORDED,) * 3


def test_lines_that_are_broken_are_told_and_left_out(tmp_path: Path) -> None:
    good = '{"request": {"method": "GET", "url": "/my-accounts"}, "response": {"status": 200}}'
    bad = ['{"request": {"url": "/secret"}}', '{"request": "secret"}', '{"a": {"secret": ', "[]", good[:-9]]
    lines = [good, *[line for one in bad for line in (one, good)], ""]
    (tmp_path / "a.ndjson").write_text("\n".join([*lines[:-1], good[:30]]))
    told: list[str] = []
    found = list(read_all([tmp_path / "a.ndjson"], told.append))
    assert [one.origin.entry for one in found] == [0, 2, 4, 6, 8, 10]
    assert len(told) == len(bad) + 1
    assert "the file ends there" in told[-1]
    assert all("secret" not in line for line in told)


def test_the_mock_records_what_it_is_asked_and_answers(tmp_path: Path) -> None:
    koncili = Koncili()
    headers = {"host": "127.0.0.1:8765", "content-type": "application/json"}
    with recorder_of(tmp_path / "a.ndjson") as recorder:
        koncili.witness = recorder.call
        respond(koncili, Asked("POST", "/public/api/auth/token", headers=headers, body=b'{"credentials": 203.630}'))
        koncili.clock.advance(90)
        respond(koncili, Asked("GET", "/order", query={"accountId": "1"}, headers=headers, query_string="accountId=1"))
        respond(koncili, Asked("POST", "/_mock", body=b"{}"))
    assert (tmp_path / "a.ndjson").stat().st_mode & 0o777 == 0o600
    first, second = read_all([tmp_path / "a.ndjson"], pytest.fail)
    assert first.request == Request(
        "POST", "http://127.0.0.1:8765/public/api/auth/token", tuple(headers.items()), b'{"credentials": 203.630}'
    )
    assert isinstance(first.response, Response)
    assert isinstance(second.response, Response)
    assert (first.response.status, second.response.status) == (401, 403)
    assert second.request.url == "http://127.0.0.1:8765/order?accountId=1"
    assert isinstance(second.response.body, bytes)
    assert json.loads(second.response.body) == {"response": "NO_TOKEN"}
    assert isinstance(first.started, datetime)
    assert isinstance(second.started, datetime)
    assert second.started - first.started >= timedelta(seconds=90)


SCHEMA = json.loads((Path(ndjson.__file__).parent / "exchange.schema.json").read_text(encoding="utf-8"))


@given(EXCHANGES)
def test_what_is_written_is_as_the_schema_says(exchange: Exchange) -> None:
    jsonschema_rs.validate(SCHEMA, json.loads(line_of(exchange)))


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"request": {"method": "GET"}},
        {"request": {"method": "", "url": "/order"}},
        {"request": {"method": "GET", "url": "/order"}, "started": 5},
        {"request": {"method": "GET", "url": "/order"}, "seconds": "5"},
        {"request": {"method": "GET", "url": "/order", "bodyBase64": 5}},
        {"request": {"method": "GET", "url": "/order"}, "response": {"status": "200"}},
    ],
)
def test_what_the_schema_refuses_is_left_out(line: object, tmp_path: Path) -> None:
    assert not jsonschema_rs.is_valid(SCHEMA, line)
    good = {"request": {"method": "GET", "url": "/order"}, "later": 1}
    assert jsonschema_rs.is_valid(SCHEMA, good)
    (tmp_path / "a").write_text(json.dumps(good) + "\n" + json.dumps(line) + "\n")
    told: list[str] = []
    assert len(list(read_all([tmp_path / "a"], told.append))) == 1
    assert "line 2 (entry 1)" in told[0]


def test_the_example_in_the_documents_is_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "traffic.md").read_text(encoding="utf-8")
    line = page.split("```json\n")[1].split("```")[0]
    jsonschema_rs.validate(SCHEMA, json.loads(line))
    (found,) = read_ndjson(Lines([line.encode()]), "a", pytest.fail)  # type: ignore[arg-type]
    assert found.request.body == b'{"marketplaceCode": "701", "totalGrossValue": 203.63}'


def test_a_recording_that_can_t_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="nowhere"), recorder_of(tmp_path / "nowhere" / "a"):
        pass


def test_lines_in_a_looser_form_are_read_too(tmp_path: Path) -> None:
    line = {"started": "2026-11-03T12:00:00Z", "request": {"method": "POST", "url": "/order", "body": "S\udce3o"}}
    line["request"]["headers"] = {"Content-Length": 645, "X": ["a", "b"]}  # type: ignore[index]
    har = {"startedDateTime": "2026-11-03T12:00:01Z", "request": {"method": "get", "url": "/my-accounts"}}
    (tmp_path / "a").write_text(json.dumps(line) + "\n" + json.dumps(har) + "\n" + "[" * 100_000 + "\n")
    told: list[str] = []
    first, second = read_all([tmp_path / "a"], told.append)
    assert first.request.body == b"S\xe3o"
    assert first.request.headers == (("content-length", "645"), ("x", "a"), ("x", "b"))
    assert second.request.method == "GET"
    assert len(told) == 1


@pytest.mark.parametrize(
    ("headers", "unknown"),
    [([["a"]], True), ("x", True), ([["a"], ["b", "c"]], True), ([["b", 1]], False), ([], False)],
)
def test_of_headers_that_can_t_be_read_it_is_not_known_what_they_were(
    headers: object, unknown: bool, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text(
        json.dumps({"request": {"method": "GET", "url": "/", "headers": headers}, "started": ""})
    )
    (found,) = read_all([tmp_path / "a"], pytest.fail)
    assert found.request.header("integrator") is (NOT_RECORDED if unknown else None)


def test_a_list_of_exchanges_is_read_as_lines_are(tmp_path: Path) -> None:
    lines = [
        {
            "request": {"method": "POST", "url": "/order", "body": {"value": 203.63}},
            "started": f"2026-11-03T12:00:0{n}Z",
        }
        for n in (1, 0)
    ]
    (tmp_path / "a").write_text(json.dumps(lines, indent=2))
    found = list(read_all([tmp_path / "a"], pytest.fail))
    assert [one.origin.entry for one in found] == [1, 0]
    assert found[0].request.body == b'{"value": 203.63}'
