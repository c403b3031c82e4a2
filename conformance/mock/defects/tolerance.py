"""A rule is not enforced since the server makes something lawful of what breaks it: folds case, coerces, fills in, unwraps.

Such a server looks at the mended request with all its other checks. A fault that breaks a second rule once it is mended so
would be refused all the same, and show nothing (`test_tolerant_servers.py` sees to it that none does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.mock.defects.parts import CREATE, RELEASE, SUBMIT, changed, reading, rules
from conformance.mock.quirks import Defect

Mend = Callable[[Any], Any]

NUMBERS: Final = ("value", "totalGrossValue", "percentage", "totalNetValue")
COUNTS: Final = ("releasesQtd", "reconciliationId", "installment", "installmentQuantity")
DATES: Final = (
    "createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate", "expectedDate",
    "periodInitDate", "periodEndDate", "releasedDate",
)  # fmt: skip
ENUMERATIONS: Final = ("status", "type", "releaseType")

STATUSES: Final = ("INVOICED", "PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED")
TYPES: Final = ("SALE", "COMISSION", "SHIP")
SPELLINGS: Final = {"COMMISSION": "COMISSION", "CANCELLED": "CANCELED"}
LIKE: Final = {"RETURN_SALE": "COMISSION", "ADJUSTMENT": "SHIP", "RETURN_COMISSION": "SALE", "RETURN_SHIP": "SHIP"}
"""Of each type that S1 does not name one that takes the same values."""

SECONDS_AT_MOST: Final = 10**11
"""What is more are milliseconds."""


def _number(value: Any) -> Any:
    """A number written as text, at its value."""
    return Decimal(value) if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) else value


def _count(value: Any) -> Any:
    """The same for a whole number, of a fraction its whole part."""
    return int(_number(value)) if isinstance(_number(value), Decimal) else value


def _epoch(value: Any) -> Any:
    """A number as an instant, in seconds or milliseconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    milliseconds = int(value) if value > SECONDS_AT_MOST else int(Decimal(value) * 1000)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).isoformat()


def _epoch_as_text(value: Any) -> Any:
    """The digits of seconds since 1970 as an instant."""
    is_epoch = isinstance(value, str) and re.fullmatch(r"\d{9,11}(\.\d+)?", value, re.ASCII)
    return _epoch(Decimal(value)) if is_epoch else value


def _leading_digits(value: Any) -> Any:
    """An account id of which the rest is not read."""
    found = re.match(r"\d+", str(value)) if isinstance(value, str | Decimal) else None
    return int(found[0]) if found else value


