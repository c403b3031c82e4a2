"""Whether an order that is shown is the one that was sent: the fields that documents name, each compared as what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from conformance.contract.instants import parse_instant

_TEXTS = ("marketplaceCode", "channelName", "status")
_DATES = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate")
_EXTRACT_FIELDS = ("marketplaceCode", "type", "value", "expectedDate", "percentage")


def differences(sent: Mapping[str, Any], shown: Any) -> list[str]:
    """In words, where the shown order differs from the sent one; nothing where it does not.

    Instants are compared as instants and money as Decimal, in whatever way they are printed; a field that is null may be
    left out and the other way round; accountId may be a number or text; more fields may be added; the sequence of extracts
    is free.
    """
    if not isinstance(shown, dict):
        return ["it showed no JSON object"]
    found = [
        f"{name} was sent as {sent.get(name)!r} and shown as {shown.get(name)!r}"
        for name in (*_TEXTS, "accountId", *_DATES, "totalGrossValue")
        if _comparable(name, sent.get(name)) != _comparable(name, shown.get(name))
    ]
    return found + _extract_differences(sent.get("extracts"), shown.get("extracts"))


def _comparable(name: str, value: Any) -> Hashable:
    if value is None:
        return None
    if name == "accountId" and not isinstance(value, bool):
        return str(value)
    if name in _DATES or name == "expectedDate":
        instant = parse_instant(value) if isinstance(value, str) else None
        return instant if isinstance(instant, datetime) else ("no instant", repr(value))
    if name in {"totalGrossValue", "value", "percentage"}:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return Decimal(value) if is_number else ("no number", repr(value))
    return value if isinstance(value, str) else ("no text", repr(value))


def _extract_differences(sent: Any, shown: Any) -> list[str]:
    if not isinstance(shown, list):
        return [] if not sent and shown is None else ["it showed no array of extracts"]
    if not all(isinstance(extract, dict) for extract in shown):
        return ["it showed an extract that is no JSON object"]
    expected, actual = (Counter(_extract(extract) for extract in extracts) for extracts in (sent or [], shown))
    missing, added = expected - actual, actual - expected
    if not missing and not added:
        return []
    return [f"extracts sent and not shown: {_told(missing)}; shown and not sent: {_told(added)}"]


def _extract(extract: Mapping[str, Any]) -> tuple[Hashable, ...]:
    return tuple(_comparable(name, extract.get(name)) for name in _EXTRACT_FIELDS)


def _told(extracts: Counter[tuple[Hashable, ...]]) -> str:
    return ", ".join(f"{extract[1]} {extract[2]}" for extract in extracts.elements()) or "none"
