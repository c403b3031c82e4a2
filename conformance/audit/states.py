"""What an audit knows of an order and of a reconciliation.

An order's state is a set of those that it may have: one where the recording leaves no doubt, several after a lost answer, and
any at all where it may have been sent before the recording began.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from conformance.audit.call import LENIENT, Call, OrderKey, Place
from conformance.contract.coercion import as_taken
from conformance.contract.jsontext import JSONValue
from conformance.contract.order_rules import ORDER_FIELDS
from conformance.contract.readings import CONSOLIDATION_SECONDS
from conformance.contract.reconciliation_rules import Entry, ReconciliationFacts, entries_of, period_of
from conformance.traffic.exchange import Origin

T = TypeVar("T")


class Unseen:
    """In place of a body: the order may be there, and how it looks nobody knows."""


class Gone:
    """In place of a body: there is no such order."""


UNSEEN: Final = Unseen()
GONE: Final = Gone()


CLOCKS: Final = timedelta(minutes=5)
"""By so much the clocks of two recorders may differ: Kerberos lets no machine in whose clock is further off."""


CONSOLIDATED: Final = timedelta(seconds=CONSOLIDATION_SECONDS)


def is_close(one: datetime | None, other: datetime | None) -> bool:
    """Whether two times may be the same by clocks that differ."""
    return one is not None and other is not None and abs(one - other) <= CLOCKS


@dataclass(frozen=True, slots=True)
class Version:
    """What of an order's body matters later, which is little: a recording may hold millions of orders."""

    status: JSONValue
    entries: tuple[Entry, ...]
    """Types and values of its extracts."""
    fields: frozenset[str]
    """The names of what it holds, but for nulls and empty lists."""
    extract_fields: tuple[tuple[JSONValue, frozenset[str]], ...]
    """The same of each extract, with its type; of none where a query shows it."""
    is_shown: bool = False
    """Whether it is known by a query, and not as it was sent."""

    @classmethod
    def shown(cls, answer: Mapping[str, JSONValue]) -> Version | None:
        """That of an order as a query shows it, None where its extracts can't be read: fields that no document names the server
        may have added by itself, and in which sequence the extracts were sent it does not say."""
        taken = as_taken(answer, LENIENT)
        extracts = taken.get("extracts")
        if not isinstance(extracts, list) or len(entries_of(extracts)) != len(extracts):
            return None
        return cls.of({name: taken[name] for name in ORDER_FIELDS & taken.keys()}, is_shown=True)

    @classmethod
    def of(cls, body: Mapping[str, JSONValue], *, is_shown: bool = False) -> Version:
        """That of an order's body."""
        extracts = body.get("extracts")
        return cls(
            body.get("status") if isinstance(body.get("status"), str) else None,
            entries_of(extracts),
            _held(body),
            _of_extracts(extracts) if isinstance(extracts, list) and not is_shown else (),
            is_shown,
        )


def _held(holder: Mapping[str, JSONValue]) -> frozenset[str]:
    names = tuple([name for name, value in holder.items() if value is not None and value != []])
    held = _KEPT.get(names)
    return held if held is not None else _kept(names, frozenset(names))


def _of_extracts(extracts: Sequence[JSONValue]) -> tuple[tuple[JSONValue, frozenset[str]], ...]:
    told = tuple(
        [(str(one.get("type")), _held(one)) if isinstance(one, dict) else ("None", _NOTHING) for one in extracts]
    )
    return _kept((told,), told)


_KEPT: Final[dict[Any, Any]] = {}
_MOST_KEPT: Final = 10_000
_NOTHING: Final[frozenset[str]] = frozenset()


def _kept(known_by: object, value: T) -> T:
    """The value as it was seen first, where that was not long ago: most orders hold the same fields."""
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    kept: T = _KEPT.setdefault(known_by, value)
    return kept


def overlaps(creation: Call, begin: datetime | None, end: datetime | None) -> bool:
    """Whether the creation's period and another one have an instant in common."""
    own_begin, own_end = period_of(creation.body)
    if own_begin is None or own_end is None or begin is None or end is None:
        return False
    return own_begin < end and begin < own_end


def is_said_to_be_missing(call: Call, name: str) -> bool:
    """Whether a refusal is for something that the field names and that there is not, as far as the server says."""
    told = call.answered if isinstance(call.answered, dict) else {}
    source, message = told.get("errorSource"), told.get("errorMessage")
    return source == name and isinstance(message, str) and "not found" in message.lower()


State = Version | Unseen | Gone


