"""Variants that bound what no document bounds: they refuse the rest with 400, and so do what the documents allow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.order_rules import DATE_FIELDS, Breach, is_number
from conformance.mock.defects.keys import refused_again, remember_deleted
from conformance.mock.quirks import Answer, Variant
from conformance.mock.world import Body, MockWorld

PLAIN_CODE: Final = re.compile(r"[A-Za-z0-9._#-]{1,40}")

_ACCOUNTS: Final = 2**31

Holds = Callable[[Any], bool]


def _fields(value: Any, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Every field of that name in a body, wherever it stands."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield from ((name, part) for name, part in value.items() if name in names)
    for part in parts:
        yield from _fields(part, names)


def _refuses(
    name: str,
    statement: str,
    holds: Holds,
    *names: str,
    endpoints: frozenset[Endpoint] = frozenset(Endpoint),
    **hooks: Any,
) -> Variant:
    """A mock that refuses lawful bodies with 400 in which that holds of one of these fields."""
    named = frozenset(names)

    def objects(request: Request, body: Body, _world: MockWorld) -> Breach | None:
        if request.endpoint not in endpoints:
            return None
        found = next((field for field, value in _fields(dict(body), named) if value is not None and holds(value)), None)
        return Breach("ORD-13", found, f"{found} is out of bounds") if found else None

    return Variant(name=name, statement=statement, objects=objects, **hooks)


def _adds_up(order: Body) -> bool:
    """Whether the total of an order is the sum of its sales; also where it has none, or no sales can be added up."""
    extracts: Any = order.get("extracts")
    total: Any = order.get("totalGrossValue")
    if not is_number(total) or not isinstance(extracts, list) or not all(isinstance(one, dict) for one in extracts):
        return True
    sales: list[Any] = [one.get("value") for one in extracts if one.get("type") == "SALE"]
    return not all(map(is_number, sales)) or sum(map(Decimal, sales), Decimal(0)) == Decimal(total)


_AMOUNTS: Final = ("value", "totalGrossValue", "totalNetValue")


def _more_than(limit: str) -> Holds:
    largest = Decimal(limit)
    return lambda value: is_number(value) and abs(Decimal(value)) > largest


def _longer(length: int) -> Holds:
    return lambda value: isinstance(value, str) and len(value) > length


def _not_plain(value: Any) -> bool:
    return isinstance(value, str) and PLAIN_CODE.fullmatch(value) is None


def _dated(holds: Callable[[datetime], bool]) -> Holds:
    return lambda text: isinstance(text, str) and (instant := parse_instant(text)) is not None and holds(instant)


_PLAIN_EXTRACTS = 50
"""So many are plainly lawful."""

_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC)
_ORDERED: Final = (*DATE_FIELDS, "expectedDate")
_OF_ORDERS: Final = frozenset({Endpoint.SUBMIT_ORDER})


def _lookup_refused(holds: Callable[[Request], bool]) -> Callable[[Request, Answer], Answer]:
    """A lookup refused with 400, whether or not there is such an order."""
    refusal = Answer(
        400, {"errorMessage": "a parameter is out of bounds", "errorCode": "400-0", "errorSource": "marketplaceCode"}
    )

    def answers(request: Request, answer: Answer) -> Answer:
        is_lookup = request.endpoint in {Endpoint.GET_ORDER, Endpoint.DELETE_ORDER}
        return refusal if is_lookup and holds(request) else answer

    return answers


def _is_odd(request: Request) -> bool:
    return _not_plain(request.query.get("marketplaceCode", "0")) and answerable(request)


def answerable(request: Request) -> bool:
    """Whether a lookup names all that it must."""
    return all(request.query.get(name) for name in ("marketplaceCode", "channelName", "accountId"))


def _is_far_account(request: Request) -> bool:
    account = request.query.get("accountId", "")
    return account.isdecimal() and int(account) >= _ACCOUNTS


BOUNDED: Final = (
    _refuses("codes-of-forty", "Refuses a marketplaceCode of more than 40 characters.", _longer(40), "marketplaceCode"),
    _refuses("codes-of-fifty", "Refuses a marketplaceCode of more than 50 characters.", _longer(50), "marketplaceCode"),
    _refuses("codes-of-255", "Refuses a marketplaceCode of more than 255 characters.", _longer(255), "marketplaceCode"),
    _refuses("plain-codes", "Refuses codes of other than 40 letters, digits and -_.#.", _not_plain, "marketplaceCode"),
    _refuses("plain-codes-everywhere", "Refuses such a code in a lookup too.", _not_plain, "marketplaceCode",
             answers=_lookup_refused(_is_odd)),
    _refuses("ascii-codes", "Refuses a marketplaceCode beyond ASCII.",
             lambda code: isinstance(code, str) and not code.isascii(), "marketplaceCode"),
    _refuses("below-a-million", "Refuses amounts of a million BRL or more.", _more_than("999999.99"), *_AMOUNTS),
    _refuses("below-ten-million", "Refuses amounts of ten million BRL or more.", _more_than("9999999.99"), *_AMOUNTS),
    _refuses("below-a-hundred-million", "Refuses a hundred million BRL or more.", _more_than("99999999.99"), *_AMOUNTS),
    _refuses("fifty-extracts", "Refuses an order with more than 50 extracts.",
             lambda extracts: isinstance(extracts, list) and len(extracts) > _PLAIN_EXTRACTS, "extracts"),
    _refuses("no-old-orders", "Refuses an order with a date before 2020.", _dated(lambda one: one < _EARLIEST), *_ORDERED,
             endpoints=_OF_ORDERS),
    _refuses("no-far-dates", "Refuses an order with a date after 2037.", _dated(lambda one: one > _LATEST), *_ORDERED,
             endpoints=_OF_ORDERS),
    _refuses("accounts-of-31-bits", "Refuses with 400 an accountId beyond 31 bits.",
             lambda account: str(account).isdecimal() and int(account) >= _ACCOUNTS, "accountId",
             answers=_lookup_refused(_is_far_account)),
    Variant(
        name="codes-once",
        statement="Refuses an order with the code of one that was deleted.",
        disregards=frozenset({"DEL-07"}),
        after_deletion=remember_deleted,
        objects=refused_again,
    ),
    Variant(
        name="totals-reckoned",
        statement="Refuses an order whose total is not what its sales come to.",
        objects=lambda request, body, _: (
            Breach("ORD-13", "totalGrossValue", "totalGrossValue is not the sum of the sales")
            if request.endpoint is Endpoint.SUBMIT_ORDER and not _adds_up(body)
            else None
        ),
    ),
    Variant(
        name="total-net-value-demanded",
        statement="Refuses a reconciliation without totalNetValue.",
        objects=lambda request, body, _: (
            Breach("REC-08", "totalNetValue", "totalNetValue is missing")
            if request.endpoint is Endpoint.CREATE_RECONCILIATION and body.get("totalNetValue") is None
            else None
        ),
    ),
)  # fmt: skip
