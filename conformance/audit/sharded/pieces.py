"""Exchanges on their way from the process that reads them to the one that judges them: MessagePack, compressed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from conformance.audit.repeats import mark_of
from conformance.traffic.exchange import (
    NOT_RECORDED,
    Exchange,
    Headers,
    Missing,
    Origin,
    Request,
    Response,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_ENTRY_BITS, _FILE_BITS = 40, 24
_BEFORE_YEAR_1: Final = 1 << 60


class Answer(msgspec.Struct, array_like=True, gc=False):
    """An answer; None is not recorded."""

    status: int
    headers: Headers | None
    body: bytes | None
    some_headers: bool


class Piece(msgspec.Struct, array_like=True, gc=False):
    """An exchange, and the time by which it is sorted; None is not recorded."""

    time: int
    """In microseconds since 1970: its own, or that of the exchange written before it."""
    entry: int
    """Its place in its part of the file."""
    started: str | None
    took: int | None
    """In microseconds."""
    method: str
    url: str
    headers: Headers | None
    body: bytes | None
    some_headers: bool
    response: Answer | bool | None
    """None: there was none. False: not recorded."""
    escaped: bool = False
    """Whether its texts hold halves of surrogates, and are written as Latin-1 of their UTF-8."""
    mark: int = 0
    """By which it is known where another file holds it too."""
    whole_seconds: bool = False
    may_be_at_answer: bool = False


def number_of(time: int, file: int, entry: int) -> int:
    """A number by which exchanges of all files are in sequence: by time, by file, by place in the file."""
    return (((time + _BEFORE_YEAR_1) << _FILE_BITS) + file << _ENTRY_BITS) + entry


def place_of(number: int) -> tuple[int, int]:
    """The file and the entry of a number."""
    return number >> _ENTRY_BITS & (1 << _FILE_BITS) - 1, number & (1 << _ENTRY_BITS) - 1


def microseconds(time: datetime) -> int:
    """Since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def time_at(microseconds: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + microseconds * _MICROSECOND


def piece_of(time: int, entry: int, exchange: Exchange) -> Piece:
    """An exchange as a piece."""
    request, answer = exchange.request, exchange.response
    response: Answer | bool | None
    if isinstance(answer, Response):
        response = Answer(answer.status, _or_none(answer.headers), _or_none(answer.body), answer.some_headers)
    else:
        response = None if answer is None else False
    return Piece(
        time,
        entry,
        None if isinstance(exchange.started, Missing) else exchange.started.isoformat(),
        None if isinstance(exchange.took, Missing) else exchange.took // _MICROSECOND,
        request.method,
        request.url,
        _or_none(request.headers),
        _or_none(request.body),
        request.some_headers,
        response,
        mark=mark_of(exchange),
        whole_seconds=exchange.whole_seconds,
        may_be_at_answer=exchange.may_be_at_answer,
    )


def exchange_of(piece: Piece, file: str, first_entry: int) -> Exchange:
    """The exchange of a piece of that file; `first_entry`: how many entries there were before its part."""
    if piece.escaped:
        piece = _unescaped(piece)
    answer = piece.response
    response: Response | Missing | None
    if isinstance(answer, Answer):
        response = Response(answer.status, _recorded(answer.headers), _recorded(answer.body), answer.some_headers)
    else:
        response = None if answer is None else NOT_RECORDED
    return Exchange(
        Origin(file, first_entry + piece.entry),
        NOT_RECORDED if piece.started is None else datetime.fromisoformat(piece.started),
        NOT_RECORDED if piece.took is None else piece.took * _MICROSECOND,
        Request(piece.method, piece.url, _recorded(piece.headers), _recorded(piece.body), piece.some_headers),
        response,
        piece.whole_seconds,
        piece.may_be_at_answer,
    )


def _or_none(value: Any) -> Any:
    return None if isinstance(value, Missing) else value


def _recorded(value: Any) -> Any:
    return NOT_RECORDED if value is None else value


# -- chunks --------------------------------------------------------------------------------------------------------

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Piece])


def chunk_of(pieces: Sequence[Piece]) -> bytes:
    """Pieces in the sequence of their times, packed."""
    in_sequence = sorted(pieces, key=_by_time)
    try:
        packed = _ENCODER.encode(in_sequence)
    except UnicodeEncodeError:
        packed = _ENCODER.encode([_escaped(piece) for piece in in_sequence])
    return zstd.compress(packed, _LEVEL)


def pieces_in(chunk: bytes) -> list[Piece]:
    """The pieces of a chunk."""
    return _DECODER.decode(zstd.decompress(chunk))


def _by_time(piece: Piece) -> tuple[int, int]:
    return piece.time, piece.entry


def _escaped(piece: Piece) -> Piece:
    return _recoded(piece, lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1"), escaped=True)


def _unescaped(piece: Piece) -> Piece:
    return _recoded(piece, lambda text: text.encode("latin-1").decode("utf-8", "surrogatepass"), escaped=False)


def _recoded(piece: Piece, how: Any, *, escaped: bool) -> Piece:
    def headers(known: Headers | None) -> Headers | None:
        return None if known is None else tuple((how(name), how(value)) for name, value in known)

    answer = piece.response
    if isinstance(answer, Answer):
        answer = msgspec.structs.replace(answer, headers=headers(answer.headers))
    return msgspec.structs.replace(
        piece,
        method=how(piece.method),
        url=how(piece.url),
        headers=headers(piece.headers),
        response=answer,
        escaped=escaped,
    )
