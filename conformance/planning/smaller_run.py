"""Which smaller run fits the budget that is left, where the one that was asked for does not. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from conformance.planning.costs import RUNS, client_errors_of, measured, stages_of
from conformance.planning.smoke import SMOKE, affordable
from conformance.planning.timeline import Limits, requests_in_turn, simulate
from conformance.planning.turns import stages_in_turn
from conformance.profiles import PROFILES


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallerRun:
    """A smaller run that fits now."""

    profile: str
    rules: tuple[str, ...]
    """Those to select; none where all that were asked for fit."""
    client_errors: int
    seconds: float


def smaller_run_for(
    profile: str, rules: tuple[str, ...], limits: Limits, *, probing: bool, spare: int = 0
) -> SmallerRun | None:
    """The largest smaller profile that fits now; where none does, the cheapest rules of the smallest. None: nothing does."""

    def fitting_run(name: str, some: tuple[str, ...], selected: tuple[str, ...] = ()) -> SmallerRun | None:
        stages = stages_of(name, some, probing=probing)
        if name == SMOKE and limits.budget_status is not None:
            stages = affordable(stages, spare)
        stages = stages_in_turn(stages, paced=limits.paced)
        timeline = simulate(requests_in_turn(stages), limits)
        if timeline.waiting:
            return None
        return SmallerRun(
            profile=name, rules=selected, client_errors=client_errors_of(stages), seconds=timeline.seconds
        )

    smaller = [name for name in RUNS[: RUNS.index(profile)] if name in PROFILES]
    for name in reversed(smaller):
        if (found := fitting_run(name, rules)) is not None:
            return found
    least = smaller[0] if smaller else profile
    cheapest = _cheapest_first(least, rules)
    # The more rules, the more they spend: as many as fit.
    fitting = bisect_left(
        range(1, len(rules) + 1), x=True, key=lambda some: fitting_run(least, cheapest[:some]) is None
    )
    selected = tuple(rule for rule in rules if rule in cheapest[:fitting])
    return fitting_run(least, selected, selected) if selected else None


def _cheapest_first(profile: str, rules: tuple[str, ...]) -> tuple[str, ...]:
    spends = Counter[str]()
    for stage in measured()[profile]:
        spends[stage.rule] += stage.client_errors
    return tuple(sorted(rules, key=lambda rule: spends[rule]))
