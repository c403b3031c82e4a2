"""In what an order that is shown differs from the one that was sent, in words that name the field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from conformance.engine.same_order import altered_fields, differences


def order(*extracts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "marketplaceCode": "A",
        "accountId": 19055,
        "status": "INVOICED",
        "createdDate": "2025-05-09T12:00:00.700Z",
        "totalGrossValue": Decimal("203.63"),
        "extracts": list(extracts),
        **changes,
    }


def extract(value: str = "203.63", expected: str | None = None, type_: str = "SALE") -> dict[str, Any]:
    return {"marketplaceCode": "A", "type": type_, "value": Decimal(value), "expectedDate": expected}


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "money with dust": (order(extract()), order(extract("203.62999999999999545"), totalGrossValue=Decimal("203.630"))),
    "a date that is cut": (order(), order(createdDate="2025-05-09T12:00Z")),
    "a date that is rounded, elsewhere": (order(), order(createdDate="2025-05-09T09:00:01-03")),
    "accountId as text": (order(), order(accountId="19055")),
    "another sequence": (order(extract("1"), extract("2")), order(extract("2"), extract("1"))),
    "dates that are rounded, in another sequence": (
        order(extract("1", "2025-05-09T12:00:10.600Z"), extract("1", "2025-05-09T12:00:09.700Z")),
        order(extract("1", "2025-05-09T12:00:10Z"), extract("1", "2025-05-09T12:00:11Z")),
    ),
    "null left out": (order(extract()), order({"marketplaceCode": "A", "type": "SALE", "value": Decimal("203.63")})),
    "a percentage from a binary float": (
        order({**extract(), "percentage": Decimal("12.3")}),
        order({**extract(), "percentage": Decimal("12.300000000000001")}),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_these_are_the_same_order(name: str) -> None:
    sent, shown = SAME[name]
    assert differences(sent, shown) == []


OTHER: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a date a second off": (
        order(), order(createdDate="2025-05-09T12:00:02Z"),
        ['createdDate was sent as "2025-05-09T12:00:00.700Z" and shown as "2025-05-09T12:00:02Z", later by 1.3 s'],
    ),
    "a cent": (
        order(), order(totalGrossValue=Decimal("203.64")),
        ["totalGrossValue was sent as 203.63 and shown as 203.64, more by 0.01"],
    ),
    "much money": (order(), order(totalGrossValue=Decimal("0")), ["totalGrossValue was sent as 203.63 and shown as 0"]),
    "a date hours off": (
        order(createdDate="2025-05-09T12:00:00Z"), order(createdDate="2025-05-09T12:00:00-03:00"),
        ['createdDate was sent as "2025-05-09T12:00:00Z" and shown as "2025-05-09T12:00:00-03:00", later by 3 h'],
    ),
    "a date without an offset": (
        order(createdDate="2025-05-09T09:00:00-03:00"), order(createdDate="2025-05-09T12:00:00"),
        ['createdDate was sent as "2025-05-09T09:00:00-03:00" and shown as "2025-05-09T12:00:00" '
         "(its offset is missing: write 2025-05-09T09:00:00-03:00)"],
    ),
    "a date that is none": (
        order(createdDate="2025-05-09T12:00:00Z"), order(createdDate=1746792000),
        ['createdDate was sent as "2025-05-09T12:00:00Z" and shown as 1746792000 '
         "(that is no instant: write 2025-05-09T12:00:00Z)"],
    ),
    "a field of an extract": (
        order(extract("2718.36", "2025-06-05T12:00:00Z"), extract("-5", type_="SHIP")),
        order(extract("-5", type_="SHIP"), extract("2718.36", "2025-06-06T12:00:00Z")),
        ['extracts[0].expectedDate was sent as "2025-06-05T12:00:00Z" and shown as "2025-06-06T12:00:00Z", later by 24 h'],
    ),
    "an extract less": (order(extract("1"), extract("2")), order(extract("1")), ["extracts[1] (SALE 2) was not shown"]),
    "an extract twice": (
        order(extract("1")), order(extract("1"), extract("1")), ["an extract was shown that was not sent: SALE 1"],
    ),
    "text for a number": (
        order(), order(totalGrossValue="203.63"), ['totalGrossValue was sent as 203.63 and shown as "203.63"'],
    ),
    "nothing": (order(), order(status=None), ['status was sent as "INVOICED" and shown as nothing']),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_what_differs_is_named(name: str) -> None:
    sent, shown, words = OTHER[name]
    assert differences(sent, shown) == words


DATES = {"createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate"}

ALTERED: dict[str, tuple[dict[str, Any], dict[str, Any], set[str]]] = {
    "nothing": (order(extract()), order(extract()), set()),
    "a total": (order(), order(totalGrossValue=Decimal("203.60")), {"totalGrossValue"}),
    "a date stands for all of the order": (order(), order(createdDate="2025-05-09T00:00:00Z"), DATES),
    "a date of one extract": (
        order(extract("1", "2025-06-05T12:00:00Z"), extract("2")),
        order(extract("2"), extract("1", "2025-06-05T00:00:00Z")),
        {"expectedDate"},
    ),
    "its status and its total": (order(), order(status="SENT", totalGrossValue=Decimal("1")), {"status", "totalGrossValue"}),
    "so much that it is another order": (
        order(extract()), order(extract("1"), status="SENT", totalGrossValue=Decimal("1")), set(),
    ),
    "its code": (order(), order(marketplaceCode="B"), set()),
    "its code, and its total": (order(), order(marketplaceCode="B", totalGrossValue=Decimal("1")), set()),
    "an extract that is lost": (order(extract(), extract("1")), order(extract()), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_the_fields_are_known_that_alone_are_shown_otherwise(name: str) -> None:
    sent, shown, fields = ALTERED[name]
    assert altered_fields(sent, shown) == fields
    assert not fields or differences(sent, shown, fields) == []
