"""Serves the mock over HTTP/1.1 written by hand, for variants of how it is spoken: chunks, closed connections, header names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.mock.app import respond
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Wire

HOST: Final = "127.0.0.1"

STALL_SECONDS: Final = 15.0
"""A client that stays silent so long, in the middle of a request or before one, is hung up on."""

MOST_BODY_BYTES: Final = 10_000_000
"""Of a request; an order of 10,000 extracts has a tenth of it."""

MOST_CONNECTIONS: Final = 1_000
"""At a time; one that comes in addition waits."""

_CHUNK: Final = 100
"""Bytes: small, so that an answer takes several."""

_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CHUNK_LENGTH: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")
_MOST_OF_A_LINE: Final = 65_536
_MOST_TRAILERS: Final = 100
_BAD_REQUEST: Final = 400
_TOO_LARGE: Final = 413

_NO_CONTENT: Final = 204


class _Unread(Exception):
    """A request whose body is not taken: the status that it gets, and why."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1_024

    def server_bind(self) -> None:
        """Bind without HTTPServer's question to the DNS for the host's full name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is no news."""


@contextmanager
def listening(koncili: Koncili, wire: Wire, port: int = 0) -> Iterator[str]:
    """Serve in a thread of this process; the base URL. Raises OSError where the port is taken."""
    server = server_of(koncili, wire, port)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def server_of(koncili: Koncili, wire: Wire, port: int) -> ThreadingHTTPServer:
    """The server, listening and not yet serving; port 0 takes any free one."""

    class Handler(_Handler):
        answer = staticmethod(lambda request: respond(koncili, request))
        spoken = wire

    return _Server((HOST, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = STALL_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # status, headers and body leave together
    answer: Callable[[Request], Answer]
    spoken: Wire

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method is answered by the mock, documented or not."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def version_string(self) -> str:
        """What the Server header of an error says that never came to the mock."""
        return "koncili-conformance"

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: it waits for that. One that is not to be taken is refused before it is sent."""
        try:
            self._length()
        except _Unread as refused:
            self._refuse(refused)
            return False
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _serve(self) -> None:
        try:
            body = self._body()
            parts = urlsplit(self.path)
        except _Unread as refused:
            self._refuse(refused)
            return
        except ValueError:
            self._refuse(_Unread(_BAD_REQUEST, "the request line holds no URL"))
            return
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items() if self.spoken.knows(name)},
            body=body,
            query_string=parts.query,
        )
        self._write(type(self).answer(request))

    def _refuse(self, refused: _Unread) -> None:
        """Answer a request that never comes to the mock; what follows on the connection can't be told from its body."""
        self.close_connection = True
        self._write(Answer(refused.status, {"errorMessage": str(refused), "errorCode": f"{refused.status}-0"}))

    def _write(self, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not isinstance(answer.body, bytes):
            body = dumps(answer.body).encode()
        self.send_response_only(answer.status)
        for name, value in self._headers(answer, body):
            self.send_header(self.spoken.header_case(name), value)
        self.end_headers()
        if self.command != "HEAD":
            for part in self._parts(answer, body):
                self.wfile.write(part)
        self.close_connection = self.close_connection or self.spoken.closes

    def _length(self) -> int | None:
        """How long the body says that it is, None where it comes in chunks. Raises _Unread."""
        codings = self.headers.get_all("transfer-encoding", [])
        lengths = self.headers.get_all("content-length", [])
        if codings:
            if [coding.strip().lower() for coding in codings] != ["chunked"] or lengths:
                raise _Unread(_BAD_REQUEST, "a body is chunked, or as long as its Content-Length says")
            return None
        if len({*lengths}) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
            raise _Unread(_BAD_REQUEST, "Content-Length is no number")
        length = int(lengths[0]) if lengths else 0
        if length > MOST_BODY_BYTES:
            raise _Unread(_TOO_LARGE, f"the body is longer than {MOST_BODY_BYTES:,} bytes")
        return length

    def _body(self) -> bytes:
        """The request's body, whole or in chunks. Raises _Unread where it is too large, cut off or no such thing."""
        length = self._length()
        if length is not None:
            return self._read(length)
        parts, whole = [], 0
        while size := self._chunk_length():
            whole += size
            if whole > MOST_BODY_BYTES:
                raise _Unread(_TOO_LARGE, f"the body is longer than {MOST_BODY_BYTES:,} bytes")
            parts.append(self._read(size))
            if self.rfile.readline(_MOST_OF_A_LINE).strip():
                raise _Unread(_BAD_REQUEST, "a chunk is longer than it says")
        for _ in range(_MOST_TRAILERS):
            if not self.rfile.readline(_MOST_OF_A_LINE).strip():
                return b"".join(parts)
        raise _Unread(_BAD_REQUEST, "there are too many trailers")

    def _chunk_length(self) -> int:
        found = _CHUNK_LENGTH.fullmatch(self.rfile.readline(_MOST_OF_A_LINE))
        if found is None:
            raise _Unread(_BAD_REQUEST, "a chunk does not say how long it is")
        return int(found[1], 16)

    def _read(self, length: int) -> bytes:
        found = self.rfile.read(length)
        if len(found) < length:
            raise _Unread(_BAD_REQUEST, "the body is shorter than it says")
        return found

    def _headers(self, answer: Answer, body: bytes) -> Iterator[tuple[str, str]]:
        yield "Date", self.date_time_string()
        if answer.status == _NO_CONTENT:
            pass
        elif self.spoken.chunked:
            yield "Content-Type", "application/json"
            yield "Transfer-Encoding", "chunked"
        else:
            yield "Content-Type", "application/json"
            yield "Content-Length", str(len(body))
        if self.spoken.closes or self.close_connection:
            yield "Connection", "close"
        yield from answer.headers.items()

    def _parts(self, answer: Answer, body: bytes) -> Iterator[bytes]:
        if answer.status == _NO_CONTENT:
            return
        if not self.spoken.chunked:
            yield body
            return
        for start in range(0, len(body), _CHUNK):
            part = body[start : start + _CHUNK]
            yield b"%x\r\n%b\r\n" % (len(part), part)
        yield b"0\r\n\r\n"
