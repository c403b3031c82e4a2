"""What makes a reconciliation or a release lawful: the REC and REL rules, judged on the body and on a few facts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeGuard

from conformance.contract.instants import parse_instant
from conformance.contract.jsontext import JSONValue
from conformance.contract.money import to_the_cent
from conformance.contract.order_rules import MANDATORY_DATES, VALUE_SIGN, Breach, is_account_id, is_number, local_date
from conformance.contract.readings import RELEASE_TYPES

Fields = Mapping[str, JSONValue]

Entry = tuple[str, Decimal]
"""Type and value in BRL of an extract or of a release entry."""

IN_CASH: Final = "IN_CASH"


@dataclass(frozen=True, slots=True)
class ReconciliationFacts:
    """What the judge needs to know of a reconciliation. `received` counts the entries of accepted releases."""

    account: int
    channel: str
    init: datetime
    end: datetime
    quantity: int
    received: int
    active: bool


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the judge needs to know of a stored order."""

    through_api: bool
    entries: tuple[Entry, ...] = ()
    released: bool = False
    reconciled: bool = False


def entries_of(items: JSONValue) -> tuple[Entry, ...]:
    """Type and value, to the cent, of every extract or entry that has both, in sequence."""
    if not isinstance(items, list):
        return ()
    return tuple(
        [
            (item["type"], to_the_cent(item["value"]))
            for item in items
            if isinstance(item, dict) and isinstance(item.get("type"), str) and is_number(item.get("value"))
        ]
    )


def is_whole(value: JSONValue) -> TypeGuard[int]:
    """Whether the value is a JSON integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def _instant(holder: Fields, name: str) -> datetime | None:
    value = holder.get(name)
    return parse_instant(value) if isinstance(value, str) else None


# -- reconciliations -----------------------------------------------------------------------------------------------


def judge_reconciliation(body: Fields, readings: Mapping[str, str]) -> Iterator[Breach]:
    """Every rule that the body of a creation breaks by itself."""
    yield from _judge_place(body, "REC-08", readings)
    for name in ("periodInitDate", "periodEndDate"):
        if _instant(body, name) is None:
            yield local_date(body.get(name), name) or Breach(
                "REC-08", name, f"{name} is missing or no ISO 8601 instant"
            )
    init, end = period_of(body)
    if init is not None and end is not None and init >= end:
        yield Breach("REC-03", "periodInitDate", "periodInitDate is not earlier than periodEndDate")
    quantity = body.get("releasesQtd")
    if quantity is None:
        yield Breach("REC-08", "releasesQtd", "releasesQtd is missing")
    elif not is_whole(quantity) or quantity < 1:
        yield Breach("REC-07", "releasesQtd", "releasesQtd is not a positive integer")
    total = body.get("totalNetValue")
    if total is not None and not is_number(total):
        yield Breach("REC-08", "totalNetValue", "totalNetValue is not a number")


def period_of(body: Fields) -> tuple[datetime | None, datetime | None]:
    """Beginning and end of the period, each None where it is missing or malformed."""
    return _instant(body, "periodInitDate"), _instant(body, "periodEndDate")


def judge_period(body: Fields, earlier: Sequence[ReconciliationFacts], readings: Mapping[str, str]) -> Iterator[Breach]:
    """Every rule that a creation breaks in view of the reconciliations that its account and channel had before."""
    if any(known.active for known in earlier):
        yield Breach("REC-06", "channelName", "another reconciliation is active on this channel")
    init, end = period_of(body)
    if init is None or end is None:
        return
    runs_forward = init <= end
    for known in earlier:
        if runs_forward and (known.end < init or end < known.init):
            continue  # most are elsewhere
        inside = known.init <= init and end <= known.end
        around = init <= known.init and known.end <= end
        if inside or around:
            yield Breach("REC-04", "periodInitDate", "the period equals, holds or lies within an earlier one")
        elif init < known.end and known.init < end:
            yield Breach("REC-05", "periodInitDate", "the period overlaps an earlier one")
        elif readings["adjacent-periods"] == "overlap" and (init == known.end or end == known.init):
            yield Breach("REC-11", "periodInitDate", "the period touches an earlier one")


# -- releases ------------------------------------------------------------------------------------------------------


def judge_release(body: Fields, readings: Mapping[str, str]) -> Iterator[Breach]:
    """Every rule that the body of a release breaks by itself."""
    code = body.get("marketplaceCode")
    if not isinstance(code, str) or not code:
        yield Breach("REL-17", "marketplaceCode", "marketplaceCode is missing or no string")
    yield from _judge_place(body, "REL-17", readings)
    reconciliation = body.get("reconciliationId")
    if reconciliation is None:
        yield Breach("REL-02", "reconciliationId", "reconciliationId is missing")
    elif not is_whole(reconciliation):
        yield Breach("REL-17", "reconciliationId", "reconciliationId is not an integer")
    status = body.get("status")
    if status is not None and not (isinstance(status, str) and status in MANDATORY_DATES):
        yield Breach("REL-17", "status", "status is none of an order")
    for name, demanded in (("createdDate", False), ("releasedDate", True)):
        if _instant(body, name) is None and (demanded or body.get(name) is not None):
            yield local_date(body.get(name), name) or Breach(
                "REL-17", name, f"{name} is missing or no ISO 8601 instant"
            )
    if body.get("releaseType") != IN_CASH:
        yield Breach("REL-04", "releaseType", f"releaseType must be {IN_CASH}")
    yield from _judge_installments(body)
    yield from _judge_entries(body)


def _judge_place(body: Fields, rule: str, readings: Mapping[str, str]) -> Iterator[Breach]:
    if not isinstance(body.get("channelName"), str):
        yield Breach(rule, "channelName", "channelName is missing or no string")
    if not is_account_id(body.get("accountId"), readings["account-id-type"]):
        yield Breach(rule, "accountId", "accountId is missing or no account id")


def _judge_installments(body: Fields) -> Iterator[Breach]:
    installment, quantity = body.get("installment"), body.get("installmentQuantity")
    whole = True
    for name, number in (("installment", installment), ("installmentQuantity", quantity)):
        if number is not None and not is_whole(number):
            whole = False
            yield Breach("REL-17", name, f"{name} is not an integer")
    if not whole:
        return
    if any(number is not None and number < 1 for number in (installment, quantity)):
        yield Breach("REL-16", "installment", "installment is below 1")
    elif installment is not None and quantity is not None and installment > quantity:
        yield Breach("REL-16", "installment", "installment is above installmentQuantity")


def _judge_entries(body: Fields) -> Iterator[Breach]:
    entries = body.get("releases")
    if not isinstance(entries, list):
        yield Breach("REL-17", "releases", "releases is missing or no array")
        return
    for position, entry in enumerate(entries):
        where = f"releases[{position}]"
        if isinstance(entry, dict):
            yield from _judge_entry(entry, where, body.get("marketplaceCode"))
        else:
            yield Breach("REL-17", where, f"{where} is not an object")


def _judge_entry(entry: Fields, where: str, code: JSONValue) -> Iterator[Breach]:
    type_ = entry.get("type")
    value: JSONValue = entry.get("value")
    if isinstance(code, str) and code and entry.get("marketplaceCode") != code:
        yield Breach("REL-10", f"{where}.marketplaceCode", f"{where}.marketplaceCode is not the release's")
    if type_ not in RELEASE_TYPES:
        yield Breach("REL-05", f"{where}.type", f"{where}.type must be one of {', '.join(RELEASE_TYPES)}")
    if not is_number(value):
        yield Breach("REL-17", f"{where}.value", f"{where}.value is missing or no number")
    elif type_ in RELEASE_TYPES and type_ in VALUE_SIGN and not VALUE_SIGN[type_](Decimal(value)):
        yield Breach("REL-06", f"{where}.value", f"{where}.value has a sign that contradicts {type_}")


ENDS_LEFT_OUT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "inclusive": frozenset(),
        "exclusive": frozenset({"init", "end"}),
        "half-open": frozenset({"end"}),
    }
)
"""Which ends of a period (`init`, `end`) don't belong to it, by the reading period-bounds."""


