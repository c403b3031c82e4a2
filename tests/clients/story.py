"""What a generated client tells the mock: an order, its reconciliation, its release, and orders that show what it loses."""

from __future__ import annotations

from typing import Any, Final

import httpx

from conformance.testing.mock import KonciliMock

CHANNEL: Final = "CHANNEL_NAME"
ACCOUNT: Final = 19055

ENTRIES: Final = (("SALE", 203.63), ("COMISSION", -24.44), ("SHIP", -27.95))
"""The amounts of S2's example: the client reads them from JSON, as doubles."""

UNKNOWN: Final = "buyerNote"
NANOSECONDS: Final = "123456789"


def order(code: str, **changes: Any) -> dict[str, Any]:
    """A concluded order. Its instants are in two offsets, with milliseconds and without."""
    return {
        "marketplaceCode": code,
        "channelName": CHANNEL,
        "accountId": ACCOUNT,
        "status": "CONCLUDED",
        "createdDate": "2025-05-09T09:00:00-03:00",
        "approvedDate": "2025-05-09T12:00:00.123Z",
        "sendDate": "2025-05-09T12:30:00Z",
        "estimatedDeliveryDate": "2025-05-15T12:00:00Z",
        "deliveryDate": "2025-05-15T12:00:00Z",
        "cancelDate": None,
        "totalGrossValue": 203.63,
        "extracts": [{"marketplaceCode": code, "type": kind, "value": value} for kind, value in ENTRIES],
        **changes,
    }


def story(mock: KonciliMock) -> dict[str, Any]:
    """What the programs read. The order `other` has been sent already, by somebody who loses nothing."""
    code = "701-2798273-4005859"
    odd = {UNKNOWN: "ring twice", "sendDate": f"2025-05-09T12:30:00.{NANOSECONDS}Z"}
    tale = {
        "baseUrl": mock.base_url,
        "credentials": mock.credentials.encoded,
        "integrator": mock.integrator,
        "order": order(code),
        "odd": order("701-0000000-0000001", **odd),
        "other": order("701-0000000-0000002", **odd),
        "naive": order("701-0000000-0000003"),
        "reconciliation": {
            "channelName": CHANNEL,
            "accountId": ACCOUNT,
            "periodInitDate": "2025-06-01T00:00:00Z",
            "periodEndDate": "2025-06-30T00:00:00-03:00",
            "releasesQtd": len(ENTRIES),
            "totalNetValue": 151.24,
        },
        "release": {
            "channelName": CHANNEL,
            "accountId": ACCOUNT,
            "marketplaceCode": code,
            "status": "CONCLUDED",
            "createdDate": "2025-05-09T12:00:00Z",
            "releasedDate": "2025-06-05T12:00:00Z",
            "releaseType": "IN_CASH",
            "installment": 1,
            "installmentQuantity": 1,
            "releases": [{"marketplaceCode": code, "type": kind, "value": value} for kind, value in ENTRIES],
        },
    }
    _send(mock, tale["other"])
    return tale


def _send(mock: KonciliMock, body: Any) -> None:
    with httpx.Client(base_url=mock.base_url, headers={"integrator": mock.integrator}) as client:
        tokens = client.post("/public/api/auth/token", json={"credentials": mock.credentials.encoded}).json()
        client.headers["gumgaToken"] = tokens["accessToken"]
        client.post("/order", json=body).raise_for_status()
