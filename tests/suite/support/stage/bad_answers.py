"""Answers that no client can take for one, by name: each is made of a good one, and written so that it shows."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import repeat
from typing import Final

from tests.suite.support.stage.listener import Exchange
from tests.suite.support.stage.passage import Reply

BadAnswer = Callable[[Reply], Iterator[bytes]]
"""The pieces that are written one after the other; b"" is a pause of a part of a second."""

PIECE: Final = 1024 * 1024
HUGE: Final = 200 * PIECE
PAUSE_SECONDS: Final = 0.1


def write(exchange: Exchange, pieces: Iterator[bytes]) -> None:
    """Write these pieces as they come, as long as anybody takes them, then close."""
    with suppress(OSError):
        for piece in pieces:
            if not piece and exchange.server.stopped.wait(PAUSE_SECONDS):
                break
            exchange.wfile.write(piece)
            exchange.wfile.flush()
    exchange.close_after()


def _head(answer: Reply, *more: str, without: tuple[str, ...] = ()) -> bytes:
    left = tuple((name, value) for name, value in answer.headers if name.lower() not in without)
    added = tuple((line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in more)
    return Reply(answer.status, (*left, *added), b"").head


def _framed(answer: Reply, body: bytes, *more: str) -> Iterator[bytes]:
    yield _head(answer, *more, f"Content-Length: {len(body)}", without=("content-length",)) + body


def _chunked(answer: Reply, *chunks: bytes) -> Iterator[bytes]:
    yield _head(answer, "Transfer-Encoding: chunked", without=("content-length",))
    yield from chunks


def _trickle(answer: Reply) -> Iterator[bytes]:
    yield _head(answer, "Content-Length: 1000000", without=("content-length",))
    for _ in range(1_000_000):
        yield b" "
        yield b""


def _endless_headers(answer: Reply) -> Iterator[bytes]:
    yield answer.head[:-2]
    while True:
        yield b"X-Again: and again\r\n"
        yield b""


def _many_headers(answer: Reply) -> Iterator[bytes]:
    yield answer.head[:-2]
    yield from repeat(b"X-Again: and again\r\n" * 1000, 10**6)


def _endless_announcements(_answer: Reply) -> Iterator[bytes]:
    while True:
        yield b"HTTP/1.1 102 Processing\r\n\r\n"
        yield b""


def _many_announcements(_answer: Reply) -> Iterator[bytes]:
    yield from repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000, 10**6)


def _huge(answer: Reply) -> Iterator[bytes]:
    yield _head(answer, f"Content-Length: {HUGE}", without=("content-length",))
    yield from repeat(b" " * PIECE, HUGE // PIECE)


def _huge_in_chunks(answer: Reply) -> Iterator[bytes]:
    chunk = b"%x\r\n%b\r\n" % (PIECE, b" " * PIECE)
    return _chunked(answer, *repeat(chunk, HUGE // PIECE))


@cache
def _packed() -> bytes:
    """200 MiB of blanks."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packing.compress(b" " * PIECE) for _ in range(HUGE // PIECE)) + packing.flush()


def _bomb(answer: Reply) -> Iterator[bytes]:
    return _framed(answer, _packed(), "Content-Encoding: gzip")


def _bomb_in_a_bomb(answer: Reply) -> Iterator[bytes]:
    return _framed(answer, gzip.compress(_packed()), "Content-Encoding: gzip, gzip")


BAD_ANSWERS: Final[Mapping[str, BadAnswer]] = {
    # No end.
    "trickle": _trickle,
    "endless-headers": _endless_headers,
    "endless-announcements": _endless_announcements,
    # No end in size.
    "many-headers": _many_headers,
    "many-announcements": _many_announcements,
    "huge": _huge,
    "huge-in-chunks": _huge_in_chunks,
    "gzip-bomb": _bomb,
    "gzip-bomb-twice": _bomb_in_a_bomb,
    # What can't be read.
    "bad-gzip": lambda answer: _framed(answer, b"no gzip at all", "Content-Encoding: gzip"),
    "cut-gzip": lambda answer: _framed(answer, gzip.compress(answer.body or b"{}")[:-9], "Content-Encoding: gzip"),
    "unknown-coding": lambda answer: _framed(answer, b"\xff\xfe" + answer.body, "Content-Encoding: br"),
    "cut-chunks": lambda answer: _chunked(answer, b"5\r\n{"),
    "bad-chunks": lambda answer: _chunked(answer, b"no size\r\n{}\r\n0\r\n\r\n"),
    "long-length": lambda answer: iter(
        [_head(answer, f"Content-Length: {len(answer.body) + 9}", without=("content-length",)) + answer.body]
    ),
    "short-length": lambda answer: iter(
        [_head(answer, "Content-Length: 1", without=("content-length",)) + (answer.body + b'{"more": 1}')]
    ),
    "two-lengths": lambda answer: iter([_head(answer, "Content-Length: 1") + (answer.body or b"{}")]),
    "bad-header": lambda answer: iter([answer.head[:-2] + b"\x00\x01: \x02\r\n\r\n" + answer.body]),
    "no-headers": lambda answer: iter([answer.body or b"{}"]),
    "junk": lambda _: iter([b"\x16\x03\x01\x02\x00 SSH-2.0 what is this?\r\n\r\n"]),
    "no-status": lambda answer: iter([b"HTTP/1.1 OK\r\n\r\n" + answer.body]),
}
