"""The entries of a release are matched with the order's extracts loosely."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import Entry, entries_of
from conformance.mock.defects.parts import entries_and_extracts, reconciliation_of, rules
from conformance.mock.koncili import order_key
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld

Entries = Sequence[Entry]
Match = Callable[[Entries, Entries], bool]

_MATCHING: Final = ("REL-07", "REL-08", "REL-09")
_CENT: Final = Decimal("0.01")


def _matches_if(match: Match) -> Callable[[Breach, Request, MockWorld], bool]:
    """Entries are taken where that holds of them and the extracts."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        return breach.rule in _MATCHING and match(*entries_and_extracts(request, world))

    return forgives


def _matched(name: str, statement: str, match: Match, *blamed: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(*(blamed or _MATCHING)), forgives=_matches_if(match))


def _sum(entries: Entries) -> Decimal:
    return sum((value for _, value in entries), Decimal(0))


def _types(entries: Entries) -> Counter[str]:
    return Counter(type_ for type_, _ in entries)


def _values(entries: Entries, change: Callable[[Decimal], Any] = lambda value: value) -> Counter[Any]:
    return Counter((type_, change(value)) for type_, value in entries)


def _close(by: Callable[[Decimal], Decimal]) -> Match:
    """Entry by entry as far apart as that allows."""

    def match(entries: Entries, extracts: Entries) -> bool:
        pairs = zip(sorted(entries), sorted(extracts), strict=False)
        return _types(entries) == _types(extracts) and all(
            abs(one[1] - other[1]) <= by(other[1]) for one, other in pairs
        )

    return match


def _float32(value: Decimal) -> float:
    return float(struct.unpack("f", struct.pack("f", float(value)))[0])


def _sums_by_type(entries: Entries) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for type_, value in entries:
        sums[type_] = sums.get(type_, Decimal(0)) + value
    return sums


# -- what came before ----------------------------------------------------------------------------------------------


def _elsewhere(breach: Breach, request: Request, world: MockWorld) -> bool:
    book, key = reconciliation_of(request, world), order_key(request.fields)
    return breach.rule == "REL-11" and book is not None and key not in book.orders


def _in_the_same(breach: Breach, request: Request, world: MockWorld) -> bool:
    book, key = reconciliation_of(request, world), order_key(request.fields)
    return breach.rule == "REL-11" and book is not None and key in book.orders


def _one_too_many(breach: Breach, request: Request, world: MockWorld) -> bool:
    book = reconciliation_of(request, world)
    entries = len(entries_of(request.fields.get("releases")))
    return breach.rule == "REL-12" and book is not None and book.received + entries == book.quantity + 1


def _while_room_is_left(breach: Breach, request: Request, world: MockWorld) -> bool:
    """A release that begins below releasesQtd is taken, however far it goes beyond."""
    book = reconciliation_of(request, world)
    return breach.rule == "REL-12" and book is not None and book.finishes_at is None and book.received < book.quantity


def _when_complete(breach: Breach, request: Request, world: MockWorld) -> bool:
    book = reconciliation_of(request, world)
    return breach.rule == "REL-12" and book is not None and book.situation is not None


def _channel_only(breach: Breach, request: Request, world: MockWorld) -> bool:
    book = reconciliation_of(request, world)
    return breach.rule == "REL-14" and book is not None and request.fields.get("channelName") == book.channel


