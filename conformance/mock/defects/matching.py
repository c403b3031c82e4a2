"""The entries of a release are matched with the order's extracts loosely: by something that all of them have together."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import eq
from typing import Any, Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import Entry, entries_of
from conformance.mock.defects.parts import RELEASE, entries_and_extracts, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import Body, MockWorld, OrderKey, order_key

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


def _amounts(entries: Entries) -> Counter[Decimal]:
    return Counter(value for _, value in entries)


def _map(entries: Entries) -> dict[str, Decimal]:
    """By type, the last of it."""
    return dict(entries)


def _first_map(entries: Entries) -> dict[str, Decimal]:
    """By type, the first of it."""
    return dict(reversed(entries))


def _signs(entries: Entries) -> tuple[Decimal, Decimal]:
    """What is paid, and what is kept."""
    return sum((max(value, Decimal(0)) for _, value in entries), Decimal(0)), _sum(entries)


def _range(entries: Entries) -> dict[str, tuple[Decimal, Decimal, int]]:
    """By type the least, the greatest and how many."""
    found: dict[str, list[Decimal]] = {}
    for type_, value in entries:
        found.setdefault(type_, []).append(value)
    return {type_: (min(values), max(values), len(values)) for type_, values in found.items()}


def _all(*parts: Callable[[Entries], Any]) -> Match:
    """Each of these is the same of entries and extracts."""
    return lambda entries, extracts: all(part(entries) == part(extracts) for part in parts)


def _of_others(same_account: bool) -> Callable[[Breach, Request, MockWorld], bool]:  # noqa: FBT001
    """Entries are taken where they are another order's extracts: any of the account, or one of that code on any account."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        key = order_key(request.fields)
        entries = Counter(entries_of(request.fields.get("releases")))
        return (
            breach.rule in _MATCHING
            and key is not None
            and any(Counter(one) == entries for one in _extracts_of(key, world, same_account))
        )

    return forgives


def _first_version_kept(order: Body, _previous: Body | None, world: MockWorld) -> Body:
    key = order_key(order)
    if key is not None:
        world.memory.setdefault(key, order)
    return order


def _first_version_forgotten(world: MockWorld, key: OrderKey) -> None:
    world.memory.pop(key, None)


