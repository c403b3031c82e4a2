"""Input that nobody documented: it may be refused or accepted, but must not bring a server down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from conformance.contract.endpoints import Endpoint
from strategies.calls import LEFT_OUT, Call, Edit, calls
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.fault_parts import at_every_level
from strategies.placeholders import CODE
from strategies.scope import Scope

Values = Mapping[str, st.SearchStrategy[Any]]


def _each(values: Mapping[str, Any]) -> Values:
    return MappingProxyType({name: st.just(value) for name, value in values.items()})


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


TEXTS: Final[Values] = {
    **_each(
        {
            "NUL": "a\x00b",
            "quotes and a statement": "'; DROP TABLE orders; --\"",
            "astral and combining characters": "🚚e\u0301İﬀ\U0010ffff",
            "half a surrogate pair": "a\ud800b",
            "direction marks and a byte order mark": "\u202e\u200b\ufeff",
            "format directives": "%s%n%x{0}${jndi:x}",
            "line ends": "\r\n\r\n\u2028",
            "markup": "<script>]]>&amp;",
            "backslashes": "\\u0000\\",
            "a path": "../../etc/passwd",
            "five thousand characters": "a" * 5000,
        }
    ),
    "any text": st.text(max_size=40),
}

NUMBERS: Final[Values] = {
    **_each(
        {
            "beyond any double": Decimal("1E+400"),
            "too small for any double": Decimal("1E-400"),
            "thirty digits": 10**30,
            "negative, thirty digits": -(10**30),
            "just beyond 32 bits": 2**31,
            "just beyond 64 bits": 2**63,
            "half a cent": Decimal("0.005"),
            "twenty-five decimals": Decimal("1.0000000000000000000000001"),
            "minus zero": Decimal("-0.0"),
        }
    ),
    "any integer": st.integers(),
}

STRUCTURES: Final[Values] = _each(
    {
        "an empty array": [],
        "an empty object": {},
        "an array of null": [None],
        "an empty name": {"": {}},
        "a nest": {"a": [{"b": [None, True]}]},
        "two hundred levels": _nested(200),
        "three hundred entries": [1] * 300,
        "true": True,
        "null": None,
    }
)

_EXTRACT_FIELDS: Final = ("marketplaceCode", "type", "value", "expectedDate", "percentage")
_FIELDS: Final = ("marketplaceCode", "channelName", "accountId", "status", *DATE_FIELDS, "totalGrossValue", "extracts")

_EVERYWHERE: Final = (_FIELDS, _EXTRACT_FIELDS)

INPUTS: Final[Mapping[str, tuple[Values, tuple[tuple[str, ...], tuple[str, ...]]]]] = {
    "odd text": (TEXTS, _EVERYWHERE),
    "odd number": (NUMBERS, (("accountId", "totalGrossValue", "createdDate"), ("value", "percentage"))),
    "odd structure": (STRUCTURES, _EVERYWHERE),
    "missing field": (_each({"left out": LEFT_OUT}), _EVERYWHERE),
}
"""By name: the values by name, and the fields of an order and of an extract that may have them."""

_IN_THE_CODE: Final = frozenset({"NUL", "quotes and a statement"})
"""Texts that a store, or what looks orders up, may choke on: behind an order's code they get as far, and no other documented text
is as free."""

ALWAYS: Final = frozenset({"NUL"})
"""What is tried in every run: a text that PostgreSQL does not take, so that who hands it on unlooked at answers 500."""

_IN_THE_CHANNEL: Final = frozenset({"half a surrogate pair"})
"""The same, of what no URL can hold: under such a code nobody could delete an order that was
taken. No channel has such a name."""

FREE_FIELD: Final = "comment"
"""A field that no document names: an odd value in it spoils nothing else, so that it reaches what stores the order."""


@st.composite
def odd_submissions(draw: DrawFn, scope: Scope, input_: str, value: str, *, refused: bool = True) -> list[Call]:
    """POST /order with one such input: once in a free field, and, if it may be `refused`, once in a documented one."""
    values, (fields, extract_fields) = INPUTS[input_]
    call: Call = draw(calls(scope, Endpoint.SUBMIT_ORDER))
    drawn = draw(values[value])
    if not refused:
        return [Edit(("body", FREE_FIELD), drawn).apply(call)]
    if value in _IN_THE_CODE:
        code = replace(CODE, change=lambda text: f"{text}{drawn}", how=f"followed by {value}")
        return [Edit(("body", FREE_FIELD), drawn).apply(call), at_every_level(code)(draw, call, scope).apply(call)]
    if value in _IN_THE_CHANNEL:
        return [Edit(("body", name), drawn).apply(call) for name in (FREE_FIELD, "channelName")]
    if draw(st.booleans()):
        position = draw(st.integers(0, len(call.body["extracts"]) - 1))
        path: tuple[str | int, ...] = ("body", "extracts", position, draw(st.sampled_from(extract_fields)))
    else:
        path = ("body", draw(st.sampled_from(fields)))
    return [Edit(("body", FREE_FIELD), drawn).apply(call), Edit(path, drawn).apply(call)]


QUERY_TEXTS: Final[Values] = {
    # A lone surrogate can't be written in a URL.
    name: texts.map(lambda text: text.encode("utf-8", "ignore").decode())
    for name, texts in TEXTS.items()
}
