"""One attempt at calls at once, as the scenarios make it: what was sent together, what before and after, and what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from conformance.concurrency import model
from conformance.concurrency.history import Operation, Outcome, were_at_once
from conformance.concurrency.linearizability import Unexplained, explain
from conformance.concurrency.model import ABSENT, Look, World, shown_words
from conformance.contract.endpoints import Endpoint
from conformance.engine.as_sent import check_shown_as_sent
from conformance.engine.bench import Bench
from conformance.engine.sending import SERVER_ERROR
from conformance.engine.settling import ASKED_AT_MOST
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.target.waiting import LATE_SECONDS
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.tokens import says_no_token
from conformance.target.wire.transport import TOO_MANY
from strategies.calls import Call
from strategies.orders import Order
from strategies.scope import Place

NOT_FOUND: Final = 404

READING: Final = frozenset({Endpoint.DELETE_ORDER, Endpoint.SUBMIT_RELEASE})
"""What reads an order, and may see late what was done to it."""

HERE: Final = frozenset({"here"})
"""All calls of a scenario are about the same account."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A call, and what it asks for as the model understands it."""

    call: Call
    values: Values
    doing: model.Call
    label: str
    touches: frozenset[str] = HERE
    shows: Callable[[Exchange], str | None] | None = None
    """What the answer to a query shows, as Attempt.look tells it."""


