"""Exchanges as lines of JSON: the suite's own form of a recording (docs/traffic.md, exchange.schema.json), read and written."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator
from datetime import UTC, timedelta
from typing import BinaryIO, Final

import msgspec

from conformance.contract.jsontext import JSONValue, dumps
from conformance.traffic.exchange import (
    NOT_RECORDED,
    Exchange,
    Headers,
    Missing,
    Origin,
    Recorded,
    Request,
    Response,
    unreadable,
)
from conformance.traffic.files import Tell
from conformance.traffic.har import exchange_of, is_entry
from conformance.traffic.json_text import JSONText
from conformance.traffic.lists import Listing, read_list
from conformance.traffic.parts import (
    as_bytes,
    duration,
    from_base64,
    headers,
    instant,
    is_whole_second,
    status_of,
    without_coding,
)

SECOND: Final = timedelta(seconds=1)

LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024
"""A longer line is no exchange."""

_NOT_RECORDED_RAW: Final = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    """What a request and an answer have in common. A body is text, or bytes in base64, or a JSON value as it was sent."""

    headers: list[tuple[str, str]] | msgspec.UnsetType = msgspec.UNSET
    someHeaders: bool = False
    body: msgspec.Raw = _NOT_RECORDED_RAW
    bodyBase64: str | None = None


class _Request(_Message):
    method: str = ""
    url: str = ""


class _Response(_Message):
    status: int = 0


class _Line(msgspec.Struct):
    request: _Request
    started: str | None = None
    seconds: float | None = None
    response: _Response | msgspec.UnsetType | None = msgspec.UNSET


_DECODER: Final = msgspec.json.Decoder(_Line)
_UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What the decoder raises; ValueError where a text is no UTF-8."""

_TEXT: Final = msgspec.json.Decoder(str)


def read_ndjson(stream: BinaryIO, name: str, tell: Tell) -> Generator[Exchange, None, int]:
    """Every exchange of such a recording, in the sequence in which it was written; at the end how many entries there are. What is
    broken is told, and an unreadable exchange stands in its place."""
    place = -1
    for number, line in enumerate(_lines(stream), 1):
        if line.isspace() or not line:
            continue
        place += 1
        is_cut_off = not line.endswith(b"\n")
        if is_cut_off and len(line) == LONGEST_LINE_BYTES:
            tell(f"{name}: line {number:,} (entry {place}) is longer than {LONGEST_LINE_BYTES:,} bytes; it is left out")
            yield unreadable(Origin(name, place))
            continue
        try:
            exchange: Exchange | str = _exchange(_DECODER.decode(line), Origin(name, place))
        except _UNREADABLE as error:
            exchange = _otherwise(line, Origin(name, place), str(error))
        if isinstance(exchange, Exchange):
            yield exchange
        else:
            cut = "; the file ends there" if is_cut_off else ""
            tell(f"{name}: line {number:,} (entry {place}) {exchange}; it is left out{cut}")
            yield unreadable(Origin(name, place))
    return place + 1


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE_BYTES):
        yield line
        if len(line) == LONGEST_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
                continue


def _exchange(line: _Line, origin: Origin) -> Exchange | str:
    raw = line.request
    if not raw.method or not raw.url:
        return "names no method or no address"
    known = _headers(raw)
    request = Request(raw.method.upper(), raw.url, known, _body(raw, known), raw.someHeaders)
    response: Response | Missing | None
    if isinstance(line.response, msgspec.UnsetType):
        response = NOT_RECORDED
    elif line.response is None:
        response = None
    elif not isinstance(status := status_of(line.response.status), int):
        response = status
    else:
        known = _headers(line.response)
        body = _body(line.response, known)
        response = Response(status, known, body, line.response.someHeaders)
    took = NOT_RECORDED if line.seconds is None else duration(line.seconds, SECOND)
    return Exchange(origin, instant(line.started), took, request, response, is_whole_second(line.started))


