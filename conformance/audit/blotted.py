"""Bodies of which a recorder has blotted something out: what was sent there nobody knows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from conformance.audit.masks import stands_instead
from conformance.contract.jsontext import JSONValue, NotJSON, loads
from conformance.contract.order_rules import ORDER_FIELDS
from conformance.traffic.exchange import NOT_RECORDED, Exchange

_MAY_STAND_INSTEAD: Final = re.compile(
    rb"(?i)\"[^\w\"]{0,4}(?:\*|\\u20|\xe2\x80|\xe2\x96|x{3}|redact|mask|hidden|filter|secret|remov|omit|strip|scrub|sanit|anonym|censor|confid"
    rb"|sensit|privat|ocult|mascar|sha|md5|hmac)|\*\*|(?:\\u2022|\xe2\x80\xa2){2}"
)
"""What most bodies do not hold."""

_FIELDS: Final = ORDER_FIELDS | {
    "type", "value", "expectedDate", "percentage", "periodInitDate", "periodEndDate", "releasesQtd", "totalNetValue",
    "reconciliationId", "releasedDate", "releaseType", "installment", "installmentQuantity", "releases",
}  # fmt: skip
"""The documented ones of orders, reconciliations and releases. What stands in others is nobody's business here."""


def as_known(exchange: Exchange) -> Exchange:
    """The exchange with its method as everybody writes it, and without a body that a recorder has altered."""
    request = exchange.request
    method = request.method.upper()
    body = request.body
    if isinstance(body, bytes) and _MAY_STAND_INSTEAD.search(body) and _is_blotted(body):
        body = NOT_RECORDED
    if method == request.method and body is request.body:
        return exchange
    return replace(exchange, request=replace(request, method=method, body=body))


def _is_blotted(body: bytes) -> bool:
    try:
        return _holds_a_mask(loads(body))
    except NotJSON:
        return False


def _holds_a_mask(value: JSONValue) -> bool:
    """Whether it is one, names one as all that it has, or has one in a documented field, however deep."""
    match value:
        case str():
            return stands_instead(value)
        case list():
            return any(_holds_a_mask(one) for one in value)
        case dict():
            return (len(value) == 1 and stands_instead(next(iter(value)))) or any(
                name in _FIELDS and _holds_a_mask(one) for name, one in value.items()
            )
        case _:
            return False
