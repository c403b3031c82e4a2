"""Clears away what a run has created: reconciliations are completed, since an active one blocks its channel, and orders that
are not reconciled are deleted. Used by a run for itself, and for runs that were killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.escaping import visible
from conformance.run.fillers import query as query_for
from conformance.run.recovery_client import (
    TRIED_AGAIN,
    NoSuchPlace,
    NotCompleted,
    NotTried,
    RecoveryClient,
    Report,
    answer_words,
)
from conformance.run.recovery_releases import send_rest
from conformance.run.recovery_search import PATIENCE_SECONDS, Search, one_at_most
from conformance.target.shared.ledger import Ledger, Opened, OrderId
from conformance.target.shared.lenient import Place, is_lawful, own_places

ATTEMPTS_AT_MOST: Final = 3
"""How often runs try to complete one that can't be; after that they only tell of it, and `cleanup` alone tries again."""

CLEANUPS_AT_MOST: Final = 5
"""How often it is tried at all; after that `cleanup` only looks whether another can be opened there, so that it is gone."""

NOT_FOUND: Final = 404

FOR_NOW: Final = frozenset({401, 405, 407, 408, 451})
"""How the deletion of an order is refused for who asks, or how, or when: that says nothing of the order, which is left to
`cleanup`."""

GONE_AT_MOST: Final = 3
"""So many deletions of one sort of order are refused since it is gone already, and the rest wait until the end of the run: each
spends a client error that rules may need."""

GONE_AT_THE_END: Final = 30
"""How many there may be then; what is left after that is told, and `cleanup` goes on with it."""


