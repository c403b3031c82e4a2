"""What no report may show: tokens and credentials of a recording, known by where they stand and by their values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from conformance.audit.call import Call
from conformance.contract.credentials import decode_credentials
from conformance.contract.endpoints import CREDENTIALS_FIELD, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import NotJSON, dumps, loads
from conformance.target.wire.exchange import Exchange as WireExchange
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.token_patterns import told_tokens
from conformance.traffic.exchange import Exchange, Headers, Missing

MOST_TOKENS: Final = 20_000
"""Of so many access tokens the values are kept."""

_SECRET_HEADERS: Final = frozenset(
    {TOKEN_HEADER.lower(), "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
)
_SECRET_NAME: Final = re.compile(r"(?i)token|credential|password|passwd|senha|secret|authorization|api_?key")
_BLOT: Final = "<redacted:{}>"


class Secrets:
    """Learns the secrets of a recording as it is read, and takes them out of what is reported."""

    def __init__(self) -> None:
        self.redactor = Redactor()
        self._journal = Journal(self.redactor)
        self._tokens: set[str] = set()

    def learn(self, exchange: Exchange) -> None:
        """Take note of the secrets in an exchange; of most there is nothing new."""
        if self.is_new(exchange):
            body = exchange.request.body
            self._journal.learn(_wire(exchange))
            if isinstance(body, bytes):
                self._learn_credentials(body)

    def is_new(self, exchange: Exchange) -> bool:
        """Whether an exchange may hold a secret that none before it held."""
        token = exchange.request.header(TOKEN_HEADER)
        body = exchange.request.body
        if isinstance(token, str) and token not in self._tokens and len(self._tokens) < MOST_TOKENS:
            self._tokens.add(token)
            return True
        return "/auth/" in exchange.request.url or (isinstance(body, bytes) and b"redentials" in body)

    def _learn_credentials(self, body: bytes) -> None:
        try:
            content = loads(body)
        except NotJSON:
            return
        value = content.get(CREDENTIALS_FIELD) if isinstance(content, dict) else None
        pair = decode_credentials(value) if isinstance(value, str) else None
        if pair is not None:
            self.redactor.learn_base64(str(value), CREDENTIALS_FIELD)
            self.redactor.learn(pair[1], "password")
            self.redactor.learn(pair[0], "email")

    def text(self, text: str) -> str:
        """The text without secrets."""
        for token in told_tokens(text):
            text = text.replace(token, _BLOT.format("token"))
        return self.redactor.text(text)

    def without(self, call: Call) -> WireExchange:
        """The call and its answer, with what is a secret by its name blotted out."""
        self._journal.learn(_wire(call.exchange))
        wire = _wire(call.exchange)
        return WireExchange(
            started_at=wire.started_at,
            method=wire.method,
            url=_url(wire.url),
            request_headers=_headers(wire.request_headers),
            request_body=_body(wire.request_body),
            status=wire.status,
            response_headers=_headers(wire.response_headers),
            response_body=_body(wire.response_body),
            seconds=wire.seconds,
            endpoint=call.endpoint,
        )


def _wire(exchange: Exchange) -> WireExchange:
    """The exchange as redaction and reports take it: what was not recorded is empty in it."""
    answer = exchange.response if exchange.response is not None and not isinstance(exchange.response, Missing) else None
    return WireExchange(
        started_at=datetime.fromtimestamp(0, UTC) if isinstance(exchange.started, Missing) else exchange.started,
        method=exchange.request.method,
        url=exchange.request.url,
        request_headers=_known(exchange.request.headers),
        request_body=b"" if isinstance(exchange.request.body, Missing) else exchange.request.body,
        status=answer.status if answer else 0,
        response_headers=_known(answer.headers) if answer else {},
        response_body=b"" if answer is None or isinstance(answer.body, Missing) else answer.body,
        seconds=0.0 if isinstance(exchange.took, Missing) else exchange.took.total_seconds(),
        endpoint=_token_endpoint(exchange),
    )


def _token_endpoint(exchange: Exchange) -> Endpoint | None:
    return next(
        (one for one in (Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN) if one.path in exchange.request.url), None
    )


def _known(headers: Headers | Missing) -> dict[str, str]:
    return {} if isinstance(headers, Missing) else dict(headers)


def _headers(headers: Any) -> dict[str, str]:
    return {
        name: _blotted(name, value) if name in _SECRET_HEADERS or _SECRET_NAME.search(name) else value
        for name, value in headers.items()
    }


def _blotted(name: str, value: str) -> str:
    if not value:
        return value
    return _BLOT.format("accessToken" if name == TOKEN_HEADER.lower() else name)


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _BLOT.format("url")
    netloc = parts.netloc.rpartition("@")[2]
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = parts.query
    if any(_SECRET_NAME.search(name) for name, _ in pairs):
        told = [(name, _BLOT.format(name) if _SECRET_NAME.search(name) else value) for name, value in pairs]
        query = "&".join(f"{quote(name)}={quote(value, safe='<>:')}" for name, value in told)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _body(body: bytes) -> bytes:
    """A JSON body whose fields with the name of a secret are blotted out; any other as it is."""
    if not _SECRET_NAME.search(body.decode("latin-1")):
        return body
    try:
        return dumps(_without(loads(body))).encode()
    except NotJSON:
        return _BLOT.format("body").encode()


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _BLOT.format(name) if _SECRET_NAME.search(name) and isinstance(part, str) else _without(part)
            for name, part in value.items()
        }
    return [_without(part) for part in value] if isinstance(value, list) else value
