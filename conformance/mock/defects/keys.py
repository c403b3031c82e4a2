"""Unique keys that meet deleted rows: an order that is sent after its deletion is refused, lost, or not the new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.mock.defects.parts import DELETE, SUBMIT, Seen, rules
from conformance.mock.koncili import query_key
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key


def _deleted_before(world: MockWorld, key: OrderKey) -> Body | None:
    """The order of that key that was deleted before, as far as a mock keeps it."""
    return world.memory.get((key[0], key[1], f"deleted {key[2]}"))


def remember_deleted(world: MockWorld, key: OrderKey) -> None:
    """Keep the order that was just deleted, if none of that key is kept."""
    versions = world.orders.get(world.key(key), [])
    body = versions[-2].body if len(versions) > 1 else None
    if body is not None:
        world.memory.setdefault((key[0], key[1], f"deleted {key[2]}"), body)


def _meets_deleted(*endpoints: Endpoint) -> Callable[[Request, MockWorld], bool]:
    """Whether a request names an order of which one was deleted before."""

    def holds(request: Request, world: MockWorld) -> bool:
        key = order_key(request.fields) if request.endpoint is SUBMIT else query_key(request)
        return request.endpoint in endpoints and key is not None and _deleted_before(world, key) is not None

    return holds


def _of_a_deleted_order(breach: Breach, request: Request, world: MockWorld) -> bool:
    key = order_key(request.fields)
    return breach.rule == "REL-13" and key is not None and _deleted_before(world, key) is not None


def _sent_again(name: str, statement: str, *blamed: str, **hooks: Any) -> Defect:
    return Defect(
        name=f"del-06-{name}",
        statement=statement,
        rules=rules("DEL-06", *blamed),
        **{"after_deletion": remember_deleted, **hooks},
    )


Again = Callable[[Body, Body], Any]
"""What is stored of an order that is sent after its deletion, given what was deleted."""


def _stored(again: Again) -> Callable[[Body, Body | None, MockWorld], Any]:
    def stores(order: Body, previous: Body | None, world: MockWorld) -> Any:
        key = order_key(order)
        deleted = _deleted_before(world, key) if key and previous is None else None
        return order if deleted is None else again(order, deleted)

    return stores


def _with_its_extracts(order: Body, deleted: Body) -> Body:
    before, now = ((body.get("extracts") or []) for body in (deleted, order))
    return {**order, "extracts": [*before, *now]}


def _merged_for_null(order: Body, deleted: Body) -> Body:
    return {**deleted, **{name: one for name, one in order.items() if one is not None}}


def _with_its_cancellation(order: Body, deleted: Body) -> Body:
    return {**order, "cancelDate": order.get("cancelDate") or deleted.get("cancelDate")}


def _hidden(world: MockWorld) -> Any:
    """An order of which one was deleted is not found again."""

    def shown_order(*key: Any) -> Any:
        return None if _deleted_before(world, key) else world.shown_order(*key)

    return Seen(world, shown_order=shown_order)


def _undeletable(world: MockWorld) -> Any:
    """A deletion finds the deleted row and no other."""

    def stored_order(*key: Any) -> Any:
        return None if _deleted_before(world, key) else world.stored_order(*key)

    return Seen(world, stored_order=stored_order)


def _remember_twice(order: Body, previous: Body | None, world: MockWorld) -> Body:
    key = order_key(order)
    if key is not None and previous == order:
        world.memory[key[0], key[1], f"twice {key[2]}"] = order
    return order


def _one_row_only(world: MockWorld) -> Any:
    """A deletion finds no order of which there are two rows."""

    def stored_order(*key: Any) -> Any:
        return None if (key[0], key[1], f"twice {key[2]}") in world.memory else world.stored_order(*key)

    return Seen(world, stored_order=stored_order)


def _bring_back(world: MockWorld, key: OrderKey) -> None:
    """The second deletion removes the newest row: the one before it shows again."""
    before = _deleted_before(world, key)
    if before is not None:
        world.put(key, before)
    remember_deleted(world, key)


def _remember_version(order: Body, previous: Body | None, world: MockWorld) -> Body:
    """Every version of an order is a row; what a query shows is the newest."""
    key = order_key(order)
    if key is not None and previous is not None and previous != order:
        world.memory[key] = previous
    return order


def _delete_a_version(world: MockWorld, key: OrderKey) -> None:
    """The newest row is deleted: the one before it shows again."""
    before = world.memory.pop(key, None)
    if before is not None:
        world.put(key, before)


def _delete_once(world: MockWorld, key: OrderKey) -> None:
    """The second deletion marks the row that is marked already."""
    if _deleted_before(world, key) is not None and world.orders[world.key(key)][-1].body is None:
        world.orders[world.key(key)].pop()
    remember_deleted(world, key)


def refused_again(request: Request, _body: Body, world: MockWorld) -> Breach | None:
    """Objects to an order of which one was deleted before."""
    met = _meets_deleted(SUBMIT)(request, world)
    return Breach("REC-06", "marketplaceCode", "this order was deleted") if met else None


def _undeleted_and_refused(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """The deleted row is made to count again before it is found that it is in the way."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    deleted = _deleted_before(world, key) if key is not None else None
    if key is not None and deleted is not None and world.stored(key) is None:
        world.put(key, deleted)
    return refused_again(request, body, world)


