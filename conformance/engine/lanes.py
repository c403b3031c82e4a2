"""Any calls at once: two or three workers make calls of their own, whatever the calls, beside a model that knows what each may be
answered. Of orders what is done to them; of reconciliations opening and releasing.

The lanes keep step: their first calls are sent at once, then, when all are answered, their second ones. So each call has others
beside it that contend with it, where lanes that run on by themselves would be at once at their beginning only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from conformance.concurrency.linearizability import Unexplained
from conformance.concurrency.model import Delete, Look, Open, Opened, Query, Refresh, Release, Submit, World
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.engine.at_once import Asking, Attempt, version_shown
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.tries import CLIENT_ERRORS, Sending, explained
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call, creation_of, release_of
from strategies.lanes import ORDERS, ORDERS_BEFORE, RECONCILIATIONS, RECONCILIATIONS_BEFORE, Lanes, at, lanes
from strategies.orders import Order
from strategies.periods import at as at_period
from strategies.placeholders import CODE
from strategies.scope import Place
from strategies.world import batch_of, small_world

EXAMPLES: Final = {"orders": 2, "reconciliations": 1}
"""How many examples of each sort a run tries where client errors are counted: one of reconciliations costs some four of them."""


def prove_lanes(bench: Bench, rule: Rule) -> None:
    """Run lanes of any calls; raises the first violation, shrunk where the target allows."""
    counted = bench.session.profile.client_errors is not None
    for name, of, before, sending in (  # what is drawn hangs on the name
        ("orders", ORDERS, ORDERS_BEFORE, _on_orders),
        ("reconciliations", RECONCILIATIONS, RECONCILIATIONS_BEFORE, _on_reconciliations),
    ):
        examples = EXAMPLES[name] if counted else bench.session.profile.sequences
        prove(bench, f"{bench.scenario} {name}", lanes(bench.scope, of, before), _law(bench, rule, sending), examples)


def _law(bench: Bench, rule: Rule, sending: Callable[[Bench, Lanes], Sending]) -> Callable[[Lanes], Waiting[None]]:
    def law(drawn: Lanes) -> Waiting[None]:
        if bench.may_spend_at_once(CLIENT_ERRORS):
            yield from explained(bench, rule, sending(bench, drawn), tries=1, blame=blamed)

    return law


def blamed(found: Unexplained) -> str:
    """The rule that is broken, by the call that can't be explained."""
    calls = [one.call for one in found.history]
    match found.fails_at.call:
        case Open():
            return "CON-01"
        case Release(_, code):
            if any(isinstance(call, Delete) and call.code == code for call in calls):
                return "CON-05"
            return "CON-02" if _is_doubled(found, code) else "CON-03"
        case Look(code) | Query(code) | Submit(code):
            deleted = any(isinstance(call, Delete) and call.code == code for call in calls)
            return "CON-05" if deleted else "CON-04"
        case Delete() | Refresh():
            return "CON-05"
    return "CON-03"


def _is_doubled(found: Unexplained, code: str) -> bool:
    """Whether an order was released twice: the one that can't be explained, or any where both were accepted."""
    releases = [(one.call, one.outcome) for one in found.history if isinstance(one.call, Release)]
    accepted = [call.code for call, outcome in releases if outcome == "accepted"]
    return len(accepted) > len(set(accepted)) or [call.code for call, _ in releases].count(code) > 1


def _send(
    attempt: Attempt, drawn: Lanes, asking: Callable[[str], Asking], note: Callable[[str, Exchange], None]
) -> None:
    """Send what the lanes hold, round by round; each answer is noted."""
    for calls in drawn.rounds:
        asked = [asking(what) for _, what in calls]
        if len(asked) == 1:
            came: list[Exchange | None] = [attempt.ask(asked[0], lane=calls[0][0])]
        else:
            came = attempt.at_once(*asked, lanes=[lane for lane, _ in calls])
        for (_, what), exchange in zip(calls, came, strict=True):
            if exchange is not None and exchange.is_accepted:
                note(what, exchange)


# -- orders --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """An order by its name, with the versions that it may get."""

    bench: Bench
    name: str
    place: Place
    values: Values
    versions: dict[str, Order]

    @property
    def touches(self) -> frozenset[str]:
        return frozenset({self.name})

    def asking(self, what: str) -> Asking:
        """`send v1 of A`, `delete A` or `ask for A`."""
        query = {"marketplaceCode": CODE, "channelName": self.place.channel, "accountId": str(self.place.account)}
        if what.startswith("delete"):
            return Asking(Call(Endpoint.DELETE_ORDER, query=query), self.values, Delete(self.name), what, self.touches)
        if what.startswith("ask"):
            call = Call(Endpoint.GET_ORDER, query=query)
            return Asking(call, self.values, Query(self.name), what, self.touches, self._shown)
        version = what.split(" ")[1]
        call = Call(Endpoint.SUBMIT_ORDER, body=self.versions[version])
        return Asking(call, self.values, Submit(self.name, version), what, self.touches)

    def _shown(self, exchange: Exchange) -> str | None:
        return version_shown(self.bench, exchange, self.values, self.versions)

    def look(self, attempt: Attempt) -> Waiting[str | None]:
        """What is stored in the end."""
        return attempt.look(self.place, self.values, self.versions, self.name, self.touches)

    def send_before(self, attempt: Attempt, what: str) -> Waiting[None]:
        """Send a version, and see that it is there, before anything is sent at once. Raises Hindered."""
        asked = self.asking(what)
        if not self.bench.is_accepted(asked.call, attempt.ask(asked)):
            raise Hindered("ORD-01: a lawful order was refused")
        number = len(attempt.operations) - 1
        yield from self.look(attempt)
        if attempt.unexplained() is not None:
            raise Hindered("QRY-01: an order is not shown as it was sent")
        seen = Submit(self.name, what.split(" ")[1], seen=True)
        attempt.operations[number:] = [replace(attempt.operations[number], call=seen, label=f"{what} before")]
        del attempt.exchanges[number + 1]


