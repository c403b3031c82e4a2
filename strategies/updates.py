"""Updates of an order: another order altogether, and one that differs in little, which a server may take for what it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from strategies.dates import MANDATORY, moved
from strategies.money import CENT
from strategies.orders import Order, orders
from strategies.placeholders import CODE
from strategies.scope import Place, Scope

_LATER: Final = timedelta(days=3)

_NEXT: Final[Mapping[str, str]] = MappingProxyType(
    {"INVOICED": "PAID_WAITING_DELIVERY", "PAID_WAITING_DELIVERY": "CONCLUDED"}
)
"""Which status an order has next."""

_SHARE: Final = 12

_DETAILS: Final = ("expectedDate", "percentage")

Extract = dict[str, Any]


def _with_details(extract: Extract, created: str, *, changed: bool) -> Extract:
    """The same type and value with another expectedDate and percentage, or with none."""
    plain = {name: value for name, value in extract.items() if name not in _DETAILS}
    if not changed:
        return plain
    details: Extract = {"expectedDate": moved(extract.get("expectedDate") or created, _LATER)}
    if extract["type"] == "COMISSION":
        # In place of another one zero, which whoever skips what is empty takes for none.
        details["percentage"] = 0 if extract.get("percentage") else _SHARE
    return plain | details


def _details_changed(order: Order) -> Order:
    created = order["createdDate"]
    return {**order, "extracts": [_with_details(one, created, changed=True) for one in order["extracts"]]}


def _details_left_out(order: Order) -> Order:
    return {**order, "extracts": [_with_details(one, "", changed=False) for one in order["extracts"]]}


def _reckoned(order: Order, extracts: list[Extract]) -> Order:
    """The order with these extracts, and its total, where it has one, what its sales come to: servers may look at that."""
    total = sum((one["value"] for one in extracts if one["type"] == "SALE"), Decimal(0))
    has_total = order.get("totalGrossValue") is not None
    return {**order, "extracts": extracts, **({"totalGrossValue": total} if has_total else {})}


def _cent_less(order: Order) -> Order:
    """Every value a cent nearer to zero."""

    def less(value: Decimal) -> Decimal:
        nearer = abs(value) - CENT
        return (nearer or 2 * CENT).copy_sign(value)

    return _reckoned(order, [{**one, "value": less(one["value"])} for one in order["extracts"]])


def _the_other_way_round(order: Order) -> Order:
    """The extracts in the opposite sequence, the details of each with another."""
    details = [{name: one[name] for name in _DETAILS if name in one} for one in order["extracts"]]
    plain = [_with_details(one, "", changed=False) for one in order["extracts"]]
    return {**order, "extracts": [{**one, **given} for one, given in zip(plain[::-1], details, strict=True)]}


def with_a_cent_moved(order: Order, cents: int = 1) -> Order:
    """An order with a sale and a commission: both a cent, or so many, nearer to zero, or further from it, so that their sum
    stays."""
    extracts = [dict(one) for one in order["extracts"]]
    sale, commission = (next(one for one in extracts if one["type"] == type_) for type_ in ("SALE", "COMISSION"))
    moved_by = cents * CENT
    if min(sale["value"], -commission["value"]) <= moved_by:
        moved_by = -moved_by
    sale["value"] -= moved_by
    commission["value"] += moved_by
    return _reckoned(order, extracts)


def gone_on(order: Order) -> Order:
    """The order a step later: of the next status with its dates, its extracts as they were. One that has no next status ended
    some days later."""
    status = _NEXT.get(order["status"], order["status"])
    # Sent as soon as it was approved: it may be expected at once.
    sent = order.get("sendDate") or order.get("approvedDate") or order["createdDate"]
    dates = {
        name: order.get(name) or (sent if name == "sendDate" else moved(sent, _LATER)) for name in MANDATORY[status]
    }
    if status == order["status"]:
        ended = MANDATORY[status][-1]
        dates[ended] = moved(dates[ended], _LATER)
    return {**order, "status": status, **dates}


_LEFT_OUT: Final = "no dates and percentages of its extracts"

LITTLE: Final[Mapping[str, Callable[[Order], Order]]] = MappingProxyType(
    {
        "other dates and percentages of its extracts": _details_changed,
        _LEFT_OUT: _details_left_out,
        "a cent less of each value": _cent_less,
        "the dates and percentages of its extracts exchanged": _the_other_way_round,
    }
)
"""What differs from an order in little: by type and value, by sum or by number its extracts are those that are there."""


def _with_all_details(order: Order) -> Order:
    """The order with a date in each of its extracts, and in each commission a percentage that is not zero: what an update leaves
    out of them is there before."""
    created = order["createdDate"]

    def whole(one: Extract) -> Extract:
        found = {**one, "expectedDate": one.get("expectedDate") or moved(created, _LATER)}
        return {**found, "percentage": one.get("percentage") or _SHARE} if one["type"] == "COMISSION" else found

    return {**order, "extracts": [whole(one) for one in order["extracts"]]}


_THEN: Final[Mapping[tuple[str, str], Callable[[Order], Order]]] = MappingProxyType(
    {
        ("INVOICED", "CONCLUDED"): with_a_cent_moved,
        ("CONCLUDED", "CANCELED"): _the_other_way_round,
        ("INVOICED", "CANCELED"): _details_changed,
    }
)
"""What else differs of an order a step later, by the walk: who leaves the extracts as they were where these are alike by sum, or
by types and values, then shows some of each. In the other walks nothing does: who takes an order for the same by its extracts
leaves it as it was."""

_ONE_MORE: Final[Extract] = {"marketplaceCode": CODE, "type": "SHIP", "value": Decimal("-4.99")}


def with_one_more(order: Order) -> Order:
    """The order with one extract more."""
    return {**order, "extracts": [*order["extracts"], _ONE_MORE]}


WALKS: Final[tuple[tuple[str, str, str], ...]] = tuple(
    (before, after, little)
    for (before, after), little in zip(
        (
            ("PAID_WAITING_DELIVERY", "INVOICED"),
            ("PAID_WAITING_DELIVERY", "CANCELED"),
            ("INVOICED", "CONCLUDED"),
            ("PAID_WAITING_DELIVERY", "CONCLUDED"),
            ("CONCLUDED", "CANCELED"),
            ("INVOICED", "CANCELED"),
        ),
        cycle(LITTLE),
        strict=False,
    )
)
"""The statuses of an order and of what replaces it, and what then differs in little: with the way back, and the step after the
second, each status comes after each other one. A server may have a step of its own for each, and one of them wrong."""


@st.composite
def updates(draw: DrawFn, scope: Scope, place: Place, before: str, status: str, little: str) -> list[Order]:
    """Updates of an order of that place that was of the status `before`: another one of this status, then that one with a little
    change and one extract more, so that who misses the change does not show what was there before; then that one a step later,
    with the same extracts or ones that are alike."""
    then = _THEN.get((before, status))
    types = ("COMISSION",) if then is with_a_cent_moved or little == _LEFT_OUT else ()
    other: Order = draw(orders(scope, places=(place,), statuses=(status,), types=types))
    if little == _LEFT_OUT:
        other = _with_all_details(other)
    changed = LITTLE[little](other)
    changed = with_one_more(changed)
    later = gone_on(changed)
    return [other, changed, later if then is None else then(later)]
