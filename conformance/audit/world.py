"""What an audit knows of Koncili's world at a moment, from requests and from the server's own answers: and what it doesn't know.

An order's state is a set of those that it may have: one where the recording leaves no doubt, several after a lost answer, and
any at all where it may have been sent before the recording began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.audit.call import Call, Came, OrderKey, Place
from conformance.contract.endpoints import ACCESS_TOKEN_FIELD, REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.reconciliation_rules import Entry, ReconciliationFacts, entries_of, is_whole, period_of
from conformance.traffic.exchange import Origin

CONSOLIDATED: Final = timedelta(seconds=CONSOLIDATION_SECONDS)
NOT_FOUND: Final = 404
NO_ORDER: Final = "404-3"


class Unseen:
    """In place of a body: the order may be there, and how it looks nobody knows."""


class Gone:
    """In place of a body: there is no such order."""


UNSEEN: Final = Unseen()
GONE: Final = Gone()

Body = Mapping[str, JSONValue]
State = Body | Unseen | Gone


@dataclass(slots=True)
class Order:
    """An order as far as the recording shows it."""

    states: list[State] = field(default_factory=lambda: [UNSEEN])
    sent_at: datetime | None = None
    """When it was last sent and taken."""
    sent_by: Call | None = None
    """The last submission that was taken, or may have been."""
    verified: bool = False
    """Whether a query has found it since."""
    seen_at: Origin | None = None
    releases: list[Release] = field(default_factory=list)
    may_be_released: bool = False
    """Whether a release of it was sent whose answer is not known."""
    deleted_by: Call | None = None
    """The deletion that was taken, where nothing was sent since."""

    @property
    def body(self) -> Body | None:
        """How it is for certain, None where that is not known or there is none."""
        only = self.states[0] if len(self.states) == 1 else None
        return only if isinstance(only, Mapping) else None

    @property
    def is_gone(self) -> bool:
        """Whether there is none, for certain."""
        return all(isinstance(state, Gone) for state in self.states)

    @property
    def entries(self) -> tuple[Entry, ...] | None:
        """Types and values of its extracts, None where that is not known."""
        return entries_of(self.body.get("extracts")) if self.body is not None else None


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was taken."""

    key: OrderKey
    entries: tuple[Entry, ...]
    expected: tuple[Entry, ...] | None
    """The order's extracts at that moment, None where they are not known."""
    origin: Origin
    reconciliation: int | None


@dataclass(slots=True)
class Batch:
    """A reconciliation as far as the recording shows it."""

    id: int
    place: Place
    opened_by: Call | None
    """None where it was opened before the recording began, or its creation was not answered."""
    init: datetime | None = None
    end: datetime | None = None
    quantity: int | None = None
    received: int = 0
    unsure: int = 0
    """How many entries were sent whose answer is not known."""
    refused: int = 0
    """How many entries were refused."""
    releases: list[Release] = field(default_factory=list)
    situation: str | None = None
    """CONCILED or ERROR, where a notification told it."""
    last: Call | None = None
    """The last release that was sent to it."""

    @property
    def is_whole(self) -> bool:
        """Whether all that it announced has been taken, or may have been."""
        return self.quantity is not None and self.received + self.unsure >= self.quantity

    @property
    def is_active(self) -> bool | None:
        """Whether it is unfinished; None where the recording can't say."""
        if self.situation is not None:
            return False
        if self.quantity is None or self.is_whole:
            return None  # it is being reconciled, or that is done
        return True

    @property
    def missing(self) -> int:
        """How many of the entries that it announced have not come."""
        return max(0, (self.quantity or 0) - self.received - self.unsure)

    @property
    def facts(self) -> ReconciliationFacts | None:
        """What the judge needs to know of it, None where it is not known."""
        if self.init is None or self.end is None or self.quantity is None:
            return None
        return ReconciliationFacts(
            *self.place, self.init, self.end, self.quantity, self.received, self.is_active is True
        )


