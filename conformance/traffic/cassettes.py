"""Cassettes: calls kept to be played back. VCR.py and pytest-recording, betamax, VCR (Ruby), nock.

They hold no times. Their users take secrets out of them, headers whole, so that a header which is not there may have been sent.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Final

import yaml

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
from conformance.traffic.json_text import JSONText
from conformance.traffic.lists import Listing, read_list
from conformance.traffic.parts import (
    WITHOUT_BODY,
    as_bytes,
    first,
    from_base64,
    headers,
    names_host,
    nothing_sent,
    only_empty,
    settled,
    status_of,
)

LISTS: Final = frozenset({"interactions", "http_interactions"})
"""What the list of calls is called: by VCR.py, and by betamax and VCR."""


def read_json_cassette(text: JSONText, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a cassette in JSON, in the sequence in which it was written."""
    return read_list(text, Listing(sorted(LISTS), is_interaction, _interaction), name, tell)


def read_nock(text: JSONText, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange that nock recorded as objects."""
    return read_list(text, Listing((), is_nock, _nock), name, tell)


# -- YAML ----------------------------------------------------------------------------------------------------------

LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024


def read_yaml_cassette(stream: BinaryIO, name: str, tell: Tell) -> Iterator[Exchange]:
    """Every exchange of a cassette in YAML. Each is read by itself, so that what is broken takes nothing else with it."""
    for place, (line, text, is_cut) in enumerate(_yaml_items(stream)):
        exchange: Exchange | str = "is cut off"
        if not is_cut:
            try:
                found = yaml.load(text, Loader=_Loader)  # noqa: S506 - safe: see _Loader
            except (yaml.YAMLError, ValueError, RecursionError):
                exchange = "is no YAML"
            else:
                exchange = _interaction(found[0] if isinstance(found, list) and found else None, Origin(name, place))
        if isinstance(exchange, Exchange):
            yield exchange
        else:
            tell(f"{name}: line {line:,} (entry {place}) {exchange}; it is left out")
            yield unreadable(Origin(name, place))


def _yaml_items(stream: BinaryIO) -> Iterator[tuple[int, str, bool]]:
    """The items of the list, as text, with the numbers of their first lines, and whether they are cut off. A line that begins
    as the first item does begins an item: what belongs to one stands further in.

    Text that was cut may be YAML all the same. Recorders write a version after the list, or before it; where there is none the
    end is missing.
    """
    begins: bytes | None = None
    item: list[bytes] = []
    start = number = 0
    is_within = has_version = False
    while line := stream.readline(LONGEST_LINE_BYTES):
        number += 1
        if not is_within:
            is_within = line.split(b":")[0].strip().decode("latin-1") in LISTS
            has_version = has_version or (line[:1].isalpha() and not is_within)
            is_list = not is_within and _ITEM.match(line) is not None  # without anything around it (PHP-VCR)
            if not is_list:
                continue
            is_within = has_version = True
        found = _ITEM.match(line)
        if begins is None and found:
            begins = found[1]
        if found and found[1] == begins:
            if item:
                yield start, _text(item), False
            item, start = [line], number
        elif line[:1].isalpha():  # the next member of the document
            has_version = True
            break
        elif item:
            item.append(line)
    if item:
        yield start, _text(item), not (has_version and item[-1].endswith(b"\n"))


_ITEM: Final = re.compile(rb"(\s*)-(?=\s)")


def _text(lines: list[bytes]) -> str:
    return b"".join(lines).decode("utf-8", "replace")


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Makes nothing but plain values; dates stay text, and bytes are read as Ruby writes them too."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, shape) for tag, shape in known if not tag.endswith(":timestamp")]
    for sign, known in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: _exact(loader.construct_scalar(node)))
_Loader.add_constructor("!binary", yaml.constructor.SafeConstructor.construct_yaml_binary)


def _exact(text: str) -> JSONValue:
    """A fraction digit for digit."""
    try:
        number = Decimal(text.replace("_", ""))
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


# -- VCR.py, betamax, VCR ------------------------------------------------------------------------------------------


def is_interaction(value: JSONValue) -> bool:
    """Whether it may be a call of a cassette."""
    return isinstance(value, dict) and any(isinstance(value.get(name), dict) for name in ("request", "Request"))


def _interaction(value: JSONValue, origin: Origin) -> Exchange | str:
    value = _in_lower_case(value)
    if not is_interaction(value):
        return "has no request"
    raw = _in_lower_case(value["request"])
    method, url = raw.get("method"), raw.get("uri", raw.get("url"))
    if not (isinstance(method, str) and method and isinstance(url, str) and url):
        return "names no method or no address"
    known, method = headers(raw.get("headers")), method.upper()
    body = _kept(raw.get("body"), known)
    request = Request(
        method=method,
        url=url,
        headers=known,
        body=nothing_sent(method, known) if body == b"" else body,
        some_headers=True,
    )
    return Exchange(origin, NOT_RECORDED, NOT_RECORDED, request, _kept_answer(value.get("response")))


def _in_lower_case(value: JSONValue) -> JSONValue:
    """The object with the names of its members as most tools write them."""
    return {str(name).lower(): part for name, part in value.items()} if isinstance(value, dict) else value


def _kept_answer(raw: JSONValue) -> Response | Missing:
    raw = _in_lower_case(raw)
    if not isinstance(raw, dict):
        return NOT_RECORDED
    status = raw.get("code", raw.get("status_code", raw.get("status")))  # go-vcr has a code and a status "200 OK"
    number = status_of(_in_lower_case(status).get("code") if isinstance(status, dict) else status)
    if not isinstance(number, int):
        return NOT_RECORDED
    known = headers(raw.get("headers"))
    body = _kept(raw.get("body", raw.get("content")), known)
    if body == b"":
        body = b"" if number in WITHOUT_BODY else only_empty(known)
    return Response(number, known, body, some_headers=True)


def _kept(raw: JSONValue, known: Headers | Missing) -> Recorded:
    """A body in one of the ways of cassettes; b"" where there is none."""
    if isinstance(raw, dict) and not raw.keys() & {"string", "base64_string", "encoding"}:
        # What was handed to a client (aiohttp under VCR.py) that made JSON of it, or a form where all of it is text.
        return _as_json(raw) if any(not isinstance(part, str) for part in raw.values()) else NOT_RECORDED
    if isinstance(raw, dict):
        packed = raw.get("base64_string")
        raw = from_base64(packed) if isinstance(packed, str) else raw.get("string")
        if isinstance(raw, Missing):
            return raw
    body = as_bytes(raw) if isinstance(raw, str) else raw
    if not isinstance(body, bytes) or not body:
        return b"" if raw in (None, "", b"") else NOT_RECORDED
    return settled(body, known)


def _as_json(value: JSONValue) -> Recorded:
    try:
        return dumps(value).encode()
    except (TypeError, ValueError):  # YAML holds what JSON can't
        return NOT_RECORDED


# -- nock ----------------------------------------------------------------------------------------------------------


def is_nock(value: JSONValue) -> bool:
    """Whether it is a call that nock recorded."""
    return isinstance(value, dict) and isinstance(value.get("scope"), str) and isinstance(value.get("path"), str)


_DEFAULT_PORTS: Final = {"https://": ":443", "http://": ":80"}


def _nock(value: JSONValue, origin: Origin) -> Exchange | str:
    method = value.get("method") if is_nock(value) else None
    if not isinstance(method, str):
        return "is no call that nock recorded"
    base, method = value["scope"], method.upper()
    for scheme, port in _DEFAULT_PORTS.items():
        if base.startswith(scheme):
            base = base.removesuffix(port)
    known = headers(value.get("reqheaders"))
    body = _played(value.get("body"), known)
    request = Request(
        method=method,
        url=base + value["path"],
        headers=known,
        body=nothing_sent(method, known) if body == b"" else body,
        some_headers=not names_host(known),
    )
    return Exchange(origin, NOT_RECORDED, NOT_RECORDED, request, _nock_answer(value))


def _nock_answer(value: Mapping[str, JSONValue]) -> Response | Missing | None:
    status = status_of(value.get("status"))
    if not isinstance(status, int):
        return status
    known = headers(value.get("rawHeaders", value.get("headers")))
    body = _played(value.get("response"), known)
    if body == b"":
        body = b"" if status in WITHOUT_BODY else only_empty(known)
    return Response(status, known, body)


def _played(raw: JSONValue, known: Headers | Missing) -> Recorded:
    """A body that nock kept: a JSON value, a text, or bytes in hexadecimal, those of a coded answer in chunks."""
    is_coded = first(known, "content-encoding") not in {None, "identity"}
    if is_coded and isinstance(raw, list) and all(isinstance(chunk, str) for chunk in raw):
        raw = "".join(raw)
    if isinstance(raw, str):
        unpacked = _from_hex(raw)
        length = first(known, "content-length")
        is_hex = unpacked is not None and (is_coded or length == str(len(unpacked)))
        return settled(unpacked if is_hex and unpacked else as_bytes(raw), known) if raw else b""
    if raw is None:
        return b""
    # What JavaScript read and wrote again: whole numbers beyond a double's digits may have been others.
    return NOT_RECORDED if _exceeds_double(raw) else dumps(raw).encode()


def _from_hex(text: str) -> bytes | None:
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return None


_LARGEST_WHOLE: Final = 2**53


def _exceeds_double(value: JSONValue) -> bool:
    if isinstance(value, dict):
        return any(map(_exceeds_double, value.values()))
    if isinstance(value, list):
        return any(map(_exceeds_double, value))
    return isinstance(value, int) and abs(value) > _LARGEST_WHOLE
