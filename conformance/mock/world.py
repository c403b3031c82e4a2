"""The mock's state: accounts, orders with their history, reconciliations, tokens. It answers the judge's questions."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from conformance.contract.jsontext import JSONValue
from conformance.contract.judge import AccountFacts, TokenState
from conformance.contract.reconciliation_rules import Entry, OrderFacts, ReconciliationFacts, entries_of
from conformance.mock.clock import VirtualClock

Body = Mapping[str, JSONValue]
OrderKey = tuple[int, str, str]
"""accountId, channelName, marketplaceCode."""


@dataclass(frozen=True, slots=True)
class Account:
    """A seller's account: on which channel it lives, and whether the API may use it."""

    id: int
    channel: str
    active: bool = True
    api_import: bool = True


EMAIL: Final = "integrator@mock.koncili.example"
PASSWORD: Final = "mock-password"  # noqa: S105 - the mock's own, printed by `koncili-conformance mock`
INTEGRATOR: Final = "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11"
CHANNEL: Final = "CHANNEL_NAME"
OTHER_CHANNEL: Final = "OTHER_CHANNEL"
FOREIGN_CODE: Final = "FOREIGN-1"

INACTIVE: Final = Account(20001, CHANNEL, active=False)
DISABLED: Final = Account(20002, CHANNEL, api_import=False)
ENABLED: Final = (Account(19055, CHANNEL), Account(19056, CHANNEL), Account(19060, OTHER_CHANNEL))


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an order: from when on it is stored and shown; no body once it is deleted."""

    shown_at: datetime
    body: Body | None
    through_api: bool = True


@dataclass(slots=True)
class Reconciliation:
    """A reconciliation as it stands. `situation` is CONCILIED or ERROR once it is finished."""

    id: int
    account: int
    channel: str
    init: datetime
    end: datetime
    quantity: int
    total: JSONValue = None
    entries: list[Entry] = field(default_factory=list)
    received: int = 0
    """How many entries count as received; with a defect not those that there are."""
    orders: list[OrderKey] = field(default_factory=list)
    finishes_at: datetime | None = None
    situation: str | None = None
    fails: bool = False
    _told: ReconciliationFacts | None = field(default=None, repr=False, compare=False)
    """Its facts as they were told last: each creation asks for those of all, of which a deep run has thousands."""

    @property
    def facts(self) -> ReconciliationFacts:
        """What the judge needs to know of it."""
        told = self._told
        if (
            told is None
            or told.active is not (self.situation is None)
            or told.received != self.received
            or told.quantity != self.quantity
            or told.init is not self.init
            or told.end is not self.end
        ):
            self._told = told = ReconciliationFacts(
                self.account, self.channel, self.init, self.end, self.quantity, self.received, self.situation is None
            )
        return told

    def total_matches(self, reading: str) -> bool:
        """Whether totalNetValue is what the reading `total-net-value` wants."""
        if reading == "unchecked" or not isinstance(self.total, int | Decimal):
            return True
        values = [value for type_, value in self.entries if reading == "sum-of-entries" or type_ == "SALE"]
        try:
            return Decimal(self.total) == sum(values, Decimal(0))
        except ArithmeticError:  # beyond what a Decimal can add up
            return False


@dataclass(slots=True)
class MockWorld:
    """All that the mock remembers. `shows_at` says when a change made at an instant is to be seen by a query."""

    clock: VirtualClock
    shows_at: Callable[[datetime], datetime] = lambda instant: instant
    token_seconds: int = 7200
    tokens_by_the_second: bool = False
    key: Callable[[OrderKey], OrderKey] = lambda key: key
    """Under what an order is kept."""
    memory: dict[OrderKey, Body] = field(default_factory=dict)
    """What a defect keeps of orders besides."""
    accounts: dict[int, Account] = field(default_factory=dict)
    orders: dict[OrderKey, list[Version]] = field(default_factory=dict)
    all_reconciliations: list[Reconciliation] = field(default_factory=list)
    """Every reconciliation, in the order in which they were opened."""
    reconciliations_opened: int = 0
    released: set[OrderKey] = field(default_factory=set)
    reconciled: set[OrderKey] = field(default_factory=set)
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    refresh_tokens: dict[str, TokenState] = field(default_factory=dict)
    renewed_tokens: set[str] = field(default_factory=set)
    """The refresh tokens that a refresh gave, not credentials."""

    # -- what the judge asks ----------------------------------------------------------------------------------------

    def knows_credentials(self, email: str, password: str) -> bool:
        return (email, password) == (EMAIL, PASSWORD)

    def access_token_state(self, token: str) -> TokenState:
        dies = self.access_tokens.get(token)
        if dies is None:
            return TokenState.UNKNOWN
        return TokenState.VALID if self.clock.now() < dies else TokenState.EXPIRED

    def refresh_token_state(self, token: str) -> TokenState:
        return self.refresh_tokens.get(token, TokenState.UNKNOWN)

    def account(self, account_id: int) -> AccountFacts | None:
        found = self.accounts.get(account_id)
        return AccountFacts(found.active, found.api_import, frozenset({found.channel})) if found else None

    def knows_channel(self, name: str) -> bool:
        return any(account.channel == name for account in self.accounts.values())

    def stored_order(self, account_id: int, channel: str, code: str) -> OrderFacts | None:
        key = (account_id, channel, code)
        return self._facts(key, self.stored(key))

    def shown_order(self, account_id: int, channel: str, code: str) -> OrderFacts | None:
        key = (account_id, channel, code)
        return self._facts(key, self.shown(key))

    def _facts(self, key: OrderKey, version: Version | None) -> OrderFacts | None:
        if version is None or version.body is None:
            return None
        entries = entries_of(version.body.get("extracts"))
        return OrderFacts(version.through_api, entries, key in self.released, key in self.reconciled)

    def reconciliation(self, reconciliation_id: int) -> ReconciliationFacts | None:
        found = self.opened(reconciliation_id)
        return found.facts if found else None

    def reconciliations(self, account_id: int, channel: str) -> list[ReconciliationFacts]:
        return [
            known.facts for known in self.all_reconciliations if (known.account, known.channel) == (account_id, channel)
        ]

    # -- orders ----------------------------------------------------------------------------------------------------

    def stored(self, key: OrderKey) -> Version | None:
        """The order as it was last accepted."""
        versions = self.orders.get(self.key(key))
        return versions[-1] if versions and versions[-1].body is not None else None

    def shown(self, key: OrderKey) -> Version | None:
        """The order as a query sees it now."""
        now = self.clock.now()
        visible = [version for version in self.orders.get(self.key(key), ()) if version.shown_at <= now]
        return visible[-1] if visible and visible[-1].body is not None else None

    def put(self, key: OrderKey, body: Body | None, *, through_api: bool = True) -> None:
        """Store a new state of an order; None deletes it."""
        versions = self.orders.setdefault(self.key(key), [])
        now = self.clock.now()
        # Of the states already shown only the newest can be asked for again.
        while len(versions) > 1 and versions[1].shown_at <= now:
            versions.pop(0)
        versions.append(Version(self.shows_at(now), body, through_api))

    # -- reconciliations -------------------------------------------------------------------------------------------

    def opened(self, reconciliation_id: int) -> Reconciliation | None:
        """The newest reconciliation of that id."""
        return next((known for known in reversed(self.all_reconciliations) if known.id == reconciliation_id), None)

    def finish_due(self, total_reading: str) -> list[Reconciliation]:
        """Finish what is due by now, and return it: matched orders are reconciled from then on."""
        now = self.clock.now()
        due = [
            known
            for known in self.all_reconciliations
            if known.situation is None and known.finishes_at and known.finishes_at <= now
        ]
        for known in due:
            matched = all(self.stored(key) for key in known.orders) and known.total_matches(total_reading)
            known.situation = "CONCILIED" if matched and not known.fails else "ERROR"
            if known.situation == "CONCILIED":
                self.reconciled.update(known.orders)
        return due

    # -- tokens ----------------------------------------------------------------------------------------------------

    def issue_tokens(self) -> tuple[str, str]:
        """A new access token and a new refresh token."""
        access, refresh = self._token("access"), self._token("refresh")
        self.access_tokens[access] = self.clock.now() + timedelta(seconds=self.token_seconds)
        self.refresh_tokens[refresh] = TokenState.VALID
        return access, refresh

    def void_refresh_token(self, token: str) -> None:
        """From now on this refresh token gets nothing."""
        self.refresh_tokens[token] = TokenState.EXPIRED

    def _token(self, use: str) -> str:
        """A token in the shape of a JWT. The mock knows its tokens by heart and verifies no signature."""
        header = {"alg": "HS256", "typ": "JWT"}
        claims = {
            "use": use,
            "exp": int(self.clock.now().timestamp()) + self.token_seconds,
            "jti": secrets.token_hex(8),
        }
        if self.tokens_by_the_second:
            del claims["jti"]
        parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
        signature = sha256(".".join(parts).encode()).digest() if self.tokens_by_the_second else secrets.token_bytes(32)
        return ".".join([*parts, _base64url(signature)])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def order_key(body: Mapping[str, Any]) -> OrderKey | None:
    """The identity of the order in a submission, or None where it has none."""
    account, channel, code = (body.get(name) for name in ("accountId", "channelName", "marketplaceCode"))
    if not isinstance(channel, str) or not isinstance(code, str) or not str(account).isdecimal():
        return None
    return int(str(account)), channel, code


def furnish(world: MockWorld) -> MockWorld:
    """Put the mock's accounts and its one order that did not come through the API into the world; returns it."""
    for account in (*ENABLED, INACTIVE, DISABLED):
        world.accounts[account.id] = account
    home = ENABLED[0]
    foreign = {
        "marketplaceCode": FOREIGN_CODE,
        "channelName": home.channel,
        "accountId": home.id,
        "status": "INVOICED",
        "createdDate": "2025-05-09T12:00:00Z",
        "extracts": [],
    }
    # It was there before the mock began: no consolidation is to be waited for.
    key = (home.id, home.channel, FOREIGN_CODE)
    world.orders[key] = [Version(world.clock.now(), foreign, through_api=False)]
    return world
