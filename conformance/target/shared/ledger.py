"""What a run has created at the target and must clear away: written down in the shared store before each request that may
create something, so that whoever comes after a killed run can finish what it left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as dataclass_fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.target.shared.lenient import fields_of_one, id_in, is_lawful, read_anyhow, whole_id
from conformance.target.shared.near_ids import FEW, REMEMBERED, guesses, none_between

if TYPE_CHECKING:
    from conformance.target.shared.store_base import Store

LAST_IDS: Final = "last-reconciliation-id"
"""Begins the record of the ids that a target gave out last: that of a creation whose answer was lost is not far from them. Each
base URL has its own, by a digest."""

SETTLING: Final = "settling/"
"""Records of the channels on which a reconciliation may be going on that has all its releases."""

NO_SUCH_PLACE: Final = frozenset({"400-2", "403-1", "403-2", "404-1", "404-2"})
"""The codes of refusals that say that nothing can be opened or released there, whatever it is. (P: error reference)"""

REFUSED_AS_THERE: Final = frozenset({400, 409, 410, 422})
"""How a creation is refused that was carried out before, as where a gateway delivers it twice and gives the second answer."""

SUSPECTS: Final = 4
"""So many refused creations are remembered of a place, the first ones: each is worth one client error to find it."""

_NEVER_SENT: Final = 400
"""What was never sent is as good as refused."""

_SHORT: Final = 16
"""How much of the digest tells targets apart."""

_ORDER, _OPENED = "order/", "opened/"
_THERE, _RECONCILED = "there", "reconciled"


class OrderId(NamedTuple):
    """What identifies an order."""

    account: int
    channel: str
    code: str


class Doubt(NamedTuple):
    """A release without an answer."""

    order: OrderId | None
    entries: int


@dataclass(slots=True)
class Opened:
    """A reconciliation that is active, or may be. What its creation said stands here as it was written, since a lenient server
    may have taken what is malformed; `id` is in the spelling of the answer, None while nobody knows it."""

    key: str
    channel: JSONValue
    account: JSONValue
    init: JSONValue
    end: JSONValue
    quantity: JSONValue
    id: JSONValue = None
    received: int = 0
    """How many release entries were accepted."""
    doubts: list[Doubt] = field(default_factory=list)
    """The releases that were sent of which nobody knows whether they were accepted."""
    after: int | None = None
    """The id that was given out last before it, where that is known."""
    before: int | None = None
    """The id that was given out first after it, where its own is not known."""
    accepted: bool = False
    """Whether its creation was answered with a success: then it is there, whether its id is known or not."""
    refused_again: bool = False
    """Whether the same creation was refused after its answer had been lost: perhaps since it was carried out."""
    at_once: bool = False
    """Whether it was sent at once with others: that one of these was opened does not say that the others were not."""
    sent: int = 1
    """How often the same was sent, refusals left out."""
    doubled: bool = False
    """Whether the same was sent again and accepted: a target that looks too late whether one is active has both."""
    attempts: int = 0
    """How often it was tried in vain to complete it."""
    why: str = ""
    """Why that failed the last time."""

    @property
    def in_doubt(self) -> int:
        """How many release entries may have been accepted."""
        return sum(doubt.entries for doubt in self.doubts)


class Left(NamedTuple):
    """What a run has left: orders that can be deleted, orders that can't since they are reconciled, and reconciliations."""

    orders: list[OrderId]
    reconciled: list[OrderId]
    opened: list[Opened]


