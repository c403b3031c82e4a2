"""The books that a recording makes: for each account and period what was expected, released, reconciled and deleted, to the cent.

Three laws hold of them, or the orders and entries are named where they don't:

1. of each account and channel: submitted = replaced + deleted + expected by releases + open;
2. of each period: released = reconciled + unfinished;
3. of each period: expected = released, order by order.
"""

from __future__ import annotations

import csv
import io
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import reduce
from typing import Final

from conformance.audit.call import OrderKey, Place
from conformance.audit.states import Batch, Change, Release, Version
from conformance.audit.world import World
from conformance.contract.money import LARGEST_EXPONENT, to_the_cent
from conformance.contract.reconciliation_rules import Entry

ZERO: Final = Decimal("0.00")
MOST_NOTES: Final = 1_000
"""So many orders are named where books do not tie out; how many there are is counted."""

_EXACT: Final = Context(prec=400, traps=[])

FINISHED: Final = "reconciled"
WHOLE: Final = "complete, not told to be reconciled"
OPEN: Final = "incomplete"
FAILED: Final = "ended in ERROR"
NO_PERIOD: Final = "in no period"


@dataclass(slots=True)
class Row:
    """The sums of one reconciliation, or of what is in none, in BRL."""

    account: int
    channel: str
    reconciliation: int | None
    server: str
    init: datetime | None = None
    end: datetime | None = None
    situation: str = NO_PERIOD
    orders: int = 0
    submitted: Decimal = ZERO
    """Every version of every order that was taken, also of those found that were sent before. Only where it is in no period."""
    replaced: Decimal = ZERO
    deleted: Decimal = ZERO
    expected: Decimal = ZERO
    """The extracts of the orders that were released."""
    released: Decimal = ZERO
    reconciled: Decimal = ZERO
    unfinished: Decimal = ZERO
    open: Decimal = ZERO
    """The extracts of the orders that were not released, nor deleted."""
    known: Decimal = ZERO
    """Of what was expected the part that the recording has shown to be submitted."""
    unknown: int = 0
    """Releases of orders whose extracts the recording does not hold: they are taken for right."""

    @property
    def difference(self) -> Decimal:
        """What was released beyond what was expected."""
        return _sum((self.released, -self.expected))


@dataclass(frozen=True, slots=True)
class Note:
    """An order of which the books do not tie out, and where that is to be seen."""

    key: OrderKey
    file: str
    entry: int
    says: str
    number: int
    """That of the call, by which notes are in sequence."""


def _by_call(note: Note) -> tuple[int, OrderKey]:
    return note.number, note.key


AT_THE_END: Final = 1 << 200
"""A number that comes after that of any call."""