@dataclass
class Attempt:
    """One attempt: what was sent at once, what before and after, and what came."""

    bench: Bench
    one_by_one: bool = False
    """Whether what is meant to be sent at once is sent one after the other: to see whether that makes the difference."""
    follows: Sequence[Sequence[int]] = ()
    """In which sequence then, each time that some are meant to be at once; as they are listed where nothing is said."""
    turns: list[tuple[int, ...]] = field(default_factory=list)
    """In which sequence they were answered, each time."""
    shares: bool = False
    """Whether it takes orders of what is open for all tries of its scenario."""
    initial: World = field(default_factory=World)
    operations: list[Operation] = field(default_factory=list)
    exchanges: dict[int, Exchange] = field(default_factory=dict)
    """By the number of the operation."""
    offsets: tuple[float, ...] = ()
    """After how many seconds each of the calls at once is released; together where nothing is said."""
    overlapped: bool = False
    """Whether the calls that were to overlap did, all of them."""
    was_sent: bool = False
    """Whether any were sent at once."""
    undecided: bool = False
    """Whether one of them was answered so that nobody knows what became of it, or not at all."""
    story: tuple[Exchange, ...] = ()

    # -- sending ---------------------------------------------------------------------------------------------------

    def at_once(self, *asked: Asking, lanes: Sequence[int] = ()) -> list[Exchange | None]:
        """Send these at once, each in its lane; what each was answered, None where it was not. Those that were throttled, or
        whose token died, are sent again after."""
        lanes = lanes or range(len(asked))
        if any(one.call.endpoint in READING for one in asked):
            self.bench.let_be_seen()
        if self.one_by_one:
            return self._in_turn(asked, lanes)
        sent = self.bench.send_at_once([(one.call, one.values, one.label) for one in asked], self.offsets)
        numbers: list[int] = []
        for lane, one, came in zip(lanes, asked, sent, strict=True):
            numbers.append(len(self.operations))
            self._note(one, came.sent, came.answered, came.exchange, lane)
        at_once = were_at_once([self.operations[number] for number in numbers]) and not any(
            self._token_died(number, one) for number, one in zip(numbers, asked, strict=True)
        )
        self.turns.append(tuple(sorted(range(len(numbers)), key=lambda turn: self.operations[numbers[turn]].answered)))
        self.overlapped = at_once and (self.overlapped or not self.was_sent)
        self.was_sent = True
        for number, one in zip(numbers, asked, strict=True):
            exchange = self.exchanges.get(number)
            if exchange is not None and (exchange.status == TOO_MANY or self._token_died(number, one)):
                self._send_again(number, one)  # nothing was done
        self.undecided = self.undecided or any(not self.operations[number].must_be_explained for number in numbers)
        return [self.exchanges.get(number) for number in numbers]

    def _in_turn(self, asked: Sequence[Asking], lanes: Sequence[int]) -> list[Exchange | None]:
        """Send these one after the other, in the sequence that is to be followed; what each was answered, as they are listed."""
        number, listed = len(self.turns), tuple(range(len(asked)))
        turn = tuple(self.follows[number]) if number < len(self.follows) else listed
        self.turns.append(turn if len(turn) == len(asked) else listed)
        came: dict[int, Exchange | None] = {}
        for place in self.turns[-1]:
            one = asked[place]
            came[place] = self.ask(one, partial(self.bench.send, one.call, one.values, one.label), lanes[place])
        return [came[place] for place in listed]

    def ask(self, one: Asking, send: Callable[[], Exchange] | None = None, lane: int = 0) -> Exchange:
        """Send one by itself, in its own way where `send` is given. What reads an order may see it late: a refusal counts where
        it comes again later."""
        plainly = partial(self.bench.send, one.call, one.values, one.label)
        if send is None:
            send = partial(self.bench.asked_again, plainly) if one.call.endpoint in READING else plainly
        began = time.monotonic()
        exchange = send()
        self._note(one, began, time.monotonic(), exchange, lane)
        return exchange

    def saw(
        self,
        doing: model.Call,
        label: str,
        shown: object,
        told: str,
        exchange: Exchange | None = None,
        touches: frozenset[str] = HERE,
    ) -> None:
        """Take note of what was seen after all that was sent."""
        now = time.monotonic()
        if exchange is not None:
            self.exchanges[len(self.operations)] = exchange
        self.operations.append(Operation(0, doing, label, now, now, Outcome.ACCEPTED, shown, told, touches))

    def _token_died(self, number: int, one: Asking) -> bool:
        """Whether its answer says nothing of what was asked: only that the token is none any more."""
        exchange = self.exchanges.get(number)
        return exchange is not None and one.call.endpoint.needs_token and says_no_token(exchange)

    def _send_again(self, number: int, one: Asking) -> None:
        began, lane = time.monotonic(), self.operations[number].lane
        exchange = self.bench.send(one.call, one.values, one.label)
        self.operations[number] = _operation(one, began, time.monotonic(), exchange, lane)
        self.exchanges[number] = exchange

    def _note(self, one: Asking, sent: float, answered: float, exchange: Exchange | None, lane: int) -> None:
        if exchange is not None:
            self.exchanges[len(self.operations)] = exchange
        self.operations.append(_operation(one, sent, answered, exchange, lane))

    # -- what is stored --------------------------------------------------------------------------------------------

    def look(
        self,
        place: Place,
        values: Values,
        versions: Mapping[str, Order],
        name: str = "A",
        touches: frozenset[str] = HERE,
    ) -> Waiting[str | None]:
        """Ask for the order of that name until what it shows is explained, or half an hour has passed twice; the version that it
        shows, ABSENT where there is none, None where it is none that was sent: a moment later that counts, since no update that
        is still to come explains it. Nothing is asked where the answers so far can't be explained. Raises Hindered where the
        query fails, a violation of QRY-01 where a version is not shown as it was sent by itself either."""
        bench, earlier = self.bench, list(self.operations)
        if self.unexplained() is not None:
            return None
        began = bench.clock
        for attempt in range(ASKED_AT_MOST):
            passed = (yield) if attempt or bench.puts_off else True
            bench.let_be_shown(bench.clock - began)
            exchange = bench.query(place, values["code"], "what is stored")
            shown = version_shown(bench, exchange, values, versions)
            if shown is None:
                bench.let_pass("an order to be seen", LATE_SECONDS[0])
                exchange = bench.query(place, values["code"], "what is stored")
                shown = version_shown(bench, exchange, values, versions)
            if exchange.status >= SERVER_ERROR:
                raise Hindered(f"ERR-02: a query was answered {exchange.status}")
            self.operations[:] = earlier
            told = shown_words(shown)
            self.saw(Look(name), "look" if touches == HERE else f"look at {name}", shown, told, exchange, touches)
            if explain(self.operations, model.Koncili(), self.initial) is None:
                bench.slow = bench.slow or attempt > 0
                return shown
            if shown is None:
                check_shown_as_sent(bench, versions.values())
                return shown
            if not passed:
                raise NotSeenYet
        return shown

    # -- judging ---------------------------------------------------------------------------------------------------

    def unexplained(self) -> Unexplained | None:
        """What no order of the calls explains."""
        found = explain(self.operations, model.Koncili(), self.initial)
        if found is not None:  # what clears it away is no part of it
            self.story = self.story or tuple(self.bench.story)
        return found

    @property
    def says_nothing(self) -> str:
        """Why the attempt is no evidence; empty where it is."""
        if not self.was_sent:
            return "no calls were sent at once"
        if self.undecided:
            return "nobody knows what became of some of the calls: they got no answer, or a server error"
        if not self.overlapped:
            return "the calls did not overlap: each was answered before the next one was sent, or throttled"
        return ""

    def exchange_of(self, operation: Operation) -> Exchange | None:
        """The exchange of an operation."""
        numbers = [number for number, one in enumerate(self.operations) if one is operation]
        return self.exchanges.get(numbers[0]) if numbers else None


def _operation(one: Asking, sent: float, answered: float, exchange: Exchange | None, lane: int) -> Operation:
    if exchange is None:
        return Operation(
            lane, one.doing, one.label, sent, math.inf, Outcome.UNKNOWN, told="no answer", touches=one.touches
        )
    outcome, shown, told = Outcome.UNKNOWN, None, str(exchange.status)
    if exchange.is_accepted:
        outcome = Outcome.ACCEPTED
    elif exchange.is_refused:
        outcome = Outcome.REFUSED
    if one.shows is not None and (exchange.is_accepted or exchange.status == NOT_FOUND):
        outcome, shown = Outcome.ACCEPTED, one.shows(exchange)
        told = f"{exchange.status}, {shown_words(shown)}"
    return Operation(lane, one.doing, one.label, sent, answered, outcome, shown, told, one.touches)


def version_shown(bench: Bench, exchange: Exchange, values: Values, versions: Mapping[str, Order]) -> str | None:
    """Which of the versions an answer to a query shows, ABSENT where there is none, None where it is none that was sent."""
    if not bench.problems(exchange, None, values):
        return ABSENT
    return next((name for name, order in versions.items() if not bench.problems(exchange, order, values)), None)
