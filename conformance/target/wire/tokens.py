"""The tokens of an integrator: asked for by its credentials, renewed before they die."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    EXPIRES_IN_FIELD,
    REFRESH_TOKEN_FIELD,
    Endpoint,
)
from conformance.contract.jsontext import JSONValue
from conformance.errors import CannotRun
from conformance.escaping import visible
from conformance.target.config import Target
from conformance.target.wire.exchange import SERVER_ERROR, Exchange
from conformance.target.wire.redaction import Redactor

FORBIDDEN = 403

LONGEST_HEADER = 16 * 1024
"""A token that is longer fits into no header: servers take 8 or 16 KiB of them all."""

SHORTEST_CUT = 8
"""Of a password that is no longer than this, what is like it is not kept secret: it would take innocent words with it."""

_HEADER = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_HEADER}}}")

RENEW_BEFORE = timedelta(seconds=60)
"""How long before its death a token is replaced."""


class Tokens:
    """The access and the refresh token at hand. Asks for others by `call`."""

    def __init__(
        self,
        target: Target,
        redactor: Redactor,
        call: Callable[[Endpoint, JSONValue], Exchange],
        lifetime: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        """`now` is the clock by which tokens age. Raises CannotRun where the environment lacks the credentials."""
        self.email, self._password = target.credentials.values()
        self._base_url = target.base_url
        self._redactor = redactor
        self._call = call
        self._lifetime = lifetime
        self._now = now
        self._token: str | None = None
        self._refresh: str | None = None
        self._renew_at = now()
        keep_secret(redactor, self.email, self._password)

    @property
    def credentials(self) -> str:
        """The credentials string of the target's integrator."""
        return encode_credentials(self.email, self._password)

    def drop(self) -> None:
        """Ask for another before the next call: what a refresh gave may be dead, too."""
        self._token = self._refresh = None

    def is_own(self, token: str | None) -> bool:
        """Whether this is the access token that calls carry now."""
        return token is not None and token == self._token

    def access(self) -> str:
        """A token that is good for at least another minute. Raises CannotRun where the credentials are refused."""
        if self._token is None or self._now() >= self._renew_at:
            self._renew()
        return self._token or ""

    def _renew(self) -> None:
        """A new token by the refresh token, else by the credentials: a refused refresh is no reason to give up."""
        refresh, self._refresh = self._refresh, None
        if refresh is not None:
            exchange = self.refresh(refresh)
            if tokens_in(exchange)[0] is not None:
                return self._take(exchange)
        return self._take(self.create())

    def refresh(self, refresh: JSONValue) -> Exchange:
        """Ask for a new pair of tokens by a refresh token."""
        return self._call(Endpoint.REFRESH_TOKEN, {REFRESH_TOKEN_FIELD: refresh})

    def create(self, credentials: JSONValue = None) -> Exchange:
        """Ask for a pair of tokens, by the target's credentials where none are given."""
        body = {CREDENTIALS_FIELD: self.credentials if credentials is None else credentials}
        return self._call(Endpoint.CREATE_TOKEN, body)

    def _take(self, exchange: Exchange) -> None:
        token, self._refresh = tokens_in(exchange)
        if token is None:
            failed = exchange.status >= SERVER_ERROR
            remedy = "run again when it works" if failed else "check email, password and base_url"
            raise CannotRun(
                f"{self._base_url} gives no access token for these credentials: {exchange.status} "
                f"{visible(self._redactor.bytes_as_text(exchange.response_body)[:200])}; {remedy}"
            )
        if not _HEADER.fullmatch(token):
            raise CannotRun(
                f"{self._base_url} gives an access token that no header can carry: {len(token)} characters, of which "
                f"a header takes {LONGEST_HEADER} of printable ASCII"
            )
        self._token = token
        lifetime = exchange.json.get(EXPIRES_IN_FIELD)
        documented = self._lifetime.total_seconds()
        shorter = isinstance(lifetime, int) and 0 < lifetime < documented  # what is more may be no lifetime at all
        lasts = timedelta(seconds=lifetime) if shorter else self._lifetime
        self._renew_at = self._now() + max(lasts - RENEW_BEFORE, lasts / 2)


def keep_secret(redactor: Redactor, email: str, password: str) -> None:
    """Teach the redactor the credentials, and what is as good as they are."""
    redactor.learn(password, "password")
    redactor.learn(email, "email")
    redactor.learn(email.lower(), "email")  # as servers keep it
    redactor.learn_base64(encode_credentials(email, password), CREDENTIALS_FIELD)
    if len(password) > SHORTEST_CUT:  # what scenarios send in its place, and a server may decode and tell
        redactor.learn(password.swapcase(), "password")
        redactor.learn(password[:-1], "password")


def tokens_in(exchange: Exchange) -> tuple[str | None, str | None]:
    """The access and the refresh token in an answer, each None where there is none."""
    fields = exchange.json
    if not isinstance(fields, dict):
        return None, None
    access, refresh = (fields.get(name) for name in (ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD))
    return access if isinstance(access, str) and access else None, refresh if isinstance(
        refresh, str
    ) and refresh else None


def says_no_token(exchange: Exchange) -> bool:
    """Whether a call was refused for its token, as documented; more fields may stand beside."""
    body = exchange.json
    return exchange.status == FORBIDDEN and isinstance(body, dict) and body.get("response") == "NO_TOKEN"
