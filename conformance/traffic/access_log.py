"""Lines that nginx writes by a `log_format … escape=json`: what its variables say of a call, as far as they were logged.

A member is named like the variable, with or without `$`, or as in ALIASES.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import (
    NOT_RECORDED,
    Exchange,
    Headers,
    Missing,
    NoCall,
    Origin,
    Recorded,
    Request,
    Response,
    unreadable,
)
from conformance.traffic.files import Tell
from conformance.traffic.parts import (
    WITHOUT_BODY,
    as_bytes,
    duration,
    epoch,
    first,
    instant,
    is_whole_second,
    nothing_sent,
    settled,
    status_of,
)

ALIASES: Final[Mapping[str, str]] = {
    "@timestamp": "time_iso8601",
    "time": "time_iso8601",
    "timestamp": "time_iso8601",
    "method": "request_method",
    "duration": "request_time",
    "body": "request_body",
    "host": "http_host",
    "content_type": "http_content_type",
    "content_length": "http_content_length",
    "response_body": "resp_body",
}
"""Other names under which variables are logged."""

MARKS: Final = frozenset({"request_uri", "request_method", "uri", "time_iso8601", "time_local", "msec", "remote_addr"})
"""By one of these a line is known."""

LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024

_SECOND: Final = timedelta(seconds=1)
_ABSENT: Final = frozenset({"", "-"})
"""What nginx writes for a variable that has no value."""

_CLIENT_GONE: Final = 499
_BY_THE_PROXY: Final = frozenset({502, 504})
_OF_ITS_ANSWER: Final = ("upstream_header_time", "upstream_bytes_received")
_NOTHING: Final = frozenset({"", "-", "0"})
_GZIP: Final = b"\x1f\x8b"


def is_logged(names: frozenset[str]) -> bool:
    """Whether an object with these members is such a line."""
    return bool(MARKS & {ALIASES.get(name.lstrip("$"), name.lstrip("$")) for name in names})


def read_access_log(stream: BinaryIO, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every call of such a log, in the sequence in which it was written: that of the ends of calls."""
    place = -1
    number = 0
    while line := stream.readline(LONGEST_LINE_BYTES):
        number += 1
        if not line.strip():
            continue
        place += 1
        try:
            value = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
            exchange = _exchange(value, Origin(name, place))
        except (ValueError, RecursionError):
            exchange = "is no JSON"
        if isinstance(exchange, Exchange):
            yield exchange
        else:
            tell(f"{name}: line {number:,} (entry {place}) {exchange}; it is left out")
            if not isinstance(exchange, NoCall):
                yield unreadable(Origin(name, place))


def _exchange(value: JSONValue, origin: Origin) -> Exchange | str:
    if not isinstance(value, dict):
        return "is no line of an access log"
    logged = {_variable(name): text if isinstance(text, str) else json.dumps(text) for name, text in value.items()}
    line = logged.get("request", "").split(" ")
    method = logged.get("request_method") or line[0]
    url = _address(logged, line[1] if len(line) > 1 else "")
    if not method.isalpha() or not url:
        return NoCall("names no method or no address")  # what a server logs of those that speak no HTTP
    known = tuple(
        (name.removeprefix("http_").replace("_", "-"), "" if text in _ABSENT else text)
        for name, text in logged.items()
        if name.startswith("http_")
    )
    took = duration(logged.get("request_time"), _SECOND)
    ended, whole = _ended(logged)
    started: datetime | Missing = NOT_RECORDED
    if not isinstance(ended, Missing) and not isinstance(took, Missing):
        # Of whole seconds the fraction is lost: what took less began in the sequence of its lines, which is that of the ends.
        started = min(ended, ended + _SECOND - took) if whole else ended - took
    method = method.upper()
    body = _body(logged.get("request_body", ""), known)
    request = Request(method, url, known, nothing_sent(method, known) if body == b"" else body, some_headers=True)
    return Exchange(origin, started, took, request, _answer(logged), whole)


def _variable(name: str) -> str:
    name = name.lstrip("$").lower()
    return ALIASES.get(name, name)


def _address(logged: Mapping[str, str], target: str) -> str:
    path = logged.get("request_uri") or target
    if not path and logged.get("uri"):
        query = logged.get("args") or logged.get("query_string") or ""
        path = logged["uri"] + (f"?{query}" if query not in _ABSENT else "")
    host = logged.get("http_host") or logged.get("server_name") or ""
    return f"{logged.get('scheme') or 'http'}://{host}{path}" if path.startswith("/") and host not in _ABSENT else path


def _ended(logged: Mapping[str, str]) -> tuple[datetime | Missing, bool]:
    """When nginx wrote the line, which is after the answer was sent, and whether in whole seconds."""
    if not isinstance(found := epoch(logged.get("msec")), Missing):
        return found, False
    if not isinstance(found := instant(logged.get("time_iso8601")), Missing):
        return found, is_whole_second(logged.get("time_iso8601"))
    try:
        return datetime.strptime(logged.get("time_local", ""), "%d/%b/%Y:%H:%M:%S %z"), True
    except ValueError:
        return NOT_RECORDED, False


def _body(text: str, known: Headers) -> Recorded:
    """A body; b"" where there is none, also where it did not fit into nginx's buffer."""
    if text in _ABSENT:
        return b""
    body = as_bytes(text)
    if first(known, "content-encoding") is None and body.startswith(_GZIP):
        known = (*known, ("content-encoding", "gzip"))
    return settled(body, tuple(one for one in known if one[1]))


def _answer(logged: Mapping[str, str]) -> Response | Missing | None:
    if "status" not in logged:
        return NOT_RECORDED
    status = status_of(logged["status"])
    if not isinstance(status, int):
        return status
    if status == _CLIENT_GONE:
        return None
    if status in _BY_THE_PROXY:
        answered = [logged[name] for name in _OF_ITS_ANSWER if name in logged]
        if not answered:  # it may be nginx's own; $upstream_status is the same either way
            return NOT_RECORDED
        if all(value.split(",")[-1].strip() in _NOTHING for value in answered):
            return None
    body: Recorded = NOT_RECORDED
    if status in WITHOUT_BODY:
        body = b""
    elif logged.get("resp_body", "") not in _ABSENT:
        body = _body(logged["resp_body"], ())
    return Response(status, NOT_RECORDED, body)
