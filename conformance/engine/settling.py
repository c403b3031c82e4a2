"""Orders that are asked for until they show as they should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from conformance.contract.coercion import id_text
from conformance.contract.jsontext import JSONValue, told
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import catalogue
from conformance.engine.altered_codes import ASKED_AT_MOST as ALTERED_AT_MOST
from conformance.engine.altered_codes import altered, under
from conformance.engine.late import ASKED_IN_VAIN, SeenLate
from conformance.engine.same_order import altered_fields, differences
from conformance.engine.sending import SERVER_ERROR
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.waiting import Deferred, Waiting
from conformance.target.waiting import LATE_SECONDS
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.orders import Order
from strategies.placeholders import fill
from strategies.scope import Place

SHOWS_SOON = 1.0
"""Seconds that are waited for at once until a query shows what was sent. Where it takes longer the rest is put off to the end of
the run, when it has long been shown: there are hundreds of such queries."""

COMPARED_WHOLE: Final = frozenset({"QRY-01", "QRY-06", "ORD-19", "ORD-20", "ERR-06"})
"""The rules that say how what was sent is shown: a field that the target is known to alter is compared for these all the same."""

ASKED_AT_MOST = 3
"""How often a query is made for what is not shown yet: at once, after half an hour, and after an hour."""


@dataclass
class Settling(SeenLate):
    """Runs laws that let time pass, and asks for orders as late as updates may show."""

    shown: set[tuple[Place, str]] = field(default_factory=set)
    """The orders, by place and code, that a query has shown and that were not deleted since."""
    slow: bool = False
    """Whether a change was seen to show late: then nobody asks at once, since each query for an order that does not show
    yet spends a client error."""
    shows_after: float = 0.0
    """Seconds that the target was seen to take until a query shows an order, a change or a deletion."""
    queried_in_vain: int = 0
    """How many queries showed nothing new when they were made again a little later."""
    altered_in_vain: set[str] = field(default_factory=set)
    """What may have been done to codes, and was asked for where an order was not shown: it was not shown under that either."""
    shown_otherwise: set[str] = field(default_factory=set)
    """The fields that the target shows otherwise than they were sent, as was told against QRY-01: what else an order shows is
    enough for what other rules say of it."""
    deferred: defaultdict[tuple[str, str], list[Deferred]] = field(default_factory=lambda: defaultdict(list))
    """By scenario and law: what is put off to the end of the run."""

    def begun(self, rest: Waiting[None]) -> Deferred | None:
        """The same; what is to be put off of it."""
        control = self.session.control
        try:
            next(rest)
            while control is not None:
                control.advance(CONSOLIDATION_SECONDS)
                rest.send(True)  # noqa: FBT003 - a generator takes no keywords
        except StopIteration:
            return None
        return Deferred(rest, list(self.story), self.clock, self.trial)

    def put_off(self, law: str, deferred: Deferred) -> None:
        """Go on with it at the end of the run, for the running scenario."""
        self.deferred[self.scenario, law].append(deferred)
        self.session.deferred.add(self.scenario)

    def go_on(self, deferred: Deferred) -> bool:
        """Run a law that was put off until it lets time pass once more; whether it does. Raises NotSeenYet where what it waits
        for has not come in time."""
        self.story[:] = deferred.story
        left = CONSOLIDATION_SECONDS - (self.clock - deferred.since)
        if left > 0 and self.session.patient:
            self.session.pause("an update to show", left)
            left = 0
        try:
            deferred.rest.send(left <= 0)
        except StopIteration:
            return False
        deferred.story, deferred.since = list(self.story), self.clock
        return True

    @property
    def puts_off(self) -> bool:
        """Whether what a query is to show is known to take so long that it is put off. Not for seconds where a run waits half an
        hour for what is put off."""
        waits_for_it = self.session.control is not None or self.session.patient
        return self.slow or (not waits_for_it and self.shows_after > SHOWS_SOON)

    def settled(
        self,
        rule: str,
        order: Order | None,
        values: Mapping[str, str],
        place: Place,
        *,
        before: Sequence[Order | None] = (None,),
        context: str = "",
    ) -> Waiting[Exchange]:
        """Ask for an order until it shows as it should: `order` as accepted last, or gone (None).

        `before` are the earlier states (None: not there) that may still be seen for half an hour. Anything else is a
        violation of the rule. What shows later than documented is noted against QRY-03, and awaited for as long again.
        """
        key = (place, values["code"])
        # What was once shown can't be still to come.
        states = [state for state in before if state is not None or key not in self.shown]
        began = self.clock
        for attempt in range(ASKED_AT_MOST):
            passed = (yield) if attempt or self.puts_off else True
            exchange = self._query_as_late_as_it_shows(place, values["code"], began)
            problems = self.problems(exchange, order, values)
            # One that was there may for a moment be shown as little as before it was sent.
            if problems and (
                exchange.is_refused or any(self.may_be_from_before(exchange, state, values) for state in states)
            ):
                exchange = self.query_a_little_later(exchange, order, values, place)
                problems = self.problems(exchange, order, values)
            if not problems:
                (self.shown.discard if order is None else self.shown.add)(key)
                self.slow = self.slow or attempt > 0
                self.note_delay(attempt, exchange)
                if order is None:
                    self._note_absence(exchange, context)
                return exchange
            if not any(self.may_be_from_before(exchange, state, values) for state in states):
                break
            if not passed:
                if order is not None and states == [None]:
                    self._check_not_stored_under_another(rule, exchange, order, values, place, context)
                raise NotSeenYet
        expected = "the order to be gone" if order is None else "the order as it was last accepted"
        actual = "; ".join(problems)
        if order is None and (other := another_account(exchange, place)) is not None:
            rule, actual = "QRY-05", f"that of account {other} was there"  # gone it is, and another is taken for it
        if order is not None and key in self.shown:
            self.check_asking_leaves(order, place)
        violation = Violation(rule=rule, expected=expected, actual=actual, exchange=exchange, context=context)
        if rule == "QRY-01" and order is not None:
            violation.shown_otherwise = self.altered_in(exchange, order, values)
        raise violation

    def until_shown(
        self, order: Order, values: Mapping[str, str], place: Place, *, before: tuple[Order | None, ...]
    ) -> Waiting[None]:
        """Ask for an order until its update shows: whether and how it does is ORD-15's business. Raises Hindered where it does
        not, NotSeenYet where it shows as `before` and may still change."""
        began = self.clock
        for attempt in range(ASKED_AT_MOST):
            passed = (yield) if attempt or self.puts_off else True
            exchange = self._query_as_late_as_it_shows(place, values["code"], began)
            if not self.problems(exchange, order, values):
                return
            if not any(self.may_be_from_before(exchange, state, values) for state in before):
                break
            if not passed:
                raise NotSeenYet
        raise Hindered("ORD-15: an update is not shown as it was sent")

    def _query_as_late_as_it_shows(self, place: Place, code: str, since: float) -> Exchange:
        """Ask for an order after as long as the target was seen to take until a query shows what was sent at that time."""
        self.let_be_shown(self.clock - since)
        return self.query(place, code)

    def let_be_shown(self, passed: float = 0.0) -> None:
        """Let so much time pass as the target was seen to take until a query shows what was sent, less the seconds since then, or
        since anything was changed."""
        passed = max(passed, self.unchanged)
        if self.shows_after > passed:
            self.let_pass("an order to be shown", self.shows_after - passed)

    def query_a_little_later(
        self, exchange: Exchange, order: Order | None, values: Mapping[str, str], place: Place, note: str = ""
    ) -> Exchange:
        """The answer to a query that showed what was before, made again soon where time can't be moved: a copy to read from lags
        by parts of a second, and each query too early spends a client error. How long it takes is learnt by the first ones."""
        if self.session.control is not None or self.queried_in_vain >= ASKED_IN_VAIN:
            return exchange
        waited = 0.0
        for seconds in LATE_SECONDS:
            self.let_pass("an order to be shown", seconds)
            waited += seconds
            again = self.query(place, values["code"], note)
            if not self.problems(again, order, values):
                self.shows_after += waited
                return again
        self.queried_in_vain += 1
        return exchange

    def _check_not_stored_under_another(
        self, rule: str, missing: Exchange, order: Order, values: Mapping[str, str], place: Place, context: str
    ) -> None:
        """Raises a violation where an order that is not shown is shown under what a server may have made of its code: it is not
        late. What was asked for in vain is not asked for again."""
        for how, code in altered(values["code"]):
            if how in self.altered_in_vain or len(self.altered_in_vain) >= ALTERED_AT_MOST:
                continue
            asked = self.query(place, code)
            if not asked.is_accepted:
                self.altered_in_vain.add(how)
            elif not differences(under(code, fill(order, values)), under(code, asked.json)):
                actual = f"it answered {missing.status}, and shows it under {told(code)}: its code {how}"
                expected = "the order as it was last accepted"
                raise Violation(rule=rule, expected=expected, actual=actual, exchange=asked, context=context)

    def check_asking_leaves(self, order: Order, place: Place) -> None:
        """Before anything is blamed for an order that is not as it was when it was last asked for: raises a violation of QRY-04
        where asking for one makes the difference, and nothing else was done to it."""
        values = self.fresh("amazon")
        with self.aside():
            if not self.submit(order, values).is_accepted:
                return
            self.let_be_shown()
            if self.problems(self.query(place, values["code"]), order, values):
                return
            again = [self.query(place, values["code"]) for _ in range(2)]
            if all(self.problems(one, order, values) and one.status < SERVER_ERROR for one in again):
                actual = "; ".join(self.problems(again[0], order, values))
                expected, context = "the order as it was sent", "it was asked for before"
                raise Violation(rule="QRY-04", expected=expected, actual=actual, exchange=again[0], context=context)

    def is_known_to_be_altered(self, exchange: Exchange, order: Order, values: Mapping[str, str]) -> bool:
        """Whether what is shown differs from what was sent in nothing but fields that the target shows otherwise anyway."""
        fields = altered_fields(fill(order, values), exchange.json)
        return bool(fields) and fields <= self.shown_otherwise

    def note_delay(self, waits: int, exchange: Exchange) -> None:
        """Note against QRY-03 what took more than one half hour to show."""
        if waits > 1:
            self.observe("QRY-03", "an update to show within 30 minutes", "it showed later", exchange)

    def _note_absence(self, exchange: Exchange, context: str) -> None:
        """Note against QRY-02 an order that is gone and whose query is not answered as that of an unknown one."""
        rule = catalogue()["QRY-02"]
        if exchange.status not in rule.refused or exchange.error_code not in rule.codes:
            code = exchange.error_code
            actual = f"it answered {exchange.status} with {f'code {code}' if code is not None else 'no errorCode'}"
            codes = " or ".join(rule.codes)
            self.observe(rule.id, f"{rule.refused} and code {codes}", actual, exchange, context)

    def problems(self, exchange: Exchange, order: Order | None, values: Mapping[str, str]) -> list[str]:
        """In what an answer to a query differs from this state of the order; nothing where it does not.

        Gone is what is not shown. By which status and code a query says so is QRY-02's business.
        """
        succeeded = exchange.status // 100 == 2
        if order is None:
            if exchange.status >= SERVER_ERROR:
                return [f"it answered {exchange.status}"]
            shown = succeeded and _shows(exchange.json, values["code"])
            return ["it was still there"] if shown else []
        if not succeeded:
            return [f"it answered {exchange.status}"]
        return differences(fill(order, values), exchange.json, () if self.compares_whole else self.shown_otherwise)

    @property
    def compares_whole(self) -> bool:
        """Whether the running scenario's rule is about every field that an order shows."""
        scenario = self.session.evidence.scenarios.get(self.scenario)
        return scenario is None or scenario.rule in COMPARED_WHOLE

    def altered_in(self, exchange: Exchange, order: Order, values: Mapping[str, str]) -> frozenset[str]:
        """The fields of an order that a query shows otherwise than they were sent, where it shows all others as they were."""
        return altered_fields(fill(order, values), exchange.json)

    def may_be_from_before(self, exchange: Exchange, order: Order | None, values: Mapping[str, str]) -> bool:
        """Whether an answer to a query is one that this earlier state of the order explains. Before it was there (None) no
        order was shown: one of another code, or of none that is right, is no order that is still to come."""
        if order is None and exchange.status // 100 == 2 and _shows_one(exchange.json):
            return False
        return not self.problems(exchange, order, values)


def _shows_one(content: JSONValue) -> bool:
    """Whether an answer holds an order, of whatever code, in whatever it may be wrapped."""
    if isinstance(content, dict):
        named = content.get("marketplaceCode") is not None or bool(content.get("extracts"))
        return named or any(_shows_one(part) for part in content.values())
    return isinstance(content, list) and any(map(_shows_one, content))


def _shows(content: JSONValue, code: str) -> bool:
    """Whether an answer holds an order of that code, in whatever it may be wrapped."""
    if isinstance(content, dict):
        return content.get("marketplaceCode") == code or any(_shows(part, code) for part in content.values())
    return isinstance(content, list) and any(_shows(part, code) for part in content)


def another_account(exchange: Exchange, place: Place) -> int | None:
    """The account of the order that a query of this place was answered with, where it tells another than was asked for."""
    told = exchange.json.get("accountId") if isinstance(exchange.json, dict) else None
    account = (
        int(number)
        if isinstance(told, int | Decimal | str) and (number := id_text(told)).isdecimal()
        else place.account
    )
    return account if account != place.account else None
