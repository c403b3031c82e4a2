"""Clears away what a run has created: reconciliations are completed, since an active one blocks its channel, and orders that
are not reconciled are deleted. Used by a run for itself, and for runs that were killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import Doubtful, TargetUnavailable, WaitTooLong
from conformance.run import fillers
from conformance.run.fillers import query as _query
from conformance.target.shared.ledger import NO_SUCH_PLACE, Doubt, Ledger, Opened, OrderId
from conformance.target.shared.lenient import (
    ENTRIES_AT_MOST,
    Place,
    counts,
    is_lawful,
    own_places,
    released_dates,
    spellings,
    whole_id,
)
from conformance.target.shared.near_ids import REMEMBERED, guesses, guesses_at_once, next_after, none_between
from conformance.target.waiting import Wait
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.exchange import Exchange

ERRORS_AT_MOST: Final = 30
"""Client errors that a run, or one `cleanup`, spends on finding and completing what it and dead runs left active."""

ERRORS_EACH: Final = 15
"""How many of them on one reconciliation at a time."""

ATTEMPTS_AT_MOST: Final = 3
"""How often runs try to complete one that can't be; after that they only tell of it, and `cleanup` alone tries again."""

CLEANUPS_AT_MOST: Final = 5
"""How often it is tried at all; after that `cleanup` only looks whether another can be opened there, so that it is gone."""

PATIENCE_SECONDS: Final = 90.0
"""How long one is waited for that has all its releases: no document says how long reconciling takes."""

SHORT_PATIENCE_SECONDS: Final = 3.0
"""How long before the likeliest ids are tried."""

FIRST_PAUSE: Final = 1.0

TRIED_AGAIN: Final = 2
"""How often it is tried anew at once when an answer is lost: what a ledger holds then says what may have been done."""

FEW: Final = 2
"""So many ids between two known ones are tried although nothing seems to be active."""

AGAIN: Final = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER})
"""What is sent again when its answer is lost: an order is the same then, and one that is gone is gone."""

NOT_FOUND: Final = 404

GONE_AT_MOST: Final = 3
"""So many deletions of one sort of order are refused since it is gone already, and the rest wait until the end of the run: each
spends a client error that rules may need."""

GONE_AT_THE_END: Final = 30
"""How many there may be then; what is left after that is told, and `cleanup` goes on with it."""


@dataclass(slots=True)
class Report:
    """What was cleared away, and what stays and why."""

    deleted: int = 0
    completed: int = 0
    kept: list[str] = field(default_factory=list)
    """What nobody can remove."""
    undone: list[str] = field(default_factory=list)
    """What could not be done now."""


class _Stop(Exception):
    """A reconciliation can't be completed now; the message says why."""


class _NoSuchPlace(_Stop):
    """Nor ever: its account or channel takes nothing."""


class _NotTried(_Stop):
    """It could not even be tried: the budget or the time for it is used up."""


_Lost = tuple[Ledger, Opened]
"""What may be active though nobody knows its id, and the ledger on which it stands."""


