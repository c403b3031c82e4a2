"""The way of a request to the target and back: through budget, ledger and journal, and again where it failed in passing."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.contract.limits import MINUTE_SECONDS
from conformance.errors import CannotRun, WaitTooLong
from conformance.target.shared.budget import Budget, blocked_message, rate_of
from conformance.target.shared.ledger import Ledger, Note
from conformance.target.waiting import Waiting, shown
from conformance.target.wire import interrupts
from conformance.target.wire.at_once import Asked, CalledOff, Sent, ask_at_once
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.http.building import Builder, Request
from conformance.target.wire.http.failures import BrokenOff, Garbled, NeverSent, NoAnswer, StillPassing
from conformance.target.wire.http.network import BLOCKED, Answer, Network, Transport, ask
from conformance.target.wire.journal import Journal
from conformance.target.wire.throttling import (
    GARBLED_TRIES,
    LONGEST_THROTTLE,
    Patience,
    Slowdown,
    block_seconds,
    told_seconds,
)

TOO_MANY, BAD_GATEWAY = 429, 502
"""Answers that are waited out: above the rate, and the documented passing communication failure."""

GATEWAY_TIMEOUT = 504
GATEWAY_ERRORS: Final = frozenset({503, GATEWAY_TIMEOUT})
"""What something on the way answers in passing; a server that answers so to an input does it every time."""

LONGEST_BAD_GATEWAY: Final = 2 * MINUTE_SECONDS
"""Seconds that a 502 may ask for at most."""

SUCCESS, REDIRECT = 200, 300

RENEWED_AFTER: Final = {
    Endpoint.CREATE_RECONCILIATION: 1,
    Endpoint.SUBMIT_RELEASE: 1,
    Endpoint.REFRESH_TOKEN: 1,
    Endpoint.SUBMIT_ORDER: 4,
    Endpoint.DELETE_ORDER: 4,
}
"""After so many successes of these, what follows is asked on another connection: each process of a server answers on
connections of its own, and what one of them has done another need not know."""


class Blocked(CannotRun):
    """The target answered 423: nothing more may be sent. `until` is in UTC."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(blocked_message(until))


