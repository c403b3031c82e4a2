"""DEL rules: what is deleted is gone for good, and nothing else is."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pytest_bdd import given, parsers, scenarios, then

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.left_alone import check_left_alone
from conformance.engine.left_as_it_was import gone_with_another
from conformance.engine.properties import prove
from conformance.engine.reconciled_laws import ReconciledLaw, stay_undeleted
from conformance.engine.resubmission import accepted_again, nothing_comes_back
from conformance.engine.same_order import differences
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.waiting import Waiting
from conformance.errors import TargetUnavailable
from conformance.verdict.violation import Violation
from strategies.calls import Call, calls
from strategies.dates import without_optional
from strategies.identifiers import ROOMY
from strategies.orders import Order, orders, place_of
from strategies.reconciliations import Batch
from strategies.scope import Place, Scope
from strategies.updates import with_a_cent_moved
from tests.certification.conftest import Experiment, must_agree

scenarios("deletion.feature")


@st.composite
def _neighbourhoods(draw: DrawFn, scope: Scope) -> tuple[Call, list[Order]]:
    """A submission, an order beside it on its account, and where there is another account one of the same code there."""
    call: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER, shapes=ROOMY))
    place = place_of(call.body)
    elsewhere = scope.neighbours(place) or tuple(other for other in scope.places if other != place)
    places = [place, *elsewhere[:1]]
    return call, [draw(orders(scope, places=(place,))) for place in places]


@then("it can be deleted, is gone, and no other order is")
def deleted_order_is_gone_and_no_other(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(neighbourhood: tuple[Call, list[Order]]) -> Waiting[None]:
        call, neighbours = neighbourhood
        values, place = bench.fresh(call.shape), place_of(call.body)
        beside = values.having(code=f"{values['code']}2")
        # The one on the same account has a code that begins alike; the one on the other account the same.
        codes = [beside, values]
        for order, code in ((call.body, values), *zip(neighbours, codes, strict=False)):
            accepted = bench.submit(order, code)
            if not bench.is_accepted(call, accepted):
                return
            yield from bench.settled("QRY-01", order, code, place_of(order))
        deletion = bench.delete_known(place, values["code"])
        check_accepted(rule=experiment.rule, exchange=deletion)
        yield from bench.settled(experiment.rule.id, None, values, place, before=(call.body,), context="it was deleted")
        yield
        for order, code in zip(neighbours, codes, strict=False):
            context = gone_with_another(place_of(order), values)
            try:
                yield from bench.settled(experiment.rule.id, order, code, place_of(order), context=context)
            except Violation as violation:
                if code is beside and violation.rule == experiment.rule.id:
                    yield from _check_unlike_too(bench, order, call.body, violation)
                raise
        bench.saw(Side.ACCEPTED, deletion)

    prove(bench, bench.scenario, _neighbourhoods(bench.scope), law, max(1, 2 * bench.session.profile.sequences // 3))
    updated = calls(bench.scope, Endpoint.SUBMIT_ORDER, types=("COMISSION",))
    prove(bench, f"{bench.scenario} updated", updated, partial(_is_gone_with_what_it_was, bench, experiment.rule), 1)


def _check_unlike_too(bench: Bench, stays: Order, deleted: Order, found: Violation) -> Waiting[None]:
    """Raises a violation of QRY-05 where an order goes, or changes, only with one whose code begins alike."""
    try:
        leaves_unlike_alone = yield from check_left_alone(bench, stays, deleted, deleted=True)
    except Hindered:  # it does with any
        return
    if not leaves_unlike_alone:  # what was refused shows nothing
        return
    raise Violation(
        rule="QRY-05", expected=found.expected, actual=found.actual, exchange=found.exchange, context=found.context
    )


def _is_gone_with_what_it_was(bench: Bench, rule: Rule, call: Call) -> Waiting[None]:
    """Of an order that was updated several times no version shows when it is deleted."""
    values, place, order = bench.fresh(call.shape), place_of(call.body), call.body
    first, second, earlier = (with_a_cent_moved(order, cents) for cents in (3, 2, 1))
    for version in (first, second, earlier, order):
        if not bench.is_accepted(call, bench.submit(version, values)):
            return
    yield from bench.until_shown(order, values, place, before=(None, first, second, earlier))
    deletion = bench.delete_known(place, values["code"])
    check_accepted(rule=rule, exchange=deletion, context="it was updated three times")
    try:
        yield from bench.settled(
            rule.id, None, values, place, before=(order, earlier), context="it was updated and deleted"
        )
    except NotSeenYet:
        after = bench.query(place, values["code"])
        if bench.problems(after, earlier, values):
            raise
        # What a query has shown the update of is not shown late.
        raise Violation(
            rule=rule.id,
            expected="the order to be gone",
            actual="it was there as it was before its update",
            exchange=after,
            context="it was updated and deleted",
        ) from None
    bench.saw(Side.ACCEPTED, deletion)


@given("any order that is reconciled")
def any_reconciled_order() -> None:
    """Which order, Hypothesis says."""


@then("its deletion is refused with 4xx, and it stays as it was sent")
def deletion_refused_and_order_stays(experiment: Experiment) -> None:
    bench, reconciliations = experiment.bench, experiment.bench.reconciliations

    def law(one: ReconciledLaw, batch: Batch) -> Waiting[None]:
        # Orders beside it, one of the same code on another account, are not reconciled with it.
        reconciliation = reconciliations.begin(batch)
        beside = one.beside(reconciliation)
        if beside is None:
            return
        reconciliations.run(reconciliation)
        if not reconciliations.notified(reconciliation) and not reconciliations.is_free(batch.place):
            if reconciliation.lost:
                raise TargetUnavailable("a reconciliation does not end, perhaps for a release whose answer was lost")
            raise Hindered("WFL-03: a reconciliation does not end though all of its releases are in")
        if one.when_others_ended:
            another = reconciliations.run_through(reconciliations.plainest(batch.place))
            if not reconciliations.notified(another):
                reconciliations.is_free(batch.place)
        yield from one.reconciled(reconciliation, beside)

    for one in stay_undeleted(bench, experiment.rule):
        if not bench.succession.counts(one.name):
            prove(bench, one.name, one.strategy, partial(law, one), one.examples)


@then(parsers.parse("a second deletion is refused with {status} and code {code}"))
def second_deletion_refused(experiment: Experiment, status: str, code: str) -> None:
    bench = experiment.bench
    must_agree((status, (code,)) == (str(experiment.rule.refused), experiment.rule.codes), experiment.rule.codes)

    def law(call: Call) -> Waiting[None]:
        values, place = bench.fresh(call.shape), place_of(call.body)
        if not bench.is_accepted(call, bench.send(call, values)):
            return
        first = bench.delete_known(place, values["code"])
        if not bench.is_accepted(Call(Endpoint.DELETE_ORDER), first):
            return
        yield
        second = bench.delete_again(place, values["code"])
        check_refused(rule=experiment.rule, exchange=second, bench=bench, context="it was deleted before")
        bench.saw(Side.ACCEPTED, first)
        bench.saw(Side.REFUSED, second)

    wanted = calls(bench.scope, Endpoint.SUBMIT_ORDER)
    prove(bench, bench.scenario, wanted, law, max(1, bench.session.profile.sequences // 3))


@given("the order that did not come through the API", target_fixture="foreign")
def the_order_not_from_the_api(bench: Bench) -> tuple[Place, str]:
    assert bench.scope.foreign_code is not None
    return bench.scope.fixtures["foreign_order"], bench.scope.foreign_code


@then("its deletion is refused with 4xx and it stays")
def foreign_deletion_refused_and_order_stays(experiment: Experiment, foreign: tuple[Place, str]) -> None:
    bench, (place, code) = experiment.bench, foreign

    deleted: list[Violation] = []

    def law(call: Call) -> Waiting[None]:
        before = bench.query(place, code)
        if before.status // 100 != 2:
            if deleted:  # Hypothesis tries again what showed it, and there is only one such order
                raise deleted[0]
            pytest.skip(f"not exercised: fixtures.foreign_order {code} is not to be found: {before.status}")
        refused = bench.delete(place, code)
        try:
            check_refused(
                rule=experiment.rule, exchange=refused, bench=bench, context=f"{code} did not come through the API"
            )
        except Violation as violation:
            violation.story = tuple(bench.story)
            deleted.append(violation)
            raise
        yield
        after = bench.query(place, code)
        problems = differences(before.json, after.json) if isinstance(before.json, dict) else []
        if after.status != before.status or problems:
            raise Violation(
                rule=experiment.rule.id,
                expected="the order to stay as it was",
                actual="; ".join([f"it answered {after.status}", *problems]),
                exchange=after,
                context="after a deletion that was refused",
            )
        bench.saw(Side.REFUSED, refused)
        values = bench.fresh(call.shape)
        if bench.is_accepted(call, bench.send(call, values)):
            twin = bench.delete_known(place_of(call.body), values["code"])
            if bench.is_accepted(Call(Endpoint.DELETE_ORDER), twin):
                bench.saw(Side.ACCEPTED, twin)

    prove(bench, bench.scenario, calls(bench.scope, Endpoint.SUBMIT_ORDER, places=(place,)), law, 1)


# -- DEL-06, DEL-07: sent again ------------------------------------------------------------------------------------


@st.composite
def _resubmissions(draw: DrawFn, scope: Scope) -> tuple[Place, list[Order]]:
    """Three orders for one place, each of another total than the one before: what comes back is told from what was sent. Each
    has dates that the one after it has not, which may be kept. The last one is sent again: a server may know its body."""
    place = draw(st.sampled_from(scope.places))
    first = draw(orders(scope, places=(place,), statuses=("CANCELED",)))
    with_dates = draw(orders(scope, places=(place,), statuses=("CONCLUDED",)))
    last = draw(orders(scope, places=(place,), statuses=("INVOICED",)))
    last = without_optional(last)
    return place, [first, with_dates, last, last]


@then("of a deleted one nothing shows, also when it is sent and deleted again")
def nothing_shows_of_a_deleted_order(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(drawn: tuple[Place, list[Order]]) -> Waiting[None]:
        yield from nothing_comes_back(bench, experiment.rule, *drawn)

    prove(bench, bench.scenario, _resubmissions(bench.scope), law, max(1, bench.session.profile.sequences // 3))


@then("sent after its deletion it is accepted")
def accepted_after_its_deletion(experiment: Experiment) -> None:
    bench = experiment.bench

    def law(drawn: tuple[Place, list[Order]]) -> Waiting[None]:
        yield from accepted_again(bench, experiment.rule, *drawn)

    prove(bench, bench.scenario, _resubmissions(bench.scope), law, 1)
