"""The marketplace's export: a line for each state of an order, the newest last."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

REMOVED = "REMOVED"
"""The status of an order that the marketplace takes back: it was never to be there."""

_DATES = {
    "createdDate": "created",
    "approvedDate": "approved",
    "sendDate": "sent",
    "estimatedDeliveryDate": "estimated",
    "deliveryDate": "delivered",
    "cancelDate": "canceled",
}


@dataclass(frozen=True, slots=True)
class Sale:
    """One state of one order, as the marketplace exports it."""

    row: dict[str, str]

    @property
    def code(self) -> str:
        """The marketplace's own code of the order."""
        return self.row["order"]

    @property
    def place(self) -> tuple[int, str]:
        """The seller's account, and the channel that it is on."""
        return int(self.row["account"]), self.row["channel"]

    @property
    def is_removed(self) -> bool:
        """Whether the order is to be taken out."""
        return self.row["status"] == REMOVED

    @property
    def paid_out(self) -> str | None:
        """When the marketplace paid the order out, None while it has not."""
        return self.row["paid_out"] or None

    def components(self) -> list[dict[str, Any]]:
        """What is expected to be paid, in one sequence for good: types and values in BRL, as the marketplace states them."""
        values = {"SALE": self.row["sale"], "COMISSION": self.row["commission"], "SHIP": self.row["shipping"]}
        return [
            {"marketplaceCode": self.code, "type": kind, "value": Decimal(value)}
            for kind, value in values.items()
            if value
        ]

    def as_order(self) -> dict[str, Any]:
        """The whole order for POST /order. Each update is the whole order again."""
        account, channel = self.place
        extracts = self.components()
        for extract in extracts:
            if extract["type"] == "COMISSION":
                extract["percentage"] = Decimal(self.row["commission_percent"])
        return {
            "marketplaceCode": self.code,
            "channelName": channel,
            "accountId": account,
            "status": self.row["status"],
            **{name: self.row[column] or None for name, column in _DATES.items()},
            "totalGrossValue": Decimal(self.row["sale"]),
            "extracts": extracts,
        }

    def as_release(self, reconciliation: int) -> dict[str, Any]:
        """All components of the order in one request for POST /reconciliation/release, as they were announced."""
        account, channel = self.place
        return {
            "reconciliationId": reconciliation,
            "channelName": channel,
            "accountId": account,
            "marketplaceCode": self.code,
            "status": self.row["status"],
            "createdDate": self.row["created"],
            "releasedDate": self.row["paid_out"],
            "releaseType": "IN_CASH",
            "installment": 1,
            "installmentQuantity": 1,
            "releases": self.components(),
        }


def read_export(path: Path) -> Iterator[Sale]:
    """Every line of the export, in its sequence."""
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield Sale(row)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is reconciled together: the orders of one account and channel that were paid out in one week."""

    place: tuple[int, str]
    begin: datetime
    """Monday, in UTC."""
    sales: tuple[Sale, ...]

    @property
    def end(self) -> datetime:
        """The end of Sunday."""
        return self.begin + timedelta(days=7) - timedelta(seconds=1)

    def as_reconciliation(self) -> dict[str, Any]:
        """For POST /reconciliation: the period covers every payout, the count is that of all components."""
        account, channel = self.place
        values = [component["value"] for sale in self.sales for component in sale.components()]
        return {
            "channelName": channel,
            "accountId": account,
            "periodInitDate": _utc(self.begin),
            "periodEndDate": _utc(self.end),
            "releasesQtd": len(values),
            "totalNetValue": sum(values, Decimal(0)),
        }


def batches_of(sales: list[Sale]) -> list[Batch]:
    """The sales that were paid out, by account, channel and week, the oldest week first."""
    weeks: dict[tuple[datetime, tuple[int, str]], list[Sale]] = {}
    for sale in sales:
        if sale.paid_out is not None:
            paid = datetime.fromisoformat(sale.paid_out).astimezone(UTC)
            monday = (paid - timedelta(days=paid.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
            weeks.setdefault((monday, sale.place), []).append(sale)
    return [Batch(place, begin, tuple(found)) for (begin, place), found in sorted(weeks.items())]


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
