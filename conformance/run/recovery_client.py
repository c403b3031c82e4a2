"""The client by which is cleared away what runs have created: within an allowance of client errors, again where an answer is
lost, and with a report of what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import Doubtful, TargetUnavailable, WaitTooLong
from conformance.i18n.messages import mark
from conformance.run import fillers
from conformance.run.fillers import query as query_for
from conformance.target.shared.ledger import NO_SUCH_PLACE, Ledger, OrderId
from conformance.target.shared.lenient import Place
from conformance.target.waiting import LATE_SECONDS, Wait
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.exchange import Exchange

ERRORS_AT_MOST: Final = 30
"""Client errors that a run, or one `cleanup`, spends on finding and completing what it and dead runs left active."""

ERRORS_EACH: Final = 15
"""How many of them on one reconciliation at a time."""

TRIED_AGAIN: Final = 2
"""How often it is tried anew at once when an answer is lost: what a ledger holds then says what may have been done."""

AGAIN: Final = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.DELETE_ORDER})
"""What is sent again when its answer is lost: an order is the same then, and one that is gone is gone."""


@dataclass(slots=True)
class Report:
    """What was cleared away, and what stays and why."""

    deleted: int = 0
    completed: int = 0
    kept: list[str] = field(default_factory=list)
    """What nobody can remove."""
    undone: list[str] = field(default_factory=list)
    """What could not be done now."""


class NotCompleted(Exception):
    """A reconciliation can't be completed now; the message says why."""


class NotRefused(NotCompleted):
    """A server error is all that its releases got: nobody knows whether it takes them, or took them."""


class Refused(NotCompleted):
    """Its releases were refused: it takes none, or has all of them."""


IN_VAIN_AT_MOST: Final = 2
"""For so many releases in a row an order is waited for in vain: they cost client errors, and something else may be wrong."""


class NoSuchPlace(NotCompleted):
    """Nor ever: its account or channel takes nothing."""


class NotTried(NotCompleted):
    """It could not even be tried: the budget or the time for it is used up."""


@dataclass(slots=True)
class RecoveryClient:
    """Sends what clears away, by the client of this run."""

    koncili: KonciliClient
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
    report: Report = field(default_factory=Report)
    pause: float = 0.0
    """Seconds that the target was seen to take to reconcile."""
    late: float = 0.0
    """Seconds that the target was seen to take until a release sees an order."""
    in_vain: int = 0
    """For how many releases in a row that was waited for in vain."""
    unsure: set[OrderId] = field(default_factory=set)
    """Orders that may be in a reconciliation that has all its releases by now, or not: one that is deleted before that has ended
    may spoil it."""
    in_doubt: bool = False
    """Whether what was refused last may have been carried out before."""
    spent: int = 0
    """Client errors that went into finding and completing reconciliations."""
    _spent_before: int = 0
    """How many the whole run had when work on the present one began."""

    def call(self, endpoint: Endpoint, *, query: dict[str, str] | None = None, body: JSONValue = None) -> Exchange:
        """Send a request. A refusal after a lost answer is one, of which it is remembered that the first time it may have been
        carried out."""
        exchange = self._answer(endpoint, query, body, again=TRIED_AGAIN if endpoint in AGAIN else 0)
        self.saw(exchange)
        return exchange

    def _answer(self, endpoint: Endpoint, query: dict[str, str] | None, body: JSONValue, *, again: int) -> Exchange:
        self.in_doubt = False
        try:
            return self.koncili.call(endpoint, query=query, body=body)
        except WaitTooLong:
            raise
        except TargetUnavailable as error:
            if isinstance(error, Doubtful) and error.refusal is not None:
                self.in_doubt = True
                refused: Exchange = error.refusal
                return refused
            if again < 1:
                raise
            return self._answer(endpoint, query, body, again=again - 1)

    def release(self, body: JSONValue, *, may_be_late: bool) -> Exchange:
        """Send a release; where it `may_be_late` that its order is seen, again a little later: the order was just sent."""
        answer, waited = self.call(Endpoint.SUBMIT_RELEASE, body=body), 0.0
        for seconds in LATE_SECONDS if may_be_late and self.in_vain < IN_VAIN_AT_MOST else ():
            if not answer.is_refused or self.in_doubt or not self._may_wait(seconds):
                break
            waited += seconds
            answer = self.call(Endpoint.SUBMIT_RELEASE, body=body)
        if waited and not answer.is_refused:
            self.late, self.in_vain = self.late + waited, 0
        elif waited and not self.in_doubt:
            self.in_vain += 1
        return answer

    def _may_wait(self, seconds: float) -> bool:
        """Wait so long for an order to be seen; False where that, or another refusal, is more than is allowed: then the answer
        that there is counts."""
        try:
            self.wait("an order to be seen").on(seconds)
            self.check_allowance()
        except (WaitTooLong, NotCompleted):
            return False
        return True

    # -- the allowance -----------------------------------------------------------------------------------------------

    @contextmanager
    def working_on_one(self) -> Iterator[None]:
        """Count what is spent in this block for one reconciliation, and for all of them."""
        self._spent_before = self.koncili.journal.traffic.client_errors
        try:
            yield
        finally:
            self.spent += self._spent_on_this

    @property
    def _spent_on_this(self) -> int:
        return self.koncili.journal.traffic.client_errors - self._spent_before

    def check_allowance(self) -> None:
        """Raises NotCompleted before a call that may be refused where enough was spent."""
        left, here = self.errors_left(), self._spent_on_this
        if here >= ERRORS_EACH:
            raise NotCompleted(f"{here} client errors were spent on it, and no more than that for now")
        if self.spent + here >= ERRORS_AT_MOST:
            raise NotCompleted(
                f"{self.spent + here} client errors were spent on what was left, and no more than that for now"
            )
        if left is not None and left < 1:
            raise NotTried("the budget of client errors is spent")

    # -- orders that only fill up reconciliations --------------------------------------------------------------------

    def submit_order(self, place: Place, entries: int) -> dict[str, Any]:
        """Submit an order whose release has so many entries. Raises NotCompleted where it is refused."""
        filled = fillers.order(place, self.new_code(), entries)
        self.check_allowance()
        answer = self.call(Endpoint.SUBMIT_ORDER, body=filled)
        if answer.is_accepted:
            if self.late:
                self._may_wait(self.late)
            return filled
        refused = NoSuchPlace if answer.error_code in NO_SUCH_PLACE else NotCompleted
        raise refused(mark(f"an order for its releases got {answer_words(answer)}"))

    def withdraw(self, *orders: dict[str, Any]) -> None:
        """Delete orders whose releases were not taken."""
        for filled in orders:
            self.call(Endpoint.DELETE_ORDER, query=query_for(order_of(filled)))


def order_of(body: dict[str, Any]) -> OrderId:
    """Which order a body that was sent means."""
    return OrderId(int(str(body["accountId"])), body["channelName"], body["marketplaceCode"])


def answer_words(exchange: Exchange) -> str:
    """Its status and, where it has one, its error code."""
    return f"{exchange.status} {exchange.error_code or ''}".strip()