KEYS: Final = (
    _sent_again("unique-key", "Answers 500 to an order that was deleted.", "ERR-02", "DEL-07", crashes=_meets_deleted(SUBMIT)),
    _sent_again("unique-key-with-a-flag", "Answers 500 to the second deletion of an order that was sent again.", "ERR-02",
                crashes=_meets_deleted(DELETE)),
    _sent_again("dropped", "Accepts and drops an order that was deleted.", stores=_stored(lambda *_: None)),
    _sent_again("undeleted", "Shows the deleted order when it is sent again.", stores=_stored(lambda _, deleted: deleted)),
    _sent_again("merged", "Keeps of the deleted order what the new one leaves out.",
                stores=_stored(lambda order, deleted: {**deleted, **order})),
    _sent_again("its-extracts", "Keeps the extracts of the deleted order.", stores=_stored(_with_its_extracts)),
    _sent_again("its-date", "Keeps the createdDate of the deleted order.",
                stores=_stored(lambda order, deleted: {**order, "createdDate": deleted.get("createdDate")})),
    _sent_again("merged-for-null", "Keeps of the deleted order what the new one leaves out or has as null.",
                stores=_stored(_merged_for_null)),
    _sent_again("its-cancel-date", "Keeps the cancelDate of the deleted order where the new one has none.",
                stores=_stored(_with_its_cancellation)),
    _sent_again("undeleted-and-refused", "Refuses an order that was deleted, and shows the deleted one again.", "DEL-07",
                objects=_undeleted_and_refused),
    _sent_again("hidden", "Finds no order of which one was deleted before.", "DEL-05", sees=_hidden),
    _sent_again("not-deletable", "Finds no order to delete of which one was deleted before.", sees=_undeletable),
    _sent_again("brought-back", "Shows the deleted order again when the one after it is deleted.", after_deletion=_bring_back),
    _sent_again("deleted-once", "Deletes the order of a code once.", after_deletion=_delete_once),
    Defect(
        name="ord-17-not-deletable",
        statement="Deletes no order that was sent twice: there are two rows of it.",
        rules=rules("ORD-17", "CON-04"),
        stores=_remember_twice,
        sees=_one_row_only,
    ),
    Defect(
        name="del-01-last-version-only",
        statement="Deletes of an updated order what the last update wrote.",
        rules=rules("DEL-01", "DEL-05", "DEL-06", "ORD-17", "CON-04", "CON-05", "WFL-04"),
        stores=_remember_version,
        after_deletion=_delete_a_version,
    ),
    Defect(
        name="del-07-refused",
        statement="Refuses an order that was deleted.",
        rules=rules("DEL-07"),
        after_deletion=remember_deleted,
        objects=refused_again,
    ),
    Defect(
        name="rel-13-deleted-orders",
        statement="Takes a release for an order that was deleted (its row is still there).",
        rules=rules("REL-13", "WFL-04"),
        after_deletion=remember_deleted,
        forgives=_of_a_deleted_order,
    ),
)  # fmt: skip
