"""Of which orders, and when in their reconciliation, broken releases are tried: a server may compare some only. Data.

The kinds that a rule tries take turns, so that this costs no client error more: one comes first of its reconciliation, for an
order of a single extract, another completes it, for an order of many; each on another account, for an order of another status.
What takes extracts in fixed proportions is for the orders between these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from types import MappingProxyType
from typing import Final

from strategies.faults import Kind


class Comes(StrEnum):
    """When in its reconciliation a broken release is sent."""

    BETWEEN = "between others"
    FIRST = "before all others"
    LAST = "in place of the one that completes it"


@dataclass(frozen=True, slots=True)
class Turn:
    """What the order of a broken release is like, and when it comes."""

    comes: Comes = Comes.BETWEEN
    crowded: bool = False
    """Whether it has as many extracts as any."""
    bare: bool = False
    """Whether it has those only that the fault needs."""
    number: int | None = None
    """Which of the accounts it is on, and which of the statuses it has; None: any."""

    def __str__(self) -> str:
        sizes = {"of many extracts": self.crowded, "of no more extracts than are needed": self.bare}
        said = [
            self.comes if self.comes is not Comes.BETWEEN else "",
            *(words for words, is_so in sizes.items() if is_so),
            "" if self.number is None else f"of account and status {self.number}",
        ]
        return "".join(f", {words}" for words in said if words)


PLAIN: Final = Turn()

_MIRRORING: Final[Mapping[str, tuple[tuple[Turn, ...], tuple[Turn, ...]]]] = MappingProxyType(
    {
        "REL-06": ((PLAIN,), (Turn(bare=True, number=0), Turn(crowded=True, number=1))),
        "REL-07": ((PLAIN,), (Turn(number=1), Turn(number=2))),
        "REL-08": (
            (Turn(number=2), Turn(number=3)),
            (Turn(Comes.FIRST, bare=True, number=0), Turn(Comes.LAST, crowded=True, number=1)),
        ),
        "REL-09": (
            (Turn(crowded=True, number=3), Turn(crowded=True, number=2)), (Turn(bare=True, number=0), Turn(number=1)),
        ),
        "REL-10": ((PLAIN,), (Turn(number=0), Turn(number=3))),
    }
)  # fmt: skip
"""By rule the turns of the kinds that take extracts in fixed proportions, and those of the others."""


def by_turns(rule: str, kinds: Sequence[Kind]) -> dict[Turn, tuple[Kind, ...]]:
    """The kinds that are tried together, by their turn. What needs several extracts is not beside what a single one does for."""
    in_proportions, others = _MIRRORING.get(rule, ((PLAIN,), (PLAIN,)))
    free, found = [kind for kind in kinds if not kind.multiples], dict[Turn, list[Kind]]()
    for kind, turn in zip((kind for kind in kinds if kind.multiples), cycle(in_proportions), strict=False):
        found.setdefault(turn, []).append(kind)
    apart = len({kind.alone for kind in free}) > 1 and len({turn.bare for turn in others}) > 1
    for alone in (True, False):
        of_these = [kind for kind in free if kind.alone is alone]
        turns = cycle([turn for turn in others if turn.bare is alone or not apart])
        for kind, turn in zip(of_these, turns, strict=False):
            found.setdefault(turn, []).append(kind)
    return {turn: tuple(some) for turn, some in found.items()}
