"""Half of what was asked is done: before a refusal, or before a server error that does not come again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import period_of
from conformance.mock.defects.parts import CREATE, DELETE, QUERY, RELEASE, SUBMIT, rules
from conformance.mock.koncili import query_key
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key

_CRASH: Final = Answer(500, {"errorMessage": "Internal server error", "errorCode": "500-0", "errorSource": None})


def _done_in_a_crash(endpoint: Endpoint) -> Callable[[Request, Answer], Answer]:
    """Whatever is done there is answered 500: sent again, it is there already."""
    return lambda request, answer: _CRASH if request.endpoint is endpoint and answer.status < 300 else answer


def _stored_in_a_crash(request: Request, world: MockWorld) -> bool:
    """An order with an accent in its code is answered 500 when it is new; it is stored all the same."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    if key is None or key[2].isascii() or world.stored(key):
        return False
    world.put(key, request.fields)
    return True


def _crashes_first(
    endpoint: Endpoint, key_of: Callable[[Request], OrderKey | None]
) -> Callable[[Request, MockWorld], bool]:
    """Nothing is done the first time that something of a key is asked."""

    def crashes(request: Request, world: MockWorld) -> bool:
        key = key_of(request) if request.endpoint is endpoint else None
        if key is None or key in world.memory:
            return False
        world.memory[key] = {}
        return True

    return crashes


def _half_written(
    name: str, statement: str, rule_id: str, endpoint: Endpoint, key: Callable[[Body], OrderKey | None]
) -> Defect:
    """A refused call leaves something under its key, over which the lawful one of the same key falls each time."""

    def leave(world: MockWorld, request: Request) -> None:
        left = key(request.fields) if request.endpoint is endpoint else None
        if left is not None:
            world.memory[left] = request.fields

    def fall(request: Request, body: Body, world: MockWorld) -> Breach | None:
        found = request.endpoint is endpoint and key(body) in world.memory
        return Breach(rule_id, "body", "duplicate key") if found else None

    return Defect(
        name=name,
        statement=statement,
        rules=rules(rule_id),
        after_refusal=leave,
        objects=fall,
        refuses_with=lambda broken: 500 if broken == rule_id else None,
    )


def _period_key(body: Any) -> OrderKey | None:
    init, end = period_of(body)
    account, channel = body.get("accountId"), body.get("channelName")
    whole = init is not None and end is not None and isinstance(channel, str) and str(account).isdecimal()
    return (int(account), channel, f"{init} {end}") if whole else None


def _release_key(body: Any) -> OrderKey | None:
    """The order, where its entries are several: those before the one at fault are written."""
    entries = body.get("releases")
    return order_key(body) if isinstance(entries, list) and len(entries) > 1 else None


def _refused_once() -> Defect:
    """After a refused release of an order the right one is refused once, then taken."""

    def leave(world: MockWorld, request: Request) -> None:
        left = order_key(request.fields) if request.endpoint is RELEASE else None
        if left is not None and world.memory.get(left) != {}:
            world.memory[left] = request.fields
        elif left is not None:
            del world.memory[left]

    def fall(request: Request, body: Body, world: MockWorld) -> Breach | None:
        key = order_key(body)
        if request.endpoint is not RELEASE or key is None or not world.memory.get(key):
            return None
        world.memory[key] = {}
        return Breach("REL-18", "body", "still busy with the one before")

    return Defect(
        name="rel-18-refused-once",
        statement="Refuses once the right release of an order of which it refused another before.",
        rules=rules("REL-18"),
        after_refusal=leave,
        objects=fall,
    )


HALF_DONE: Final = (
    _refused_once(),
    Defect(
        name="err-02-half-done-order",
        statement="Answers 500 to an order with an accent in its code when it is new, and has stored it.",
        rules=rules("ERR-02"),
        crashes=_stored_in_a_crash,
    ),
    Defect(
        name="err-02-first-query",
        statement="Answers 500 to the first query for each order.",
        rules=rules("ERR-02"),
        crashes=_crashes_first(QUERY, query_key),
    ),
    Defect(
        name="err-02-first-release",
        statement="Answers 500 to the first release of each order, and takes the second.",
        rules=rules("ERR-02"),
        crashes=_crashes_first(RELEASE, lambda request: order_key(request.fields)),
    ),
    Defect(
        name="err-02-half-done-creation",
        statement="Answers 500 to every lawful creation, and has opened it.",
        rules=rules("ERR-02", "REC-01"),
        answers=_done_in_a_crash(CREATE),
    ),
    Defect(
        name="err-02-half-done-release",
        statement="Answers 500 to every lawful release, and has taken it.",
        rules=rules("ERR-02"),
        answers=_done_in_a_crash(RELEASE),
    ),
    Defect(
        name="err-02-half-done-deletion",
        statement="Answers 500 to every lawful deletion, and has deleted the order.",
        rules=rules("ERR-02"),
        answers=_done_in_a_crash(DELETE),
    ),
    _half_written(
        "rel-18-half-written",
        "Keeps the first entries of a release that it refuses: the right one is answered 500.",
        "REL-18",
        RELEASE,
        _release_key,
    ),
    _half_written(
        "rec-09-half-written",
        "Keeps the period of a creation that it refuses: one of the same period is answered 500.",
        "REC-09",
        CREATE,
        _period_key,
    ),
    _half_written(
        "ord-16-half-written",
        "Keeps the row of an order that it refuses: the right one is answered 500.",
        "ORD-16",
        SUBMIT,
        order_key,
    ),
)
