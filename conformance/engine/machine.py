"""The state machine: any sequence of calls, beside a reference model of what was accepted.

The model knows of each order what was last accepted, and from when on a query must show it. After every step the orders are
asked for and compared: what differs is blamed on what was done since the order was last seen as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, cast

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Side
from conformance.engine.bench import Bench, Hindered, Values
from conformance.engine.books import Book
from conformance.engine.laws import SHRINKING_EXAMPLES, first_sight, quietly
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.faults import Kind
from strategies.orders import Order, place_of
from strategies.periods import PERIOD, at
from strategies.scope import Place
from strategies.world import (
    BROKEN_CREATIONS,
    BROKEN_RELEASES,
    BrokenUpdate,
    batch_kinds,
    batch_of,
    broken_updates,
    small_world,
    some_orders,
)

Key = tuple[Place, int]
"""An order by its account and the number of its code: the same code may be on several accounts."""

CODES: Final = 2
STEPS: Final = 20
BROKEN_EACH: Final = 2
"""How many calls with a fault an example may send where client errors are counted."""
SECONDS: Final = 60
"""How long the machine's periods last."""


@dataclass(slots=True)
class Known:
    """What the model knows of one order."""

    values: Values
    body: Order | None
    since: datetime
    earlier: list[tuple[Order | None, datetime]] = field(default_factory=list)
    """Earlier states, and until when each may still be shown."""
    suspects: list[str] = field(default_factory=list)
    """Rules to blame if it is not as it should be: for what was done since it last was, the likeliest first."""
    released: bool = False
    reconciled: bool = False
    dead: bool = False
    gone: bool = False
    """Whether it was deleted and seen to be gone: it is asked for no more."""


class _Model:
    """The reference model of one example, and the steps that keep the endpoint beside it."""

    def __init__(self, bench: Bench, blamed: dict[bool, str]) -> None:
        """`blamed` is what was found out in this run about refused releases, after broken ones or not: it takes long."""
        self.bench = bench
        self.blamed = blamed
        self.broken_releases: set[Place] = set()
        self.broken_updates: set[Key] = set()
        self.scope = small_world(bench.books.scope)
        shared = bench.fresh("amazon"), bench.fresh("amazon")
        self.codes = shared
        self.orders: dict[Key, Known] = {}
        self.books: dict[Place, Book] = {}
        self.free_periods: dict[Place, str] = {}
        """A period that was refused: it must be free still."""
        self.refusals: list[Exchange] = []

    def now(self) -> datetime:
        control = self.bench.session.control
        return control.now() if control is not None else datetime.now(UTC)

    # -- orders ----------------------------------------------------------------------------------------------------

    def accept(self, key: Key, body: Order | None, blame: str) -> None:
        """The endpoint accepted this state of an order."""
        known, now = self.orders.get(key), self.now()
        if known is None:
            known = self.orders[key] = Known(self.codes[key[1]], None, now)
        visible_until = now + timedelta(seconds=CONSOLIDATION_SECONDS)
        known.earlier = [*known.earlier, (known.body, visible_until)]
        known.body, known.since = body, now
        self.touched(key, blame, "WFL-04")

    def touched(self, key: Key | None, own: str, others: str) -> None:
        """Something was done to an order (or to none): whom to blame if it, or another, is not as it should be."""
        for other, known in self.orders.items():
            if not known.gone:
                known.suspects.append(own if other == key else others)

    def check(self, key: Key) -> None:
        """Ask for an order: it is as last accepted, or for half an hour as before."""
        place, known = key[0], self.orders[key]
        code = known.values["code"]
        now = self.now()
        known.earlier = [(body, until) for body, until in known.earlier if until > now]
        if self.bench.slow and known.earlier:
            return
        exchange = self.bench.query(place, code, f"ask for {self.name(key)}")
        problems = self.bench.problems(exchange, known.body, known.values)
        if not problems:
            known.suspects.clear()
            known.earlier.clear()  # what was shown once is consolidated
            known.gone = known.dead
            return
        if any(self.bench.may_be_from_before(exchange, body, known.values) for body, _ in known.earlier):
            return
        expected = f"{self.name(key)} to be {'gone' if known.body is None else 'as it was last accepted'}"
        raise Violation(rule=self.to_blame(known), expected=expected, actual="; ".join(problems), exchange=exchange)

    def to_blame(self, known: Known) -> str:
        """The rule to blame for an order that is not as it should be: of what was done since it was last seen to be. Where no
        clock moves it is asked for at the end only, and several things may have been done: none of them is blamed for all."""
        if not known.suspects:
            return "QRY-04"
        several = self.bench.session.control is None and len(set(known.suspects)) > 1
        return "WFL-04" if several else known.suspects[0]

    def check_all(self) -> None:
        """Ask for every order."""
        for key, known in self.orders.items():
            if not known.gone:
                self.check(key)

    def alive(self) -> list[Key]:
        """The orders that were not deleted."""
        return [key for key, known in self.orders.items() if not known.dead]

    def name(self, key: Key) -> str:
        """The order in words."""
        return f"order {'AB'[key[1]]} on account {key[0].account}"

    # -- reconciliations -------------------------------------------------------------------------------------------

    def unreleased(self, place: Place) -> list[Key]:
        """Orders of the account that no reconciliation holds."""
        held = {values["code"] for book in self.books.values() if book.place == place for values in book.values}
        return [
            key
            for key, known in self.orders.items()
            if key[0] == place and not known.dead and not known.released and known.values["code"] not in held
        ]

    def reconcilable(self, place: Place) -> list[Key]:
        """Of these the ones whose last change is known to be seen: a release may see it as late as a query."""
        return [key for key in self.unreleased(place) if not self.may_show_as_before(key)]

    def may_show_as_before(self, key: Key) -> bool:
        """Whether an update of the order may still be to come."""
        known, now = self.orders[key], self.now()
        in_time = self.bench.session.control is None  # a clock that moves shows it at once
        return in_time and any(body is not None and until > now for body, until in known.earlier)

    def places(self) -> list[Place]:
        """The accounts that have an order that can be reconciled, on channels that have no active reconciliation: whether
        another account's counts no document says."""
        busy = {place.channel for place in self.books}
        return [place for place in self.scope.places if place.channel not in busy and self.reconcilable(place)]


