"""Parts of an exchange as recorders write them: headers, instants, durations, bodies. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from conformance.contract.instants import read_instant
from conformance.contract.jsontext import JSONValue
from conformance.traffic.exchange import NOT_RECORDED, Headers, Missing, Recorded

LARGEST_BODY_BYTES: Final = 64 * 1024 * 1024
"""Of a body without its content coding; a larger one is taken as not recorded."""


# -- instants and durations ----------------------------------------------------------------------------------------


def instant(value: JSONValue) -> datetime | Missing:
    """The instant that a recorder wrote, aware; not recorded where it names none."""
    if not isinstance(value, str):
        return NOT_RECORDED
    try:
        found: datetime | None = datetime.fromisoformat(value)
    except ValueError:
        found = read_instant(value)
    return found if found is not None and found.tzinfo is not None else NOT_RECORDED


def is_whole_second(value: JSONValue) -> bool:
    """Whether an instant is written without a fraction of a second."""
    return isinstance(value, str) and _WHOLE_SECOND.search(value) is not None


_WHOLE_SECOND: Final = re.compile(r":\d\d:\d\d(?![.,\d])", re.ASCII)


def epoch(seconds: JSONValue) -> datetime | Missing:
    """The instant so many seconds after 1970 (UTC)."""
    number = _decimal(seconds)
    try:
        return NOT_RECORDED if number is None else datetime.fromtimestamp(float(number), UTC)
    except (ValueError, OverflowError, OSError):
        return NOT_RECORDED


def duration(value: JSONValue, unit: timedelta) -> timedelta | Missing:
    """So many units; not recorded where it is no number, or below zero, which stands for that."""
    if type(value) is float and 0 <= value < _LONGEST:
        return value * unit
    number = _decimal(value)
    try:
        return NOT_RECORDED if number is None or not number >= 0 else float(number) * unit
    except (ValueError, OverflowError, ArithmeticError):
        return NOT_RECORDED


_LONGEST: Final = 1e9
"""What is longer is looked at more closely."""

_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def _decimal(value: JSONValue) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        return number if number.is_finite() else None
    return None


# -- headers -------------------------------------------------------------------------------------------------------


def headers(value: JSONValue) -> Headers | Missing:
    """Headers in any form that recorders give them: a list of `{name, value}`, of pairs, of names and values in turn; an object
    of values or of lists of values. None at all is not recorded, since every message has some."""
    found = tuple((name.strip().lower(), text) for name, text in _pairs(value))
    return found or NOT_RECORDED


def _pairs(value: JSONValue) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, content in value.items():
            for one in content if isinstance(content, list) else [content]:
                yield str(name), _text(one)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield from zip(value[::2], value[1::2], strict=False)
            return
        for part in value:
            if isinstance(part, dict):
                name = part.get("name", part.get("key"))  # Postman's has a key
                if isinstance(name, str) and "value" in part:  # without one it was not sent
                    yield name, _text(part["value"])
            elif isinstance(part, list) and len(part) == 2 and isinstance(part[0], str):  # noqa: PLR2004
                yield part[0], _text(part[1])


def _text(value: JSONValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else json.dumps(value, default=str)


def first(found: Headers | Missing, name: str) -> str | None:
    """The first value of a header, where it was recorded."""
    return None if isinstance(found, Missing) else next((value for known, value in found if known == name), None)


def names_host(found: Headers | Missing) -> bool:
    """Whether the headers are those that went over the wire: every request has its host among them."""
    return not isinstance(found, Missing) and any(name in {"host", ":authority"} for name, _ in found)


def status_of(status: JSONValue) -> int | Missing | None:
    """The status of an answer; None where there was no answer, which recorders write as 0, -1, "" or null.

    Not recorded where it is none of these, and no status.
    """
    if isinstance(status, str):
        found = _STATUS_LINE.fullmatch(status.strip())
        status = int(found[1]) if found else status.strip()
    elif isinstance(status, float | Decimal) and 0 <= status <= 999:  # noqa: PLR2004 - none is larger
        status = int(status) if status == int(status) else NOT_RECORDED.value
    if status in _NO_STATUS and not isinstance(status, bool):
        return None
    is_status = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 999  # noqa: PLR2004 - RFC 9110
    return status if is_status else NOT_RECORDED


_STATUS_LINE: Final = re.compile(r"(?:HTTP/[\d.]+ +)?([1-9]\d\d)(?:\.0+)?(?: .*)?", re.ASCII)
"""With its reason, as some write it."""
_NO_STATUS: Final = (0, -1, "0", "-1", "-", "000", "", None)


# -- bodies --------------------------------------------------------------------------------------------------------


def as_bytes(text: str, size: JSONValue = None) -> bytes:
    """The bytes of a recorded text, where it was `size` bytes long by what the recorder says.

    UTF-8 that was read as Latin-1 is mended: written back it has that size, and is UTF-8. Halves of surrogates are bytes that
    were no UTF-8.
    """
    if text.isascii():
        return text.encode()
    if isinstance(size, int) and len(text) == size:
        try:
            repaired = text.encode("latin-1")
            repaired.decode("utf-8")
        except UnicodeError:
            pass
        else:
            return repaired
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def from_base64(text: str) -> Recorded:
    """The bytes of a base64 text; of a JSON list of such texts, one after the other, too (Polly.JS)."""
    try:
        chunks = json.loads(text) if text.startswith("[") else [text]
        return b"".join(base64.b64decode("".join(chunk.split()), validate=True) for chunk in chunks)
    except (ValueError, AttributeError, binascii.Error):
        return NOT_RECORDED


_GZIP, _ZLIB, _RAW = 31, 15, -15
_WINDOWS: Final[Mapping[str, tuple[int, ...]]] = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}


def without_coding(body: bytes, coding: str | None) -> Recorded:
    """The body without these content codings, the last one first; recorders mostly have taken them off before.

    Not recorded where it is neither: a text that was made of compressed bytes, a coding that nobody here reads, a body that
    was cut.
    """
    for name in reversed((coding or "").lower().split(",")):
        name = name.strip()  # noqa: PLW2901
        if name in {"", "identity"} or _is_text(body):
            continue
        inflated = _inflated(body, _WINDOWS.get(name, ()))
        if inflated is None:
            return NOT_RECORDED
        body = inflated
    return body


def _inflated(body: bytes, windows: tuple[int, ...]) -> bytes | None:
    for window in windows:
        inflating = zlib.decompressobj(window)
        try:
            whole = inflating.decompress(body, LARGEST_BODY_BYTES)
        except zlib.error:
            continue
        if inflating.eof:
            return whole
    return None


_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def _is_text(body: bytes) -> bool:
    """Whether it is no compressed data any more."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return "\ufffd" not in text and not _CONTROLS.search(body)