def _unwrapped(value: Any, name: str = "") -> Any:
    """A list of one element for the element, but where lists are documented."""
    if isinstance(value, dict):
        return {key: _unwrapped(part, key) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    return (
        [_unwrapped(part) for part in value]
        if name in {"extracts", "releases", "items"} or len(value) != 1
        else value[0]
    )


def _named(value: Any, names: tuple[str, ...]) -> Any:
    """An ordinal of an enumeration, as number or text, for its name."""
    digits = str(value)
    known = not isinstance(value, bool) and re.fullmatch(r"\d", digits) and int(digits) < len(names)
    return names[int(digits)] if known else value


def _whole_order(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Request]:
    """A submission's body read with a change of it as a whole."""
    return lambda request: (
        changed(request, change(dict(request.fields))) if request.endpoint is SUBMIT and request.fields else request
    )


def _per_extract(change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Callable[[Request], Request]:
    """The same for each of its extracts that is an object."""

    def whole(order: dict[str, Any]) -> dict[str, Any]:
        extracts = order.get("extracts")
        if not isinstance(extracts, list):
            return order
        return {**order, "extracts": [change(one, order) if isinstance(one, dict) else one for one in extracts]}

    return _whole_order(whole)


def _code_of_order(extract: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    own = extract.get("marketplaceCode")
    return extract if own else {**extract, "marketplaceCode": order.get("marketplaceCode")}


def _code_of_the_same_number(extract: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    """The extract under the order's code where both are the same number, as PHP's == has it."""
    codes = [order.get("marketplaceCode"), extract.get("marketplaceCode")]
    are_numbers = all(isinstance(code, str) and code.isascii() and code.isdecimal() for code in codes)
    is_same = are_numbers and len({int(str(code)) for code in codes}) == 1
    return {**extract, "marketplaceCode": codes[0]} if is_same else extract


def _with_inner_codes(is_like: Callable[[str, str], bool]) -> Callable[[Request], Request]:
    """A body read with the code at its top in place of each one inside that is like it by that."""

    def mended(item: Any, code: Any) -> Any:
        own = item.get("marketplaceCode") if isinstance(item, dict) else None
        is_same = isinstance(own, str) and isinstance(code, str) and is_like(own, code)
        return {**item, "marketplaceCode": code} if is_same else item

    def read(request: Request) -> Request:
        if request.endpoint not in {SUBMIT, RELEASE} or not request.fields:
            return request
        lists = {
            name: items for name in ("extracts", "releases") if isinstance(items := request.fields.get(name), list)
        }
        code = request.fields.get("marketplaceCode")
        return changed(
            request,
            {**request.fields, **{name: [mended(item, code) for item in items] for name, items in lists.items()}},
        )

    return read


def _code_of_extracts(order: dict[str, Any]) -> dict[str, Any]:
    if order.get("marketplaceCode"):
        return order
    extracts = order.get("extracts") if isinstance(order.get("extracts"), list) else []
    codes = [one.get("marketplaceCode") for one in extracts or [] if isinstance(one, dict)]
    code = next((code for code in codes if code), "GENERATED-1")
    own = [{**one, "marketplaceCode": code} if isinstance(one, dict) else one for one in extracts or []]
    return {**order, "marketplaceCode": code, "extracts": own}


def _status_filled_in(order: dict[str, Any]) -> dict[str, Any]:
    return order if order.get("status") else {**order, "status": "INVOICED"}


def _objects_only(order: dict[str, Any]) -> dict[str, Any]:
    extracts = order.get("extracts")
    if isinstance(extracts, dict):
        return {**order, "extracts": [extracts]}
    if not isinstance(extracts, list):
        return order
    return {**order, "extracts": [one for one in extracts if isinstance(one, dict)]}


def _values_of_an_object(order: dict[str, Any]) -> dict[str, Any]:
    extracts = order.get("extracts")
    return {**order, "extracts": [*extracts.values()]} if isinstance(extracts, dict) else order


_WRITERS: Final = (SUBMIT, CREATE, RELEASE)


def reads(
    name: str,
    statement: str,
    mend: Mend,
    fields: Collection[str],
    *blamed: str,
    endpoints: Collection[Endpoint] = _WRITERS,
) -> Defect:
    """Reads these fields so, wherever they stand."""
    return Defect(name=name, statement=statement, rules=rules(*blamed), judges=reading(mend, fields, *endpoints))


def _text(change: Callable[[str], str]) -> Mend:
    return lambda value: change(value) if isinstance(value, str) else value


TOLERANCE: Final = (
    reads("ord-09-any-case", "Takes the names of enumerations in any case.", _text(str.upper), ENUMERATIONS,
           "ORD-02", "ORD-09", "REL-04", "REL-05"),
    reads("ord-09-trimmed", "Takes the names of enumerations with blanks around them.", _text(str.strip), ENUMERATIONS,
           "ORD-02", "ORD-09", "REL-04", "REL-05"),
    reads("rel-05-any-case", "Takes the types of entries in any case.", _text(str.upper), ("type",), "REL-05",
           endpoints=(RELEASE,)),
    reads("rel-05-trimmed", "Takes the types of entries with blanks around them.", _text(str.strip), ("type",), "REL-05",
           endpoints=(RELEASE,)),
    reads("ord-02-hyphens", "Takes the names of enumerations with hyphens for their underscores.",
           _text(lambda name: name.replace("-", "_")), ENUMERATIONS, "ORD-02", "REL-04"),
    reads("ord-09-lists", "Takes a list of names, with commas between them, for the last one (.NET's Enum.Parse).",
           _text(lambda names: names.rpartition(", ")[2]), ENUMERATIONS, "ORD-02", "ORD-09", "REL-04", "REL-05"),
    Defect(name="ord-11-trimmed", statement="Compares codes without the blanks around them.", rules=rules("ORD-11", "REL-10"),
           judges=_with_inner_codes(lambda own, code: own.strip() == code.strip())),
    Defect(name="rel-10-in-any-case", statement="Compares codes in any case.", rules=rules("ORD-11", "REL-10"),
           judges=_with_inner_codes(lambda own, code: own.casefold() == code.casefold())),
    Defect(name="rel-10-beginnings", statement="Takes a code for the order's that the order's begins with.",
           rules=rules("ORD-11", "REL-10"), judges=_with_inner_codes(lambda own, code: bool(own) and code.startswith(own))),
    reads("ord-09-either-spelling", "Takes COMMISSION and CANCELLED.", _text(lambda name: SPELLINGS.get(name, name)),
           ENUMERATIONS, "ORD-02", "ORD-09", "REL-05"),
    reads("ord-09-types-of-the-portal", "Takes all types of the portal.", _text(lambda name: LIKE.get(name, name)),
           ("type",), "ORD-09", endpoints=(SUBMIT,)),
    reads("ord-02-ordinals", "Takes the ordinal of a status for its name.",
           lambda value: _named(value, STATUSES), ("status",), "ORD-02", "ORD-13", endpoints=(SUBMIT,)),
    reads("ord-09-ordinals", "Takes the ordinal of a type for its name.",
           lambda value: _named(value, TYPES), ("type",), "ORD-09", endpoints=(SUBMIT,)),
    Defect(name="ord-02-filled-in", statement="Takes an order without a status for INVOICED.", rules=rules("ORD-02", "ORD-13"),
           judges=_whole_order(_status_filled_in)),
    Defect(name="ord-11-filled-in", statement="Gives an extract without a code that of its order.", rules=rules("ORD-11"),
           judges=_per_extract(_code_of_order)),
    Defect(name="ord-11-loosely", statement="Compares codes that are numbers at their value (PHP's ==).", rules=rules("ORD-11"),
           judges=_per_extract(_code_of_the_same_number)),
    Defect(name="ord-12-filled-in", statement="Gives an order without a code that of its extracts, or a new one.",
           rules=rules("ORD-12"), judges=_whole_order(_code_of_extracts)),
    Defect(name="ord-13-elements-dropped", statement="Skips extracts that are no objects, and takes one object for a list.",
           rules=rules("ORD-13"), judges=_whole_order(_objects_only)),
    reads("ord-13-numbers-as-text", "Takes an amount written as text.", _number, NUMBERS,
           "ORD-13", "REC-08", "REL-17"),
    reads("rec-07-counts-as-text", "Takes a count or an id written as text or with a fraction.",
           lambda value: int(value) if isinstance(value, Decimal) else _count(value), COUNTS, "REC-07", "REL-17"),
    reads("ord-13-epochs", "Takes seconds and milliseconds since 1970 for dates.", _epoch, DATES,
           "ORD-13", "REC-08", "REL-17"),
    reads("ord-08-epochs-as-text", "Takes the digits of seconds since 1970 for dates, as pydantic does.", _epoch_as_text, DATES,
           "ORD-08", "REC-08", "REL-17"),
    Defect(name="ord-13-values-of-an-object", statement="Takes the values of an object for a list, as PHP does.",
           rules=rules("ORD-13"), judges=_whole_order(_values_of_an_object)),
    reads("ord-13-leading-digits", "Reads of an accountId the digits with which it begins.", _leading_digits,
           ("accountId",), "ORD-13"),
    Defect(name="ord-13-lists-unwrapped", statement="Takes a list of one element for the element.",
           rules=rules("ORD-13", "REC-07", "REC-08", "REL-17"),
           judges=lambda request: changed(request, _unwrapped(request.fields)) if request.fields else request),
    reads("ord-13-anything-as-text", "Takes numbers and booleans for text.",
           lambda value: str(value) if isinstance(value, int | Decimal) else value, ("marketplaceCode",), "ORD-13",
           endpoints=(SUBMIT,)),
)  # fmt: skip
