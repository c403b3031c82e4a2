"""The laws of releases that are about the count of their reconciliation, so that each example has one to itself. By the Then step
that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.bench import Bench
from conformance.engine.checks import check_refused, is_refused
from conformance.engine.left_as_it_was import check_deletable, check_unchanged
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.release_laws import some
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.engine.whole import Meanwhile, Whole, last_release
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, release_of
from strategies.faults import FAULTS, FaultBatch, Kind, fault_batches, possible
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, batches, beside_plain, plain_order
from strategies.scope import Scope
from strategies.unbounded import MOST_LAWFUL

# -- entries beyond the count --------------------------------------------------------------------------------------


def beyond_the_count(bench: Bench, rule: Rule) -> list[Whole]:
    """With more entries than releasesQtd leaves it is refused, and with as many accepted."""
    reconciliations = bench.reconciliations

    def batch_of(drawn: Batch) -> Batch:
        """Announced is one entry fewer than the order of this release has; a plain order fills exactly that."""
        extracts = len(drawn.orders[0]["extracts"])
        return reconciliations.plain(drawn.place, 1, extracts - 1, seconds=drawn.seconds)

    def go(reconciliation: OpenReconciliation, drawn: Batch, meanwhile: Meanwhile) -> bool:
        extracts = len(drawn.orders[0]["extracts"])
        # More than are announced in all, before any has come: a sum over none is no number to some.
        alone = reconciliations.plain(drawn.place, min(extracts + 1, MOST_LAWFUL), seconds=drawn.seconds)
        now = {name: reconciliation.values[0][name] for name in ("reconciliation", PERIOD)}
        beyond, more = (bench.fresh(batch.shape).having(**now) for batch in (drawn, alone))
        for batch, values in ((drawn, beyond), (alone, more)):
            order = Call(Endpoint.SUBMIT_ORDER, body=batch.orders[0])
            if not bench.is_accepted(order, bench.send(order, values)):
                return False
        bench.let_be_seen()
        if extracts < MOST_LAWFUL:
            _refused_beyond(bench, rule, alone, more, reconciliation, extracts)
        meanwhile(reconciliation, 0)
        if not reconciliations.released(reconciliation, 0):
            return False
        _refused_beyond(bench, rule, drawn, beyond, reconciliation, extracts - 1)
        meanwhile(reconciliation, 1)
        if not reconciliations.released(reconciliation, 1):
            return False
        bench.saw(Side.ACCEPTED, bench.story[-1])
        _refused_beyond(bench, rule, drawn, beyond, reconciliation, 0)
        reconciliations.finish(reconciliation)
        _refused_beyond(bench, rule, drawn, beyond, reconciliation, 0)
        for batch, values in ((drawn, beyond), (alone, more)):
            check_deletable(bench, batch.orders[0], values)
        return True

    drawn = batches(reconciliations.scope, types=("COMISSION",))
    return [Whole(rule, bench.scenario, drawn, go, max(1, some(bench) // 2), batch_of=batch_of)]


def _refused_beyond(
    bench: Bench, rule: Rule, drawn: Batch, values: Values, reconciliation: OpenReconciliation, left: int
) -> None:
    reconciliation.after_refusal = True
    beyond = bench.send(release_of(drawn), values)
    reconciliation.spoiled = beyond.status // 100 == 2
    context = f"{len(drawn.orders[0]['extracts'])} entries where releasesQtd leaves {left}"
    check_refused(rule=rule, exchange=beyond, bench=bench, context=context)
    bench.saw(Side.REFUSED, beyond)


# -- no trace ------------------------------------------------------------------------------------------------------

_SEEN_BY_ITSELF: Final = ("REL-03", "REL-04", "REL-06", "REL-10")
_SEEN_BESIDE_THE_ORDER: Final = ("REL-07", "REL-09")
"""Rules whose faults nobody sees who has not looked at the order: what is written before that may stay."""


def _able(scope: Scope, rules: tuple[str, ...]) -> list[Kind]:
    kinds = [kind for rule in rules for fault in FAULTS[rule].values() for kind in fault if not kind.multiples]
    return [kind for kind in kinds if possible(kind, scope, Endpoint.SUBMIT_RELEASE)]


@st.composite
def _refused_before(draw: DrawFn, scope: Scope, at_most: int) -> FaultBatch:
    others = st.sampled_from(_able(scope, _SEEN_BY_ITSELF))
    others_drawn = draw(st.lists(others, max_size=at_most - 1, unique_by=lambda kind: kind.name))
    looked_up = draw(st.sampled_from(_able(scope, _SEEN_BESIDE_THE_ORDER)))
    fault_batch: FaultBatch = draw(fault_batches(scope, Endpoint.SUBMIT_RELEASE, (*others_drawn, looked_up)))
    return fault_batch


def no_trace(bench: Bench, rule: Rule) -> list[Whole]:
    """After refused releases the right one is accepted, and counts once."""
    reconciliations = bench.reconciliations

    def go(reconciliation: OpenReconciliation, fault_batch: FaultBatch, meanwhile: Meanwhile) -> bool:
        reconciliation.after_refusal = True
        order, values, refused = reconciliation.batch.orders[0], reconciliation.values[0], []
        before = bench.query(reconciliation.place, values["code"]) if not bench.slow else None
        for kind, edit in fault_batch.edits:
            refused.append(bench.send(edit.apply(fault_batch.lawful), reconciliation.values[0]))
            reconciliation.spoiled = not refused[-1].is_refused
            if not is_refused(bench, kind, refused[-1], f"changed in one place: {edit}"):
                return False
        if before is not None:
            check_unchanged(bench, order, values, before)
        meanwhile(reconciliation, 0)
        if not reconciliations.released(reconciliation, 0):
            return False
        accepted = bench.story[-1]
        _check_still_active(bench, rule, reconciliation, accepted)
        for number in range(1, len(reconciliation.batch.orders)):
            meanwhile(reconciliation, number)
            if not reconciliations.released(reconciliation, number):
                return False
        bench.saw(Side.ACCEPTED, accepted)
        for exchange in refused:
            bench.saw(Side.REFUSED, exchange)
        return True

    def batch_of(fault_batch: FaultBatch) -> Batch:
        """With an order of a single entry, the last one: a count that is wrong by one, or by an order, shows before it."""
        assert fault_batch.lawful.batch is not None
        return beside_plain(reconciliations.scope, fault_batch.lawful.batch, 1)

    counted = bench.session.profile.client_errors is not None
    drawn = _refused_before(reconciliations.scope, 2 if counted else 3)
    return [Whole(rule, bench.scenario, drawn, go, some(bench), batch_of=batch_of)]


def _check_still_active(bench: Bench, rule: Rule, reconciliation: OpenReconciliation, exchange: Exchange) -> None:
    """An order is still to be released: that the reconciliation is completed shows that refused entries were counted."""
    if bench.session.control is not None:
        bench.session.control.advance(3600)
    if bench.reconciliations.notified(reconciliation):
        reconciliation.spoiled = True
        raise Violation(
            rule=rule.id,
            expected="the reconciliation to wait for its last release",
            actual="it was completed",
            exchange=exchange,
            context="releases were refused before",
        )


# -- released once ---------------------------------------------------------------------------------------------------

_RELEASED: Final = "the order's release was accepted before"


def _with_room_for_another(scope: Scope, batch: Batch) -> Batch:
    """Beside its order one of as many entries, and one of a single entry: a count that is wrong by one shows before it."""
    return beside_plain(scope, beside_plain(scope, batch, len(batch.orders[0]["extracts"])), 1)


def _has_room_for_another(scope: Scope, batch: Batch) -> bool:
    """Whether that is so of one that is opened for REL-18, in which releases are refused anyway."""
    if len(batch.orders) == 1:
        return False
    first, *between, last = batch.orders
    entries = sum(len(order["extracts"]) for order in between)
    plain = plain_order(batch.place, scope.account_id_forms[0], 1, scope.days.start)
    return last == plain and entries >= len(first["extracts"])


def another_of_the_same_order(bench: Bench, rule: Rule) -> list[Whole]:
    """After the release of an order another of the same one is refused, and counts for nothing."""
    reconciliations, seen = bench.reconciliations, dict[int | None, tuple[Exchange, Exchange]]()

    def again(reconciliation: OpenReconciliation, released: int) -> None:
        if released != 1:
            return
        first, reconciliation.after_refusal = last_release(bench.story), True
        refused = bench.send(release_of(reconciliation.batch), reconciliation.values[0])
        reconciliation.spoiled = refused.is_accepted
        check_refused(rule=rule, exchange=refused, bench=bench, context=_RELEASED)
        seen[reconciliation.id] = first, refused

    def go(reconciliation: OpenReconciliation, _: Batch, meanwhile: Meanwhile) -> bool:
        for order in range(len(reconciliation.batch.orders)):
            meanwhile(reconciliation, order)
            if not reconciliations.released(reconciliation, order):
                return False
        return True

    def ended(reconciliation: OpenReconciliation, last: Exchange, is_free: bool) -> None:  # noqa: FBT001 - a callback's
        first, refused = seen[reconciliation.id]
        if not is_free:
            _check_others_end(bench, last)
        bench.saw(Side.ACCEPTED, first)
        bench.saw(Side.REFUSED, refused)

    drawn = batches(reconciliations.scope)
    return [
        Whole(
            rule, bench.scenario, drawn, go, max(1, some(bench) // 2), ended,
            partial(_with_room_for_another, reconciliations.scope), again, partial(_has_room_for_another, reconciliations.scope),
        )
    ]  # fmt: skip


def _check_others_end(bench: Bench, last: Exchange) -> None:
    """Raises a violation of REL-18 for one that does not end with a refused release where others do without; else Hindered."""
    bench.reconciliations.check_ends_are_known()
    if not any(one.ended and not one.after_refusal for one in bench.reconciliations.ids.values()):
        raise Hindered("WFL-03: a reconciliation does not end though all of its releases are in")
    raise Violation(
        rule="REL-18",
        expected="the reconciliation to end with situation CONCILIED once all releases are in",
        actual="it did not end",
        exchange=last,
        context=_RELEASED,
    )


WHOLE_RELEASE_LAWS: Final[Mapping[str, Callable[[Bench, Rule], Sequence[Whole]]]] = MappingProxyType(
    {
        "with more entries than releasesQtd leaves it is refused with 4xx, and with as many accepted": beyond_the_count,
        "after refused ones the right one is accepted, and counts once": no_trace,
        "after it another of the same order in the same reconciliation is refused with 4xx": another_of_the_same_order,
    }
)
"""What can be tried in succession, by the Then step that says it."""
