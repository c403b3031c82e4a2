"""The Koncili of the trials: accounts, tokens, orders, reconciliations and releases, as the documents say, in memory."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from tests.trials.lawful import (
    RELEASE_TYPES,
    Entry,
    Fields,
    Refusal,
    account_of,
    bad,
    entries,
    instant,
    number,
    order,
    parsed,
    text,
    whole,
)

EMAIL: Final = "trials@integrator.example"
PASSWORD: Final = "correct horse battery"
INTEGRATOR: Final = "7b1f0c52-6f0e-4d6e-9a55-0d1f2a3b4c5d"
CHANNEL: Final = "TRIAL_CHANNEL"
OTHER_CHANNEL: Final = "OTHER_CHANNEL"
FOREIGN_CODE: Final = "FOREIGN-1"
ACTIVE, SECOND, INACTIVE, DISABLED = 19055, 19056, 20001, 20002

ACCOUNTS: Final = (
    {"id": ACTIVE, "channelName": CHANNEL, "status": "ACTIVE", "apiImport": True},
    {"id": SECOND, "channelName": CHANNEL, "status": "ACTIVE", "apiImport": True},
    {"id": INACTIVE, "channelName": CHANNEL, "status": "INACTIVE", "apiImport": True},
    {"id": DISABLED, "channelName": CHANNEL, "status": "ACTIVE", "apiImport": False},
)
TOKEN_SECONDS: Final = 7200

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Place = tuple[int, str]


class Answer(NamedTuple):
    """What is answered: a body of bytes is JSON already."""

    status: int
    body: bytes = b""


@dataclass
class Manner:
    """In what lawful or unlawful way the world behaves; settable at run time."""

    reconcile_seconds: float = 0.05
    consolidate_seconds: float = 0.0
    """How long an update does not show."""
    lenient: bool = False
    """Creations take "3" for 3 and 30 February for the last of February."""
    text_ids: bool = False
    """The id of a reconciliation is told as text."""
    wants_send_date: bool = False
    """INVOICED orders without sendDate are refused: a lawful order that is not taken."""
    wipes: bool = False
    """A refused update removes the order."""
    accepts_every_period: bool = False
    refuses_everything: bool = False
    bare_codes: bool = False
    """Where the error table lists a bare status, that is the code: 403 and not 403-0."""


class Order:
    """An order, all of its versions with when they came."""

    def __init__(self, *, foreign: bool = False) -> None:
        self.versions: list[tuple[float, bytes, list[Entry]]] = []
        self.foreign = foreign
        self.released = False

    @property
    def extracts(self) -> list[Entry]:
        return self.versions[-1][2]

    def shown(self, until: float) -> bytes:
        """The last version that came before; the first where none did."""
        return next((raw for came, raw, _ in reversed(self.versions) if came <= until), self.versions[0][1])


@dataclass
class Reconciliation:
    """A batch."""

    id: int
    place: Place
    begins: datetime
    ends: datetime
    quantity: int
    received: int = 0
    whole_at: float | None = None
    """When the last release came."""

    def is_done(self, seconds: float) -> bool:
        return self.whole_at is not None and time.monotonic() >= self.whole_at + seconds

    @property
    def waits(self) -> bool:
        """Whether it waits for releases: it blocks its account until they come."""
        return self.whole_at is None


@dataclass
class World:
    """The state behind the server. Not for several threads at once: the server takes one call after the other."""

    manner: Manner = field(default_factory=Manner)
    tokens: dict[str, float] = field(default_factory=dict)
    refreshers: set[str] = field(default_factory=set)
    orders: dict[tuple[Place, str], Order] = field(default_factory=dict)
    reconciliations: list[Reconciliation] = field(default_factory=list)

    def __post_init__(self) -> None:
        foreign = Order(foreign=True)
        fields = {"marketplaceCode": FOREIGN_CODE, "channelName": CHANNEL, "accountId": ACTIVE, "status": "INVOICED"}
        foreign.versions.append((0.0, json.dumps(fields).encode(), []))
        self.orders[(ACTIVE, CHANNEL), FOREIGN_CODE] = foreign

    # -- what is left, for whoever counts ------------------------------------------------------------------------------

    def active(self) -> list[int]:
        """The reconciliations that wait for releases."""
        return [one.id for one in self.reconciliations if one.waits]

    def deletable(self) -> list[str]:
        """The codes of the orders that could be deleted."""
        return [code for (_, code), one in self.orders.items() if not one.released and not one.foreign]

    def overlaps(self) -> int:
        """How many pairs of periods of one account overlap."""
        known = self.reconciliations
        return sum(
            one.place == other.place and one.begins < other.ends and other.begins < one.ends
            for place, one in enumerate(known)
            for other in known[:place]
        )

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, route: tuple[str, str], query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        """Carry out a call. Raises Refusal."""
        if self.manner.refuses_everything:
            bad("nothing is taken here")
        if route == ("POST", "/public/api/auth/token"):
            return self._token(body)
        if route == ("POST", "/public/api/auth/refresh-token"):
            return self._refresh(body)
        if self.tokens.get(headers.get("gumgatoken", ""), 0.0) <= time.monotonic():
            raise Refusal(403, "", "NO_TOKEN")
        if not _UUID.fullmatch(headers.get("integrator", "")):
            raise Refusal(403, "403", "integrator must be a UUID")
        does = {
            ("GET", "/my-accounts"): lambda: Answer(200, json.dumps(ACCOUNTS).encode()),
            ("POST", "/order"): lambda: self._submit(parsed(body), body),
            ("GET", "/order"): lambda: self._query(*self._asked(query)),
            ("DELETE", "/order"): lambda: self._delete(*self._asked(query)),
            ("POST", "/reconciliation"): lambda: self._create(parsed(body)),
            ("POST", "/reconciliation/release"): lambda: self._release(parsed(body)),
        }
        if route in does:
            return does[route]()
        if any(path == route[1] for _, path in does):
            raise Refusal(405, "405", "this method is not known here")
        raise Refusal(404, "404", f"there is no {route[1]}")

    def _pair(self) -> Answer:
        access, refresh = (f"{_part('HS256')}.{_part(secrets.token_hex(12))}.{secrets.token_urlsafe(32)}" for _ in "ab")
        self.tokens[access] = time.monotonic() + TOKEN_SECONDS
        self.refreshers.add(refresh)
        fields = {"accessToken": access, "refreshToken": refresh, "expiresIn": TOKEN_SECONDS}
        return Answer(200, json.dumps(fields).encode())

    def _token(self, body: bytes) -> Answer:
        right = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
        credentials = parsed(body).get("credentials")
        if credentials != right:
            raise Refusal(403, "403", "credentials are wrong")
        return self._pair()

    def _refresh(self, body: bytes) -> Answer:
        token = parsed(body).get("refreshToken")
        if not isinstance(token, str) or token not in self.refreshers:
            raise Refusal(403, "403", "refreshToken is void")
        self.refreshers.discard(token)
        return self._pair()

    def _place(self, fields: Mapping[str, Any]) -> Place:
        """The account and channel of a call, if it may be used."""
        channel = text(fields, "channelName")
        number_ = account_of(fields.get("accountId"))
        if channel not in {CHANNEL, OTHER_CHANNEL}:
            raise Refusal(404, "404-2", f"Channel {channel} not found (channelName)")
        account = next((one for one in ACCOUNTS if one["id"] == number_), None)
        if account is None:
            raise Refusal(404, "404-1", f"Account {number_} not found (accountId)")
        if channel != account["channelName"]:
            raise Refusal(403, "403-2", "accountId is not authorised on this channelName")
        if account["status"] != "ACTIVE":
            raise Refusal(403, "403-1", "accountId is inactive")
        if not account["apiImport"]:
            raise Refusal(400, "400-2", "channelName does not support API import for this accountId")
        return number_, channel

    def _asked(self, query: Mapping[str, str]) -> tuple[Place, str]:
        return self._place(query), text(query, "marketplaceCode")

    def _found(self, place: Place, code: str) -> Order:
        found = self.orders.get((place, code))
        if found is None:
            raise Refusal(404, "404-3", "there is no order with this marketplaceCode")
        return found

    def _submit(self, fields: Fields, raw: bytes) -> Answer:
        code = text(fields, "marketplaceCode")
        place = self._place(fields)
        known = self.orders.get((place, code))
        try:
            extracts = order(fields)
            if self.manner.wants_send_date and fields.get("sendDate") is None:
                bad("sendDate must be there")
            if known is not None and (known.released or known.foreign):
                bad("the order of this marketplaceCode can't be changed")
        except Refusal:
            if self.manner.wipes and known is not None and not known.released:
                del self.orders[place, code]
            raise
        self.orders.setdefault((place, code), Order()).versions.append((time.monotonic(), raw, extracts))
        return Answer(200, b'{"status":"success"}')

    def _query(self, place: Place, code: str) -> Answer:
        return Answer(200, self._found(place, code).shown(time.monotonic() - self.manner.consolidate_seconds))

    def _delete(self, place: Place, code: str) -> Answer:
        found = self._found(place, code)
        if found.foreign:
            bad("the order of this marketplaceCode did not come through the API")
        if found.released:
            bad("the order of this marketplaceCode is reconciled")
        del self.orders[place, code]
        return Answer(200, b'{"status":"success"}')

    def _create(self, fields: Fields) -> Answer:
        lenient = self.manner.lenient
        place = self._place(fields)
        begins, ends = (instant(fields, name, lenient=lenient) for name in ("periodInitDate", "periodEndDate"))
        quantity = whole(fields, "releasesQtd", lenient=lenient)
        if fields.get("totalNetValue") is not None:
            number(fields, "totalNetValue")
        if begins >= ends:
            bad("periodInitDate must be earlier than periodEndDate")
        mine = [one for one in self.reconciliations if one.place == place]
        if any(not one.is_done(self.manner.reconcile_seconds) for one in mine):
            bad("a reconciliation of this accountId is active")
        if not self.manner.accepts_every_period and any(one.begins < ends and begins < one.ends for one in mine):
            bad("the period from periodInitDate to periodEndDate overlaps an earlier one")
        made = Reconciliation(1000 + 7 * len(self.reconciliations), place, begins, ends, quantity)
        self.reconciliations.append(made)
        return Answer(201, json.dumps({"id": str(made.id) if self.manner.text_ids else made.id}).encode())

    def _release(self, fields: Fields) -> Answer:
        number_ = whole(fields, "reconciliationId", lenient=self.manner.lenient)
        place = self._place(fields)
        code = text(fields, "marketplaceCode")
        batch = next((one for one in self.reconciliations if one.id == number_), None)
        if batch is None:
            bad("reconciliationId is not known")
        if batch.place != place:
            bad("accountId or channelName is not that of the reconciliationId")
        released = instant(fields, "releasedDate")
        _check_the_rest(fields)
        sent = entries(fields, "releases", RELEASE_TYPES)
        if not batch.begins <= released <= batch.ends:
            bad("releasedDate is outside the period")
        known = self.orders.get((place, code))
        if known is None:
            raise Refusal(404, "404-3", "there is no order with this marketplaceCode")
        if known.released:
            bad("the releases of this marketplaceCode are there already")
        if Counter(sent) != Counter(known.extracts):
            bad("releases are not the extracts of the order: type, value and number must be the same")
        if not batch.waits or batch.received + len(sent) > batch.quantity:
            bad("releases are more than releasesQtd of the reconciliationId")
        batch.received += len(sent)
        known.released = True
        if batch.received == batch.quantity:
            batch.whole_at = time.monotonic()
        return Answer(200, b'{"status":"success"}')


def _check_the_rest(fields: Fields) -> None:
    """What else stands in a release. Raises Refusal."""
    if fields.get("createdDate") is not None:
        instant(fields, "createdDate")
    if fields.get("status") is not None and not isinstance(fields["status"], str):
        bad("status must be a text")
    if fields.get("releaseType") != "IN_CASH":
        bad("releaseType must be IN_CASH")
    if fields.get("installment") is not None or fields.get("installmentQuantity") is not None:
        installment, of = whole(fields, "installment"), whole(fields, "installmentQuantity")
        if installment > of:
            bad("installment is above installmentQuantity")


def _part(text_: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"v": text_}).encode()).decode().rstrip("=")
