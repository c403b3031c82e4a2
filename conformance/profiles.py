"""How much a run tries: the three profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

KindT = TypeVar("KindT")

WIDE_RULES: Final = frozenset({"ORD-13", "AUTH-04", "AUTH-08"})
"""Rules with a scenario for every field or every endpoint."""


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
    kinds_of_wide_rules: int | None
    """The same for rules with very many scenarios, whose kinds are spread over them instead."""
    fixed_seed: bool
    """Whether the seed is the same on every run that names none."""

    def choose(self, kinds: Sequence[KindT], rule_id: str, turn: int) -> list[KindT]:
        """The kinds of a fault that a scenario tries; `turn` tells the scenarios of a wide rule apart."""
        most = self.kinds_of_wide_rules if rule_id in WIDE_RULES else self.kinds_at_most
        start = turn % len(kinds) if kinds and rule_id in WIDE_RULES else 0
        return [*kinds[start:], *kinds[:start]][:most]

    def examples_per_kind(self, kinds: int) -> int:
        """How many examples each of so many kinds of a fault gets."""
        return max(self.refusals_per_kind, -(-self.refusals_at_least // max(kinds, 1)))


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "smoke": Profile("smoke", 3, 1, 1, 1, 1, 1, fixed_seed=True),
        "certification": Profile("certification", 40, 6, 1, 3, None, 2, fixed_seed=True),
        "deep": Profile("deep", 300, 60, 20, 40, None, None, fixed_seed=False),
    }
)
