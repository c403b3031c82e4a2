"""How much a run tries: the three profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


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
    kinds_at_most: int | None
    """How many kinds of a fault are tried, per scenario; None for all, or for what the client errors allow."""
    client_errors: int | None
    """How many a run may spend (conformance/engine/economy.py spreads them); None where they are not counted."""
    tries_at_once: int
    """How often calls are sent at once, per scenario: a race needs luck, but in the suite's own mock, where once is enough."""
    fixed_seed: bool
    """Whether the seed is the same on every run that names none."""


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        "smoke": Profile("smoke", 3, 1, 1, 1, None, 1, fixed_seed=True),
        "certification": Profile("certification", 40, 6, 1, None, 330, 2, fixed_seed=True),
        "deep": Profile("deep", 300, 60, 20, None, None, 10, fixed_seed=False),
    }
)
