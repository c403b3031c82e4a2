"""The suite's receiver of notifications: a small HTTP server that takes each one in and keeps it."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from sys import exc_info
from threading import Condition, Thread
from types import MappingProxyType, TracebackType
from typing import Final

from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.errors import CannotRun
from conformance.incoming import TOO_LARGE, Unread, read_body
from conformance.target.wire.decoding import TooMuch, Undecodable, decoded, in_utf8

MAX_BODY_BYTES: Final = 1_000_000

STALL_SECONDS: Final = 10.0
"""A sender that stays silent so long in the middle of a request is hung up on."""

LINGER_SECONDS: Final = 1.0
"""How long what a sender still sends is thrown away after the answer, before the connection is closed."""

AT_ONCE: Final = 1_024
"""Bytes read at once of what is thrown away: as much is held for each connection whose sender is not through yet."""

MOST_KEPT: Final = 1_000
"""So many notifications are known, the newest: a deep run gets thousands, and each is awaited right after what it tells of."""

_CLOSE_POLL_SECONDS = 0.05


@dataclass(frozen=True, eq=False)
class Received:
    """One notification that arrived. Two are never equal, so that a second delivery of the same can be told apart."""

    at: datetime
    """When, in UTC."""
    body: bytes
    headers: Mapping[str, str]
    """By lower-case name."""
    refused: bool = False
    """Whether it was answered 500, because `Inbox.refuse_next` said so."""

    @cached_property
    def content(self) -> JSONValue:
        """The body's JSON, or None where it is none."""
        try:
            return loads(self.body)
        except NotJSON:
            return None

    @cached_property
    def completed(self) -> JSONValue:
        """The id of the reconciliation whose completion it tells of; None where it tells of none."""
        content = self.content
        payload = content.get("payload") if isinstance(content, dict) else None
        if not isinstance(payload, dict) or content.get("notificationType") != "RECONCILIATION_COMPLETED":
            return None
        return payload.get("reconciliationId")


class Inbox:
    """Takes notifications on a socket from the moment it is made until it is closed."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, path: str = "/notifications") -> None:
        """Listen on an address of this machine; port 0 takes any free one. `path` begins with a slash.

        Raises CannotRun where the address can't be had.
        """
        self._received: deque[Received] = deque(maxlen=MOST_KEPT)
        self._arrived_in_all = 0
        self._refusals = 0
        self._arrived = Condition()
        try:
            self._server = _Server((host, port), path, self._take)
        except (OSError, OverflowError, UnicodeError) as error:  # taken or not ours; beyond 65535; no host name
            raise CannotRun(
                f"{host}:{port} cannot be had for notifications: {getattr(error, 'strerror', None) or error}; "
                "choose another callback_listen in the target file"
            ) from None
        self.url = f"http://{host}:{self._server.server_port}{path}"
        """Where notifications are taken, as seen from this machine."""
        self._thread = Thread(target=self._server.serve_forever, args=(_CLOSE_POLL_SECONDS,), name="inbox", daemon=True)
        self._thread.start()

    @property
    def received(self) -> list[Received]:
        """What has arrived so far, or of late, in order of arrival: what was taken and what was refused."""
        with self._arrived:
            return list(self._received)

    @property
    def arrived(self) -> int:
        """How many have arrived so far."""
        with self._arrived:
            return self._arrived_in_all

    def parted(self, arrived: int) -> tuple[list[Received], list[Received]]:
        """What was received when so many had arrived, or of that what is still known, and what was received since."""
        with self._arrived:
            all_known = list(self._received)
            at = max(0, arrived - (self._arrived_in_all - len(all_known)))
        return all_known[:at], all_known[at:]

    def wait_for(self, matches: Callable[[Received], bool], seconds: float) -> Received | None:
        """The first notification that matches, arrived already or within so many real seconds; None where there is none."""
        with self._arrived:
            return self._arrived.wait_for(lambda: next(filter(matches, self._received), None), seconds)

    def refuse_next(self, n: int) -> None:
        """Answer the next `n` notifications 500, whatever was to be refused before; 0 takes them all again."""
        with self._arrived:
            self._refusals = n

    def close(self) -> None:
        """Stop listening. What was received stays."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, body: bytes, headers: Mapping[str, str]) -> bool:
        with self._arrived:
            refused = self._refusals > 0
            if refused:
                self._refusals -= 1
            self._arrived_in_all += 1
            self._received.append(Received(datetime.now(UTC), body, headers, refused))
            self._arrived.notify_all()
        return not refused


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], path: str, take: Callable[[bytes, Mapping[str, str]], bool]) -> None:
        self.path = path
        self.take = take
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's question to the DNS for the host's full name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a sender that went away."""
        if not isinstance(exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """Answers one request of a connection, then closes it."""

    server: _Server
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # a request line that names none gets an answer with a status too
    timeout = STALL_SECONDS
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take a notification in."""
        if not self._is_for_us():
            self._answer(404)
            return
        body = self._body()
        if body is not None:
            headers = MappingProxyType({name.lower(): value for name, value in self.headers.items()})
            self._answer(200 if self.server.take(body, headers) else 500)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what is no proper request; 501 is how the base class calls a method other than POST."""
        if code == 501:  # noqa: PLR2004
            code = 405 if self._is_for_us() else 404
        self._answer(code)

    def finish(self) -> None:
        """Close the connection once its sender is through.

        Closed with something unread it would be reset, and the sender might lose the answer.
        """
        super().finish()
        until = time.monotonic() + LINGER_SECONDS
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while (left := until - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv(AT_ONCE):
                    return

    def version_string(self) -> str:
        """What the Server header says."""
        return "koncili-conformance"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def _is_for_us(self) -> bool:
        return self.path.partition("?")[0] == self.server.path

    def _body(self) -> bytes | None:
        """The body without its content coding and in UTF-8, or None where the request had to be refused for it, which is done."""
        if not {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}:
            self._answer(411)
            return None
        try:
            body = read_body(self.rfile, self.headers, MAX_BODY_BYTES)
            return in_utf8(
                decoded(body, self.headers.get("Content-Encoding", ""), MAX_BODY_BYTES),
                self.headers.get("Content-Type", ""),
            )
        except Unread as refused:
            self._answer(refused.status)
        except Undecodable:
            self._answer(415)
        except TooMuch:
            self._answer(TOO_LARGE)
        return None

    def _answer(self, status: int) -> None:
        body = dumps({"status": "success" if status == 200 else "error"}).encode()  # noqa: PLR2004
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if status == 405:  # noqa: PLR2004
            self.send_header("Allow", "POST")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
