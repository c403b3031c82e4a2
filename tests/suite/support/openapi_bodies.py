"""Bodies that the documents print, and what is changed in them to see what the OpenAPI document says of it."""

from __future__ import annotations

import copy
from typing import Any

from conformance.contract import openapi

OPERATIONS = {
    "createToken": ("post", "/public/api/auth/token"),
    "refreshToken": ("post", "/public/api/auth/refresh-token"),
    "listAccounts": ("get", "/my-accounts"),
    "submitOrder": ("post", "/order"),
    "getOrder": ("get", "/order"),
    "deleteOrder": ("delete", "/order"),
    "createReconciliation": ("post", "/reconciliation"),
    "submitRelease": ("post", "/reconciliation/release"),
}

PRINTED = {
    "submitOrder": "PrintedOrder",
    "createReconciliation": "PrintedReconciliation",
    "submitRelease": "PrintedRelease",
}

WEBHOOKS = {
    "testNotification": "TEST_NOTIFICATION",
    "accountCreated": "ACCOUNT_CREATED",
    "reconciliationCompleted": "RECONCILIATION_COMPLETED",
    "blockedTemporary": "BLOCKED_TEMPORARY",
    "blockedPermanent": "BLOCKED_PERMANENT",
}

MANDATORY_DATES = {
    "INVOICED": (),
    "PAID_WAITING_DELIVERY": ("sendDate", "estimatedDeliveryDate"),
    "CONCLUDED": ("sendDate", "estimatedDeliveryDate", "deliveryDate"),
    "CANCELED": ("cancelDate",),
}

DATES = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate")

Path = tuple[str | int, ...]

LEFT_OUT = object()
"""The value of a change that takes a field away."""


def printed(name: str) -> dict[str, Any]:
    """Give the request that S2 prints for an operation, which a test may change."""
    body: dict[str, Any] = copy.deepcopy(openapi.load()["components"]["examples"][PRINTED[name]]["value"])
    return body


def printed_order() -> dict[str, Any]:
    """Give S2's order, which a test may change."""
    return printed("submitOrder")


def changed(body: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """Give a copy of a body that differs in one place."""
    whole = copy.deepcopy(body)
    *outer, last = path
    node: Any = whole
    for step in outer:
        node = node[step]
    if value is LEFT_OUT:
        del node[last]
    else:
        node[last] = value
    return whole


SALE, COMMISSION, SHIP = range(3)

BAD_DATES = {
    "a word": "yesterday",
    "empty": "",
    "no time": "2025-05-09",
    "no offset": "2025-05-09T12:00:00",
    "no such day": "2025-02-30T12:00:00Z",
    "a number": 1746792000,
}

NO_OBJECTS: dict[str, object] = {"empty list": [], "string": "order", "number": 1, "null": None, "boolean": True}

ERROR = {"errorMessage": "Channel invalid_channel not found", "errorCode": "404-2"}
