"""Entries that differ from the extracts although all that one may add up, count or look up of them agrees.

A server that does not compare entries with extracts one by one compares something else: the sum of each type, which entries
there are, the last of each type, types and values each for themselves. Each of these edits keeps them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis.strategies import DrawFn

from strategies.calls import Call, Edit
from strategies.fault_parts import Draw
from strategies.orders import Multiples
from strategies.reconciliations import alike, with_types_exchanged
from strategies.scope import Place, Scope

Entries = list[dict[str, Any]]


def _of(type_: str, *multiples: int) -> Multiples:
    return tuple((type_, times) for times in multiples)


AS_MANY: Final = _of("SHIP", -1, -2, -2, -2, -3) + _of("COMISSION", -1, -1, -2, -3, -3)
"""Of both types as many, with the same sum, the same values, the same first and last; each value together as often as ever,
whichever of them is which."""

ONE_MORE: Final = _of("SHIP", -1, -1, -1, -2, -3) + _of("COMISSION", -1, -2, -2, -3)
"""The same with one more of one type than of the other."""

OPPOSITE: Final = _of("SHIP", 1, -1, 1, -1)
"""Two pairs that cancel out: with one more or one fewer of them the same entries are there, and the sum stays."""


def _edit(multiples: Multiples, change: Callable[[Entries], Entries]) -> Draw:
    """Change those of a release's entries that are in these proportions."""

    def draw_edit(_: DrawFn, call: Call, _scope: Scope) -> Edit:
        entries = call.body["releases"]
        there = alike(entries, multiples)
        changed = change(entries[there.start : there.stop])
        return Edit(("body", "releases"), [*entries[: there.start], *changed, *entries[there.stop :]])

    return draw_edit


def _types_exchanged(multiples: Multiples) -> Draw:
    """Every value stays where it is."""
    return _edit(multiples, lambda some: with_types_exchanged(some, multiples))


def _values_exchanged(multiples: Multiples) -> Draw:
    """Every type stays where it is."""

    def change(some: Entries) -> Entries:
        half = len(some) // 2
        values = [one["value"] for one in (*some[half:], *some[:half])]
        return [{**one, "value": value} for one, value in zip(some, values, strict=True)]

    return _edit(multiples, change)


def _with_neighbours(scope: Scope) -> tuple[Place, ...]:
    """The accounts beside which there is another of the channel, where there are such: then the order has a namesake."""
    return tuple(place for place in scope.places if scope.neighbours(place)) or scope.places


def _where_values_must_match(scope: Scope) -> tuple[Place, ...]:
    # Where differing values are taken, another sequence of types may be a difference of its own.
    return _with_neighbours(scope) if scope.readings["value-mismatch"] == "rejected" else ()


def all_types_exchanged(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """The kind of fault in which two types are exchanged, one of which there is once more."""
    return (
        kind(
            name="two types exchanged, all sums unchanged", draw=_types_exchanged(ONE_MORE), multiples=ONE_MORE,
            places=_with_neighbours, field="type",
        ),
    )  # fmt: skip


def all_values_exchanged(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """The kinds of fault in which the values of two types are exchanged: each type, or each value, where it was."""
    return (
        kind(
            name="two types exchanged, values and sums unchanged", draw=_types_exchanged(AS_MANY), multiples=AS_MANY,
            places=_where_values_must_match, field="value",
        ),
        kind(
            name="the values of two types exchanged, all sums unchanged", draw=_values_exchanged(AS_MANY), multiples=AS_MANY,
            places=_with_neighbours, field="value",
        ),
    )  # fmt: skip


def two_fewer_or_more(kind: Callable[..., Any]) -> tuple[Any, ...]:
    """The kinds of fault in which two entries that are there twice, and cancel out, are there once or three times."""
    changes: dict[str, Callable[[Entries], Entries]] = {
        "twins left out, all sums unchanged": lambda some: [some[0], some[3]],
        "twins once more, all sums unchanged": lambda some: [*some, *some[2:]],
    }
    return tuple(
        kind(name=name, draw=_edit(OPPOSITE, change), multiples=OPPOSITE, field="releases")
        for name, change in changes.items()
    )
