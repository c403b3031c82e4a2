"""Looks, and then writes without a lock: what comes at once sees what was before, and nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from conformance.contract.endpoints import REFRESH_TOKEN_FIELD
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import entries_of, is_whole, period_of
from conformance.mock.crowds import UNAVAILABLE
from conformance.mock.defects.parts import CREATE, DELETE, QUERY, RELEASE, SUBMIT, rules
from conformance.mock.koncili import query_key
from conformance.mock.quirks import Answer, Defect, Race
from conformance.mock.world import Body, MockWorld, OrderKey, Reconciliation, order_key

Among = Callable[[Request], Hashable | None]

_OVERLAPS: Final = frozenset({"REC-04", "REC-05"})


def _race(name: str, statement: str, among: Among, *blamed: str, **how: Any) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*blamed), race=Race(among=among, **how))


# -- who contends for what -----------------------------------------------------------------------------------------


def _creations(request: Request) -> Hashable | None:
    """Creations of one account and channel."""
    body = request.fields
    return (str(body.get("accountId")), body.get("channelName")) if request.endpoint is CREATE else None


def _releases(request: Request) -> Hashable | None:
    """Releases into one reconciliation."""
    number = request.fields.get("reconciliationId")
    return number if request.endpoint is RELEASE and is_whole(number) else None


def _releases_of_one_order(request: Request) -> Hashable | None:
    return (_releases(request), request.fields.get("marketplaceCode")) if _releases(request) is not None else None


def _equal_releases(request: Request) -> Hashable | None:
    return request.body if request.endpoint is RELEASE else None


def _submissions(request: Request) -> Hashable | None:
    """Submissions of one order."""
    return order_key(request.fields) if request.endpoint is SUBMIT else None


def _equal_submissions(request: Request) -> Hashable | None:
    return request.body if request.endpoint is SUBMIT else None


def _of_one_order(*endpoints: Any) -> Among:
    """All that one order gets of these."""

    def among(request: Request) -> Hashable | None:
        if request.endpoint not in endpoints:
            return None
        return query_key(request) if request.endpoint in {DELETE, QUERY} else order_key(request.fields)

    return among


def _refreshes(request: Request) -> Hashable | None:
    """Refreshes by one token."""
    token = request.fields.get(REFRESH_TOKEN_FIELD)
    return token if isinstance(token, str) else None


# -- what is noticed when it is written ----------------------------------------------------------------------------


def _notices(*ids: str) -> Callable[[Breach, Request, MockWorld], bool]:
    return lambda breach, _, __: breach.rule in ids


def _notices_equal_periods(breach: Breach, request: Request, world: MockWorld) -> bool:
    """As an index over account, beginning and end that is unique does."""
    return breach.rule == "REC-04" and _has_equal(request, world)


def _notices_other_periods(breach: Breach, request: Request, world: MockWorld) -> bool:
    return breach.rule == "REC-06" and not _has_equal(request, world)


def _has_equal(request: Request, world: MockWorld) -> bool:
    return any((known.init, known.end) == period_of(request.fields) for known in world.all_reconciliations)


# -- what becomes of it --------------------------------------------------------------------------------------------


def _reconciliation(world: MockWorld, request: Request) -> Reconciliation | None:
    number = request.fields.get("reconciliationId")
    return world.opened(number) if is_whole(number) else None


def _received(world: MockWorld, request: Request) -> tuple[int, int]:
    """How many entries were in, of how many orders."""
    reconciliation = _reconciliation(world, request)
    return (reconciliation.received, len(reconciliation.orders)) if reconciliation is not None else (0, 0)


def _others_came(reconciliation: Reconciliation, saw: tuple[int, int]) -> bool:
    """Whether others were written since this one looked."""
    return len(reconciliation.orders) > saw[1] + 1


def _count_is_lost(world: MockWorld, request: Request, saw: tuple[int, int]) -> None:
    """Writes the count that it saw and its own entries, whatever others have written since."""
    reconciliation = _reconciliation(world, request)
    if reconciliation is not None and _others_came(reconciliation, saw):
        reconciliation.received = saw[0] + len(entries_of(request.fields.get("releases")))
        reconciliation.finishes_at = None


def _counts_double(world: MockWorld, request: Request, saw: tuple[int, int]) -> None:
    """Adds up anew what others have added already."""
    reconciliation = _reconciliation(world, request)
    if reconciliation is not None and _others_came(reconciliation, saw):
        reconciliation.received += len(entries_of(request.fields.get("releases")))


def _counts_once(world: MockWorld, request: Request, saw: tuple[int, int]) -> None:
    """The entries of an order that came twice count once."""
    reconciliation = _reconciliation(world, request)
    twice = (
        reconciliation is not None
        and (key := order_key(request.fields)) is not None
        and reconciliation.orders.count(key) > 1
    )
    if reconciliation is not None and twice and _others_came(reconciliation, saw):
        entries = len(entries_of(request.fields.get("releases")))
        reconciliation.received -= entries
        if reconciliation.received < reconciliation.quantity:
            reconciliation.finishes_at = None


def _counts_what_is_refused(world: MockWorld, request: Request) -> None:
    reconciliation = _reconciliation(world, request)
    if reconciliation is not None:
        reconciliation.received += len(entries_of(request.fields.get("releases")))


def _last(world: MockWorld, key: OrderKey | None) -> Body | None:
    stored = world.stored(key) if key else None
    return stored.body if stored else None


def _saw_order(world: MockWorld, request: Request) -> Body | None:
    """The order as it was when it looked."""
    return _last(world, query_key(request) if request.endpoint is DELETE else order_key(request.fields))


def _put(change: Callable[[Body, Body | None, Body], Body | None]) -> Callable[[MockWorld, Request, Body | None], None]:
    """What is stored in the end, given what was sent, what it saw when it looked, and what others have stored since."""

    def writes(world: MockWorld, request: Request, saw: Body | None) -> None:
        key = order_key(request.fields)
        before = world.orders.get(world.key(key), [])[-2:-1] if key else []
        others = before[0].body if before else None
        if key and others is not None and others is not saw:
            world.put(key, change(request.fields, saw, others))

    return writes


def _of_both(sent: Body, _saw: Body | None, others: Body) -> Body:
    return {**sent, "extracts": others.get("extracts")}


def _all_entries(sent: Body, _saw: Body | None, others: Body) -> Body:
    return {**sent, "extracts": [*_entries(others), *_entries(sent)]}


def _entries(order: Body) -> list[Any]:
    extracts = order.get("extracts")
    return extracts if isinstance(extracts, list) else []


def _old_one(_sent: Body, saw: Body | None, _others: Body) -> Body | None:
    return saw


def _second_row(world: MockWorld, request: Request, saw: Body | None) -> None:
    """The order is there twice: what deletes one leaves the other."""
    key = order_key(request.fields)
    if key and saw is None and len(world.orders.get(world.key(key), [])) > 1:
        world.memory[key] = request.fields


def _show_second_row(world: MockWorld, key: OrderKey) -> None:
    if key in world.memory:
        world.put(key, world.memory.pop(key))


def _write_back(world: MockWorld, request: Request, saw: Body | None) -> None:
    """What is released is written back as it was when it looked."""
    key = query_key(request) if request.endpoint is DELETE else order_key(request.fields)
    if key in world.released and saw is not None and world.stored(key) is None:
        world.put(key, saw)


def _undo_deletion(world: MockWorld, request: Request, saw: Body | None) -> None:
    """Whoever comes last writes back what was there when it looked."""
    key = query_key(request) if request.endpoint is DELETE else order_key(request.fields)
    if key and saw is not None and _was_deleted_and_updated(world, key, saw):
        world.put(key, saw)


def _was_deleted_and_updated(world: MockWorld, key: OrderKey, saw: Body) -> bool:
    """Whether since it looked one has deleted the order, and another has updated it."""
    versions = world.orders.get(world.key(key), [])
    bodies = [version.body for version in versions[-2:]]
    return len(bodies) > 1 and bodies[0] is not saw and bodies.count(None) == 1


def _update_of_what_is_deleted(world: MockWorld, request: Request, saw: Body | None) -> None:
    """Deletion takes the entries, the update brings the rest."""
    key = query_key(request) if request.endpoint is DELETE else order_key(request.fields)
    if key and saw is not None and _was_deleted_and_updated(world, key, saw):
        versions = world.orders[world.key(key)]
        world.put(key, {**(versions[-2].body or versions[-1].body or saw), "extracts": []})


# -- what is shown meanwhile ---------------------------------------------------------------------------------------


def _mark(key: OrderKey, what: str) -> OrderKey:
    """Where something is remembered of an order, beside it."""
    return (*key[:-1], f"{key[-1]} {what}")


def _writes_and_reads(world: MockWorld, request: Request) -> None:
    """Whoever looks says that it reads, or what it writes."""
    key = query_key(request) if request.endpoint is QUERY else order_key(request.fields)
    if key:
        reads = request.endpoint is QUERY
        world.memory[_mark(key, "read" if reads else "written")] = {} if reads else request.fields


def _has_written_or_read(world: MockWorld, request: Request, _saw: None) -> None:
    """What was written while another read it is in the middle still, for that one."""
    key = query_key(request) if request.endpoint is QUERY else order_key(request.fields)
    if not key:
        return
    written = world.memory.pop(_mark(key, "written"), None)
    if request.endpoint is QUERY:
        world.memory.pop(_mark(key, "read"), None)
        world.memory.pop(_mark(key, "half"), None)
    elif _mark(key, "read") in world.memory and written is not None:
        world.memory[_mark(key, "half")] = written


def _while_it_is_written(
    half: Callable[[Body, Body], Body | None],
) -> Callable[[MockWorld, OrderKey, Body | None], Body | None]:
    """What a query finds meanwhile, given what is stored and what is being written."""

    def finds(world: MockWorld, key: OrderKey, body: Body | None) -> Body | None:
        new = world.memory.get(_mark(key, "written")) or world.memory.get(_mark(key, "half"))
        return body if new is None or body is None else half(body, new)

    return finds


def _mixed(stored: Body, new: Body) -> Body:
    return {**stored, "extracts": [*_entries(stored), *_entries(new)]}


def _take_the_id_that_was_next(world: MockWorld, _request: Request, saw: int) -> None:
    """Both take the id that was next when they looked."""
    if world.reconciliations_opened > saw + 1:
        world.all_reconciliations[-1].id = world.all_reconciliations[-2].id


def _forget_the_first(world: MockWorld, _request: Request, saw: int) -> None:
    """Of two that come at once the last one stays, under its id."""
    if world.reconciliations_opened > saw + 1:
        del world.all_reconciliations[-2]


def _opened_so_far(world: MockWorld, _request: Request) -> int:
    return world.reconciliations_opened


def _five_hundred(request: Request, number: int, _crowd: int) -> Answer | None:
    """A key that is there already is none of those that it expects."""
    body: Mapping[str, Any] = {"errorMessage": "duplicate key", "errorCode": "500", "errorSource": "order"}
    return Answer(500, body) if number and request.endpoint is SUBMIT else None


def _unavailable(request: Request, number: int, _crowd: int) -> Answer | None:
    """As a proxy does that lets one call of a client through at a time."""
    return UNAVAILABLE if number and request.endpoint in {SUBMIT, CREATE, RELEASE} else None


RACES: Final = (
    _race(
        "race-rec-all",
        "Looks whether a reconciliation may be opened, and opens it without a lock.",
        _creations,
        "CON-01",
    ),
    _race(
        "race-rec-active",
        "Notices overlapping periods of creations at once, but not that one is active.",
        _creations,
        "CON-01",
        checks_again=_notices(*_OVERLAPS),
    ),
    _race(
        "race-rec-unique-period",
        "Has an index that lets no two equal periods in, and no other lock.",
        _creations,
        "CON-01",
        checks_again=_notices_equal_periods,
    ),
    _race(
        "race-rec-equal",
        "Opens the same reconciliation twice where it comes twice at once; others it refuses.",
        _creations,
        "CON-01",
        checks_again=_notices_other_periods,
    ),
    _race(
        "race-rec-same-id",
        "Gives two reconciliations that are opened at once the same id.",
        _creations,
        "CON-01",
        "REC-02",
        looks=_opened_so_far,
        writes=_take_the_id_that_was_next,
    ),
    _race(
        "race-rec-last-wins",
        "Of two reconciliations that are opened at once keeps the last, and has told both that they are open.",
        _creations,
        "CON-01",
        looks=_opened_so_far,
        writes=_forget_the_first,
    ),
    _race(
        "race-rel-twice",
        "Looks whether an order's release is there, and takes it without a lock.",
        _releases_of_one_order,
        "CON-02",
        checks_again=_notices("REL-12"),
    ),
    _race(
        "race-rel-all",
        "Looks whether a release may be taken, and takes it without a lock.",
        _releases,
        "CON-02",
        "CON-03",
    ),
    _race(
        "race-rel-twice-counted-once",
        "Takes two releases of one order at once, and counts one.",
        _releases_of_one_order,
        "CON-02",
        looks=_received,
        writes=_counts_once,
    ),
    _race(
        "race-rel-refused-but-counted",
        "Of two releases of one order at once refuses one, and counts both.",
        _releases_of_one_order,
        "CON-02",
        checks_again=_notices("REL-11"),
        after_refusal=_counts_what_is_refused,
    ),
    _race(
        "race-rel-equal",
        "Takes the same release twice where it comes twice at once.",
        _equal_releases,
        "CON-02",
    ),
    _race(
        "race-qtd-exceeded",
        "Looks whether entries fit, and takes them without a lock; that an order's are there it notices.",
        _releases,
        "CON-03",
        checks_again=_notices("REL-11"),
    ),
    Defect(
        name="race-qtd-refused-but-counted",
        statement="Of two releases at once that don't fit both refuses one, and counts both: it never completes.",
        rules=rules("CON-03", "CON-02"),
        race=Race(among=_releases, checks_again=_notices("REL-11", "REL-12"), after_refusal=_counts_what_is_refused),
        is_complete=lambda reconciliation: reconciliation.received == reconciliation.quantity,
    ),
    _race(
        "race-qtd-lost",
        "Loses the count of one of two releases at once.",
        _releases,
        "CON-03",
        "CON-02",
        checks_again=_notices("REL-11", "REL-12"),
        looks=_received,
        writes=_count_is_lost,
    ),
    _race(
        "race-qtd-double",
        "Counts one of two releases at once twice.",
        _releases,
        "CON-03",
        "CON-02",
        checks_again=_notices("REL-11", "REL-12"),
        looks=_received,
        writes=_counts_double,
    ),
    Defect(
        name="race-ord-two-rows",
        statement="Stores an order that comes twice at once twice: its deletion takes one.",
        rules=rules("CON-04", "DEL-06"),
        race=Race(among=_submissions, looks=_saw_order, writes=_second_row),
        after_deletion=_show_second_row,
    ),
    _race(
        "race-ord-torn",
        "Of two versions at once stores the entries of one and the rest of the other.",
        _submissions,
        "CON-04",
        looks=_saw_order,
        writes=_put(_of_both),
    ),
    _race(
        "race-ord-entries-of-both",
        "Of two submissions at once stores the entries of both.",
        _submissions,
        "CON-04",
        looks=_saw_order,
        writes=_put(_all_entries),
    ),
    _race(
        "race-ord-entries-doubled",
        "Of the same submission twice at once stores the entries twice.",
        _equal_submissions,
        "CON-04",
        looks=_saw_order,
        writes=_put(_all_entries),
    ),
    _race(
        "race-ord-neither",
        "Of two versions at once stores neither: what was there stays.",
        _submissions,
        "CON-04",
        looks=_saw_order,
        writes=_put(_old_one),
    ),
    Defect(
        name="race-ord-half-shown",
        statement="Shows, while an order is updated, the entries of both versions.",
        rules=rules("CON-04", "CON-05"),
        race=Race(among=_of_one_order(SUBMIT, QUERY), looks=_writes_and_reads, writes=_has_written_or_read),
        finds=_while_it_is_written(_mixed),
    ),
    Defect(
        name="race-ord-gone-between",
        statement="Deletes an order and inserts it anew when it is updated: in between it is not there.",
        rules=rules("CON-04"),
        race=Race(among=_of_one_order(SUBMIT, QUERY), looks=_writes_and_reads, writes=_has_written_or_read),
        finds=_while_it_is_written(lambda _stored, _new: None),
    ),
    Defect(
        name="race-ord-500",
        statement="Answers the second of two submissions of an order at once with 500, and does nothing.",
        rules=rules("ERR-02"),
        at_once=_five_hundred,
    ),
    Defect(
        name="race-503",
        statement="Answers 503 to all but the first of several at once, each time, and does nothing.",
        rules=rules("ERR-02"),
        at_once=_unavailable,
    ),
    _race("race-refresh-twice", "Gives two pairs for one refresh token at once.", _refreshes, "CON-05"),
    _race(
        "race-del-release-writes-back",
        "Writes an order back that is deleted while it is released.",
        _of_one_order(DELETE, RELEASE),
        "CON-05",
        checks_again=_notices("REL-11", "REL-12"),
        looks=_saw_order,
        writes=_write_back,
    ),
    _race(
        "race-del-update-undone",
        "Of an update and a deletion at once carries out neither: what was there stays.",
        _of_one_order(DELETE, SUBMIT),
        "CON-05",
        looks=_saw_order,
        writes=_undo_deletion,
    ),
    _race(
        "race-del-update-half",
        "Of an update and a deletion at once takes the entries from the one and the rest from the other.",
        _of_one_order(DELETE, SUBMIT),
        "CON-05",
        looks=_saw_order,
        writes=_update_of_what_is_deleted,
    ),
)
