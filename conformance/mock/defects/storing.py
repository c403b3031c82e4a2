"""What is stored is not what was accepted: merged, kept, stored in spite of a refusal, found under another code, or stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from conformance.contract.instants import read_instant
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request
from conformance.contract.order_rules import is_number, judge_order
from conformance.contract.readings import RELEASE_TYPES, resolve
from conformance.contract.reconciliation_rules import is_whole, period_of
from conformance.mock.defects.parts import (
    CREATE,
    DELETE,
    QUERY,
    RELEASE,
    SUBMIT,
    entries_and_extracts,
    reconciliation_of,
    rules,
)
from conformance.mock.koncili import FIRST_ID, query_key
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld, OrderKey, Reconciliation, order_key

_UPDATING: Final = ("ORD-15", "ORD-17", "QRY-03", "WFL-04")


def _key_of(request: Request) -> OrderKey | None:
    return order_key(request.fields) if request.endpoint is SUBMIT else None


# -- updates -------------------------------------------------------------------------------------------------------


def _merge(order: Body, previous: Body | None, _: MockWorld) -> Body:
    given = {name: value for name, value in order.items() if value is not None}
    return {**(previous or {}), **given}


def _append_extracts(order: Body, previous: Body | None, _: MockWorld) -> Body:
    before, now = ((body or {}).get("extracts") or [] for body in (previous, order))
    return {**order, "extracts": [*before, *now]}


def _new_extracts_only(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """Extracts that are there stay, those of other types are added."""
    before: Any = (previous or {}).get("extracts") or []
    now: Any = order.get("extracts") or []
    types = {extract["type"] for extract in before}
    return {**order, "extracts": [*before, *(extract for extract in now if extract["type"] not in types)]}


def _matched_extracts(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """An extract of a type and value that are there already is the one that is there."""
    before: Any = list((previous or {}).get("extracts") or [])
    now: Any = order.get("extracts") or []

    def matched(extract: Any) -> Any:
        same = [one for one in before if (one["type"], one["value"]) == (extract["type"], extract["value"])]
        return same[0] if same else extract

    return {**order, "extracts": [matched(extract) for extract in now]}


def _extracts_merged(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """Each extract keeps of the one in its place what it leaves out or null."""
    before: Any = list((previous or {}).get("extracts") or [])
    now: Any = order.get("extracts") or []
    merged = [
        {
            **(before[place] if place < len(before) else {}),
            **{name: part for name, part in one.items() if part is not None},
        }
        for place, one in enumerate(now)
    ]
    return {**order, "extracts": merged}


def _keeping(*names: str) -> Callable[[Body, Body | None, MockWorld], Body]:
    """An update that leaves these fields as they were."""
    return lambda order, previous, _: {
        **order,
        **{name: previous[name] for name in names if previous is not None and name in previous},
    }


def _known_body_skipped(order: Body, previous: Body | None, world: MockWorld) -> Body:
    """What came before counts as a repetition, also where another version came in between."""
    known = (0, "", f"came before: {dumps(order)}")
    if previous is not None and known in world.memory:
        return previous
    world.memory[known] = order
    return order


def _alike_skipped(*names: str) -> Callable[[Body, Body | None, MockWorld], Body]:
    """An update with the same in these fields counts as a repetition."""

    def stores(order: Body, previous: Body | None, _: MockWorld) -> Body:
        alike = previous is not None and all(dumps(order.get(name)) == dumps(previous.get(name)) for name in names)
        return previous if previous is not None and alike else order

    return stores


def _older_skipped(order: Body, previous: Body | None, _: MockWorld) -> Body:
    """What was created before what is there counts as overtaken."""
    before, now = (read_instant(str((body or {}).get("createdDate"))) for body in (previous, order))
    return previous if previous is not None and before and now and now < before else order


def _keeping_dates_when_concluded(order: Body, previous: Body | None, _: MockWorld) -> Body:
    if previous is None or previous.get("status") not in {"CONCLUDED", "CANCELED"}:
        return order
    return previous


def _step_missed(before: str, after: str) -> Callable[[Body, Body | None, MockWorld], Body]:
    """One step from a status to another is in no table of those that are known."""

    def stores(order: Body, previous: Body | None, _: MockWorld) -> Body:
        is_missed = previous is not None and (previous.get("status"), order.get("status")) == (before, after)
        return previous if previous is not None and is_missed else order

    return stores


def _update(name: str, statement: str, stores: Callable[[Body, Body | None, MockWorld], Body], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*_UPDATING, *blamed), stores=stores)


# -- refused and stored all the same -------------------------------------------------------------------------------


def _store_the_refused(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    if key and world.stored(key):
        world.put(key, request.fields)


def _store_the_refused_status(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    stored = world.stored(key) if key else None
    if key and stored and stored.body is not None:
        world.put(key, {**stored.body, "status": request.fields.get("status")})


def _store_the_refused_extracts(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    stored = world.stored(key) if key else None
    if key and stored and stored.body is not None:
        world.put(key, {**stored.body, "extracts": request.fields.get("extracts")})


def _store_the_refused_order(world: MockWorld, request: Request) -> None:
    """A refused first submission is there afterwards."""
    key = _key_of(request)
    if key and key[0] in world.accounts and not world.stored(key):
        world.put(key, request.fields)


def _checked_last(rule_id: str, leave: Callable[[MockWorld, Request], None]) -> Callable[[MockWorld, Request], None]:
    """Of what is refused leave only what breaks no rule but this one: it is looked at when all else is written."""

    def after_refusal(world: MockWorld, request: Request) -> None:
        if {breach.rule for breach in judge_order(request.fields, resolve({}))} == {rule_id}:
            leave(world, request)

    return after_refusal


def _wipe_the_refused(world: MockWorld, request: Request) -> None:
    key = _key_of(request)
    if key and world.stored(key):
        world.put(key, None)


def _delete_the_reconciled(world: MockWorld, request: Request) -> None:
    key = query_key(request) if request.endpoint is DELETE else None
    if key in world.reconciled and key is not None:
        world.put(key, None)


def _keep_the_period(world: MockWorld, request: Request, situation: str | None = "CONCILIED") -> None:
    init, end = period_of(request.fields)
    account, channel = request.fields.get("accountId"), request.fields.get("channelName")
    if (
        request.endpoint is CREATE
        and init
        and end
        and init < end
        and str(account).isdecimal()
        and isinstance(channel, str)
    ):
        world.all_reconciliations.append(
            Reconciliation(-1, int(str(account)), channel, init, end, 1, situation=situation)
        )


def _keep_what_is_malformed(world: MockWorld, request: Request) -> None:
    """Keep the period where the total is no number, and nothing else is wrong with the creation by itself."""
    fields = request.fields
    if (
        is_whole(fields.get("releasesQtd"))
        and fields.get("releasesQtd") != 0
        and not is_number(fields.get("totalNetValue"))
    ):
        _keep_the_period(world, request)


def _keep_what_overlaps(situation: str | None) -> Callable[[MockWorld, Request], None]:
    """Of what is refused keep only what is in order by itself, and was written before one looked at the others."""

    def after_refusal(world: MockWorld, request: Request) -> None:
        init, end = period_of(request.fields)
        fields = request.fields
        in_order = is_whole(fields.get("releasesQtd")) and is_number(fields.get("totalNetValue"))
        if (
            in_order
            and init
            and end
            and any(
                init < reconciliation.end and reconciliation.init < end for reconciliation in world.all_reconciliations
            )
        ):
            _keep_the_period(world, request, situation)

    return after_refusal


def _open_what_is_refused_for_another(world: MockWorld, request: Request) -> None:
    """Under an id of its own, as one that is written before one looks whether another is active or of that time."""
    fields, before = request.fields, len(world.all_reconciliations)
    if (
        is_whole(fields.get("releasesQtd"))
        and int(fields["releasesQtd"]) > 0
        and is_number(fields.get("totalNetValue"))
    ):
        _keep_the_period(world, request, None)
    for kept in world.all_reconciliations[before:]:
        kept.id, kept.quantity = FIRST_ID + world.reconciliations_opened, int(fields["releasesQtd"])
        world.reconciliations_opened += 1


def _count_what_matches_badly(world: MockWorld, request: Request) -> None:
    """The entries of a release that is in order by itself, and is no mirror of its order's extracts."""
    reconciliation = reconciliation_of(request, world)
    entries, extracts = entries_and_extracts(request, world)
    known = all(type_ in RELEASE_TYPES for type_, _ in entries)
    if reconciliation is not None and known and extracts and Counter(entries) != Counter(extracts):
        reconciliation.received += len(entries)


