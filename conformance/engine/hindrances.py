"""Lawful calls that a target refuses each time. What they have in common is sent ever less: each costs a client error and shows
nothing new, and what they should have shown stays undecided. Other calls that the law allows stand in for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from strategies.calls import Call
from strategies.dates import FIELDS as DATE_FIELDS
from strategies.faults import Case, FaultBatch
from strategies.reconciliations import Batch

MET_AT_MOST: Final = 3
"""So often in a row calls with a trait are refused, and no other is sent for now."""

LEFT_OUT_FIRST: Final = 8
"""So many are left out before the next one is sent all the same; each time that one is refused, twice as many."""

TELLING: Final = frozenset({*DATE_FIELDS, "accountId is", "extracts"})
"""What is looked at even where the rest of a call is refused each time."""

Trait = tuple[str, ...]
"""What a call has in common with others: its endpoint, then names and values, the fewer the more general."""


def traits_of_order(order: Mapping[str, Any]) -> frozenset[Trait]:
    """What may be why an order is refused: its status, its place, which fields it has, each alone and with its status."""
    extracts = [one for one in order.get("extracts") or () if isinstance(one, Mapping)]
    alone: set[Trait] = {
        ("accountId", str(order.get("accountId"))),
        ("accountId is", type(order.get("accountId")).__name__),
        ("extracts", "several" if len(extracts) > 1 else str(len(extracts))),
        *((name, "is there" if order.get(name) is not None else "is not there") for name in DATE_FIELDS),
        *(("an extract has", name) for one in extracts for name in one if one[name] is not None),
        *(("an extract is", str(one.get("type"))) for one in extracts),
    }
    status = ("status", str(order.get("status")))
    label = Endpoint.SUBMIT_ORDER.label
    return frozenset(
        {(label,), (label, *status), *((label, *one) for one in alone), *((label, *status, *one) for one in alone)}
    )


def traits_of(call: Call) -> frozenset[Trait]:
    """The same for any call; of those that are not orders little is known."""
    if call.endpoint is Endpoint.SUBMIT_ORDER and isinstance(call.body, Mapping):
        return traits_of_order(call.body)
    label = call.endpoint.label
    place = call.body if isinstance(call.body, Mapping) else call.query
    return frozenset({(label,), (label, "accountId", str(place.get("accountId")))})


def lawful_in(example: object) -> Iterator[Call]:
    """The lawful calls of an example of a law, and those that must have been accepted before."""
    match example:
        case Case() | FaultBatch():
            yield from lawful_in(example.lawful)
        case Call():
            yield example
            yield from lawful_in(example.order)
            yield from lawful_in(example.batch)
        case Batch():
            yield from lawful_in(example.orders)
            yield Call(Endpoint.CREATE_RECONCILIATION, body=example.creation)
            yield from (Call(Endpoint.SUBMIT_RELEASE, body=release) for release in example.releases)
        case tuple() | list():
            for part in example:
                yield from lawful_in(part)
        case Mapping() if isinstance(example.get("extracts"), list | tuple):
            yield Call(Endpoint.SUBMIT_ORDER, body=example)
        case _:
            return


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is not to be sent, as it stood at a moment: drawing examples may hang on it."""

    traits: frozenset[Trait]
    seen: frozenset[Trait]
    """The traits of all lawful calls that were sent."""

    def against(self, example: object) -> set[Trait]:
        """The traits for which an example is not to be sent. Where a call has something that may be why others were refused,
        and that none had, it is: it tells which of them is to blame."""
        found: set[Trait] = set()
        for traits in map(traits_of, lawful_in(example) if self.traits else ()):
            if not any(trait[-2] in TELLING and trait not in self.seen for trait in traits if len(trait) > 1):
                found |= traits & self.traits
        return found


@dataclass(slots=True)
class Hindrances:
    """What lawful calls were refused for, as far as it shows. `in_a_row` counts refusals since the last acceptance."""

    in_a_row: Counter[Trait] = field(default_factory=Counter)
    left_out: Counter[Trait] = field(default_factory=Counter)
    seen: set[Trait] = field(default_factory=set)

    def note(self, call: Call, *, accepted: bool) -> None:
        """Take note of what became of a lawful call."""
        traits = traits_of(call)
        self.seen |= traits
        for trait in traits:
            if accepted:
                self.in_a_row.pop(trait, None)
                self.left_out.pop(trait, None)
            else:
                self.in_a_row[trait] += 1
                self.left_out[trait] = 0

    def blocked(self) -> Blocked:
        """What is not to be sent now."""
        rows = self.in_a_row.items()
        traits = frozenset(trait for trait, row in rows if row >= MET_AT_MOST and not self._is_due(trait, row))
        return Blocked(traits, frozenset(self.seen) if traits else frozenset())

    def why_not(self, example: object) -> str:
        """Why an example is not worth its client errors now; "" where it is. To be asked once for each that was to be sent."""
        against = self.blocked().against(example)
        for trait in against:
            self.left_out[trait] += 1
        return self.words(against) if against else ""

    def words(self, traits: Collection[Trait]) -> str:
        """What was refused each time, by the most general of these traits."""
        trait = min(traits, key=lambda one: (len(one), -self.in_a_row[one], one))
        times = f"refused {self.in_a_row[trait]} times in a row"
        return f"lawful calls were {times}, so no more of these were sent: {_words(trait)}"

    def _is_due(self, trait: Trait, row: int) -> bool:
        return self.left_out[trait] >= LEFT_OUT_FIRST << (row - MET_AT_MOST)


def _words(trait: Trait) -> str:
    label, *rest = trait
    parts = [" ".join(rest[place : place + 2]) for place in range(0, len(rest), 2)]
    return f"{label}{' with ' if parts else ''}{' and '.join(parts)}"
