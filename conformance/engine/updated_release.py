"""The release of an order that was updated: it mirrors the order as it was sent last, and as a query shows it, whatever it was
before; one of what it was before is refused, as one of other values of any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.shelf import Shared
from conformance.engine.unfinished import Hindered, Spoiled
from conformance.engine.waiting import Waiting
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, release_of
from strategies.money import CENT
from strategies.orders import Order
from strategies.reconciliations import Batch, at_place, batches, order_on
from strategies.scope import Place
from strategies.updates import with_a_cent_moved, with_one_more

_AS_LAST: Final = "its order was sent with other values before, and is shown as it was sent last"
_NEITHER: Final = "its order was sent with other values before, and a value is none of theirs"
_AS_BEFORE: Final = "its order was sent with these values before, and is shown as it was sent last"

_OFF_BY: Final = 5 * CENT
"""By so much the sale of a broken copy differs: from what it is, and from what it was."""

VERSIONS: Final = 2
"""So many others an order was before: who compares with the first is told from who compares with the one before the last."""

NO_ACCIDENT: Final = (True, True, False, False, True, False, False, True)
"""Whether an order is released as it was sent last, at once, or as it was before. Who takes all of these does not see updates
late, nor now and then: in no such sequence do replicas take turns."""

Example = tuple[Batch, Order]
"""A batch whose order is what it was first, and what it is sent as last. What it was in between is reckoned from that."""


class _TakenAsBefore(Spoiled):
    """A release of what its order was before was accepted: whoever sees updates late may do so."""

    def __init__(self, version: Order, taken: Exchange) -> None:
        super().__init__("a release of what its order was before was accepted")
        self.version = version
        self.taken = taken


Broken = Callable[[Bench, Example, OpenReconciliation], Exchange]
"""Sends broken copies of the release; the last refusal."""


def accepted_as_updated(bench: Bench, rule: Rule) -> Shared[Example]:
    """The law of the scenario that says that releases are accepted. Broken copies are REL-08's."""
    reconciliations = bench.reconciliations
    is_compared = bench.scope.readings["value-mismatch"] == "rejected"

    def law(drawn: Example) -> Waiting[None]:
        is_open, taken = reconciliations.lent is not None, list[_TakenAsBefore]()
        try:
            refused = yield from _tried(bench, rule, drawn, _refused_as_before if is_compared else None)
        except _TakenAsBefore as accepted:
            if is_open:  # by itself it shows whether updates are seen
                raise
            taken.append(accepted)
        if taken:
            _check_updates_are_seen(bench, drawn, taken[0])
            yield from _tried(bench, rule, drawn, _refused_as_never)
            return  # who may see updates late may refuse what is last, too
        if refused is None:
            return
        yield from _tried(bench, rule, _where_it_is_free(bench, drawn), None)
        if not bench.story or not bench.story[-1].is_accepted:  # it was not tried
            raise Hindered("REL-18: a release is refused after a refused one")
        raise Violation(
            rule="REL-18",
            expected="the release to be accepted",
            actual=f"it answered {refused.status}",
            exchange=refused,
            context="releases were refused before",
        )

    drawn = batches(reconciliations.shared_scope, types=("COMISSION",)).map(
        lambda batch: (replace(batch, orders=(with_a_cent_moved(batch.orders[0]),)), batch.orders[0])
    )
    return Shared(rule, f"{bench.scenario} updated", drawn, law, 1, lambda example: example[0])