def _on_orders(bench: Bench, drawn: Lanes) -> Sending:
    def sending(attempt: Attempt) -> Waiting[None]:
        values, places = bench.fresh("amazon"), small_world(bench.scope).places
        form = bench.scope.account_id_forms[0]
        orders: dict[str, _Order] = {}
        for name, place in zip("AB", (places[0], places[-1]), strict=True):
            versions = {f"v{number + 1}": at(place, form, body) for number, body in enumerate(drawn.bodies)}
            same_code = len(places) > 1 or name == "A"
            orders[name] = _Order(bench, name, place, values if same_code else bench.fresh("amazon"), versions)
        for what in drawn.before:
            yield from orders[what[-1]].send_before(attempt, what)
        _send(attempt, drawn, lambda what: orders[what[-1]].asking(what), lambda _what, _exchange: None)
        for name, order in orders.items():
            if any(what.endswith(name) for calls in (drawn.before, *drawn.lanes) for what in calls):
                yield from order.look(attempt)

    return sending


# -- reconciliations -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Desk:
    """A reconciliation of two orders that is open, and another that may be."""

    attempt: Attempt
    first: OpenReconciliation
    another: OpenReconciliation
    orders: dict[str, _Order]
    opened: list[OpenReconciliation]
    was_asked_for_another: bool = False

    def asking(self, what: str) -> Asking:
        verb, name = what.split(" ", 1)
        if verb == "open":
            self.was_asked_for_another = True
            creation, values = creation_of(self.another.batch), self.another.values[0]
            return Asking(creation, values, Open(name, 2, 3, 1), what, frozenset({"reconciliations"}))
        if verb == "release":
            number = "AB".index(name)
            releasing = Release("first", name, len(self.first.batch.orders[number]["extracts"]))
            touches = frozenset({"reconciliations", name})
            return Asking(release_of(self.first.batch, number), self.first.values[number], releasing, what, touches)
        return self.orders[what[-1]].asking(what)

    def note(self, what: str, exchange: Exchange) -> None:
        """What is in, and what is open, so that it can be completed; nothing where no order explains it any more."""
        if self.attempt.unexplained() is not None:
            return
        verb, name = what.split(" ", 1)
        if verb == "open":
            self.attempt.bench.reconciliations.opened(self.another, exchange)
            self.opened.append(self.another)
        elif verb == "release":
            self.first.released.add("AB".index(name))
        elif verb == "delete":  # it can't be released any more
            self.first.spoiled = self.first.spoiled or "AB".index(name) not in self.first.released

    def clear(self) -> None:
        """Complete what is open, or free the account."""
        reconciliations = self.attempt.bench.reconciliations
        if self.attempt.unexplained() is not None:
            reconciliations.free(self.first.place)
            return
        if self.was_asked_for_another and self.another not in self.opened:
            reconciliations.note_refused(self.first.place)
        for reconciliation in self.opened:
            reconciliations.finish(reconciliation)


def _desk(bench: Bench, attempt: Attempt, drawn: Lanes) -> _Desk:
    """Open it. Raises Hindered."""
    reconciliations = bench.reconciliations
    scope = small_world(reconciliations.scope)
    place, form = scope.places[0], scope.account_id_forms[0]
    bodies = tuple(at(place, form, body) for body in drawn.bodies[:2])
    seconds = reconciliations.takes_plain.plainest.seconds
    dates = {"periodInitDate": at_period(timedelta()), "periodEndDate": at_period(timedelta(seconds=seconds))}
    first = reconciliations.begin(batch_of(scope, place, bodies, dates, seconds))
    another = reconciliations.begin(reconciliations.plainest(place))
    if not (reconciliations.submit_orders(first) and reconciliations.submit_orders(another)):
        raise Hindered("an order for a reconciliation was refused")
    if not reconciliations.create(first).is_accepted:
        raise Hindered("REC-01: a proper reconciliation was refused")
    quantity = first.batch.creation["releasesQtd"]
    attempt.initial = World(opened=(Opened(Open("first", 0, 1, quantity)),)).having("A", "v1").having("B", "v1")
    orders = {
        name: _Order(bench, name, place, values, {"v1": body})
        for name, values, body in zip("AB", first.values, bodies, strict=True)
    }
    return _Desk(attempt, first, another, orders, [first])


def _on_reconciliations(bench: Bench, drawn: Lanes) -> Sending:
    def sending(attempt: Attempt) -> Waiting[None]:
        desk = _desk(bench, attempt, drawn)
        try:
            for what in drawn.before:
                if not attempt.ask(desk.asking(what)).is_accepted:
                    raise Hindered("REL-01: an exact release was refused")
                desk.note(what, attempt.exchanges[len(attempt.operations) - 1])
            _send(attempt, drawn, desk.asking, desk.note)
        finally:
            desk.clear()
        if desk.was_asked_for_another and bench.reconciliations.may_be_kept:
            raise Hindered("REC-09: what was refused may have changed the reconciliation that these calls are about")
        if any(what == "delete B" for calls in drawn.lanes for what in calls):
            yield from desk.orders["B"].look(attempt)

    return sending
