"""Servers that choke on what clients lawfully write in another way, or read something else in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract.endpoints import TOKEN_HEADER
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.defects.parsers import DATES
from conformance.mock.defects.parts import RELEASE, SUBMIT, WORKFLOW, reading, rules
from conformance.mock.quirks import Defect, Wire
from conformance.mock.world import Body, MockWorld, order_key

_EXPONENT: Final = re.compile(rb"(:\s*-?\d+(?:\.\d+)?)[eE][-+]?\d+")
_FRACTION: Final = re.compile(r"\.(\d+)(?=Z|[+-]\d\d:?\d\d$)")

_ORDERS_SENT: Final = ("ORD-01", "ORD-06", "ORD-15", "ORD-17", "QRY-01")


def _chokes(name: str, statement: str, finds: Callable[[Request], bool], *blamed: str) -> Defect:
    """Refuses an order in which something is found."""

    def objects(request: Request, _body: Body, _: MockWorld) -> Breach | None:
        found = request.endpoint is SUBMIT and finds(request)
        return Breach("ORD-14", "body", "the body can't be read") if found else None

    return Defect(name=name, statement=statement, rules=rules(*blamed), objects=objects)


def _misreads(
    name: str,
    statement: str,
    change: Callable[[bytes], bytes],
    *blamed: str,
    when: Callable[[Request], bool] | None = None,
) -> Defect:
    """Reads another body."""

    def reads(request: Request) -> Request:
        read = request.endpoint is SUBMIT and (when is None or when(request))
        return replace(request, body=change(request.body)) if read else request

    return Defect(name=name, statement=statement, rules=rules(*blamed), reads=reads)


def _holds(pattern: bytes) -> Callable[[Request], bool]:
    found = re.compile(pattern)
    return lambda request: found.search(request.body) is not None


def _dates(name: str, statement: str, change: Callable[[str], str], *blamed: str) -> Defect:
    """Reads dates in another way."""
    return Defect(
        name=name,
        statement=statement,
        rules=rules(*blamed),
        reads=reading(lambda text: change(text) if isinstance(text, str) else text, DATES, SUBMIT),
    )


def _a_count_of_milliseconds(text: str) -> str:
    """The digits of a second as SimpleDateFormat reads them: a count, be it of more than a second."""

    def moved(found: re.Match[str]) -> str:
        return f".{int(found[1]):03d}" if len(found[1]) < len("123") else found[0]

    return _FRACTION.sub(moved, text)


def _minutes_late(text: str) -> str:
    """The same where a count makes more than a second: 123456 ms are two minutes."""
    found = _FRACTION.search(text)
    if found is None or len(found[1]) <= len("123"):
        return text
    minutes = int(text[14:16]) + 2
    return f"{text[:14]}{min(minutes, 59):02d}{text[16:]}"


def _not_as_written(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """Amounts are the same where they have the same decimals, as Java's BigDecimal.equals has it."""
    key = order_key(body) if request.endpoint is RELEASE else None
    stored = world.stored(key) if key else None
    if stored is None or stored.body is None:
        return None
    sent, kept = (_printed(items) for items in (body.get("releases"), stored.body.get("extracts")))
    return Breach("REL-08", "releases", "the values are not those of the extracts") if sent != kept else None


def _printed(items: Any) -> list[str]:
    return sorted(str(one.get("value")) for one in items or () if isinstance(one, dict))


def _type_is_late(request: Request) -> bool:
    """Whether the type of an extract comes after its value: whoever chooses a class by it looks no further."""
    extracts = request.fields.get("extracts") or []
    return any(
        isinstance(one, dict) and [name for name in one if name in {"type", "value"}] == ["value", "type"]
        for one in extracts
    )


def _content_type(request: Request) -> bool:
    return (request.header("content-type") or "application/json") != "application/json"


def _knows(name: str) -> bool:
    return name.lower() != TOKEN_HEADER.lower() or name == TOKEN_HEADER