@dataclass(slots=True)
class Books:
    """Kept change by change; the rows are there when the recording is over."""

    server: str = ""
    """Whose books these are."""
    rows: list[Row] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    out: int = 0
    """How many orders do not tie out."""
    _places: dict[Place, Row] = field(default_factory=dict)
    _periods: dict[tuple[Place, int | None], Row] = field(default_factory=dict)

    @property
    def ties_out(self) -> bool:
        """Whether every law holds."""
        return not self.out

    def take(self, change: Change, world: World) -> None:
        """Book what a call has done."""
        place = self._place(change.key[:2])
        amount = _amount(change.entries)
        match change.what:
            case "submitted" | "found":
                place.submitted = _sum((place.submitted, amount))
            case "replaced":
                place.replaced = _sum((place.replaced, amount))
            case "deleted":
                place.deleted = _sum((place.deleted, amount))
            case "released" if change.release is not None:
                self._release(change.release, world, change.number)

    def _place(self, place: Place) -> Row:
        return self._places.setdefault(place, Row(*place, None, self.server))

    def _release(self, release: Release, world: World, number: int) -> None:
        place = release.key[:2]
        self._place(place)
        period = release.reconciliation
        row = self._periods.setdefault((place, period), Row(*place, period, self.server))
        row.orders += 1
        released = _amount(release.entries)
        row.released = _sum((row.released, released))
        if release.expected is None:
            row.unknown += 1
            row.expected = _sum((row.expected, released))
            return
        before = [one for one in world.order(release.key).releases if one.origin != release.origin]
        again = any(not _ended_in_error(one, world) for one in before)
        expected = ZERO if again else _amount(release.expected)
        row.expected, row.known = _sum((row.expected, expected)), row.known if before else _sum((row.known, expected))
        if released != expected:
            says = f"expected {_told(expected)}, released {_told(released)}" + (
                ", and released before" if again else ""
            )
            self._note(Note(release.key, release.origin.file, release.origin.entry, says, number))

    def _note(self, note: Note) -> None:
        self.out += 1
        insort(self.notes, note, key=_by_call)
        del self.notes[MOST_NOTES:]

    def take_over(self, other: Books) -> None:
        """Take over closed books of other accounts."""
        self.rows = sorted(self.rows + other.rows, key=lambda row: (row.account, row.channel))
        self.notes = sorted(self.notes + other.notes, key=_by_call)[:MOST_NOTES]
        self.out += other.out

    def rename_servers(self, rename: Callable[[str], str]) -> None:
        """Show servers otherwise: a URL may hold what nobody is to read."""
        for row in self.rows:
            row.server = rename(row.server)

    def finish(self, world: World) -> None:
        """Close the books: what is open, what was reconciled, and whether the laws hold."""
        for key, order in world.orders:
            if isinstance(booked := order.states[0], Version) and not order.releases:
                row = self._place(key[:2])
                row.open = _sum((row.open, _amount(booked.entries)))
                row.orders += 1
        for (_, number), period in self._periods.items():
            self._close(period, world.batches.get(number) if number is not None else None)
        for place, sums in sorted(self._places.items()):
            self.rows.append(sums)
            own = [period for (whose, _), period in self._periods.items() if whose == place]
            self.rows += sorted(own, key=_by_period)
            self._check(sums, own)

    def _close(self, row: Row, batch: Batch | None) -> None:
        if batch is not None:
            row.init, row.end = batch.init, batch.end
        row.situation = _situation(batch)
        if row.situation in {FINISHED, WHOLE}:
            row.reconciled = row.released
        else:
            row.unfinished = row.released

    def _check(self, place: Row, periods: Iterable[Row]) -> None:
        """The first law. What was released of orders that the recording has not shown was never submitted in it."""
        key = (place.account, place.channel)
        expected = _sum(row.known for row in periods)
        left = _sum((place.submitted, -place.replaced, -place.deleted, -expected, -place.open))
        if left != ZERO:
            says = f"submitted, less what was replaced, deleted, released and is open, leaves {_told(left)}"
            self._note(Note((*key, ""), "", -1, says, AT_THE_END))


def _ended_in_error(release: Release, world: World) -> bool:
    """Whether the reconciliation of a release ended in ERROR: then the order is to be released again."""
    batch = world.batches.get(release.reconciliation) if release.reconciliation is not None else None
    return batch is not None and batch.situation == "ERROR"


def _by_period(row: Row) -> tuple[bool, datetime, int]:
    return row.init is None, row.init or datetime.max.replace(tzinfo=UTC), row.reconciliation or 0


def _situation(batch: Batch | None) -> str:
    if batch is None or batch.quantity is None:
        return OPEN
    if batch.situation == "ERROR":
        return FAILED
    if batch.situation is not None:
        return FINISHED
    return WHOLE if batch.received >= batch.quantity else OPEN


def _amount(entries: Iterable[Entry] | None) -> Decimal:
    """The sum of entries to the cent; what is too large to be money counts as nothing."""
    return to_the_cent(
        _sum(value for _, value in entries or () if value.is_finite() and value.adjusted() <= LARGEST_EXPONENT)
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, ZERO)


def _told(amount: Decimal) -> str:
    return f"{amount:.2f}"


COLUMNS: Final = (
    "account", "channel", "reconciliation", "periodInit", "periodEnd", "situation", "orders", "submitted", "replaced",
    "deleted", "open", "expected", "released", "reconciled", "unfinished", "difference", "ordersNotKnown", "server",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts, in the sequence of COLUMNS."""
    amounts = (
        row.submitted, row.replaced, row.deleted, row.open, row.expected, row.released, row.reconciled, row.unfinished,
        row.difference,
    )  # fmt: skip
    return (
        str(row.account),
        row.channel,
        "" if row.reconciliation is None else str(row.reconciliation),
        row.init.isoformat() if row.init else "",
        row.end.isoformat() if row.end else "",
        row.situation,
        str(row.orders),
        *map(_told, amounts),
        str(row.unknown),
        row.server,
    )


_NAMES: Final = frozenset({"channel", "server"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(books: Books) -> str:
    """The rows as CSV (RFC 4180). A name of a channel or server that a spreadsheet would take for a formula has an apostrophe
    before it."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for row in books.rows:
        told = zip(COLUMNS, cells(row), strict=True)
        writer.writerow([f"'{text}" if name in _NAMES and text.startswith(_FORMULA) else text for name, text in told])
    return stream.getvalue()