@dataclass(slots=True)
class Recovery:
    """Clears away by the client of this run."""

    client: KonciliClient
    own: Ledger
    """The ledger of this run, in which the client writes."""
    new_code: Callable[[], str]
    new_period: Callable[[int], str]
    """The beginning of a period of so many seconds that nobody has used."""
    wait: Callable[[str], Wait]
    """Begins to wait for something."""
    places: Sequence[Place] = ()
    """The accounts and channels of the target."""
    errors_left: Callable[[], int | None] = lambda: None
    """How many client errors may be spent now; None: as many as one likes."""
    is_settling: Callable[[str], bool] = lambda _: False
    """Whether the target may still be reconciling on a channel what has all its releases."""
    saw: Callable[[Exchange], None] = lambda _: None
    """What is done with every answer."""
    thorough: bool = False
    """Whether to try again what was tried in vain often enough: `cleanup` does."""
    report: Report = field(default_factory=Report)
    taken: set[Place] = field(default_factory=set)
    """Where something is active that was looked at often enough."""
    given_up: set[str] = field(default_factory=set)
    """The keys of reconciliations that could not be completed: trying them after every scenario would spend the budget."""
    pause: float = 0.0
    """Seconds that the target was seen to take to reconcile."""
    spent: int = 0
    """Client errors that went into finding and completing reconciliations."""
    _in_doubt: bool = False
    """Whether what was refused last may have been carried out before."""
    _spent_before: int = 0
    """How many the whole run had when work on the present one began."""
    doubtful: set[OrderId] = field(default_factory=set)
    """Orders of which an update was refused: a target may have deleted them for that."""
    gone: Counter[bool] = field(default_factory=Counter)
    """How many orders were gone before their deletion, among the doubtful ones and among the others."""
    gone_at_most: int = GONE_AT_MOST

    def _call(self, endpoint: Endpoint, *, query: dict[str, str] | None = None, body: JSONValue = None) -> Exchange:
        """Send a request. A refusal after a lost answer is one, of which it is remembered that the first time it may have been
        carried out."""
        exchange = self._answer(endpoint, query, body, again=TRIED_AGAIN if endpoint in AGAIN else 0)
        self.saw(exchange)
        return exchange

    def _answer(self, endpoint: Endpoint, query: dict[str, str] | None, body: JSONValue, *, again: int) -> Exchange:
        self._in_doubt = False
        try:
            return self.client.call(endpoint, query=query, body=body)
        except WaitTooLong:
            raise
        except TargetUnavailable as error:
            if isinstance(error, Doubtful) and error.refusal is not None:
                self._in_doubt = True
                refused: Exchange = error.refusal
                return refused
            if again < 1:
                raise
            return self._answer(endpoint, query, body, again=again - 1)

    # -- orders ------------------------------------------------------------------------------------------------------

    def delete_orders(self, ledger: Ledger, *, but: frozenset[OrderId] = frozenset()) -> None:
        """Delete the orders of a ledger, but for those that are likely to be gone already, as long as the run may need the
        client errors. Raises TargetUnavailable and CannotRun; what is deleted by then is off the ledger."""
        for order in sorted(ledger.left.orders, key=self.doubtful.__contains__):
            doubtful = order in self.doubtful
            if order in but or self.gone[doubtful] >= self.gone_at_most:
                continue
            if self.gone[doubtful] >= GONE_AT_MOST and self.errors_left() == 0:
                continue
            exchange = self._call(Endpoint.DELETE_ORDER, query=_query(order))
            if exchange.is_accepted or exchange.status == NOT_FOUND:
                ledger.deleted(order)
                self.doubtful.discard(order)
                self.gone[doubtful] += exchange.is_refused
                self.report.deleted += exchange.status != NOT_FOUND
            elif exchange.is_refused:
                ledger.deleted(order)
                self.gone[doubtful] += 1
                self.report.kept.append(f"{_name(order)}: its deletion is refused with {_words(exchange)}")
            else:
                self.report.undone.append(f"{_name(order)}: its deletion got {_words(exchange)}")

    def forget_reconciled(self, ledger: Ledger) -> None:
        """Say which orders stay for good."""
        orders = ledger.left.reconciled
        self.report.kept += [f"{_name(order)}: it is reconciled, and such orders cannot be deleted" for order in orders]
        ledger.forget_reconciled()

    # -- reconciliations ---------------------------------------------------------------------------------------------

    def complete_each(self, ledger: Ledger, some: Sequence[Opened]) -> bool:
        """Complete these, the last one first: as long as it is active nobody can see that those before are not."""
        known = [opened for opened in reversed(some) if opened.id is not None]
        for opened in known:
            self._release_before_looking(ledger, opened)
        lost = [opened for opened in reversed(some) if opened.id is None]
        completed = [self.complete(ledger, opened) for opened in (*lost, *known)]
        return all(completed)

    def _release_before_looking(self, ledger: Ledger, opened: Opened) -> None:
        """Complete one whose id is known although something at its place is lost. If it takes its releases it was active all the
        time, and what is lost was refused for that."""
        lost = [(place, self._lost_at(ledger, place)) for place in self._places_of(opened)]
        if not any(entries for _, entries in lost) or opened.key in self.given_up or self._was_tried_enough(opened):
            return
        self._spent_before = self.client.journal.traffic.client_errors
        place = own_places(opened.account, opened.channel, self.places)[0]
        try:
            if is_lawful(opened.quantity, opened.init, opened.end):
                self._send_rest(ledger, opened, place, lawful=True)
                for at, entries in lost:
                    self._close_all(at, _but_at_once(entries))
                self.report.completed += 1
                ledger.closed(opened)
        except (_Stop, TargetUnavailable) as error:
            if isinstance(error, WaitTooLong):
                raise
        finally:
            self.spent += self._spent_on_this

    def try_all_again(self) -> None:
        """For the last time, what could not be done before."""
        self.given_up.clear()
        self.taken.clear()
        self.report.undone.clear()
        self.no_rule_needs_more()

    def no_rule_needs_more(self) -> None:
        """From here on client errors are for clearing away, orders that are gone perhaps too."""
        self.gone.clear()
        self.gone_at_most = GONE_AT_THE_END

    def complete(self, ledger: Ledger, opened: Opened) -> bool:
        """Send the releases that a reconciliation still waits for; whether it is known to be active no longer.

        Raises WaitTooLong, CannotRun.
        """
        if all(opened is not one for one in ledger.left.opened):  # closed beside another that was found
            return True
        if opened.key in self.given_up:
            return False
        if self._was_tried_enough(opened) and not self.thorough:
            self._give_up(opened, opened.why)
            return False
        self._spent_before = self.client.journal.traffic.client_errors
        try:
            if self._was_tried_enough(opened):
                self._look(ledger, opened)
            else:
                self._complete_here(ledger, opened)
        except _NotTried as reason:
            self._give_up(opened, str(reason))
        except _Stop as reason:
            ledger.failed(opened, str(reason))
            self._give_up(opened, str(reason))
        except WaitTooLong:
            raise
        except TargetUnavailable as error:
            self.report.undone.append(f"{title(opened)}: {error}")
        else:
            return True
        finally:
            self.spent += self._spent_on_this
        return False

    def _was_tried_enough(self, opened: Opened) -> bool:
        return opened.attempts >= (CLEANUPS_AT_MOST if self.thorough else ATTEMPTS_AT_MOST)

    def _look(self, ledger: Ledger, opened: Opened) -> None:
        """See whether it is gone by now: where another can be opened nothing else is active. That spends a client error at most
        for each place. Raises _Stop where something is."""
        places = self._places_of(opened)
        for place in places:
            if place in self.taken or self._is_free(place, 0.0) is None:
                self.taken.add(place)
                raise _Stop(opened.why)
        if not places:
            raise _Stop(opened.why)
        ledger.closed(opened)

    def _complete_here(self, ledger: Ledger, opened: Opened) -> None:
        """Raises _Stop where that can't be done, TargetUnavailable where answers were lost each time."""
        for last in (*[False] * TRIED_AGAIN, True):
            try:
                self._complete(ledger, opened)
            except _NoSuchPlace:
                if opened.accepted:
                    raise
                ledger.closed(opened)  # where nothing can be, nothing is
            except WaitTooLong:
                raise
            except TargetUnavailable:
                if last:
                    raise
                continue
            return

    def _give_up(self, opened: Opened, why: str) -> None:
        self.given_up.add(opened.key)
        self.report.undone.append(in_words(opened, why))

    @property
    def _spent_on_this(self) -> int:
        return self.client.journal.traffic.client_errors - self._spent_before

    def _check_allowance(self) -> None:
        """Raises _Stop before a call that may be refused where enough was spent."""
        left, here = self.errors_left(), self._spent_on_this
        if here >= ERRORS_EACH or self.spent + here >= ERRORS_AT_MOST:
            raise _Stop(f"{here} client errors were spent on it, and no more than that for now")
        if left is not None and left < 1:
            raise _NotTried("the budget of client errors is spent")

    def _complete(self, ledger: Ledger, opened: Opened) -> None:
        """Raises _Stop where that can't be done."""
        places = own_places(opened.account, opened.channel, self.places)
        if opened.id is not None:
            self._fill_up(ledger, opened, places)
        elif places and _says_something(opened):
            self._find(ledger, opened, self._places_of(opened))
        elif opened.accepted:
            raise _Stop("its creation was accepted, and no id was told")
        else:
            ledger.closed(opened)  # lost, and nowhere where it could be looked up

    # -- one whose id is known ---------------------------------------------------------------------------------------

    def _fill_up(self, ledger: Ledger, opened: Opened, places: Sequence[Place]) -> None:
        """Send the releases that it waits for, or may wait for, or see that it waits for none."""
        lawful = is_lawful(opened.quantity, opened.init, opened.end)
        accepted, why, doubted = False, "", opened.in_doubt > 0
        for place in places or (Place(opened.account, opened.channel),):
            try:
                accepted = self._send_rest(ledger, opened, place, lawful=lawful)
            except _Stop as reason:
                why = why or str(reason)
            if accepted:
                break
        counted = accepted and counts(opened.quantity) == (opened.quantity,)
        if not counted and not (accepted and not places):  # more or less may be wanted than what was said
            self._check_allowance()
            wait = (
                lawful or accepted or doubted
            )  # what refuses its releases has them all, perhaps, and is being reconciled
            patience = PATIENCE_SECONDS if wait else 0.0
            if not any(self._own_probe(place) or self._is_free(place, patience) is not None for place in places):
                raise _Stop(why or "it is active still with all the releases that it may wait for")
        self.report.completed += 1
        ledger.closed(opened)

    def _send_rest(self, ledger: Ledger, opened: Opened, place: Place, *, lawful: bool) -> bool:
        """Whether it takes releases. Raises _Stop that says why it takes none."""
        totals = counts(opened.quantity)
        if not totals:
            raise _Stop(
                f"it waits for {opened.quantity} release entries, and no more than {ENTRIES_AT_MOST} are ever sent"
            )
        if lawful:
            return self._release_first(ledger, opened, place, _amounts(totals[0] - opened.received, opened.doubts))
        received, accepted = opened.received, False
        for total in totals:
            if total <= received:
                continue
            try:
                self._release_first(ledger, opened, place, [total - received])
            except _NoSuchPlace:
                raise
            except _Stop:
                if accepted:  # it was full before
                    break
                raise
            accepted, received = True, total
        return accepted

    def _release_first(self, ledger: Ledger, opened: Opened, place: Place, amounts: Sequence[int]) -> bool:
        """Send so many entries, or so many, until they are taken. Raises _Stop where none are."""
        reason = _Stop("it has all the releases that it was to get")
        doubts = [doubt.order for doubt in opened.doubts]
        for amount in amounts:
            if amount <= 0:
                continue
            try:
                self._release(ledger, opened, place, spellings(opened.id), amount)
            except _NoSuchPlace:
                raise
            except _Stop as refused:
                reason = refused
            else:
                if amount < amounts[0]:  # what was in doubt was taken
                    ledger.released(*doubts)
                return True
        raise reason

    def _release(
        self, ledger: Ledger, opened: Opened, place: Place, numbers: Sequence[JSONValue], entries: int
    ) -> JSONValue:
        """Send one order's entries to the first of these ids that takes them, and returns it. Raises _Stop where none does."""
        filled = self._order(place, entries)
        try:
            return self._taken(ledger, opened, numbers, filled)
        except _Stop:
            self._withdraw(filled)
            raise

    def _withdraw(self, *orders: dict[str, Any]) -> None:
        """Delete orders whose releases were not taken."""
        for filled in orders:
            self._call(Endpoint.DELETE_ORDER, query=_query(_id_of(filled)))

    def _taken(self, ledger: Ledger, opened: Opened, numbers: Sequence[JSONValue], filled: dict[str, Any]) -> JSONValue:
        """The first of these ids that takes the order's entries. Raises _Stop where none does."""
        dates = released_dates(opened.init, opened.end) or (fillers.written(datetime.now(UTC)),)
        tries, entries, last = 0, len(filled["extracts"]), ""
        # The client writes into the ledger of this run alone, and by ids.
        unwritten = ledger is not self.own or opened.id is None
        for number, date in product(numbers, dates if opened.id is not None else dates[:FEW]):
            self._check_allowance()
            if unwritten:
                ledger.doubt(opened, Doubt(_id_of(filled), entries))
            answer = self._call(Endpoint.SUBMIT_RELEASE, body=fillers.release(number, filled, date))
            if unwritten and (answer.is_accepted or (answer.is_refused and not self._in_doubt)):
                ledger.settled(opened, _id_of(filled), entries if answer.is_accepted else 0)
            if answer.is_accepted:
                return number
            tries, last = tries + 1, _words(answer)
            if answer.error_code in NO_SUCH_PLACE:
                raise _NoSuchPlace(f"its releases got {last}")
        raise _Stop(f"its releases got {last} ({tries} tried)")

    def _order(self, place: Place, entries: int) -> dict[str, Any]:
        """Submit an order whose release has so many entries. Raises _Stop where it is refused."""
        filled = fillers.order(place, self.new_code(), entries)
        self._check_allowance()
        answer = self._call(Endpoint.SUBMIT_ORDER, body=filled)
        if answer.is_accepted:
            return filled
        refused = _NoSuchPlace if answer.error_code in NO_SUCH_PLACE else _Stop
        raise refused(f"an order for its releases got {_words(answer)}")

    # -- one whose answer was lost -----------------------------------------------------------------------------------

    def _find(self, ledger: Ledger, opened: Opened, places: Sequence[Place]) -> None:
        """See that it is not there, or find its id by sending its releases to the ids near that of its time."""
        for place in places:
            self._settle(ledger, place)
            while opened.at_once and any(opened is one for one in ledger.left.opened):
                self._settle(ledger, place)  # what was found is another that came at once
        ledger.closed(opened)

    def _settle(self, ledger: Ledger, place: Place) -> None:
        """See that nothing is active at a place, or complete what is.

        Where the same creation was refused since, it is probably there: then the likeliest id comes first. Otherwise most often
        nothing was done, which another creation shows at no cost.
        """
        tried: set[tuple[int, str]] = set()
        lost = self._lost_at(ledger, place)
        if any(one.refused_again for _, one in lost):
            self._learn_ids(place, at_least=1)
            if self._found(place, lost, self._ids(lost)[:1], tried):
                return
        wait = any(one.doubts for _, one in lost) or self.is_settling(place.channel)
        if self._is_gone(place, lost, SHORT_PATIENCE_SECONDS if wait else 0.0):
            return
        self._learn_ids(place, at_least=FEW)
        lost = self._lost_at(ledger, place)  # the answers to what was just sent may be lost, too
        if self._found(place, lost, self._ids(lost)[: max(FEW, len(lost))], tried):
            return
        if wait and self._is_gone(place, lost, PATIENCE_SECONDS):
            return
        lost = self._lost_at(ledger, place)
        if self._found(place, lost, self._ids(lost), tried):
            return
        if all(not one.accepted and none_between(one.after, one.before) for _, one in lost):
            self._close_all(place, lost)  # whatever blocks the place, it is none of these
            return
        numbers = sorted({number for number, _ in tried})
        none = "none is known" if self.own.last_id is None else "ids here don't follow each other"
        raise _Stop(f"no release was taken by {_listed(numbers)}" if numbers else f"its id can't be guessed: {none}")

    def _lost_at(self, ledger: Ledger, place: Place) -> list[_Lost]:
        """All that was opened at a place, perhaps, without an answer, oldest first: at most one of these is active, since while
        it is the others are refused."""
        return [
            (each, one)
            for each in dict.fromkeys((ledger, self.own))
            for one in each.left.opened
            if one.id is None and place in self._places_of(one)
        ]

    def _places_of(self, opened: Opened) -> list[Place]:
        places = own_places(opened.account, opened.channel, self.places)
        return [self._plain(place) for place in places]

    def _ids(self, lost: Sequence[_Lost]) -> list[tuple[int, _Lost]]:
        """Which ids these may have, likeliest first."""
        known = self.own.last_ids
        for ledger, opened in lost:
            following = next_after(known, opened.after)
            if following is not None and (opened.after is not None or len(known) < REMEMBERED):
                # Those that are remembered later are not those that follow it.
                ledger.came_before(opened, following)
        ranked = [
            (rank, age, number, one)
            for age, one in enumerate(lost)
            for rank, number in enumerate(_guesses(known, one[1]))
        ]
        return [(number, one) for _, _, number, one in sorted(ranked, key=lambda each: each[:2])]

    def _is_gone(self, place: Place, lost: Sequence[_Lost], patience: float) -> bool:
        """Whether the place takes another reconciliation, so that none of these is active. A server may allow two: where ids
        are left out between those of its time, they are tried too."""
        if any(one.accepted for _, one in lost):
            return False
        if self._is_free(self._as_written(place, lost), patience) is None:
            return False
        lost = [one for one in lost if one[1].after is not None]
        between = self._ids(lost)
        if not (0 < len(between) <= FEW and self._found(place, lost, between, set())):
            self._close_all(place, lost)
        return True

    def _as_written(self, place: Place, lost: Sequence[_Lost]) -> Place:
        """The place with the account in the form that these had: a target may take numbers or text alone."""
        written = next((one.account for _, one in lost if isinstance(one.account, int | str)), place.account)
        return Place(written if whole_id(written) == place.account else place.account, place.channel)

    def _found(
        self,
        place: Place,
        lost: Sequence[_Lost],
        likely: Sequence[tuple[int, _Lost]],
        tried: set[tuple[int, str]],
    ) -> bool:
        """Whether one of these ids takes the releases of the one that may have it: then it is complete, and the others were never
        there, but for those that came at once with it, perhaps."""
        written = self._as_written(place, lost)
        orders: dict[int, dict[str, Any]] = {}
        try:
            for number, (ledger, opened) in likely:
                totals = counts(opened.quantity)
                if not totals or (number, opened.key) in tried:
                    continue
                tried.add((number, opened.key))
                if totals[0] not in orders:
                    orders[totals[0]] = self._order(written, totals[0])
                if not self._takes(ledger, opened, number, orders[totals[0]]):
                    continue
                del orders[totals[0]]
                self._close_all(place, _but_at_once([one for one in lost if one[1] is not opened]))
                ledger.found(opened, number)
                opened.id, opened.accepted, opened.received = number, True, totals[0]
                if is_lawful(opened.quantity, opened.init, opened.end):
                    self.report.completed += 1
                    ledger.closed(opened)
                else:
                    self._fill_up(ledger, opened, (written,))
                return True
            return False
        finally:
            self._withdraw(*orders.values())

    def _takes(self, ledger: Ledger, opened: Opened, number: int, filled: dict[str, Any]) -> bool:
        try:
            self._taken(ledger, opened, [number], filled)
        except _NoSuchPlace:
            raise
        except _Stop:
            self._check_allowance()
            return False
        return True

    def _close_all(self, place: Place, lost: Sequence[_Lost]) -> None:
        """Those that can be nowhere else are not there."""
        for ledger, opened in lost:
            if self._places_of(opened) == [place]:
                ledger.closed(opened)

    def _learn_ids(self, place: Place, *, at_least: int) -> None:
        """Where fewer ids are known, open and complete reconciliations elsewhere, to see what ids are like here."""
        while len(known := self.own.last_ids) < at_least and self._opened_elsewhere(place):
            if self.own.last_ids == known:
                return

    def _opened_elsewhere(self, place: Place) -> bool:
        # An account of the same channel may be blocked with it.
        for other in sorted(self.places, key=lambda other: other.channel == place.channel):
            if other.account != whole_id(place.account):
                self._check_allowance()
                if self._is_free(other, 0.0) is not None:
                    return True
        return False

    # -- whether a place is free -------------------------------------------------------------------------------------

    def _is_free(self, place: Place, patience: float) -> JSONValue:
        """The id of a reconciliation that the place takes, which is then completed: so none is active there. None where it
        takes none, after waiting so long for the one before to be reconciled."""
        waited, pause, looks = 0.0, max(self.pause, FIRST_PAUSE), 0
        wait = self.wait("a reconciliation to be finished")
        while True:
            if patience:
                pause = min(pause, patience - waited)
                try:
                    wait.on(pause)
                except WaitTooLong as reason:
                    raise _NotTried(str(reason)) from None
                waited, pause = waited + pause, 2 * pause
            looks += 1
            answer = self._open(place)
            if answer is None:
                return self._own_probe(place)
            if answer.is_accepted:
                if looks > 1:
                    self.pause = max(self.pause, 1.1 * waited)
                return self._close(place)
            if answer.error_code in NO_SUCH_PLACE:
                raise _NoSuchPlace(f"creations there got {_words(answer)}")
            if waited >= patience:
                return None

    def _own_probe(self, place: Place) -> JSONValue:
        """The id of what this run opened there to see whether that can be done, though its answer was lost; it is then completed.
        None where there is none."""
        place = self._plain(place)
        mine = [one for one in self._lost_at(self.own, place) if one[1].refused_again][-1:]
        return mine[0][1].id if self._found(place, mine, self._ids(mine)[:1], set()) else None

    def _open(self, place: Place) -> Exchange | None:
        """Open a reconciliation to see whether that can be done. Where the answer is lost the same is sent once more; None where
        that is refused, perhaps since the first was opened."""
        body = fillers.creation(place, self.new_period(fillers.PERIOD_SECONDS))
        self._check_allowance()
        try:
            answer = self._call(Endpoint.CREATE_RECONCILIATION, body=body)
        except Doubtful:
            answer = self._call(Endpoint.CREATE_RECONCILIATION, body=body)
            self._in_doubt = answer.is_refused
        return None if self._in_doubt else answer

    @staticmethod
    def _plain(place: Place) -> Place:
        return Place(whole_id(place.account), place.channel)

    def _close(self, place: Place) -> JSONValue:
        """Complete what was opened to see whether that can be done."""
        mine = next(
            (one for one in reversed(self.own.left.opened) if one.accepted and one.channel == place.channel), None
        )
        if mine is None or mine.id is None:
            return None
        number = mine.id
        try:
            self._release(self.own, mine, place, spellings(number), 1)
        except _Stop:
            return None
        self.own.closed(mine)
        return number


