"""A call that is refused, or that has nothing to do with it, leaves something behind elsewhere: an order is reconciled no more,
or before its time, entries count that were refused, an account is given free while a reconciliation is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import Entry, entries_of
from conformance.mock.defects.parts import RELEASE, entries_and_extracts, reconciliation_of, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, Reconciliation, order_key


def _released_again(world: MockWorld, request: Request) -> OrderKey | None:
    """The order of a release that was refused, where it has its release."""
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    return key if key in world.released else None


def _reconciled_no_more(world: MockWorld, request: Request) -> None:
    key = _released_again(world, request)
    if key is not None:
        world.reconciled.discard(key)


def _takes_its_status(world: MockWorld, request: Request) -> None:
    key = _released_again(world, request)
    stored = world.stored(key) if key is not None else None
    if key is not None and key in world.reconciled and stored is not None and stored.body is not None:
        world.put(key, {**stored.body, "status": request.fields.get("status")})


def _takes_its_status_first(world: MockWorld, request: Request) -> None:
    """Only where its reconciliation and its order are found, and it has no release."""
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    if key is None or key in world.released or reconciliation_of(request, world) is None:
        return
    stored = world.stored(key)
    if stored is not None and stored.body is not None:
        world.put(key, {**stored.body, "status": request.fields.get("status")})


def _still_open(world: MockWorld, key: OrderKey | None) -> Reconciliation | None:
    """The reconciliation that has an order's release, as long as it goes on."""
    return next((one for one in world.all_reconciliations if key in one.orders and one.situation is None), None)


def _counts_once_more(world: MockWorld, request: Request) -> None:
    known = _still_open(world, _released_again(world, request))
    if known is not None:
        known.received += 1


def _counts_no_more(world: MockWorld, request: Request) -> None:
    known = _still_open(world, _released_again(world, request))
    if known is not None:
        known.received -= 1


def _reconciled_before_its_time(world: MockWorld, request: Request) -> None:
    """An order counts as reconciled once its entries are seen to be too many."""
    reconciliation, key = reconciliation_of(request, world), order_key(request.fields)
    entries, extracts = entries_and_extracts(request, world)
    if request.endpoint is not RELEASE or reconciliation is None or key is None or not extracts or entries != extracts:
        return
    if reconciliation.received + len(entries) > reconciliation.quantity and key not in world.released:
        world.reconciled.add(key)


def _active(world: MockWorld, request: Request) -> list[Reconciliation]:
    """What is active on a request's account."""
    account = str(request.fields.get("accountId"))
    return [one for one in world.all_reconciliations if str(one.account) == account and one.situation is None]


def _free_once(given: Callable[[MockWorld, Reconciliation], bool]) -> Callable[[Breach, Request, MockWorld], bool]:
    """A second reconciliation is opened as soon as that holds of the active one."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        return breach.rule == "REC-06" and all(given(world, one) for one in _active(world, request))

    return forgives


def _note_asked(world: MockWorld, key: OrderKey) -> None:
    _note(world, key, "asked for")


def _note(world: MockWorld, key: OrderKey, what: str) -> None:
    world.memory[(key[0], key[1], what)] = {"opened": world.reconciliations_opened}


def _note_updated(order: Body, previous: Body | None, world: MockWorld) -> Body:
    if previous is not None and (key := order_key(order)) is not None:
        _note(world, key, "updated")
    return order


def _note_deleted(world: MockWorld, key: OrderKey) -> None:
    _note(world, key, "deleted")


def _is_noted(what: str) -> Callable[[MockWorld, Reconciliation], bool]:
    """That was done to an order of its account since it was opened."""

    def holds(world: MockWorld, one: Reconciliation) -> bool:
        noted = world.memory.get((one.account, one.channel, what))
        return noted is not None and noted["opened"] == world.reconciliations_opened

    return holds


def _note_refused_release(world: MockWorld, request: Request) -> None:
    one = reconciliation_of(request, world) if request.endpoint is RELEASE else None
    if one is not None:
        world.memory[(one.id, "", "given free by its release")] = {}


def _versions(key: OrderKey) -> OrderKey:
    return (key[0], key[1], f"versions of {key[2]}")


def _keep_versions(order: Body, _: Body | None, world: MockWorld) -> Body:
    """All that an order was, in a table of its own."""
    if (key := order_key(order)) is not None:
        world.memory.setdefault(_versions(key), {"all": []})["all"].append(entries_of(order.get("extracts")))
    return order


def _as_before(which: slice) -> Callable[[Breach, Request, MockWorld], bool]:
    """Entries that are what the extracts were in one of these versions before the last are right."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        key = order_key(request.fields)
        if key is None or breach.rule not in {"REL-07", "REL-08", "REL-09"}:
            return False
        entries: tuple[Entry, ...] = entries_of(request.fields.get("releases"))
        earlier = world.memory.get(_versions(key), {"all": []})["all"][:-1]
        return any(sorted(entries) == sorted(one) for one in earlier[which])

    return forgives


