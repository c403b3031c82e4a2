"""What makes an order's body lawful: the ORD rules, judged on the body alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType
from typing import Final, TypeGuard

from conformance.contract.instants import parse_instant, parse_local
from conformance.contract.jsontext import JSONValue
from conformance.contract.readings import EXTRACT_TYPES

_INDEX: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule broken: where, and what an error message says of it."""

    rule: str
    field: str
    message: str

    @property
    def pointer(self) -> str:
        """Where, as a JSON pointer (RFC 6901): `extracts[1].value` is `/extracts/1/value`, the body as a whole is empty."""
        return "" if self.field in {"", "body"} else "/" + _INDEX.sub(r"/\1", self.field).replace(".", "/")


MANDATORY_DATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "INVOICED": (),
        "PAID_WAITING_DELIVERY": ("sendDate", "estimatedDeliveryDate"),
        "CONCLUDED": ("sendDate", "estimatedDeliveryDate", "deliveryDate"),
        "CANCELED": ("cancelDate",),
    }
)
"""The four statuses that are accepted, each with the dates that it demands (S1, Order Status Validation)."""

_MANDATORY_RULE: Final = {"PAID_WAITING_DELIVERY": "ORD-03", "CONCLUDED": "ORD-04", "CANCELED": "ORD-05"}

DATE_FIELDS: Final = (
    "createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate",
)  # fmt: skip

CHRONOLOGY: Final[tuple[tuple[str, str], ...]] = (
    *combinations(("createdDate", "approvedDate", "sendDate", "deliveryDate"), 2),
    ("sendDate", "estimatedDeliveryDate"),
    ("createdDate", "cancelDate"),
)
"""Pairs of dates of which the first may not be later than the second. A late delivery breaks nothing."""

VALUE_SIGN: Final[Mapping[str, Callable[[Decimal], bool]]] = MappingProxyType(
    {
        "SALE": lambda value: value > 0,
        "COMISSION": lambda value: value < 0,
        "RETURN_COMISSION": lambda value: value > 0,
        "RETURN_SALE": lambda value: value < 0,
    }
)
"""The sign that a type demands of its value; a type that is not listed takes either."""

_IDENTITY: Final = ("marketplaceCode", "channelName", "accountId")

ORDER_FIELDS: Final = frozenset({*_IDENTITY, "status", *DATE_FIELDS, "totalGrossValue", "extracts"})
"""The fields that documents name (S2); more are allowed."""


def is_number(value: JSONValue) -> bool:
    """Whether the value is a JSON number."""
    kind = type(value)
    return kind is Decimal or kind is int or (isinstance(value, int | Decimal) and not isinstance(value, bool))


_BEYOND: Final = 10**18


def is_account_id(value: JSONValue, reading: str) -> TypeGuard[int | str]:
    """Whether the value can name an account, under a value of the reading `account-id-type`."""
    if type(value) is int and 0 <= value < _BEYOND:
        return reading != "string"
    whole = reading != "string" and isinstance(value, int) and not isinstance(value, bool)
    digits = reading != "integer" and isinstance(value, str) and value.isascii() and value.isdigit()
    return (whole or digits) and len(str(value)) <= 18  # noqa: PLR2004 - what a 64-bit id can hold


def judge_order(order: Mapping[str, JSONValue], readings: Mapping[str, str]) -> Iterator[Breach]:
    """Every rule that an order's body breaks by itself, whoever sends it."""
    yield from _judge_identity(order, readings)
    yield from _judge_scalars(order)
    yield from _judge_dates(order)
    yield from _judge_status(order)
    yield from _judge_extracts(order, readings)


def _judge_identity(order: Mapping[str, JSONValue], readings: Mapping[str, str]) -> Iterator[Breach]:
    for name in _IDENTITY:
        value = order.get(name)
        if value is None or (name == "marketplaceCode" and value == ""):
            yield Breach("ORD-12", name, f"{name} is missing")
        elif name == "accountId":
            if not is_account_id(value, readings["account-id-type"]):
                yield Breach("ORD-13", name, f"{name} is not an account id")
        elif not isinstance(value, str):
            yield Breach("ORD-13", name, f"{name} is not a string")


def _judge_scalars(order: Mapping[str, JSONValue]) -> Iterator[Breach]:
    total = order.get("totalGrossValue")
    if total is not None and not is_number(total):
        yield Breach("ORD-13", "totalGrossValue", "totalGrossValue is not a number")


