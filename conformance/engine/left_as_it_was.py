"""What a release that is refused may have left of its order: it shows as it was sent, and can be deleted as one that has none."""

from __future__ import annotations

from typing import Final

from conformance.engine.bench import Bench
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.orders import Order, place_of
from strategies.scope import Place

_REFUSED: Final = "a release of it was refused"


def check_unchanged(bench: Bench, order: Order, values: Values, before: Exchange) -> None:
    """It shows as it was sent, where it did when it was asked for before. Raises a violation of REL-18 where it shows
    otherwise; one that is not found may not be seen yet."""
    if bench.problems(before, order, values):
        return
    after = bench.query(place_of(order), values["code"])
    if after.is_accepted and (problems := bench.problems(after, order, values)):
        bench.check_asking_leaves(order, place_of(order))
        raise Violation(
            rule="REL-18",
            expected="the order to stay as it was sent",
            actual="; ".join(problems),
            exchange=after,
            context=_REFUSED,
        )


def check_deletable(bench: Bench, order: Order, values: Values) -> None:
    """It can be deleted, since it has no release. Raises a violation of REL-18 where it can't, and one of which none was sent
    can; of DEL-01 where such a deletion takes another order with it, as it may have this one."""
    place = place_of(order)
    refused = bench.delete_known(place, values["code"])
    if not refused.is_refused:
        return
    beside, twin = (bench.fresh("amazon") for _ in range(2))
    if not all(bench.submit(order, one).is_accepted for one in (beside, twin)):
        raise Hindered("ORD-01: a lawful order was refused")
    if not bench.delete_known(place, twin["code"]).is_accepted:
        raise Hindered("DEL-01: an order can't be deleted")
    gone = bench.asked_again(lambda: bench.query(place, beside["code"]))  # it may only be seen late
    if gone.is_refused:
        raise Violation(
            rule="DEL-01",
            expected="the order as it was last accepted",
            actual=f"it answered {gone.status}",
            exchange=gone,
            context=gone_with_another(place, twin),
        )
    raise Violation(
        rule="REL-18",
        expected="the order to be deleted, as it is not reconciled",
        actual=f"it answered {refused.status}",
        exchange=refused,
        context=_REFUSED,
    )


def gone_with_another(place: Place, deleted: Values) -> str:
    """What a counterexample says of an order that was there until another was deleted."""
    return f"the order beside it, on account {place.account}, when {deleted['code']} was deleted"
