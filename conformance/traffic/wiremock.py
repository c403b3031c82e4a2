"""WireMock's journal of requests (`GET /__admin/requests`): it stands between a client and Koncili, or in Koncili's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Final

from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Headers, Missing, Origin, Recorded, Request, Response
from conformance.traffic.files import Tell
from conformance.traffic.json_text import JSONText
from conformance.traffic.lists import Listing, read_list
from conformance.traffic.parts import (
    WITHOUT_BODY,
    as_bytes,
    duration,
    epoch,
    from_base64,
    headers,
    names_host,
    nothing_sent,
    only_empty,
    settled,
    status_of,
)

MEMBER: Final = "requests"
_MILLISECOND: Final = timedelta(milliseconds=1)


def read_wiremock(text: JSONText, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a journal, the first one first; WireMock writes the last one first, and holds them all in memory."""
    yield from reversed(list(read_list(text, Listing((MEMBER,), _is_event, _event), name, tell)))


def _is_event(value: JSONValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("request"), dict)


def _event(value: JSONValue, origin: Origin) -> Exchange | str:
    if not _is_event(value):
        return "has no request"
    raw = value["request"]
    method, url = raw.get("method"), raw.get("absoluteUrl") or raw.get("url")
    if not (isinstance(method, str) and method and isinstance(url, str) and url):
        return "names no method or no address"
    known = headers(raw.get("headers"))
    request = Request(
        method=method.upper(),
        url=url,
        headers=known,
        body=_body(raw, known) or nothing_sent(method.upper(), known),
        some_headers=not names_host(known),
    )
    timing, logged = value.get("timing"), raw.get("loggedDate")
    return Exchange(
        origin=origin,
        started=epoch(Decimal(logged) / 1000) if type(logged) is int else NOT_RECORDED,
        took=duration(timing.get("totalTime"), _MILLISECOND) if isinstance(timing, dict) else NOT_RECORDED,
        request=request,
        response=_answer(value.get("response")),
    )


def _answer(raw: JSONValue) -> Response | Missing | None:
    if not isinstance(raw, dict):
        return NOT_RECORDED
    if raw.get("fault"):
        return None
    status = status_of(raw.get("status"))
    if not isinstance(status, int):
        return status
    known = headers(raw.get("headers"))
    return Response(status, known, _body(raw, known) or (b"" if status in WITHOUT_BODY else only_empty(known)))


def _body(raw: Mapping[str, JSONValue], known: Headers | Missing) -> Recorded:
    """What was recorded of a body; b"" where nothing was."""
    packed, text = raw.get("bodyAsBase64"), raw.get("body")
    plain = as_bytes(text) if isinstance(text, str) else b""
    body = from_base64(packed) if isinstance(packed, str) and packed else plain
    return settled(body, known) if isinstance(body, bytes) and body else body
