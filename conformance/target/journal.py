"""Every exchange of a run: counted, its secrets learnt, written to a HAR file with those secrets blotted out."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from conformance import __version__
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    OTHER,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
)
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.target.exchange import Exchange
from conformance.target.redaction import Redactor

if TYPE_CHECKING:
    import harfile

CLIENT_ERROR, SERVER_ERROR, TOO_MANY = 400, 500, 429

SHORTEST_TOKEN = 16
"""What is sent as a token and is shorter was made up by a scenario; as a secret it would blot out innocent text."""


@dataclass(slots=True)
class Traffic:
    """How much went over the wire."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    throttled: int = 0

    def add(self, status: int) -> None:
        """Count one answer."""
        self.requests += 1
        self.client_errors += CLIENT_ERROR <= status < SERVER_ERROR
        self.server_errors += status >= SERVER_ERROR
        self.throttled += status == TOO_MANY

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests by the label of their endpoint (`POST /order`, or `other`), and how many were answered 4xx."""

    requests: Counter[str] = field(default_factory=Counter)
    client_errors: int = 0

    def __add__(self, more: Spent) -> Spent:
        return Spent(self.requests + more.requests, self.client_errors + more.client_errors)

    def __sub__(self, part: Spent) -> Spent:
        return Spent(self.requests - part.requests, self.client_errors - part.client_errors)


class Journal:
    """Takes note of every exchange. As a context manager it closes its HAR file, which is the user's alone (0600)."""

    def __init__(self, redactor: Redactor, har: Path | None = None, email: str = "") -> None:
        """`har` is where traffic is written (nowhere if None); `email` marks credentials as real ones."""
        self.redactor = redactor
        self.traffic = Traffic()
        self.by_endpoint: Counter[str] = Counter()
        """Requests by the label of their endpoint."""
        self._email = email
        self._har = _open_har(har) if har else None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the HAR file. Closing twice does nothing."""
        if self._har is not None:
            self._har.close()
            self._har._fd.close()
            self._har = None

    def spent(self) -> Spent:
        """What was sent so far."""
        return Spent(self.by_endpoint.copy(), self.traffic.client_errors)

    def record(self, exchange: Exchange) -> None:
        """Take note of an exchange. Raises OSError where the HAR file cannot be written."""
        self.learn(exchange)
        self.traffic.add(exchange.status)
        self.by_endpoint[exchange.endpoint.label if exchange.endpoint else OTHER] += 1
        if self._har is not None:
            _write(self._har, exchange, self.redactor)

    def learn(self, exchange: Exchange) -> None:
        """Every token that was sent or received is a secret, damaged ones too: one character off is all but the token."""
        learn = self.redactor.learn_token
        token = exchange.request_headers.get(TOKEN_HEADER.lower())
        if token and len(token) >= SHORTEST_TOKEN:
            learn(token, ACCESS_TOKEN_FIELD)
        for body in (exchange.request_body, exchange.response_body):
            if not _MAY_HOLD_SECRETS.search(body):
                continue
            for name, value in _named_texts(body):
                if len(value) < SHORTEST_TOKEN and name not in _TOKEN_FIELDS:
                    continue
                if "token" in name.lower() or _JWT.fullmatch(value):
                    learn(value, name if name in _TOKEN_FIELDS else ACCESS_TOKEN_FIELD)
                elif name == CREDENTIALS_FIELD:
                    # Malformed ones may be real ones, damaged; well-formed ones show whether anything real is in them.
                    pair = decode_credentials(value)
                    shown = pair and ":".join(pair)
                    if not pair or not shown or pair[0] == self._email or self.redactor.text(shown) != shown:
                        self.redactor.learn_base64(value, CREDENTIALS_FIELD)
        for value in _told_tokens(exchange):
            learn(value, ACCESS_TOKEN_FIELD)


_TOKEN_FIELDS = frozenset({ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD})
_MAY_HOLD_SECRETS = re.compile(rb"(?i)token|eyJ|bearer|" + CREDENTIALS_FIELD.encode())
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]*\.[\w-]*")

_TOLD = re.compile(
    rf"(?i:token(?:[\s\"'\\:=]|&(?:quot|\#34|\#x22);|%(?:22|3a|3d|20)){{1,12}}|bearer(?:\s|%20|\+){{1,4}})"
    rf"(?=[A-Za-z._~+/=-]*\d)([A-Za-z0-9._~+/=-]{{{SHORTEST_TOKEN},}})"
)
"""A token in a text of any kind: what follows its name. One without a digit is a word."""


def _told_tokens(exchange: Exchange) -> Iterator[str]:
    """Tokens in an answer that is no JSON, or in the middle of its texts, or in its headers."""
    headers = exchange.response_headers.items()
    told = "\n".join(f"{name}: {value}" for name, value in headers).encode("utf-8", "replace")
    for raw in (told, exchange.response_body):
        if _MAY_HOLD_SECRETS.search(raw):
            text = raw.decode("utf-8", "replace")
            yield from (found for found in _JWT.findall(text) if len(found) >= SHORTEST_TOKEN)
            yield from _TOLD.findall(text)


def _named_texts(body: bytes) -> Iterator[tuple[str, str]]:
    """Every text in a JSON body with the name of the field it stands in."""
    try:
        found: list[tuple[str, JSONValue]] = [("", loads(body))]
    except NotJSON:
        return
    while found:
        name, value = found.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            found.extend(value.items())
        elif isinstance(value, list):
            found.extend((name, part) for part in value)


def _open_har(path: Path) -> harfile.HarFile:
    import harfile

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # it may have been there
    stream = os.fdopen(descriptor, "w", encoding="utf-8")
    return harfile.HarFile(stream, creator=harfile.Creator(name="koncili-conformance", version=__version__))


def _write(har: harfile.HarFile, exchange: Exchange, redactor: Redactor) -> None:
    import harfile

    request_type = exchange.request_headers.get("content-type", "")
    milliseconds = round(exchange.seconds * 1000, 3)
    body = redactor.bytes_as_text(exchange.request_body)
    har.add_entry(
        startedDateTime=exchange.started_at,
        time=milliseconds,
        request=harfile.Request(
            method=exchange.method,
            url=redactor.text(exchange.url),
            httpVersion="HTTP/1.1",
            headers=[
                harfile.Record(name, redactor.header(name, value)) for name, value in exchange.request_headers.items()
            ],
            queryString=[
                harfile.Record(redactor.text(name), redactor.text(value))
                for name, value in parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)
            ],
            postData=harfile.PostData(mimeType=request_type, text=body) if exchange.request_body else None,
            bodySize=len(exchange.request_body),
        ),
        response=harfile.Response(
            status=exchange.status,
            statusText="",
            httpVersion="HTTP/1.1",
            headers=[
                harfile.Record(name, redactor.header(name, value)) for name, value in exchange.response_headers.items()
            ],
            content=harfile.Content(
                size=len(exchange.response_body),
                mimeType=exchange.response_headers.get("content-type", ""),
                text=redactor.bytes_as_text(exchange.response_body),
            ),
            bodySize=len(exchange.response_body),
        ),
        timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
    )
