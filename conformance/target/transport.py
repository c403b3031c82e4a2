"""The way of a request to the target and back: through budget, ledger and journal, and again where it failed in passing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
from httpx_retries import Retry

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.target.budget import Budget
from conformance.target.exchange import Exchange
from conformance.target.journal import Journal
from conformance.target.ledger import Ledger
from conformance.target.waiting import Waiting

RETRIES = 6
PASSING = frozenset({429, 502})
"""Answers that are waited out: above the rate, and the documented passing communication failure."""

BAD_GATEWAY = 502
GATEWAY_ERRORS = frozenset({503, 504})
"""What something on the way answers in passing; a server that answers so to an input does it every time."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""No connection was had: the request can be sent again without harm, whatever it is."""


class ObservedTransport(httpx.BaseTransport):
    """Passes each attempt through the budget, and notes it in the ledger before and in the journal after."""

    def __init__(
        self, inner: httpx.BaseTransport, base_path: str, budget: Budget, journal: Journal, ledger: Ledger | None
    ) -> None:
        self._inner = inner
        self._base_path = base_path
        self._budget = budget
        self._journal = journal
        self._ledger = ledger
        self.lost = False
        """Whether an answer was lost since this was last set to False: what was asked may have been done."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = endpoint_of(request.method, request.url.path.removeprefix(self._base_path))
        reservation = self._budget.before(endpoint)
        note = (
            self._ledger.sending(created_by(endpoint, request), request.url.params, request.content)
            if self._ledger
            else None
        )
        started_at, start = datetime.now(UTC), time.perf_counter()
        try:
            response = self._inner.handle_request(request)
            self._budget.after(reservation, response.status_code)  # before the body, which may break off
            response.read()
        except NEVER_SENT:
            self._budget.after(reservation, None)
            if self._ledger is not None and note is not None:
                self._ledger.never_sent(note)
            raise
        except httpx.TransportError:
            self.lost = True
            raise
        self.lost = self.lost or response.status_code in GATEWAY_ERRORS | {BAD_GATEWAY}
        if self._ledger is not None and note is not None and not _may_be_anothers(response):
            self._ledger.answered(note, response.status_code, response.content)
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


def is_page(body: bytes) -> bool:
    """Whether a body is a web page."""
    return body.lstrip()[:1] == b"<"


def _may_be_anothers(response: httpx.Response) -> bool:
    """Whether a success is told by a page, perhaps that of a login on the way: then nothing need have been done."""
    return response.is_success and is_page(response.content)


def created_by(endpoint: Endpoint | None, request: httpx.Request) -> Endpoint | None:
    """The endpoint that creates what this request may create: a server may take PUT for POST."""
    submits = endpoint is None and request.content and request.url.path.endswith(Endpoint.SUBMIT_ORDER.path)
    return Endpoint.SUBMIT_ORDER if submits else endpoint


def retry_by(waiting: Waiting) -> Callable[[tuple[type[Exception], ...]], Retry]:
    """How passing answers and some errors are waited out. With at most a quarter off, seven tries outlast a minute of 429."""

    class Shown(Retry):
        """Waits where the user can see it."""

        def sleep(self, response: httpx.Response | Exception) -> None:
            seconds = self._calculate_sleep(response.headers if isinstance(response, httpx.Response) else {})
            status = f"after a {response.status_code}" if isinstance(response, httpx.Response) else "for a connection"
            waiting.wait(f"another try {status}", seconds)
            self.elapsed_sleep += seconds

    def retry(errors: tuple[type[Exception], ...]) -> Retry:
        return Shown(
            total=RETRIES,
            allowed_methods=["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"],
            status_forcelist=PASSING,
            retry_on_exceptions=errors,
            backoff_factor=1,
            backoff_jitter=0.25,
        )

    return retry