@dataclass(slots=True)
class Order:
    """An order as far as the recording shows it."""

    states: list[State] = field(default_factory=lambda: [UNSEEN])
    changed_at: datetime | None = None
    """When it was last sent or deleted, or may have been."""
    sent: Origin | None = None
    """The last submission that was taken, or may have been."""
    verified: bool = False
    """Whether a query has found it since."""
    may_be_verified: bool = False
    """Whether a query since then has an answer that was not recorded."""
    found_at: datetime | None = None
    """When a query last found it, whatever was sent since."""
    found_in: str = ""
    """The file that holds that query."""
    releases: list[Release] = field(default_factory=list)
    sent_since: bool = False
    """Whether it was sent again after it was released."""
    may_be_released: bool = False
    """Whether a release of it was sent whose answer is not known."""
    looked_since: bool = False
    """Whether a query has found it since that was sent."""
    deleted: Origin | None = None
    """The deletion that was taken, where nothing was sent since."""
    unread: int = 0
    """How many entries that can't be read had come when this was known."""
    asked: int = 0
    """How many queries of which nobody knows what they were about had come when it was last sent."""

    def held_already(self, call: Call, twins: Container[frozenset[str]]) -> Origin | None:
        """Where another file holds a release that was accepted too, at what may be the same time by its clock: no server takes
        the same twice (REL-11). What comes later was sent twice, as where a log goes on in a new file; but for `twins`, files
        that hold the same reconciliation's creation."""
        return next(
            (
                one.origin
                for one in self.releases
                if (one.entries, one.reconciliation) == (call.released, call.body.get("reconciliationId"))
                and one.origin.file != call.origin.file
                and (
                    one.at is None
                    or call.started is None
                    or is_close(one.at, call.started)
                    or frozenset({one.origin.file, call.origin.file}) in twins
                )
            ),
            None,
        )

    def may_have_changed(self, unread: int) -> None:
        """So many entries that can't be read have come by now: one may have sent, looked up or deleted it."""
        if not any(isinstance(state, Unseen) for state in self.states):
            self.states = [*self.states, UNSEEN]
        self.sent = self.deleted = self.changed_at = None
        self.verified = self.may_be_verified = False
        self.unread = unread

    @property
    def version(self) -> Version | None:
        """How it is for certain, None where that is not known or there is none."""
        only = self.states[0] if len(self.states) == 1 else None
        return only if isinstance(only, Version) else None

    @property
    def is_gone(self) -> bool:
        """Whether there is none, for certain."""
        return all(isinstance(state, Gone) for state in self.states)

    @property
    def entries(self) -> tuple[Entry, ...] | None:
        """Types and values of its extracts, None where that is not known."""
        return self.version.entries if self.version is not None else None


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was taken."""

    key: OrderKey
    entries: tuple[Entry, ...]
    expected: tuple[Entry, ...] | None
    """The order's extracts at that moment, None where they are not known."""
    origin: Origin
    reconciliation: int | None
    at: datetime | None
    """When it was sent."""


FINISHED: Final = "finished"
"""The situation of a reconciliation after which another was opened: how it ended no notification has told."""


@dataclass(slots=True)
class Batch:
    """A reconciliation as far as the recording shows it."""

    id: int
    place: Place
    opened_by: Call | None
    """None where it was opened before the recording began, or its creation was not answered."""
    init: datetime | None = None
    end: datetime | None = None
    quantity: int | None = None
    received: int = 0
    unsure: int = 0
    """How many entries were sent whose answer is not known."""
    refused: int = 0
    """How many entries were refused."""
    situation: str | None = None
    """CONCILIED or ERROR, where a notification told it; FINISHED."""
    known_by: str = ""
    """The file of the release by which it is known, where its creation was not recorded before that."""
    in_doubt: bool = False
    """Whether an entry that can't be read came while it was open: it may have been a release, or a notification."""
    may_have_more: bool = False
    """Whether a release came while it was open that may have been one of it: its body was not recorded."""

    def is_held_twice(self, opened: Batch) -> bool:
        """Whether the creation of the other is that of this one, which another file holds too: ids are unique (REC-02)."""
        if (
            self.opened_by is None
            or opened.opened_by is None
            or self.opened_by.origin.file == opened.opened_by.origin.file
        ):
            return False
        return (self.id, self.place, self.init, self.end) == (opened.id, opened.place, opened.init, opened.end)

    @property
    def is_whole(self) -> bool:
        """Whether all that it announced has been taken, or may have been."""
        is_open = self.in_doubt or self.may_have_more
        return self.quantity is not None and (is_open or self.received + self.unsure >= self.quantity)

    @property
    def is_active(self) -> bool | None:
        """Whether it is unfinished; None where the recording can't say."""
        if self.situation is not None:
            return False
        if self.quantity is None or self.is_whole:
            return None  # it is being reconciled, or that is done
        return True

    @property
    def missing(self) -> int:
        """How many of the entries that it announced have not come."""
        return 0 if self.in_doubt or self.may_have_more else max(0, (self.quantity or 0) - self.received - self.unsure)

    @property
    def facts(self) -> ReconciliationFacts | None:
        """What the judge needs to know of it, None where it is not known."""
        if self.init is None or self.end is None or self.quantity is None:
            return None
        return ReconciliationFacts(
            *self.place, self.init, self.end, self.quantity, self.received, self.is_active is True
        )


@dataclass(slots=True)
class Overheard:
    """Changes of orders of which the recording does not say which, all accounts'."""

    times: int = 0
    last: datetime | None = None
    """When the last one was sent."""

    def take(self, call: Call) -> None:
        """Take note of one."""
        self.times += 1
        self.last = call.started

    def may_show_late(self, call: Call) -> bool:
        """Whether a query may show an order as it was before one of them."""
        if not self.times:
            return False
        return self.last is None or call.started is None or call.started - self.last <= CONSOLIDATED


@dataclass(frozen=True, slots=True)
class Change:
    """What a call did to the books."""

    what: str
    """submitted, replaced, deleted, found (by a query, sent before the recording began) or released."""
    key: OrderKey
    number: int
    """That of the call."""
    entries: tuple[Entry, ...]
    release: Release | None = None
