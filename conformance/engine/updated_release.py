"""The release of an order that was updated: it mirrors the order as it was sent last, and as a query shows it, whatever it was
before; one of other values is refused, as of any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance.contract.endpoints import Endpoint
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
from strategies.reconciliations import Batch, batches
from strategies.scope import Place
from strategies.updates import with_a_cent_moved

_AS_LAST: Final = "its order was sent with other values before, and is shown as it was sent last"
_NEITHER: Final = "its order was sent with other values before, and a value is neither's"

_OFF_BY: Final = 5 * CENT
"""By so much the sale of a broken copy differs: from what it is, and from what it was."""


def accepted_as_updated(bench: Bench, rule: Rule) -> Shared[tuple[Batch, Order]]:
    """The law of the scenario that says that releases are accepted. Broken copies are REL-08's."""
    reconciliations = bench.reconciliations
    is_compared = bench.scope.readings["value-mismatch"] == "rejected"

    def law(drawn: tuple[Batch, Order]) -> Waiting[None]:
        refused = yield from tried(drawn, is_broken_first=is_compared)
        if refused is None:
            return
        yield from tried(drawn, is_broken_first=False)
        if not bench.story or not bench.story[-1].is_accepted:  # it was not tried
            raise Hindered("REL-18: a release is refused after a refused one")
        raise Violation(
            rule="REL-18",
            expected="the release to be accepted",
            actual=f"it answered {refused.status}",
            exchange=refused,
            context="releases were refused before",
        )

    def tried(drawn: tuple[Batch, Order], *, is_broken_first: bool) -> Waiting[Exchange | None]:
        """The answer to the release, where it is none that it should be and that may be for the broken copy. An update may show
        half an hour later: where that is to be waited for, nothing is open yet."""
        before, order = drawn
        is_open = reconciliations.lent is not None
        reconciliation = reconciliations.open_for(before) if is_open else reconciliations.begin(before)
        if not is_open and not reconciliations.submit_orders(reconciliation):
            return None
        values, released = reconciliation.values[0], None
        try:
            update = Call(Endpoint.SUBMIT_ORDER, body=order)
            if not bench.is_accepted(update, bench.send(update, values)):
                return None
            bench.let_be_seen()
            if not is_open:
                yield from bench.until_shown(order, values, before.place, before=(None, before.orders[0]))
                if not reconciliations.create(reconciliation).is_accepted:
                    return None
            elif bench.problems(bench.query(before.place, values["code"]), order, values):
                raise Spoiled("an update is not shown yet")
            refused = _refused(bench, reconciliation) if is_broken_first else None
            with bench.keeping_faults() as faults:
                released = reconciliations.release(reconciliation, 0)
                if refused is not None and not released.is_accepted:
                    faults.clear()  # it may be what the broken copy has left
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
            is_in = released is not None and released.status // 100 == 2
            if reconciliation.id is not None and not is_in and not reconciliation.spoiled:
                with bench.keeping_faults() as faults:
                    done = reconciliations.release(reconciliation, 0, _of_its_extracts(before))
                    if reconciliation.after_refusal:
                        faults.clear()
                reconciliation.spoiled = done.status // 100 != 2
            reconciliations.finish(reconciliation)

    drawn = batches(reconciliations.shared_scope, types=("COMISSION",)).map(
        lambda batch: (replace(batch, orders=(with_a_cent_moved(batch.orders[0]),)), batch.orders[0])
    )
    return Shared(rule, f"{bench.scenario} updated", drawn, law, 1, lambda example: example[0])


def _refused(bench: Bench, reconciliation: OpenReconciliation) -> Exchange:
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


def _of_its_extracts(batch: Batch) -> Call:
    """The release of a batch's order with the extracts that the order has there."""
    entries = [
        {name: one[name] for name in ("marketplaceCode", "type", "value")} for one in batch.orders[0]["extracts"]
    ]
    return Call(Endpoint.SUBMIT_RELEASE, body={**batch.releases[0], "releases": entries})
