"""How a server takes the scalars of a body, by the readings `scalar-coercion` and `whole-as-decimal`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from conformance.contract.jsontext import JSONValue, loads

AMOUNTS: Final = frozenset({"value", "totalGrossValue", "totalNetValue", "percentage"})
COUNTS: Final = frozenset({"releasesQtd", "reconciliationId", "installment", "installmentQuantity"})
IDS: Final = frozenset({"accountId"})
"""Its number as text is a reading of its own, `account-id-type`."""

_NUMBERS: Final = AMOUNTS | COUNTS
_WHOLE: Final = COUNTS | IDS
_LISTS: Final = frozenset({"extracts", "releases"})

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,40})(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
"""A number of JSON, as text; no longer than anybody writes one."""

_LARGEST_EXPONENT: Final = 40
"""What has more digits before its point is no count and no id."""


def as_taken(body: Mapping[str, JSONValue], readings: Mapping[str, str]) -> dict[str, JSONValue]:
    """The body with each number as the readings take it: one that is written as text at its value, a count or an id with a
    zero fraction (3.0, 3E0) as the whole number that it is. What a reading rejects stays as it was sent."""
    taken = dict(body)
    reads_text, takes_whole = readings["scalar-coercion"] == "accepted", readings["whole-as-decimal"] == "accepted"
    for name, value in body.items():
        if isinstance(value, list):
            if name in _LISTS:
                taken[name] = [as_taken(item, readings) if isinstance(item, dict) else item for item in value]
            continue
        if reads_text and isinstance(value, str) and name in _NUMBERS and _NUMBER.fullmatch(value):
            taken[name] = loads(value)
        if takes_whole and name in _WHOLE and isinstance(taken[name], Decimal):
            taken[name] = whole_of(taken[name])
    return taken


def is_taken_alike(body: Mapping[str, JSONValue]) -> bool:
    """Whether every reading takes the body as it was sent, so that `as_taken` would change nothing; most bodies are so."""
    for name, value in body.items():
        kind = type(value)
        if kind is str:
            if name in _NUMBERS:
                return False
        elif kind is Decimal:
            if name in _WHOLE:
                return False
        elif kind is list and name in _LISTS:
            for item in value:
                if type(item) is dict and not is_taken_alike(item):
                    return False
    return True


def whole_of(value: Decimal) -> Decimal | int:
    """The whole number that it is, if it is one."""
    if value.adjusted() > _LARGEST_EXPONENT or value != value.to_integral_value():
        return value
    return int(value)


def id_text(value: JSONValue) -> str:
    """An id that an answer shows, as text: 19055, "19055" and 19055.0 are one."""
    return str(whole_of(value) if isinstance(value, Decimal) else value)