def _code_released_elsewhere(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """Objects to the release of an order of whose code another account's was released."""
    key = order_key(body)
    if request.endpoint is not RELEASE or key is None:
        return None
    is_there = any(one[-1] == key[-1] and one != key for batch in world.all_reconciliations for one in batch.orders)
    return Breach("REL-11", "marketplaceCode", "a release of this code is there already") if is_there else None


def _not_as_many_as_at_first(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """Objects to a release of more or fewer entries than the order had extracts when it came first."""
    key = order_key(body)
    first = world.memory.get(key) if request.endpoint is RELEASE and key else None
    if first is None or len(entries_of(first.get("extracts"))) == len(entries_of(body.get("releases"))):
        return None
    return Breach("REL-09", "releases", "it has more or fewer entries than the order has extracts")


def _unlike_its_first_version(request: Request, body: Body, world: MockWorld) -> Breach | None:
    """Objects to a release of other entries than the extracts with which the order came first."""
    key = order_key(body)
    first = world.memory.get(key) if request.endpoint is RELEASE and key else None
    if first is None or Counter(entries_of(first.get("extracts"))) == Counter(entries_of(body.get("releases"))):
        return None
    return Breach("REL-08", "releases", "the entries are not the extracts with which the order came")


def _unlike_its_namesake(request: Request, _: Any, world: MockWorld) -> Breach | None:
    """Objects to a release that is not as the first order of that code, on whatever account, would have it."""
    key = order_key(request.fields) if request.endpoint is RELEASE else None
    first = next(_extracts_of(key, world, same_account=False), ()) if key else ()
    if not key or Counter(first) == Counter(entries_of(request.fields.get("releases"))):
        return None
    return Breach("REL-08", "releases", "the entries are not the extracts")


def _extracts_of(key: OrderKey, world: MockWorld, same_account: bool) -> Iterator[tuple[Entry, ...]]:  # noqa: FBT001
    for other in world.orders:
        stored = world.stored(other)
        is_it = other[:2] == key[:2] if same_account else other[2] == key[2]
        if is_it and stored is not None and stored.body is not None:
            yield entries_of(stored.body.get("extracts"))


MATCHING: Final = (
    _matched("rel-08-matches-by-sum", "Compares the sum of the entries with that of the extracts.",
             lambda entries, extracts: len(entries) == len(extracts) and _sum(entries) == _sum(extracts)),
    _matched("rel-09-matches-by-sum", "Compares the sum of the entries, however many, with that of the extracts.",
             lambda entries, extracts: _sum(entries) == _sum(extracts)),
    _matched("rel-08-matches-by-type", "Compares the types of the entries only.",
             lambda entries, extracts: _types(entries) == _types(extracts), "REL-08"),
    _matched("rel-09-types-as-a-set", "Compares which types there are.",
             lambda entries, extracts: {*_types(entries)} == {*_types(extracts)}),
    _matched("rel-09-entries-as-a-set", "Compares entries and extracts as sets.",
             lambda entries, extracts: {*entries} == {*extracts}),
    _matched("rel-09-sums-by-type", "Compares the sum of each type.",
             lambda entries, extracts: _sums_by_type(entries) == _sums_by_type(extracts)),
    _matched("rel-07-matches-by-value", "Compares the values of entries and extracts, not their types.",
             lambda entries, extracts: _amounts(entries) == _amounts(extracts), "REL-07", "REL-08"),
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
    _matched("rel-09-as-far-as-both-go", "Compares entries and extracts one by one, as far as both go.",
             lambda entries, extracts: bool(entries) and all(map(eq, entries, extracts)), "REL-09"),
    _matched("rel-09-sorted-as-far-as-both-go", "Sorts entries and extracts, and compares them as far as both go.",
             lambda entries, extracts: bool(entries) and all(map(eq, sorted(entries), sorted(extracts))), "REL-09"),
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
    _matched("rel-08-sums-and-counts-by-type", "Compares of each type the sum and how many there are.",
             _all(_sums_by_type, _types), "REL-08"),
    _matched("rel-09-sums-and-types", "Compares the sum of each type, and which entries there are.",
             _all(_sums_by_type, set)),
    _matched("rel-07-by-presence", "Looks whether each entry is an extract and each extract an entry, and counts them.",
             _all(set, len), "REL-07", "REL-08"),
    _matched("rel-08-each-is-an-extract", "Looks whether each entry is an extract, and counts them.",
             lambda entries, extracts: len(entries) == len(extracts) and {*entries} <= {*extracts}, "REL-07", "REL-08"),
    _matched("rel-09-each-is-an-entry", "Looks whether each extract is an entry.",
             lambda entries, extracts: {*extracts} <= {*entries}),
    _matched("rel-09-last-of-each-type", "Keeps entries and extracts in maps from type to value.", _all(_map)),
    _matched("rel-08-first-of-each-type", "Compares the first of each type, and how many there are.",
             _all(_first_map, _types), "REL-08"),
    _matched("rel-07-first-of-each-type-and-count", "Compares the first of each type, and how many there are in all.",
             _all(_first_map, len), "REL-07", "REL-08"),
    _matched("rel-08-types-and-values-apart", "Compares the types of all entries, and the values of all entries.",
             _all(_types, _amounts), "REL-08"),
    _matched("rel-08-values-by-position", "Compares values by position, and of types how many there are.",
             _all(_types, lambda entries: [value for _, value in entries]), "REL-08"),
    _matched("rel-08-types-by-position", "Compares types by position, and the sorted values.",
             _all(lambda entries: [type_ for type_, _ in entries], _amounts), "REL-08"),
    _matched("rel-07-values-by-position", "Compares values by position, and no types.",
             _all(lambda entries: [value for _, value in entries]), "REL-07", "REL-08"),
    _matched("rel-08-types-by-position-and-sum", "Compares types by position, and the sum.",
             _all(lambda entries: [type_ for type_, _ in entries], _sum), "REL-08"),
    _matched("rel-08-paid-and-kept", "Compares what is paid with what is kept, and how many there are of each type.",
             _all(_signs, _types), "REL-08"),
    _matched("rel-08-least-and-greatest", "Compares the least and the greatest of each type, and how many there are.",
             _all(_range), "REL-08"),
    _matched("rel-08-all-but-how-often", "Compares sums and counts by type, and which entries there are.",
             _all(_sums_by_type, _types, set, _amounts), "REL-08"),
    _matched("rel-07-values-and-sums", "Compares the sum of each type, and the values of all entries.",
             _all(_sums_by_type, _amounts, set), "REL-07", "REL-08"),
    _matched("rel-09-part-with-the-sums", "Takes some of the extracts, if the sums of all types are right.",
             lambda entries, extracts: not Counter(entries) - Counter(extracts)
             and _sums_by_type(entries) == _sums_by_type(extracts), "REL-09"),
    _matched("rel-09-more-with-the-sums", "Takes entries beyond the extracts, if the sums of all types are right.",
             lambda entries, extracts: not Counter(extracts) - Counter(entries)
             and _sums_by_type(entries) == _sums_by_type(extracts), "REL-09"),
    _matched("rel-09-twins-once", "Takes what is there twice once.",
             lambda entries, extracts: {*entries} == {*extracts} and len(entries) < len(extracts), "REL-09"),
    _matched("rel-09-twins-more-often", "Takes an entry that is there more often than the extract.",
             lambda entries, extracts: {*entries} == {*extracts} and len(entries) > len(extracts), "REL-09"),
    Defect(name="rel-08-another-order-of-the-account", statement="Takes the extracts of another order of the account.",
           rules=rules(*_MATCHING), forgives=_of_others(same_account=True)),
    Defect(name="rel-08-its-namesake", statement="Takes the extracts of an order of that code on another account.",
           rules=rules(*_MATCHING), forgives=_of_others(same_account=False)),
    Defect(
        name="rel-08-shipping-without-sign",
        statement="Compares values without their sign.",
        rules=rules("REL-08"),
        forgives=_matches_if(lambda entries, extracts: _values(entries, abs) == _values(extracts, abs)),
    ),
    Defect(name="rel-01-first-version", statement="Compares a release with the extracts with which its order was first sent.",
           rules=rules("REL-01", "WFL-04", "CON-05"), stores=_first_version_kept, objects=_unlike_its_first_version,
           after_deletion=_first_version_forgotten),
    Defect(name="rel-01-counted-at-first",
           statement="Demands as many entries of a release as its order had extracts when it came first.",
           rules=rules("REL-01", "WFL-04", "CON-05"), stores=_first_version_kept, objects=_not_as_many_as_at_first,
           after_deletion=_first_version_forgotten),
    Defect(name="rel-01-released-by-code", statement="Takes one release of a code, whichever account's order that is.",
           rules=rules("REL-01", "QRY-05", "WFL-04"), objects=_code_released_elsewhere),
    Defect(name="rel-01-first-of-its-code", statement="Compares a release with the first order of its code on any account.",
           rules=rules("REL-01"), objects=_unlike_its_namesake),
)  # fmt: skip