def _only_the_first(request: Request, _: Body, world: MockWorld) -> Breach | None:
    """Entries are compared with the first version of an order that was sent more than twice."""
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    versions = world.memory.get(_versions(key), {"all": []})["all"] if key is not None else []
    if len(versions) > 2 and sorted(entries_of(request.fields.get("releases"))) != sorted(versions[0]):
        return Breach("REL-08", "value", "differs from the extract")
    return None


LEFT_BEHIND: Final = (
    Defect(
        name="del-04-anew-when-released-again",
        statement="Takes a reconciled order for one that is not, once another release of it was refused.",
        rules=rules("DEL-04", "REL-18", "WFL-04"),
        after_refusal=_reconciled_no_more,
    ),
    Defect(
        name="rel-18-status-of-a-second-release",
        statement="Writes the status of a second release into a reconciled order, and then refuses it.",
        rules=rules("REL-18", "DEL-04", "WFL-04"),
        after_refusal=_takes_its_status,
    ),
    Defect(
        name="rel-18-second-release-counts",
        statement="Counts an entry more when it refuses a second release of an order.",
        rules=rules("REL-18", "REL-11", "WFL-04"),
        after_refusal=_counts_once_more,
    ),
    Defect(
        name="rel-18-second-release-takes-away",
        statement="Counts an entry less when it refuses a second release of an order.",
        rules=rules("REL-18", "REL-11", "WFL-04"),
        after_refusal=_counts_no_more,
    ),
    Defect(
        name="rel-18-reconciled-when-too-many",
        statement="Takes an order for reconciled whose release it refuses for entries beyond the count.",
        rules=rules("REL-18", "DEL-01", "WFL-04"),
        after_refusal=_reconciled_before_its_time,
    ),
    Defect(
        name="rel-18-status-of-a-refused-release",
        statement="Writes the status of a release into its order, and then refuses it.",
        rules=rules("REL-18", "REL-08", "WFL-04"),
        after_refusal=_takes_its_status_first,
    ),
    Defect(
        name="rec-06-given-free-by-a-release",
        statement="Opens a second reconciliation once a release of the first has come.",
        rules=rules("REC-06", "WFL-03", "WFL-04"),
        forgives=_free_once(lambda _, one: bool(one.entries)),
    ),
    Defect(
        name="rec-06-given-free-by-a-query",
        statement="Opens a second reconciliation once an order of the account was asked for since the first was opened.",
        rules=rules("REC-06", "WFL-03", "WFL-04"),
        after_query=_note_asked,
        forgives=_free_once(_is_noted("asked for")),
    ),
    Defect(
        name="rec-06-given-free-by-an-update",
        statement="Opens a second reconciliation once an order of the account was updated since the first was opened.",
        rules=rules("REC-06", "WFL-03", "WFL-04"),
        stores=_note_updated,
        forgives=_free_once(_is_noted("updated")),
    ),
    Defect(
        name="rec-06-given-free-by-a-deletion",
        statement="Opens a second reconciliation once an order of the account was deleted since the first was opened.",
        rules=rules("REC-06", "WFL-03", "WFL-04", "CON-05"),
        after_deletion=_note_deleted,
        forgives=_free_once(_is_noted("deleted")),
    ),
    Defect(
        name="rec-06-given-free-by-a-refused-release",
        statement="Opens a second reconciliation once a release of the first was refused.",
        rules=rules("REC-06", "WFL-03", "WFL-04", "REL-18"),
        after_refusal=_note_refused_release,
        forgives=_free_once(lambda world, one: (one.id, "", "given free by its release") in world.memory),
    ),
    Defect(
        name="rel-08-as-it-was-before",
        statement="Takes a release for what its order was before, in any version.",
        rules=rules("REL-08", "WFL-04"),
        stores=_keep_versions,
        forgives=_as_before(slice(None)),
    ),
    Defect(
        name="rel-08-as-it-was-in-between",
        statement="Takes a release for what its order was before, but at first.",
        rules=rules("REL-08", "WFL-04"),
        stores=_keep_versions,
        forgives=_as_before(slice(1, None)),
    ),
    Defect(
        name="rel-01-as-it-was-first",
        statement="Compares a release with its order's first version where the order was sent more than twice.",
        rules=rules("REL-01", "WFL-04"),
        stores=_keep_versions,
        objects=_only_the_first,
    ),
)
