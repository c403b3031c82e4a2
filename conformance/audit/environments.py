"""Sandbox and production in one recording: each is a world of its own, which does not hold what the other holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from conformance.audit.books import Books
from conformance.audit.call import OF_TOKENS, Call, Came, Place
from conformance.audit.callback_rules import Callbacks
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.audit.places import Places
from conformance.audit.states import Overheard
from conformance.contract.endpoints import Endpoint

_CHANGES_ORDERS: Final = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER})
_DEFAULT_PORT: Final = re.compile(r":(?:80|443)\Z")


class Environments:
    """Judges what is sent, one call after the other, in the environment that it is sent to, and keeps the books of all.

    An environment is a server by its name (Koncili documents a host for each). Two names are one where a token that was used for
    an account under the one comes under the other. What is told of an account hangs on its own calls only, so that accounts can
    be judged apart.
    """

    def __init__(self, findings: Findings, readings: Mapping[str, str]) -> None:
        self._findings, self._readings = findings, readings
        self.books = Books()
        self._overheard = Overheard()
        self._callbacks = Callbacks(findings)
        self._places: dict[str, Places] = {}
        self._of: dict[Place | None, dict[str, _Server]] = {}

    def catch_up(self, until: datetime) -> None:
        """Take note of what had been answered by then."""
        for places in self._places.values():
            places.catch_up(until)

    def take(self, call: Call) -> bool:
        """Judge a call; whether a refusal of it is explained by what is no fault of this very call."""
        if call.endpoint in OF_TOKENS:
            return False
        if call.may_be_about_any:
            self.overhear(call)
        return self._at(call).take(call)

    def overhear(self, call: Call) -> None:
        """A call of which the recording does not say which account it is about: it may be any, unless it was not carried out."""
        if call.came in {Came.REFUSED, Came.UNHEARD}:
            return
        if call.endpoint in _CHANGES_ORDERS:
            self._overheard.take(call)
        for places in self._places.values():
            places.overhear(call)

    def doubt(self, call: Call) -> None:
        """A call that the same file held before: it was recorded twice, or sent twice at once."""
        if call.endpoint not in OF_TOKENS:
            self._at(call).doubt(call)

    def miss(self) -> None:
        """An entry can't be read: nobody knows what was called there."""
        for places in self._places.values():
            places.miss()

    def hear(self, call: Call, notification: Mapping[str, object]) -> None:
        """Judge what the integration's callback has answered, and take note of what it was told."""
        self._callbacks.take(call, notification)
        self.learn(notification)

    def learn(self, notification: Mapping[str, object]) -> None:
        """Take note of a notification. Which environment it came from it does not say."""
        for places in self._places.values():
            places.learn(notification)

    def finish(self) -> None:
        """Judge what only the end decides."""
        self._callbacks.finish()
        for _, places in sorted(self._places.items()):
            places.finish()
            self.books.take_over(places.books)

    def _at(self, call: Call) -> Places:
        place = None if call.endpoint is None else call.place  # of what is not documented nobody knows what it is about
        servers = self._of.setdefault(place, {})
        name = server_of(call.base)
        token = call.token if call.token is not None and not is_masked(call.token) else None
        server = servers.get(name)
        if server is None:
            same = (one.environment for one in servers.values() if token is not None and one.token == token)
            server = servers[name] = _Server(next(same, name))
        server.token = token or server.token
        places = self._places.get(server.environment)
        if places is None:
            places = self._places[server.environment] = Places(
                self._findings, self._readings, server.environment, self._overheard
            )
        return places


class _Server:
    """A name under which calls about an account go to Koncili."""

    __slots__ = ("environment", "token")

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.token: str | None = None
        """The last one that came there."""


@lru_cache(maxsize=256)
def server_of(base: str) -> str:
    """The server that a base URL is of, whether it is called by HTTP or HTTPS."""
    host, slash, path = (base.partition("://")[2] or base).partition("/")
    return _DEFAULT_PORT.sub("", host).lower() + slash + path
