"""Calls at once as the scenarios make them: sent together, and explained by an order of them or by none.

Where no order explains the answers, the same calls are made one after the other: only where that is answered as documented it is
a matter of calls at once, and of no other rule.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from conformance.concurrency import model
from conformance.concurrency.history import Operation, Outcome, were_at_once
from conformance.concurrency.interleaving import lanes
from conformance.concurrency.linearizability import Unexplained, explain
from conformance.concurrency.model import ABSENT, Look, World
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import ASKED_AT_MOST, SERVER_ERROR, Bench, Hindered, NotSeenYet, Values, Waiting
from conformance.errors import TargetUnavailable
from conformance.target.wire.client import says_no_token
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.transport import BAD_GATEWAY, GATEWAY_ERRORS, TOO_MANY
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.orders import Order
from strategies.scope import Place

REPEATED: Final = 2
"""How often more it is tried whether what was seen shows again."""

MORE_TRIES: Final = 2
"""How often calls that did not overlap are sent again."""

PASSING: Final = GATEWAY_ERRORS | {BAD_GATEWAY}
"""What is answered in passing, by something on the way perhaps."""

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


@dataclass
class Attempt:
    """One attempt: what was sent at once, what before and after, and what came."""

    bench: Bench
    one_by_one: bool = False
    """Whether what is meant to be sent at once is sent one after the other: to see whether that makes the difference."""
    initial: World = field(default_factory=World)
    operations: list[Operation] = field(default_factory=list)
    exchanges: dict[int, Exchange] = field(default_factory=dict)
    """By the number of the operation."""
    overlapped: bool = False
    """Whether the calls that were to overlap did."""
    story: tuple[Exchange, ...] = ()

    # -- sending ---------------------------------------------------------------------------------------------------

    def at_once(self, *asked: Asking) -> list[Exchange | None]:
        """Send these at once; what each was answered, None where it was not. Those that were throttled are sent again after."""
        if any(one.call.endpoint in READING for one in asked):
            self.bench.let_be_seen()
        if self.one_by_one:
            return [self.ask(one, partial(self.bench.send, one.call, one.values, one.label)) for one in asked]
        sent = self.bench.send_at_once([(one.call, one.values, one.label) for one in asked])
        numbers: list[int] = []
        for lane, (one, came) in enumerate(zip(asked, sent, strict=True)):
            numbers.append(len(self.operations))
            self._note(one, came.sent, came.answered, came.exchange, lane)
        self.overlapped = were_at_once([self.operations[number] for number in numbers]) and not any(
            says_no_token(exchange) for number in numbers if (exchange := self.exchanges.get(number)) is not None
        )  # a token that died shows nothing of what was asked
        for number, one in zip(numbers, asked, strict=True):
            exchange = self.exchanges.get(number)
            if exchange is not None and exchange.status == TOO_MANY:  # nothing was done
                self._send_again(number, one)
        return [self.exchanges.get(number) for number in numbers]

    def ask(self, one: Asking, send: Callable[[], Exchange] | None = None) -> Exchange:
        """Send one by itself, in its own way where `send` is given. What reads an order may see it late: a refusal counts where
        it comes again later."""
        plainly = partial(self.bench.send, one.call, one.values, one.label)
        if send is None:
            send = partial(self.bench.asked_again, plainly) if one.call.endpoint in READING else plainly
        began = time.monotonic()
        exchange = send()
        self._note(one, began, time.monotonic(), exchange, 0)
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
        shows, ABSENT where there is none, None where it is none that was sent."""
        bench, earlier = self.bench, list(self.operations)
        for attempt in range(ASKED_AT_MOST):
            passed = (yield) if attempt or bench.slow else True
            exchange = bench.query(place, values["code"], "what is stored")
            shown = _version(bench, exchange, values, versions)
            self.operations[:] = earlier
            told = "none" if shown == ABSENT else shown or "what nobody sent so"
            self.saw(Look(name), "look" if touches == HERE else f"look at {name}", shown, told, exchange, touches)
            if explain(self.operations, model.Koncili(), self.initial) is None:
                bench.slow = bench.slow or attempt > 0
                return shown
            if not passed:
                raise NotSeenYet
        return shown

    # -- judging ---------------------------------------------------------------------------------------------------

    def unexplained(self) -> Unexplained | None:
        """What no order of the calls explains."""
        self.story = self.story or tuple(self.bench.story)
        return explain(self.operations, model.Koncili(), self.initial)

    def exchange_of(self, operation: Operation) -> Exchange | None:
        """The exchange of an operation."""
        numbers = [number for number, one in enumerate(self.operations) if one is operation]
        return self.exchanges.get(numbers[0]) if numbers else None


