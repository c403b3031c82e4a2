"""How many kinds of faults a certification leaves to later runs, so that what is left of the budget suffices. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from conformance.contract.limits import HOUR_SECONDS
from conformance.planning.costs import Stage
from conformance.planning.set_aside import IN_EVERY_STATUS, SET_ASIDE
from conformance.planning.smoke import tries_kinds
from conformance.planning.timeline import Limits, requests_in_turn, simulate
from conformance.planning.turns import stages_in_turn

MORE_WITHOUT_CALLBACK: Final = 24
"""How many more client errors a certification may need where no notification tells when a reconciliation is finished: opening
the next one does, and may be refused."""

BY_ACCIDENT: Final = 10
"""How many more it may need on any target: a call that is sent again since its answer was lost may be refused."""


def kinds_to_leave(stages: Sequence[Stage], limits: Limits, *, has_callback: bool) -> int:
    """The least number of kinds without which the certification of these stages need not wait for the budget of client errors;
    0 where it need not anyway, or must however many it leaves: then the next hour has room for all of them."""
    limits = _with_more_spent(limits, BY_ACCIDENT + (0 if has_callback else MORE_WITHOUT_CALLBACK))

    def fits(kinds: int) -> bool:
        return not simulate(
            requests_in_turn(stages_in_turn(without(stages, kinds), paced=limits.paced)), limits
        ).waiting

    most = sum(max(spends - 1, 0) for spends in _of_kinds(stages))
    least = bisect_left(range(most + 1), x=True, key=fits)
    return least if least <= most else 0


def without(stages: Sequence[Stage], kinds: int) -> list[Stage]:
    """The stages where so many kinds are left out: a client error less each, of the scenarios that spend most, and one of every
    scenario stays."""
    spends, left = _of_kinds(stages), _of_kinds(stages)
    for _ in range(kinds):
        most = max(left, default=0)
        if most <= 1:
            break
        left[left.index(most)] -= 1
    return [
        replace(stage, client_errors=stage.client_errors - before + now)
        for stage, before, now in zip(stages, spends, left, strict=True)
    ]


def _of_kinds(stages: Sequence[Stage]) -> list[int]:
    """What each spends on kinds that may be left out, one for each: not what kinds that come again spend."""
    again = {rule: SET_ASIDE.get(rule, 0) for rule in IN_EVERY_STATUS}
    found = []
    for stage in stages:
        spends = stage.client_errors if tries_kinds(stage) else 0
        less = min(again.get(stage.rule, 0), max(spends - 1, 0))
        if less:
            again[stage.rule] -= less
        found.append(spends - less)
    return found


def _with_more_spent(limits: Limits, number: int) -> Limits:
    status = limits.budget_status
    if status is None:
        return limits
    frees = (*status.frees, *[float(HOUR_SECONDS)] * number)
    return replace(limits, budget_status=replace(status, spent=status.spent + number, frees=frees))