class GuardedTransport:
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
        self._changes: Counter[Endpoint] = Counter()
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

    def send_at_once(self, requests: Sequence[Request], offsets: Sequence[float] = ()) -> list[Sent]:
        """Send the requests at once, once each, on connections of their own; each so many seconds after all are ready.

        Raises WaitTooLong, and CannotRun on 423. Whatever is raised, and where the run is interrupted in the middle, what may
        have arrived is written down before, and what has not is never sent.
        """
        asked = [Asked() for _ in requests]
        attempts: list[_Attempt] = []
        try:
            for request in requests:
                attempts.append(self._prepare(request, at_once=True))
            if isinstance(self._transport, Network):
                self._transport.let_go()
            ask_at_once(self._transport, requests, asked, offsets)
        finally:
            results = self._all_concluded(attempts, asked)
        untils = [attempt.until for attempt in attempts if attempt.until is not None]
        if untils:
            raise Blocked(max(untils))
        for one in asked:
            if one.error is not None:
                raise one.error
        return results

    def _all_concluded(self, attempts: Sequence[_Attempt], asked: Sequence[Asked]) -> list[Sent]:
        """Write down what became of all that were to be sent at once. Where one can't be written down, that is raised when the
        others are."""
        results: dict[int, Sent] = {}
        # What was accepted comes first: the ledger then knows what a refusal of the same is about.
        order = sorted(range(len(attempts)), key=lambda number: _refused_last(asked[number]))
        with ExitStack() as others:  # carried out, whatever one of them raises, the last first
            for number in reversed(order):
                others.callback(self._note_result, results, number, attempts[number], asked[number])
        return [results[number] for number in range(len(attempts))]

    def _note_result(self, results: dict[int, Sent], number: int, attempt: _Attempt, one: Asked) -> None:
        results[number] = Sent(one.sent, one.answered, self._concluded(attempt, one), one.failure)

    def _concluded(self, attempt: _Attempt, asked: Asked) -> Exchange | None:
        """Write down what became of one of several that were sent at once; where the store is gone, raise that after it."""
        exchange = self._noted(attempt, asked)
        if attempt.unwritten is not None:
            raise attempt.unwritten
        return exchange

    def _noted(self, attempt: _Attempt, asked: Asked) -> Exchange | None:
        failed = asked.failure.status if asked.failure is not None else None
        status = asked.status or (BLOCKED if failed == BLOCKED else None)
        if status is not None:
            self._begun_once(attempt, status, asked.headers)
        if asked.answer is not None:
            attempt.started_at = asked.started_at or attempt.started_at
            return self._answered(attempt, asked.answer, asked.answered - asked.sent)
        if not asked.begun or (isinstance(asked.failure, NeverSent) and not isinstance(asked.failure, CalledOff)):
            self._never_sent(attempt)
        elif not asked.may_have_arrived:  # what a server makes of half a request may still be a client error
            self._not_arrived(attempt)
        elif attempt.until is None:
            self._lost(attempt)
        return None

    def _attempt(self, request: Request) -> Exchange:
        attempt = self._prepare(request)
        with interrupts.held():
            return self._sent_and_noted(attempt)

    def _sent_and_noted(self, attempt: _Attempt) -> Exchange:
        request = attempt.request
        attempt.started_at, start = datetime.now(UTC), time.perf_counter()
        try:
            answer = ask(self._transport, request, lambda status, headers: self._begun_once(attempt, status, headers))
        except NeverSent:
            self._never_sent(attempt)
            raise
        except NoAnswer as failure:
            if attempt.until is None and failure.status == BLOCKED:
                self._begun(attempt, BLOCKED, {})
            if attempt.until is None:
                self._lost(attempt)
                raise
            answer = Answer(BLOCKED, {}, b"")
        exchange = self._answered(attempt, answer, time.perf_counter() - start)
        self._renew(attempt.endpoint, answer.status)
        if attempt.unwritten is not None:
            raise attempt.unwritten
        if attempt.until is not None:
            raise Blocked(attempt.until)
        return exchange

    def _renew(self, endpoint: Endpoint | None, status: int) -> None:
        """Let what was changed be seen by whoever answers on another connection."""
        if (
            endpoint not in RENEWED_AFTER
            or not SUCCESS <= status < REDIRECT
            or not isinstance(self._transport, Network)
        ):
            return
        self._changes[endpoint] += 1
        if self._changes[endpoint] % RENEWED_AFTER[endpoint] == 0:
            self._transport.let_go()

    def _prepare(self, request: Request, *, at_once: bool = False) -> _Attempt:
        """Wait until it may be sent, and write down what it may create."""
        endpoint = endpoint_of(request.method, request.url.path.removeprefix(self._base_path))
        slowdown = self._slowdowns[endpoint]
        self._waiting.wait("a target that was throttling", slowdown.pause())
        reservation = self._budget.before(endpoint)
        note = (
            self._ledger.sending(created_by(endpoint, request), request.url.params, request.content, at_once=at_once)
            if self._ledger
            else None
        )
        slowdown.sent()
        return _Attempt(request, endpoint, reservation, note, datetime.now(UTC))

    def _begun(self, attempt: _Attempt, status: int, headers: Mapping[str, str]) -> None:
        """Take note of the status before the body is read, which may break off, or never end."""
        self._budget.after(attempt.reservation, status)
        if status == BLOCKED:
            attempt.until = self._budget.blocked(block_seconds(headers.get("retry-after", ""), datetime.now(UTC)))

    def _begun_once(self, attempt: _Attempt, status: int, headers: Mapping[str, str]) -> None:
        """The same; that the store is gone is told when the answer is in the journal: it was sent, and is to be counted."""
        try:
            self._begun(attempt, status, headers)
        except CannotRun as error:
            attempt.unwritten = error

    def _lost(self, attempt: _Attempt) -> None:
        """Who waits for it longer than this client, or a gateway, may carry it out yet."""
        self.lost = True
        if self._ledger is not None and attempt.note is not None:
            self._ledger.unanswered(attempt.note)

    def _never_sent(self, attempt: _Attempt) -> None:
        self._budget.after(attempt.reservation, None)
        self._not_arrived(attempt)

    def _not_arrived(self, attempt: _Attempt) -> None:
        if self._ledger is not None and attempt.note is not None:
            self._ledger.never_sent(attempt.note)

    def _answered(self, attempt: _Attempt, answer: Answer, seconds: float) -> Exchange:
        """Write down an answer that is whole."""
        request = attempt.request
        if answer.status == TOO_MANY:
            slowdown = self._slowdowns[attempt.endpoint]
            slowdown.throttled()
            if slowdown.is_vain:  # nor will it help elsewhere
                for every in self._slowdowns.values():
                    every.give_up()
        self.lost = self.lost or answer.status in GATEWAY_ERRORS | {BAD_GATEWAY}
        if answer.status == GATEWAY_TIMEOUT:
            self._lost(attempt)
        exchange = Exchange(
            attempt.started_at,
            request.method,
            str(request.url),
            {name.lower(): value for name, value in request.headers.items()},
            request.content,
            answer.status,
            answer.headers,
            answer.body,
            seconds,
            attempt.endpoint,
        )
        try:
            if self._ledger is not None and attempt.note is not None and not _may_be_anothers(answer):
                self._ledger.answered(attempt.note, answer.status, answer.body)
        finally:  # each may fail by itself: a store that is gone, a disk that is full
            self._journal.record(exchange)
        return exchange


@dataclass(slots=True)
class _Attempt:
    """One sending of a request, allowed and written down."""

    request: Request
    endpoint: Endpoint | None
    reservation: str
    note: Note | None
    started_at: datetime
    until: datetime | None = None
    """Until when the target blocks, where it says so."""
    unwritten: CannotRun | None = None
    """Why it could not be written down that it was answered."""


def _refused_last(asked: Asked) -> bool:
    return asked.answer is None or not SUCCESS <= asked.answer.status < REDIRECT


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
