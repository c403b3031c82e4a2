"""QRY rules: what is asked for is what was last accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_bdd import scenarios, then

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import keeps_fraction, read_instant
from conformance.contract.jsontext import told
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Side
from conformance.engine import economy
from conformance.engine.bench import Bench
from conformance.engine.bounds import (
    REFUSED_AT_MOST,
    Bound,
    belongs_to_its_account,
    told_apart,
    told_apart_by_account,
)
from conformance.engine.properties import prove
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.waiting import Waiting
from conformance.verdict.violation import Violation
from strategies.alike import ALIKE, Pair, pairs
from strategies.calls import Call, calls
from strategies.dates import FIELDS, fractional
from strategies.orders import Order, orders, place_of
from strategies.scope import Scope
from tests.certification.conftest import Experiment

scenarios("queries.feature")


@then("it is found as it was sent, to the cent")
def found_as_it_was_sent(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(call: Call) -> Waiting[None]:
        values = bench.fresh(call.shape)
        if bench.is_accepted(call, bench.send(call, values)):
            shown = yield from bench.settled(experiment.rule.id, call.body, values, place_of(call.body))
            bench.saw(Side.ACCEPTED, shown)

    wanted = calls(bench.scope, Endpoint.SUBMIT_ORDER, statuses=experiment.statuses)
    prove(bench, bench.scenario, wanted, law, bench.session.profile.sequences)
    # Far more components than an order has on average, as a basket of many products has.
    many = calls(bench.scope, Endpoint.SUBMIT_ORDER, statuses=experiment.statuses, types=("COMISSION", "SHIP") * 20)
    prove(bench, f"{bench.scenario} of many extracts", many, law, 1)
    anew = calls(bench.scope, Endpoint.SUBMIT_ORDER)
    prove(bench, f"{bench.scenario} asked for before", anew, partial(_found_though_not_there_before, bench), 1)


def _found_though_not_there_before(bench: Bench, call: Call) -> Waiting[None]:
    """An order is found also where it was asked for before it was sent, as whoever looks first does: some keep that answer."""
    values, place = bench.fresh(call.shape), place_of(call.body)
    if bench.query(place, values["code"]).is_accepted:  # QRY-02 says that it should not be
        return
    if bench.is_accepted(call, bench.send(call, values)):
        context = "it had been asked for before it was sent"
        bench.saw(Side.ACCEPTED, (yield from bench.settled("QRY-01", call.body, values, place, context=context)))


@st.composite
def _histories(draw: DrawFn, scope: Scope) -> tuple[Call, list[Order]]:
    """A submission and one or two updates of it."""
    first: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER))
    places = (place_of(first.body),)
    return first, [draw(orders(scope, places=places)) for _ in range(draw(st.integers(1, 2)))]


@then("after each update it shows the new state within 30 minutes")
def shows_each_update_within_30_minutes(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(history: tuple[Call, list[Order]]) -> Waiting[None]:
        first, updates = history
        values, place = bench.fresh(first.shape), place_of(first.body)
        before: Order | None = None
        for number, state in enumerate((first.body, *updates)):
            if not bench.is_accepted(first, bench.submit(state, values)):
                return
            bench.let_be_shown()
            shown = bench.query(place, values["code"])
            if shown.is_refused:
                shown = bench.query_a_little_later(shown, state, values, place)
            if bench.problems(shown, state, values) and bench.may_be_from_before(shown, before, values):
                passed = yield
                shown = bench.query(place, values["code"])
                still = bench.problems(shown, state, values) and bench.may_be_from_before(shown, before, values)
                if still and not passed:
                    raise NotSeenYet
            problems = bench.problems(shown, state, values)
            if problems and bench.may_be_from_before(shown, before, values):
                raise Violation(
                    rule=experiment.rule.id,
                    expected=f"the new state {CONSOLIDATION_SECONDS} s after it was accepted",
                    actual=f"it showed the one before: {'; '.join(problems)}",
                    exchange=shown,
                )
            if problems:  # neither old nor new: then it is not a matter of time
                rule = "ORD-15" if number and _is_shown_when_new(bench, first.shape, state) else "QRY-01"
                bench.observe(rule, "the order as it was last accepted", "; ".join(problems), shown)
                bench.hindered(f"{rule}: an order is not shown as it was sent")
                return
            before = state
        bench.saw(Side.ACCEPTED, shown)

    prove(bench, bench.scenario, _histories(bench.scope), law, bench.session.profile.sequences)


def _is_shown_when_new(bench: Bench, shape: str, order: Order) -> bool:
    """Whether an order is shown as it was sent where it is no update, or not yet."""
    values = bench.fresh(shape)
    with bench.aside():
        if not bench.submit(order, values).is_accepted:
            return True
        shown = bench.query(place_of(order), values["code"])
    return not shown.is_accepted or not bench.problems(shown, order, values)


@then("its dates are shown with their fractions of a second")
def dates_shown_with_their_fractions(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(call: Call) -> Waiting[None]:
        values = bench.fresh(call.shape)
        if not bench.is_accepted(call, bench.send(call, values)):
            return
        shown = yield from bench.settled("QRY-01", call.body, values, place_of(call.body))
        if cut := _cut_dates(call.body, shown.json):
            raise Violation(
                rule=experiment.rule.id,
                expected="every date with its fraction of a second",
                actual="; ".join(cut),
                exchange=shown,
            )
        bench.saw(Side.ACCEPTED, shown)

    wanted = calls(bench.scope, Endpoint.SUBMIT_ORDER).map(lambda call: replace(call, body=fractional(call.body)))
    prove(bench, bench.scenario, wanted, law, bench.session.profile.sequences)


def _cut_dates(sent: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    """The dates of an order that are shown without the fraction with which they were sent."""
    found = []
    for name in FIELDS:
        before, after = (read_instant(order[name]) if order.get(name) else None for order in (sent, shown))
        if before is not None and (after is None or not keeps_fraction(before, after)):
            found.append(f"{name} was sent as {told(sent[name])} and is shown as {told(shown.get(name))}")
    return found


@then("asked for again and again it stays as it was sent")
def stays_as_it_was_sent(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(call: Call) -> Waiting[None]:
        values, place = bench.fresh(call.shape), place_of(call.body)
        if not bench.is_accepted(call, bench.send(call, values)):
            return
        first = yield from bench.settled("QRY-01", call.body, values, place)
        yield
        for _asking in range(2):
            again = bench.query(place, values["code"])
            if problems := bench.problems(again, call.body, values):
                raise Violation(
                    rule=experiment.rule.id,
                    expected="the order as it was sent",
                    actual="; ".join(problems),
                    exchange=again,
                    context="it was asked for before",
                )
        bench.saw(Side.ACCEPTED, first)

    def law_of_unknown(call: Call) -> None:
        """Asking for an order does not make it."""
        code = bench.fresh(call.shape)["code"]
        for was_asked_for in (False, True):
            exchange = bench.query(place_of(call.body), code)
            if exchange.status // 100 == 2 and exchange.json:
                if not was_asked_for:
                    raise Hindered("QRY-02: an order that was never sent was found")
                raise Violation(
                    rule=experiment.rule.id,
                    expected="an order that was never sent not to be found",
                    actual=f"it answered {exchange.status}",
                    exchange=exchange,
                    context="it was asked for before",
                )
        bench.shows_nothing_more()

    prove(bench, bench.scenario, calls(bench.scope, Endpoint.SUBMIT_ORDER), law, bench.session.profile.sequences)
    prove(bench, f"{bench.scenario} unknown", calls(bench.scope, Endpoint.SUBMIT_ORDER), law_of_unknown, 1)


# -- QRY-05: codes and accounts that are alike ---------------------------------------------------------------------


@then("one under a code that is nearly the same is another")
def nearly_the_same_code_is_another(experiment: Experiment) -> None:
    bench, profile = experiment.bench, experiment.bench.session.profile
    bound = Bound(bench, REFUSED_AT_MOST)
    for name in economy.choose(list(ALIKE), profile.kinds_at_most or len(ALIKE), bench.session.seed):
        alike = ALIKE[name]
        if alike.is_plain or not bound.is_reached:
            law = partial(told_apart, bench, experiment.rule, name, alike, bound)
            prove(bench, f"{bench.scenario} {name}", pairs(bench.scope, alike.shapes), law, profile.refusals_per_kind)
    home = bench.scope.places[0]
    for elsewhere in (bench.scope.neighbours(home) or bench.scope.places[1:])[:1]:
        here = pairs(replace(bench.scope, places=(home,)))
        law = partial(told_apart_by_account, bench, experiment.rule, elsewhere)
        prove(bench, f"{bench.scenario} on another account", here, law, 1)


@then("under such an account id it is not found, changed or deleted")
def not_found_under_another_account_id(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(pair: Pair) -> Waiting[None]:
        yield from belongs_to_its_account(bench, experiment.rule, *pair.orders)

    prove(bench, bench.scenario, pairs(bench.scope), law, bench.session.profile.refusals_per_kind)
