"""The mock's state as a JSON document, and read back: what `GET /_mock/snapshot`, `restore` and `--state FILE` are about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import TokenState
from conformance.mock.clock import VirtualClock
from conformance.mock.world import Account, MockWorld, OrderKey, Reconciliation, Version

SCHEMA: Final = "koncili-conformance/mock-snapshot/1"


class _Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    shown_at: datetime
    body: dict[str, Any] | None
    through_api: bool


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    key: OrderKey
    versions: list[_Version]


class _Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    key: OrderKey
    body: dict[str, Any]


class _Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    id: int
    channel: str
    active: bool
    api_import: bool


class _Reconciliation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    id: int
    account: int
    channel: str
    init: datetime
    end: datetime
    quantity: int
    total: Any
    entries: list[tuple[str, Decimal]]
    received: int
    orders: list[OrderKey]
    finishes_at: datetime | None
    situation: Literal["CONCILIED", "ERROR"] | None
    fails: bool


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """All that the mock remembers, but for counts, the log, and what is on its way."""

    schema: Literal["koncili-conformance/mock-snapshot/1"]
    now: datetime
    accounts: list[_Account]
    orders: list[_Order]
    remembered: list[_Remembered]
    reconciliations: list[_Reconciliation]
    reconciliations_opened: int
    released: list[OrderKey]
    reconciled: list[OrderKey]
    access_tokens: dict[str, datetime]
    refresh_tokens: dict[str, str]


def snapshot_of(world: MockWorld) -> dict[str, JSONValue]:
    """The world as a document."""
    return {
        "schema": SCHEMA,
        "now": world.clock.now().isoformat(),
        "accounts": [
            {"id": one.id, "channel": one.channel, "active": one.active, "apiImport": one.api_import}
            for one in world.accounts.values()
        ],
        "orders": [{"key": list(key), "versions": list(map(_version, all_))} for key, all_ in world.orders.items()],
        "remembered": [{"key": list(key), "body": body} for key, body in world.memory.items()],
        "reconciliations": list(map(_reconciliation, world.all_reconciliations)),
        "reconciliationsOpened": world.reconciliations_opened,
        "released": sorted(map(list, world.released)),
        "reconciled": sorted(map(list, world.reconciled)),
        "accessTokens": {token: dies.isoformat() for token, dies in world.access_tokens.items()},
        "refreshTokens": {token: state.value for token, state in world.refresh_tokens.items()},
    }


def _version(version: Version) -> dict[str, JSONValue]:
    return {"shownAt": version.shown_at.isoformat(), "body": version.body, "throughApi": version.through_api}


def _reconciliation(one: Reconciliation) -> dict[str, JSONValue]:
    return {
        "id": one.id,
        "account": one.account,
        "channel": one.channel,
        "init": one.init.isoformat(),
        "end": one.end.isoformat(),
        "quantity": one.quantity,
        "total": one.total,
        "entries": [list(entry) for entry in one.entries],
        "received": one.received,
        "orders": [list(key) for key in one.orders],
        "finishesAt": one.finishes_at.isoformat() if one.finishes_at else None,
        "situation": one.situation,
        "fails": one.fails,
    }


def world_of(document: JSONValue, clock: VirtualClock) -> tuple[MockWorld, datetime]:
    """The world of such a document on this clock, and what the clock showed. Raises ValueError that says what is wrong."""
    try:
        kept = msgspec.convert(document, Snapshot)
    except msgspec.ValidationError as error:
        raise ValueError(f"takes what GET /_mock/snapshot gave: {error}") from None
    world = MockWorld(clock)
    world.accounts = {one.id: Account(one.id, one.channel, one.active, one.api_import) for one in kept.accounts}
    world.orders = {
        one.key: [Version(_aware(each.shown_at), each.body, each.through_api) for each in one.versions]
        for one in kept.orders
    }
    world.memory = {one.key: one.body for one in kept.remembered}
    world.all_reconciliations = list(map(_opened, kept.reconciliations))
    world.reconciliations_opened = kept.reconciliations_opened
    world.released, world.reconciled = set(kept.released), set(kept.reconciled)
    world.access_tokens = {token: _aware(dies) for token, dies in kept.access_tokens.items()}
    try:
        world.refresh_tokens = {token: TokenState(state) for token, state in kept.refresh_tokens.items()}
    except ValueError as error:
        raise ValueError(f"takes what GET /_mock/snapshot gave: {error}") from None
    return world, _aware(kept.now)


def _opened(one: _Reconciliation) -> Reconciliation:
    return Reconciliation(
        one.id,
        one.account,
        one.channel,
        _aware(one.init),
        _aware(one.end),
        one.quantity,
        one.total,
        entries=list(one.entries),
        received=one.received,
        orders=list(one.orders),
        finishes_at=_aware(one.finishes_at) if one.finishes_at else None,
        situation=one.situation,
        fails=one.fails,
    )


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
