"""Orders beside those of a reconciliation that is open: no document says that they have to wait for its end."""

from __future__ import annotations

from typing import Final

from conformance.contract.rules import catalogue
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.i18n.messages import mark
from conformance.target.wire.exchange import Exchange
from strategies.updates import gone_on

_OPEN: Final = mark("while a reconciliation of its account is open")


def check_orders_go_on(bench: Bench, reconciliation: OpenReconciliation) -> None:
    """An order is sent, updated and deleted as at any other time, without a client error. What is refused is noted against the
    rule that says that it is accepted."""
    place = reconciliation.place
    order, values = bench.reconciliations.plainest(place).orders[0], bench.fresh("amazon")
    for rule, version in (("ORD-01", order), ("ORD-15", gone_on(order))):
        if not _is_accepted(bench, rule, bench.submit(version, values)):
            return
    deletion = bench.delete_known(place, values["code"])
    reconciliation.deleted_beside = _is_accepted(bench, "DEL-01", deletion)


def _is_accepted(bench: Bench, rule: str, exchange: Exchange) -> bool:
    if exchange.is_refused:
        expected = f"it to be accepted with {catalogue()[rule].accepted}"
        bench.observe(rule, expected, f"it answered {exchange.status}", exchange, _OPEN)
    return exchange.is_accepted
