"""One certification spread over several jobs: which of them certifies which rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from conformance.planning.costs import measured

MOST_SHARDS: Final = 64
"""More jobs than that have less to do than it takes to begin."""


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """The part of a certification that one job does: the `number`-th (from 1) of so many."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard_of(text: str) -> Shard:
    """The shard that `2/3` names. Raises ValueError for what names none."""
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip(), re.ASCII)
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.of <= MOST_SHARDS:
        raise ValueError(f"{text!r} is no shard such as 2/3: the second of three, of {MOST_SHARDS} at most")
    return shard


def rules_of(shard: Shard, rules: Iterable[str], profile: str) -> tuple[str, ...]:
    """Its part of these rules, in their sequence. A rule belongs to one shard whole; by what was measured of the profile all
    have about as much to send. Every shard of one version of the suite comes to the same parts.
    """
    rules = tuple(rules)
    weights = dict.fromkeys(rules, 1)
    for stage in measured().get(profile, ()):
        if stage.rule in weights:
            weights[stage.rule] += stage.size
    loads, parts = [0] * shard.of, [set[str]() for _ in range(shard.of)]
    for rule in sorted(rules, key=lambda one: (-weights[one], one)):
        lightest = loads.index(min(loads))
        loads[lightest] += weights[rule]
        parts[lightest].add(rule)
    return tuple(rule for rule in rules if rule in parts[shard.number - 1])
