"""Which reading a target follows, where its target file does not say: found out by requests that leave nothing behind.

Each probe is a call that is lawful under one reading and refused under another. What can't be told keeps its default. A probe
takes a plain difference (a value a hundred too high), so that a target that only errs by a cent is not read as lenient.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.endpoints import EXPIRES_IN_FIELD, Endpoint
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS
from conformance.engine.bench import Bench
from conformance.engine.reconciliations import Reconciliations
from conformance.engine.unfinished import Hindered
from conformance.errors import TargetUnavailable
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.dates import printed
from strategies.orders import Order
from strategies.periods import EARLIER_SECONDS, PERIOD, at
from strategies.placeholders import CODE
from strategies.reconciliations import plain_order

ABOUT_ORDERS: Final = ("token-lifetime", "account-id-type", "extract-types", "empty-extracts")
ABOUT_BATCHES: Final = ("period-bounds", "value-mismatch")

_FOUND: Final[Mapping[str, Mapping[tuple[bool, ...], str]]] = MappingProxyType(
    {
        "period-bounds": {(True, True): "inclusive", (True, False): "half-open", (False, False): "exclusive"},
        "value-mismatch": {(True,): "discrepancy", (False,): "rejected"},
    }
)
"""What the answers to the releases of which a reading is about say: whether each was taken."""


def probe_orders(bench: Bench) -> None:
    """Find out the readings about tokens and orders that the target file leaves out."""
    probes = {
        "token-lifetime": _token_lifetime,
        "account-id-type": _account_id_type,
        "extract-types": _extract_types,
        "empty-extracts": _empty_extracts,
    }
    with bench.session.probing():
        for reading in ABOUT_ORDERS:
            if bench.session.is_open(reading) and (found := probes[reading](bench)) is not None:
                bench.learn(reading, found)


def _token_lifetime(bench: Bench) -> str | None:
    answer: Any = bench.session.client.create_token().json
    told = answer.get(EXPIRES_IN_FIELD) if isinstance(answer, dict) else None
    return next((value for value, seconds in TOKEN_LIFETIME_SECONDS.items() if seconds == told), None)


def _accepts(bench: Bench, order: Order) -> bool | None:
    """Whether an order is accepted; None where the answer says neither."""
    exchange = bench.submit(order, bench.fresh("amazon"))
    return {2: True, 4: False}.get(exchange.status // 100)


def _plain(bench: Bench, form: type[int] | type[str], *more: Mapping[str, Any]) -> Order:
    """The plainest order, with more extracts before the sale and after it: whoever looks at the first or last only is not to
    be read as one that takes every type."""
    order = plain_order(bench.scope.places[0], form, 1, bench.scope.days.start)
    extracts = [{"marketplaceCode": CODE, **extract} for extract in more]
    return {**order, "extracts": [*extracts, *order["extracts"], *reversed(extracts)]}


def _account_id_type(bench: Bench) -> str | None:
    whole, text = (_accepts(bench, _plain(bench, form)) for form in (int, str))
    if whole and text:
        return "either"
    return "integer" if whole else "string" if text else None


def _extract_types(bench: Bench) -> str | None:
    form = bench.scope.account_id_forms[0]
    if not _accepts(bench, _plain(bench, form)):
        return None
    extended = _accepts(bench, _plain(bench, form, {"type": "RETURN_COMISSION", "value": Decimal("0.01")}))
    if not extended:
        return "workflow" if extended is False else None
    adjustment = {"type": "ADJUSTMENT", "value": Decimal("0.01")}
    return_sale = {"type": "RETURN_SALE", "value": Decimal("-0.01")}
    return "portal" if _accepts(bench, _plain(bench, form, adjustment, return_sale)) else "extended"


def _empty_extracts(bench: Bench) -> str | None:
    form = bench.scope.account_id_forms[0]
    if not _accepts(bench, _plain(bench, form)):
        return None
    taken = _accepts(bench, {**_plain(bench, form), "extracts": []})
    return None if taken is None else "accepted" if taken else "rejected"


def probe_batches(bench: Bench, reconciliations: Reconciliations) -> None:
    """Find out the readings about reconciliations and releases that the target file leaves out."""
    if not any(bench.session.is_open(reading) for reading in ABOUT_BATCHES):
        return
    with bench.session.probing(), suppress(Hindered, Violation, TargetUnavailable):
        _probe_batches(
            bench, reconciliations
        )  # the scenarios meet the same, and say so; what was not found out keeps its default


def _probe_batches(bench: Bench, reconciliations: Reconciliations) -> None:
    plain = reconciliations.plain(bench.scope.places[0], 2, 2, 2, 1, seconds=EARLIER_SECONDS)
    reconciliation = reconciliations.begin(plain)
    if not reconciliations.submit_orders(reconciliation) or reconciliations.create(reconciliation).status // 100 != 2:
        return
    releases = reconciliation.batch.releases
    entries = releases[2]["releases"]
    too_much = [{**entries[0], "value": entries[0]["value"] + 100}, *entries[1:]]
    beginning, end = (at(timedelta(seconds=seconds)) for seconds in (0, plain.seconds))
    attempts = (
        ("period-bounds", {**releases[0], "releasedDate": beginning}),
        ("period-bounds", {**releases[1], "releasedDate": end}),
        ("value-mismatch", {**releases[2], "releases": too_much}),
    )
    taken, doubtful = dict[str, tuple[bool, ...]](), set[str]()
    try:
        # First the order that was sent last: where releases see orders late, those before are seen once that one is.
        if not reconciliations.released(reconciliation, len(attempts)):
            return
        for order, (reading, body) in enumerate(attempts):
            late = bench.late
            if bench.session.is_open(reading):
                exchange = reconciliations.release(reconciliation, order, Call(Endpoint.SUBMIT_RELEASE, body=body))
                reconciliation.spoiled = False  # under its reading it is lawful
                taken[reading] = (*taken.get(reading, ()), exchange.status // 100 == 2)
            if order not in reconciliation.released and not reconciliations.released(reconciliation, order):
                return
            if bench.late != late:  # it may have been refused for what is seen late
                doubtful.add(reading)
            if reading not in doubtful and (found := _FOUND[reading].get(taken.get(reading, ()))) is not None:
                bench.learn(reading, found)
    finally:
        reconciliations.finish(reconciliation)


def probe_adjacent(bench: Bench, reconciliations: Reconciliations) -> None:
    """Find out whether periods may touch, where the target file does not say and nothing has shown it yet."""
    if not bench.session.is_open("adjacent-periods"):
        return
    with bench.session.probing(), suppress(Hindered, Violation, TargetUnavailable):
        earlier = reconciliations.run_through(reconciliations.plain(bench.scope.places[0], 1, seconds=EARLIER_SECONDS))
        _probe_adjacent(bench, reconciliations, earlier.values[0][PERIOD])


def _probe_adjacent(bench: Bench, reconciliations: Reconciliations, earlier: str) -> None:
    """Whether one is accepted that begins where an earlier one ends. That it is not says something only where one that touches
    none is."""
    touching = printed(datetime.fromisoformat(earlier) + timedelta(seconds=EARLIER_SECONDS))
    batch = reconciliations.plain(bench.scope.places[0], 1, seconds=EARLIER_SECONDS)
    for period in (touching, ""):
        reconciliation = reconciliations.begin(batch)
        if period:
            reconciliation.values = tuple(values.having(**{PERIOD: period}) for values in reconciliation.values)
        if not reconciliations.submit_orders(reconciliation):
            return
        try:
            accepted = reconciliations.create(reconciliation, blame=not period).is_accepted
        finally:
            reconciliations.finish(reconciliation)
        if accepted and period:
            bench.learn("adjacent-periods", "allowed")
            return
        if not accepted and not period:
            return
    bench.learn("adjacent-periods", "overlap")
