"""What depends on how often an order was sent, or on what it was before: details of extracts, bodies that are known, versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from conformance.contract.judge import Request
from conformance.mock.defects.parts import SUBMIT, Seen, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key

_UPDATING: Final = ("ORD-15", "WFL-04")

_DELETING: Final = ("DEL-01", "DEL-05", "DEL-06", "ORD-17", "CON-04", "CON-05", "WFL-04")


def _extracts(order: Body | None) -> list[Any]:
    found: Any = (order or {}).get("extracts")
    return found or []


def _noted(key: OrderKey, what: str) -> OrderKey:
    """Where a mock keeps something of an order besides."""
    return key[0], key[1], f"{what} {key[2]}"


# -- updates -------------------------------------------------------------------------------------------------------


def _percentages_kept(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """Each extract keeps the percentage of the one of its type in its place where it has none."""
    before = _extracts(previous)

    def kept(place: int, one: Any) -> Any:
        same = place < len(before) and before[place]["type"] == one["type"] and one.get("percentage") is None
        return {**one, "percentage": before[place].get("percentage")} if same else one

    return {**order, "extracts": [kept(place, one) for place, one in enumerate(_extracts(order))]}


def _extracts_kept(look: Callable[[Iterable[Any]], Any]) -> Callable[[Body, Body | None, MockWorld], Body]:
    """The extracts stay as they were where an update's look alike; all else is as it was sent."""

    def stores(order: Body, previous: Body | None, _: MockWorld) -> Body:
        before = _extracts(previous)
        return {**order, "extracts": before} if before and look(before) == look(_extracts(order)) else order

    return stores


def _extracts_kept_meanwhile(order: Body, previous: Body | None, world: MockWorld) -> Body:
    is_open = any(
        one.situation is None and str(one.account) == str(order.get("accountId")) for one in world.all_reconciliations
    )
    return {**order, "extracts": _extracts(previous)} if is_open and previous is not None else order


# -- new orders ----------------------------------------------------------------------------------------------------


def _known_body_dropped(order: Body, previous: Body | None, world: MockWorld) -> Any:
    """A new order counts as a repetition where it is as the last new one of its code was."""
    key = order_key(order)
    if key is None or previous is not None:
        return order
    if world.memory.get(_noted(key, "new")) == order:
        return None
    world.memory[_noted(key, "new")] = order
    return order


def _status_of_the_updated(order: Body, previous: Body | None, world: MockWorld) -> Body:
    """A new order gets the status of the one before it where that was updated."""
    key = order_key(order)
    if key is None:
        return order
    if previous is not None:
        world.memory[_noted(key, "updated")] = order
        return order
    updated = world.memory.pop(_noted(key, "updated"), None)
    return order if updated is None else {**order, "status": updated["status"]}


def _note_refused(world: MockWorld, request: Request) -> None:
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    if key is not None and world.stored(key) is None:
        world.memory[_noted(key, "refused")] = {}


def _refused_code_dropped(order: Body, previous: Body | None, world: MockWorld) -> Any:
    key = order_key(order)
    return None if key is not None and previous is None and _noted(key, "refused") in world.memory else order


# -- deletions -----------------------------------------------------------------------------------------------------


def _count_versions(order: Body, previous: Body | None, world: MockWorld) -> Body:
    """Keep what an order was before, and how often it was changed."""
    key = order_key(order)
    if key is not None and previous != order:
        changed: Any = (
            world.memory.get(_noted(key, "changed"), {"times": -1}) if previous is not None else {"times": -1}
        )
        world.memory[_noted(key, "changed")] = {"times": changed["times"] + 1, "before": previous}
    return order


def _restore(world: MockWorld, key: OrderKey) -> None:
    """Of what was changed twice the newest row goes: the one before it shows again."""
    changed: Any = world.memory.pop(_noted(key, "changed"), None)
    if changed is not None and changed["times"] > 1:
        world.put(key, changed["before"])


def _changed_often_unseen(world: MockWorld) -> Any:
    """A deletion or release finds no order that was changed three times."""

    def stored_order(*key: Any) -> Any:
        changed: Any = world.memory.get(_noted(key, "changed"), {"times": 0})
        return None if changed["times"] > 2 else world.stored_order(*key)

    return Seen(world, stored_order=stored_order)


# -- released, and not reconciled yet --------------------------------------------------------------------------------


def _released_otherwise(world: MockWorld, key: OrderKey, body: Body | None) -> Body | None:
    is_between = key in world.released and key not in world.reconciled
    return {**body, "status": "PAID_WAITING_DELIVERY"} if body is not None and is_between else body


VERSIONS: Final = (
    Defect(
        name="qry-01-another-status-once-released",
        statement="Shows an order as PAID_WAITING_DELIVERY from its release on until it is reconciled.",
        rules=rules("QRY-01"),
        finds=_released_otherwise,
    ),
    Defect(
        name="ord-15-percentage-kept",
        statement="Leaves an extract's percentage as it was where an update has none.",
        rules=rules(*_UPDATING),
        stores=_percentages_kept,
    ),
    Defect(
        name="ord-15-extracts-kept-when-alike",
        statement="Leaves the extracts as they were where an update's have the same types and values.",
        rules=rules(*_UPDATING),
        stores=_extracts_kept(lambda extracts: Counter((one["type"], one["value"]) for one in extracts)),
    ),
    Defect(
        name="ord-15-extracts-kept-when-their-sum-is",
        statement="Leaves the extracts as they were where an update's have the same sum.",
        rules=rules(*_UPDATING),
        stores=_extracts_kept(lambda extracts: sum(one["value"] for one in extracts)),
    ),
    Defect(
        name="ord-15-extracts-kept-while-one-is-open",
        statement="Leaves the extracts as they were where an order is updated while a reconciliation of its account is active.",
        rules=rules(*_UPDATING),
        stores=_extracts_kept_meanwhile,
    ),
    Defect(
        name="del-06-known-body-dropped",
        statement="Accepts and drops an order that is as the deleted one of its code was.",
        rules=rules("DEL-06"),
        stores=_known_body_dropped,
    ),
    Defect(
        name="del-06-its-status-when-updated",
        statement="Gives an order the status of the deleted one of its code where that was updated.",
        rules=rules("DEL-06"),
        stores=_status_of_the_updated,
    ),
    Defect(
        name="ord-16-refused-code-dropped",
        statement="Accepts and drops an order of which a first submission was refused.",
        rules=rules("ORD-16"),
        after_refusal=_note_refused,
        stores=_refused_code_dropped,
    ),
    Defect(
        name="del-01-changed-twice-restored",
        statement="Deletes of an order that was changed twice what the last update wrote.",
        rules=rules(*_DELETING),
        stores=_count_versions,
        after_deletion=_restore,
    ),
    Defect(
        name="del-01-changed-three-times-not-found",
        statement="Finds no order to delete or release that was changed three times.",
        rules=rules(*_DELETING, "REL-01"),
        stores=_count_versions,
        sees=_changed_often_unseen,
    ),
)
