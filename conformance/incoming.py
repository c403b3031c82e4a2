"""The body of a request that comes to one of our servers: as long as its Content-Length says, or in chunks (RFC 9112);
never more of it than is allowed."""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase
from typing import Final

BAD_REQUEST: Final = 400
TOO_LARGE: Final = 413

_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CHUNK_LENGTH: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")
_MOST_OF_A_LINE: Final = 65_536
_MOST_TRAILERS: Final = 100


class Unread(Exception):
    """A request whose body is not taken: the status that it gets, and why."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


def length_of(headers: Message, at_most: int) -> int | None:
    """How many bytes the body has by its headers, None where it comes in chunks; without either there is none. Raises Unread."""
    codings, lengths = headers.get_all("transfer-encoding", []), headers.get_all("content-length", [])
    if codings:
        if [coding.strip().lower() for coding in codings] != ["chunked"] or lengths:
            raise Unread(BAD_REQUEST, "a body is chunked, or as long as its Content-Length says")
        return None
    if len({*lengths}) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        raise Unread(BAD_REQUEST, "Content-Length is no number")
    length = int(lengths[0]) if lengths else 0
    if length > at_most:
        raise Unread(TOO_LARGE, f"the body is longer than {at_most:,} bytes")
    return length


def read_body(stream: BufferedIOBase, headers: Message, at_most: int) -> bytes:
    """The body, whole or in chunks. Raises Unread where it is too large, cut off or no such thing."""
    length = length_of(headers, at_most)
    if length is not None:
        return _read(stream, length)
    parts, whole = [], 0
    while size := _chunk_length(stream):
        whole += size
        if whole > at_most:
            raise Unread(TOO_LARGE, f"the body is longer than {at_most:,} bytes")
        parts.append(_read(stream, size))
        if stream.readline(_MOST_OF_A_LINE).strip():
            raise Unread(BAD_REQUEST, "a chunk is longer than it says")
    for _ in range(_MOST_TRAILERS):
        if not stream.readline(_MOST_OF_A_LINE).strip():
            return b"".join(parts)
    raise Unread(BAD_REQUEST, "there are too many trailers")


def _chunk_length(stream: BufferedIOBase) -> int:
    found = _CHUNK_LENGTH.fullmatch(stream.readline(_MOST_OF_A_LINE))
    if found is None:
        raise Unread(BAD_REQUEST, "a chunk does not say how long it is")
    return int(found[1], 16)


def _read(stream: BufferedIOBase, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise Unread(BAD_REQUEST, "the body is shorter than it says")
    return found
