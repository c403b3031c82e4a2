"""Calls to Koncili: one connection pool, one token, every exchange through budget and journal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType

from conformance import __version__
from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import (
    ACCESS_TOKEN_FIELD,
    CREDENTIALS_FIELD,
    EXPIRES_IN_FIELD,
    INTEGRATOR_HEADER,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
    endpoint_of,
)
from conformance.contract.jsontext import JSONValue, dumps
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.errors import CannotRun, Doubtful, GoneAway, TargetUnavailable, WaitTooLong
from conformance.escaping import visible
from conformance.target.config import Target
from conformance.target.shared.budget import Budget
from conformance.target.shared.ledger import Ledger
from conformance.target.waiting import Waiting
from conformance.target.wire.at_once import Sent
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.http import (
    Builder,
    Garbled,
    Network,
    NeverSent,
    NoAnswer,
    ProxyRefused,
    StillPassing,
    Transport,
    answer_seconds,
)
from conformance.target.wire.journal import Journal
from conformance.target.wire.proxies import Proxy, proxy_to
from conformance.target.wire.public_words import own_words
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.transport import GATEWAY_ERRORS, PASSING_FAILURES, Blocked, Way, is_page

SILENCES = 4
"""After so many calls in a row without an answer the run stops."""

CREATING = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE})
"""Calls that leave something: after a lost answer it is looked up what became of them, they are not blindly sent again."""

NOT_AGAIN = frozenset({Endpoint.DELETE_ORDER, Endpoint.REFRESH_TOKEN})
"""Calls that succeed once: sent again after a lost answer, a refusal would say nothing."""

SERVER_ERROR = 500

FAULT_PAUSES = (0.1, 0.5)
"""Seconds after which a call is sent again that got a server error, one after the other."""

REDIRECTION = 3
FORBIDDEN = 403

LONGEST_HEADER = 16 * 1024
"""A token that is longer fits into no header: servers take 8 or 16 KiB of them all."""

STRANGE_AT_MOST = 3
"""So many strange answers in a row to calls that are not sent again, and they are after all: perhaps it always answers so."""

NOT_TWICE = NOT_AGAIN | {Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}
"""Calls that are not sent again after an answer that does not say what became of them (a 500 does: see `_until_it_passes`). An
order may be: it is the same then."""

SHORTEST_CUT = 8
"""Of a password that is no longer than this, what is like it is not kept secret: it would take innocent words with it."""

_HEADER = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_HEADER}}}")

RENEW_BEFORE = timedelta(seconds=60)
"""How long before its death a token is replaced."""


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
        self._now = now
        self._email, self._password = target.credentials.values()
        self._lifetime = timedelta(seconds=TOKEN_LIFETIME_SECONDS[readings["token-lifetime"]])
        self._token: str | None = None
        self._refresh: str | None = None
        self._blocked: Blocked | None = None
        self._silences = 0
        self._answered = False
        self._gone = ""
        """Why nothing more is sent, once the target has gone away."""
        self._vouching = False
        """Whether a token is asked for to see that the target is there."""
        self._strange: Counter[Endpoint | None] = Counter()
        """How many strange answers in a row an endpoint gave to calls that are not sent again."""
        self._own_pages: set[tuple[Endpoint | None, int]] = set()
        """The endpoints and statuses that the target itself answers with a page."""
        self._in_process = transport is not None
        self.before_creation: Callable[[bytes], None] | None = None
        """What is done before a reconciliation is opened, by its body."""
        self._waiting = waiting = waiting or Waiting()
        self._renew_at = now()
        journal.redactor.leave(own_words(target))
        _keep_secret(journal.redactor, self._email, self._password)
        self._proxy = None if transport is not None else proxy_to(target.base_url)
        if self._proxy is not None:
            _keep_proxy_secret(journal.redactor, self._proxy)
        self._builder = Builder(
            target.base_url, [endpoint.path for endpoint in Endpoint], f"koncili-conformance/{__version__}"
        )
        inner = transport or Network(target.base_url, self._proxy, answer_seconds(waiting.at_most))
        self._way = Way(inner, self._builder, budget, journal, ledger, waiting)

    def __enter__(self) -> KonciliClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._way.close()

    @property
    def credentials(self) -> str:
        """The credentials string of the target's integrator."""
        return encode_credentials(self._email, self._password)

    @property
    def is_blocked(self) -> bool:
        """Whether the target answered 423: nothing more is sent."""
        return self._blocked is not None

    @property
    def email(self) -> str:
        """The integrator's email, for credentials that are wrong only in the password."""
        return self._email

    # -- requests ----------------------------------------------------------------------------------------------------

    def call(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: JSONValue = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Exchange:
        """Call an endpoint with a JSON body, or with `bytes` as they are (None: no body).

        The token and the integrator go along unless `headers` names them: a value replaces, None leaves out. A 403
        NO_TOKEN to the client's own token gets a new one and a second try. Raises TargetUnavailable and CannotRun.
        """
        content = None if body is None else body if isinstance(body, bytes) else dumps(body).encode()
        sent = dict(headers or {})
        own_token = endpoint.needs_token and TOKEN_HEADER not in sent
        if own_token:
            sent[TOKEN_HEADER] = self.access_token()
        if endpoint.needs_token:
            sent.setdefault(INTEGRATOR_HEADER, str(self.target.integrator))
        exchange = self.send(endpoint.method, endpoint.path, query=query, content=content, headers=sent)
        if own_token and says_no_token(exchange):
            self._token = self._refresh = None  # what a refresh gave may be dead too
            sent[TOKEN_HEADER] = self.access_token()
            exchange = self.send(endpoint.method, endpoint.path, query=query, content=content, headers=sent)
        return exchange

    def call_at_once(self, calls: Sequence[Calling], offsets: Sequence[float] = ()) -> list[Sent]:
        """Send these calls at once, once each, with the client's own token where `headers` names none; each so many seconds
        after all are ready. None of them is sent again, whatever it is answered, and a missing answer is told, not raised.

        Raises TargetUnavailable and CannotRun, where none was answered too.
        """
        if self._gone:
            raise GoneAway(self._gone)
        if self._blocked is not None:
            raise Blocked(self._blocked.until)
        requests = []
        for one in calls:
            given = {"connection": "close", **one.headers}
            if one.endpoint.needs_token:
                given.setdefault(TOKEN_HEADER, self.access_token())
                given.setdefault(INTEGRATOR_HEADER, str(self.target.integrator))
            if one.content is not None:
                given.setdefault("content-type", "application/json")
            if one.endpoint is Endpoint.CREATE_RECONCILIATION and self.before_creation is not None:
                self.before_creation(one.content or b"")
            requests.append(self._builder.build(one.endpoint.method, one.endpoint.path, one.query, one.content, given))
        try:
            results = self._way.send_at_once(requests, offsets)
        except Blocked as blocked:
            self._blocked = blocked
            raise
        results = [self._without_strange(one) for one in results]
        if any(one.exchange is not None and says_no_token(one.exchange) for one in results):
            self._token = self._refresh = None  # the next call gets another
        failures = [one.failure for one in results if one.failure is not None]
        if len(failures) == len(results):
            raise self._unanswered(f"{len(calls)} calls at once: no answer from {self.target.base_url}: {failures[0]}")
        self._silences = 0
        return results

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        again: bool = False,
    ) -> Exchange:
        """Send a request as it is given, documented or not. 429 and 502 are waited out; a 503 or 504, or a page where JSON is
        expected, counts only if the same request gets one `again` while tokens are still to be had; any other server error only
        if the same request gets one each time (what passed is told in the exchange).

        Raises TargetUnavailable where no answer came or only passing failures, Doubtful where what was asked may have been
        done without an answer, GoneAway and WaitTooLong where nothing more is to be sent, and CannotRun on 423 and for a
        proxy that lets nothing pass. A redirect is never followed: to another host it would carry the token there.
        """
        if self._gone:
            raise GoneAway(self._gone)
        if self._blocked is not None:
            raise Blocked(self._blocked.until)
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if content is not None:
            given.setdefault("content-type", "application/json")
        endpoint = endpoint_of(method, path)
        if endpoint is Endpoint.CREATE_RECONCILIATION and self.before_creation is not None:
            self.before_creation(content or b"")
        self._way.lost = self._way.lost and again
        exchange = self._until_it_passes(method, path, query, content, given)
        elsewhere = exchange.redirects_from(self.target.host)
        if elsewhere is not None:
            raise self._unanswered(
                f"{method} {path}: {self.target.base_url} redirects to {elsewhere}, where no token is sent; is base_url "
                "right, or does something on the way want a login?"
            )
        if self._is_strange(exchange):
            if not again:
                self._check_doubt(exchange, f"{method} {path}")
                self._way.lost = self._way.lost or not exchange.is_refused
                second = self.send(method, path, query=query, content=content, headers=headers, again=True)
                return second if second.passed is not None else replace(second, passed=exchange.passed)
            self._vouch_for(exchange, f"{method} {path}")
        else:
            self._strange[endpoint] = 0
        self._silences = 0
        if self._way.lost and exchange.endpoint in NOT_TWICE and exchange.is_refused:
            raise Doubtful(
                f"{method} {path}: refused with {exchange.status}, but only after an answer was lost",
                exchange,
                exchange.passed,
            )
        return exchange

    def _until_it_passes(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchange:
        """Send it, and again where it gets a server error: one that an input makes comes each time. Raises as `send` does."""
        first = exchange = self._sent(method, path, query, content, headers)
        for pause in FAULT_PAUSES:
            if exchange.status < SERVER_ERROR or exchange.status in GATEWAY_ERRORS:
                break
            self._way.lost = True  # who knows what it did before it failed
            at_most = self._waiting.at_most
            self._waiting.wait("another try after a server error", pause if at_most is None else min(pause, at_most))
            try:
                exchange = self._sent(method, path, query, content, headers)
            except TargetUnavailable as error:
                error.passed = error.passed or first
                raise
        is_another = exchange.status < SERVER_ERROR or exchange.status in GATEWAY_ERRORS
        return replace(exchange, passed=first) if exchange is not first and is_another else exchange

    def _sent(
        self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchange:
        """Send it as often as it takes. Raises as `send` does."""
        try:
            request = self._builder.build(method, path, query, content, headers)
        except UnicodeError:
            raise TargetUnavailable(f"{method} {path}: a header would hold what none can, such as a token's") from None
        endpoint = endpoint_of(method, path)
        try:
            exchange = self._way.send(request, self._sent_again_after(endpoint))
        except Blocked as blocked:
            self._blocked = blocked
            raise
        except StillPassing as failure:
            self._answered = True
            raise self._unanswered(f"{method} {path}: {failure}") from None
        except NoAnswer as failure:
            raise self._without_answer(f"{method} {path}", endpoint, failure) from None
        self._answered = True
        return exchange

    def _sent_again_after(self, endpoint: Endpoint | None) -> tuple[type[NoAnswer], ...]:
        """The failures after which a request is sent again. A target that never answered is not there."""
        never_sent = (NeverSent,) if self._answered else ()
        return never_sent if endpoint in CREATING | NOT_AGAIN else (*PASSING_FAILURES, *never_sent)

    def _without_answer(self, call: str, endpoint: Endpoint | None, failure: NoAnswer) -> TargetUnavailable:
        """What to raise for a call that failed on its way. Raises CannotRun for a proxy that never let anything pass."""
        reason = self.journal.redactor.text(str(failure))
        if isinstance(failure, ProxyRefused):
            reason += f"; check the proxy, or let NO_PROXY name {self.target.host}"
            if not self._answered:
                raise CannotRun(f"no way to {self.target.base_url}: {reason}")
        failed = self._unanswered(f"{call}: no answer from {self.target.base_url}: {reason}{_remedy(reason)}")
        if isinstance(failed, GoneAway) or not self._way.lost or endpoint not in CREATING:
            return failed
        return Doubtful(f"{failed}; what it asked for may have been done")

    def _without_strange(self, sent: Sent) -> Sent:
        """One of several that were sent at once; a page or a redirect is no answer of Koncili's."""
        exchange = sent.exchange
        if exchange is None or exchange.status >= SERVER_ERROR or not self._is_strange(exchange):
            return sent
        return replace(sent, exchange=None, failure=Garbled(f"{_strange_words(exchange)}, perhaps of a proxy"))

    def _is_strange(self, exchange: Exchange) -> bool:
        """Whether an answer may be that of something on the way: a gateway's error, a page, or a redirect to a login."""
        if exchange.status in GATEWAY_ERRORS:
            return True
        known = self._in_process or (exchange.endpoint, exchange.status) in self._own_pages
        looks_strange = is_page(exchange.response_body) or exchange.status // 100 == REDIRECTION
        return exchange.status < SERVER_ERROR and not known and looks_strange

    def _check_doubt(self, exchange: Exchange, call: str) -> None:
        """Raises Doubtful where what was asked may have been done, and is not to be asked again before that was looked up."""
        if exchange.endpoint in NOT_TWICE and not exchange.is_refused:
            self._strange[exchange.endpoint] += 1
            if self._strange[exchange.endpoint] < STRANGE_AT_MOST:
                what = f"{call}: {_strange_words(exchange)}"
                raise Doubtful(f"{what}, perhaps of a proxy; what it asked for may have been done")

    def _vouch_for(self, exchange: Exchange, call: str) -> None:
        """See that a strange answer is the target's own: it comes each time, while tokens are still to be had.

        Raises TargetUnavailable where there is no token either.
        """
        if not self._gives_tokens():
            raise self._unanswered(
                f"{call}: {_strange_words(exchange)}, each time; is a proxy or a login page in the way, or is the target down?",
                calls=0 if self._vouching else 1,
            )
        if exchange.status < SERVER_ERROR:
            self._own_pages.add((exchange.endpoint, exchange.status))

    def _gives_tokens(self) -> bool:
        """Whether the target gives a token for its credentials, as one does that is there. Raises WaitTooLong, CannotRun."""
        if self._vouching:
            return False
        self._vouching = True
        try:
            return tokens_in(self.create_token())[0] is not None
        except WaitTooLong:
            raise
        except TargetUnavailable:
            return False
        finally:
            self._vouching = False

    def _unanswered(self, what: str, calls: int = 1) -> TargetUnavailable:
        """What to raise for a call without an answer: a target that stays silent would keep a run waiting for hours."""
        self._silences += calls
        if self._silences < SILENCES:
            return TargetUnavailable(what)
        self._gone = f"{what}; the {SILENCES}th call in a row without an answer: run again when the target is up"
        return GoneAway(self._gone)

    # -- tokens ------------------------------------------------------------------------------------------------------

    def access_token(self) -> str:
        """A token that is good for at least another minute. Raises CannotRun where the credentials are refused."""
        if self._token is None or self._now() >= self._renew_at:
            self._renew()
        return self._token or ""

    def _renew(self) -> None:
        """A new token by the refresh token, else by the credentials: a refused refresh is no reason to give up."""
        refresh, self._refresh = self._refresh, None
        if refresh is not None:
            exchange = self.refresh_token(refresh)
            if tokens_in(exchange)[0] is not None:
                return self._take(exchange)
        return self._take(self.create_token())

    def refresh_token(self, refresh: JSONValue) -> Exchange:
        """Ask for a new pair of tokens by a refresh token."""
        return self.call(Endpoint.REFRESH_TOKEN, body={REFRESH_TOKEN_FIELD: refresh})

    def create_token(self, credentials: JSONValue = None) -> Exchange:
        """Ask for a pair of tokens, by the target's credentials where none are given."""
        body = {CREDENTIALS_FIELD: self.credentials if credentials is None else credentials}
        return self.call(Endpoint.CREATE_TOKEN, body=body)

    def _take(self, exchange: Exchange) -> None:
        token, self._refresh = tokens_in(exchange)
        if token is None:
            failed = exchange.status >= SERVER_ERROR
            remedy = "run again when it works" if failed else "check email, password and base_url"
            raise CannotRun(
                f"{self.target.base_url} gives no access token for these credentials: {exchange.status} "
                f"{visible(self.journal.redactor.bytes_as_text(exchange.response_body)[:200])}; {remedy}"
            )
        if not _HEADER.fullmatch(token):
            raise CannotRun(
                f"{self.target.base_url} gives an access token that no header can carry: {len(token)} characters, of which "
                f"a header takes {LONGEST_HEADER} of printable ASCII"
            )
        self._token = token
        lifetime = exchange.json.get(EXPIRES_IN_FIELD)
        documented = self._lifetime.total_seconds()
        shorter = isinstance(lifetime, int) and 0 < lifetime < documented  # what is more may be no lifetime at all
        lasts = timedelta(seconds=lifetime) if shorter else self._lifetime
        self._renew_at = self._now() + max(lasts - RENEW_BEFORE, lasts / 2)


def _keep_secret(redactor: Redactor, email: str, password: str) -> None:
    """Teach the redactor the credentials, and what is as good as they are."""
    redactor.learn(password, "password")
    redactor.learn(email, "email")
    redactor.learn(email.lower(), "email")  # as servers keep it
    redactor.learn_base64(encode_credentials(email, password), CREDENTIALS_FIELD)
    if len(password) > SHORTEST_CUT:  # what scenarios send in its place, and a server may decode and tell
        redactor.learn(password.swapcase(), "password")
        redactor.learn(password[:-1], "password")


def _keep_proxy_secret(redactor: Redactor, proxy: Proxy) -> None:
    """The same for the credentials of the proxy on the way. A name without a password is one."""
    redactor.learn(proxy.password or proxy.user, "proxyPassword")
    if proxy.user or proxy.password:
        redactor.learn_base64(encode_credentials(proxy.user, proxy.password), "proxyCredentials")


def tokens_in(exchange: Exchange) -> tuple[str | None, str | None]:
    """The access and the refresh token in an answer, each None where there is none."""
    fields = exchange.json
    if not isinstance(fields, dict):
        return None, None
    access, refresh = (fields.get(name) for name in (ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD))
    return access if isinstance(access, str) and access else None, refresh if isinstance(
        refresh, str
    ) and refresh else None


def _remedy(reason: str) -> str:
    """What to do about a failure whose cause is known."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "; if its certificate is your company's own, let SSL_CERT_FILE name a file with the authority that issued it"
    return ""


def _strange_words(exchange: Exchange) -> str:
    if is_page(exchange.response_body):
        return f"{exchange.status} with a page in place of JSON"
    return f"{exchange.status}{' (a redirect)' if exchange.status // 100 == REDIRECTION else ''}"


def says_no_token(exchange: Exchange) -> bool:
    """Whether a call was refused for its token, as documented; more fields may stand beside."""
    body = exchange.json
    return exchange.status == FORBIDDEN and isinstance(body, dict) and body.get("response") == "NO_TOKEN"
