"""Money loses its cents, its size or its sign; other fields of an order are shown otherwise than they were sent."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from conformance.contract.instants import parse_instant
from conformance.mock.defects.collations import through_a_double
from conformance.mock.defects.parts import per_date, per_extract, per_value, rules, where_possible
from conformance.mock.quirks import Defect
from conformance.mock.world import Body

SHOWN: Final = ("QRY-01", "QRY-03", "QRY-04", "ORD-15", "ORD-16", "ORD-17", "DEL-01", "DEL-04", "WFL-04")
"""Rules whose scenarios compare an order that is shown with the one that was sent."""


def _shown(name: str, statement: str, shows: Callable[[Body], Body]) -> Defect:
    return Defect(name=f"qry-01-{name}", statement=statement, rules=rules(*SHOWN), shows=shows)


def _through_float32(value: Any) -> Decimal:
    return Decimal(repr(round(struct.unpack("f", struct.pack("f", float(value)))[0], 2)))


def _cut(value: Any) -> Decimal:
    """Through a binary float and then cut, not rounded, to the cent: 0.29 * 100 is 28.999999999999996."""
    return Decimal(int(float(value) * 100)).scaleb(-2)


def _grouped(value: Any) -> Any:
    """A number of a thousand or more as text with separators."""
    return f"{value:,.2f}" if abs(value) >= 1000 else value


def _total(change: Callable[[Any], Any]) -> Callable[[Body], Body]:
    changed = where_possible(change)
    return lambda order: (
        {**order, "totalGrossValue": changed(order["totalGrossValue"])}
        if order.get("totalGrossValue") is not None
        else order
    )


def _without(*names: str) -> Callable[[Body], Body]:
    return lambda order: {name: value for name, value in order.items() if name not in names}


def _extract_without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda extract: {name: value for name, value in extract.items() if name not in names}


def _distinct(order: Body) -> Body:
    """Every extract once, however often it was sent."""
    given: Any = order.get("extracts") or []
    return {**order, "extracts": [one for n, one in enumerate(given) if one not in given[:n]]}


def _one_of_a_type(order: Body) -> Body:
    given: Any = order.get("extracts") or []
    return {**order, "extracts": [*{one.get("type"): one for one in given}.values()]}


def _summed_by_type(order: Body) -> Body:
    given: Any = order.get("extracts") or []
    found: dict[str, dict[str, Any]] = {}
    for one in given:
        known = found.get(one["type"])
        found[one["type"]] = {**known, "value": known["value"] + one["value"]} if known else one
    return {**order, "extracts": [*found.values()]}


def _replaced_offset(text: str) -> str | None:
    """The clock of the sender, called UTC."""
    instant = parse_instant(text)
    return instant.replace(tzinfo=None).isoformat() + "Z" if instant else text


def _minutes_east(text: str) -> str | None:
    """The instant where the sign of an offset is that of its hours, and its minutes are added."""
    instant = parse_instant(text)
    offset = instant.utcoffset() if instant else None
    if instant is None or not offset or offset > timedelta():
        return text
    minutes = -offset % timedelta(hours=1)
    return (instant - 2 * minutes).isoformat()


def _to_the_second(text: str) -> str | None:
    instant = parse_instant(text)
    return instant.replace(microsecond=0).isoformat() if instant else text


def _to_the_day(text: str) -> str | None:
    instant = parse_instant(text)
    return instant.replace(hour=0, minute=0, second=0, microsecond=0).isoformat() if instant else text


def _a_second_early(text: str) -> str | None:
    instant = parse_instant(text)
    return (instant - timedelta(seconds=1)).isoformat() if instant else text


def _expected_dates(change: Callable[[str], str | None]) -> Callable[[Body], Body]:
    def changed(extract: dict[str, Any]) -> dict[str, Any]:
        text = extract.get("expectedDate")
        return {**extract, "expectedDate": change(text)} if isinstance(text, str) else extract

    return per_extract(changed)


MONEY: Final = (
    _shown("float32", "Keeps money in 32-bit floats.", per_value(_through_float32)),
    _shown("one-decimal", "Shows money with one decimal.", per_value(lambda v: Decimal(v).quantize(Decimal("0.1")))),
    _shown("absolute-values", "Shows money without its sign.", per_value(abs)),
    _shown("cents-cut", "Cuts money to the cent after a binary float.", per_value(_cut)),
    _shown("whole-reais", "Shows money without cents.", per_value(lambda v: Decimal(v).quantize(1, ROUND_DOWN))),
    _shown("in-cents", "Shows money in cents.", per_value(lambda value: int(Decimal(value) * 100))),
    _shown("as-text", "Shows money as text.", per_value(str)),
    _shown("thousands-separated", "Shows a thousand and more as text.", per_value(_grouped)),
    _shown("total-float32", "Keeps the total in a 32-bit float.", _total(_through_float32)),
    _shown("total-zero", "Shows a total of zero.", _total(lambda _: 0)),
    _shown("total-left-out", "Shows no total.", _without("totalGrossValue")),
    _shown("no-percentage", "Shows extracts without percentage.", per_extract(_extract_without("percentage"))),
    _shown("no-expected-date", "Shows extracts without expectedDate.", per_extract(_extract_without("expectedDate"))),
    _shown(
        "whole-percentage",
        "Shows percentages without decimals.",
        per_extract(lambda one: {**one, "percentage": int(one["percentage"])} if one.get("percentage") else one),
    ),
    _shown("identical-extracts-merged", "Shows identical extracts once.", _distinct),
    _shown("one-extract-of-a-type", "Shows the last extract of each type.", _one_of_a_type),
    _shown("extracts-summed", "Shows one extract of each type, with the sum.", _summed_by_type),
    _shown("last-extract-lost", "Shows the first eight extracts.", lambda order: {
        **order, "extracts": order["extracts"][:8] if isinstance(order.get("extracts"), list) else []}),
    _shown("zone-lost", "Shows the sender's clock as UTC.", per_date(_replaced_offset)),
    _shown("minutes-east", "Takes the minutes of an offset west of Greenwich for minutes east.", per_date(_minutes_east)),
    _shown("expected-zone-lost", "Shows the sender's clock of an expectedDate as UTC.", _expected_dates(_replaced_offset)),
    _shown("expected-date-to-the-day", "Shows the day of an expectedDate, at midnight.", _expected_dates(_to_the_day)),
    _shown("estimated-as-delivery", "Shows estimatedDeliveryDate as deliveryDate.", lambda order: {
        **order, "deliveryDate": order.get("deliveryDate") or order.get("estimatedDeliveryDate")}),
    _shown("approved-date-lost", "Shows no approvedDate.", _without("approvedDate")),
    Defect(
        name="qry-06-fractions-cut", statement="Shows dates without their fractions of a second.", rules=rules("QRY-06"),
        shows=per_date(_to_the_second)),
    _shown("a-second-early", "Shows every date a second early.", per_date(_a_second_early)),
    _shown("cancel-date-lost", "Shows no cancelDate.", _without("cancelDate")),
    _shown("status-of-its-own", "Shows CONCLUDED as DELIVERED.", lambda order: {
        **order, "status": "DELIVERED" if order.get("status") == "CONCLUDED" else order.get("status")}),
    _shown("lower-case-code", "Shows codes in lower case.", lambda order: {
        **order, "marketplaceCode": str(order.get("marketplaceCode")).lower()}),
    _shown("code-through-a-double", "Shows codes of digits as a double has them.", lambda order: {
        **order, "marketplaceCode": through_a_double(str(order.get("marketplaceCode")))}),
    _shown("code-without-zeros", "Shows codes without leading zeros.", lambda order: {
        **order, "marketplaceCode": str(order.get("marketplaceCode")).lstrip("0")}),
    _shown("upper-case-code", "Shows codes in upper case.", lambda order: {
        **order, "marketplaceCode": str(order.get("marketplaceCode")).upper()}),
)  # fmt: skip
