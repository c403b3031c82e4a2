"""The workflow that S2 prints: its order, its reconciliation, and its release, whose date breaks S2's own rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.reconciliations import Reconciliations
from conformance.engine.unfinished import Hindered
from strategies.calls import Call
from strategies.dates import FIELDS, moved
from strategies.orders import Order
from strategies.periods import PERIOD, at
from strategies.placeholders import CODE, RECONCILIATION
from strategies.reconciliations import Batch, total
from strategies.scope import DAYS, Place

PRINTED_CODE: Final = "701-2798273-4005859"

PRINTED_ORDER: Final[Order] = {
    "marketplaceCode": CODE,
    "channelName": "CHANNEL_NAME",
    "accountId": "19055",
    "status": "PAID_WAITING_DELIVERY",
    "createdDate": "2025-05-09T12:00:00Z",
    "approvedDate": "2025-05-09T12:00:00Z",
    "sendDate": "2025-05-09T12:00:00Z",
    "estimatedDeliveryDate": "2025-05-15T12:00:00Z",
    "deliveryDate": "2025-05-15T12:00:00Z",
    "cancelDate": None,
    "totalGrossValue": Decimal("203.63"),
    "extracts": [
        {
            "marketplaceCode": CODE,
            "type": "SALE",
            "value": Decimal("203.63"),
            "expectedDate": "2025-06-05T12:00:00Z",
        },
        {"marketplaceCode": CODE, "type": "COMISSION", "value": Decimal("-24.44"), "percentage": 12},
        {"marketplaceCode": CODE, "type": "SHIP", "value": Decimal("-27.95")},
    ],
}
"""Only its account and channel give way to the target's, where the target has others."""

PRINTED_INIT: Final = "2024-02-14T01:00:01Z"
_DAY: Final = timedelta(days=1)
_CREATED, _AS_PRINTED, _MENDED = (
    datetime.fromisoformat(text) - datetime.fromisoformat(PRINTED_INIT)
    for text in ("2024-02-10T12:12:12Z", "2024-02-10T13:13:13Z", "2024-02-14T13:13:13Z")
)


def order_at(bench: Bench, place: Place) -> Order:
    """The printed order on this account and channel."""
    if (str(place.account), place.channel) == (PRINTED_ORDER["accountId"], PRINTED_ORDER["channelName"]):
        form = str if str in bench.scope.account_id_forms else int
    else:
        form = bench.scope.account_id_forms[-1]
    order = {**PRINTED_ORDER, "channelName": place.channel, "accountId": form(place.account)}
    return order if bench.scope.days == DAYS else _moved(order, bench.scope.days.start)


def _moved(order: Order, start: datetime) -> Order:
    """The order with its dates moved by whole days, to where the target file wants them."""
    by = timedelta(days=(start - datetime.fromisoformat(PRINTED_ORDER["createdDate"])).days + 1)
    first, *others = order["extracts"]
    return {
        **order,
        **{name: moved(text, by) for name in FIELDS if isinstance(text := order.get(name), str)},
        "extracts": [{**first, "expectedDate": moved(first["expectedDate"], by)}, *others],
    }


def is_printed(batch: Batch) -> bool:
    """Whether it is what S2 prints."""
    (order, *others) = batch.orders
    return not others and batch.seconds == int(_DAY.total_seconds()) and _entries(order) == _entries(PRINTED_ORDER)


def _entries(order: Order) -> list[tuple[str, Decimal]]:
    return [(extract["type"], extract["value"]) for extract in order["extracts"]]


def printed_batch(bench: Bench) -> Batch:
    """All that S2 prints, the release dated within its period: at the printed time of the period's first day."""
    place = bench.reconciliations.scope.places[0]
    order = order_at(bench, place)
    form = bench.scope.account_id_forms[0]
    release: dict[str, Any] = {
        "reconciliationId": RECONCILIATION,
        "channelName": place.channel,
        "accountId": form(place.account),
        "marketplaceCode": CODE,
        "status": "CONCLUDED",
        "createdDate": at(_CREATED),
        "releasedDate": at(_MENDED),
        "releaseType": "IN_CASH",
        "installment": 1,
        "installmentQuantity": 1,
        "releases": [
            {name: extract[name] for name in ("marketplaceCode", "type", "value")} for extract in order["extracts"]
        ],
    }
    creation = {
        "channelName": place.channel,
        "accountId": form(place.account),
        "periodInitDate": at(timedelta()),
        "periodEndDate": at(_DAY),
        "releasesQtd": 3,
        "totalNetValue": total(bench.scope, [order]),
    }
    return Batch(place, (order,), creation, (release,), int(_DAY.total_seconds()), "amazon")


def opened(bench: Bench, *, literally: bool) -> OpenReconciliation:
    """The printed reconciliation, open. `literally` with the printed code and period, where nobody used them before: once, in
    a mock of the run's own. Raises Hindered."""
    reconciliations = bench.reconciliations
    reconciliation = reconciliations.begin(printed_batch(bench))
    if literally:
        as_printed(reconciliations, reconciliation)
    if not reconciliations.submit_orders(reconciliation) or reconciliations.create(reconciliation).status // 100 != 2:
        raise Hindered("the order or the reconciliation that S2 prints was refused")
    return reconciliation


def as_printed(reconciliations: Reconciliations, reconciliation: OpenReconciliation) -> None:
    """With the printed code and period, where nobody used them before: once, in a mock of the run's own."""
    if not reconciliations.bench.session.in_process or reconciliations.printed_period_used:
        return
    reconciliations.printed_period_used = True
    printed = {PERIOD: PRINTED_INIT}
    if reconciliations.takes_printed_code(reconciliation.place):
        printed["code"] = PRINTED_CODE
    reconciliation.values = tuple(values.having(**printed) for values in reconciliation.values)


def release_as_printed(reconciliation: OpenReconciliation) -> Call:
    """The release with its printed date, which lies before the period."""
    body = {**reconciliation.batch.releases[0], "releasedDate": at(_AS_PRINTED)}
    return replace(Call(Endpoint.SUBMIT_RELEASE), body=body)
