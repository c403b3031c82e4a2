"""How much a run tries: the three profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

KindT = TypeVar("KindT")

SPREAD: Final[Mapping[str, int]] = MappingProxyType(
    {
        "AUTH-02": 2, "AUTH-03": 1, "AUTH-04": 1, "AUTH-08": 1,
        "ACC-02": 1, "ACC-03": 1, "ACC-04": 1, "ACC-05": 1, "ACC-06": 1,
        "ORD-02": 5, "ORD-07": 2, "ORD-08": 3, "ORD-12": 2, "ORD-13": 1, "ORD-14": 4,
        "REC-04": 6, "REC-08": 2, "REL-04": 3, "REL-05": 5, "REL-17": 2,
    }
)  # fmt: skip
"""Rules with many scenarios, or many kinds of fault that a server can hardly tell apart: how many kinds each scenario of a
certification tries. Which ones turns with the scenario and the seed; every other rule's scenarios try all of theirs."""

MANY_ENDPOINTS: Final = 3
"""A rule of so many endpoints has scenarios enough: none of them needs a second example."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of examples. A refusal spends one client error of the hour's budget; an acceptance spends none."""

    name: str
    acceptances: int
    """Examples of a law that only accepts, per scenario."""
    sequences: int
    """Examples of a law over several calls, per scenario."""
    refusals_per_kind: int
    """Examples of each kind of fault."""
    refusals_at_least: int
    """Examples of a fault that has few kinds, per scenario."""
    kinds_at_most: int | None
    """How many kinds of a fault are tried, per scenario; None for all."""
    spreads: bool
    """Whether the kinds of the rules in SPREAD are spread over scenarios and seeds."""
    fixed_seed: bool
    """Whether the seed is the same on every run that names none."""

    def choose(self, kinds: Sequence[KindT], rule_id: str, turn: int) -> list[KindT]:
        """The kinds of a fault that a scenario tries; `turn` tells scenarios and seeds apart."""
        if not self.spreads or rule_id not in SPREAD or not kinds:
            return list(kinds)[: self.kinds_at_most]
        start, most = turn % len(kinds), min(SPREAD[rule_id], self.kinds_at_most or len(kinds))
        step = max(1, len(kinds) // most)
        return [kinds[(start + n * step) % len(kinds)] for n in range(min(most, len(kinds)))]

    def examples_per_kind(self, kinds: int, endpoints: int) -> int:
        """How many examples each of so many kinds of a fault gets, for a rule of so many endpoints."""
        if endpoints >= MANY_ENDPOINTS:
            return self.refusals_per_kind
        return max(self.refusals_per_kind, -(-self.refusals_at_least // max(kinds, 1)))


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "smoke": Profile("smoke", 3, 1, 1, 1, 1, spreads=True, fixed_seed=True),
        "certification": Profile("certification", 40, 6, 1, 2, None, spreads=True, fixed_seed=True),
        "deep": Profile("deep", 300, 60, 20, 40, None, spreads=False, fixed_seed=False),
    }
)