class Ledger:
    """The ledger of one run. Each entry is in the store before the request that it is about is sent."""

    def __init__(self, store: Store, run: str, base_url: str = "") -> None:
        """`base_url` is where the run creates what it writes down here."""
        self._store = store
        self._last_ids = f"{LAST_IDS}/{sha256(base_url.encode()).hexdigest()[:_SHORT]}"
        self._run = run
        self._orders: dict[OrderId, str] = {}
        self._opened: dict[str, Opened] = {}
        self._serial = 0
        self._unanswered: set[OrderId] = set()
        """Orders that were sent without an answer: a queue on the way may deliver that after they were deleted."""
        self._deleted_early: set[OrderId] = set()
        """Those of them that were deleted since, and are to be deleted once more."""
        self._updated_at_once: set[OrderId] = set()
        """Orders that were sent again at once with other calls: a deletion or a refusal among these says nothing of it."""
        self._refused: dict[tuple[int | None, str], list[Opened]] = {}
        """Lawful creations that were refused at a place since one was opened there."""
        self._refused_into: set[str] = set()
        """Reconciliations into which a release was refused."""
        self.opened_at: set[tuple[int | None, JSONValue]] = set()
        """The accounts and channels where a reconciliation was opened: none was active there before."""

    @classmethod
    def of(cls, store: Store, run: str, base_url: str = "") -> Ledger:
        """The ledger that another run has left, to be cleared away."""
        ledger = cls(store, run, base_url)
        for key, state in store.records(f"{_ORDER}{run}/").items():
            ledger._orders[OrderId(*json.loads(key.split("/", 2)[2]))] = state
        for key, text in store.records(f"{_OPENED}{run}/").items():
            ledger._opened[key] = _opened(text)
            ledger._serial = max(ledger._serial, int(key.rpartition("/")[2]))
        return ledger

    @staticmethod
    def runs(store: Store) -> list[str]:
        """The runs that have left something."""
        keys = (*store.records(_ORDER), *store.records(_OPENED))
        return list(dict.fromkeys(key.split("/", 2)[1] for key in keys))

    @staticmethod
    def blocking(store: Store) -> list[str]:
        """The runs that may have left a reconciliation active."""
        return list(dict.fromkeys(key.split("/", 2)[1] for key in store.records(_OPENED)))

    # -- requests ----------------------------------------------------------------------------------------------------

    def sending(
        self, endpoint: Endpoint | None, query: Mapping[str, str], content: bytes, *, at_once: bool = False
    ) -> Note:
        """Write down what a request may create. What is sent `at_once` with others may be carried out beside its like; else the
        like of one that got no answer is the same once more."""
        match endpoint:
            case Endpoint.DELETE_ORDER:
                return Note(deletes=order_id(query), at_once=at_once)
            case Endpoint.SUBMIT_ORDER:
                return self._submitting(order_id(fields_of(content)), at_once=at_once)
            case Endpoint.CREATE_RECONCILIATION:
                return self._opening(fields_of(content), at_once=at_once)
            case Endpoint.SUBMIT_RELEASE:
                return self._releasing(fields_of(content))
        return Note()

    def _submitting(self, order: OrderId | None, *, at_once: bool) -> Note:
        if order is None:
            return Note()
        if order not in self._orders:
            self._set(order, _THERE)
            return Note(submits=order, sends=order)
        self._deleted_early.discard(order)
        if at_once:
            self._updated_at_once.add(order)
        return Note(sends=order)

    def _opening(self, fields: Mapping[str, Any], *, at_once: bool) -> Note:
        said = [fields.get(name) for name in _SAID]
        for other in () if at_once else self._opened.values():
            what = [other.channel, other.account, other.init, other.end, other.quantity]
            if other.id is None and not other.accepted and what == said:
                other.sent += 1
                return Note(opens=self._keep(other), again=True)
        key, (channel, account, init, end, quantity) = self._next_key(), said
        return Note(
            opens=self._keep(Opened(key, channel, account, init, end, quantity, after=self.last_id, at_once=at_once))
        )

    def _releasing(self, fields: Mapping[str, Any]) -> Note:
        number, entries = fields.get("reconciliationId"), fields.get("releases")
        into = next((one for one in self._opened.values() if one.id is not None and _same(one.id, number)), None)
        order = order_id(fields)
        repeated = order is not None and self._orders.get(order) == _RECONCILED
        if into is not None and isinstance(entries, list):
            doubted = order is not None and any(doubt.order == order for doubt in into.doubts)
            if not doubted:
                into.doubts.append(Doubt(order, len(entries)))
                self._keep(into)
            return Note(releases=order, into=into, entries=len(entries), again=doubted, repeated=repeated)
        return Note(releases=order)

    def answered(self, note: Note, status: int, content: bytes) -> None:
        """Write down what became of a request. A failing server may have carried it out all the same."""
        accepted, refused = status // 100 == 2, status // 100 == 4  # noqa: PLR2004
        if accepted and note.deletes is not None and not (note.at_once and note.deletes in self._updated_at_once):
            self.deleted(note.deletes)
        if refused and note.submits is not None and note.submits not in self._updated_at_once:
            self.deleted(note.submits)
        if accepted:
            self.released(note.releases)
        if note.opens is not None:
            if accepted:
                self._identified(self._beside(note.opens) if note.again else note.opens, content)
            elif refused and (not note.again or fields_of(content).get("errorCode") in NO_SUCH_PLACE):
                self.closed(note.opens)
                if status in REFUSED_AS_THERE and fields_of(content).get("errorCode") not in NO_SUCH_PLACE:
                    self._suspect(note.opens)
            elif refused:  # the first time, without an answer, it may have been opened
                note.opens.refused_again = True
                note.opens.sent -= 1
                self._keep(note.opens)
        if note.into is not None and (accepted or (refused and not note.again)):
            self._no_doubt(note.into, note, accepted=accepted)

    def _suspect(self, opened: Opened) -> None:
        if not isinstance(opened.channel, str) or not is_lawful(opened.quantity, opened.init, opened.end):
            return
        known = self._refused.setdefault((whole_id(opened.account), opened.channel), [])
        like = any((one.init, one.end, one.quantity) == (opened.init, opened.end, opened.quantity) for one in known)
        if not like and len(known) < SUSPECTS:
            known.append(opened)

    def take_refused(self, account: int, channel: str) -> list[Opened]:
        """The lawful creations that were refused there since one was opened, oldest first; they are not told again."""
        return self._refused.pop((account, channel), [])

    def unanswered(self, note: Note) -> None:
        """A request got no answer, or one that something on the way gave in its place: it may be carried out later."""
        if note.sends is not None and note.sends in self._orders:
            self._unanswered.add(note.sends)

    def never_sent(self, note: Note) -> None:
        """A request did not leave this machine."""
        if not note.again:
            self.answered(note, _NEVER_SENT, b"")

    def _no_doubt(self, into: Opened, note: Note, *, accepted: bool) -> None:
        """The release that a note is of was answered. An acceptance also settles what was asked of its order before; a refusal
        may be because it had been accepted then. Of two at once that were both accepted one counts: where it counted twice, what
        fills up the rest is refused. Whether one counts whose order had been released before nobody knows: who takes it for a
        repetition answers as before and does nothing."""
        counts = accepted and (not note.again or any(doubt.order == note.releases for doubt in into.doubts))
        into.received += note.entries if counts and not note.repeated else 0
        if not accepted and into.id is not None:
            self._refused_into.add(into.key)
        into.doubts = [doubt for doubt in into.doubts if doubt.order != note.releases]
        if counts and note.repeated:
            into.doubts.append(Doubt(note.releases, note.entries))
        if (
            isinstance(into.quantity, int)
            and not isinstance(into.quantity, bool)
            and 0 < into.quantity <= into.received
        ):
            self.closed(into)
        elif into.key in self._opened:
            self._keep(into)

    def _beside(self, first: Opened) -> Opened:
        """The same once more, accepted: what became of those before stays open."""
        before, first.sent = first.sent - 1, 1
        first.doubled, first.refused_again = True, False
        self._keep(first)
        for _ in range(before - 1):
            self._keep(replace(first, key=self._next_key(), doubts=[]))
        return replace(first, key=self._next_key(), doubled=False, doubts=[])

    def _next_key(self) -> str:
        self._serial += 1
        return f"{_OPENED}{self._run}/{self._serial:06}"

    def _rule_out(self, opened: Opened) -> None:
        """What was sent twice was opened once where no id is left for the first; or where another one is opened there since,
        unless so few ids were left out that each is worth a try: a target may allow several."""
        for other in [one for one in self._opened.values() if one.doubled and one is not opened]:
            if (whole_id(other.account), other.channel) == (whole_id(opened.account), opened.channel):
                is_the_second = other.before == whole_id(opened.id)
                between = len(guesses(self.last_ids, other.after, other.before)) if other.after is not None else 0
                if none_between(other.after, other.before) or (not is_the_second and not 0 < between <= FEW):
                    self.closed(other)

    def _identified(self, opened: Opened, content: bytes) -> None:
        opened.id, opened.accepted = id_in(_json_of(content)), True
        if isinstance(opened.channel, str):
            self.opened_at.add((whole_id(opened.account), opened.channel))
            self._refused.pop((whole_id(opened.account), opened.channel), None)
        self._keep(opened)  # first: one that is killed in between would have its own id for one that came after it
        number = whole_id(opened.id)
        if number is not None:
            known = [one for one in self.last_ids if one != number]
            self._store.put(self._last_ids, json.dumps([*known, number][-REMEMBERED:]))
            for other in self._opened.values():
                if other is not opened:
                    self.came_before(other, number)
        self._rule_out(opened)

    # -- clearing away -----------------------------------------------------------------------------------------------

    @property
    def left(self) -> Left:
        """What is still there, but for orders that are to be deleted once more at the end."""
        orders = {order: state for order, state in self._orders.items() if order not in self._deleted_early}
        by_state = {
            wanted: [order for order, state in orders.items() if state == wanted] for wanted in (_THERE, _RECONCILED)
        }
        return Left(by_state[_THERE], by_state[_RECONCILED], list(self._opened.values()))

    def deleted(self, order: OrderId) -> None:
        """An order is gone, as far as can be known now."""
        self._updated_at_once.discard(order)
        if order in self._unanswered and order in self._orders:
            self._deleted_early.add(order)
        elif self._orders.pop(order, None) is not None:
            self._store.drop(self._key(order))

    def deliver_no_more(self) -> None:
        """What was to be delivered late has come by now: orders that were deleted early may be there again."""
        self._unanswered.clear()
        self._deleted_early.clear()

    def released(self, *orders: OrderId | None) -> None:
        """Orders have entries in a reconciliation: they are on their way to be reconciled."""
        for order in orders:
            if order in self._orders:
                self._set(order, _RECONCILED)

    def has_refused(self, opened: Opened) -> bool:
        """Whether a release into it was refused by now: a target may have counted its entries all the same."""
        return opened.key in self._refused_into

    def closed(self, opened: Opened) -> None:
        """A reconciliation has all its releases, or was never opened."""
        if self._opened.pop(opened.key, None) is not None:
            if opened.accepted and isinstance(opened.channel, str):  # whoever comes after a killed process must know
                self._store.put(f"{SETTLING}{opened.channel}", self._run)
            self._store.drop(opened.key)

    def doubt(self, opened: Opened, doubt: Doubt) -> None:
        """A release is sent that completes a reconciliation of this ledger: whoever comes after a killed process must know."""
        opened.doubts = [*(one for one in opened.doubts if one.order != doubt.order), doubt]
        self._keep(opened)

    def settled(self, opened: Opened, order: OrderId, received: int) -> None:
        """So many of its entries were accepted."""
        opened.received += received
        opened.doubts = [one for one in opened.doubts if one.order != order]
        self._keep(opened)

    def came_before(self, opened: Opened, number: int) -> None:
        """This id was given out after a reconciliation was opened. The first of them counts."""
        if opened.id is None and opened.before is None and not opened.at_once:
            opened.before = number
            self._keep(opened)

    def found(self, opened: Opened, number: int, received: int) -> None:
        """This was seen to be its id, since it took so many entries: in the order in which ids were given out it comes after the
        one before it."""
        opened.id, opened.accepted, opened.received = number, True, received
        self._keep(opened)
        if isinstance(opened.channel, str):
            self.opened_at.add((whole_id(opened.account), opened.channel))
        if opened.at_once:
            return
        known = [one for one in self.last_ids if one != number]
        place = known.index(opened.after) + 1 if opened.after in known else 0 if opened.after is None else len(known)
        self._store.put(self._last_ids, json.dumps([*known[:place], number, *known[place:]][-REMEMBERED:]))

    def failed(self, opened: Opened, why: str) -> None:
        """It was tried in vain to complete a reconciliation."""
        opened.attempts, opened.why = opened.attempts + 1, why
        self._keep(opened)

    def forget_reconciled(self) -> None:
        """Orders that are reconciled stay: nobody can delete them."""
        orders = self.left.reconciled
        for order in orders:
            del self._orders[order]
        self._store.drop(*map(self._key, orders))

    @property
    def last_ids(self) -> list[int]:
        """The ids that the target gave out last to any run, the newest last."""
        known = json.loads(self._store.records(self._last_ids).get(self._last_ids, "[]"))
        return known if isinstance(known, list) else [known]

    @property
    def last_id(self) -> int | None:
        """The id that was given out last to any run."""
        return self.last_ids[-1] if self.last_ids else None

    def _set(self, order: OrderId, state: str) -> None:
        if self._orders.get(order) != state:
            self._orders[order] = state
            self._store.put(self._key(order), state)

    def _keep(self, opened: Opened) -> Opened:
        self._opened[opened.key] = opened
        doubts = [[doubt.order and list(doubt.order), doubt.entries] for doubt in opened.doubts]
        self._store.put(opened.key, dumps({**asdict(opened), "doubts": doubts}))
        return opened

    def _key(self, order: OrderId) -> str:
        return f"{_ORDER}{self._run}/{json.dumps(order)}"