def prove_machine(bench: Bench) -> None:
    """Run the machine; raises the first violation, shrunk to the shortest sequence where the target allows."""
    if bench.session.resuming:
        return
    seed = int.from_bytes(sha256(f"{bench.session.seed} machine".encode()).digest()[:8])
    found: list[Violation] = []
    stopped: list[Exception] = []
    machine = hypothesis.seed(seed)(_machine(bench, found, stopped))
    examples = _examples(bench)
    try:
        _run(machine, examples, [Phase.generate], found)
    except Violation:
        if bench.session.shrinks:
            _run(machine, max(examples, SHRINKING_EXAMPLES), [Phase.generate, Phase.shrink], found)
        raise
    if stopped:
        raise stopped[0]


def _examples(bench: Bench) -> int:
    return max(4, bench.session.profile.sequences + 2)


def _run(machine: type[RuleBasedStateMachine], examples: int, phases: list[Phase], found: list[Violation]) -> None:
    with first_sight(found):
        run_state_machine_as_test(machine, settings=quietly(examples, phases, STEPS))


def _machine(bench: Bench, found: list[Violation], stopped: list[Exception]) -> type[RuleBasedStateMachine]:
    """The machine; it notes violations as `found`, and does nothing more once something has `stopped` the run."""
    scope = small_world(bench.books.scope)
    broken_creations = batch_kinds(scope, BROKEN_CREATIONS, Endpoint.CREATE_RECONCILIATION)
    broken_releases = batch_kinds(scope, BROKEN_RELEASES, Endpoint.SUBMIT_RELEASE)
    slots = st.integers(0, CODES - 1)
    blamed: dict[bool, str] = {}
    # In every example alike: one that is tried again must go the same way.
    most = None if bench.session.profile.client_errors is None else BROKEN_EACH

    def may_err(model: _Model) -> bool:
        return most is None or len(model.refusals) < most

    class Machine(RuleBasedStateMachine):
        """The calls, as rules."""

        def __init__(self) -> None:
            super().__init__()
            bench.story.clear()
            self.model = _Model(bench, blamed)
            self.failed = False

        def step(self, action: Any) -> None:
            """Do something, then see that everything is as the model says."""
            if self.failed or stopped:
                return
            try:
                action()
                if bench.session.control is not None:
                    self.model.check_all()
            except (WaitTooLong, CannotRun) as reason:
                stopped.append(reason)
            except (Hindered, TargetUnavailable) as reason:
                self.failed = True  # what became of the last call is not known: the model knows no more
                bench.hindered(str(reason))
            except Violation as violation:
                self.failed = True
                violation.story = violation.story or tuple(bench.story)
                found.append(violation)
                raise

        # -- orders ------------------------------------------------------------------------------------------------

        @rule(order=some_orders(scope), slot=slots)
        def submit(self, order: Order, slot: int) -> None:
            self.step(lambda: _submit(self.model, order, slot))

        @precondition(lambda self: bool(self.model.orders) and may_err(self.model))
        @rule(update=broken_updates(scope), slot=slots)
        def submit_broken(self, update: BrokenUpdate, slot: int) -> None:
            self.step(lambda: _submit_broken(self.model, update, slot))

        @precondition(lambda self: len(self.model.alive()) > 1)  # beside another, that must stay
        @rule(pick=st.integers(0, 3))
        def delete(self, pick: int) -> None:
            self.step(lambda: _delete(self.model, pick))

        @precondition(lambda self: bool(self.model.orders) and bench.session.control is None)
        @rule(pick=st.integers(0, 3))
        def ask(self, pick: int) -> None:
            keys = list(self.model.orders)
            self.step(lambda: self.model.check(keys[pick % len(keys)]))

        @precondition(lambda self: bench.session.control is not None and bool(self.model.orders))
        @rule()
        def let_time_pass(self) -> None:
            assert bench.session.control is not None
            bench.session.control.advance(CONSOLIDATION_SECONDS)
            self.step(lambda: None)

        # -- reconciliations and releases --------------------------------------------------------------------------

        @precondition(lambda self: bool(self.model.places()))
        @rule(pick=st.integers(0, 1), orders=st.integers(1, CODES), broken=st.none() | broken_creations, data=st.data())
        def reconcile(self, pick: int, orders: int, broken: Kind | None, data: st.DataObject) -> None:
            if broken is not None and may_err(self.model):  # its period is used right after
                self.step(lambda: _reconcile_broken(self.model, pick, broken, data))
            self.step(lambda: _reconcile(self.model, pick, orders))

        @precondition(lambda self: bool(self.model.places()) and may_err(self.model))
        @rule(pick=st.integers(0, 1), kind=broken_creations, data=st.data())
        def reconcile_broken(self, pick: int, kind: Kind, data: st.DataObject) -> None:
            self.step(lambda: _reconcile_broken(self.model, pick, kind, data))

        @precondition(lambda self: bool(self.model.books))
        @rule(pick=st.integers(0, 1))
        def release(self, pick: int) -> None:
            self.step(lambda: _release(self.model, pick))

        @precondition(lambda self: bool(self.model.books) and may_err(self.model))
        @rule(pick=st.integers(0, 1), kind=broken_releases, data=st.data())
        def release_broken(self, pick: int, kind: Kind, data: st.DataObject) -> None:
            self.step(lambda: _release_broken(self.model, pick, kind, data))

        def teardown(self) -> None:
            """At the end everything is as the model says, also when half an hour has passed; open books are completed."""
            try:
                if not self.failed and bench.session.control is not None:
                    bench.session.control.advance(CONSOLIDATION_SECONDS)
                self.step(self.model.check_all)
                if not self.failed and not stopped and self.model.orders:
                    bench.saw(Side.ACCEPTED, bench.story[-1])
                    for exchange in self.model.refusals:
                        bench.saw(Side.REFUSED, exchange)
            finally:
                for book in self.model.books.values():
                    self.complete(book)

        def complete(self, book: Book) -> None:
            """Complete a book; what can't be is cleared away when the scenario has ended."""
            try:
                bench.books.finish(book)
            except (WaitTooLong, CannotRun) as reason:
                stopped.append(reason)
            except TargetUnavailable as reason:
                bench.hindered(str(reason))

    return Machine


