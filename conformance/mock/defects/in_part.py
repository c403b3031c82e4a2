"""A rule is enforced on one endpoint, in one field or at one position only."""

from __future__ import annotations

import re
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.defects.parts import (
    CREATE,
    DELETE,
    QUERY,
    RELEASE,
    SUBMIT,
    overlooked,
    overlooked_on,
)
from conformance.mock.quirks import Defect

_LOOKUPS: Final = (QUERY, DELETE)
_BATCHES: Final = (CREATE, RELEASE)


def _field(rule_id: str, field: str) -> Defect:
    """Overlooks a breach of the rule in one field."""
    return overlooked(
        f"{rule_id.lower()}-not-{field.lower()}",
        f"Does not enforce {rule_id} for {field}.",
        rule_id,
        lambda breach, _: breach.field.rpartition(".")[2] == field,
    )


def _position(breach: Breach) -> int:
    found = re.search(r"\[(\d+)\]", breach.field)
    return int(found[1]) if found else 0


def _is_last(breach: Breach, request: Request) -> bool:
    items = request.fields.get("extracts") or request.fields.get("releases") or []
    return isinstance(items, list) and _position(breach) == len(items) - 1


def _first_only(rule_id: str, what: str) -> Defect:
    return overlooked(
        f"{rule_id.lower()}-first-{what}-only",
        f"Enforces {rule_id} in the first {what} only.",
        rule_id,
        lambda breach, _: "[" in breach.field and _position(breach) > 0,
    )


_FEW: Final = 9


def _first_few_only(rule_id: str, what: str) -> Defect:
    return overlooked(
        f"{rule_id.lower()}-first-nine-only",
        f"Enforces {rule_id} in the first nine {what} only.",
        rule_id,
        lambda breach, _: "[" in breach.field and _position(breach) >= _FEW,
    )


def _last_only(rule_id: str, what: str) -> Defect:
    return overlooked(
        f"{rule_id.lower()}-last-{what}-only",
        f"Enforces {rule_id} in the last {what} only.",
        rule_id,
        lambda breach, request: "[" in breach.field and not _is_last(breach, request),
    )


def _says(rule_id: str, name: str, words: str) -> Defect:
    """Overlooks the breaches of which the message holds these words."""
    return overlooked(
        f"{rule_id.lower()}-{name}", f"Does not see: {words}.", rule_id, lambda breach, _: words in breach.message
    )


IN_PART: Final = (
    *(
        overlooked_on(rule_id, endpoint)
        for rule_id in ("ACC-02", "ACC-04", "ACC-06", "AUTH-03")
        for endpoint in _LOOKUPS
    ),
    *(
        overlooked_on(rule_id, endpoint)
        for rule_id in ("ACC-02", "ACC-04", "ACC-06", "AUTH-03")
        for endpoint in _BATCHES
    ),
    *(overlooked_on("AUTH-08", endpoint) for endpoint in (*_LOOKUPS, *_BATCHES)),
    *(overlooked_on("AUTH-04", endpoint) for endpoint in (SUBMIT, DELETE, CREATE, Endpoint.LIST_ACCOUNTS)),
    *(overlooked_on(rule_id, endpoint) for rule_id in ("ACC-03", "ACC-05") for endpoint in (*_LOOKUPS, *_BATCHES)),
    overlooked_on("AUTH-03", Endpoint.LIST_ACCOUNTS),
    # orders
    _field("ORD-03", "sendDate"),
    _field("ORD-03", "estimatedDeliveryDate"),
    *(_field("ORD-04", name) for name in ("sendDate", "estimatedDeliveryDate", "deliveryDate")),
    overlooked(
        "ord-07-one-status-only",
        "Looks at the order of dates of CONCLUDED orders only.",
        "ORD-07",
        lambda _, request: b"CONCLUDED" not in request.body,
    ),
    overlooked(
        "ord-07-canceled-by-cancel-date-only",
        "Looks at no other dates of CANCELED orders than createdDate and cancelDate.",
        "ORD-07",
        lambda breach, request: b"CANCELED" in request.body and "cancelDate" not in breach.message,
    ),
    _says("ORD-07", "neighbours-only", "createdDate is later than sendDate"),
    _says("ORD-07", "not-created-approved", "createdDate is later than approvedDate"),
    _says("ORD-07", "not-created-canceled", "createdDate is later than cancelDate"),
    _says("ORD-07", "not-send-delivery", "sendDate is later than deliveryDate"),
    _says("ORD-07", "not-send-estimated", "sendDate is later than estimatedDeliveryDate"),
    _field("ORD-08", "expectedDate"),
    _field("ORD-08", "cancelDate"),
    _first_only("ORD-09", "extract"),
    _first_only("ORD-10", "extract"),
    _last_only("ORD-10", "extract"),
    _first_only("ORD-11", "extract"),
    _last_only("ORD-11", "extract"),
    *(_first_few_only(rule_id, "extracts") for rule_id in ("ORD-09", "ORD-10", "ORD-11")),
    _says("ORD-10", "sale-only", "contradicts COMISSION"),
    _field("ORD-12", "channelName"),
    _field("ORD-12", "value"),
    *(
        _field("ORD-13", name)
        for name in ("accountId", "status", "totalGrossValue", "percentage", "extracts", "sendDate")
    ),
    _says("ORD-14", "null-and-arrays", "not a JSON object"),
    # reconciliations and releases
    *(_field("REC-08", name) for name in ("periodEndDate", "accountId", "releasesQtd", "totalNetValue")),
    *(_field("REL-17", name) for name in ("releasedDate", "createdDate", "installment", "releases")),
    _first_only("REL-10", "entry"),
    _last_only("REL-10", "entry"),
    overlooked(
        "rel-10-entries-only", "Looks at no entry's marketplaceCode.", "REL-10", lambda breach, _: "[" in breach.field
    ),
    _first_only("REL-05", "entry"),
    _first_only("REL-06", "entry"),
    _says("REL-06", "sale-only", "contradicts COMISSION"),
)
