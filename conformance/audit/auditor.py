"""Judges a stream of exchanges, call by call, each in the world of its moment.

What a call has done is taken note of when its answer was there: a call that was sent before that is judged without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heappop, heappush
from typing import Literal

from conformance.audit.batch_rules import Batches
from conformance.audit.books import Books
from conformance.audit.call import BLOCKED, TOO_MANY, Call, Came, Recogniser, times_of
from conformance.audit.callback_rules import judge_callback, notification_in
from conformance.audit.findings import Findings, Spot
from conformance.audit.habit_rules import (
    LostAnswers,
    Repetitions,
    Tokens,
    Urls,
    judge_integrator,
)
from conformance.audit.pace_rules import OVERLAP, AtOnce, BackOff, Rates, Stop
from conformance.audit.release_rules import COUNT, COVERED, EXACT, SEQUENCE, WHOLE, judge_release_in
from conformance.audit.request_rules import (
    NO_BODY,
    judge_account,
    judge_body,
    judge_creation,
    judge_lookup,
    judge_path,
    judge_update,
)
from conformance.audit.world import World
from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import resolve
from conformance.traffic.exchange import Exchange

MOST_UNEXPLAINED = 100
"""So many calls are named that were refused for no reason that the documents give."""


@dataclass(slots=True)
class Counts:
    """How much there was."""

    exchanges: int = 0
    calls: int = 0
    notifications: int = 0
    client_errors: int = 0
    server_errors: int = 0
    throttled: int = 0
    untimed: int = 0
    """Calls without a time."""
    first: datetime | None = None
    last: datetime | None = None


@dataclass(slots=True)
class Unexplained:
    """Calls that were refused although nothing is wrong with them that the documents state: no fault of the integration's."""

    times: int = 0
    spots: list[Spot] = field(default_factory=list)


class Auditor:
    """Takes exchanges one after the other, in the order of their times, and says at the end what it found."""

    def __init__(
        self,
        *,
        readings: Mapping[str, str] | None = None,
        base_url: str | None = None,
        on_finding: Callable[[Call], None] = lambda _: None,
    ) -> None:
        """`readings` are those that the endpoint is known to follow; `on_finding` is told each call that breaks a rule."""
        self.readings = resolve(readings or {})
        self.readings_from: dict[str, Literal["stated", "probed", "default"]] = dict.fromkeys(readings or {}, "stated")
        self.recogniser = Recogniser(base_url)
        self.findings = Findings()
        self.world = World()
        self.books = Books()
        self.counts = Counts()
        self.unexplained = Unexplained()
        self._waiting: list[tuple[datetime, int, Call]] = []
        self._batches = Batches(self.findings)
        self._tokens, self._urls = Tokens(self.findings), Urls(self.findings)
        self._repetitions, self._lost = Repetitions(self.findings), LostAnswers(self.findings)
        self._rates, self._back_off, self._stop = Rates(self.findings), BackOff(self.findings), Stop(self.findings)
        self._at_once = AtOnce(self.findings)
        self._on_finding = on_finding

    def take_all(self, exchanges: Iterable[Exchange]) -> None:
        """Judge all of them."""
        for exchange in exchanges:
            self.take(exchange)
        self.finish()

    def take(self, exchange: Exchange) -> None:
        """Judge one exchange."""
        self.counts.exchanges += 1
        if exchange.request.method != exchange.request.method.upper():
            exchange = replace(exchange, request=replace(exchange.request, method=exchange.request.method.upper()))
        if (notification := notification_in(exchange)) is not None:
            self._hear(exchange, notification)
            return
        call = self.recogniser.read(exchange, self.counts.exchanges)
        if call is None:
            return
        self._count(call)
        if call.started is not None:
            self._catch_up(call.started + OVERLAP)
        before, undecided = self.findings.broken, self.findings.undecided
        is_explained = self._judge(call)
        if self.findings.broken > before:
            self._on_finding(call)
        elif call.came is Came.REFUSED and self.findings.undecided == undecided and not is_explained:
            self._not_explained(call)
        if call.started is None or call.ended is None or call.ended <= call.started:
            self._apply(call)
        else:
            heappush(self._waiting, (call.ended, call.number, call))

    def finish(self) -> None:
        """Judge what only the end decides."""
        while self._waiting:
            self._apply(heappop(self._waiting)[2])
        self._batches.finish(self.world)
        self.books.finish(self.world)

    # -- one call --------------------------------------------------------------------------------------------------

    def _judge(self, call: Call) -> bool:
        """Judge a call; whether a refusal of it is explained by what is no fault of this very call."""
        findings, world = self.findings, self.world
        is_clear = self._at_once.take(call)
        self._rates.take(call)
        self._back_off.take(call)
        self._stop.take(call)
        judge_path(call, findings)
        self._urls.take(call)
        self._tokens.take(call, world)
        judge_integrator(call, findings)
        self._lost.take(call)
        self._repetitions.take(call)
        judge_account(call, findings)
        whole = judge_body(call, findings, self.readings)
        match call.endpoint:
            case Endpoint.SUBMIT_ORDER:
                judge_update(call, world, findings)
            case Endpoint.GET_ORDER | Endpoint.DELETE_ORDER:
                judge_lookup(call, world, findings, is_clear=is_clear)
            case Endpoint.CREATE_RECONCILIATION if whole:
                judge_creation(call, world, findings, is_clear=is_clear)
                return self._batches.created(call, world) or not is_clear
            case Endpoint.SUBMIT_RELEASE if whole:
                judge_release_in(call, world, findings, is_clear=is_clear)
            case Endpoint.SUBMIT_RELEASE if not call.has_body:
                for rule in (WHOLE, EXACT, SEQUENCE, COVERED, COUNT):
                    findings.cannot_tell(rule, NO_BODY)
        return _is_question(call)

    def _apply(self, call: Call) -> None:
        for change in self.world.apply(call):
            self.books.take(change, self.world)

    def _catch_up(self, until: datetime) -> None:
        """Take note of what had been answered by then."""
        while self._waiting and self._waiting[0][0] <= until:
            self._apply(heappop(self._waiting)[2])

    def _hear(self, exchange: Exchange, notification: Mapping[str, object]) -> None:
        self.counts.notifications += 1
        started, _ = times_of(exchange)
        if started is not None:
            self._catch_up(started + OVERLAP)
        call = Call(
            self.counts.exchanges, exchange.origin, started, None, "POST", "", "", exchange.request.url, {}, exchange
        )
        before = self.findings.broken
        judge_callback(call, self.findings)
        if self.findings.broken > before:
            self._on_finding(call)
        payload = notification.get("payload")
        self.world.notified(payload)
        if isinstance(payload, dict):
            self._repetitions.notified(payload.get("accountId"))

    def _count(self, call: Call) -> None:
        counts, status = self.counts, call.status or 0
        counts.calls += 1
        counts.client_errors += 400 <= status < 500  # noqa: PLR2004 - the class of client errors
        counts.server_errors += status >= 500  # noqa: PLR2004 - the class of server errors
        counts.throttled += status == TOO_MANY
        if call.started is None:
            counts.untimed += 1
            return
        counts.first = counts.first or call.started
        counts.last = max(counts.last or call.started, call.ended or call.started)

    def _not_explained(self, call: Call) -> None:
        self.unexplained.times += 1
        if len(self.unexplained.spots) < MOST_UNEXPLAINED:
            self.unexplained.spots.append(Spot.of(call))


def _is_question(call: Call) -> bool:
    """Whether its refusal is an answer: that there is no such order."""
    return call.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER} and call.status in {404, BLOCKED}