# -- steps on orders -----------------------------------------------------------------------------------------------


def _submit(model: _Model, order: Order, slot: int) -> None:
    key, bench = (place_of(order), slot), model.bench
    known = model.orders.get(key)
    if known is not None and (known.dead or known.released or key not in model.unreleased(key[0])):
        return  # what becomes of an order that was deleted, or is on its way, no document says
    what = "update" if known else "submit"
    call = Call(Endpoint.SUBMIT_ORDER, body=order)
    with bench.keeping_faults() as faults:
        exchange = bench.send(call, model.codes[slot], f"{what} {model.name(key)}")
        after_broken = key in model.broken_updates
        accepted = (
            bench.is_accepted_after_refusal(call, exchange, faults)
            if after_broken
            else bench.is_accepted(call, exchange)
        )
    if not accepted:
        raise Hindered("a lawful order was refused")
    model.accept(key, order, "ORD-15" if known else "QRY-01")


def _submit_broken(model: _Model, update: BrokenUpdate, slot: int) -> None:
    bench = model.bench
    keys = [key for key, known in model.orders.items() if key[1] == slot and not known.dead and not known.released]
    if not keys:
        return
    key, body = keys[0], update.call.body
    place = {"accountId": type(body["accountId"])(key[0].account), "channelName": key[0].channel}
    broken = Call(Endpoint.SUBMIT_ORDER, body={**body, **place})
    refused = bench.send(broken, model.codes[slot], f"broken update of {model.name(key)} ({update.kind.name})")
    _must_be_refused(model, refused)
    model.broken_updates.add(keys[0])
    model.touched(None, "ORD-16", "ORD-16")


