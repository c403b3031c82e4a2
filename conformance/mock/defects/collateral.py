"""Something else is changed too: neighbours, other accounts, everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import OrderFacts
from conformance.mock.defects.parts import SUBMIT, Seen, rules
from conformance.mock.koncili import query_key
from conformance.mock.quirks import Defect
from conformance.mock.world import ENABLED, Body, MockWorld, OrderKey, Reconciliation, order_key


def _share(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    for key in list(world.orders):
        if key[2] == order.get("marketplaceCode") and (version := world.stored(key)) and version.body is not None:
            there = {name: version.body.get(name) for name in ("accountId", "channelName")}
            world.put(key, {**order, **there})
    return order


def _move_by_code(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    """The row that has the code is the new order's from now on, whosever it was."""
    place = (int(str(order.get("accountId"))), order.get("channelName"))
    for key in list(world.orders):
        is_other = key[:2] != place and key[2] == order.get("marketplaceCode")
        if is_other and (version := world.stored(key)) and version.body is not None and version.through_api:
            world.put(key, None)
    return order


def _is_open(world: MockWorld, account: int | None) -> bool:
    return any(one.account == account and one.situation is None for one in world.all_reconciliations)


def _none_is_deletable_while_open(world: MockWorld) -> Seen:
    def stored_order(account: int, channel: str, code: str) -> OrderFacts | None:
        facts = world.stored_order(account, channel, code)
        return replace(facts, reconciled=True) if facts and _is_open(world, account) else facts

    return Seen(world, stored_order=stored_order)


def _no_update_while_open(request: Request, body: Body, world: MockWorld) -> Breach | None:
    key = order_key(body) if request.endpoint is SUBMIT else None
    if key is None or world.stored(key) is None or not _is_open(world, key[0]):
        return None
    return Breach("ORD-13", "marketplaceCode", "a reconciliation is active")


