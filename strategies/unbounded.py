"""What no document bounds: large amounts, many extracts, dates long past or far ahead. A target may refuse it, or take it.

Each kind changes one thing of a lawful order and leaves that lawful but for its size. Kinds of one bound come in the sequence
in which a target that refuses some refuses the others too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies.alike import Alike
from strategies.identifiers import LENGTHS, ODD_SHAPES
from strategies.money import CENT
from strategies.orders import Order, orders
from strategies.placeholders import CODE
from strategies.scope import Scope

# -- codes ---------------------------------------------------------------------------------------------------------

LONG_CODES: Final[Mapping[str, Alike]] = MappingProxyType(
    {
        shape: Alike(lambda code: code[:-1] + "Z", (shape,), is_plain=False)
        for shape in (f"{length} characters" for length in LENGTHS)
    }
)
"""Codes of which only the last character differs: cut, they would be one."""

ODD_CODES: Final[Mapping[str, Alike]] = MappingProxyType(
    {shape: Alike(lambda code: code + "2", (shape,), is_plain=False) for shape in ODD_SHAPES if shape not in LONG_CODES}
)
"""Codes of other characters than letters, digits and `-_.#`."""

CODES_BEYOND: Final[Mapping[str, Mapping[str, Alike]]] = MappingProxyType(
    {"a long code": LONG_CODES, "a code of other characters": ODD_CODES}
)
"""By the words of a scenario."""

# -- orders --------------------------------------------------------------------------------------------------------

Change = Callable[[DrawFn, Order], Order]


def _worth(reais: str) -> Change:
    """The first sale of the order is of so many reais, and of some cents that are drawn."""

    def change(draw: DrawFn, order: Order) -> Order:
        amount = Decimal(reais) + Decimal(draw(st.integers(1, 99))).scaleb(-2)
        return _with_sales(order, amount)

    return change


def _with_sales(order: Order, *amounts: Decimal) -> Order:
    """The order with sales of these amounts and no others, its total their sum."""
    others = [extract for extract in order["extracts"] if extract["type"] != "SALE"]
    sales = [{"marketplaceCode": CODE, "type": "SALE", "value": amount} for amount in amounts]
    return {**order, "extracts": [*others, *sales], "totalGrossValue": sum(amounts, Decimal(0))}


def _total_alone(_: DrawFn, order: Order) -> Order:
    """Each sale fits where the total does not."""
    return _with_sales(order, *[Decimal("59999999.99")] * 2)


AMOUNTS: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "of a million": _worth("1000000"),
        "of ten million": _worth("10000000"),
        "beyond 31 bits in cents": _worth("21474837"),
        "beyond 32 bits in cents": _worth("42949673"),
        "of a hundred million": _worth("100000000"),
        "of a hundred million in all": _total_alone,
        "beyond 31 bits": _worth("2147483648"),
        "beyond 32 bits": _worth("4294967297"),
        "of ten billion": _worth("10000000000"),
        "of a hundred billion": _worth("100000000000"),
    }
)
"""Amounts beyond what DECIMAL(8,2), (9,2), (10,2), (12,2) and integers hold. None is beyond what a double holds to the cent."""


def _many(number: int) -> Change:
    """The order with so many extracts, each of another value, so that none can be missing unseen."""

    def change(_: DrawFn, order: Order) -> Order:
        more = range(1, number + 1 - len(order["extracts"]))
        added = [{"marketplaceCode": CODE, "type": "SHIP", "value": -n * CENT} for n in more]
        return {**order, "extracts": [*order["extracts"], *added]}

    return change


MOST_LAWFUL: Final = 50
"""So many extracts any target must take."""

COUNTS: Final[Mapping[str, Change]] = MappingProxyType(
    {f"{n} extracts": _many(n) for n in (MOST_LAWFUL, 60, 130, 300, 900)}
)
"""What must be taken, and more than a page, an 8-bit number with or without its sign, and a text of 64 KiB hold."""


def _on(field: str, instant: str) -> Change:
    """The order with another date, which is in order with the others."""
    return lambda _, order: {**order, field: instant}


def _created(instant: str) -> Change:
    return _on("createdDate", instant)


def _expected(instant: str) -> Change:
    """The order with an extract that is expected at another time: no document orders that among the others."""

    def change(_: DrawFn, order: Order) -> Order:
        first, *others = order["extracts"]
        return {**order, "extracts": [{**first, "expectedDate": instant}, *others]}

    return change


_CREATED_BY_SAO_PAULO: Final[Mapping[str, str]] = {
    # Clocks there went from 23:59 to 1:00, and in February from 23:59 back to 23:00, in Brazil's own summer time.
    "in an hour that São Paulo skipped": "2018-11-04T00:30:00-03:00",
    "in the first of an hour that São Paulo had twice": "2018-02-17T23:30:00-02:00",
    "in the second of an hour that São Paulo had twice": "2018-02-17T23:30:00-03:00",
    "in an hour that São Paulo skipped, by another clock": "2018-11-04T00:30:00Z",
}

PAST: Final[Mapping[str, Change]] = MappingProxyType(
    {
        **{name: _created(instant) for name, instant in _CREATED_BY_SAO_PAULO.items()},
        "before 1970": _created("1969-07-20T20:17:40Z"),
        "in 1899": _created("1899-12-30T12:00:00Z"),
    }
)
"""Dates of creation, the newest first."""

FUTURE: Final[Mapping[str, Change]] = MappingProxyType(
    {
        # No document orders it among the others: who reads it as 1901 finds it in order.
        "expected beyond 31 bits of seconds": _expected("2038-01-19T03:14:09Z"),
        "beyond 31 bits of seconds": _on("estimatedDeliveryDate", "2038-01-19T03:14:09Z"),
        "beyond 32 bits of seconds": _on("estimatedDeliveryDate", "2106-02-07T06:28:17Z"),
        "in 9999": _on("estimatedDeliveryDate", "9999-12-30T12:00:00Z"),
    }
)
"""Dates of expectation, the next first."""

_EXPECTED_BY_OTHERS: Final[Mapping[str, str]] = {
    "an hour that New York skipped": "2025-03-09T02:30:00Z",
    "an hour that Berlin skipped": "2025-03-30T02:30:00Z",
    "an hour that Santiago skipped": "2025-09-07T00:30:00Z",
    "the first of an hour that New York had twice": "2025-11-02T01:30:00-04:00",
    "the second of an hour that New York had twice": "2025-11-02T01:30:00-05:00",
    "the first of an hour that Berlin had twice": "2025-10-26T02:30:00+02:00",
    "the second of an hour that Berlin had twice": "2025-10-26T02:30:00+01:00",
}

ZONES: Final[Mapping[str, Change]] = MappingProxyType(
    {name: _expected(instant) for name, instant in _EXPECTED_BY_OTHERS.items()}
)
"""Instants of expectation that a server which keeps its own clock's time can't tell from others, or has no time for."""


def _at_noon(instant: str) -> str:
    return f"{instant[:10]}T12:00:00Z"


AS_LAWFUL: Final[Mapping[str, tuple[Change, str]]] = MappingProxyType(
    {name: (_created(_at_noon(instant)), "with that date at noon") for name, instant in _CREATED_BY_SAO_PAULO.items()}
    | {name: (_expected(_at_noon(instant)), "with that date at noon") for name, instant in _EXPECTED_BY_OTHERS.items()}
    | {f"{MOST_LAWFUL} extracts": (lambda _, order: order, "with fewer extracts")}
)
"""By the kinds that are to be taken: an order that is no more lawful, and in what it differs. Who takes it takes those."""


def _several(_: DrawFn, order: Order) -> Order:
    """The order with some more extracts of one type, of cents."""
    added = [{"marketplaceCode": CODE, "type": "SHIP", "value": -n * CENT} for n in (1, 1, 29, *range(50, 60))]
    return {**order, "extracts": [*order["extracts"], *added]}


_SOON: Final = "2030-01-15T12:00:00Z"

LIKE: Final[Mapping[str, Change]] = MappingProxyType(
    dict.fromkeys(COUNTS, _several)
    | dict.fromkeys((name for name in (*FUTURE, *ZONES) if "expected" in name or name in ZONES), _expected(_SOON))
    | {name: _on("estimatedDeliveryDate", _SOON) for name in FUTURE if "expected" not in name}
)
"""By kind, what makes an order have what this kind has beyond the bounds, within them: where that is not kept either, the bounds
are no matter. An order of another kind has it anyway."""


def _total_of_its_own(by: Decimal) -> Change:
    """The order with a total that its sales don't come to: no document says what is in it."""
    return lambda _, order: {**order, "totalGrossValue": order["totalGrossValue"] + by}