@dataclass(slots=True)
class Recovery:
    """Clears away, and remembers for the rest of the run what it could not."""

    client: RecoveryClient
    thorough: bool = False
    """Whether to try again what was tried in vain often enough: `cleanup` does."""
    taken: set[Place] = field(default_factory=set)
    """Where something is active that was looked at often enough."""
    given_up: set[str] = field(default_factory=set)
    """The keys of reconciliations that could not be completed: trying them after every scenario would spend the budget."""
    doubtful: set[OrderId] = field(default_factory=set)
    """Orders of which an update was refused: a target may have deleted them for that."""
    gone: Counter[bool] = field(default_factory=Counter)
    """How many orders were gone before their deletion, among the doubtful ones and among the others."""
    gone_at_most: int = GONE_AT_MOST
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        self.search = Search(self.client)

    @property
    def report(self) -> Report:
        """What was cleared away, and what stays."""
        return self.client.report

    # -- orders ------------------------------------------------------------------------------------------------------

    def delete_orders(self, ledger: Ledger, *, but: frozenset[OrderId] = frozenset()) -> None:
        """Delete the orders of a ledger, but for those that are likely to be gone already, as long as the run may need the
        client errors. Raises TargetUnavailable and CannotRun; what is deleted by then is off the ledger."""
        wait = but | self._in_what_is_open(ledger)
        for order in sorted(ledger.left.orders, key=self.doubtful.__contains__):
            doubtful = order in self.doubtful
            if order in wait or self.gone[doubtful] >= self.gone_at_most or not self._is_settled(order):
                continue
            if self.gone[doubtful] >= GONE_AT_MOST and self.client.errors_left() == 0:
                continue
            if not _fits_into_a_url(order):
                ledger.deleted(order)
                self.report.kept.append(f"{visible(_name(order))}: no URL can hold that, so that nobody can delete it")
                continue
            exchange = self.client.call(Endpoint.DELETE_ORDER, query=query_for(order))
            if exchange.is_accepted or exchange.status == NOT_FOUND:
                ledger.deleted(order)
                self.doubtful.discard(order)
                self.gone[doubtful] += exchange.is_refused
                self.report.deleted += exchange.status != NOT_FOUND
            elif exchange.is_refused and exchange.status not in FOR_NOW:
                ledger.deleted(order)
                self.gone[doubtful] += 1
                self.report.kept.append(f"{_name(order)}: its deletion is refused with {answer_words(exchange)}")
            else:
                self.gone[doubtful] += exchange.is_refused  # which costs as much
                self.report.undone.append(f"{_name(order)}: its deletion got {answer_words(exchange)}")

    def _in_what_is_open(self, ledger: Ledger) -> frozenset[OrderId]:
        """The orders that may be in a reconciliation that is not complete: without one of its orders it might never be."""
        opened = [one for each in dict.fromkeys((ledger, self.client.own)) for one in each.left.opened]
        return frozenset(doubt.order for one in opened for doubt in one.doubts if doubt.order is not None)

    def _is_settled(self, order: OrderId) -> bool:
        """Whether what an order may be in has ended, so that its deletion spoils nothing: another reconciliation can be opened
        there. Where that can't be seen the order is told, and left to `cleanup`."""
        if order not in self.client.unsure:
            return True
        try:
            if self.search.is_free(Place(order.account, order.channel), PATIENCE_SECONDS) is None:
                return False
        except NotCompleted:
            return False
        here = (order.account, order.channel)
        self.client.unsure -= {one for one in self.client.unsure if (one.account, one.channel) == here}
        return True

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

    def find_refused(self, ledger: Ledger, place: Place) -> bool:
        """Whether something was active there though its creation was refused; it is complete then. Raises WaitTooLong,
        CannotRun."""
        with self.client.working_on_one():
            for opened in ledger.take_refused(place.account, place.channel):
                try:
                    if self.search.find_refused(ledger, opened, place):
                        return True
                except NotCompleted:
                    return False
                except TargetUnavailable as error:
                    if isinstance(error, WaitTooLong):
                        raise
        return False

    def _release_before_looking(self, ledger: Ledger, opened: Opened) -> None:
        """Complete one whose id is known although something at its place is lost. If it takes its releases it was active all the
        time, and what is lost was refused for that."""
        lost = [(place, self.search.lost_at(ledger, place)) for place in self.search.places_of(opened)]
        if not any(entries for _, entries in lost) or opened.key in self.given_up or self._was_tried_enough(opened):
            return
        place = own_places(opened.account, opened.channel, self.client.places)[0]
        with self.client.working_on_one():
            try:
                if is_lawful(opened.quantity, opened.init, opened.end):
                    send_rest(self.client, ledger, opened, place, lawful=True)
                    for at, entries in lost:
                        self.search.close_all(at, one_at_most(entries))
                    self.report.completed += 1
                    ledger.closed(opened)
            except (NotCompleted, TargetUnavailable) as error:
                if isinstance(error, WaitTooLong):
                    raise

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
        with self.client.working_on_one():
            return self._complete_or_tell(ledger, opened)

    def _complete_or_tell(self, ledger: Ledger, opened: Opened) -> bool:
        try:
            if self._was_tried_enough(opened):
                self._look(ledger, opened)
            else:
                self._complete_here(ledger, opened)
        except NotTried as reason:
            self._give_up(opened, str(reason))
        except NotCompleted as reason:
            ledger.failed(opened, str(reason))
            self._give_up(opened, str(reason))
        except WaitTooLong:
            raise
        except TargetUnavailable as error:
            self.report.undone.append(f"{title(opened)}: {error}")
        else:
            return True
        return False

    def _was_tried_enough(self, opened: Opened) -> bool:
        return opened.attempts >= (CLEANUPS_AT_MOST if self.thorough else ATTEMPTS_AT_MOST)

    def _look(self, ledger: Ledger, opened: Opened) -> None:
        """See whether it is gone by now: where another can be opened nothing else is active. That spends a client error at most
        for each place. Raises NotCompleted where something is."""
        places = self.search.places_of(opened)
        for place in places:
            if place in self.taken or self.search.is_free(place, 0.0) is None:
                self.taken.add(place)
                raise NotCompleted(opened.why)
        if not places:
            raise NotCompleted(opened.why)
        ledger.closed(opened)

    def _complete_here(self, ledger: Ledger, opened: Opened) -> None:
        """Raises NotCompleted where that can't be done, TargetUnavailable where answers were lost each time."""
        for last in (*[False] * TRIED_AGAIN, True):
            try:
                self._complete(ledger, opened)
            except NoSuchPlace:
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

    def _complete(self, ledger: Ledger, opened: Opened) -> None:
        """Raises NotCompleted where that can't be done."""
        places = own_places(opened.account, opened.channel, self.client.places)
        if opened.id is not None:
            self.search.fill_up(ledger, opened, places)
        elif places and _says_something(opened):
            self.search.find(ledger, opened, self.search.places_of(opened))
        elif opened.accepted:
            raise NotCompleted("its creation was accepted, and no id was told")
        else:
            ledger.closed(opened)  # lost, and nowhere where it could be looked up


def _says_something(opened: Opened) -> bool:
    """Whether its creation was a body that a server could have read anything from."""
    return any(part is not None for part in (opened.channel, opened.account, opened.init, opened.end))


def in_words(opened: Opened, why: str) -> str:
    """What to tell of a reconciliation that can't be completed."""
    then = ", then run cleanup again" if opened.attempts >= CLEANUPS_AT_MOST else ""
    return f"{title(opened)} may still be active{': ' if why else ''}{why}; ask Koncili to close it{then}"


def _fits_into_a_url(order: OrderId) -> bool:
    """Whether it can be asked for: half of a surrogate pair is no character of UTF-8."""
    return all(not "\ud800" <= one <= "\udfff" for one in order.channel + order.code)


def _name(order: OrderId) -> str:
    return f"order {order.code} of account {order.account} on {order.channel}"


def title(opened: Opened) -> str:
    """Which one it is."""
    number = f"{opened.id}" if opened.id is not None else "of unknown id"
    return f"reconciliation {number} of account {opened.account} on {opened.channel}"
