"""Whom to blame for a lawful release that is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance.contract.rules import catalogue
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.refused_beside import blame_for_a_change, where_it_is_free
from conformance.engine.unfinished import Hindered
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.reconciliations import Batch, order_on

FEW: Final = 4
"""Orders of which each status may be one."""

if TYPE_CHECKING:
    from conformance.engine.reconciliations import Reconciliations


def rule_to_blame(reconciliations: Reconciliations, reconciliation: OpenReconciliation, order: int) -> str:
    """The rule to blame for the refusal of that order's lawful release: the one that is proven, or else the likely one."""
    if blame_for_a_change(reconciliations, reconciliation):
        return "REC-09"
    if order == 0 and reconciliation.sent_elsewhere and _is_moved_by_others(reconciliations, reconciliation):
        return "QRY-05"
    proven = proven_rule(reconciliations, reconciliation, order)
    if proven is not None or not reconciliation.after_refusal:
        return proven or likely_rule(reconciliations, reconciliation, order)
    observed = reconciliations.bench.session.evidence.observed
    return next((rule for rule in ("WFL-02", "REL-01") if rule in observed), "REL-18")


def _is_moved_by_others(reconciliations: Reconciliations, reconciliation: OpenReconciliation) -> bool:
    """Whether an order is not to be found any more, released or not, when one of its code is sent on another account."""
    bench, story = reconciliations.bench, list(reconciliations.bench.story)
    batch, values = reconciliation.batch, bench.fresh(reconciliation.batch.shape)
    try:
        there = [order_on(place, batch.orders[0]) for place in reconciliation.sent_elsewhere]
        if not all(bench.submit(one, values).is_accepted for one in (batch.orders[0], *there)):
            return False
        bench.let_be_shown()
        return bench.query(batch.place, values["code"]).is_refused
    finally:
        bench.story[:] = story


def likely_rule(reconciliations: Reconciliations, reconciliation: OpenReconciliation, order: int) -> str:
    """Whom to blame by what came before, if not releases that were refused: the other orders, where releases of such a status
    and of no more and no fewer entries were accepted, or too few to tell."""
    if len(reconciliation.batch.orders) == 1 or not reconciliation.released:
        return "REL-01"
    known = {id(one): one for one in (reconciliation, *reconciliations.ids.values())}.values()
    accepted = [one.batch.orders[released] for one in known for released in one.released]
    refused, sizes = reconciliation.batch.orders[order], [len(one["extracts"]) for one in accepted]
    is_like = refused["status"] in {one["status"] for one in accepted}
    is_like = is_like and min(sizes) <= len(refused["extracts"]) <= max(sizes)
    return "WFL-02" if is_like or len(accepted) < FEW else "REL-01"


def proven_rule(reconciliations: Reconciliations, reconciliation: OpenReconciliation, order: int) -> str | None:
    """Whom to blame, found by doing all anew without what may be in the way: releases that were refused before, another account's
    order of the same code, the other orders. None where that can't be done.

    It is done at another place where its own stays blocked.
    """
    story, otherwise = list(reconciliations.bench.story), None
    try:
        for way, rule in _ways(reconciliations, reconciliation, order):
            accepted = None if way is None else _is_released(reconciliations, way)
            if accepted is None:
                return otherwise
            if accepted:
                return rule
            otherwise = likely_rule(reconciliations, reconciliation, order)  # not for what was left out this time
    except (Hindered, Violation):
        return otherwise
    finally:
        reconciliations.bench.story[:] = story
    return "REL-01"


def _ways(
    reconciliations: Reconciliations, reconciliation: OpenReconciliation, order: int
) -> Iterator[tuple[Batch | None, str]]:
    """What is to be released instead (None where no place is free), and the rule to blame if all of it is accepted."""
    place, batch, was_refused = reconciliation.place, reconciliation.batch, reconciliation.after_refusal
    reconciliations.free(place)
    stays = place in reconciliations.blocked
    if was_refused or reconciliation.sent_twice or reconciliation.deleted_beside or not stays:
        # This time each order is sent once, and none is deleted beside them.
        yield where_it_is_free(reconciliations, batch), "REL-18" if was_refused else _likely_cause(reconciliation)
    if batch.namesake is not None and not stays:
        yield where_it_is_free(reconciliations, replace(batch, namesake=None)), "REL-01"
    if len(batch.orders) > 1:
        takes_releases = any(one.released for one in reconciliations.ids.values() if one.place == place)
        rule = "WFL-02" if not stays or takes_releases else "REL-01"
        yield where_it_is_free(reconciliations, _alone(batch, order)), rule


def _likely_cause(reconciliation: OpenReconciliation) -> str:
    """The rule to blame where its releases are accepted when only they are sent."""
    if reconciliation.within is not None:
        return "WFL-02"
    if reconciliation.deleted_beside:
        return "DEL-01"
    return "ORD-17" if reconciliation.sent_twice else "REL-01"


def _alone(batch: Batch, order: int) -> Batch:
    """That order of a batch in a reconciliation of its own."""
    quantity = len(batch.orders[order]["extracts"])
    creation = {**batch.creation, "releasesQtd": quantity}
    orders, releases = batch.orders[order : order + 1], batch.releases[order : order + 1]
    return Batch(batch.place, orders, creation, releases, batch.seconds, batch.shape)


def is_for_refused_updates(
    reconciliations: Reconciliations, reconciliation: OpenReconciliation, order: int, updates: Sequence[Call]
) -> bool:
    """Whether that order's release is accepted when all is done anew, and refused where these updates of it, with a fault each,
    are sent and refused before."""
    story, bench = list(reconciliations.bench.story), reconciliations.bench
    alone = where_it_is_free(reconciliations, _alone(reconciliation.batch, order))
    if alone is None or not updates:
        return False
    there = [replace(one, body=order_on(alone.place, one.body)) for one in updates if one.rendered is None]
    try:
        with bench.keeping_faults() as faults:
            found = _is_released(reconciliations, alone) and _is_released(reconciliations, alone, there) is False
            faults.clear()
            return bool(found)
    except (Hindered, Violation):
        return False
    finally:
        bench.story[:] = story


def _is_released(reconciliations: Reconciliations, batch: Batch, updates: Sequence[Call] = ()) -> bool | None:
    """Whether all of its releases are accepted, after `updates` of its first order that are refused; None where it could not be
    opened, or one of these was not."""
    again = reconciliations.begin(batch)
    if not reconciliations.submit_orders(again):
        return None
    if not all(reconciliations.bench.send(one, again.values[0]).is_refused for one in updates):
        return None
    if reconciliations.create(again, blame=False).status // 100 != 2:
        return None
    turns = [*range(1, len(batch.orders)), 0]  # as they came: those beside it first
    accepted = [reconciliations.release(again, turn).status in catalogue()["REL-01"].accepted for turn in turns]
    again.spoiled = not all(accepted)
    reconciliations.finish(again)
    return all(accepted)
