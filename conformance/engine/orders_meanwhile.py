"""Orders beside those of a reconciliation that is open: no document says that they have to wait for its end."""

from __future__ import annotations

from typing import Final

from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.values import Values
from conformance.i18n.messages import mark
from conformance.target.wire.exchange import Exchange
from strategies.orders import Order, place_of
from strategies.updates import gone_on, with_one_more

_OPEN: Final = mark("while a reconciliation of its account is open")


def check_orders_go_on(bench: Bench, reconciliation: OpenReconciliation) -> None:
    """An order is sent, updated and deleted as at any other time, without a client error, and shows neither half of its update.
    What is refused is noted against the rule that says that it is accepted."""
    place = reconciliation.place
    order, values = bench.reconciliations.plainest(place).orders[0], bench.fresh("amazon")
    update = with_one_more(gone_on(order))
    for rule, version in (("ORD-01", order), ("ORD-15", update)):
        if not _is_accepted(bench, rule, bench.submit(version, values)):
            return
    if not bench.slow:  # else it shows what was there before
        _check_not_in_part(bench, order, update, values)
    deletion = bench.delete_known(place, values["code"])
    reconciliation.deleted_beside = _is_accepted(bench, "DEL-01", deletion)


def _check_not_in_part(bench: Bench, order: Order, update: Order, values: Values) -> None:
    """Note a breach of ORD-15 where it shows neither as it was sent first nor as it was sent last."""
    shown = bench.query(place_of(order), values["code"])
    problems = bench.problems(shown, update, values)
    if not problems or not shown.is_accepted or bench.may_be_from_before(shown, order, values):
        return
    alone = bench.fresh("amazon")
    if not bench.submit(update, alone).is_accepted or bench.problems(
        bench.query(place_of(order), alone["code"]), update, alone
    ):
        return  # what is not shown as it was sent when it is new, either, is no matter of updates
    bench.observe("ORD-15", "the order as it was last accepted", "; ".join(problems), shown, _OPEN)


def _is_accepted(bench: Bench, rule: str, exchange: Exchange) -> bool:
    if exchange.is_refused:
        expected = f"it to be accepted with {catalogue()[rule].accepted}"
        bench.observe(rule, expected, f"it answered {exchange.status}", exchange, _OPEN)
    return exchange.is_accepted
