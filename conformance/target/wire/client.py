"""Calls to Koncili: one connection pool, one token, every exchange through budget and journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final

from conformance import __version__
from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import JSONValue, dumps
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.errors import Doubtful
from conformance.target.config import Target
from conformance.target.shared.budget import Budget
from conformance.target.shared.ledger import Ledger
from conformance.target.waiting import Waiting
from conformance.target.wire.admission import NEW_TOKENS, PAUSES, Admission
from conformance.target.wire.at_once import Sent
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.http.building import Builder
from conformance.target.wire.http.network import Network, Transport, answer_seconds
from conformance.target.wire.journal import Journal
from conformance.target.wire.proxies import Proxy, proxy_to
from conformance.target.wire.public_words import own_words
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.sender import Sender
from conformance.target.wire.tokens import Tokens, says_no_token, tokens_in
from conformance.target.wire.transport import GuardedTransport

UNAUTHORISED: Final = 401


@dataclass(frozen=True, slots=True)
class Calling:
    """One of several calls that are sent at once: its content is sent as it is (None: no body)."""

    endpoint: Endpoint
    query: Mapping[str, str] | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class KonciliClient:
    """Talks to one target as one integrator. As a context manager it closes its connections."""

    def __init__(
        self,
        target: Target,
        *,
        journal: Journal,
        budget: Budget,
        readings: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: Transport | None = None,
        ledger: Ledger | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        """`now` is the clock by which tokens age; `transport` leads to a mock in process. What is created is written into
        the `ledger`.

        Raises CannotRun where the environment lacks the credentials, or names a proxy or certificates that can't be used.
        """
        self.target = target
        self.journal = journal
        lifetime = timedelta(seconds=TOKEN_LIFETIME_SECONDS[readings["token-lifetime"]])
        journal.redactor.leave(own_words(target))
        self.tokens = Tokens(
            target, journal.redactor, lambda endpoint, body: self.call(endpoint, body=body), lifetime, now
        )
        proxy = None if transport is not None else proxy_to(target.base_url)
        if proxy is not None:
            _keep_proxy_secret(journal.redactor, proxy)
        self._builder = Builder(
            target.base_url, [endpoint.path for endpoint in Endpoint], f"koncili-conformance/{__version__}"
        )
        waiting = waiting or Waiting()
        inner = transport or Network(target.base_url, proxy, answer_seconds(waiting.at_most))
        self._transport = GuardedTransport(inner, self._builder, budget, journal, ledger, waiting)
        self.sender = Sender(
            target, self._transport, self._builder, journal.redactor, waiting, in_process=transport is not None
        )
        self._not_let_in = 0
        """How many calls in a row were refused for a token that was just given."""
        self._unauthorised: set[Endpoint] = set()
        """Where a call got 401 with a token that was just given."""
        self._admission = Admission(waiting, () if transport is not None else PAUSES)
        self.sender.gives_a_token = lambda: tokens_in(self.create_token())[0] is not None

    def __enter__(self) -> KonciliClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def credentials(self) -> str:
        """The credentials string of the target's integrator."""
        return self.tokens.credentials

    @property
    def is_blocked(self) -> bool:
        """Whether the target answered 423: nothing more is sent."""
        return self.sender.blocked is not None

    @property
    def email(self) -> str:
        """The integrator's email, for credentials that are wrong only in the password."""
        return self.tokens.email

    def call(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: JSONValue = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Exchange:
        """Call an endpoint with a JSON body, or with `bytes` as they are (None: no body).

        The token and the integrator go along unless `headers` names them: a value replaces, None leaves out. A 403 NO_TOKEN to
        the client's own token, or a 401, gets new ones and is tried again. Raises NotLetIn where new ones are refused whatever
        is called, TargetUnavailable and CannotRun.
        """
        content = None if body is None else body if isinstance(body, bytes) else dumps(body).encode()
        sent = dict(headers or {})
        if endpoint.needs_token and TOKEN_HEADER not in sent:
            sent[TOKEN_HEADER] = self.tokens.access()
        if endpoint.needs_token:
            sent.setdefault(INTEGRATOR_HEADER, str(self.target.integrator))
        carrier = self._carrier(headers or {}) if endpoint.needs_token else None

        doubts: list[Doubtful] = []

        def again() -> Exchange:
            """Send it. That its token is dead says nothing of a call, nor of one to which an answer was lost before."""
            try:
                return self.sender.send(
                    endpoint.method, endpoint.path, query=query, content=content, headers=sent, lost=bool(doubts)
                )
            except Doubtful as doubt:
                doubt.passed = doubt.passed or (doubts[0].passed if doubts else None)
                if carrier is None or doubt.refusal is None or not _is_about_the_token(doubt.refusal):
                    raise
                doubts.append(doubt)
                refused: Exchange = doubt.refusal
                return refused

        exchange = again()
        if carrier is None:
            return exchange
        # A wrong integrator, or the name in other letters, may be what it is refused for.
        is_plain = (
            carrier == TOKEN_HEADER
            and INTEGRATOR_HEADER not in (headers or {})
            and not self._admission.is_refusing(endpoint)
        )
        for _ in range(NEW_TOKENS if is_plain else 1):
            if not says_no_token(exchange) and not (is_plain and self._may_be_a_dead_token(endpoint, exchange)):
                break
            self.tokens.drop()
            sent[carrier] = self.tokens.access()
            exchange = again()
            if exchange.status == UNAUTHORISED:  # with a new one too: it is about something else
                self._unauthorised.add(endpoint)
        if is_plain and says_no_token(exchange):
            exchange = self._let_in(endpoint, exchange, again, sent)
        if doubts and _is_about_the_token(exchange):
            raise doubts[-1]
        if doubts and exchange.passed is None:
            exchange = replace(exchange, passed=doubts[0].passed)
        self._not_let_in = 0
        return exchange

    def _may_be_a_dead_token(self, endpoint: Endpoint, exchange: Exchange) -> bool:
        """Whether something says by 401 that the token is dead, as a gateway may whose session has ended."""
        return exchange.status == UNAUTHORISED and endpoint not in self._unauthorised

    def _carrier(self, given: Mapping[str, str | None]) -> str | None:
        """The header that carries the client's own token: one that the call does not name, or of which it only writes
        the name otherwise. None where the call names a token, whichever: how long that lives may be what it is about."""
        if TOKEN_HEADER not in given:
            return TOKEN_HEADER
        carriers = [name for name, value in given.items() if name.lower() == TOKEN_HEADER.lower() and value is not None]
        return next((name for name in carriers if name != TOKEN_HEADER and self.tokens.is_own(given[name])), None)

    def _let_in(
        self, endpoint: Endpoint, refused: Exchange, again: Callable[[], Exchange], sent: Mapping[str, str | None]
    ) -> Exchange:
        """The answer of a target that refuses tokens which it has just given. Raises as `call` does."""
        by = Endpoint.GET_ORDER if endpoint is Endpoint.LIST_ACCOUNTS else Endpoint.LIST_ACCOUNTS

        def other() -> Exchange:
            plain = {name: sent[name] for name in (TOKEN_HEADER, INTEGRATOR_HEADER)}
            return self.sender.send(by.method, by.path, headers=plain)

        answer = self._admission.insist(endpoint, refused, again, other)
        if answer is None:
            self._not_let_in += 1
            call, another = (f"{one.method} {one.path}" for one in (endpoint, by))
            raise self.sender.not_let_in(call, another, self._not_let_in)
        return answer

    def call_at_once(self, calls: Sequence[Calling], offsets: Sequence[float] = ()) -> list[Sent]:
        """Send these calls at once, once each, with the client's own token where `headers` names none; each so many seconds
        after all are ready. None of them is sent again, whatever it is answered, and a missing answer is told, not raised.

        Raises TargetUnavailable and CannotRun, where none was answered too.
        """
        self.sender.check_open()
        requests = []
        for one in calls:
            given = {"connection": "close", **one.headers}
            if one.endpoint.needs_token:
                given.setdefault(TOKEN_HEADER, self.tokens.access())
                given.setdefault(INTEGRATOR_HEADER, str(self.target.integrator))
            if one.content is not None:
                given.setdefault("content-type", "application/json")
            if one.endpoint is Endpoint.CREATE_RECONCILIATION and self.sender.before_creation is not None:
                self.sender.before_creation(one.content or b"")
            requests.append(self._builder.build(one.endpoint.method, one.endpoint.path, one.query, one.content, given))
        results = self.sender.send_at_once(requests, offsets)
        if any(one.exchange is not None and says_no_token(one.exchange) for one in results):
            self.tokens.drop()  # the next call gets another
        return results

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Exchange:
        """Send a request as it is given, documented or not, as `Sender.send` does."""
        return self.sender.send(method, path, query=query, content=content, headers=headers)

    def access_token(self) -> str:
        """A token that is good for at least another minute. Raises CannotRun where the credentials are refused."""
        return self.tokens.access()

    def refresh_token(self, refresh: JSONValue) -> Exchange:
        """Ask for a new pair of tokens by a refresh token."""
        return self.tokens.refresh(refresh)

    def create_token(self, credentials: JSONValue = None) -> Exchange:
        """Ask for a pair of tokens, by the target's credentials where none are given."""
        return self.tokens.create(credentials)


def _is_about_the_token(exchange: Exchange) -> bool:
    return says_no_token(exchange) or exchange.status == UNAUTHORISED


def _keep_proxy_secret(redactor: Redactor, proxy: Proxy) -> None:
    """The same for the credentials of the proxy on the way. A name without a password is one."""
    redactor.learn(proxy.password or proxy.user, "proxyPassword")
    if proxy.user or proxy.password:
        redactor.learn_base64(encode_credentials(proxy.user, proxy.password), "proxyCredentials")