def _must_be_refused(model: _Model, exchange: Exchange) -> None:
    """That it must be refused is the rule of its fault, whose own scenario says so."""
    if exchange.status // 100 != 4:
        raise Hindered(f"a call with a fault got {exchange.status}")
    model.refusals.append(exchange)


def _delete(model: _Model, pick: int) -> None:
    bench = model.bench
    keys = model.alive()
    key = keys[pick % len(keys)]
    known = model.orders[key]
    if key not in model.unreleased(key[0]) and not known.reconciled:
        return  # it is needed to complete the reconciliation that holds it, or nothing says that it is reconciled
    delete = bench.delete if known.reconciled else bench.delete_lawfully
    exchange = delete(key[0], known.values["code"], f"delete {model.name(key)}")
    if known.reconciled:
        if exchange.status // 100 == 2:
            raise Violation(
                rule="DEL-04",
                expected="the deletion of a reconciled order to be refused",
                actual=f"it answered {exchange.status}",
                exchange=exchange,
            )
        model.refusals.append(exchange)
        model.touched(key, "DEL-04", "WFL-04")
        return
    if exchange.status // 100 != 2 and known.suspects:
        expected = f"{model.name(key)} to be there"
        actual = f"its deletion answered {exchange.status}"
        raise Violation(rule=model.to_blame(known), expected=expected, actual=actual, exchange=exchange)
    if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), exchange):
        raise Hindered("DEL-01: a lawful deletion was refused")
    model.accept(key, None, "DEL-01")
    known.dead = True
    for other in model.orders.values():
        if other is not known and not other.gone:
            other.suspects[-1] = "DEL-01"


# -- steps on reconciliations --------------------------------------------------------------------------------------