def _touch_the_last(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    """The order of the account that was sent before gets the new one's status and dates."""
    place = (int(str(order.get("accountId"))), order.get("channelName"))
    before = [key for key in world.orders if key[:2] == place and key[2] != order.get("marketplaceCode")]
    if before and (stored := world.stored(before[-1])) and stored.body is not None and stored.through_api:
        world.put(before[-1], {**stored.body, "status": order.get("status")})
    return order


def _delete_neighbours(world: MockWorld, key: OrderKey) -> None:
    for other in list(world.orders):
        if other[:2] == key[:2] and other != key and (version := world.stored(other)) and version.through_api:
            world.put(other, None)


def _delete_the_last(world: MockWorld, key: OrderKey) -> None:
    others = [other for other in world.orders if other != key and world.stored(other)]
    if others and (version := world.stored(others[-1])) and version.through_api:
        world.put(others[-1], None)


def _delete_on_every_account(world: MockWorld, key: OrderKey) -> None:
    for other in list(world.orders):
        if other[2] == key[2] and world.stored(other):
            world.put(other, None)


def _undelete(world: MockWorld, key: OrderKey) -> None:
    versions = world.orders.get(world.key(key), [])
    if versions and versions[-1].body is None:
        versions.pop()


def _first_of(world: MockWorld, code: str) -> OrderKey | None:
    """Whose order of that code is the oldest that is there, whatever its account."""
    return next((key for key in world.orders if key[2] == code and world.stored(key)), None)


def _found_by_code(world: MockWorld, key: OrderKey, found: Body | None) -> Body | None:
    first = _first_of(world, key[2]) if found is not None else None
    version = world.stored(first) if first is not None else None
    return version.body if version else found


def _delete_by_code(world: MockWorld, key: OrderKey) -> None:
    """What goes is the oldest order of that code, whosever it is."""
    versions = world.orders.get(world.key(key), [])
    first = _first_of(world, key[2])
    if first is not None and len(versions) > 1 and list(world.orders).index(first) < list(world.orders).index(key):
        world.put(first, None)
        versions.pop()


def _of_code(code: object) -> OrderKey:
    return (0, "", f"shown under {code}")


def _cached_by_code(world: MockWorld, key: OrderKey, found: Body | None) -> Body | None:
    return found if found is None else world.memory.setdefault(_of_code(key[2]), found)


def _evict_by_code(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    world.memory.pop(_of_code(order.get("marketplaceCode")), None)
    return order


def _evict_the_deleted(world: MockWorld, key: OrderKey) -> None:
    world.memory.pop(_of_code(key[2]), None)


def _reconcile_everything(world: MockWorld, reconciliation: Reconciliation) -> None:
    """All orders of the account count as reconciled."""
    world.reconciled.update(key for key in world.orders if key[:2] == (reconciliation.account, reconciliation.channel))


def _reconcile_by_code(world: MockWorld, reconciliation: Reconciliation) -> None:
    """The orders of the same codes on other accounts count as reconciled too."""
    codes = {key[2] for key in reconciliation.orders}
    world.reconciled.update(key for key in world.orders if key[2] in codes)


def _reconcile_nothing(world: MockWorld, reconciliation: Reconciliation) -> None:
    world.reconciled.difference_update(reconciliation.orders)


def _reconcile_the_last(world: MockWorld, reconciliation: Reconciliation) -> None:
    """An order's reconciliation is looked for in the account's last one."""
    own = {key for key in world.reconciled if key[:2] == (reconciliation.account, reconciliation.channel)}
    world.reconciled.difference_update(own.difference(reconciliation.orders))


def _reconcile_a_page(world: MockWorld, reconciliation: Reconciliation) -> None:
    world.reconciled.difference_update(reconciliation.orders[20:])


def _reconcile_all_but_the_last(world: MockWorld, reconciliation: Reconciliation) -> None:
    if len(reconciliation.orders) > 1:
        world.reconciled.discard(reconciliation.orders[-1])


def _reconcile_the_ends(world: MockWorld, reconciliation: Reconciliation) -> None:
    world.reconciled.difference_update(reconciliation.orders[1:-1])


def _reconcile_what_came_once(world: MockWorld, reconciliation: Reconciliation) -> None:
    world.reconciled.difference_update(key for key in reconciliation.orders if len(world.orders.get(key, ())) > 1)


def _reconcile_elsewhere_only(world: MockWorld, reconciliation: Reconciliation) -> None:
    if reconciliation.account == ENABLED[-1].id:
        world.reconciled.difference_update(reconciliation.orders)


def _begin_anew(body: Body, _: Body | None, world: MockWorld) -> Body:
    """What is sent is new, and so not reconciled."""
    key = order_key(body)
    if key is not None:
        world.reconciled.discard(key)
    return body


def _forget_its_release(body: Body, _: Body | None, world: MockWorld) -> Body:
    """Its releases go with the row that the update replaces."""
    key = order_key(body)
    if key is not None:
        world.released.discard(key)
    return body


def _conclude_the_matched(world: MockWorld, reconciliation: Reconciliation) -> None:
    for key in reconciliation.orders:
        stored = world.stored(key)
        if stored is not None and stored.body is not None:
            world.put(key, {**stored.body, "status": "CONCLUDED"})


def _delete_the_matched(world: MockWorld, reconciliation: Reconciliation) -> None:
    for key in reconciliation.orders:
        world.put(key, None)


def _is_on_another_account(breach: Breach, request: Request, world: MockWorld) -> bool:
    key = order_key(request.fields)
    there = (other for other in world.orders if key is not None and other[2] == key[2] and other != key)
    return breach.rule == "REL-13" and any(world.stored(other) is not None for other in there)


def _looked_up(is_taken: Callable[[str, str], bool]) -> Callable[[Breach, Request, MockWorld], bool]:
    """Whether a release is for no order, but a lookup takes one of its account for it, given its code and that one's."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        key = order_key(request.fields)
        if key is None or breach.rule != "REL-13":
            return False
        there = (other for other in world.orders if other[:2] == key[:2] and is_taken(key[2], other[2]))
        return any(world.stored(other) is not None for other in there)

    return forgives


def _is_like(pattern: str, code: str) -> bool:
    """As SQL's LIKE has it, of the underscore."""
    return len(pattern) == len(code) and all(one in {"_", other} for one, other in zip(pattern, code, strict=True))


def _is_canceled(breach: Breach, request: Request, world: MockWorld) -> bool:
    key = query_key(request) if breach.rule == "DEL-04" else None
    stored = world.stored(key) if key is not None else None
    return stored is not None and stored.body is not None and stored.body.get("status") == "CANCELED"


def _elsewhere(world: MockWorld, key: OrderKey) -> OrderKey:
    """The order's own key where it is shown, else that of another account's of that code."""
    there = (other for other in world.orders if other[2] == key[2] and world.shown(other))
    return key if world.shown(key) else next(there, key)


def _sees_elsewhere(world: MockWorld) -> Seen:
    return Seen(world, shown_order=lambda *key: MockWorld.shown_order(world, *_elsewhere(world, key)))


def _found_elsewhere(world: MockWorld, key: OrderKey, _: Body | None) -> Body | None:
    version = world.shown(_elsewhere(world, key))
    return version.body if version else None


_ACCOUNTS_APART: Final = ("QRY-01", "DEL-01", "DEL-04", "WFL-04")

COLLATERAL: Final = (
    Defect(
        name="wfl-04-shared-between-accounts",
        statement="Keeps an order under its code alone: accounts share it.",
        rules=rules("WFL-04", "QRY-05", "DEL-01", "REL-14", "ORD-15"),
        stores=_share,
    ),
    Defect(
        name="wfl-04-touches-the-last",
        statement="Gives the account's order before the status of a new one.",
        rules=rules("WFL-04", "DEL-01", "QRY-01", "ORD-15", "ORD-16", "ORD-17", "QRY-03"),
        stores=_touch_the_last,
    ),
    Defect(
        name="del-01-not-deleted",
        statement="Accepts a deletion and keeps the order.",
        rules=rules("DEL-01", "DEL-05", "ORD-17"),
        after_deletion=_undelete,
    ),
    Defect(
        name="del-01-not-while-one-is-open",
        statement="Deletes no order of an account while a reconciliation of it is active.",
        rules=rules("DEL-01"),
        sees=_none_is_deletable_while_open,
    ),
    Defect(
        name="ord-15-not-while-one-is-open",
        statement="Takes no update of an order while a reconciliation of its account is active.",
        rules=rules("ORD-15", "ORD-17"),
        objects=_no_update_while_open,
    ),
    Defect(
        name="del-01-takes-neighbours",
        statement="Deletes every order of the account.",
        rules=rules("DEL-01"),
        after_deletion=_delete_neighbours,
    ),
    Defect(
        name="del-01-takes-the-last",
        statement="Deletes the newest order too.",
        rules=rules("DEL-01", "DEL-05"),
        after_deletion=_delete_the_last,
    ),
    Defect(
        name="del-01-takes-other-accounts",
        statement="Deletes the order of the same code on other accounts too.",
        rules=rules("DEL-01", "QRY-05"),
        after_deletion=_delete_on_every_account,
    ),
    Defect(
        name="qry-05-found-by-code",
        statement="Finds an order by its code alone: of several accounts' the oldest.",
        rules=rules("QRY-05", *_ACCOUNTS_APART),
        finds=_found_by_code,
    ),
    Defect(
        name="qry-05-found-elsewhere",
        statement="Finds another account's order of that code where the account has none.",
        rules=rules("QRY-05", "QRY-02", "DEL-02", "DEL-05"),
        sees=_sees_elsewhere,
        finds=_found_elsewhere,
    ),
    Defect(
        name="rel-13-found-by-code",
        statement="Takes a release for an order of that code on another account.",
        rules=rules("REL-13"),
        forgives=_is_on_another_account,
    ),
    Defect(
        name="rel-13-in-any-case",
        statement="Takes a release for an order whose code differs in case.",
        rules=rules("REL-13"),
        forgives=_looked_up(lambda asked, code: asked.casefold() == code.casefold()),
    ),
    Defect(
        name="rel-13-without-blanks-at-the-end",
        statement="Takes a release for an order whose code differs in blanks at its end, as databases that pad compare them.",
        rules=rules("REL-13"),
        forgives=_looked_up(lambda asked, code: asked.rstrip(" ") == code.rstrip(" ")),
    ),
    Defect(
        name="rel-13-by-pattern",
        statement="Looks an order of a release up by LIKE: an underscore stands for any character.",
        rules=rules("REL-13"),
        forgives=_looked_up(_is_like),
    ),
    Defect(
        name="qry-05-moved-by-code",
        statement="Updates an order by its code alone: another account's is this one's from then on.",
        rules=rules("QRY-05", "WFL-04", "DEL-01"),
        stores=_move_by_code,
    ),
    Defect(
        name="qry-05-deleted-by-code",
        statement="Deletes an order by its code alone: of several accounts' the oldest.",
        rules=rules("QRY-05", *_ACCOUNTS_APART),
        after_deletion=_delete_by_code,
    ),
    Defect(
        name="qry-05-cached-by-code",
        statement="Keeps what a query showed by the order's code alone, until an order of that code is sent or deleted.",
        rules=rules("QRY-05", *_ACCOUNTS_APART),
        finds=_cached_by_code,
        stores=_evict_by_code,
        after_deletion=_evict_the_deleted,
    ),
    Defect(
        name="del-04-everything-reconciled",
        statement="Takes all orders of an account for reconciled when one is.",
        rules=rules("DEL-01", "DEL-04", "DEL-05", "WFL-04"),
        after_completion=_reconcile_everything,
    ),
    Defect(
        name="del-04-reconciled-elsewhere",
        statement="Takes the orders of the same code on other accounts for reconciled too.",
        rules=rules("DEL-01", "DEL-04", "WFL-04"),
        after_completion=_reconcile_by_code,
    ),
    Defect(
        name="del-04-never-reconciled",
        statement="Notifies that a reconciliation is completed, and keeps its orders as they were.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_nothing,
    ),
    Defect(
        name="del-04-first-page-reconciled",
        statement="Takes the first twenty orders of a reconciliation for reconciled (Spring Data's Pageable).",
        rules=rules("DEL-04"),
        after_completion=_reconcile_a_page,
    ),
    Defect(
        name="del-04-last-reconciliation-only",
        statement="Takes the orders of an account's last reconciliation for reconciled, and forgets those of the ones before.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_the_last,
    ),
    Defect(
        name="del-04-last-not-reconciled",
        statement="Takes the last order of a reconciliation for not reconciled.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_all_but_the_last,
    ),
    Defect(
        name="del-04-ends-reconciled",
        statement="Takes the first and the last order of a reconciliation for reconciled.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_the_ends,
    ),
    Defect(
        name="del-04-sent-once-reconciled",
        statement="Takes orders that were sent once for reconciled.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_what_came_once,
    ),
    Defect(
        name="del-04-not-on-the-last-account",
        statement="Takes no order of one of the accounts for reconciled.",
        rules=rules("DEL-04"),
        after_completion=_reconcile_elsewhere_only,
    ),
    Defect(
        name="del-04-anew-when-sent-again",
        statement="Takes a reconciled order that is sent again for one that is not.",
        rules=rules("DEL-04", "WFL-04"),
        stores=_begin_anew,
    ),
    Defect(
        name="rel-11-forgotten-when-sent-again",
        statement="Forgets that an order has its release when the order is sent again.",
        rules=rules("REL-11", "WFL-04"),
        stores=_forget_its_release,
    ),
    Defect(
        name="del-04-canceled-deleted",
        statement="Deletes a reconciled order where it is canceled.",
        rules=rules("DEL-04"),
        forgives=_is_canceled,
    ),
    Defect(
        name="del-04-matched-are-gone",
        statement="Deletes the orders that it has reconciled.",
        rules=rules("DEL-04", "QRY-01", "WFL-01", "WFL-04"),
        after_completion=_delete_the_matched,
    ),
    Defect(
        name="qry-01-concluded-when-reconciled",
        statement="Gives the orders that it has reconciled the status CONCLUDED.",
        rules=rules("QRY-01", "DEL-04", "WFL-01", "WFL-04"),
        after_completion=_conclude_the_matched,
    ),
)