ENTRIES: Final = (
    _matched("rel-08-matches-by-sum", "Compares the sum of the entries with that of the extracts.",
             lambda entries, extracts: len(entries) == len(extracts) and _sum(entries) == _sum(extracts)),
    _matched("rel-09-matches-by-sum", "Compares the sum of the entries, however many, with that of the extracts.",
             lambda entries, extracts: _sum(entries) == _sum(extracts)),
    _matched("rel-08-matches-by-type", "Compares the types of the entries only.",
             lambda entries, extracts: _types(entries) == _types(extracts), "REL-08"),
    _matched("rel-09-types-as-a-set", "Compares which types there are.",
             lambda entries, extracts: {*_types(entries)} == {*_types(extracts)}),
    _matched("rel-09-entries-as-a-set", "Compares entries and extracts as sets.",
             lambda entries, extracts: {*entries} == {*extracts}, "REL-09"),
    _matched("rel-09-sums-by-type", "Compares the sum of each type.",
             lambda entries, extracts: _sums_by_type(entries) == _sums_by_type(extracts), "REL-08", "REL-09"),
    _matched("rel-07-matches-by-value", "Compares the values of entries and extracts, not their types.",
             lambda entries, extracts: Counter(v for _, v in entries) == Counter(v for _, v in extracts), "REL-07"),
    _matched("rel-08-within-a-cent", "Takes values that differ by a cent.", _close(lambda _: _CENT), "REL-08"),
    _matched("rel-08-within-one-percent", "Takes values that differ by one percent.",
             _close(lambda value: abs(value) / 100), "REL-08"),
    _matched("rel-08-whole-reais", "Compares values without their cents.",
             lambda entries, extracts: _values(entries, int) == _values(extracts, int), "REL-08"),
    _matched("rel-08-float32", "Compares values as 32-bit floats.",
             lambda entries, extracts: _values(entries, _float32) == _values(extracts, _float32), "REL-08"),
    _matched("rel-09-counts-only", "Compares how many entries there are.",
             lambda entries, extracts: len(entries) == len(extracts), "REL-07", "REL-08"),
    _matched("rel-09-part-taken", "Takes some of the extracts.",
             lambda entries, extracts: bool(entries) and not Counter(entries) - Counter(extracts), "REL-09"),
    _matched("rel-09-more-taken", "Takes entries beyond the extracts.",
             lambda entries, extracts: not Counter(extracts) - Counter(entries), "REL-09"),
    _matched("rel-09-none-taken", "Takes a release without entries.", lambda entries, _: not entries, "REL-09"),
    _matched("rel-08-first-entry-only", "Compares the first entry only.",
             lambda entries, extracts: len(entries) == len(extracts) and entries[:1] == extracts[:1], "REL-07", "REL-08"),
    _matched("rel-08-last-entry-only", "Compares the last entry only.",
             lambda entries, extracts: len(entries) == len(extracts) and entries[-1:] == extracts[-1:], "REL-07", "REL-08"),
    _matched("rel-08-sales-only", "Compares the SALE entries only.",
             lambda entries, extracts: _types(entries) == _types(extracts)
             and Counter(one for one in entries if one[0] == "SALE")
             == Counter(one for one in extracts if one[0] == "SALE"), "REL-08"),
    _matched("rel-08-all-but-the-sale", "Compares all entries but the SALE.",
             lambda entries, extracts: _types(entries) == _types(extracts)
             and Counter(one for one in entries if one[0] != "SALE")
             == Counter(one for one in extracts if one[0] != "SALE"), "REL-08"),
    Defect(
        name="rel-08-shipping-without-sign",
        statement="Compares values without their sign.",
        rules=rules("REL-08"),
        forgives=_matches_if(lambda entries, extracts: _values(entries, abs) == _values(extracts, abs)),
    ),
    Defect(
        name="rel-11-in-another-reconciliation",
        statement="Takes a second release of an order in another reconciliation.",
        rules=rules("REL-11"),
        forgives=_elsewhere,
    ),
    Defect(
        name="rel-11-in-the-same-reconciliation",
        statement="Takes a second release of an order in the same reconciliation.",
        rules=rules("REL-11"),
        forgives=_in_the_same,
    ),
    Defect(
        name="rel-12-one-too-many",
        statement="Takes one entry more than releasesQtd announced.",
        rules=rules("REL-12"),
        forgives=_one_too_many,
    ),
    Defect(
        name="rel-12-while-room-is-left",
        statement="Takes a release that begins below releasesQtd and goes beyond it.",
        rules=rules("REL-12"),
        forgives=_while_room_is_left,
    ),
    Defect(
        name="rel-12-when-complete",
        statement="Takes a release for a reconciliation that is completed.",
        rules=rules("REL-12"),
        forgives=_when_complete,
    ),
    Defect(
        name="rel-14-channel-only",
        statement="Looks whether the channel is the reconciliation's, not the account.",
        rules=rules("REL-14"),
        forgives=_channel_only,
    ),
)  # fmt: skip
