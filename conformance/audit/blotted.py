"""Bodies of which a recorder has blotted something out: what was sent there nobody knows."""

from __future__ import annotations

from typing import Final

from conformance.audit.masks import stands_instead
from conformance.contract.jsontext import JSONValue
from conformance.contract.order_rules import ORDER_FIELDS

_FIELDS: Final = ORDER_FIELDS | {
    "type", "value", "expectedDate", "percentage", "periodInitDate", "periodEndDate", "releasesQtd", "totalNetValue",
    "reconciliationId", "releasedDate", "releaseType", "installment", "installmentQuantity", "releases",
}  # fmt: skip
"""The documented ones of orders, reconciliations and releases. What stands in others is nobody's business here."""


def holds_a_mask(content: JSONValue) -> bool:
    """Whether it is one, names one as all that it has, or has one in a documented field, however deep."""
    if isinstance(content, dict) and len(content) == 1 and stands_instead(next(iter(content))):
        return True
    waiting: list[JSONValue] = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if stands_instead(value):
                return True
        elif isinstance(value, dict):
            waiting += [one for name, one in value.items() if name in _FIELDS and isinstance(one, _MAY_HOLD)]
        elif isinstance(value, list):
            waiting += [one for one in value if isinstance(one, _MAY_HOLD)]
    return False


_MAY_HOLD: Final = (str, dict, list)