def judge_against_reconciliation(
    body: Fields, place: tuple[int, str], known: ReconciliationFacts, readings: Mapping[str, str]
) -> Iterator[Breach]:
    """Every rule that a release breaks in view of the reconciliation that it names."""
    if place != (known.account, known.channel):
        yield Breach("REL-14", "reconciliationId", "the reconciliation is of another account or channel")
    released = _instant(body, "releasedDate")
    if released is not None:
        if not known.init <= released <= known.end:
            yield Breach("REL-03", "releasedDate", "releasedDate is outside the period")
        elif released in {getattr(known, end) for end in ENDS_LEFT_OUT[readings["period-bounds"]]}:
            yield Breach("REL-20", "releasedDate", "releasedDate is not within the period")


def judge_against_order(
    body: Fields, order: OrderFacts | None, known: ReconciliationFacts | None, readings: Mapping[str, str]
) -> Iterator[Breach]:
    """Every rule that a release, well-formed in itself, breaks in view of its order and of what was received before."""
    entries = entries_of(body.get("releases"))
    if order is None:
        yield Breach("REL-13", "marketplaceCode", f"Order {body.get('marketplaceCode')} not found")
    elif order.released:
        yield Breach("REL-11", "marketplaceCode", "this order's release is there already")
        return
    else:
        yield from _judge_match(entries, order.entries, readings)
    if known is not None and (not known.active or known.received + len(entries) > known.quantity):
        yield Breach("REL-12", "releases", "more entries than releasesQtd announced")


def _judge_match(entries: Sequence[Entry], extracts: Sequence[Entry], readings: Mapping[str, str]) -> Iterator[Breach]:
    if len(entries) != len(extracts):
        yield Breach("REL-09", "releases", f"{len(entries)} entries for {len(extracts)} extracts")
    elif Counter(type_ for type_, _ in entries) != Counter(type_ for type_, _ in extracts):
        yield Breach("REL-07", "releases", "the types of releases are not those of the extracts")
    elif readings["value-mismatch"] == "rejected" and Counter(entries) != Counter(extracts):
        yield Breach("REL-08", "releases", "the values of releases are not those of the extracts")
