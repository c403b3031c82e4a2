"""What `check_order` and `check_release` cost before a call is sent, beside schemas of the same shapes.

    python benchmarks/checks.py [--rounds N]

Microseconds of one core for an ordinary body (five dates, three extracts), made of Python values; the ways take turns, the
median counts. Schemas see shapes: no dates in sequence, no codes that agree, no sums.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import jsonschema
import jsonschema_rs
from koncili_conformance import check_order, check_reconciliation, check_release
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from conformance.contract.openapi import load

CALLS = 2_000
CODE = "701-2798273-4005859"
PARTS = (("SALE", 203.63), ("COMISSION", -24.44), ("SHIP", -27.95))
ENTRIES = [{"marketplaceCode": CODE, "type": kind, "value": value} for kind, value in PARTS]
DATES = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate")
ORDER: dict[str, Any] = {
    "marketplaceCode": CODE, "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "CONCLUDED",
    **{name: f"2026-11-0{day}T12:00:00.000-03:00" for day, name in enumerate(DATES, 1)},
    "totalGrossValue": 203.63, "extracts": ENTRIES,
}  # fmt: skip
RECONCILIATION: dict[str, Any] = {
    "channelName": "CHANNEL_NAME", "accountId": 19055, "periodInitDate": "2026-11-01T00:00:00-03:00",
    "periodEndDate": "2026-11-08T00:00:00-03:00", "releasesQtd": 3, "totalNetValue": 151.24,
}  # fmt: skip
RELEASE: dict[str, Any] = {
    "reconciliationId": 237, "channelName": "CHANNEL_NAME", "accountId": 19055, "marketplaceCode": CODE,
    "status": "CONCLUDED", "releasedDate": "2026-11-05T12:00:00-03:00", "releaseType": "IN_CASH", "installment": 1,
    "installmentQuantity": 1, "releases": ENTRIES,
}  # fmt: skip


class Extract(BaseModel):
    """An extract, as a pydantic model."""

    marketplaceCode: str
    type: Literal["SALE", "COMISSION", "SHIP"]
    value: float
    expectedDate: AwareDatetime | None = None


class Order(BaseModel):
    """An order, as a pydantic model."""

    marketplaceCode: str = Field(min_length=1)
    channelName: str
    accountId: int | str
    status: Literal["INVOICED", "PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED"]
    createdDate: AwareDatetime | None = None
    approvedDate: AwareDatetime | None = None
    sendDate: AwareDatetime | None = None
    estimatedDeliveryDate: AwareDatetime | None = None
    deliveryDate: AwareDatetime | None = None
    cancelDate: AwareDatetime | None = None
    totalGrossValue: float | None = None
    extracts: list[Extract] = Field(min_length=1)


def microseconds(action: Callable[[], object]) -> float:
    """What one call takes."""
    start = time.process_time()
    for _ in range(CALLS):
        action()
    return (time.process_time() - start) / CALLS * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    document = load()
    schema = {"$ref": "#/components/schemas/Order", "components": document["components"]}
    plain, fast, model = (
        jsonschema.Draft202012Validator(schema),
        jsonschema_rs.validator_for(schema),
        TypeAdapter(Order),
    )
    text = json.dumps(ORDER)
    ways: dict[str, Callable[[], object]] = {
        "check_order": lambda: check_order(ORDER),
        "check_order of the text": lambda: check_order(text),
        "check_reconciliation": lambda: check_reconciliation(RECONCILIATION),
        "check_release": lambda: check_release(RELEASE),
        "check_release with order, reconciliation": lambda: check_release(
            RELEASE, order=ORDER, reconciliation=RECONCILIATION
        ),
        "order: jsonschema-rs": lambda: fast.is_valid(ORDER),
        "order: pydantic": lambda: model.validate_python(ORDER),
        "order: jsonschema": lambda: plain.is_valid(ORDER),
    }
    assert not any((check_order(ORDER), check_reconciliation(RECONCILIATION), check_release(RELEASE)))
    assert plain.is_valid(ORDER)
    assert fast.is_valid(ORDER)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(parser.parse_args().rounds):
        for name in ways if number % 2 else reversed(ways):
            found[name].append(microseconds(ways[name]))
    for name, times in found.items():
        print(f"{name:42} {statistics.median(times):8.1f} µs")


if __name__ == "__main__":
    main()
