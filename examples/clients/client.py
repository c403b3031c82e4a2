"""A small client of Koncili in Python that pays each order once, also where answers are lost. Needs httpx and simplejson."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import httpx
import simplejson

TRIES = 5


class Refused(Exception):
    """Koncili does not take a call as it is."""


class Lost(Exception):
    """No usable answer came: nobody knows what became of the call."""


class Koncili:
    """Calls of one integrator."""

    def __init__(self, base_url: str, email: str, password: str, integrator: str, *, timeout: float = 2.0) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=timeout, headers={"integrator": integrator})
        self.pair = base64.b64encode(f"{email}:{password}".encode()).decode()

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Send a call, once; what it answers. Raises Refused, Lost."""
        if "gumgaToken" not in self.http.headers and not path.startswith("/public"):
            tokens = self.call("POST", "/public/api/auth/token", {"credentials": self.pair})
            self.http.headers["gumgaToken"] = tokens["accessToken"]
        content = simplejson.dumps(body, use_decimal=True).encode() if body is not None else None
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            answer = self.http.request(method, path, content=content, params=query, headers=headers)
        except httpx.TransportError as error:
            raise Lost(f"{method} {path}: {error}") from None
        if answer.status_code >= 500:
            raise Lost(f"{method} {path}: {answer.status_code}")
        if answer.status_code >= 400:
            raise Refused(answer.text)
        return simplejson.loads(answer.text, use_decimal=True) if answer.content else None

    def order(self, order: dict[str, Any]) -> Any:
        """What Koncili has of an order, None where it has none."""
        named = {name: str(order[name]) for name in ("marketplaceCode", "channelName", "accountId")}
        for _ in range(TRIES):
            try:
                return self.call("GET", "/order", **named)
            except Refused:
                return None
            except Lost:
                continue
        raise Lost("GET /order")

    def submit(self, order: dict[str, Any]) -> None:
        """Send an order until it is there. The same order sent twice is one order. Raises Refused, Lost."""
        for _ in range(TRIES):
            try:
                self.call("POST", "/order", order)
            except Lost:
                if self.order(order) is None:
                    continue
            return
        raise Lost("POST /order")

    def release(self, order: dict[str, Any], number: int, released: str) -> None:
        """Release an order once. Where the answer is lost Koncili is asked before it is sent again. Raises Refused, Lost."""
        body = {
            "reconciliationId": number, "releasedDate": released, "releaseType": "IN_CASH", "installment": 1,
            "installmentQuantity": 1, "releases": order["extracts"],
            **{name: order[name] for name in ("channelName", "accountId", "marketplaceCode", "status", "createdDate")},
        }  # fmt: skip
        in_doubt = False
        for _ in range(TRIES):
            try:
                self.call("POST", "/reconciliation/release", body)
            except Lost:
                self.order(order)
                in_doubt = True
                continue
            except Refused:
                if not in_doubt:
                    raise  # else it is there already: the lost one was carried out
            return
        raise Lost("POST /reconciliation/release")

    def settle(self, orders: Sequence[dict[str, Any]], begin: str, end: str) -> int:
        """Send orders of one account, open a reconciliation from `begin` to `end`, release them all; its id."""
        for order in orders:
            self.submit(order)
        opened = self.call("POST", "/reconciliation", {
            "channelName": orders[0]["channelName"], "accountId": orders[0]["accountId"], "periodInitDate": begin,
            "periodEndDate": end, "releasesQtd": sum(len(order["extracts"]) for order in orders),
            "totalNetValue": sum(entry["value"] for order in orders for entry in order["extracts"]),
        })  # fmt: skip
        for order in orders:
            self.release(order, opened["id"], begin)
        return int(opened["id"])
