"""Every exchange of a run: counted, its secrets learnt, written to a HAR file with those secrets blotted out."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
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
    Endpoint,
)
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.token_patterns import SHORTEST_TOKEN, told_tokens

if TYPE_CHECKING:
    import harfile

CLIENT_ERROR, SERVER_ERROR, TOO_MANY = 400, 500, 429

LONGEST_TOKEN = 16 * 1024
"""What is longer fits into no header, and so is no token."""

LONGEST_ODD = 512
"""What is longer and made of other characters than tokens are is none either: to find it in every form would take long."""

TOKENS_OF_AN_ANSWER = 64
"""So many tokens of one answer are taken note of, besides those that it was asked for."""

TOKENS_OF_A_RUN = 1_000_000
"""So many characters of such tokens in all: each is searched for in every text, and takes room."""

LARGE_BODY = 16 * 1024
"""Characters of an answer's body that are always written down."""

LARGE_BODIES = 8 * 1024 * 1024
"""So many characters of larger bodies in all are written down whole: who reads the traffic reads it into memory."""

ROOM_OF_A_TOKEN = 500
"""What a short one counts for."""


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
    """Requests by the label of their endpoint (`POST /order`, or `other`), how many were answered 4xx, how many reconciliations
    were opened."""

    requests: Counter[str] = field(default_factory=Counter)
    client_errors: int = 0
    reconciliations: int = 0

    def __add__(self, more: Spent) -> Spent:
        return Spent(
            self.requests + more.requests,
            self.client_errors + more.client_errors,
            self.reconciliations + more.reconciliations,
        )

    def __sub__(self, part: Spent) -> Spent:
        return Spent(
            self.requests - part.requests,
            self.client_errors - part.client_errors,
            self.reconciliations - part.reconciliations,
        )


class Journal:
    """Takes note of every exchange. As a context manager it closes its HAR file, which is the user's alone (0600)."""

    def __init__(self, redactor: Redactor, har: Path | None = None, email: str = "") -> None:
        """`har` is where traffic is written (nowhere if None); `email` marks credentials as real ones."""
        self.redactor = redactor
        self.traffic = Traffic()
        self.by_endpoint: Counter[str] = Counter()
        """Requests by the label of their endpoint."""
        self.reconciliations = 0
        """How many were opened."""
        self.about = ""
        """What is sent from now on is for: rule and scenario, or what else. It stands with each exchange in the HAR file."""
        self.kind = ""
        """The kind of fault that is being tried; "" where it is none, or several."""
        self._email = email
        self._room = TOKENS_OF_A_RUN
        """For so many characters of tokens that answers hold without being asked for them there is room."""
        self._room_for_large = LARGE_BODIES
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
        return Spent(self.by_endpoint.copy(), self.traffic.client_errors, self.reconciliations)

    def record(self, exchange: Exchange) -> None:
        """Take note of an exchange. Raises OSError where the HAR file cannot be written, once: what is cleared away after that is
        in no file."""
        self.learn(exchange)
        self.traffic.add(exchange.status)
        self.by_endpoint[exchange.endpoint.label if exchange.endpoint else OTHER] += 1
        self.reconciliations += exchange.endpoint is Endpoint.CREATE_RECONCILIATION and exchange.is_accepted
        if self._har is not None:
            told = self._cut(self.redactor.bytes_as_text(exchange.response_body))
            try:
                _write(self._har, exchange, self.redactor, told, ": ".join(filter(None, (self.about, self.kind))))
            except OSError:
                unfinished, self._har = self._har, None
                with suppress(OSError):  # what it holds finds no room either
                    unfinished._fd.close()
                raise

    def _cut(self, text: str) -> str:
        """What of an answer's body is written down: all, unless answers are large again and again."""
        if len(text) > LARGE_BODY:
            if len(text) > self._room_for_large:
                return f"{text[:LARGE_BODY]} … {len(text) - LARGE_BODY:,} characters more"
            self._room_for_large -= len(text)
        return text

    def learn(self, exchange: Exchange) -> None:
        """Every token that was sent or received is a secret, damaged ones too: one character off is all but the token."""
        token = exchange.request_headers.get(TOKEN_HEADER.lower())
        if token and len(token) >= SHORTEST_TOKEN:
            self.redactor.learn_token(token, ACCESS_TOKEN_FIELD)
        self._learn_named(exchange.request_body)
        given = exchange.json if exchange.endpoint in _GIVE_TOKENS else None
        if isinstance(given, dict):
            for name in _TOKEN_FIELDS & given.keys():
                if isinstance(given[name], str) and len(given[name]) <= LONGEST_TOKEN:
                    self.redactor.learn_token(given[name], name)
        left = TOKENS_OF_AN_ANSWER
        seen: set[str] = set()
        for value in _told_tokens(exchange):
            if value in seen:
                continue
            seen.add(value)
            if left <= 0:
                break
            left -= self._learn_if_room(value, ACCESS_TOKEN_FIELD)
        self._learn_named(exchange.response_body, left)

    def _learn_named(self, body: bytes, at_most: int | None = None) -> None:
        """Learn what a JSON body names tokens and credentials: all of it, or so many that there is room for."""
        if not _MAY_HOLD_SECRETS.search(body):
            return
        left = at_most
        for name, value in _named_texts(body):
            if left is not None and left <= 0:
                return
            if not _may_be_token(name, value):
                continue
            learn = self._learn_if_room if left is not None else self._learn
            if "token" in name.lower() or _JWT.fullmatch(value):
                learnt = learn(value, name if name in _TOKEN_FIELDS else ACCESS_TOKEN_FIELD)
            elif name == CREDENTIALS_FIELD and self._are_real(value):
                learnt = learn(value, CREDENTIALS_FIELD)
            else:
                continue
            left = None if left is None else left - learnt

    def _are_real(self, credentials: str) -> bool:
        """Malformed ones may be real ones, damaged; well-formed ones show whether anything real is in them."""
        pair = decode_credentials(credentials)
        shown = pair and ":".join(pair)
        return not pair or not shown or pair[0] == self._email or self.redactor.text(shown) != shown

    def _learn(self, value: str, name: str) -> bool:
        learn = self.redactor.learn_base64 if name == CREDENTIALS_FIELD else self.redactor.learn_token
        learn(value, name)
        return True

    def _learn_if_room(self, value: str, name: str) -> bool:
        """The same where there is room for it. Of what is known already nothing is counted."""
        if len(value) > self._room or _BLOT.fullmatch(self.redactor.text(value)):
            return False
        self._room -= max(len(value), ROOM_OF_A_TOKEN)
        return self._learn(value, name)


