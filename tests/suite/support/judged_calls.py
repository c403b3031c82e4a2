"""Calls with one thing changed, and which rules the judge sees broken."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT
from tests.suite.support.properties import HOME, Bench, rules_of

CODE: Final = "701-2798273-4005859"

Order = dict[str, Any]


def extract(**changes: object) -> Order:
    """A lawful SALE of this order, changed."""
    return changed({"marketplaceCode": CODE, "type": "SALE", "value": Decimal("203.63")}, changes)


def order(**changes: object) -> Order:
    """A lawful order with a full chain of dates, changed."""
    lawful = {
        "marketplaceCode": CODE,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "status": "CONCLUDED",
        "createdDate": "2025-05-09T12:00:00Z",
        "approvedDate": "2025-05-10T12:00:00Z",
        "sendDate": "2025-05-11T12:00:00Z",
        "estimatedDeliveryDate": "2025-05-15T12:00:00Z",
        "deliveryDate": "2025-05-14T12:00:00Z",
        "cancelDate": None,
        "totalGrossValue": Decimal("203.63"),
        "extracts": [extract()],
    }
    return changed(lawful, changes)


def changed(fields: Order, changes: Mapping[str, object]) -> Order:
    """The fields with these changes; what is LEFT_OUT goes."""
    return {name: value for name, value in {**fields, **changes}.items() if value is not LEFT_OUT}


def submission(bench: Bench, body: bytes, **headers: str) -> Request:
    """POST /order with lawful headers but for those given by their lower-case name; an empty one is left out."""
    access, _ = bench.koncili.world.issue_tokens()
    lawful = {TOKEN_HEADER.lower(): access, INTEGRATOR_HEADER: world.INTEGRATOR}
    return Request(
        "POST", "/order", headers={name: value for name, value in (lawful | headers).items() if value}, body=body
    )


def judged(bench: Bench, request: Request) -> list[str]:
    """The rules that a request breaks."""
    return rules_of(judge(request, bench.koncili.world, bench.koncili.readings))


def breaches_of(body: Order, readings: Mapping[str, str] | None = None) -> list[Breach]:
    """What the judge says of a submission."""
    bench = Bench(Koncili(readings=readings))
    return judge(submission(bench, dumps(body).encode()), bench.koncili.world, bench.koncili.readings)


def broken(body: Order, readings: Mapping[str, str] | None = None) -> list[str]:
    """The rules that a submission breaks."""
    return rules_of(breaches_of(body, readings))


def lookup(bench: Bench, endpoint: Endpoint, code: str) -> Request:
    """GET or DELETE /order for an order of the first account."""
    access, _ = bench.koncili.world.issue_tokens()
    query = {"marketplaceCode": code, "channelName": HOME.channel, "accountId": str(HOME.account)}
    headers = {TOKEN_HEADER.lower(): access, INTEGRATOR_HEADER: world.INTEGRATOR}
    return Request(endpoint.method, endpoint.path, query, headers)