SPELT: Final = (
    _chokes("ord-19-no-exponents", "Refuses an amount with an exponent.",
            lambda request: _EXPONENT.search(request.body) is not None, "ORD-19", "ORD-20"),
    _misreads("ord-19-exponents-unread", "Reads an amount up to its exponent.",
              lambda body: _EXPONENT.sub(rb"\1", body), "ORD-19", "QRY-01"),
    _chokes("ord-19-no-lower-case-exponents", "Refuses an exponent that is written with an e.",
            _holds(rb":\s*-?\d+(\.\d+)?e"), "ORD-19"),
    _chokes("ord-19-ascii-only", "Refuses bytes beyond ASCII.", lambda request: not request.body.isascii(), "ORD-19"),
    _misreads("ord-19-latin-1", "Reads UTF-8 as Latin-1.",
              lambda body: body.decode("latin-1").encode(), "ORD-19", when=lambda request: not request.body.isascii()),
    _misreads("ord-19-question-marks", "Reads a question mark for each character beyond ASCII that is not escaped.",
              lambda body: body.decode().encode("ascii", "replace"), "ORD-19"),
    _chokes("ord-19-no-ascii-escapes", "Refuses escapes of letters and digits.", _holds(rb"\\u00[3-7]"), "ORD-19"),
    _misreads("ord-19-slashes-kept", "Keeps the backslash before a slash.",
              lambda body: body.replace(rb"\/", rb"\\/"), "ORD-19"),
    _chokes("ord-19-space-before", "Refuses white space before the object.", lambda request: request.body[:1].isspace(),
            "ORD-19"),
    _chokes("ord-19-no-lines", "Refuses a body over several lines.", _holds(rb"\n\s*\""), "ORD-19"),
    _chokes("ord-19-blanks-demanded", "Looks for a blank behind each colon.", _holds(rb'":(?!\s)'), "ORD-19"),
    _chokes("ord-19-type-first", "Demands the type of an extract before its value.", _type_is_late, "ORD-19"),
    _chokes("ord-19-code-first", "Demands the order's code as its first member.",
            lambda request: next(iter(request.fields), "") != "marketplaceCode", "ORD-19"),
    _chokes("ord-19-decimals-demanded", "Refuses an amount with one decimal.", _holds(rb'":\s*-?\d+\.\d[,}\s]'),
            "ORD-19", *_ORDERS_SENT, "ORD-16", "QRY-03", *WORKFLOW),
    _dates("ord-19-digits-counted", "Reads .5 of a second as 5 milliseconds.", _a_count_of_milliseconds,
           "ORD-19"),
    _chokes("ord-19-three-digits", "Demands three digits of a second where there are any.",
            _holds(rb':\d\d\.\d{1,2}(Z|[-+])'), "ORD-19"),
    # other spellings
    _dates("ord-20-digits-counted", "Reads .123456 of a second as two minutes.", _minutes_late, "QRY-01"),
    _chokes("ord-20-three-digits-at-most", "Refuses more than three digits of a second.", _holds(rb":\d\d\.\d{4}"), "ORD-20"),
    _chokes("ord-20-six-digits-at-most", "Refuses more than six digits of a second.", _holds(rb":\d\d\.\d{7}"), "ORD-20"),
    _chokes("ord-20-nine-digits-at-most", "Refuses nine digits of a second.", _holds(rb":\d\d\.\d{9}"), "ORD-20"),
    _chokes("ord-20-no-zero-offset", "Refuses an offset of +00:00.", _holds(rb':\d\d(\.\d+)?\+00:00"'), "ORD-20"),
    _chokes("ord-20-no-negative-zero", "Refuses an offset of -00:00.", _holds(rb':\d\d(\.\d+)?-00:00"'), "ORD-20"),
    _chokes("ord-20-colon-demanded", "Refuses an offset without a colon.", _holds(rb':\d\d(\.\d+)?[-+]\d{4}"'), "ORD-20"),
    _dates("ord-20-offset-without-colon-lost", "Takes the clock before an offset without a colon for UTC.",
           lambda text: re.sub(r"[-+]\d{4}$", "Z", text), "QRY-01"),
    _chokes("ord-20-two-decimals-at-most", "Refuses an amount with three decimals, be the last a zero.",
            _holds(rb'":\s*-?\d+\.\d{3}[,}]'), "ORD-20"),
    Defect(name="ord-20-chunks-unread", statement="Reads no body that comes in chunks.", rules=rules("ORD-20"),
           reads=lambda request: replace(request, body=b"") if request.header("transfer-encoding") else request),
    _misreads("ord-20-first-chunk-only", "Reads the first chunk of a body.", lambda body: body[:400], "ORD-20",
              when=lambda request: request.header("transfer-encoding") is not None),
    _chokes("ord-20-no-charset", "Refuses a Content-Type with a charset.", _content_type, "ORD-20"),
    Defect(name="ord-20-header-names", statement="Knows gumgaToken in no other case.", rules=rules("ORD-20"),
           wire=Wire(knows=_knows)),
    # amounts in releases
    Defect(name="rel-01-decimals-compared", statement="Takes 203.6 and 203.60 for different amounts.",
           rules=rules("REL-01", "REL-15", "REL-18", "REL-19", "REL-20", *WORKFLOW), objects=_not_as_written),
)  # fmt: skip
