"""Input that nobody thought of makes a 5xx."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from conformance.contract.endpoints import (
    CREDENTIALS_FIELD,
    INTEGRATOR_HEADER,
    REFRESH_TOKEN_FIELD,
    TOKEN_HEADER,
    Endpoint,
)
from conformance.contract.instants import parse_instant
from conformance.contract.jsontext import NotJSON
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, MANDATORY_DATES
from conformance.contract.readings import EXTRACT_TYPES
from conformance.mock.defects.parts import CREATE, DELETE, QUERY, RELEASE, SUBMIT, Where, on_endpoint, rules
from conformance.mock.koncili import SERVER_ERROR
from conformance.mock.quirks import Defect

_LONG: Final = 1000
_DEEP: Final = 40


def _crash(name: str, statement: str, *where: Where, blamed: tuple[str, ...] = ()) -> Defect:
    """A mock that answers 500 where all of that holds."""
    return Defect(
        name=f"err-02-{name}",
        statement=statement,
        rules=rules("ERR-02", "ERR-05", *blamed),
        answers=lambda request, answer: SERVER_ERROR if all(holds(request) for holds in where) else answer,
    )


def _texts(value: object) -> str:
    """All text in a JSON value, strung together."""
    if isinstance(value, str):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "".join(_texts(part) for part in parts)


def _character(holds: Callable[[str], bool]) -> Where:
    return lambda request: any(holds(character) for character in _texts(request.content))


def _depth(value: object) -> int:
    """How deeply a JSON value is nested; no recursion, since it may be very deep."""
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            part
            for one in level
            if isinstance(one, dict | list)
            for part in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _longest(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    parts: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_longest(part) for part in parts), default=0)


def _is_json(request: Request) -> bool:
    return not isinstance(request.content, NotJSON)


def _no(*fields: str) -> Where:
    """One of these fields is not there, in a body that is an object."""
    return lambda request: isinstance(request.content, dict) and any(name not in request.fields for name in fields)


def _other_name(field: str, names: Collection[str]) -> Where:
    """The field holds a name, and none of these."""
    return lambda request: isinstance(name := request.fields.get(field), str) and bool(name) and name not in names


def _other_type(request: Request) -> bool:
    """One extract names a type that there is nowhere."""
    extracts = request.fields.get("extracts")
    names = [part.get("type") for part in extracts if isinstance(part, dict)] if isinstance(extracts, list) else []
    return any(isinstance(name, str) and name and name not in EXTRACT_TYPES["portal"] for name in names)


def _null(*fields: str) -> Where:
    return lambda request: any(name in request.fields and request.fields[name] is None for name in fields)


def _of_type(field: str, *types: type) -> Where:
    return lambda request: isinstance(request.fields.get(field), types)


def _item_without(list_: str, field: str) -> Where:
    def holds(request: Request) -> bool:
        items = request.fields.get(list_)
        return isinstance(items, list) and any(isinstance(item, dict) and field not in item for item in items)

    return holds


def _item_no_object(list_: str) -> Where:
    def holds(request: Request) -> bool:
        items = request.fields.get(list_)
        return isinstance(items, list) and any(not isinstance(item, dict) for item in items)

    return holds


def _malformed_date(request: Request) -> bool:
    given = [request.fields.get(name) for name in DATE_FIELDS]
    return any(isinstance(text, str) and parse_instant(text) is None for text in given)


def _malformed_period(request: Request) -> bool:
    given = [request.fields.get(name) for name in ("periodInitDate", "periodEndDate", "releasedDate")]
    return any(isinstance(text, str) and parse_instant(text) is None for text in given)


def _no_query(request: Request) -> bool:
    return len(request.query) < 3


def _escapes_nothing(request: Request) -> bool:
    return re.search("%(?![0-9A-Fa-f]{2})", request.query_string) is not None


def _account_no_number(request: Request) -> bool:
    return not request.query.get("accountId", "1").isdecimal()


def _no_integrator(request: Request) -> bool:
    return request.header(INTEGRATOR_HEADER) is None


def _odd_token(request: Request) -> bool:
    token = request.header(TOKEN_HEADER)
    return token is not None and token.count(".") != 2


def _odd_code(request: Request) -> bool:
    """Of an order that is one otherwise: its extracts have the same code."""
    code = request.fields.get("marketplaceCode")
    extracts = request.fields.get("extracts")
    is_odd = isinstance(code, str) and "\0" in code
    return (
        is_odd
        and isinstance(extracts, list)
        and all(isinstance(extract, dict) and extract.get("marketplaceCode") == code for extract in extracts)
    )


CRASHES: Final = (
    _crash("odd-text", "Answers 500 to a NUL or a lone surrogate in any text.",
           _character(lambda one: one == "\0" or "\ud800" <= one <= "\udfff")),
    _crash("odd-code", "Answers 500 to an order with a NUL in its code, once its fields are in order.",
           on_endpoint(SUBMIT), _odd_code),
    _crash("control-characters", "Answers 500 to a control character in any text.", _character(lambda one: one < " ")),
    _crash("beyond-the-basic-plane", "Answers 500 to an emoji in an order.",
           on_endpoint(SUBMIT), _character(lambda one: one > "\uffff"),
           blamed=("ORD-01", "ORD-06", "ORD-15", "ORD-17", "QRY-01", "DEL-06", "ERR-06")),
    _crash("large-numbers", "Answers 500 to a number beyond any double.",
           on_endpoint(SUBMIT), lambda request: b"E+" in request.body, blamed=("ORD-20",)),
    _crash("long-text", "Answers 500 to a text of more than a thousand characters.",
           lambda request: _longest(request.content) > _LONG),
    _crash("deep-nesting", "Answers 500 to deeply nested JSON.", lambda request: _depth(request.content) > _DEEP),
    _crash("not-json", "Answers 500 to an order that is not JSON.",
           on_endpoint(SUBMIT), lambda request: bool(request.body) and not _is_json(request), blamed=("ORD-14", "ORD-22")),
    _crash("empty-body", "Answers 500 to an empty order.",
           on_endpoint(SUBMIT), lambda request: not request.body, blamed=("ORD-14",)),
    _crash("null-body", "Answers 500 to an order that is null.",
           on_endpoint(SUBMIT), lambda request: request.content is None, blamed=("ORD-14",)),
    _crash("array-body", "Answers 500 to an array in place of a reconciliation.",
           on_endpoint(CREATE), lambda request: isinstance(request.content, list), blamed=("REC-08",)),
    _crash("array-for-a-release", "Answers 500 to an array in place of a release.",
           on_endpoint(RELEASE), lambda request: isinstance(request.content, list), blamed=("REL-17",)),
    _crash("no-account", "Answers 500 to an order without accountId.",
           on_endpoint(SUBMIT), _no("accountId"), blamed=("ORD-12",)),
    _crash("no-extracts", "Answers 500 to an order without extracts.",
           on_endpoint(SUBMIT), _no("extracts"), blamed=("ORD-18",)),
    _crash("extracts-null", "Answers 500 to extracts that are null.", _null("extracts"), blamed=("ORD-18",)),
    _crash("extracts-an-object", "Answers 500 to extracts that are an object.",
           _of_type("extracts", dict), blamed=("ORD-13",)),
    _crash("extract-no-object", "Answers 500 to an extract that is no object.",
           _item_no_object("extracts"), blamed=("ORD-13",)),
    _crash("extract-without-type", "Answers 500 to an extract without type.",
           _item_without("extracts", "type"), blamed=("ORD-09",)),
    _crash("extract-without-value", "Answers 500 to an extract without value.",
           _item_without("extracts", "value"), blamed=("ORD-12",)),
    _crash("status-a-number", "Answers 500 to a status that is a number.", _of_type("status", int), blamed=("ORD-13", "REL-17")),
    _crash("status-null", "Answers 500 to a status that is null.",
           on_endpoint(SUBMIT), _null("status"), blamed=("ORD-02",)),
    _crash("status-unknown", "Answers 500 to a status that it does not know (valueOf, Rails' ArgumentError).",
           on_endpoint(SUBMIT), _other_name("status", MANDATORY_DATES), blamed=("ORD-02",)),
    _crash("type-unknown", "Answers 500 to a type that it does not know (valueOf, Rails' ArgumentError).",
           on_endpoint(SUBMIT), _other_type, blamed=("ORD-09",)),
    _crash("malformed-date", "Answers 500 to a malformed date of an order.",
           on_endpoint(SUBMIT), _malformed_date, blamed=("ORD-08", "ORD-21")),
    _crash("malformed-period", "Answers 500 to a malformed date of a reconciliation or release.",
           on_endpoint(CREATE, RELEASE), _malformed_period, blamed=("REC-08", "REL-17", "ORD-21")),
    _crash("no-period", "Answers 500 to a reconciliation without a period.",
           on_endpoint(CREATE), _no("periodInitDate", "periodEndDate"), blamed=("REC-08",)),
    _crash("quantity-as-text", "Answers 500 to releasesQtd as text.",
           on_endpoint(CREATE), _of_type("releasesQtd", str), blamed=("REC-07",)),
    _crash("no-reconciliation-id", "Answers 500 to a release without reconciliationId.",
           on_endpoint(RELEASE), _no("reconciliationId"), blamed=("REL-02",)),
    _crash("unknown-reconciliation", "Answers 500 to a reconciliationId above a billion.",
           on_endpoint(RELEASE),
           lambda request: isinstance(number := request.fields.get("reconciliationId"), int) and number > 10**9,
           blamed=("REL-02",)),
    _crash("reconciliation-beyond-64-bits", "Answers 500 to a reconciliationId beyond 64 bits.",
           on_endpoint(RELEASE),
           lambda request: isinstance(number := request.fields.get("reconciliationId"), int) and number >= 2**63,
           blamed=("REL-02",)),
    _crash("no-releases", "Answers 500 to a release without entries.",
           on_endpoint(RELEASE), lambda request: not request.fields.get("releases"), blamed=("REL-09", "REL-17", "ORD-22")),
    _crash("entry-no-object", "Answers 500 to an entry that is no object.", _item_no_object("releases"), blamed=("REL-17",)),
    _crash("entry-without-value", "Answers 500 to an entry without value.",
           _item_without("releases", "value"), blamed=("REL-17",)),
    _crash("query-without-parameters", "Answers 500 to a query that names no order.",
           on_endpoint(QUERY), _no_query),
    _crash("deletion-without-parameters", "Answers 500 to a deletion that names no order.",
           on_endpoint(DELETE), _no_query),
    _crash("query-account-no-number", "Answers 500 to a query with an accountId that is no number.",
           on_endpoint(QUERY), _account_no_number),
    _crash("query-account-empty", "Answers 500 to a query with an empty accountId.",
           on_endpoint(QUERY), lambda request: request.query.get("accountId") == ""),
    _crash("deletion-account-empty", "Answers 500 to a deletion with an empty accountId.",
           on_endpoint(DELETE), lambda request: request.query.get("accountId") == ""),
    _crash("query-escapes", "Answers 500 to a query with a percent sign that escapes nothing.",
           on_endpoint(QUERY), _escapes_nothing),
    _crash("deletion-escapes", "Answers 500 to a deletion with a percent sign that escapes nothing.",
           on_endpoint(DELETE), _escapes_nothing),
    _crash("no-total", "Answers 500 to a reconciliation without totalNetValue.", on_endpoint(CREATE), _no("totalNetValue")),
    _crash("release-without-status", "Answers 500 to a release without status.", on_endpoint(RELEASE), _no("status")),
    _crash("release-without-created-date", "Answers 500 to a release without createdDate.",
           on_endpoint(RELEASE), _no("createdDate")),
    _crash("release-without-installment", "Answers 500 to a release without installment.",
           on_endpoint(RELEASE), _no("installment")),
    _crash("no-integrator", "Answers 500 to a call without the integrator header.",
           _no_integrator, lambda request: request.endpoint is not None and request.endpoint.needs_token,
           blamed=("AUTH-08",)),
    _crash("token-no-jwt", "Answers 500 to a token that is no JWT.", _odd_token, blamed=("AUTH-04",)),
    _crash("credentials-a-number", "Answers 500 to credentials that are no text.",
           on_endpoint(Endpoint.CREATE_TOKEN),
           lambda request: not isinstance(request.fields.get(CREDENTIALS_FIELD, ""), str), blamed=("AUTH-02",)),
    _crash("refresh-token-missing", "Answers 500 to a refresh without a refresh token.",
           on_endpoint(Endpoint.REFRESH_TOKEN),
           lambda request: not isinstance(request.fields.get(REFRESH_TOKEN_FIELD), str), blamed=("AUTH-07",)),
)  # fmt: skip
