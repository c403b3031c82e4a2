"""Our OpenAPI document as Schemathesis gets it: narrowed, so that what it generates can be accepted.

Left as it is, the document lets nearly every generated call fail for a reason that no schema names (an account that does not
exist, an extract whose code is not its order's, dates out of order), and what is wrong behind that refusal stays hidden. So
the requests are narrowed to what the mock accepts; the answers are judged by the document as it stands.

- Accounts, channels and codes are those that exist. Each account has its use, since what is done to one hides what could be
  seen on it: on HOME orders are submitted, asked for and deleted, on WAITING orders and an open reconciliation wait for
  releases (`orders_beforehand`, `reconciliation_beforehand`), on FREE and HOME a reconciliation may be opened.
- Each date has a month of its own, so that any two are in order.
- The integrator, in our document a part of security, is a header parameter: else it is never sent wrong beside a right token.
  Not so where only faults are sent (`NEGATIVE_ONLY`): there it would be wrong in every call, and hide the fault of the body.
- A choice of types is a choice of schemas: beside two types Schemathesis overlooks a format and half the wrong values.
- What need not be given may be null, which no document forbids.
- Links lead from what makes a token or an order to what uses it; the examples are orders that are accepted as they stand.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from conformance.contract.credentials import encode_credentials
from conformance.contract.openapi import JSON, METHODS, load
from conformance.mock.koncili import FIRST_ID
from conformance.mock.world import EMAIL, ENABLED, INTEGRATOR, PASSWORD, Account

Node = dict[str, Any]

HOME, WAITING, FREE = ENABLED

CODE: Final = "701-2798273-4005859"
"""The order that S2 prints; on HOME it is submitted, asked for and deleted over and over."""

WAITING_CODES: Final = ("701-2798273-4005860", "701-2798273-4005861")
"""The same order under codes of its own, waiting for release. One is spent by the coverage phase, the other by fuzzing."""

ENTRIES: Final = (("SaleRelease", 203.63), ("CommissionRelease", -24.44), ("ShipRelease", -27.95))
"""What S2 prints of its release: the schema of each entry, and its value."""

NEGATIVE_ONLY: Final = ("createReconciliation", "submitRelease")
"""Of which the coverage phase sends faults alone; schemathesis.toml says why, and sends their integrator."""

MONTHS: Final = {
    "createdDate": "01",
    "approvedDate": "02",
    "sendDate": "03",
    "estimatedDeliveryDate": "04",
    "deliveryDate": "04",
    "cancelDate": "05",
}

STATUSES: Final = {
    "InvoicedOrder": "INVOICED",
    "PaidWaitingDeliveryOrder": "PAID_WAITING_DELIVERY",
    "ConcludedOrder": "CONCLUDED",
    "CanceledOrder": "CANCELED",
}


def prepared() -> Node:
    """The document, narrowed and with links and examples."""
    document = deepcopy(load())
    del document["webhooks"]  # what Koncili sends: there is nothing to call
    schemas = document["components"]["schemas"]
    _narrow_tokens(schemas)
    _narrow_orders(schemas)
    _narrow_batches(schemas)
    _narrow_lookups(document["components"]["parameters"])
    _declare_integrator(document)
    _link(document)
    _give_examples(document)
    return document


def orders_beforehand() -> list[Node]:
    """The orders that wait for their release."""
    return [_order(WAITING, code, "CONCLUDED") for code in WAITING_CODES]


def reconciliation_beforehand() -> Node:
    """The reconciliation that waits for them; the mock gives its first one FIRST_ID."""
    announced = len(WAITING_CODES) * len(ENTRIES)
    return {**_printed("PrintedReconciliation"), **_place(WAITING), "releasesQtd": announced}


# -- narrowing -----------------------------------------------------------------------------------------------------


def _const(value: object, **keywords: object) -> Node:
    return {**keywords, "const": value}


def _code(code: str) -> Node:
    return _const(code, type="string", minLength=1)


def _account(account: Account) -> Node:
    return {
        "channelName": _const(account.channel, type="string"),
        "accountId": {"anyOf": [_const(account.id, type="integer"), _const(str(account.id), type="string")]},
    }


def _date(pattern: str) -> Node:
    return {"type": "string", "format": "date-time", "pattern": f"^{pattern}$"}


def _month(month: str, *, nullable: bool) -> Node:
    date = _date(f"2025-{month}-(0[1-9]|1[0-9]|2[0-8])T12:00:00Z")
    return {"anyOf": [date, {"type": "null"}]} if nullable else date


def _narrow_tokens(schemas: Node) -> None:
    schemas["TokenRequest"]["properties"]["credentials"] = _const(encode_credentials(EMAIL, PASSWORD), type="string")


def _narrow_orders(schemas: Node) -> None:
    for name in STATUSES:
        properties = schemas[name]["properties"]
        properties |= {**_account(HOME), "marketplaceCode": _code(CODE)}
        _nullable(schemas[name], "totalGrossValue")
        for date, month in MONTHS.items():
            properties[date] = _month(month, nullable=date not in schemas[name]["required"])
    for name in ("SaleExtract", "CommissionExtract", "ShipExtract"):
        schemas[name]["properties"] |= {"marketplaceCode": _code(CODE), "expectedDate": _month("06", nullable=True)}


def _narrow_batches(schemas: Node) -> None:
    _nullable(schemas["Reconciliation"], "totalNetValue")
    _nullable(schemas["Release"], "status", "installment", "installmentQuantity")
    creations = [_creation(schemas["Reconciliation"], account) for account in (FREE, HOME)]
    releases = [_release(schemas, code) for code in WAITING_CODES]
    schemas["Reconciliation"], schemas["Release"] = {"oneOf": creations}, {"oneOf": releases}


def _nullable(schema: Node, *names: str) -> None:
    for name in names:
        schema["properties"][name] = {"anyOf": [schema["properties"][name], {"type": "null"}]}


def _having(schema: Node, **properties: Node) -> Node:
    return {**deepcopy(schema), "properties": {**schema["properties"], **properties}}


def _creation(schema: Node, account: Account) -> Node:
    init, end = _date("2024-02-1[0-3]T01:00:01Z"), _date("2024-02-1[5-9]T01:00:01Z")
    return _having(schema, **_account(account), periodInitDate=init, periodEndDate=end)


def _release(schemas: Node, code: str) -> Node:
    entries = [
        _having(schemas[name], marketplaceCode=_code(code), value=_const(value, **schemas[name]["properties"]["value"]))
        for name, value in ENTRIES
    ]
    return _having(
        schemas["Release"],
        **_account(WAITING),
        marketplaceCode=_code(code),
        reconciliationId=_const(FIRST_ID, type="integer"),
        createdDate=_month("01", nullable=True),
        releasedDate=_date("2024-02-14T1[0-9]:13:13Z"),
        releases={"type": "array", "minItems": len(entries), "maxItems": len(entries), "prefixItems": entries},
    )


def _narrow_lookups(parameters: Node) -> None:
    # An account travels as text here, so that its number says all.
    schemas = {**_account(HOME), "marketplaceCode": _code(CODE), "accountId": {"type": "integer", "enum": [HOME.id]}}
    for parameter in parameters.values():
        schema = schemas[parameter["name"]]
        parameter |= {"schema": schema, "example": schema.get("const", HOME.id)}


def _declare_integrator(document: Node) -> None:
    del document["components"]["securitySchemes"]["integrator"]
    document["security"] = [{"gumgaToken": []}]
    header = {
        "name": "integrator",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "example": INTEGRATOR,
    }
    for name, operation in _operations(document).items():
        if operation.get("security") != [] and name not in NEGATIVE_ONLY:
            operation["parameters"] = [*operation.get("parameters", ()), header]


def _operations(document: Node) -> dict[str, Node]:
    operations = (item[method] for item in document["paths"].values() for method in METHODS if method in item)
    return {operation["operationId"]: operation for operation in operations}


# -- links and examples --------------------------------------------------------------------------------------------


def _link(document: Node) -> None:
    order = {name: f"$request.body#/{name}" for name in ("marketplaceCode", "channelName", "accountId")}
    refresh = {"operationId": "refreshToken", "requestBody": {"refreshToken": "$response.body#/refreshToken"}}
    document["components"]["responses"]["Tokens"]["links"] = {"refresh": refresh}
    _operations(document)["submitOrder"]["responses"]["200"]["links"] = {
        "ask": {"operationId": "getOrder", "parameters": order},
        "delete": {"operationId": "deleteOrder", "parameters": order},
    }


def _give_examples(document: Node) -> None:
    operations = _operations(document)
    orders = {status: {"value": _order(HOME, CODE, status)} for status in STATUSES.values()}
    operations["submitOrder"]["requestBody"]["content"][JSON]["examples"] = orders
    for name in NEGATIVE_ONLY:  # the printed ones are not of what exists
        del operations[name]["requestBody"]["content"][JSON]["examples"]


def _printed(name: str) -> Node:
    value: Node = deepcopy(load()["components"]["examples"][name]["value"])
    return value


def _place(account: Account) -> Node:
    return {"channelName": account.channel, "accountId": account.id}


def _order(account: Account, code: str, status: str) -> Node:
    dates: Node = {name: f"2025-{month}-09T12:00:00Z" for name, month in MONTHS.items()}
    if status != "CANCELED":
        dates["cancelDate"] = None
    printed = _printed("PrintedOrder")
    extracts = [{**extract, "marketplaceCode": code} for extract in printed["extracts"]]
    return {**printed, **_place(account), **dates, "marketplaceCode": code, "status": status, "extracts": extracts}
