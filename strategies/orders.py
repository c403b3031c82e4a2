"""Lawful orders in all four statuses, as the JSON that is sent."""

from __future__ import annotations

import struct
from decimal import Decimal
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies import dates
from strategies.money import AMOUNTS, CENT, at_most, most, reais
from strategies.packed import packed
from strategies.placeholders import CODE
from strategies.scope import Place, Scope

STATUSES: Final = tuple(dates.MANDATORY)

FEW_EXTRACTS, MOST_EXTRACTS = 4, 12
"""Besides the sale most orders have up to so many extracts, and one in eight up to so many in all."""

Order = dict[str, Any]
"""An order as JSON to be: money as Decimal, its marketplaceCode a placeholder."""

_CUSTOMERS: Final = (None, "Ana", "João da Conceição", "Łucja", "李雷", 'O\'Neill "Bob" & Söhne 🚚')

_CROWDED: Final = 7

_NEARLY: Final = 2
"""So many extracts less a crowded order may have."""

LARGE: Final = Decimal(300_000)
"""BRL above which a 32-bit float counts in 32nds."""

_LARGER: Final = LARGE + 1
"""Some cents less are still as large."""

_FOR_OTHERS: Final = Decimal(1000)
"""BRL that a large sale leaves to the other sales of its order."""

_WHOLE: Final = 8
"""One amount in so many is written without cents, and another with one decimal."""

LARGEST_UNIT: Final = 3_000_000
"""Cents of which an order with extracts in fixed proportions has multiples, at most."""

Multiples = tuple[tuple[str, int], ...]
"""Extracts in fixed proportions: each one's type, and how many times one amount its value is."""

_ZERO: Final = 4
"""One whole percentage in so many is zero, which some servers take for none."""

_TWINS: Final = 4
"""One order in so many has an extract twice: two products of one price do that."""


MOST: Final = most(1)
"""BRL that the sales of an order add up to at most."""


