"""Calls to Koncili over httpx: one connection pool, one token, every exchange through budget and journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import httpx
from httpx_retries import Retry, RetryTransport

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
from conformance.errors import CannotRun, Doubtful, TargetUnavailable
from conformance.target.budget import Budget
from conformance.target.config import Target
from conformance.target.exchange import Exchange
from conformance.target.journal import Journal
from conformance.target.redaction import Redactor

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to wait for an answer, and for a connection."""

RETRIES = 6
PASSING = frozenset({429, 502})
"""Answers that are waited out: above the rate, and the documented passing communication failure."""

PASSING_ERRORS = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""A connection that the other side closed under a request: it is sent again where that changes nothing."""

SILENCES = 4
"""After so many calls in a row without an answer the run stops."""

NOT_AGAIN = frozenset({Endpoint.DELETE_ORDER, Endpoint.REFRESH_TOKEN})
"""Calls that succeed once: sent again after a lost answer, a refusal would say nothing."""

GATEWAY_ERRORS = frozenset({503, 504})
"""What something on the way answers in passing; a server that answers so to an input does it every time."""

BAD_GATEWAY = 502
BLOCKED = 423
FORBIDDEN = 403

SHORTEST_CUT = 8
"""Of a password that is no longer than this, what is like it is not kept secret: it would take innocent words with it."""

RENEW_BEFORE = timedelta(seconds=60)
"""How long before its death a token is replaced."""


class _Observed(httpx.BaseTransport):
    """Passes each attempt through the budget and notes it in the journal."""

    def __init__(self, inner: httpx.BaseTransport, base_path: str, budget: Budget, journal: Journal) -> None:
        self._inner = inner
        self._base_path = base_path
        self._budget = budget
        self._journal = journal
        self.lost = False
        """Whether an answer was lost since this was last set to False: what was asked may have been done."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = endpoint_of(request.method, request.url.path.removeprefix(self._base_path))
        self._budget.before(endpoint)
        started_at, start = datetime.now(UTC), time.perf_counter()
        try:
            response = self._inner.handle_request(request)
        except PASSING_ERRORS:
            self.lost = True
            raise
        self.lost = self.lost or response.status_code == BAD_GATEWAY
        self._budget.after(response.status_code)  # before the body, which may break off
        response.read()
        seconds = time.perf_counter() - start
        exchange = Exchange(
            started_at,
            request.method,
            str(request.url),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
            seconds,
            endpoint,
        )
        self._journal.record(exchange)
        response.extensions["exchange"] = exchange
        return response

    def close(self) -> None:
        self._inner.close()


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
    ) -> None:
        """`now` is the clock by which tokens age; `transport` leads to a mock in process.

        Raises CannotRun where the credentials' environment variables are not set.
        """
        self.target = target
        self.journal = journal
        self._now = now
        self._email, self._password = target.credentials.values()
        self._lifetime = timedelta(seconds=TOKEN_LIFETIME_SECONDS[readings["token-lifetime"]])
        self._token: str | None = None
        self._refresh: str | None = None
        self._blocked = False
        self._silences = 0
        self._renew_at = now()
        _keep_secret(journal.redactor, self._email, self._password)
        # Parsing a URL is a tenth of what a request costs in process.
        self._urls = {endpoint.path: httpx.URL(target.base_url + endpoint.path) for endpoint in Endpoint}
        base_path = httpx.URL(target.base_url).path.rstrip("/")  # as httpx reads it: decoded, without dots
        self._observed = _Observed(transport or httpx.HTTPTransport(), base_path, budget, journal)
        self._http = httpx.Client(
            base_url=target.base_url,
            transport=RetryTransport(self._observed, _retry(PASSING_ERRORS)),
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
        return self._blocked

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
        """Send a request as it is given, documented or not. 429 and 502 are waited out; a 503 or 504 counts only if the
        same request gets one `again`.

        Raises TargetUnavailable where no answer came or only passing failures, Doubtful where a refusal may be the answer
        to its own repetition, BudgetSpent, and CannotRun on 423.
        """
        if self._blocked:
            raise CannotRun(self._block)
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if content is not None:
            given.setdefault("content-type", "application/json")
        once = endpoint_of(method, path) in NOT_AGAIN
        self._observed.lost = False
        try:
            response = self._http.request(
                method,
                self._urls.get(path) or path,
                params=query,
                content=content,
                headers=given,
                extensions={"retry": _retry(())} if once else None,
            )
        except httpx.HTTPError as error:
            reason = self.journal.redactor.text(str(error) or type(error).__name__)
            raise self._unanswered(f"{method} {path}: no answer from {self.target.base_url}: {reason}") from None
        exchange: Exchange = response.extensions["exchange"]
        if exchange.status == BLOCKED:
            self._blocked = True
            raise CannotRun(self._block)
        if exchange.status in PASSING:
            raise self._unanswered(f"{method} {path}: still {exchange.status} after {RETRIES + 1} tries")
        self._silences = 0
        if self._observed.lost and method != "GET" and exchange.status // 100 == 4:  # noqa: PLR2004 - refusals
            raise Doubtful(f"{method} {path}: refused with {exchange.status}, but only after an answer was lost")
        if exchange.status in GATEWAY_ERRORS and not again and not once:
            return self.send(method, path, query=query, content=content, headers=headers, again=True)
        return exchange

    def _unanswered(self, what: str) -> TargetUnavailable | CannotRun:
        """What to raise for a call without an answer: a target that stays silent would keep a run waiting for hours."""
        self._silences += 1
        if self._silences < SILENCES:
            return TargetUnavailable(what)
        return CannotRun(f"{what}; the {SILENCES}th call in a row without an answer: run again when the target is up")

    @property
    def _block(self) -> str:
        return (
            f"{self.target.base_url} answers 423: this integrator is blocked for an hour; send nothing before that "
            "(1,000 calls during the block make it permanent)"
        )

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
            raise CannotRun(
                f"{self.target.base_url} gives no access token for these credentials: {exchange.status} "
                f"{self.journal.redactor.bytes_as_text(exchange.response_body)[:200]}; check email, password and base_url"
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


def _retry(errors: tuple[type[Exception], ...]) -> Retry:
    """Wait out passing answers and these errors. With at most a quarter off, seven tries outlast a minute of 429."""
    return Retry(
        total=RETRIES,
        allowed_methods=["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"],
        status_forcelist=PASSING,
        retry_on_exceptions=errors,
        backoff_factor=1,
        backoff_jitter=0.25,
    )


def _says_no_token(exchange: Exchange) -> bool:
    return exchange.status == FORBIDDEN and exchange.json == {"response": "NO_TOKEN"}
