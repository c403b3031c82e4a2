"""What an answer's body is without its content codings, and never more of it than was asked for (RFC 9110); and in UTF-8."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import Final

SPOKEN: Final = "gzip, deflate"
"""The content codings that a request offers."""

_GZIP, _ZLIB, _RAW = 31, 15, -15
_CODINGS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""How zlib reads a coding; servers send both kinds of deflate."""


class Undecodable(Exception):
    """The body is not what its Content-Encoding says."""


class TooMuch(Exception):
    """The body is larger than what was asked for."""


def decoded(body: bytes, content_encoding: str, at_most: int) -> bytes:
    """The body without these codings, the last one first. Raises Undecodable, and TooMuch beyond so many bytes.

    Text under a coding that nobody knows (servers put the charset there) is taken as it is.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    for coding in reversed([coding for coding in codings if coding not in {"", "identity"}]):
        if not body:
            return body
        if coding in _CODINGS:
            body = _inflated(body, coding, at_most)
        elif not _is_text(body):
            raise Undecodable(f"its body is in the content coding {coding[:40]!r}, for which nobody asked")
    return body


_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:+-]{1,40})""", re.IGNORECASE | re.ASCII)
_ASCII: Final = bytes(range(0x20, 0x7F))


def in_utf8(body: bytes, content_type: str) -> bytes:
    """The text in UTF-8, where its Content-Type declares another charset; what can't be read by that stays as it is.

    JSON that is UTF-8 is taken for that, whatever is declared (RFC 8259): frameworks declare a charset that they don't use.
    """
    declared = _CHARSET.search(content_type)
    charset = _text_charset(declared[1]) if declared else None
    if charset is None or (_is_ascii_and_more(charset) and _is_text(body)):
        return body
    try:
        return body.decode(charset).encode("utf-8")
    except UnicodeError:
        return body


def _text_charset(name: str) -> str | None:
    """The charset of that name, or None where Python knows none by it."""
    try:
        return codecs.lookup(name).name if isinstance("".encode(name), bytes) else None
    except (LookupError, UnicodeError):  # LookupError also for what is no charset, such as rot13
        return None


def _is_ascii_and_more(charset: str) -> bool:
    """Whether ASCII is the same in it."""
    try:
        return _ASCII.decode(charset).encode("ascii") == _ASCII
    except UnicodeError:
        return False


def _inflated(body: bytes, coding: str, at_most: int) -> bytes:
    reason = ""
    for bits in _CODINGS[coding]:
        inflating = zlib.decompressobj(bits)
        try:
            whole = inflating.decompress(body, at_most + 1)
        except zlib.error as error:
            reason = reason or str(error)
            continue
        if len(whole) > at_most:
            raise TooMuch
        if inflating.eof:
            return whole
        reason = reason or "it ends in the middle"
    raise Undecodable(f"its body is no {coding}, as its Content-Encoding says: {reason}")


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
