"""HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as recorders really write it: entry by entry, never whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

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
)
from conformance.traffic.files import Tell
from conformance.traffic.json_text import JSONText
from conformance.traffic.lists import Listing, read_list
from conformance.traffic.parts import (
    WITHOUT_BODY,
    as_bytes,
    duration,
    from_base64,
    headers,
    instant,
    is_whole_second,
    names_host,
    nothing_sent,
    only_empty,
    settled,
    status_of,
)

MILLISECOND: Final = timedelta(milliseconds=1)

Resource = Callable[[str], bytes | None]

NAMES_OWN_HEADERS_ONLY: Final = frozenset({"axios-har-tracker"})
"""Recorders that write the headers that the client set and not those of the connection: these are all the same all of its own."""

COUNTS_CONNECTING_TWICE: Final = frozenset({"mitmproxy"})


def read_har(text: JSONText, name: str, resource: Resource, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a HAR document, in the sequence in which it was written; the text stands at its beginning."""
    aside: dict[str, JSONValue] = {"creator": None}

    def convert(entry: JSONValue, origin: Origin) -> Exchange | str:
        return exchange_of(entry, origin, _name_of(aside["creator"]), resource)

    return read_list(text, Listing(("log", "entries"), is_entry, convert, aside), name, tell)


def is_entry(value: JSONValue) -> bool:
    """Whether it may be an entry of a HAR."""
    return isinstance(value, dict) and isinstance(value.get("request"), dict)


def exchange_of(entry: JSONValue, origin: Origin, creator: str, resource: Resource) -> Exchange | str:
    """The exchange that an entry holds, or why it holds none."""
    if not is_entry(entry):
        return "has no request"
    request = _request(entry["request"], creator, resource)
    if isinstance(request, str):
        return request
    if entry.get("_fromCache"):
        return NoCall("was answered from the client's own cache, and is no call")
    response = _response(entry.get("response"), resource)
    if response is None and _never_left(entry):
        return NoCall("never left the client, which got no connection, and is no call")
    return Exchange(
        origin=origin,
        started=instant(entry.get("startedDateTime")),
        took=_took(entry, creator),
        request=request,
        response=response,
        whole_seconds=is_whole_second(entry.get("startedDateTime")),
    )


def _took(entry: Mapping[str, JSONValue], creator: str) -> timedelta | Missing:
    """How long a call took. mitmproxy adds that of connecting, which was over before or is within the others."""
    took, timings = duration(entry.get("time"), MILLISECOND), entry.get("timings")
    if creator.lower() not in COUNTS_CONNECTING_TWICE or isinstance(took, Missing) or not isinstance(timings, dict):
        return took
    for name in ("connect", "ssl"):
        connecting = duration(timings.get(name), MILLISECOND)
        took -= timedelta() if isinstance(connecting, Missing) else connecting
    return max(took, timedelta())


_WITHOUT_CONNECTION: Final = re.compile(
    r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH"
    r"|ERR_(CONNECTION_(REFUSED|TIMED_OUT)|NAME_|ADDRESS_UNREACHABLE|INTERNET_DISCONNECTED|CERT_|PROXY_CONNECTION_FAILED)"
    r"|NS_ERROR_(CONNECTION_REFUSED|UNKNOWN_HOST)"
)
"""How browsers and Node name what ends an attempt before anything is sent."""


def _never_left(entry: Mapping[str, JSONValue]) -> bool:
    """Whether the recorder says that there was no connection: what it writes beside an answer that did not come."""
    answer = entry.get("response")
    told = [entry.get("_error"), *(answer.get(name) for name in _FAILURES if isinstance(answer, dict))]
    return any(isinstance(one, str) and _WITHOUT_CONNECTION.search(one) for one in told)


_FAILURES: Final = ("_error", "_failureText", "statusText")
"""Chrome's, Playwright's, and that of recorders in Node."""


def _request(raw: Mapping[str, JSONValue], creator: str, resource: Resource) -> Request | str:
    method, url = raw.get("method"), raw.get("url")
    if not (isinstance(method, str) and method and isinstance(url, str) and url):
        return "names no method or no address"
    known = headers(raw.get("headers"))
    method = method.upper()
    return Request(
        method=method,
        url=_with_query(url, raw.get("queryString")),
        headers=known,
        body=_request_body(raw, method, known, resource),
        some_headers=not names_host(known) and creator.lower() not in NAMES_OWN_HEADERS_ONLY,
    )


def _with_query(url: str, query: JSONValue) -> str:
    """The address with its query, which some recorders write beside it only."""
    if "?" in url or not isinstance(query, list):
        return url
    pairs = [(str(one.get("name", "")), str(one.get("value", ""))) for one in query if isinstance(one, dict)]
    return f"{url}?{urlencode(pairs)}" if pairs else url


def _request_body(raw: Mapping[str, JSONValue], method: str, known: Headers | Missing, resource: Resource) -> Recorded:
    posted, size = raw.get("postData"), raw.get("bodySize")
    body = _body(posted, size, known, resource) if isinstance(posted, dict) else b""
    if body:
        return body
    says_nothing = not isinstance(posted, dict) and not (isinstance(size, int) and size > 0)
    return nothing_sent(method, known) if says_nothing else only_empty(known)


def _response(raw: JSONValue, resource: Resource) -> Response | Missing | None:
    if not isinstance(raw, dict):
        return NOT_RECORDED
    status = status_of(raw.get("status"))
    if not isinstance(status, int):
        return status
    known = headers(raw.get("headers"))
    return Response(status=status, headers=known, body=_response_body(raw, status, known, resource))


def _response_body(raw: Mapping[str, JSONValue], status: int, known: Headers | Missing, resource: Resource) -> Recorded:
    content = raw.get("content")
    body = _body(content, content.get("size"), known, resource) if isinstance(content, dict) else b""
    if body:
        return body
    return b"" if status in WITHOUT_BODY else only_empty(known)


def _body(raw: Mapping[str, JSONValue], size: JSONValue, known: Headers | Missing, resource: Resource) -> Recorded:
    """What was recorded of a body; b"" where nothing was, which proves nothing."""
    file, text = raw.get("_file"), raw.get("text")
    if isinstance(file, str):
        found = resource(file)
        body: Recorded = NOT_RECORDED if found is None else found
    elif not isinstance(text, str):
        return b""
    elif "base64" in (raw.get("encoding"), raw.get("_encoding")):
        body = from_base64(text)
    else:
        body = as_bytes(text, size)
    if not body or isinstance(body, Missing):
        return body
    return settled(body, known)


def _name_of(creator: JSONValue) -> str:
    name = creator.get("name") if isinstance(creator, dict) else None
    return name if isinstance(name, str) else ""