TOTALS: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "that takes in more than its sales": _total_of_its_own(Decimal("17.25")),
        "of a cent less than its sales": _total_of_its_own(-CENT),
    }
)
"""Totals that a server does not show where it reckons them anew."""

ORDERS_BEYOND: Final[Mapping[str, Mapping[str, Change]]] = MappingProxyType(
    {
        "a total of its own": TOTALS,
        "a large amount": AMOUNTS,
        "many extracts": COUNTS,
        "a date long past": PAST,
        "a date far ahead": FUTURE,
        "a date that a clock skips or has twice": ZONES,
    }
)
"""By the words of a scenario."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A lawful order, the same beyond what documents bound in one way, and what is to be taken where that is lawful."""

    plain: Order
    odd: Order
    like: Order
    """One that has what the odd one has, and nothing of it beyond the bounds."""
    twin: Order | None = None
    twin_is: str = ""
    """In what the twin differs from the odd one."""


@st.composite
def grown(
    draw: DrawFn,
    /,
    scope: Scope,
    change: Change,
    as_lawful: tuple[Change, str] | None = None,
    like_it: Change | None = None,
    *,
    large: bool = False,
    **wanted: Any,
) -> Grown:
    """An order and what the changes make of it. The one sale of a `large` one is of more than LARGE."""
    plain = draw(orders(scope, large=large, **wanted))
    if large:
        plain = _with_sales(plain, max(extract["value"] for extract in plain["extracts"] if extract["type"] == "SALE"))
    odd = change(draw, plain)
    like = like_it(draw, plain) if like_it is not None else plain
    if as_lawful is None:
        return Grown(plain, odd, like)
    return Grown(plain, odd, like, as_lawful[0](draw, plain), as_lawful[1])
