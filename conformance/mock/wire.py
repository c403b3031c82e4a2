"""Serves the mock over HTTP/1.1 and https, a thread for each connection; also variants of how it is spoken: chunks, closed
connections, names of headers."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.contract.judge import Request
from conformance.incoming import BAD_REQUEST, Unread, length_of, read_body
from conformance.mock.app import respond
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Leaves, Wire

HOST: Final = "127.0.0.1"

STALL_SECONDS: Final = 15.0
"""A client that stays silent so long, in the middle of a request or before one, is hung up on."""

MOST_BODY_BYTES: Final = 10_000_000
"""Of a request; an order of 10,000 extracts has a tenth of it."""

MOST_CONNECTIONS: Final = 1_000
"""At a time; one that comes in addition waits."""

PLAIN: Final = Wire()

_NOT_LINGERING: Final = struct.pack("ii", 1, 0)
"""What makes the kernel send RST and not FIN when the socket is closed."""

_CHUNK: Final = 100
"""Bytes: small, so that an answer takes several."""

_NO_CONTENT: Final = 204


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def __init__(self, taken: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        """Serves on a socket that listens."""
        TCPServer.__init__(self, taken.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = taken
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self._to_reset: set[socket.socket] = set()

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; hands are shaken in the thread that reads from it."""
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def reset_after(self, connection: socket.socket) -> None:
        """Close this connection with RST."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_LINGERING)
        self._to_reset.add(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection; where it is to be reset without the FIN of a shutdown, which would come first."""
        if request in self._to_reset:
            self._to_reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

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
    """The server, listening on loopback and not yet serving; port 0 takes any free one."""
    return server_on(listening_at(HOST, port), koncili, wire)


def server_on(
    taken: socket.socket, koncili: Koncili, wire: Wire = PLAIN, tls: ssl.SSLContext | None = None
) -> ThreadingHTTPServer:
    """A server on a socket that listens, not yet serving; with `tls` it is spoken to over https."""

    class Handler(_Handler):
        answer = staticmethod(lambda request: respond(koncili, request))
        spoken = wire

    server = _Server(taken, Handler)
    server.tls = tls
    return server


def listening_at(host: str, port: int) -> socket.socket:
    """A socket that listens there, so that nobody else takes the port: 0 is any free one. Raises OSError."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    taken = socket.socket(family)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(MOST_CONNECTIONS)
    except OSError:
        taken.close()
        raise
    return taken


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = STALL_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # status, headers and body leave together
    server: _Server
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
            length_of(self.headers, MOST_BODY_BYTES)
        except Unread as refused:
            self._refuse(refused)
            return False
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _serve(self) -> None:
        try:
            body = read_body(self.rfile, self.headers, MOST_BODY_BYTES)
            parts = urlsplit(self.path)
        except Unread as refused:
            self._refuse(refused)
            return
        except ValueError:
            self._refuse(Unread(BAD_REQUEST, "the request line holds no URL"))
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

    def _refuse(self, refused: Unread) -> None:
        """Answer a request that never comes to the mock; what follows on the connection can't be told from its body."""
        self.close_connection = True
        self._write(Answer(refused.status, {"errorMessage": str(refused), "errorCode": f"{refused.status}-0"}))

    def _write(self, answer: Answer) -> None:
        if answer.leaves is Leaves.NOT_AT_ALL:
            self.close_connection = True
            self.server.reset_after(self.connection)
            return
        body = answer.raw
        self.send_response_only(answer.status)
        for name, value in self._headers(answer, body):
            self.send_header(self.spoken.header_case(name), value)
        self.end_headers()
        if self.command != "HEAD":
            parts = list(self._parts(answer, body))
            if answer.leaves is Leaves.HALF:
                whole = b"".join(parts)
                parts, self.close_connection = [whole[: len(whole) // 2]], True
            for part in parts:
                self.wfile.write(part)
        self.close_connection = self.close_connection or self.spoken.closes

    def _headers(self, answer: Answer, body: bytes) -> Iterator[tuple[str, str]]:
        yield "Date", self.date_time_string()
        if answer.status != _NO_CONTENT:
            if not any(name.lower() == "content-type" for name in answer.headers):
                yield "Content-Type", "application/json"
            yield ("Transfer-Encoding", "chunked") if self.spoken.chunked else ("Content-Length", str(len(body)))
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