NO_BODY_METHODS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})
"""A call by them of whose body nothing is recorded, and of whose length nothing is said, had none."""

WITHOUT_BODY: Final = frozenset({204, 304})
"""Answers with these statuses have no body (RFC 9110)."""


def settled(body: bytes, known: Headers | Missing) -> Recorded:
    """A recorded body, neither empty nor unknown, as it was before its content coding; not recorded where only its beginning
    was."""
    found = without_coding(body, first(known, "content-encoding"))
    return NOT_RECORDED if isinstance(found, Missing) or _is_cut(found, known) else found


def nothing_sent(method: str, known: Headers | Missing) -> Recorded:
    """What the body of a call was of which none is recorded: empty for certain, or unknown."""
    is_silent = not first(known, "content-length") and not first(known, "transfer-encoding")
    return b"" if is_silent and method in NO_BODY_METHODS else only_empty(known)


def only_empty(known: Headers | Missing) -> Recorded:
    """The same of a message of which the recorder says that it may have had one: only its length proves that it was empty."""
    return b"" if (first(known, "content-length") or "").strip() == "0" else NOT_RECORDED


_CUT: Final = re.compile(
    rb"(?i)(?:\.{3}|\xe2\x80\xa6|\btruncated\b)[\s\])>]*\Z|(?:\.{3}|\xe2\x80\xa6)\s*[\[(<][^\"{}]{0,40}[\])>]\s*\Z"
)
"""What recorders write at the end of a body of which they kept the beginning."""
_MARK_BYTES: Final = 80


def _is_cut(body: bytes, known: Headers | Missing) -> bool:
    """Whether a recorder kept only the beginning of it. What is whole JSON is whole, whatever its length was: secrets may have
    been replaced."""
    if _CUT.search(body[-_MARK_BYTES:]) and not _is_json(body):
        return True
    length = first(known, "content-length")
    if length is None or not length.isdecimal() or first(known, "content-encoding") is not None:
        return False
    return len(body) < int(length) and not _is_json(body)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
