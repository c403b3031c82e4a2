"""Puts variants together into mocks that differ in several ways at once, so that a proof needs fewer runs. Pure.

As pooled samples are tested: where the pool is clean, so is each of it; where it is not, each is tried by itself. Two that fill
in the same hook could hide each other, so they never share a mock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from conformance.mock.quirks import Quirk, Variant

_ALONE, _TIMES, _DECIMALS = "alone", "times", "decimals"

_CONTRADICT: Final = frozenset({"gson", "whole-decimals-refused"})
"""One shows ids as the other takes no whole number to be written."""

_MOVES_TIMES: Final = frozenset({"busy", "loses", "loses_at_once", "at_once", "token_seconds", "tokens_by_the_second"})
"""What takes tries, or moves what is tried when: two of these would be another matter. One that does not follow a recommended
rule is by itself: what it refuses can be what another is asked for."""


@dataclass(frozen=True, slots=True)
class Company:
    """Variants that one mock is at once; at least two."""

    variants: tuple[Variant, ...]

    @property
    def name(self) -> str:
        """All of their names."""
        return " + ".join(variant.name for variant in self.variants)


def differs_in(variant: Variant) -> frozenset[str]:
    """The hooks that it fills in. A reading counts as an objection, too: what one takes by its reading another may object to."""
    plain = Variant(name="", statement="")
    hooks = {hook.name for hook in fields(Quirk) if getattr(variant, hook.name) != getattr(plain, hook.name)}
    as_hooks = {"objects"} if variant.readings else set[str]()
    if hooks & _MOVES_TIMES:
        as_hooks.add(_TIMES)
    if variant.name in _CONTRADICT:
        as_hooks.add(_DECIMALS)
    return frozenset(hooks - {"name", "statement"} | as_hooks)


def companies(variants: Iterable[Variant]) -> tuple[Variant | Company, ...]:
    """All of them, in as few mocks as can be filled in their order; what fits nowhere stays by itself."""
    crowds: list[tuple[set[str], list[Variant]]] = []
    for variant in variants:
        hooks = differs_in(variant)
        alone = bool(variant.disregards)
        free = (crowd for crowd in crowds if not alone and not crowd[0] & (hooks | {_ALONE}))
        taken, members = next(free, (set[str](), list[Variant]()))
        if not members:
            crowds.append((taken, members))
        taken |= hooks | ({_ALONE} if alone else set())
        members.append(variant)
    return tuple(Company(tuple(members)) if len(members) > 1 else members[0] for _, members in crowds)
