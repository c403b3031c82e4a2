"""HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as recorders really write it: entry by entry, never whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import (
    NOT_RECORDED,
    Exchange,
    Headers,
    Missing,
    Origin,
    Recorded,
    Request,
    Response,
)
from conformance.traffic.files import Tell
from conformance.traffic.json_text import Broken, Ended, JSONText
from conformance.traffic.parts import (
    as_bytes,
    duration,
    first,
    from_base64,
    headers,
    instant,
    is_json,
    names_host,
    without_coding,
)

MILLISECOND: Final = timedelta(milliseconds=1)

Resource = Callable[[str], bytes | None]

NO_BODY_METHODS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})
"""A call by them of whose body nothing is recorded, and of whose length nothing is said, had none."""

NAMES_OWN_HEADERS_ONLY: Final = frozenset({"axios-har-tracker"})
"""Recorders that write the headers that the client set and not those of the connection: these are all the same all of its own."""


def read_har(text: JSONText, name: str, resource: Resource, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a HAR document, in the sequence in which it was written; the text stands at its beginning.

    What is broken is told, and what follows it is read all the same.
    """
    creator = ""
    try:
        if text.peek() == "[":
            yield from _entries(text, name, creator, resource, tell)
            return
        for member in text.members():
            if member == "log" and text.peek() == "{":
                for part in text.members():
                    if part == "entries" and text.peek() == "[":
                        yield from _entries(text, name, creator, resource, tell)
                    elif part == "creator":
                        creator = _name_of(text.value())
                    else:
                        text.value()
            elif member == "entries" and text.peek() == "[":
                yield from _entries(text, name, creator, resource, tell)
            else:
                text.value()
    except Broken as error:
        tell(f"{name}: {error} (character {error.position:,}); what stands before it was read")


def _entries(text: JSONText, name: str, creator: str, resource: Resource, tell: Tell) -> Iterator[Exchange]:
    """The items of the list `entries`, with their places in it."""
    text.take("[")
    place = 0
    while text.peek() != "]":
        at = text.position
        try:
            entry = text.value()
            exchange = exchange_of(entry, Origin(name, place), creator, resource)
            if isinstance(exchange, Exchange):
                yield exchange
            else:
                tell(f"{name}: entry {place} (character {at:,}) {exchange}; it is left out")
            if text.peek() != "]":
                text.take(",")
        except Ended:
            raise
        except Broken as error:
            tell(
                f"{name}: entry {place} is broken at character {error.position:,}: {error}; those after it count on from it"
            )
            if not text.to_next_object(is_entry):
                return
        place += 1
    text.take("]")


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
        return "was answered from the client's own cache, and is no call"
    return Exchange(
        origin=origin,
        started=instant(entry.get("startedDateTime")),
        took=duration(entry.get("time"), MILLISECOND),
        request=request,
        response=_response(entry.get("response"), resource),
    )


def _request(raw: Mapping[str, JSONValue], creator: str, resource: Resource) -> Request | str:
    method, url = raw.get("method"), raw.get("url")
    if not (isinstance(method, str) and method and isinstance(url, str) and url):
        return "names no method or no address"
    known = headers(raw.get("headers"))
    method = method.upper()
    return Request(
        method=method,
        url=url,
        headers=known,
        body=_request_body(raw, method, known, resource),
        some_headers=not names_host(known) and creator.lower() not in NAMES_OWN_HEADERS_ONLY,
    )


def _request_body(raw: Mapping[str, JSONValue], method: str, known: Headers | Missing, resource: Resource) -> Recorded:
    length = first(known, "content-length")
    posted = raw.get("postData")
    if isinstance(posted, dict):
        body = _body(posted, raw.get("bodySize"), known, resource)
        if body:
            return body
    elif length is None and first(known, "transfer-encoding") is None and method in NO_BODY_METHODS:
        size = raw.get("bodySize")
        return NOT_RECORDED if isinstance(size, int) and size > 0 else b""
    # That there is no text is no proof that there was no body.
    return b"" if length is not None and length.strip() == "0" else NOT_RECORDED


def _response(raw: JSONValue, resource: Resource) -> Response | Missing | None:
    if not isinstance(raw, dict):
        return NOT_RECORDED
    status = status_of(raw.get("status"))
    if status is None:
        return None
    known = headers(raw.get("headers"))
    return Response(status=status, headers=known, body=_response_body(raw, status, known, resource))


def status_of(status: JSONValue) -> int | None:
    """The status of an answer; None where there was no answer, which recorders write as 0, -1, "" or null."""
    if isinstance(status, str):
        status = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else None  # noqa: PLR2004
    return status if isinstance(status, int) and 100 <= status <= 999 else None  # noqa: PLR2004


WITHOUT_BODY: Final = frozenset({204, 304})
"""Answers with these statuses have no body (RFC 9110)."""


def _response_body(raw: Mapping[str, JSONValue], status: int, known: Headers | Missing, resource: Resource) -> Recorded:
    content = raw.get("content")
    body = _body(content, content.get("size"), known, resource) if isinstance(content, dict) else b""
    if body:
        return body
    return b"" if status in WITHOUT_BODY or (first(known, "content-length") or "").strip() == "0" else NOT_RECORDED


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
    body = without_coding(body, first(known, "content-encoding"))
    return NOT_RECORDED if isinstance(body, Missing) or _is_cut(body, known) else body


def _is_cut(body: bytes, known: Headers | Missing) -> bool:
    """Whether a recorder kept only the beginning of it. What is whole JSON is whole, whatever its length was: secrets may have
    been replaced."""
    length = first(known, "content-length")
    if length is None or not length.isdecimal() or first(known, "content-encoding") is not None:
        return False
    return len(body) < int(length) and not is_json(body)


def _name_of(creator: JSONValue) -> str:
    name = creator.get("name") if isinstance(creator, dict) else None
    return name if isinstance(name, str) else ""
