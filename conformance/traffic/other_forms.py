"""Files of known tools that hold no recorded calls, or not so that they could be read: what each is, and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from conformance.i18n.messages import mark

_BY_MEMBERS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (
        frozenset({"info", "item"}),
        mark("is a collection of Postman, which holds calls to be made; run it: newman run FILE --reporters json"),
    ),
    (
        frozenset({"_type", "resources"}),
        mark("is an export of Insomnia, which holds calls to be made; export the answered ones as a HAR"),
    ),
    (frozenset({"data", "meta"}), mark("is a simulation of Hoverfly, which holds no times; record a HAR, or lines of JSON")),
    (
        frozenset({"imposters"}),
        mark("holds imposters of mountebank, which are stubs; record a HAR, or lines of JSON"),
    ),
    (
        frozenset({"mappings"}),
        mark("holds stub mappings of WireMock; take its journal: curl http://HOST:PORT/__admin/requests"),
    ),
    (
        frozenset({"resourceSpans"}),
        mark("holds spans of OpenTelemetry, which have no bodies; record a HAR, or lines of JSON"),
    ),
    (
        frozenset({"origin", "type", "correlation"}),
        mark("is a log of Logbook, a line for a call and one for its answer; write both into one: docs/traffic.md has its form"),
    ),
    (
        frozenset({"req", "res", "responseTime"}),
        mark("is a log of pino, which has no bodies; record a HAR, or lines of JSON"),
    ),
    (
        frozenset({"http_buffered_trace"}),
        mark("is a tap of Envoy, which can't be read here; write lines of JSON of it: docs/traffic.md has their form"),
    ),
    (frozenset({"openapi"}), mark("is an OpenAPI document, and no recording")),
    (
        frozenset({"metric", "type"}),
        mark("holds measurements of k6, which have no bodies; record a HAR on the way: k6 takes a proxy from HTTP_PROXY"),
    ),
)  # fmt: skip
"""By names that the object has, all of them."""

_CHARLES: Final = mark("is a session of Charles; export it as HTTP Archive (.har)")
_OF_CHARLES: Final = frozenset({"protocolVersion", "times"})

_BY_BEGINNING: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = (
    (
        re.compile(rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x4d\x3c\xb2\xa1|\xa1\xb2\x3c\x4d|\x0a\x0d\x0d\x0a"),
        mark("holds packets, which can't be read here; record a HAR with a proxy such as mitmproxy"),
    ),
    (
        re.compile(rb"(?s)\s*<\?xml.{0,4000}?<items\b[^>]*burpVersion"),
        mark("is an export of Burp in XML, which can't be read here; send the calls through mitmproxy, which writes a HAR"),
    ),
    (re.compile(rb"\s*<"), mark("is XML or HTML, and no recording that can be read here; export a HAR")),
    (
        re.compile(rb"(?:[A-Z]{3,7} \S+ HTTP/|HTTP/\d\S* \d{3})"),
        mark("is a single message of HTTP, as in sessions of Fiddler (.saz); export these as HTTPArchive 1.2 (.har)"),
    ),
    (re.compile(rb"WARC/\d"), mark("is a web archive (WARC), which can't be read here; export a HAR")),
    (
        re.compile(rb"\S+ \S+ \S+ \[[^\]\n]{10,40}\] \""),
        mark("is an access log as text, which holds neither headers nor bodies; docs/traffic.md has a log_format in JSON"),
    ),
    (
        re.compile(rb"(?:https?|h2|grpcs?|wss?) \d{4}-\d\d-\d\dT\S+ app/"),
        mark("is an access log of a load balancer, which holds neither headers nor bodies; record in the client"),
    ),
)  # fmt: skip


def known_by_members(names: AbstractSet[str]) -> str | None:
    """What an object with these names is, and what to do instead; None where nobody knows."""
    return next((told for wanted, told in _BY_MEMBERS if wanted <= names), None)


def known_by_first(first: object) -> str | None:
    """The same of a list that begins with this."""
    return _CHARLES if isinstance(first, dict) and first.keys() >= _OF_CHARLES else None


def known_by_beginning(beginning: bytes) -> str | None:
    """The same of a text, or bytes."""
    return next((told for pattern, told in _BY_BEGINNING if pattern.match(beginning)), None)
