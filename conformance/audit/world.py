"""What an audit knows of Koncili's world at a moment, from requests and from the server's own answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.audit.call import NO_ORDER, Call, Came, OrderKey, Place, number_in
from conformance.audit.orders import Orders
from conformance.audit.states import (
    CONSOLIDATED,
    FINISHED,
    GONE,
    UNSEEN,
    Batch,
    Change,
    Order,
    Overheard,
    Release,
    State,
    Unseen,
    Version,
    overlaps,
)
from conformance.contract.endpoints import Endpoint
from conformance.contract.reconciliation_rules import Entry, is_whole, period_of

NOT_FOUND: Final = 404


@dataclass(slots=True)
class World:
    """All orders and reconciliations that the recording has shown so far."""

    overheard: Overheard = field(default_factory=Overheard)
    orders: Orders = field(default_factory=Orders)
    batches: dict[int, Batch] = field(default_factory=dict)
    by_place: dict[Place, list[Batch]] = field(default_factory=dict)
    unanswered: dict[Place, list[Call]] = field(default_factory=dict)
    """Creations whose answer is not known."""
    unread: int = 0
    """How many entries have come so far that can't be read, or changed an order of which the recording does not say which."""
    asked: int = 0
    """How many queries have come so far that found an order, or may have, of which the recording does not say which."""
    twins: set[frozenset[str]] = field(default_factory=set)
    """Each two files that hold the same creation, whose id no other has: they are recordings of the same calls."""

    def order(self, key: OrderKey) -> Order:
        """The order of that key, as unseen where it is new."""
        order = self.orders.get(key)
        if order.unread != self.unread:
            order.may_have_changed(self.unread)
        return order

    def places_batches(self, place: Place) -> list[Batch]:
        """The reconciliations of an account and channel, in the order in which they were opened."""
        return self.by_place.get(place, [])

    def miss(self) -> None:
        """An entry can't be read: whatever it was, what was known may be so no longer."""
        self.unread += 1
        for batches in self.by_place.values():
            for batch in batches:
                batch.in_doubt = batch.in_doubt or batch.situation is None

    def may_have_been_released(self) -> None:
        """A release was sent of which the recording does not say in which reconciliation: it may have been in each."""
        for batches in self.by_place.values():
            for batch in batches:
                batch.may_have_more = batch.may_have_more or batch.situation is None

    # -- what a call did -------------------------------------------------------------------------------------------

    def apply(self, call: Call) -> Iterator[Change]:
        """Take note of what a call has done, by its answer; what it did to the books."""
        match call.endpoint:
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

    def hear_again(self, call: Call) -> None:
        """A change of an order that another recording holds too: where it was sent again, after others, the order is as it
        says."""
        if call.key is None or call.came is not Came.ACCEPTED or call.endpoint not in _OF_ORDERS:
            return
        order = self.order(call.key)
        known, now = order.states[0], GONE if call.endpoint is Endpoint.DELETE_ORDER else Version.of(call.body)
        order.states = [known] if now == known else [*order.states, now]

    def _submit(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            # Of states that it may have had the first is that of the books: the others were never told to be taken.
            now = Version.of(call.body)
            if order.deleted is not None or order.is_gone:
                order.releases, order.may_be_released = [], False
            order.sent_since = bool(order.releases)
            if not order.releases:  # what was released is in the books as it was then, unless it is released again
                if isinstance(was := order.states[0], Version):
                    yield Change("replaced", call.key, call.number, was.entries)
                yield Change("submitted", call.key, call.number, now.entries)
            order.states, order.deleted = [now], None
        elif call.came in _MAY_HAVE_DONE:
            order.states = [*order.states, Version.of(call.body)]
        else:
            return
        order.sent, order.changed_at, order.asked = call.origin, call.started, self.asked
        order.verified = order.may_be_verified = False

    def _look_up(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            is_later = order.found_in == call.origin.file
            order.verified, order.found_at, order.found_in = True, call.started, call.origin.file
            order.looked_since = order.may_be_released
            known = order.version
            if call.is_held_elsewhere or (known is not None and not (known.is_shown and is_later)):
                return  # what it shows is known, or may be older than what was sent since
            shown = call.answered
            if not isinstance(shown, dict) or "extracts" not in shown:
                return
            now = Version.shown(shown)
            if now is None:
                return
            if known is not None:
                yield from self._shown_again(call, order, known, now)
            elif order.states == [UNSEEN]:
                order.states = self._as_shown(now, call)
                yield Change("found", call.key, call.number, now.entries)
            elif len(order.states) > 1:
                yield from self._decide(call, order, now)
        elif _is_not_there(call) and not self._may_show_late(order, call):
            yield from self._vanish(call, order)
        elif call.came is Came.UNKNOWN:
            order.may_be_verified = True

    def _shown_again(self, call: Call, order: Order, known: Version, now: Version) -> Iterator[Change]:
        """An order that is known by a query is shown in another way: what was sent before the recording was seen late."""
        assert call.key is not None
        if order.releases or Counter(now.entries) == Counter(known.entries):
            return
        order.states = self._as_shown(now, call)
        yield Change("replaced", call.key, call.number, known.entries)
        yield Change("found", call.key, call.number, now.entries)

    def _vanish(self, call: Call, order: Order) -> Iterator[Change]:
        """The server says that there is no such order, whatever the recording shows."""
        assert call.key is not None
        if isinstance(was := order.states[0], Version) and not order.releases:
            yield Change("deleted", call.key, call.number, was.entries)
        order.states = [UNSEEN] if order.version is not None else [GONE]
        order.verified = order.may_be_verified = False

    def _as_shown(self, shown: Version, call: Call) -> list[State]:
        """The states of an order that a query shows, and that may have been sent unseen, the same or another."""
        return [shown, UNSEEN] if self.overheard.may_show_late(call) else [shown]

    def _decide(self, call: Call, order: Order, shown: Version) -> Iterator[Change]:
        """Which of the states that it may have a query has shown. An older one may be shown late, the last one can't be early."""
        assert call.key is not None
        before, last = order.states[0], order.states[-1]
        if isinstance(last, Unseen):
            order.states = self._as_shown(shown, call)
            if not order.releases:
                if isinstance(before, Version):
                    yield Change("replaced", call.key, call.number, before.entries)
                yield Change("found", call.key, call.number, shown.entries)
            return
        if isinstance(last, Version) and last.entries == shown.entries and last.status == shown.status:
            order.states = [last]
            if isinstance(before, Version) and not order.releases:
                yield Change("replaced", call.key, call.number, before.entries)
            if not order.releases:
                yield Change("submitted", call.key, call.number, last.entries)
        elif not self._may_show_late(order, call):
            order.states = [shown]
            if not isinstance(before, Version) and not order.releases:
                yield Change("found", call.key, call.number, shown.entries)

    def _may_show_late(self, order: Order, call: Call) -> bool:
        """Whether the query may show what was before the last change."""
        if order.sent is None and order.deleted is None and len(order.states) == 1:
            return False
        if order.changed_at is None or call.started is None:
            return True
        return call.started - order.changed_at <= CONSOLIDATED

    def _delete(self, call: Call) -> Iterator[Change]:
        if call.key is None:
            return
        order = self.order(call.key)
        if call.came is Came.ACCEPTED:
            if isinstance(was := order.states[0], Version) and not order.releases:
                yield Change("deleted", call.key, call.number, was.entries)
            order.states, order.deleted = [GONE], call.origin
            order.verified = order.may_be_verified = False
            order.changed_at = call.started
        elif _is_not_there(call):
            yield from self._vanish(call, order)
        elif call.came in _MAY_HAVE_DONE:
            order.states, order.changed_at = [*order.states, GONE], call.started

    def _open(self, call: Call) -> None:
        place = call.place
        if place is None:
            return
        number = number_in(call.answered.get("id")) if isinstance(call.answered, dict) else None
        if call.came is Came.ACCEPTED and number is not None:
            batch = self._batch_of(call, number, place)
            if number in self.batches and self.batches[number].is_held_twice(batch):
                self._note_twins(self.batches[number].opened_by, call)
                return
            for before in self.places_batches(place):
                if before.situation is None and before.id != number:
                    before.situation = FINISHED  # else no other could have been opened
            self._add(batch)
            waiting = self.unanswered.get(place, [])
            waiting[:] = [
                one for one in waiting if not overlaps(one, batch.init, batch.end)
            ]  # else this one would have been refused
        elif call.came in _MAY_HAVE_DONE or call.came is Came.ACCEPTED:
            self.unanswered.setdefault(place, []).append(call)

    def _note_twins(self, opened: Call | None, again: Call) -> None:
        if opened is not None:
            self.twins.add(frozenset({opened.origin.file, again.origin.file}))

    def _batch_of(self, call: Call, number: int, place: Place) -> Batch:
        init, end = period_of(call.body)
        quantity = call.body.get("releasesQtd")
        return Batch(number, place, call, init, end, quantity if is_whole(quantity) else None)

    def _add(self, batch: Batch) -> None:
        known = self.batches.get(batch.id)
        if known is not None and known.place == batch.place and batch.opened_by is not None and _is_other(known, batch):
            known.opened_by, known.init, known.end = batch.opened_by, batch.init, batch.end
            known.quantity = batch.quantity
            return
        if known is not None:  # ids are unique: the server was set back, and has forgotten the one that had it before
            self.by_place[known.place] = [one for one in self.by_place[known.place] if one is not known]
        self.batches[batch.id] = batch
        self.by_place.setdefault(batch.place, []).append(batch)

    def batch_named(self, call: Call) -> Batch | None:
        """The reconciliation that a release names. One whose creation was not answered is known by its first release."""
        number, place = call.body.get("reconciliationId"), call.place
        if not is_whole(number):
            return None
        if number not in self.batches and place is not None and call.came is Came.ACCEPTED:
            waiting = self.unanswered.get(place, [])
            batch = Batch(number, place, None, known_by=call.origin.file)
            if len(waiting) == 1:  # of several nobody knows which it is
                batch = self._batch_of(waiting.pop(), number, place)
            self._add(batch)
        return self.batches.get(number)

    def _release(self, call: Call) -> Iterator[Change]:
        batch = self.batch_named(call)
        entries = call.released
        if call.came is Came.ACCEPTED:
            if call.key is not None and self.order(call.key).held_already(call, self.twins) is not None:
                return
            if call.key is not None and (order := self.order(call.key)).sent_since:
                order.releases, order.sent_since = [], False
                yield Change("submitted", call.key, call.number, order.entries or ())
            if call.key is not None and (order := self.order(call.key)).may_be_released:
                order.may_be_released = False  # else this one would have been refused
                if batch is not None:
                    batch.unsure = max(0, batch.unsure - len(entries))
            booked = self._booked(self.order(call.key)) if call.key is not None else ()
            release = self._released(call, entries, batch)
            if release is not None:
                if booked and release.expected is None:  # which of its versions was released nobody knows
                    yield Change("replaced", release.key, call.number, booked)
                yield Change("released", release.key, call.number, entries, release)
        elif call.came in _MAY_HAVE_DONE:
            if batch is not None:
                batch.unsure += len(entries)
            if call.key is not None:
                self.order(call.key).may_be_released, self.order(call.key).looked_since = True, False
        elif call.came is Came.REFUSED and batch is not None:
            batch.refused += len(entries)

    def _booked(self, order: Order) -> tuple[Entry, ...]:
        """The extracts of an order that is open in the books; none where it is not."""
        first = order.states[0]
        return first.entries if isinstance(first, Version) and not order.releases else ()

    def _released(self, call: Call, entries: tuple[Entry, ...], batch: Batch | None) -> Release | None:
        if call.key is None:
            return None
        order = self.order(call.key)
        number = call.body.get("reconciliationId")
        expected = order.entries
        entries = expected if expected == entries else entries  # two of one are twice the room
        release = Release(call.key, entries, expected, call.origin, number if is_whole(number) else None, call.started)
        order.releases.append(release)
        if order.is_gone:
            order.states = [UNSEEN]
        if batch is not None:
            batch.received += len(entries)
        return release

    def notified(self, payload: Any) -> None:
        """Take note of what a notification told."""
        if not isinstance(payload, dict):
            return
        number, situation = number_in(payload.get("reconciliationId")), payload.get("situation")
        if number is not None and number in self.batches and isinstance(situation, str):
            self.batches[number].situation = situation


_OF_ORDERS: Final = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER})
_MAY_HAVE_DONE: Final = frozenset({Came.FAILED, Came.LOST, Came.UNKNOWN})


def _is_other(known: Batch, batch: Batch) -> bool:
    """Whether a reconciliation is known by another recorder's release, by whose clock that came before its creation."""
    creation = batch.opened_by
    return known.opened_by is None and creation is not None and known.known_by not in ("", creation.origin.file)


def _is_not_there(call: Call) -> bool:
    return call.status == NOT_FOUND and call.error_code == NO_ORDER
