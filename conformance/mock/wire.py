"""Serves the mock over HTTP/1.1 written by hand, for variants of how it is spoken: chunks, closed connections, header names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.mock.app import respond
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Wire

HOST: Final = "127.0.0.1"

_CHUNK: Final = 100
"""Bytes: small, so that an answer takes several."""


_NO_CONTENT: Final = 204


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

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

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )
        answer = type(self).answer(request)
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

    def _body(self) -> bytes:
        """The request's body, whole or in chunks."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)

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
        if self.spoken.closes:
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