def _but_at_once(lost: Sequence[_Lost]) -> list[_Lost]:
    """Those of which at most one can have been opened: a server that looks and then writes opens several that come at once."""
    return [one for one in lost if not one[1].at_once]


def _guesses(known: Sequence[int], opened: Opened) -> tuple[int, ...]:
    if opened.at_once:
        return guesses_at_once(known, opened.after)
    return guesses(known, opened.after, opened.before)


def _amounts(missing: int, doubts: Sequence[Doubt]) -> list[int]:
    """How many entries may be missing where some releases may have been taken: most first."""
    taken = {0}
    for doubt in doubts:
        taken |= {one + doubt.entries for one in taken}
    return sorted({missing - one for one in taken if one < missing}, reverse=True)


def _says_something(opened: Opened) -> bool:
    """Whether its creation was a body that a server could have read anything from."""
    return any(part is not None for part in (opened.channel, opened.account, opened.init, opened.end))


def _listed(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def in_words(opened: Opened, why: str) -> str:
    """What to tell of a reconciliation that can't be completed."""
    then = ", then run cleanup again" if opened.attempts >= CLEANUPS_AT_MOST else ""
    return f"{title(opened)} may still be active{': ' if why else ''}{why}; ask Koncili to close it{then}"


def _id_of(body: dict[str, Any]) -> OrderId:
    return OrderId(int(str(body["accountId"])), body["channelName"], body["marketplaceCode"])


def _name(order: OrderId) -> str:
    return f"order {order.code} of account {order.account} on {order.channel}"


def title(opened: Opened) -> str:
    """Which one it is."""
    number = f"{opened.id}" if opened.id is not None else "of unknown id"
    return f"reconciliation {number} of account {opened.account} on {opened.channel}"


def _words(exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.error_code or ''}".strip()
