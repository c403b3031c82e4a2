"""The reference model of the state machine: what is known of each order and reconciliation, and whether the endpoint shows it.

The model knows of each order what was last accepted, and from when on a query must show it. What differs is blamed on what was
done since the order was last seen as it should be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.engine.as_sent import check_shown_as_sent
from conformance.engine.bench import Bench
from conformance.engine.done_alone import Done, check_done_alone
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.settling import another_account
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.orders import Order
from strategies.scope import Place
from strategies.world import small_world

Key = tuple[Place, int]
"""An order by its account and the number of its code: the same code may be on several accounts."""


CODES: Final = 2
"""How many codes the orders of an example have."""

COPIES: Final = 3
"""So often an order is asked for again that is shown as it was before it was shown as it is."""


@dataclass(slots=True)
class Known:
    """What the model knows of one order."""

    values: Values
    body: Order | None
    since: datetime
    earlier: list[tuple[Order | None, datetime]] = field(default_factory=list)
    """Earlier states, and until when each may still be shown."""
    replaced: list[tuple[Order | None, datetime]] = field(default_factory=list)
    """Those that were seen to have been replaced, and until when another copy to read from may show them still."""
    overdue: list[Order | None] = field(default_factory=list)
    """Those that may not be shown any more, and were not seen to have been replaced."""
    causes: list[str] = field(default_factory=list)
    """Rules to blame if it is not as it should be: for what was done since it last was, the likeliest first."""
    released: bool = False
    reconciled: bool = False
    dead: bool = False
    done: Done = field(default_factory=Done)
    """What was done to it itself."""
    gone: bool = False
    """Whether it was deleted and seen to be gone: it is asked for no more."""


class Model:
    """The reference model of one example, and the steps that keep the endpoint beside it."""

    def __init__(self, bench: Bench, blamed: dict[tuple[bool, bool], str]) -> None:
        """`blamed` is what was found out in this run about refused releases, after broken ones or not, of orders of which updates
        were refused or not: it takes long."""
        self.bench = bench
        self.blamed = blamed
        self.broken_releases: set[Place] = set()
        self.broken_updates: set[Key] = set()
        self.scope = small_world(bench.reconciliations.scope)
        shared = bench.fresh("amazon"), bench.fresh("amazon")
        self.codes = shared
        self.orders: dict[Key, Known] = {}
        self.reconciliations: dict[Place, OpenReconciliation] = {}
        self.opened = 0
        """How many reconciliations were opened."""
        self.free_periods: dict[Place, str] = {}
        """A period that was refused: it must be free still."""
        self.refusals: list[Exchange] = []

    def now(self) -> datetime:
        """By the mock's clock, or by one that nobody sets, which begins anywhere."""
        control = self.bench.session.control
        return control.now() if control is not None else datetime.fromtimestamp(self.bench.clock, UTC)

    # -- orders ----------------------------------------------------------------------------------------------------

    def accept(self, key: Key, body: Order | None, blame: str) -> None:
        """The endpoint accepted this state of an order."""
        known, now = self.orders.get(key), self.now()
        if known is None:
            known = self.orders[key] = Known(self.codes[key[1]], None, now)
        visible_until = now + timedelta(seconds=CONSOLIDATION_SECONDS)
        known.earlier = [*known.earlier, (known.body, visible_until)]
        known.body, known.since = body, now
        if body is not None:
            known.done.versions.append(body)
        self.touched(key, blame, "WFL-04")

    def touched(self, key: Key | None, own: str, others: str) -> None:
        """Something was done to an order (or to none): whom to blame if it, or another, is not as it should be."""
        for other, known in self.orders.items():
            if not known.gone:
                known.causes.append(own if other == key else others)

    def check(self, key: Key) -> None:
        """Ask for an order: it is as last accepted, or for half an hour as before."""
        place, known = key[0], self.orders[key]
        code = known.values["code"]
        now = self.now()
        known.overdue += [body for body, until in known.earlier if until <= now]
        known.earlier = [(body, until) for body, until in known.earlier if until > now]
        if self.bench.slow and known.earlier:
            return
        note = f"ask for {self.order_words(key)}"
        if known.earlier:
            self.bench.let_be_shown((now - known.since).total_seconds())
        exchange = self.bench.query(place, code, note)
        problems = self.bench.problems(exchange, known.body, known.values)
        if problems and self._may_be_from_before(known, exchange):
            exchange = self.bench.query_a_little_later(exchange, known.body, known.values, place, note)
            problems = self.bench.problems(exchange, known.body, known.values)
        if not problems:
            known.causes.clear()
            known.replaced += known.earlier
            known.earlier.clear()  # what was shown once is consolidated
            known.overdue.clear()
            known.gone = known.dead
            return
        if self._may_be_from_before(known, exchange) or self._is_of_another_copy(known, exchange, place, note):
            return
        self._check_not_overdue(known, exchange, place)
        rule = self.to_blame(known)
        if known.body is None and another_account(exchange, place) is not None:
            rule = "QRY-05"
        if known.body is not None and rule != "QRY-01":
            check_shown_as_sent(self.bench, [known.body])
        if known.body is not None and rule != "QRY-04":
            self.bench.check_asking_leaves(known.body, place)
        if rule != "QRY-05":
            self.check_done_alone(key)
        expected = f"{self.order_words(key)} to be {'gone' if known.body is None else 'as it was last accepted'}"
        raise Violation(rule=rule, expected=expected, actual="; ".join(problems), exchange=exchange)

    def _may_be_from_before(self, known: Known, exchange: Exchange) -> bool:
        return any(self.bench.may_be_from_before(exchange, body, known.values) for body, _ in known.earlier)

    def _is_of_another_copy(self, known: Known, exchange: Exchange, place: Place, note: str) -> bool:
        """Whether it shows what was there before, and one of the next shows what is there now: of several copies to read from
        one may lag behind the others for half an hour. What asking has changed stays changed."""
        now, bench = self.now(), self.bench
        before = [body for body, until in known.replaced if until > now]
        if not any(bench.may_be_from_before(exchange, body, known.values) for body in before):
            return False
        again = (bench.query(place, known.values["code"], note) for _ in range(COPIES))
        return any(not bench.problems(one, known.body, known.values) for one in again)

    def _check_not_overdue(self, known: Known, exchange: Exchange, place: Place) -> None:
        """Raises Hindered where a state is only shown later than documented, as it is where another half hour shows it."""
        shows_before = any(self.bench.may_be_from_before(exchange, body, known.values) for body in known.overdue)
        if not self.bench.slow or self.bench.session.control is None or not shows_before:
            return
        self.bench.let_pass("an order to be shown", CONSOLIDATION_SECONDS)
        if not self.bench.problems(self.bench.query(place, known.values["code"]), known.body, known.values):
            raise Hindered("QRY-03: what was accepted is not shown within half an hour")

    def to_blame(self, known: Known) -> str:
        """The rule to blame for an order that is not as it should be: of what was done since it was last seen to be. Where no
        clock moves it is asked for at the end only, and several things may have been done: none of them is blamed for all."""
        if not known.causes:
            return "QRY-04"
        return "WFL-04" if self._is_for_several(known) else known.causes[0]

    def check_done_alone(self, key: Key) -> None:
        """Before the sequence of calls is blamed for an order that is not as it should be: raises a violation of another rule
        where one of the things that were done has such a consequence by itself."""
        known = self.orders[key]
        if not self._is_for_several(known):
            return
        beside = [
            (one.done.versions[-1], other[1] == key[1])
            for other, one in self.orders.items()
            if one.dead and one is not known
        ]
        check_done_alone(self.bench, known.done, known.causes, is_deleted=known.dead, beside=beside)

    def _is_for_several(self, known: Known) -> bool:
        """Whether several things may be why it is not as it should be."""
        return self.bench.session.control is None and len(set(known.causes)) > 1

    def check_all(self) -> None:
        """Ask for every order."""
        for key, known in self.orders.items():
            if not known.gone:
                self.check(key)

    def alive(self) -> list[Key]:
        """The orders that were not deleted."""
        return [key for key, known in self.orders.items() if not known.dead]

    def order_words(self, key: Key) -> str:
        """The order in words."""
        return f"order {'AB'[key[1]]} on account {key[0].account}"

    # -- reconciliations -------------------------------------------------------------------------------------------

    def unreleased(self, place: Place) -> list[Key]:
        """Orders of the account that no reconciliation holds."""
        held = {
            values["code"]
            for reconciliation in self.reconciliations.values()
            if reconciliation.place == place
            for values in reconciliation.values
        }
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
        busy = {place.channel for place in self.reconciliations}
        return [place for place in self.scope.places if place.channel not in busy and self.reconcilable(place)]
