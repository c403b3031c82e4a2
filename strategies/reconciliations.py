"""Whole reconciliations: several orders, the body that opens it, and each order's release that mirrors its extracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies import identifiers
from strategies.dates import START, printed
from strategies.money import CENT, most
from strategies.orders import Multiples, Order, orders
from strategies.packed import packed
from strategies.periods import LENGTHS, at
from strategies.placeholders import CODE, RECONCILIATION
from strategies.scope import Place, Scope
from strategies.turns import whose

STATUSES: Final = ("PAID_WAITING_DELIVERY", "CONCLUDED")
"""Statuses of the orders that are reconciled (S2's example has the first; its release the second)."""

_ZONES: Final = (None, -180, 330, 60)

_FRACTION: Final = timedelta(milliseconds=123)
_SECOND: Final = timedelta(seconds=1)

RELEASED: Final[tuple[Callable[[timedelta], timedelta], ...]] = (
    lambda length: length / 2,
    lambda _: _SECOND,
    lambda length: length / 2 + _FRACTION,
    lambda length: length - _SECOND,
    lambda length: length - _SECOND - _FRACTION,
)
"""Where in a period of that length a release is dated: between its ends, whose own belonging is a reading, and so that
it is between them still where a server keeps whole seconds."""

_TOTALS: Final[Mapping[str, Callable[[list[dict[str, Any]]], Decimal]]] = MappingProxyType(
    {
        "unchecked": lambda entries: _sum(entry["value"] for entry in entries if entry["type"] == "SALE"),
        "gross": lambda entries: _sum(entry["value"] for entry in entries if entry["type"] == "SALE"),
        "sum-of-entries": lambda entries: _sum(entry["value"] for entry in entries),
    }
)
"""totalNetValue by reading; unchecked, it is the gross, as S2 prints it."""


def _sum(values: Any) -> Decimal:
    return sum(values, Decimal(0))


@dataclass(frozen=True, slots=True)
class Batch:
    """One reconciliation whole. Each order and its release are filled with values of their own, the period is shared."""

    place: Place
    orders: tuple[Order, ...]
    creation: dict[str, Any]
    releases: tuple[dict[str, Any], ...]
    seconds: int
    shape: str
    namesake: Order | None = None
    """An order of the first one's code on another account of the channel; it is there too, and no part of this."""


def order_on(place: Place, body: Order) -> Order:
    """An order, or another body, as one of that account and channel, which are written as they were."""
    return {**body, "channelName": place.channel, "accountId": type(body["accountId"])(place.account)}


def at_place(batch: Batch, place: Place) -> Batch:
    """The same at another place, without its namesake."""
    moved = partial(order_on, place)
    orders, releases = tuple(map(moved, batch.orders)), tuple(map(moved, batch.releases))
    return replace(batch, place=place, orders=orders, creation=moved(batch.creation), releases=releases, namesake=None)


@cache
def _choices(places: int, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Place, how many orders beyond the least, length of the period, print of its ends and of accountId."""
    return packed([places, most, len(LENGTHS), len(_ZONES), len(_ZONES), 2, 2])


_DECIMALS: Final[tuple[Callable[[Decimal], Decimal], ...]] = (
    lambda amount: amount,
    lambda amount: amount.quantize(CENT),
    lambda amount: Decimal(format(amount.normalize(), "f")),
)
"""How a release prints an amount: as the order did, with two decimals, or without zeros at its end. It is the same amount."""

_DATED: Final = packed([len(RELEASED), len(_ZONES), len(_DECIMALS)])
"""When a release is dated, in which zone, and how its amounts are printed."""


@st.composite
def batches(
    draw: DrawFn,
    scope: Scope,
    *,
    at_least: int = 1,
    at_most: int = 1,
    types: tuple[str, ...] = (),
    places: tuple[Place, ...] = (),
    shapes: tuple[str, ...] = (),
    seconds: int | None = None,
    large: bool = False,
    crowded: bool = False,
    bare: bool = False,
    multiples: Multiples = (),
    last: tuple[str, ...] = STATUSES,
    turn: int | None = None,
) -> Batch:
    """A lawful reconciliation of so many orders; the first has extracts of `types` besides a sale, and is `crowded` or `bare`
    where that is asked for. It lasts so many `seconds` where they are given; its sales are `large` where that is asked for. Of
    several orders the last one has one of the statuses `last`. Where it is its `turn`, the place and the status of the first
    are those whose turn it is.

    With `multiples` the first order has such extracts too. The others, and its namesake on another account, have the same
    ones with their types exchanged: whoever takes another order's extracts for this one's sees as much as can be alike.
    """
    places = places or scope.places
    places = tuple(place for place in places if place in scope.opened_at) or places
    # Each place comes with each status: one in every other turn, the other in pairs of turns.
    places, first = (
        (places, STATUSES) if turn is None else (whose(places, turn), whose(STATUSES, turn // len(STATUSES)))
    )
    place_number, more, length, init_zone, end_zone, milliseconds, form = draw(
        _choices(len(places), at_most - at_least + 1)
    )
    place, seconds = places[place_number], max(seconds or scope.shortest + LENGTHS[length], scope.shortest)
    count = at_least + more
    some: dict[str, Any] = {
        "statuses": STATUSES, "places": (place,), "releasable": True, "large": large, "limit": most(count)
    }  # fmt: skip
    drawn = [
        draw(orders(scope, **{**some, "statuses": first}, types=types, multiples=multiples, crowded=crowded, bare=bare))
    ]
    namesake = None
    if multiples:
        other = {**drawn[0], "extracts": with_types_exchanged(drawn[0]["extracts"], multiples)}
        drawn += [other] * (count - 1)
        neighbours = scope.neighbours(place)
        namesake = {**other, "accountId": type(other["accountId"])(neighbours[0].account)} if neighbours else None
    else:
        drawn += [draw(orders(scope, **some)) for _ in range(count - 2)]
        drawn += [draw(orders(scope, **{**some, "statuses": last})) for _ in range(min(count - 1, 1))]
    forms = scope.account_id_forms
    account = forms[form % len(forms)](place.account)
    creation = {
        "channelName": place.channel,
        "accountId": account,
        "periodInitDate": at(timedelta(), _ZONES[init_zone], milliseconds=bool(milliseconds)),
        "periodEndDate": at(timedelta(seconds=seconds), _ZONES[end_zone]),
        "releasesQtd": sum(len(order["extracts"]) for order in drawn),
        "totalNetValue": total(scope, drawn),
    }
    releases = tuple(_release(order, account, seconds, draw(_DATED)) for order in drawn)
    shape = draw(identifiers.shape_names(shapes))
    return Batch(place, tuple(drawn), creation, releases, seconds, shape, namesake)


def alike(items: list[dict[str, Any]], multiples: Multiples) -> range:
    """Where among extracts or entries those in these proportions are. Raises LookupError where they are not."""
    size = len(multiples)
    for start in range(len(items) - size + 1):
        some = items[start : start + size]
        unit = some[0]["value"] / multiples[0][1]
        if all(
            (one["type"], one["value"]) == (type_, unit * n) for one, (type_, n) in zip(some, multiples, strict=True)
        ):
            return range(start, start + size)
    raise LookupError("there are no extracts in these proportions")


def with_types_exchanged(items: list[dict[str, Any]], multiples: Multiples) -> list[dict[str, Any]]:
    """The extracts or entries, of those in these proportions each SHIP a COMISSION and the other way round; where there are
    no COMISSIONs among them, as they are."""
    other = {"SHIP": "COMISSION", "COMISSION": "SHIP"}
    if {type_ for type_, _ in multiples} != set(other):
        return items
    there = alike(items, multiples)
    return [{**item, "type": other[item["type"]]} if place in there else item for place, item in enumerate(items)]


def total(scope: Scope, drawn: list[Order]) -> Decimal:
    """The totalNetValue that the reading wants for these orders, in BRL."""
    return _TOTALS[scope.readings["total-net-value"]]([entry for order in drawn for entry in order["extracts"]])


def _release(order: Order, account: int | str, seconds: int, choices: tuple[int, ...]) -> dict[str, Any]:
    """The release of an order in a period of so many seconds, as chosen."""
    where, zone, decimals = choices
    drawn = release(order, account, RELEASED[where](timedelta(seconds=seconds)), _ZONES[zone])
    entries = [{**entry, "value": _DECIMALS[decimals](entry["value"])} for entry in drawn["releases"]]
    return {**drawn, "releases": entries}


def release(order: Order, account: int | str, after: timedelta, zone: int | None = None) -> dict[str, Any]:
    """The release that mirrors an order's extracts, dated so long after the beginning of the period."""
    return {
        "reconciliationId": RECONCILIATION,
        "channelName": order["channelName"],
        "accountId": account,
        "marketplaceCode": CODE,
        "status": "CONCLUDED",
        "createdDate": at(after - timedelta(hours=1)),
        "releasedDate": at(after, zone),
        "releaseType": "IN_CASH",
        "installment": 1,
        "installmentQuantity": 1,
        "releases": [
            {"marketplaceCode": CODE, "type": extract["type"], "value": extract["value"]}
            for extract in order["extracts"]
        ],
    }


def plain_order(place: Place, form: type[int] | type[str], extracts: int, start: datetime = START) -> Order:
    """The plainest order with so many extracts: to fill up a reconciliation."""
    dates = ("createdDate", "approvedDate", "sendDate", "deliveryDate", "estimatedDeliveryDate")
    days = {name: printed(start + timedelta(days=day)) for day, name in enumerate(dates)}
    entries = [{"marketplaceCode": CODE, "type": "SALE", "value": extracts * CENT}]
    entries += [{"marketplaceCode": CODE, "type": "COMISSION", "value": -CENT} for _ in range(extracts - 1)]
    return {
        "marketplaceCode": CODE,
        "channelName": place.channel,
        "accountId": form(place.account),
        "status": "CONCLUDED",
        **days,
        "totalGrossValue": entries[0]["value"],
        "extracts": entries,
    }


def beside_plain(scope: Scope, batch: Batch, size: int) -> Batch:
    """The batch with one more order, the plainest with so many extracts."""
    order = plain_order(batch.place, scope.account_id_forms[0], size, scope.days.start)
    drawn = [*batch.orders, order]
    creation = {
        **batch.creation,
        "releasesQtd": sum(len(one["extracts"]) for one in drawn),
        "totalNetValue": total(scope, drawn),
    }
    mirrored = release(order, batch.creation["accountId"], timedelta(seconds=batch.seconds) / 2)
    return Batch(batch.place, tuple(drawn), creation, (*batch.releases, mirrored), batch.seconds, batch.shape)


def plain_batch(scope: Scope, place: Place, *sizes: int, seconds: int = 60) -> Batch:
    """The plainest reconciliation of orders with so many extracts each."""
    form = scope.account_id_forms[0]
    drawn = [plain_order(place, form, size, scope.days.start) for size in sizes]
    creation = {
        "channelName": place.channel,
        "accountId": form(place.account),
        "periodInitDate": at(timedelta()),
        "periodEndDate": at(timedelta(seconds=seconds)),
        "releasesQtd": sum(sizes),
        "totalNetValue": total(scope, drawn),
    }
    middle = timedelta(seconds=seconds) / 2
    releases = tuple(release(order, form(place.account), middle) for order in drawn)
    return Batch(place, tuple(drawn), creation, releases, seconds, "amazon")