def _book(model: _Model, pick: int, orders: int) -> Book:
    """A reconciliation of orders that are there, not open yet; of a period that was refused before, if there is one."""
    places = model.places()
    place = places[pick % len(places)]
    chosen = model.reconcilable(place)[:orders]
    period = model.free_periods.get(place) or model.bench.books.calendar.allot(SECONDS)
    known = [model.orders[key] for key in chosen]
    bodies = tuple(one.body for one in known if one.body is not None)
    dates = {"periodInitDate": at(timedelta()), "periodEndDate": at(timedelta(seconds=SECONDS))}
    batch = batch_of(model.scope, place, bodies, dates, SECONDS)
    codes = [one.values["code"] for one in known]
    values = [
        one.values.having(**{PERIOD: period, "neighbour": neighbour})
        for one, neighbour in zip(known, [*codes[1:], codes[0]], strict=True)
    ]
    return Book(batch, tuple(values))


def _reconcile(model: _Model, pick: int, orders: int) -> None:
    books = model.bench.books
    book = _book(model, pick, orders)
    was_refused = model.free_periods.pop(book.place, None)
    created = books.create_after_refusal(book) if was_refused else books.create(book)
    if created.status // 100 != 2:
        raise Hindered("REC-01: a proper reconciliation was refused")
    model.books[book.place] = book
    model.touched(None, "WFL-04", "WFL-04")


def _reconcile_broken(model: _Model, pick: int, kind: Kind, data: st.DataObject) -> None:
    book = _book(model, pick, CODES)
    lawful = creation_of(book.batch)
    broken = kind.draw(cast(DrawFn, data.draw), lawful, model.scope).apply(lawful)
    model.bench.books.refused_at.add(book.place)
    note = f"broken creation on account {book.place.account} ({kind.name})"
    exchange = model.bench.send(broken, book.values[0], note)
    if exchange.status // 100 == 2:
        model.bench.books.stray(book)
    _must_be_refused(model, exchange)
    model.free_periods[book.place] = book.values[0][PERIOD]
    model.touched(None, "REC-09", "REC-09")


def _next(model: _Model, pick: int) -> tuple[Book, int]:
    """An open reconciliation, and the first of its orders that is not released."""
    books = list(model.books.values())
    book = books[pick % len(books)]
    return book, next(n for n in range(len(book.batch.orders)) if n not in book.released)


def _release(model: _Model, pick: int) -> None:
    bench = model.bench
    book, order = _next(model, pick)
    with bench.keeping_faults() as faults:
        exchange = bench.books.release(book, order)
        if book.place in model.broken_releases:  # REL-18 is blamed for them below
            faults.clear()
    code = book.values[order]["code"]
    key = next(key for key, one in model.orders.items() if key[0] == book.place and one.values["code"] == code)
    if exchange.status // 100 != 2:
        book.spoiled = True
        if (
            bench.session.control is None
        ):  # the order itself may be gone, for what was done to it since it was last seen
            model.check(key)
        after_broken = book.place in model.broken_releases
        if after_broken not in model.blamed:
            model.blamed[after_broken] = bench.books.why_refused(book)
        raise Violation(
            rule=model.blamed[after_broken],
            expected="the right release to be accepted",
            actual=f"it answered {exchange.status}",
            exchange=exchange,
        )
    model.touched(None, "WFL-04", "WFL-04")
    if bench.books.notified(book) and not book.is_complete:
        raise Violation(
            rule="WFL-03",
            expected="the reconciliation to wait for all of its releases",
            actual="it was completed",
            exchange=exchange,
        )
    model.orders[key].released = True
    if book.is_complete:
        del model.books[book.place]
        bench.books.finish(book)
        if bench.books.notified(book):
            codes = {values["code"] for values in book.values}
            for key, one in model.orders.items():
                one.reconciled = one.reconciled or (key[0] == book.place and one.values["code"] in codes)


def _release_broken(model: _Model, pick: int, kind: Kind, data: st.DataObject) -> None:
    book, order = _next(model, pick)
    lawful = release_of(book.batch, order)
    broken = kind.draw(cast(DrawFn, data.draw), lawful, model.scope).apply(lawful)
    book.after_refusal = True
    exchange = model.bench.send(broken, book.values[order], f"broken release ({kind.name})")
    if exchange.status // 100 == 2:
        book.spoiled = True
    _must_be_refused(model, exchange)
    model.broken_releases.add(book.place)
    model.touched(None, "REL-18", "REL-18")