@dataclass(frozen=True, slots=True)
class Note:
    """What a request may do; nothing where it creates nothing."""

    submits: OrderId | None = None
    """The order that it creates, where it is new."""
    sends: OrderId | None = None
    """The order that it creates or updates."""
    deletes: OrderId | None = None
    releases: OrderId | None = None
    opens: Opened | None = None
    into: Opened | None = None
    """The reconciliation that a release is for."""
    entries: int = 0
    """How many it has."""
    again: bool = False
    """Whether the same was asked before, without an answer: a refusal then says nothing of the first time."""
    repeated: bool = False
    """Whether a release of its order was accepted before."""
    at_once: bool = False
    """Whether it is sent at once with others."""


def _opened(text: str) -> Opened:
    """A reconciliation as it was written down."""
    fields = {name: value for name, value in loads(text).items() if name in _FIELDS}
    doubts = [Doubt(OrderId(*order) if order else None, entries) for order, entries in fields.pop("doubts")]
    return Opened(**fields, doubts=doubts)


_SAID: Final = ("channelName", "accountId", "periodInitDate", "periodEndDate", "releasesQtd")
_FIELDS: Final = frozenset(one.name for one in dataclass_fields(Opened))


def _same(one: JSONValue, other: JSONValue) -> bool:
    """Whether two spellings are of one id."""
    whole = whole_id(one)
    return one == other if whole is None else whole == whole_id(other)


def order_id(holder: Mapping[str, Any]) -> OrderId | None:
    """The order that a body or query names; None where it names none (a fault may have been accepted)."""
    account, channel, code = (holder.get(name) for name in ("accountId", "channelName", "marketplaceCode"))
    if not isinstance(channel, str) or not isinstance(code, str) or not str(account).isdecimal():
        return None
    return OrderId(int(str(account)), channel, code)


def fields_of(content: bytes) -> dict[str, Any]:
    """The fields of a body that is an object, or that a lenient parser takes for one; none where it is something else."""
    return fields_of_one(read_anyhow(content))


def _json_of(content: bytes) -> JSONValue:
    try:
        return loads(content)
    except NotJSON:
        return None