def _count_the_refused(world: MockWorld, request: Request) -> None:
    reconciliation = reconciliation_of(request, world)
    entries: Any = request.fields.get("releases")
    if reconciliation is not None and isinstance(entries, list):
        reconciliation.received += len(entries)


def _release_the_refused(world: MockWorld, request: Request) -> None:
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    if key is not None:
        world.released.add(key)


def _refused(name: str, statement: str, after: Callable[[MockWorld, Request], None], *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), after_refusal=after)


# -- asking --------------------------------------------------------------------------------------------------------


def _conclude(world: MockWorld, key: OrderKey) -> None:
    stored = world.stored(key)
    if stored and stored.body is not None:
        world.put(key, {**stored.body, "totalGrossValue": Decimal("0.01")})


def _lose_an_extract(world: MockWorld, key: OrderKey) -> None:
    stored = world.stored(key)
    extracts: Any = stored.body.get("extracts") if stored and stored.body else None
    if stored and stored.body is not None and extracts and len(extracts) > 1:
        world.put(key, {**stored.body, "extracts": extracts[:-1]})


def _forget(world: MockWorld, key: OrderKey) -> None:
    if world.stored(key):
        world.put(key, None)


def _cached(world: MockWorld, key: OrderKey, body: Body | None) -> Body | None:
    """What the first query found is what every later one finds."""
    if body is not None:
        world.memory.setdefault(key, body)
    return world.memory.get(key)


