"""Any calls at once: rounds in which two or three workers make a call each, whatever the calls, beside a model that knows what
each may be answered. Of orders what is done to them; of reconciliations opening and releasing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from conformance.concurrency.linearizability import Unexplained
from conformance.concurrency.model import Delete, Look, Open, Opened, Refresh, Release, Submit, World
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.engine.at_once import Asking, Attempt, Way, explained
from conformance.engine.bench import Bench, Hindered, Values, Waiting
from conformance.engine.open_reconciliation import OpenReconciliation as Book
from conformance.engine.properties import prove
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call, creation_of, release_of
from strategies.orders import Order
from strategies.placeholders import CODE
from strategies.reconciliations import plain_order
from strategies.scope import Place

MOST_CALLS: Final = 5
"""How many calls all rounds of an example make, so that its history can be read."""

EXAMPLES: Final = 2
"""How many examples of each sort a run tries where client errors are counted."""

ON_ORDERS: Final = ("send A v1", "send A v2", "send B v1", "send B v2", "delete A", "delete B")
ON_RECONCILIATIONS: Final = ("release A", "release B", "open second", "open third")

Rounds = list[list[str]]
"""What is done at once, round by round, a call for each worker."""


def rounds(of: tuple[str, ...]) -> st.SearchStrategy[Rounds]:
    """One or two rounds of two or three workers."""
    one = st.lists(st.sampled_from(of), min_size=2, max_size=3)
    some = st.lists(one, min_size=1, max_size=2)
    return some.filter(lambda drawn: sum(map(len, drawn)) <= MOST_CALLS)


def prove_lanes(bench: Bench, rule: Rule) -> None:
    """Run rounds of any calls; raises the first violation, shrunk where the target allows."""
    counted = bench.session.profile.client_errors is not None
    examples = EXAMPLES if counted else max(EXAMPLES, bench.session.profile.sequences)
    for name, of, way in (("orders", ON_ORDERS, _on_orders), ("books", ON_RECONCILIATIONS, _on_reconciliations)):
        prove(bench, f"{bench.scenario} {name}", rounds(of), _law(bench, rule, way), examples)


def _law(bench: Bench, rule: Rule, way: Callable[[Bench, Rounds], Way]) -> Callable[[Rounds], Waiting[None]]:
    def law(drawn: Rounds) -> Waiting[None]:
        yield from explained(bench, rule, way(bench, drawn), tries=1, blame=blamed)

    return law


def blamed(found: Unexplained) -> str:
    """The rule that is broken, by the call that can't be explained."""
    calls = [one.call for one in found.history]
    match found.fails_at.call:
        case Open():
            return "CON-01"
        case Release(_, code):
            twice = sum(isinstance(call, Release) and call.code == code for call in calls) > 1
            return "CON-02" if twice else "CON-03"
        case Look() | Submit():
            return "CON-05" if any(isinstance(call, Delete) for call in calls) else "CON-04"
        case Delete() | Refresh():
            return "CON-05"
    return "CON-03"


# -- orders --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """An order by its name, with the versions that it may get."""

    name: str
    place: Place
    values: Values
    versions: dict[str, Order]

    @property
    def touches(self) -> frozenset[str]:
        return frozenset({self.name})

    def asking(self, what: str) -> Asking:
        """`send A v1` or `delete A`."""
        if what.startswith("delete"):
            query = {
                "marketplaceCode": CODE, "channelName": self.place.channel, "accountId": str(self.place.account),
            }  # fmt: skip
            return Asking(Call(Endpoint.DELETE_ORDER, query=query), self.values, Delete(self.name), what, self.touches)
        version = what.rsplit(" ", 1)[1]
        call = Call(Endpoint.SUBMIT_ORDER, body=self.versions[version])
        return Asking(call, self.values, Submit(self.name, version), what, self.touches)


def _on_orders(bench: Bench, drawn: Rounds) -> Way:
    def way(attempt: Attempt) -> Waiting[None]:
        place = bench.scope.places[0]
        form = bench.scope.account_id_forms[0]
        versions = {f"v{size}": plain_order(place, form, size, bench.scope.days.start) for size in (1, 2, 3)}
        orders = {name: _Order(name, place, bench.fresh("amazon"), versions) for name in "AB"}
        for name, order in orders.items():  # both are there and to be seen
            first = order.asking(f"send {name} v3")
            if not bench.is_accepted(first.call, attempt.ask(first)):
                raise Hindered("ORD-01: a lawful order was refused")
            yield from attempt.look(place, order.values, versions, name, order.touches)
        if attempt.unexplained() is not None:
            raise Hindered("QRY-01: an order is not shown as it was sent")
        for calls in drawn:
            attempt.at_once(*(orders[what.split(" ")[1]].asking(what) for what in calls))
        for name, order in orders.items():
            yield from attempt.look(place, order.values, versions, name, order.touches)

    return way


# -- reconciliations -----------------------------------------------------------------------------------------------


def _on_reconciliations(bench: Bench, drawn: Rounds) -> Way:
    def way(attempt: Attempt) -> Waiting[None]:
        yield from ()
        books, place = bench.books, bench.books.scope.places[0]
        first = books.begin(books.plain(place, 1, 2))
        others = {name: books.begin(books.plain(place, 1)) for name in ("second", "third")}
        if not all(books.submit_orders(book) for book in (first, *others.values())):
            raise Hindered("an order for a reconciliation was refused")
        if not books.create(first).is_accepted:
            raise Hindered("REC-01: a proper reconciliation was refused")
        attempt.initial = World(opened=(Opened(Open("first", 0, 1, 3)),)).having("A", "v1").having("B", "v1")
        opened = [first]
        try:
            for calls in drawn:
                came = attempt.at_once(*(_asking(first, others, what) for what in calls))
                _note(attempt, calls, came, first, others, opened)
        finally:
            if attempt.unexplained() is not None:
                books.free(place)
            else:
                for book in opened:
                    books.finish(book)

    return way


_NUMBERS: Final = {"second": 2, "third": 4}


def _asking(first: Book, others: dict[str, Book], what: str) -> Asking:
    verb, name = what.split(" ")
    if verb == "open":
        book, begin = others[name], _NUMBERS[name]
        return Asking(creation_of(book.batch), book.values[0], Open(name, begin, begin + 1, 1), what)
    order = "AB".index(name)
    entries = len(first.batch.orders[order]["extracts"])
    return Asking(release_of(first.batch, order), first.values[order], Release("first", name, entries), what)


def _note(
    attempt: Attempt,
    calls: list[str],
    came: list[Exchange | None],
    first: Book,
    others: dict[str, Book],
    opened: list[Book],
) -> None:
    """What is in, and what is open, so that it can be completed; nothing where no order explains it any more."""
    if attempt.unexplained() is not None:
        return
    for what, exchange in zip(calls, came, strict=True):
        verb, name = what.split(" ")
        if exchange is None or not exchange.is_accepted:
            continue
        if verb == "open":
            attempt.bench.books.opened(others[name], exchange)
            opened.append(others[name])
        else:
            first.released.add("AB".index(name))
