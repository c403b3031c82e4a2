"""The way of a request to the target and back: through budget, ledger and journal, and again where it failed in passing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.contract.limits import MINUTE_SECONDS
from conformance.errors import CannotRun, WaitTooLong
from conformance.target.budget import Budget, blocked_message, rate_of
from conformance.target.exchange import Exchange
from conformance.target.http import (
    BLOCKED,
    Answer,
    BrokenOff,
    Builder,
    Garbled,
    NeverSent,
    NoAnswer,
    Request,
    StillPassing,
    Transport,
    ask,
)
from conformance.target.journal import Journal
from conformance.target.ledger import Ledger
from conformance.target.throttling import (
    GARBLED_TRIES,
    LONGEST_THROTTLE,
    Patience,
    Slowdown,
    block_seconds,
    told_seconds,
)
from conformance.target.waiting import Waiting, shown

TOO_MANY, BAD_GATEWAY = 429, 502
"""Answers that are waited out: above the rate, and the documented passing communication failure."""

GATEWAY_ERRORS: Final = frozenset({503, 504})
"""What something on the way answers in passing; a server that answers so to an input does it every time."""

LONGEST_BAD_GATEWAY: Final = 2 * MINUTE_SECONDS
"""Seconds that a 502 may ask for at most."""

SUCCESS, REDIRECT = 200, 300


class Blocked(CannotRun):
    """The target answered 423: nothing more may be sent. `until` is in UTC."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(blocked_message(until))


class Way:
    """Sends requests to a target. Each attempt passes the budget, and is noted in the ledger before and in the journal
    after."""

    def __init__(
        self,
        transport: Transport,
        builder: Builder,
        budget: Budget,
        journal: Journal,
        ledger: Ledger | None,
        waiting: Waiting,
    ) -> None:
        self._transport = transport
        self._base_path = builder.base_path
        self._budget = budget
        self._journal = journal
        self._ledger = ledger
        self._waiting = waiting
        self._slowdowns: defaultdict[Endpoint | None, Slowdown] = defaultdict(lambda: Slowdown(0.0))
        for endpoint in (*Endpoint, None):
            self._slowdowns[endpoint].even = MINUTE_SECONDS / rate_of(endpoint)
        self.lost = False
        """Whether an answer was lost since this was last set to False: what was asked may have been done."""

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def send(self, request: Request, again_after: tuple[type[NoAnswer], ...]) -> Exchange:
        """Send a request until it gets an answer that counts. After these failures, 429 and 502 it is sent again.

        Raises NoAnswer, WaitTooLong, and CannotRun on 423.
        """
        patience = Patience()
        while True:
            try:
                exchange = self._attempt(request)
            except again_after as failure:
                pause = (
                    patience.after_failure(GARBLED_TRIES) if isinstance(failure, Garbled) else patience.after_failure()
                )
                if pause is None:
                    raise
                self._waiting.wait("another try for a connection", pause)
                continue
            told = told_seconds(exchange.response_headers.get("retry-after", ""), datetime.now(UTC))
            if exchange.status == TOO_MANY:
                if told is not None and told > LONGEST_THROTTLE:
                    raise WaitTooLong(
                        f"{request.method} {request.url.path}: 429, and its Retry-After asks for {shown(told)}: "
                        "run again then"
                    )
                pause = patience.after_throttling(told)
            elif exchange.status == BAD_GATEWAY:
                pause = patience.after_failure(at_least=min(told or 0.0, LONGEST_BAD_GATEWAY))
            else:
                return exchange
            if pause is None:
                raise StillPassing(exchange.status, patience.tries)
            self._waiting.wait(f"another try after a {exchange.status}", pause)

    def _attempt(self, request: Request) -> Exchange:
        endpoint = endpoint_of(request.method, request.url.path.removeprefix(self._base_path))
        slowdown = self._slowdowns[endpoint]
        self._waiting.wait("a target that was throttling", slowdown.pause())
        reservation = self._budget.before(endpoint)
        note = (
            self._ledger.sending(created_by(endpoint, request), request.url.params, request.content)
            if self._ledger
            else None
        )
        slowdown.sent()
        started_at, start = datetime.now(UTC), time.perf_counter()
        until: datetime | None = None

        def begun(status: int, headers: Mapping[str, str]) -> None:
            """Take note of the status before the body is read, which may break off, or never end."""
            nonlocal until
            self._budget.after(reservation, status)
            if status == BLOCKED:
                until = self._budget.blocked(block_seconds(headers.get("retry-after", ""), datetime.now(UTC)))

        try:
            answer = ask(self._transport, request, begun)
        except NeverSent:
            self._budget.after(reservation, None)
            if self._ledger is not None and note is not None:
                self._ledger.never_sent(note)
            raise
        except NoAnswer as failure:
            if until is None and failure.status == BLOCKED:
                begun(BLOCKED, {})
            if until is None:
                self.lost = True
                raise
            answer = Answer(BLOCKED, {}, b"")
        if answer.status == TOO_MANY:
            slowdown.throttled()
            if slowdown.is_vain:  # nor will it help elsewhere
                for every in self._slowdowns.values():
                    every.give_up()
        self.lost = self.lost or answer.status in GATEWAY_ERRORS | {BAD_GATEWAY}
        if self._ledger is not None and note is not None and not _may_be_anothers(answer):
            self._ledger.answered(note, answer.status, answer.body)
        exchange = Exchange(
            started_at,
            request.method,
            str(request.url),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
            answer.status,
            answer.headers,
            answer.body,
            time.perf_counter() - start,
            endpoint,
        )
        self._journal.record(exchange)
        if until is not None:
            raise Blocked(until)
        return exchange


PASSING_FAILURES: Final = (BrokenOff, Garbled)
"""What happens to one request and not to the next: it is sent again where that changes nothing."""


def is_page(body: bytes) -> bool:
    """Whether a body is a web page."""
    return body[:1024].lstrip()[:1] == b"<"


def _may_be_anothers(answer: Answer) -> bool:
    """Whether a success is told by a page, or a redirect, perhaps that of a login on the way: then nothing need have been
    done."""
    return SUCCESS <= answer.status < REDIRECT and is_page(answer.body)


def created_by(endpoint: Endpoint | None, request: Request) -> Endpoint | None:
    """The endpoint that creates what this request may create: a server may take PUT for POST."""
    submits = endpoint is None and request.content and request.url.path.endswith(Endpoint.SUBMIT_ORDER.path)
    return Endpoint.SUBMIT_ORDER if submits else endpoint
