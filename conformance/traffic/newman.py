"""The JSON report of Newman, Postman's runner: what it sent and got, without times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Headers, Missing, Origin, Recorded, Request, Response
from conformance.traffic.files import Tell
from conformance.traffic.json_text import JSONText
from conformance.traffic.lists import Listing, read_list
from conformance.traffic.parts import (
    WITHOUT_BODY,
    as_bytes,
    duration,
    headers,
    names_host,
    nothing_sent,
    only_empty,
    settled,
    status_of,
)

_MILLISECOND: Final = timedelta(milliseconds=1)


def read_newman(text: JSONText, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of such a report, in the sequence in which it was written."""
    return read_list(text, Listing(("run", "executions"), _is_execution, _execution), name, tell)


def _is_execution(value: JSONValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("request"), dict)


def _execution(value: JSONValue, origin: Origin) -> Exchange | str:
    if not _is_execution(value):
        return "has no request"
    raw = value["request"]
    method, url = raw.get("method"), _address(raw.get("url"))
    if not (isinstance(method, str) and method and url):
        return "names no method or no address"
    known, method = headers(raw.get("header")), method.upper()
    body = _sent(raw.get("body"), known)
    request = Request(
        method=method,
        url=url,
        headers=known,
        body=nothing_sent(method, known) if body == b"" else body,
        some_headers=not names_host(known),
    )
    answer = value.get("response")
    took = duration(answer.get("responseTime"), _MILLISECOND) if isinstance(answer, dict) else NOT_RECORDED
    return Exchange(origin, NOT_RECORDED, took, request, _answer(answer, value))


def _address(url: JSONValue) -> str:
    """The address that Postman keeps in parts."""
    if isinstance(url, str):
        return url
    if not isinstance(url, dict):
        return ""
    host, path, query = (url.get(name) or [] for name in ("host", "path", "query"))
    host = host if isinstance(host, str) else ".".join(map(str, host))
    path = path if isinstance(path, str) else "/".join(map(str, path))
    pairs = [
        f"{one.get('key') or ''}={one.get('value') or ''}"
        for one in query
        if isinstance(one, dict) and not one.get("disabled")
    ]
    port = f":{url['port']}" if url.get("port") else ""
    asked = f"?{'&'.join(pairs)}" if pairs else ""
    return f"{url.get('protocol') or 'http'}://{host}{port}/{path.removeprefix('/')}{asked}" if host else ""


def _sent(raw: JSONValue, known: Headers | Missing) -> Recorded:
    """What was sent; b"" where there is none."""
    if not isinstance(raw, dict) or raw.get("disabled"):
        return b""
    mode = raw.get("mode")
    content = raw.get(mode) if isinstance(mode, str) else None
    if mode == "raw" and isinstance(content, str):
        return settled(as_bytes(content), known) if content else b""
    if mode == "urlencoded" and isinstance(content, list):
        pairs = [(str(one.get("key")), str(one.get("value") or "")) for one in content if isinstance(one, dict)]
        return urlencode(pairs).encode()
    return NOT_RECORDED


def _answer(raw: JSONValue, execution: Mapping[str, JSONValue]) -> Response | Missing | None:
    if not isinstance(raw, dict):
        return None if execution.get("requestError") else NOT_RECORDED
    status = status_of(raw.get("code"))
    if not isinstance(status, int):
        return status
    known = headers(raw.get("header"))
    return Response(status, known, _received(raw.get("stream", raw.get("body")), status, known))


def _received(raw: JSONValue, status: int, known: Headers | Missing) -> Recorded:
    if isinstance(raw, dict):
        raw = raw.get("data")
    if isinstance(raw, list):
        try:
            raw = bytes(raw)
        except (TypeError, ValueError):
            return NOT_RECORDED
    body = as_bytes(raw) if isinstance(raw, str) else raw
    if isinstance(body, bytes) and body:
        return settled(body, known)
    return b"" if status in WITHOUT_BODY else only_empty(known)
