"""One request on its way through the layer, and what a fault can do with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection, responses
from typing import Final
from urllib.parse import urlsplit

from conformance.mock.faults import Plan
from tests.suite.support.stage.listener import Exchange

UPSTREAM_SECONDS: Final = 60
"""How long what stands behind the layer may take to answer."""

_SCHEMES: Final = {"http": HTTPConnection, "https": HTTPSConnection}

_OF_ONE_CONNECTION: Final = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that are not passed on: either side has its own."""

_WITHOUT_LENGTH: Final = frozenset({204, 304})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """An answer; its headers are all that leave."""

    status: int
    headers: Headers
    body: bytes

    @property
    def head(self) -> bytes:
        """Status line and headers as they stand on the wire."""
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, '')}", *(f"{k}: {v}" for k, v in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def reply(status: int, content_type: str, body: bytes, **headers: str) -> Reply:
    """An answer of the layer's own; `Retry_After="1"` is the header Retry-After."""
    own = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, (("Content-Type", content_type), ("Content-Length", str(len(body))), *own), body)


def page(status: int, **headers: str) -> Reply:
    """A page of HTML, such as gateways and firewalls answer."""
    body = f"<!DOCTYPE html><html><body><h1>{status} {responses[status]}</h1></body></html>"
    return reply(status, "text/html; charset=utf-8", body.encode(), **headers)


def in_json(status: int, fields: object, **headers: str) -> Reply:
    """An answer in JSON."""
    return reply(status, "application/json", json.dumps(fields).encode(), **headers)


@dataclass(frozen=True)
class Scene:
    """What faults know besides the request."""

    upstream: str
    base_url: str
    elsewhere: str
    """Base URL of another host, which records what reaches it."""
    refuse: Callable[[], None]
    """Listen no longer."""
    revoked: set[str]
    """Access tokens that are refused from now on."""


@dataclass
class Passage:
    """A request, from the client's side."""

    exchange: Exchange
    scene: Scene
    plan: Plan | None
    log: Callable[[int | None], None]
    _noted: bool = field(default=False, init=False)

    def note(self, status: int | None) -> None:
        """Log the status that the client is given, None for none. Only the first one counts."""
        if not self._noted:
            self._noted = True
            self.log(status)

    def header(self, name: str) -> str | None:
        """A header of the request."""
        return self.exchange.headers.get(name)

    def wait(self, seconds: float | None = None) -> None:
        """Let so many seconds pass, or all until the layer ends."""
        self.exchange.server.stopped.wait(seconds)

    # -- with the client -------------------------------------------------------------------------------------------

    def give(self, answer: Reply) -> None:
        """Answer the client."""
        self.note(answer.status)
        self.exchange.write(answer.head + (b"" if self.exchange.command == "HEAD" else answer.body))

    def cut(self, status: int | None, raw: bytes) -> None:
        """Send these bytes of an answer, then close."""
        self.note(status)
        self.exchange.write(raw)
        self.exchange.close_after()

    def reset(self) -> None:
        """End the connection with RST."""
        self.note(None)
        self.exchange.reset_after()

    # -- with what stands behind ------------------------------------------------------------------------------------

    def forward(self) -> Reply:
        """Pass the request on; the answer, or a 502 of the layer's own where none comes."""
        base = urlsplit(self.scene.upstream)
        connection = _SCHEMES[base.scheme](base.netloc, timeout=UPSTREAM_SECONDS)
        try:
            return self._asked(connection, base.path)
        except (OSError, HTTPException):
            return page(502)
        finally:
            connection.close()

    def _asked(self, connection: HTTPConnection, prefix: str) -> Reply:
        asked = self.exchange
        connection.putrequest(asked.command, prefix + asked.path, skip_accept_encoding=True)
        for name, value in _passed_on(asked.headers.items()):
            connection.putheader(name, value)
        if asked.content or "content-length" in asked.headers:
            connection.putheader("Content-Length", str(len(asked.content)))
        connection.endheaders(asked.content or None)
        answer = connection.getresponse()
        body = answer.read()
        length = answer.headers.get("content-length", "0") if asked.command == "HEAD" else str(len(body))
        framing = () if answer.status in _WITHOUT_LENGTH else (("Content-Length", length),)
        return Reply(answer.status, (*_passed_on(answer.getheaders()), *framing), body)


def _passed_on(headers: list[tuple[str, str]]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION)