def _tried(bench: Bench, rule: Rule, drawn: Example, broken: Broken | None) -> Waiting[Exchange | None]:
    """The answer to the release, where it is none that it should be and that may be for the broken copies before it."""
    before, order = drawn
    reconciliations = bench.reconciliations
    is_open = reconciliations.lent is not None
    reconciliation = reconciliations.open_for(before) if is_open else reconciliations.begin(before)
    if not is_open and not reconciliations.submit_orders(reconciliation):
        return None
    released = None
    try:
        if not (yield from _is_ready(bench, drawn, reconciliation, is_open=is_open)):
            return None
        refused = broken(bench, drawn, reconciliation) if broken is not None else None
        with bench.keeping_faults() as faults:
            released = reconciliations.release(reconciliation, 0)
            if refused is not None and not released.is_accepted:
                faults.clear()  # it may be what the broken copies have left
        if released.is_refused and _changes_when_asked(bench, before.orders[0], order, before.place):
            raise Hindered("QRY-04: an order is not shown any more as it was shown before")
        if not released.is_accepted and refused is not None:
            if is_open:
                raise Spoiled("a lawful release is refused after a broken one")
            return released
        check_accepted(rule=rule, exchange=released, context=_AS_LAST)
        bench.saw(Side.ACCEPTED, released)
        return None
    finally:
        is_in = reconciliation.is_complete or (released is not None and released.status // 100 == 2)
        if reconciliation.id is not None and not is_in and not reconciliation.spoiled:
            with bench.keeping_faults() as faults:
                done = reconciliations.release(reconciliation, 0, _of_its_extracts(before, before.orders[0]))
                if reconciliation.after_refusal:
                    faults.clear()
            reconciliation.spoiled = done.status // 100 != 2
        reconciliations.finish(reconciliation)


def _is_ready(bench: Bench, drawn: Example, reconciliation: OpenReconciliation, *, is_open: bool) -> Waiting[bool]:
    """Whether the order is shown as it was sent last, and its reconciliation open. An update may show half an hour later: where
    that is to be waited for, nothing is open yet."""
    before, order = drawn
    # Under a code of its own: what it is first is none of what is opened for it.
    values = reconciliation.values[0].having(code=bench.fresh(before.shape)["code"])
    reconciliation.values = (values,)
    for version in (_first(drawn), *_earlier(drawn), order):
        update = Call(Endpoint.SUBMIT_ORDER, body=version)
        if not bench.is_accepted(update, bench.send(update, values)):
            return False
    bench.let_be_seen()
    if is_open:
        if bench.problems(bench.query(before.place, values["code"]), order, values):
            raise Spoiled("an update is not shown yet")
        return True
    yield from bench.until_shown(order, values, before.place, before=(None, _first(drawn), *_earlier(drawn)))
    if bench.session.control is not None:
        bench.session.control.advance(CONSOLIDATION_SECONDS)
    return bench.reconciliations.create(reconciliation).is_accepted


def _where_it_is_free(bench: Bench, drawn: Example) -> Example:
    """The same on another account where its own stays blocked: by a release that was refused in each version."""
    (before, order), reconciliations = drawn, bench.reconciliations
    free = [one for one in bench.scope.places if one not in reconciliations.blocked | reconciliations.endless]
    if before.place in free or not free or bench.session.control is not None:
        return drawn
    return at_place(before, free[-1]), order_on(free[-1], order)


def _first(drawn: Example) -> Order:
    """What the order is before all that: it has an extract more. A count that is kept from then on is none of the extracts'."""
    return with_one_more(drawn[0].orders[0])


def _earlier(drawn: Example) -> tuple[Order, ...]:
    """What the order is before it is sent as it is last."""
    before, order = drawn
    return (before.orders[0], *(with_a_cent_moved(order, cents) for cents in range(2, VERSIONS + 1)))


def _later(drawn: Example) -> tuple[Order, ...]:
    """What it is sent as after the first time."""
    return (*_earlier(drawn)[1:], drawn[1])


def _refused_as_before(bench: Bench, drawn: Example, reconciliation: OpenReconciliation) -> Exchange:
    """The refusal of a release of what the order was last but one. Raises Spoiled where it is accepted: it is in then, with as
    many entries as the order has."""
    version = _earlier(drawn)[-1]
    reconciliation.after_refusal = True
    refused = bench.reconciliations.send_broken(reconciliation, _of_its_extracts(drawn[0], version))
    if refused.is_accepted:
        reconciliation.released.add(0)
        for one in (reconciliation, reconciliation.within):
            if one is not None:
                one.may_fail = True
        raise _TakenAsBefore(version, refused)
    check_refused(rule=catalogue()["REL-08"], exchange=refused, bench=bench, context=_AS_BEFORE)
    return refused


def _check_updates_are_seen(bench: Bench, drawn: Example, before: _TakenAsBefore) -> None:
    """Raises a violation of REL-08 where a release of what its order was before is accepted though updates are seen: when half an
    hour has passed, or since orders are released at once as they were sent last, too."""
    if bench.session.control is None:
        with bench.aside(), bench.keeping_faults() as faults:
            both = all(_takes(bench, drawn, drawn[1] if last else before.version) for last in NO_ACCIDENT)
            faults.clear()
        if not both:
            return
    check_refused(rule=catalogue()["REL-08"], exchange=before.taken, bench=bench, context=_AS_BEFORE)


def _takes(bench: Bench, drawn: Example, version: Order) -> bool:
    """Whether a release of that version of an order is accepted, just after the order was sent as it is last."""
    reconciliations = bench.reconciliations
    reconciliation = reconciliations.begin(drawn[0])
    reconciliation.may_fail, values = True, reconciliation.values[0]
    if not reconciliations.submit_orders(reconciliation):
        return False
    if not all(bench.submit(order, values).is_accepted for order in _later(drawn)):
        return False
    if not reconciliations.create(reconciliation, blame=False).is_accepted:
        return False
    try:
        for tried in (version, drawn[1], *_earlier(drawn)):
            if bench.send(_of_its_extracts(drawn[0], tried), reconciliation.values[0]).is_accepted:
                reconciliation.released.add(0)
                return tried is version
        reconciliation.spoiled = True
        return False
    finally:
        reconciliations.finish(reconciliation)


def _refused_as_never(bench: Bench, _: Example, reconciliation: OpenReconciliation) -> Exchange:
    """The refusal of a release of values that the order never had. Raises a violation of REL-08 where it is accepted."""
    lawful = release_of(reconciliation.batch)
    entries = [dict(entry) for entry in lawful.body["releases"]]
    sale = next(entry for entry in entries if entry["type"] == "SALE")
    sale["value"] += _OFF_BY
    reconciliation.after_refusal = True
    broken = replace(lawful, body={**lawful.body, "releases": entries})
    refused = bench.reconciliations.send_broken(reconciliation, broken)
    if refused.is_accepted:
        bench.reconciliations.stray(reconciliation)
    check_refused(rule=catalogue()["REL-08"], exchange=refused, bench=bench, context=_NEITHER)
    return refused


def _changes_when_asked(bench: Bench, order: Order, update: Order, place: Place) -> bool:
    """Whether an order that is not released shows its update when it is asked for, and does not when it is asked for again."""
    values = bench.fresh("amazon")
    if not all(bench.submit(one, values).is_accepted for one in (order, update)):
        return False
    bench.let_be_shown()
    first, second = (bench.problems(bench.query(place, values["code"]), update, values) for _ in range(2))
    return bool(second and not first)


def _of_its_extracts(batch: Batch, order: Order) -> Call:
    """The release of a batch's order with the extracts that the order has in that version."""
    entries = [{name: one[name] for name in ("marketplaceCode", "type", "value")} for one in order["extracts"]]
    return Call(Endpoint.SUBMIT_RELEASE, body={**batch.releases[0], "releases": entries})