def _operation(one: Asking, sent: float, answered: float, exchange: Exchange | None, lane: int) -> Operation:
    outcome = Outcome.UNKNOWN
    if exchange is not None and exchange.is_accepted:
        outcome = Outcome.ACCEPTED
    elif exchange is not None and exchange.is_refused:
        outcome = Outcome.REFUSED
    told = str(exchange.status) if exchange is not None else "no answer"
    ends = answered if exchange is not None else math.inf
    return Operation(lane, one.doing, one.label, sent, ends, outcome, told=told, touches=one.touches)


def _version(bench: Bench, exchange: Exchange, values: Values, versions: Mapping[str, Order]) -> str | None:
    if not bench.problems(exchange, None, values):
        return ABSENT
    return next((name for name, order in versions.items() if not bench.problems(exchange, order, values)), None)


Way = Callable[[Attempt], Waiting[None]]
"""Makes one attempt, from making ready to clearing away."""


def explained(
    bench: Bench, rule: Rule, way: Way, *, tries: int | None = None, blame: Callable[[Unexplained], str] | None = None
) -> Waiting[None]:
    """Make attempts until enough of them overlapped: an order of the calls explains each, or there is none and the rule is
    broken, or the one that `blame` names."""
    usual = 1 if bench.session.control is not None else bench.session.profile.tries_at_once
    wanted = tries or usual
    overlapped = 0
    for _ in range(wanted + MORE_TRIES):
        attempt = Attempt(bench)
        found = yield from _made(attempt, way)
        if found is not None:
            broken = blame(found) if blame is not None else rule.id
            one_by_one = yield from _check_at_once_only(bench, way)
            raise (yield from _violation(bench, broken, way, attempt, found, one_by_one))
        scenario = bench.session.evidence.scenarios[bench.scenario]
        scenario.tries += 1
        scenario.overlapped += attempt.overlapped
        if attempt.overlapped:
            overlapped += 1
            bench.saw(Side.CHECKED, next(iter(attempt.exchanges.values()), None))
        if overlapped == wanted:
            return
    if not overlapped:
        raise Hindered("the calls did not overlap: each was answered before the next one was sent, or throttled")


def _made(attempt: Attempt, way: Way) -> Waiting[Unexplained | None]:
    attempt.bench.story.clear()
    try:
        yield from way(attempt)
    finally:  # also where nothing else can be said of it
        if not attempt.one_by_one:
            _note_server_errors(attempt.bench, attempt)
    return attempt.unexplained()


def _check_at_once_only(bench: Bench, way: Way) -> Waiting[str]:
    """What came of the same calls one after the other, in words. Raises Hindered where they are answered wrongly then, too:
    that is another rule's business. Where they can't be tried so, what was seen of them at once stands."""
    attempt = Attempt(bench, one_by_one=True)
    try:
        found = yield from _made(attempt, way)
    except (Hindered, NotSeenYet, TargetUnavailable) as reason:
        return f"one after the other they could not be tried: {str(reason) or 'what they do may still be to be seen'}"
    if found is not None:
        raise Hindered(f"one after the other they are answered wrongly, too: {found.sentence}")
    return "never where they come one after the other"


def _violation(
    bench: Bench, rule: str, way: Way, attempt: Attempt, found: Unexplained, one_by_one: str
) -> Waiting[Violation]:
    shown, tried = 1, 1
    for _ in range(REPEATED if bench.session.shrinks else 0):
        again = Attempt(bench)
        try:
            wrong = yield from _made(again, way)
        except (Hindered, NotSeenYet, TargetUnavailable):
            break
        tried += 1
        shown += wrong is not None
    violation = Violation(
        rule=rule,
        expected="the answers to calls at once to be those of some order of the calls",
        actual=found.sentence,
        exchange=attempt.exchange_of(found.fails_at),
        context=f"{found.nearest_words}; seen in {shown} of {tried} tries, and {one_by_one}",
    )
    violation.story = attempt.story
    violation.lanes = tuple(lanes(found.history))
    return violation


def _note_server_errors(bench: Bench, attempt: Attempt) -> None:
    """Note against ERR-02 a server error that was seen again: once it may be a passing fault."""
    for exchange in attempt.exchanges.values():
        if exchange.status >= SERVER_ERROR and exchange.status not in PASSING and exchange.endpoint is not None:
            seen = bench.server_errors_at_once
            seen[exchange.endpoint] += 1
            if seen[exchange.endpoint] > 1:
                actual = f"calls at once were answered {exchange.status}, again"
                bench.observe("ERR-02", "no server error", actual, exchange)
