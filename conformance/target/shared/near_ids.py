"""Which id a creation may have got whose answer was lost, by those that were given out before and after it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from math import gcd
from typing import Final

GUESSES: Final = 8
"""How many ids are worth a try, each of which may cost a client error: others may have been given out in between."""

FEW: Final = 2
"""So many ids between two known ones are tried although nothing seems to be active."""

FAR: Final = 1000
"""Ids that differ by more from one to the next don't follow each other: there is nothing to guess by."""

REMEMBERED: Final = 6
"""How many ids are kept, the last ones: enough to see how they follow each other."""


REGULAR: Final = 3
"""So many steps show how far apart ids are: fewer may have jumped over those of lost answers."""


def guesses(known: Sequence[int], after: int | None, before: int | None = None) -> tuple[int, ...]:
    """The ids that may have been given out after this one and before that one, likeliest first. `after` is None for one that came
    before all that were known; without `before` it is looked for among the `known`, the last ids in the order in which they
    were given out.

    None where ids are as if drawn by lot, or where nothing was given out in between.
    """
    steps = _last_steps(known)
    if not steps and len(known) > 1:
        return ()
    apart = gcd(*steps) if steps else 1
    # Of a few steps nobody knows whether ids are so far apart or others got those in between: both are tried in turn.
    sizes = (apart,) if len(steps) >= REGULAR else (1, apart)
    sign = -1 if steps and steps[0] < 0 else 1
    offsets = dict.fromkeys(sign * size * n for n in range(1, GUESSES + 1) for size in sizes)
    before = next_after(known, after) if before is None else before
    if after is None:
        found = [] if before is None else [before - offset for offset in offsets]
    else:
        found = [after + offset for offset in offsets]
        if before is not None:
            found = [one for one in found if sign * one < sign * before]
            if len(steps) < REGULAR and (before - after) % 2 == 0:  # it may be what makes the step so wide
                found[1:1] = [(after + before) // 2]
    return tuple(dict.fromkeys(one for one in found if one > 0))[:GUESSES]


def guesses_at_once(known: Sequence[int], after: int | None) -> tuple[int, ...]:
    """The same for one that was sent at once with others: it may also have come after the next that is known."""
    first, next_known = guesses(known, after), next_after(known, after)
    then = guesses(known, next_known) if next_known is not None else ()
    both = [number for pair in zip_longest(first, then) for number in pair if number is not None]
    return tuple(dict.fromkeys(number for number in both if number not in known))[:GUESSES]


def none_between(after: int | None, before: int | None) -> bool:
    """Whether the id that was given out next after this one follows it at once: then no other was given out in between."""
    return after is not None and before is not None and abs(before - after) == 1


def _last_steps(known: Sequence[int]) -> list[int]:
    """By how much each id differs from the one before, as far back as they follow each other: a target may begin anew."""
    steps: list[int] = []
    for earlier, later in reversed([*pairwise(known)]):
        step = later - earlier
        if step == 0 or abs(step) > FAR or (steps and (step > 0) != (steps[0] > 0)):
            break
        steps.append(step)
    return steps


def next_after(known: Sequence[int], after: int | None) -> int | None:
    """The id that was given out next after this one, as far as is known."""
    if after is None:
        return known[0] if known else None
    place = known.index(after) + 1 if after in known else len(known)
    return known[place] if place < len(known) else None