_TOKEN_FIELDS = frozenset({ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD})
_MAY_HOLD_SECRETS = re.compile(rb"(?i)token|eyJ|bearer|" + CREDENTIALS_FIELD.encode())
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]*\.[\w-]*")
_BLOT = re.compile(r"<redacted:\w+>")
_OF_TOKENS = re.compile(r"[\w.~+/=-]*")
_GIVE_TOKENS = frozenset({Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN})


def _may_be_token(name: str, value: str) -> bool:
    """Whether it is neither too short nor too long for one."""
    if len(value) < SHORTEST_TOKEN:
        return name in _TOKEN_FIELDS
    return len(value) <= (LONGEST_TOKEN if _OF_TOKENS.fullmatch(value) else LONGEST_ODD)


def _told_tokens(exchange: Exchange) -> Iterator[str]:
    """Tokens in an answer that is no JSON, or in the middle of its texts, or in its headers."""
    headers = exchange.response_headers.items()
    told = "\n".join(f"{name}: {value}" for name, value in headers).encode("utf-8", "replace")
    for raw in (told, exchange.response_body):
        if _MAY_HOLD_SECRETS.search(raw):
            yield from (token[:LONGEST_TOKEN] for token in told_tokens(raw.decode("utf-8", "replace")))


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


def _write(har: harfile.HarFile, exchange: Exchange, redactor: Redactor, told: str, about: str) -> None:
    """`told` is the body of the answer, without secrets, `about` what the call was for."""
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
                harfile.Record(redactor.word(name), redactor.header(name, value))
                for name, value in exchange.request_headers.items()
            ],
            queryString=[
                harfile.Record(redactor.word(name), redactor.text(value))
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
                harfile.Record(redactor.word(name), redactor.header(name, value))
                for name, value in exchange.response_headers.items()
            ],
            content=harfile.Content(
                size=len(exchange.response_body),
                mimeType=redactor.word(exchange.response_headers.get("content-type", "")),
                text=told,
            ),
            bodySize=len(exchange.response_body),
        ),
        timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
        comment=": ".join(part for part in (about, redactor.word(exchange.note)) if part) or None,
    )
