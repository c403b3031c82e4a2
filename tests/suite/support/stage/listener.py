"""A small threaded HTTP/1.1 server that can end its connections rudely."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Event, Lock, Thread
from typing import Any, Final

HOST: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.02

_NOT_LINGERING: Final = struct.pack("ii", 1, 0)
"""What makes the kernel send RST and not FIN when the socket is closed."""


class Exchange(BaseHTTPRequestHandler):
    """One connection. Whatever its method, each request is read whole and handed to the listener's `serve`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: Listener
    content: bytes
    """The body of the request."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Close both files of the connection, even where what is left can't be sent."""
        with suppress(OSError):
            super().finish()
        self.rfile.close()

    def write(self, raw: bytes) -> None:
        """Send these bytes."""
        self.wfile.write(raw)

    def close_after(self) -> None:
        """Close the connection after this request."""
        self.close_connection = True

    def reset_after(self) -> None:
        """The same, with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_LINGERING)
        self.close_connection = True

    def _serve(self) -> None:
        self.content = self._body()
        self.server.serve(self)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(parts)


class Listener(ThreadingTCPServer):
    """Listens until it is stopped; its threads are joined when it is closed."""

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, serve: Callable[[Exchange], None], port: int, tls: ssl.SSLContext | None) -> None:
        """Port 0 takes any free one."""
        self.serve = serve
        self.stopped = Event()
        """Set when it is stopped: nobody need wait any longer."""
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((HOST, port), Exchange)
        self._thread = Thread(target=self.serve_forever, args=(POLL_SECONDS,))
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.server_address[1])

    def stop(self) -> None:
        """Listen no longer, and end all connections. A thread that serves one may ask for this."""
        self.shutdown()
        self.socket.close()
        self.stopped.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    # Of the socket below TLS: a thread may be reading from it.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop, and wait for all threads."""
        self.stop()
        self.server_close()
        self._thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; hands are shaken in the thread that reads from it."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close only: the FIN that a shutdown sends would come before any RST."""
        self.close_request(request)

    def close_request(self, request: Any) -> None:
        """Close the connection."""
        with self._lock:
            self._open.discard(request)
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def listening(serve: Callable[[Exchange], None]) -> Iterator[Listener]:
    """A listener on any free port that hands requests to `serve`."""
    listener = Listener(serve, 0, None)
    try:
        yield listener
    finally:
        listener.close()
