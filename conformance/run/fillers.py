"""The plainest orders, creations and releases: what clearing away sends to fill up reconciliations and to see what is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.jsontext import JSONValue
from conformance.target.shared.ledger import OrderId
from conformance.target.shared.lenient import Place

CENT: Final = Decimal("0.01")

PERIOD_SECONDS: Final = 60


def order(place: Place, code: str, entries: int) -> dict[str, JSONValue]:
    """An order with so many entries."""
    begin = datetime(2024, 6, 3, 12, tzinfo=UTC)
    names = ("createdDate", "approvedDate", "sendDate", "deliveryDate", "estimatedDeliveryDate")
    dates = {name: written(begin + timedelta(days=day)) for day, name in enumerate(names)}
    return {
        "marketplaceCode": code,
        "channelName": place.channel,
        "accountId": place.account,
        "status": "CONCLUDED",
        **dates,
        "totalGrossValue": entries * CENT,
        "extracts": [{"marketplaceCode": code, "type": "SALE", "value": CENT} for _ in range(entries)],
    }


def creation(place: Place, begin: str) -> dict[str, JSONValue]:
    """A reconciliation of one release, whose period begins at this instant."""
    return {
        "channelName": place.channel,
        "accountId": place.account,
        "periodInitDate": begin,
        "periodEndDate": written(datetime.fromisoformat(begin) + timedelta(seconds=PERIOD_SECONDS)),
        "releasesQtd": 1,
        "totalNetValue": CENT,
    }


def release(number: JSONValue, filled: dict[str, Any], released: str) -> dict[str, JSONValue]:
    """All entries of an order."""
    return {
        "reconciliationId": number,
        "channelName": filled["channelName"],
        "accountId": filled["accountId"],
        "marketplaceCode": filled["marketplaceCode"],
        "status": "CONCLUDED",
        "createdDate": released,
        "releasedDate": released,
        "releaseType": "IN_CASH",
        "installment": 1,
        "installmentQuantity": 1,
        "releases": filled["extracts"],
    }


def query(order: OrderId) -> dict[str, str]:
    """What a query or deletion asks for."""
    return {"marketplaceCode": order.code, "channelName": order.channel, "accountId": str(order.account)}


def written(instant: datetime) -> str:
    """An instant as Koncili writes it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