def _absent(key: OrderKey) -> OrderKey:
    return (key[0], key[1], f"not there: {key[2]}")


def _keep_the_absence(world: MockWorld, request: Request) -> None:
    """That an order was not there is kept, as answers are in a cache that nobody thought of."""
    key = query_key(request) if request.endpoint is QUERY else None
    if key and key[0] in world.accounts and not world.stored(key):
        world.memory[_absent(key)] = {}


def _half_hour_and_a_minute(instant: datetime) -> datetime:
    return instant + timedelta(minutes=31)


STORING: Final = (
    _update("ord-15-merges", "Keeps what an update leaves out.", _merge),
    _update("ord-15-first-write-wins", "Accepts an update and keeps the order as it was.", lambda order, previous, _: (
        previous if previous is not None else order)),
    _update("ord-17-extracts-pile-up", "Adds the extracts of a second submission to those of the first.",
            _append_extracts, "ORD-16"),
    _update("ord-15-adds-new-types-only", "Adds extracts of types that were not there, and leaves the others.",
            _new_extracts_only),
    _update("ord-15-known-body-skipped", "Takes an update for a repetition where it is as an earlier version was.",
            _known_body_skipped),
    _update("ord-15-extracts-alike-skipped", "Takes an update for a repetition where it has the extracts that are there.",
            _alike_skipped("extracts")),
    _update("ord-15-status-alike-skipped", "Takes an update for a repetition where it has the status that is there.",
            _alike_skipped("status")),
    _update("ord-15-older-skipped", "Leaves an order as it was where an update has an earlier createdDate.", _older_skipped),
    _update("ord-15-keeps-extracts", "Leaves the extracts as they were.", _keeping("extracts")),
    _update("ord-15-extracts-matched", "Leaves an extract as it was where an update has one of its type and value.",
            _matched_extracts),
    _update("ord-15-extracts-merged", "Keeps of each extract what an update leaves out of it.", _extracts_merged),
    _update("ord-15-keeps-status", "Leaves the status as it was.", _keeping("status")),
    _update("ord-15-keeps-total", "Leaves totalGrossValue as it was.", _keeping("totalGrossValue")),
    _update("ord-15-keeps-created-date", "Leaves createdDate as it was.", _keeping("createdDate")),
    _update("ord-15-keeps-cancel-date", "Leaves cancelDate as it was.", _keeping("cancelDate")),
    _update("ord-15-final-states", "Accepts an update of a CONCLUDED or CANCELED order and keeps it as it was.",
            _keeping_dates_when_concluded),
    *(
        _update(
            f"ord-15-{before}-to-{after}-missed".lower().replace("_", "-"),
            f"Accepts an update from {before} to {after} and keeps the order as it was.",
            _step_missed(before, after),
        )
        for before, after in (
            ("PAID_WAITING_DELIVERY", "CANCELED"),
            ("PAID_WAITING_DELIVERY", "INVOICED"),
            ("CANCELED", "CONCLUDED"),
            ("CONCLUDED", "CANCELED"),
            ("INVOICED", "CANCELED"),
            ("CANCELED", "PAID_WAITING_DELIVERY"),
        )
    ),
    _refused("ord-16-refused-but-stored", "Stores the update that it refuses.", _store_the_refused, "ORD-16"),
    _refused("ord-16-refused-status-stored", "Stores the status of an update that it refuses.",
             _store_the_refused_status, "ORD-16"),
    _refused("ord-16-refused-extracts-stored", "Stores the extracts of an update that it refuses.",
             _store_the_refused_extracts, "ORD-16"),
    _refused("ord-16-refused-order-stored", "Stores the order that it refuses.",
             _store_the_refused_order, "ORD-16", "QRY-02"),
    _refused("ord-16-dates-checked-last", "Writes an update before it compares its dates.",
             _checked_last("ORD-07", _store_the_refused), "ORD-16"),
    _refused("ord-16-signs-checked-last", "Writes the head of an update before it looks at the signs of its extracts.",
             _checked_last("ORD-10", _store_the_refused_status), "ORD-16"),
    _refused("ord-16-codes-checked-last", "Writes a new order before it compares its extracts' codes with its own.",
             _checked_last("ORD-11", _store_the_refused_order), "ORD-16", "QRY-02"),
    _refused("ord-16-needs-checked-last", "Writes a new order before it looks for the dates that its status needs.",
             _checked_last("ORD-04", _store_the_refused_order), "ORD-16", "QRY-02"),
    _refused("ord-16-refused-and-wiped", "Deletes the order of which it refuses an update.",
             _wipe_the_refused, "ORD-16", "ORD-01"),
    _refused("del-04-refused-but-deleted", "Refuses to delete a reconciled order, and deletes it.",
             _delete_the_reconciled, "DEL-04"),
    _refused("rec-09-period-kept", "Registers the period of a reconciliation that it refuses.", _keep_the_period, "REC-09"),
    _refused("rec-09-malformed-kept", "Registers the period of a reconciliation whose total it can't read.",
             _keep_what_is_malformed, "REC-09"),
    _refused("rec-09-stays-active", "Opens the reconciliation that it refuses.",
             lambda world, request: _keep_the_period(world, request, None), "REC-09"),
    _refused("rec-09-second-active", "Opens a reconciliation before it looks whether another is active.",
             _open_what_is_refused_for_another, "REC-09"),
    _refused("rec-09-overlapping-kept", "Writes a reconciliation before it looks whether it overlaps another.",
             _keep_what_overlaps("CONCILIED"), "REC-09"),
    _refused("rec-09-overlapping-active", "Opens a reconciliation before it looks whether it overlaps another.",
             _keep_what_overlaps(None), "REC-09"),
    _refused("rel-18-mismatch-counted", "Counts the entries of a release before it compares them with the extracts.",
             _count_what_matches_badly, "REL-18"),
    _refused("rel-18-refused-counted", "Counts the entries of a release that it refuses.", _count_the_refused, "REL-18"),
    _refused("rel-18-refused-is-there", "Keeps the release that it refuses.", _release_the_refused, "REL-18"),
    # asking
    Defect(
        name="qry-03-thirty-one-minutes",
        statement="Shows a change after 31 minutes.",
        rules=rules("QRY-03"),
        shows_at=_half_hour_and_a_minute,
    ),
    Defect(
        name="qry-03-cached",
        statement="Shows an order for ever as it was first asked for.",
        rules=rules("QRY-02", "DEL-01", "DEL-04", "DEL-05", "ORD-16", *_UPDATING),
        finds=_cached,
    ),
    Defect(
        name="qry-01-absence-kept",
        statement="Keeps that an order was not there when it was first asked for, also when it is sent then.",
        rules=rules("QRY-01"),
        after_refusal=_keep_the_absence,
        finds=lambda world, key, body: None if _absent(key) in world.memory else body,
        answers=lambda request, answer: (
            Answer(404, {"errorMessage": "Order not found", "errorCode": "404-3", "errorSource": "marketplaceCode"})
            if request.endpoint is QUERY and answer.body == {}
            else answer
        ),
    ),
    Defect(
        name="qry-04-asking-changes",
        statement="Changes an order's total when it is asked for.",
        rules=rules("QRY-04", "DEL-03"),
        after_query=_conclude,
    ),
    Defect(
        name="qry-04-asking-loses-an-extract",
        statement="Loses the last extract of an order when it is asked for.",
        rules=rules("QRY-04", "DEL-03"),
        after_query=_lose_an_extract,
    ),
    Defect(
        name="qry-04-asked-once",
        statement="Forgets an order when it is asked for.",
        rules=rules("QRY-04", "QRY-01", "QRY-02", "DEL-01", "DEL-03", "DEL-05", "ORD-17"),
        after_query=_forget,
    ),
)  # fmt: skip
