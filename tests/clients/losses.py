"""What became of the story: is the money the same to the cent and are the instants, and what was lost besides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from conformance.testing.mock import StoredOrder
from tests.clients.story import UNKNOWN

INSTANTS: Final = (
    "createdDate",
    "approvedDate",
    "sendDate",
    "estimatedDeliveryDate",
    "deliveryDate",
)


def intact(tale: Mapping[str, Any], read: Mapping[str, Any], stored: Mapping[str, StoredOrder]) -> list[str]:
    """What is wrong with the order of the story, as it lies in the mock and as the client read it; and was it paid once?"""
    sent = tale["order"]
    code = sent["marketplaceCode"]
    if code not in stored:
        return ["the order is not there"]
    seen = {"in the mock": stored[code].body, "as it was read": read["order"]}
    problems = [f"{name} {where}: {what}" for where, body in seen.items() for name, what in _differences(sent, body)]
    if not (stored[code].releases == 1 and stored[code].is_reconciled):
        problems.append(f"released {stored[code].releases} times, reconciled: {stored[code].is_reconciled}")
    return problems


def _differences(sent: Mapping[str, Any], body: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name in INSTANTS:
        if _instant(body.get(name)) != _instant(sent[name]):
            found.append((name, f"{body.get(name)} for {sent[name]}"))
    if _cents(body.get("totalGrossValue")) != _cents(sent["totalGrossValue"]):
        found.append(("totalGrossValue", f"{body.get('totalGrossValue')} for {sent['totalGrossValue']}"))
    amounts = [[(part["type"], _cents(part["value"])) for part in one["extracts"]] for one in (sent, body)]
    if amounts[0] != amounts[1]:
        found.append(("extracts", f"{amounts[1]} for {amounts[0]}"))
    return found


def _instant(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _cents(number: Any) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def losses(tale: Mapping[str, Any], read: Mapping[str, Any], stored: Mapping[str, StoredOrder]) -> dict[str, str]:
    """What the client loses, by what it is about: in what it sends and in what it reads."""
    odd = stored[tale["odd"]["marketplaceCode"]].body
    naive = read["naive"]
    return {
        "unknown fields": f"{_kept(odd)} when sent, {_kept(read['other'])} when read",
        "fractions of a second": f"{_digits(odd)} digits of 9 sent, {_digits(read['other'])} read",
        "null": "sent as null" if "cancelDate" in odd else "left out",
        "a date without an offset": {
            200: "sent with an offset", 400: "sent as it is, refused by the mock",
        }.get(naive, str(naive)),
    }  # fmt: skip


def _kept(body: Mapping[str, Any]) -> str:
    return "kept" if UNKNOWN in body else "dropped"


def _digits(body: Mapping[str, Any]) -> int:
    found = re.search(r"\.(\d+)", body["sendDate"])
    return len(found[1]) if found else 0
