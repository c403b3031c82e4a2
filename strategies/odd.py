"""Input that nobody documented: it may be refused or accepted, but must not bring a server down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies.calls import LEFT_OUT, Call, Edit, calls
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.scope import Scope

TEXTS: Final = st.one_of(
    st.sampled_from(
        [
            "\x00", "\ud800", "\udfff\ud800", "\u202e\u200b\ufeff", "🚚" * 40, "'; DROP TABLE orders; --", "${jndi:x}", "%s%n%x",
            "../../etc/passwd", "<script>", "\\", '"', "\r\n\r\n", "null", "NaN", "-0", "İ", "ﬀ", "a" * 5000,
        ]
    ),
    st.text(max_size=40),
)  # fmt: skip

NUMBERS: Final = st.sampled_from(
    [
        Decimal("1E+400"), Decimal("-1E+400"), Decimal("1E-400"), 10**30, -(10**30), 2**31, 2**63, Decimal("0.005"),
        Decimal("1.0000000000000000000000001"), Decimal("99999999999999999999.99"), Decimal("-0.0"), -1,
    ]
)  # fmt: skip


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


STRUCTURES: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [[], {}, [[]], [None], [{}], {"": {}}, {"a": [{"b": [None, True]}]}, _nested(200), True, None, [1] * 300]
)

_EXTRACT_FIELDS: Final = ("marketplaceCode", "type", "value", "expectedDate", "percentage")
_TEXT_FIELDS: Final = ("marketplaceCode", "channelName", "accountId", "status", "comment", *DATE_FIELDS)
_FIELDS: Final = (*_TEXT_FIELDS, "totalGrossValue", "extracts")

INPUTS: Final = {
    "odd text": (TEXTS, _TEXT_FIELDS, ("marketplaceCode", "type", "value", "expectedDate")),
    "odd number": (NUMBERS, ("accountId", "totalGrossValue", "quantity", "createdDate"), ("value", "percentage")),
    "missing field": (st.just(LEFT_OUT), _FIELDS[:-1], _EXTRACT_FIELDS),
    "odd structure": (STRUCTURES, (*_FIELDS, "items"), _EXTRACT_FIELDS),
}
"""By name: the values, the fields of an order that may have them, and those of an extract."""


@st.composite
def odd_submissions(draw: DrawFn, scope: Scope, input_: str) -> Call:
    """POST /order with an order that has one such input in it."""
    values, fields, extract_fields = INPUTS[input_]
    call: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER))
    value = draw(values)
    if draw(st.booleans()):
        path: tuple[str | int, ...] = ("body", draw(st.sampled_from(fields)))
    else:
        position = draw(st.integers(0, len(call.body["extracts"]) - 1))
        path = ("body", "extracts", position, draw(st.sampled_from(extract_fields)))
    return Edit(path, value).apply(call)


# A lone surrogate can't be written in a URL, nor a NUL in every client.
QUERY_TEXTS: Final = TEXTS.map(lambda text: text.encode("utf-8", "ignore").decode().replace("\x00", ""))