@dataclass(slots=True)
class World:
    """All orders and reconciliations that the recording has shown so far."""

    orders: dict[OrderKey, Order] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    by_place: dict[Place, list[Batch]] = field(default_factory=dict)
    unanswered: dict[Place, list[Call]] = field(default_factory=dict)
    """Creations whose answer is not known."""
    tokens: dict[str, list[Call]] = field(default_factory=dict)
    """Access tokens by the calls that were answered with them."""
    refreshed: dict[str, list[Call]] = field(default_factory=dict)
    """Refresh tokens by the calls that used them up."""
    given_refresh: dict[str, int] = field(default_factory=dict)
    """How often each refresh token was given."""

    def order(self, key: OrderKey) -> Order:
        """The order of that key, as unseen where it is new."""
        return self.orders.setdefault(key, Order())

    def places_batches(self, place: Place) -> list[Batch]:
        """The reconciliations of an account and channel, in the order in which they were opened."""
        return self.by_place.get(place, [])

    # -- what a call did -------------------------------------------------------------------------------------------

    def apply(self, call: Call) -> Iterator[Change]:
        """Take note of what a call has done, by its answer; what it did to the books."""
        match call.endpoint:
            case Endpoint.CREATE_TOKEN | Endpoint.REFRESH_TOKEN:
                self._take_tokens(call)
            case Endpoint.SUBMIT_ORDER:
                yield from self._submit(call)
            case Endpoint.GET_ORDER:
                yield from self._look_up(call)
            case Endpoint.DELETE_ORDER:
                yield from self._delete(call)
            case Endpoint.CREATE_RECONCILIATION:
                self._open(call)
            case Endpoint.SUBMIT_RELEASE:
                yield from self._release(call)

    def _take_tokens(self, call: Call) -> None:
        answered = call.answered
        if call.endpoint is Endpoint.REFRESH_TOKEN:
            used = call.body.get(REFRESH_TOKEN_FIELD)
            if isinstance(used, str) and call.came is Came.ACCEPTED:
                self.refreshed.setdefault(used, []).append(call)
        if call.came is not Came.ACCEPTED or not isinstance(answered, dict):
            return
        if isinstance(token := answered.get(ACCESS_TOKEN_FIELD), str):
            self.tokens.setdefault(token, []).append(call)
        if isinstance(token := answered.get(REFRESH_TOKEN_FIELD), str):
            self.given_refresh[token] = self.given_refresh.get(token, 0) + 1

    def _submit(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            # Of states that it may have had the first is that of the books: the others were never told to be taken.
            if isinstance(was := order.states[0], Mapping):
                yield Change("replaced", call.key, call.origin, entries_of(was.get("extracts")))
            yield Change("submitted", call.key, call.origin, entries_of(call.body.get("extracts")))
            if order.deleted_by is not None or order.is_gone:
                order.releases, order.may_be_released = [], False
            order.states = [call.body]
            order.sent_by, order.sent_at, order.verified, order.deleted_by = call, call.started, False, None
        elif call.came in _MAY_HAVE_DONE:
            order.states = [*order.states, call.body]
            order.sent_by, order.sent_at, order.verified = call, call.started, False

    def _look_up(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            shown = call.answered
            order.verified = True
            if not isinstance(shown, dict) or "extracts" not in shown:
                return
            if order.states == [UNSEEN]:
                order.states = [shown]
                yield Change("found", call.key, call.origin, entries_of(shown.get("extracts")))
            elif len(order.states) > 1:
                yield from self._decide(call, order, shown)
        elif _is_not_there(call) and order.body is None and not self._may_show_late(order, call):
            order.states = [GONE]

    def _decide(self, call: Call, order: Order, shown: Body) -> Iterator[Change]:
        """Which of the states that it may have a query has shown. An older one may be shown late, the last one can't be early."""
        assert call.key is not None
        last = order.states[-1]
        if isinstance(last, Mapping) and _same_extracts(last, shown) and last.get("status") == shown.get("status"):
            before = order.states[0]
            if isinstance(before, Mapping):
                yield Change("replaced", call.key, call.origin, entries_of(before.get("extracts")))
            yield Change("submitted", call.key, call.origin, entries_of(last.get("extracts")))
            order.states = [last]
        elif not self._may_show_late(order, call):
            order.states = [shown]

    def _may_show_late(self, order: Order, call: Call) -> bool:
        """Whether the query may show what was before the last submission."""
        if order.sent_by is None:
            return False
        if order.sent_at is None or call.started is None:
            return True
        return call.started - order.sent_at <= CONSOLIDATED

    def _delete(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            if isinstance(was := order.states[0], Mapping):
                yield Change("deleted", call.key, call.origin, entries_of(was.get("extracts")))
            order.states, order.deleted_by, order.verified = [GONE], call, False
        elif _is_not_there(call):
            if order.body is None:
                order.states = [GONE]
            order.verified = False
        elif call.came in _MAY_HAVE_DONE:
            order.states = [*order.states, GONE]

    def _open(self, call: Call) -> None:
        place = call.place
        if place is None:
            return
        number = call.answered.get("id") if isinstance(call.answered, dict) else None
        if call.came is Came.ACCEPTED and is_whole(number):
            for before in self.places_batches(place):
                if before.situation is None:
                    before.situation = "finished"  # else no other could have been opened
            self._add(self._batch_of(call, number, place))
        elif call.came in _MAY_HAVE_DONE or call.came is Came.ACCEPTED:
            self.unanswered.setdefault(place, []).append(call)

    def _batch_of(self, call: Call, number: int, place: Place) -> Batch:
        init, end = period_of(call.body)
        quantity = call.body.get("releasesQtd")
        return Batch(number, place, call, init, end, quantity if is_whole(quantity) else None)

    def _add(self, batch: Batch) -> None:
        self.batches[batch.id] = batch
        self.by_place.setdefault(batch.place, []).append(batch)

    def batch_named(self, call: Call) -> Batch | None:
        """The reconciliation that a release names. One whose creation was not answered is known by its first release."""
        number, place = call.body.get("reconciliationId"), call.place
        if not is_whole(number):
            return None
        if number not in self.batches and place is not None and call.came is Came.ACCEPTED:
            waiting = self.unanswered.get(place, [])
            batch = Batch(number, place, None)
            if len(waiting) == 1:  # of several nobody knows which it is
                batch = self._batch_of(waiting.pop(), number, place)
            self._add(batch)
        return self.batches.get(number)

    def _release(self, call: Call) -> Iterator[Change]:
        batch = self.batch_named(call)
        entries = entries_of(call.body.get("releases"))
        if batch is not None:
            batch.last = call
        if call.came is Came.ACCEPTED:
            release = self._released(call, entries, batch)
            if release is not None:
                yield Change("released", release.key, call.origin, entries, release)
        elif call.came in _MAY_HAVE_DONE:
            if batch is not None:
                batch.unsure += len(entries)
            if call.key is not None:
                self.order(call.key).may_be_released = True
        elif call.came is Came.REFUSED and batch is not None:
            batch.refused += len(entries)

    def _released(self, call: Call, entries: tuple[Entry, ...], batch: Batch | None) -> Release | None:
        if call.key is None:
            return None
        order = self.order(call.key)
        number = call.body.get("reconciliationId")
        release = Release(call.key, entries, order.entries, call.origin, number if is_whole(number) else None)
        order.releases.append(release)
        if order.is_gone:
            order.states = [UNSEEN]
        if batch is not None:
            batch.received += len(entries)
            batch.releases.append(release)
        return release

    def notified(self, payload: Any) -> None:
        """Take note of what a notification told."""
        if not isinstance(payload, dict):
            return
        number, situation = payload.get("reconciliationId"), payload.get("situation")
        if is_whole(number) and number in self.batches and isinstance(situation, str):
            self.batches[number].situation = situation


_MAY_HAVE_DONE: Final = frozenset({Came.FAILED, Came.LOST, Came.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Change:
    """What a call did to the books."""

    what: str
    """submitted, replaced, deleted, found (by a query, sent before the recording began) or released."""
    key: OrderKey
    origin: Origin
    entries: tuple[Entry, ...]
    release: Release | None = None


def _is_not_there(call: Call) -> bool:
    return call.status == NOT_FOUND and call.error_code == NO_ORDER


def _same_extracts(one: Body, other: Body) -> bool:
    return entries_of(one.get("extracts")) == entries_of(other.get("extracts"))


def total(entries: Iterable[Entry]) -> Decimal:
    """The sum of entries in BRL."""
    return sum((value for _, value in entries), Decimal(0))