def _headers(raw: _Message) -> Headers | Missing:
    if isinstance(raw.headers, msgspec.UnsetType):
        return NOT_RECORDED
    return tuple([(name.lower(), value) for name, value in raw.headers])


def _body(raw: _Message, known: Headers | Missing) -> Recorded:
    if raw.bodyBase64 is not None:
        unpacked = from_base64(raw.bodyBase64)
        if isinstance(unpacked, Missing):
            return unpacked
        body = unpacked
    else:
        text = bytes(raw.body)
        if text == b"null":
            return NOT_RECORDED
        if not text.startswith(b'"'):
            return text
        body = _TEXT.decode(text).encode()
    if not isinstance(known, Missing) and body:
        for name, value in known:
            if name == "content-encoding":
                return without_coding(body, value)
    return body


def _otherwise(line: bytes, origin: Origin, reason: str) -> Exchange | str:
    """A line that is not strictly of this form: with halves of surrogates, headers in other forms, or an entry of a HAR."""
    try:
        value = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
    except (ValueError, RecursionError):
        return f"is no JSON: {_harmless(reason)}"
    if is_entry(value) and "startedDateTime" in value:
        return exchange_of(value, origin, "", lambda _: None)
    return _of_value(value, origin)


def _of_value(value: JSONValue, origin: Origin) -> Exchange | str:
    if not is_entry(value):
        return "has no request"
    try:
        return _exchange(_DECODER.decode(dumps(_strictly(value))), origin)
    except _UNREADABLE as error:
        return f"is no exchange: {_harmless(str(error))}"


def read_exchanges(text: JSONText, name: str, tell: Tell) -> Iterator[Exchange]:
    """The same as a JSON list in place of lines."""
    return read_list(text, Listing((), is_entry, _of_value), name, tell)


def _strictly(value: dict[str, JSONValue]) -> dict[str, JSONValue]:
    """The line with its headers and bodies in the strict form. Other programs write headers as objects, and halves of surrogates;
    of headers that can't be read it is not known what they were."""
    messages = {
        name: dict(part) for name, part in value.items() if name in {"request", "response"} and isinstance(part, dict)
    }
    for message in messages.values():
        if "headers" in message:
            raw = message.pop("headers")
            known = headers(raw)
            if not isinstance(known, Missing):
                message["headers"] = known
                message["someHeaders"] = message.get("someHeaders", False) or len(known) < len(raw)
        if isinstance(text := message.get("body"), str):
            del message["body"]
            message["bodyBase64"] = base64.b64encode(as_bytes(text)).decode("ascii")
    return {**value, **messages}


def _harmless(reason: str) -> str:
    """What a decoder says, without what it repeats of the line."""
    return reason.split(" - ", maxsplit=1)[0]


_ENCODER: Final = msgspec.json.Encoder()


def line_of(exchange: Exchange) -> bytes:
    """The exchange as a line of this form."""
    request, response = exchange.request, exchange.response
    line: dict[str, JSONValue] = {}
    if not isinstance(exchange.started, Missing):
        started = exchange.started.astimezone(UTC)
        precision = "milliseconds" if not started.microsecond and not exchange.whole_seconds else "auto"
        line["started"] = started.isoformat(timespec=precision).replace("+00:00", "Z")
    if not isinstance(exchange.took, Missing):
        line["seconds"] = exchange.took / SECOND
    line["request"] = {"method": request.method, "url": request.url, **_written(request)}
    if response is None:
        line["response"] = None
    elif not isinstance(response, Missing):
        line["response"] = {"status": response.status, **_written(response)}
    return _ENCODER.encode(line) + b"\n"


def _written(message: Request | Response) -> dict[str, JSONValue]:
    found: dict[str, JSONValue] = {}
    if not isinstance(message.headers, Missing):
        found["headers"] = message.headers
    if message.some_headers:
        found["someHeaders"] = True
    if not isinstance(message.body, Missing):
        try:
            found["body"] = message.body.decode("utf-8")
        except UnicodeDecodeError:
            found["bodyBase64"] = base64.b64encode(message.body).decode("ascii")
    return found
