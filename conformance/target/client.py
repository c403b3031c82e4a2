"""Calls to Koncili over httpx: one connection pool, one token, every exchange through budget and journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import httpx
from httpx_retries import RetryTransport

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
from conformance.contract.limits import BLOCK_SECONDS
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.errors import CannotRun, Doubtful, GoneAway, TargetUnavailable, WaitTooLong
from conformance.target.budget import Budget, blocked_message
from conformance.target.config import Target
from conformance.target.exchange import Exchange
from conformance.target.journal import Journal
from conformance.target.ledger import Ledger
from conformance.target.redaction import Redactor
from conformance.target.transport import (
    GATEWAY_ERRORS,
    NEVER_SENT,
    PASSING,
    RETRIES,
    ObservedTransport,
    is_page,
    retry_by,
)
from conformance.target.waiting import Waiting

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to wait for an answer, and for a connection."""

PASSING_ERRORS = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""A connection that the other side closed under a request: it is sent again where that changes nothing."""

SILENCES = 4
"""After so many calls in a row without an answer the run stops."""

CREATING = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE})
"""Calls that leave something: after a lost answer it is looked up what became of them, they are not blindly sent again."""

NOT_AGAIN = frozenset({Endpoint.DELETE_ORDER, Endpoint.REFRESH_TOKEN})
"""Calls that succeed once: sent again after a lost answer, a refusal would say nothing."""

SERVER_ERROR = 500
BLOCKED = 423
FORBIDDEN = 403

STRANGE_AT_MOST = 3
"""So many strange answers in a row to calls that are not sent again, and they are after all: perhaps it always answers so."""

NOT_TWICE = NOT_AGAIN | {Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE}
"""Calls that are not sent again after an answer that does not say what became of them. An order may be: it is the same then."""

SHORTEST_CUT = 8
"""Of a password that is no longer than this, what is like it is not kept secret: it would take innocent words with it."""

RENEW_BEFORE = timedelta(seconds=60)
"""How long before its death a token is replaced."""


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
        transport: httpx.BaseTransport | None = None,
        ledger: Ledger | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        """`now` is the clock by which tokens age; `transport` leads to a mock in process. What is created is written into
        the `ledger`.

        Raises CannotRun where the credentials' environment variables are not set.
        """
        self.target = target
        self.journal = journal
        self._now = now
        self._email, self._password = target.credentials.values()
        self._lifetime = timedelta(seconds=TOKEN_LIFETIME_SECONDS[readings["token-lifetime"]])
        self._token: str | None = None
        self._refresh: str | None = None
        self._blocked_until: datetime | None = None
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
        self._budget = budget
        self._retry = retry_by(waiting or Waiting())
        self._renew_at = now()
        _keep_secret(journal.redactor, self._email, self._password)
        # Parsing a URL is a tenth of what a request costs in process.
        self._urls = {endpoint.path: httpx.URL(target.base_url + endpoint.path) for endpoint in Endpoint}
        base_path = httpx.URL(target.base_url).path.rstrip("/")  # as httpx reads it: decoded, without dots
        self._observed = ObservedTransport(transport or httpx.HTTPTransport(), base_path, budget, journal, ledger)
        self._http = httpx.Client(
            base_url=target.base_url,
            transport=RetryTransport(self._observed, self._retry((*PASSING_ERRORS, *NEVER_SENT))),
            timeout=TIMEOUT,
            cookies=no_cookies(),
            follow_redirects=False,  # a redirect to another host must never carry the token there
            headers={"accept": "application/json", "user-agent": f"koncili-conformance/{__version__}"},
        )

    def __enter__(self) -> KonciliClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def credentials(self) -> str:
        """The credentials string of the target's integrator."""
        return encode_credentials(self._email, self._password)

    @property
    def is_blocked(self) -> bool:
        """Whether the target answered 423: nothing more is sent."""
        return self._blocked_until is not None

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
        if own_token and _says_no_token(exchange):
            self._token = self._refresh = None  # what a refresh gave may be dead too
            sent[TOKEN_HEADER] = self.access_token()
            exchange = self.send(endpoint.method, endpoint.path, query=query, content=content, headers=sent)
        return exchange

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
        expected, counts only if the same request gets one `again` while tokens are still to be had.

        Raises TargetUnavailable where no answer came or only passing failures, Doubtful where what was asked may have been
        done without an answer, GoneAway and WaitTooLong where nothing more is to be sent, and CannotRun on 423.
        """
        if self._gone:
            raise GoneAway(self._gone)
        if self._blocked_until is not None:
            raise CannotRun(blocked_message(self._blocked_until))
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if content is not None:
            given.setdefault("content-type", "application/json")
        endpoint = endpoint_of(method, path)
        if endpoint is Endpoint.CREATE_RECONCILIATION and self.before_creation is not None:
            self.before_creation(content or b"")
        self._observed.lost = self._observed.lost and again
        try:
            response = self._http.request(
                method,
                self._urls.get(path) or path,
                params=query,
                content=content,
                headers=given,
                extensions={"retry": self._retry(self._sent_again_after(endpoint))},
            )
        except httpx.HTTPError as error:
            raise self._without_answer(f"{method} {path}", endpoint, error) from None
        self._answered = True
        exchange: Exchange = response.extensions["exchange"]
        if exchange.status == BLOCKED:
            self._blocked_until = self._budget.blocked(_retry_after(exchange) or BLOCK_SECONDS)
            raise CannotRun(blocked_message(self._blocked_until))
        if exchange.status in PASSING:
            raise self._unanswered(f"{method} {path}: still {exchange.status} after {RETRIES + 1} tries")
        elsewhere = exchange.redirects_from(self.target.host)
        if elsewhere is not None:
            raise self._unanswered(
                f"{method} {path}: {self.target.base_url} redirects to {elsewhere}, where no token is sent; is base_url "
                "right, or does something on the way want a login?"
            )
        if self._is_strange(exchange):
            if not again:
                self._check_doubt(exchange, f"{method} {path}")
                self._observed.lost = self._observed.lost or not exchange.is_refused
                return self.send(method, path, query=query, content=content, headers=headers, again=True)
            self._vouch_for(exchange, f"{method} {path}")
        else:
            self._strange[endpoint] = 0
        self._silences = 0
        if self._observed.lost and method != "GET" and exchange.is_refused:
            raise Doubtful(f"{method} {path}: refused with {exchange.status}, but only after an answer was lost")
        return exchange

    def _sent_again_after(self, endpoint: Endpoint | None) -> tuple[type[Exception], ...]:
        """The failures after which a request is sent again. A target that never answered is not there."""
        never_sent = NEVER_SENT if self._answered else ()
        return never_sent if endpoint in CREATING | NOT_AGAIN else (*PASSING_ERRORS, *never_sent)

    def _without_answer(self, call: str, endpoint: Endpoint | None, error: httpx.HTTPError) -> TargetUnavailable:
        """What to raise for a call that failed on its way."""
        reason = self.journal.redactor.text(str(error) or type(error).__name__)
        failed = self._unanswered(f"{call}: no answer from {self.target.base_url}: {reason}{_remedy(reason)}")
        if isinstance(failed, GoneAway) or not self._observed.lost or endpoint not in CREATING:
            return failed
        return Doubtful(f"{failed}; what it asked for may have been done")

    def _is_strange(self, exchange: Exchange) -> bool:
        """Whether an answer may be that of something on the way: a gateway's error, or a page."""
        if exchange.status in GATEWAY_ERRORS:
            return True
        known = self._in_process or (exchange.endpoint, exchange.status) in self._own_pages
        return exchange.status < SERVER_ERROR and not known and is_page(exchange.response_body)

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
                f"{self.journal.redactor.bytes_as_text(exchange.response_body)[:200]}; {remedy}"
            )
        self._token = token
        lifetime = exchange.json.get(EXPIRES_IN_FIELD)
        documented = self._lifetime.total_seconds()
        shorter = isinstance(lifetime, int) and 0 < lifetime < documented  # what is more may be no lifetime at all
        lasts = timedelta(seconds=lifetime) if shorter else self._lifetime
        self._renew_at = self._now() + max(lasts - RENEW_BEFORE, lasts / 2)


def no_cookies() -> CookieJar:
    """A jar that keeps none: a session must not stand in for a token."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _keep_secret(redactor: Redactor, email: str, password: str) -> None:
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


def _remedy(reason: str) -> str:
    """What to do about a failure whose cause is known."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "; if its certificate is your company's own, let SSL_CERT_FILE name a file with the authority that issued it"
    return ""


def _retry_after(exchange: Exchange) -> float | None:
    """The seconds that an answer asks to wait, where it says so."""
    text = exchange.response_headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _strange_words(exchange: Exchange) -> str:
    return f"{exchange.status}{' with a page in place of JSON' if is_page(exchange.response_body) else ''}"


def _says_no_token(exchange: Exchange) -> bool:
    return exchange.status == FORBIDDEN and exchange.json == {"response": "NO_TOKEN"}
