"""What the documents say of a body, for the server of the trials: pure checks, each ends in a Refusal or in what was read.

Written from the documents and not from the suite, so that both can be wrong in different ways.
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeGuard

STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "INVOICED": (),
    "PAID_WAITING_DELIVERY": ("sendDate", "estimatedDeliveryDate"),
    "CONCLUDED": ("sendDate", "estimatedDeliveryDate", "deliveryDate"),
    "CANCELED": ("cancelDate",),
}
"""The dates that an order must have in each status."""

DATES: Final = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate")

IN_SEQUENCE: Final = (
    ("createdDate", "approvedDate"), ("createdDate", "sendDate"), ("createdDate", "deliveryDate"),
    ("approvedDate", "sendDate"), ("approvedDate", "deliveryDate"), ("sendDate", "deliveryDate"),
    ("sendDate", "estimatedDeliveryDate"), ("createdDate", "estimatedDeliveryDate"),
    ("approvedDate", "estimatedDeliveryDate"), ("createdDate", "cancelDate"),
)  # fmt: skip
"""Which date may not be later than which."""

ORDER_TYPES: Final = frozenset({"SALE", "COMISSION", "SHIP"})
RELEASE_TYPES: Final = ORDER_TYPES | {"RETURN_COMISSION", "RETURN_SHIP"}
SIGNS: Final[Mapping[str, int]] = {"SALE": 1, "COMISSION": -1, "RETURN_COMISSION": 1}

CENT: Final = Decimal("0.01")
MOST: Final = 10**30
"""Numbers from here on are refused, as the documents allow beyond what is plainly lawful."""

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)

Fields = dict[str, Any]
Entry = tuple[str, Decimal]


@dataclass(frozen=True)
class Refusal(Exception):
    """What the server answers instead: a status, the code after it, and a message that names the field."""

    status: int
    code: str
    message: str


def bad(message: str, code: str = "400-0") -> NoReturn:
    """Refuse for invalid values."""
    raise Refusal(400, code, message)


def parsed(body: bytes) -> Fields:
    """The object in a body."""
    try:
        found = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=bad)
    except (ValueError, RecursionError):
        bad("the body is not JSON")
    if not isinstance(found, dict):
        bad("the body is not an object")
    return found


def text(fields: Mapping[str, Any], name: str) -> str:
    """A text that must be there and not empty."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        bad(f"{name} must be a text")
    return value


def _is_number(value: Any) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and abs(Decimal(value)) < MOST


def number(fields: Mapping[str, Any], name: str) -> Decimal:
    """An amount."""
    value = fields.get(name)
    if not _is_number(value):
        bad(f"{name} must be a number of a size that money has")
    return Decimal(value)


def whole(fields: Mapping[str, Any], name: str, *, lenient: bool = False) -> int:
    """A whole number above zero; 3.0 is one. Lenient: also written as text."""
    value = fields.get(name)
    if lenient and isinstance(value, str) and value.isdigit() and value.isascii():
        value = int(value)
    if not _is_number(value) or value != int(value):
        bad(f"{name} must be a whole number")
    if int(value) < 1:
        bad(f"{name} must be above zero")
    return int(value)


def account_of(value: Any) -> int:
    """The number of an account, told as a number or as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,30}", value):
        return int(value)
    if not _is_number(value) or value != int(value):
        bad("accountId must be the number of an account")
    return int(value)


def instant(fields: Mapping[str, Any], name: str, *, lenient: bool = False) -> datetime:
    """An instant that must be there. Lenient: a day that the month has not is its last."""
    value = fields.get(name)
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        bad(f"{name} must be an ISO 8601 instant")
    year, month, day, hour, minute, second = (int(match[place]) for place in range(1, 7))
    try:
        if lenient:
            day = min(day, calendar.monthrange(year, month)[1])
        local = datetime.fromisoformat(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
        offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
        if offset >= timedelta(hours=24) or int(match[10] or 0) > 59:
            bad(f"{name} has an offset that is none")
        local += timedelta(microseconds=int((match[7] or "0").ljust(9, "0")) // 1000)
        return local + offset if match[8] == "-" else local - offset
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        bad(f"{name} is not a date of the calendar")


def money(value: Decimal) -> Decimal:
    """An amount to the cent."""
    return value.quantize(CENT, "ROUND_HALF_UP")


def entries(fields: Mapping[str, Any], name: str, types: frozenset[str]) -> list[Entry]:
    """The extracts of an order, or the entries of a release: type and amount of each."""
    listed = fields.get(name)
    if not isinstance(listed, list) or not listed:
        bad(f"{name} must hold at least one entry")
    found = []
    for entry in listed:
        if not isinstance(entry, dict):
            bad(f"{name} must hold objects")
        if text(entry, "marketplaceCode") != fields["marketplaceCode"]:
            bad(f"marketplaceCode of an entry of {name} is not that of the order")
        kind = entry.get("type")
        if not isinstance(kind, str) or kind not in types:
            bad(f"type of an entry of {name} must be one of {', '.join(sorted(types))}")
        value = number(entry, "value")
        if SIGNS.get(kind, 0) * value < 0 or (kind in SIGNS and value == 0):
            bad(f"value of a {kind} has the wrong sign")
        if entry.get("expectedDate") is not None:
            instant(entry, "expectedDate")
        if entry.get("percentage") is not None:
            number(entry, "percentage")
        found.append((kind, money(value)))
    return found


def order(fields: Mapping[str, Any]) -> list[Entry]:
    """The extracts of an order, all of which is as documented."""
    text(fields, "marketplaceCode")
    status = fields.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        bad(f"status must be one of {', '.join(STATUSES)}")
    dates = {name: instant(fields, name) for name in DATES if fields.get(name) is not None}
    for name in STATUSES[status]:
        if name not in dates:
            bad(f"{name} is mandatory for {status}")
    for earlier, later in IN_SEQUENCE:
        if earlier in dates and later in dates and dates[earlier] > dates[later]:
            bad(f"{earlier} is later than {later}", "400-3")
    if fields.get("totalGrossValue") is not None:
        number(fields, "totalGrossValue")
    return entries(fields, "extracts", ORDER_TYPES)