def _judge_date(value: JSONValue, where: str) -> Breach | datetime:
    """The instant that a date names, or the breach of one that names none."""
    if not isinstance(value, str):
        return Breach("ORD-13", where, f"{where} is not a date")
    instant = parse_instant(value)
    if instant is None:
        return local_date(value, where) or Breach("ORD-08", where, f"{where} is not an ISO 8601 instant")
    return instant


_TIME_OF_DAY: Final = "YYYY-MM-DDThh:mm"


def local_date(value: JSONValue, where: str) -> Breach | None:
    """The breach of a date that names no instant, with what it lacks and how to write it; None where it is something else."""
    local = parse_local(value) if isinstance(value, str) else None
    if local is None or not isinstance(value, str):
        return None
    lacks = "offset" if len(value) >= len(_TIME_OF_DAY) else "time of day and its offset"
    wanted = local.isoformat(timespec="milliseconds" if local.microsecond else "seconds").replace("+00:00", "-03:00")
    return Breach("ORD-21", where, f"{where} names no instant: its {lacks} is missing; write it as {wanted}")


def _judge_dates(order: Mapping[str, JSONValue]) -> Iterator[Breach]:
    instants: dict[str, datetime] = {}
    for name in DATE_FIELDS:
        value = order.get(name)
        if value is None:
            continue
        found = _judge_date(value, name)
        if isinstance(found, Breach):
            yield found
        else:
            instants[name] = found
    for earlier, later in CHRONOLOGY:
        if earlier in instants and later in instants and instants[earlier] > instants[later]:
            yield Breach("ORD-07", earlier, f"{earlier} is later than {later}")


def _judge_status(order: Mapping[str, JSONValue]) -> Iterator[Breach]:
    status = order.get("status")
    if status is not None and not isinstance(status, str):
        yield Breach("ORD-13", "status", "status is not a string")
    elif status is None or status not in MANDATORY_DATES:
        yield Breach("ORD-02", "status", f"status must be one of {', '.join(MANDATORY_DATES)}")
    else:
        for name in MANDATORY_DATES[status]:
            if order.get(name) is None:
                yield Breach(_MANDATORY_RULE[status], name, f"{name} is mandatory for {status}")


def _judge_extracts(order: Mapping[str, JSONValue], readings: Mapping[str, str]) -> Iterator[Breach]:
    extracts = order.get("extracts")
    if extracts is None or extracts == []:
        if readings["empty-extracts"] == "rejected":
            yield Breach("ORD-18", "extracts", "extracts is empty")
        return
    if not isinstance(extracts, list):
        yield Breach("ORD-13", "extracts", "extracts is not an array")
        return
    for position, extract in enumerate(extracts):
        where = f"extracts[{position}]"
        if isinstance(extract, dict):
            yield from _judge_extract(extract, where, order.get("marketplaceCode"), readings)
        else:
            yield Breach("ORD-13", where, f"{where} is not an object")


def _judge_extract(
    extract: Mapping[str, JSONValue], where: str, order_code: JSONValue, readings: Mapping[str, str]
) -> Iterator[Breach]:
    kind = extract.get("type")
    known = EXTRACT_TYPES[readings["extract-types"]]
    if kind not in known:
        yield Breach("ORD-09", f"{where}.type", f"{where}.type must be one of {', '.join(known)}")
    # Without a code of the order's own there is nothing that an extract's code could differ from.
    if isinstance(order_code, str) and order_code and extract.get("marketplaceCode") != order_code:
        yield Breach("ORD-11", f"{where}.marketplaceCode", f"{where}.marketplaceCode is not the order's")
    value: JSONValue = extract.get("value")
    if "value" not in extract:
        yield Breach("ORD-12", f"{where}.value", f"{where}.value is missing")
    elif not is_number(value):
        yield Breach("ORD-13", f"{where}.value", f"{where}.value is not a number")
    elif kind in known and kind in VALUE_SIGN and not VALUE_SIGN[kind](Decimal(value)):
        yield Breach("ORD-10", f"{where}.value", f"{where}.value has a sign that contradicts {kind}")
    if extract.get("percentage") is not None and not is_number(extract["percentage"]):
        yield Breach("ORD-13", f"{where}.percentage", f"{where}.percentage is not a number")
    expected = extract.get("expectedDate")
    if expected is not None and isinstance(found := _judge_date(expected, f"{where}.expectedDate"), Breach):
        yield found