@cache
def _order_choices(statuses: int, places: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Status and place, how accountId is written, which fields the order has that no document names (unknown fields are
    allowed), whether it may have very many extracts, where among them the demanded ones stand, and whether one of them is
    there twice."""
    return packed([statuses, places, 2, len(_CUSTOMERS), 2, _CROWDED + 1, MOST_EXTRACTS, _TWINS])


@cache
def _entry(types: int) -> st.SearchStrategy[tuple[Decimal, tuple[int, ...]]]:
    """An extract's amount, and its choices: type, a free sign, expectedDate (left out, null, given), how much later it is,
    whether there is a percentage, and which, the zone of expectedDate, and how many decimals the amount has."""
    return st.tuples(AMOUNTS, packed([types, 2, 3, len(dates.TERMS), 4, 101, len(dates.OFFSETS), _WHOLE]))


@cache
def _entries(types: int, at_least: int, at_most: int) -> st.SearchStrategy[list[tuple[Decimal, tuple[int, ...]]]]:
    return st.lists(_entry(types), min_size=at_least, max_size=at_most)


_SIGN: Final = {"SALE": 1, "RETURN_COMISSION": 1, "COMISSION": -1, "RETURN_SALE": -1}

_NULL_DATE, _GIVEN_DATE = 1, 2


def _extract(type_: str, amount: Decimal, choices: tuple[int, ...], created: str) -> dict[str, Any]:
    _, negative, date, gap, has_percentage, percentage, zone, whole = choices
    if whole == _WHOLE - 1 and amount > 1:
        amount = Decimal(int(amount))
    elif whole == _WHOLE - 2 and amount > 1:
        amount = Decimal(int(amount * 10)).scaleb(-1)
    sign = _SIGN.get(type_) or (-1 if negative else 1)
    extract: dict[str, Any] = {"marketplaceCode": CODE, "type": type_, "value": sign * amount}
    if date == _NULL_DATE:
        extract["expectedDate"] = None
    elif date == _GIVEN_DATE:
        extract["expectedDate"] = dates.moved(created, dates.TERMS[gap], dates.OFFSETS[zone])
    if type_ == "COMISSION" and has_percentage:
        share = percentage if percentage % _ZERO else 0
        extract["percentage"] = share if has_percentage == 1 else Decimal(percentage * 99).scaleb(-2)
    return extract


_Entry = tuple[str, Decimal, tuple[int, ...]]
"""An extract's type, its amount, and its choices."""


def _within(limit: Decimal, entries: list[_Entry], types: frozenset[str]) -> list[_Entry]:
    """The entries with those of these types cut so that they add up to no more than the limit."""
    room = limit - sum(CENT for kind, *_ in entries if kind in types)
    found = []
    for kind, amount, choices in entries:
        cut = at_most(amount, room + CENT) if kind in types else amount
        room -= cut - CENT if kind in types else 0
        found.append((kind, cut, choices))
    return found


def _blind(amount: Decimal) -> Decimal:
    """The amount, or one some cents smaller, which a 32-bit float neither tells from one a cent larger nor keeps."""
    while struct.pack("f", amount) != struct.pack("f", amount + CENT) or _is_kept(amount):
        amount -= CENT
    return amount


def _is_kept(amount: Decimal) -> bool:
    """Whether a 32-bit float is the same to the cent."""
    (kept,) = struct.unpack("f", struct.pack("f", amount))
    return Decimal(kept).quantize(CENT) == amount


@st.composite
def orders(
    draw: DrawFn,
    scope: Scope,
    *,
    statuses: tuple[str, ...] = STATUSES,
    present: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    places: tuple[Place, ...] = (),
    releasable: bool = False,
    large: bool = False,
    crowded: bool = False,
    bare: bool = False,
    apart: bool = False,
    multiples: Multiples = (),
    limit: Decimal = MOST,
) -> Order:
    """A lawful order. `present` names dates that it has in any case, `types` extract types that it has besides a sale;
    a `releasable` one has only extracts of types that releases take, a `large` one a sale of more than LARGE, a
    `crowded` one as many extracts as any, or nearly, a `bare` one no more than are demanded; the dates of one that is `apart`
    are hours from each other. `multiples` are extracts that it has besides, one after the other, all of them multiples of one
    amount. Its sales add up to no more than `limit` BRL; all of its extracts, where it is `releasable` and they are what a
    reconciliation's total is of."""
    places = places or scope.places
    choices = draw(_order_choices(len(statuses), len(places)))
    status, place = statuses[choices[0]], places[choices[1]]
    account_form, customer, items, crowd, position, twin = choices[2:]
    timeline = dates.timeline(draw, status, present, apart=apart, days=scope.days)
    kinds = scope.releasable_types if releasable else scope.extract_types
    is_of_all = releasable and scope.readings["total-net-value"] == "sum-of-entries"
    limited = frozenset(kinds) if is_of_all else frozenset({"SALE"})
    number = max(MOST_EXTRACTS - 1 - len(types) if crowded or crowd == _CROWDED else FEW_EXTRACTS, 0)
    number = 0 if bare else number
    demanded: list[_Entry] = [(kind, *draw(_entry(len(kinds)))) for kind in ("SALE", *types)]
    least = max(number - _NEARLY, 0) if crowded else 0
    some = draw(_entries(len(kinds), least, number))
    free: list[_Entry] = [(kinds[entry[0]], amount, entry) for amount, entry in some]
    if large:
        demanded[0] = ("SALE", _blind(_LARGER + at_most(demanded[0][1], limit - _LARGER - _FOR_OTHERS)), demanded[0][2])
    # Of as many as any those that are demanded are last: a server may look at the first few only.
    position = len(free) if crowded else position % (len(free) + 1)
    last = (*demanded, *multiples, *free[position:])[-1][0]
    there = len(free) + len(demanded) + len(multiples)
    is_twin = twin == _TWINS - 1 and there < MOST_EXTRACTS and not (large and last == "SALE") and not bare
    # What is limited and there twice counts twice.
    cut = _within(limit // 2 if is_twin and last in limited else limit, [*demanded, *free], limited)
    demanded, free = cut[: len(demanded)], cut[len(demanded) :]
    created = timeline["createdDate"] or ""
    before, after = (
        [_extract(*entry, created) for entry in some] for some in ((*free[:position], *demanded), free[position:])
    )
    unit = reais(draw(st.integers(1, LARGEST_UNIT))) if multiples else Decimal(0)
    between = [{"marketplaceCode": CODE, "type": kind, "value": times * unit} for kind, times in multiples]
    entries = [*before, *between, *after]
    if is_twin:
        entries.append(dict(entries[-1]))
    forms = scope.account_id_forms
    order: Order = {
        "marketplaceCode": CODE,
        "channelName": place.channel,
        "accountId": forms[account_form % len(forms)](place.account),
        "status": status,
        **timeline,
        "totalGrossValue": sum((entry["value"] for entry in entries if entry["type"] == "SALE"), Decimal(0)),
        "extracts": entries,
    }
    if customer:
        order["customerName"] = _CUSTOMERS[customer]
    if items:
        order["items"] = [{"sku": "SKU-1", "quantity": 1}]
    return order


def place_of(order: Order) -> Place:
    """The account and channel that an order is for."""
    return Place(int(order["accountId"]), order["channelName"])
