"""The commands of a first hour, one after the other, with what each spends of the budget that the others leave. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.planning.costs import stages_of
from conformance.planning.plan import Plan, make_plan
from conformance.planning.smoke import SMOKE, WITHOUT_CALLBACK, affordable, tries_kinds
from conformance.target.shared.budget_status import BudgetStatus

HOUR_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the sequence."""

    options: str
    """Of `certify`, besides `--target`."""
    plan: Plan


def sequence(
    rules: Collection[str],
    not_exercised: Mapping[str, str],
    *,
    paced: bool,
    budget_status: BudgetStatus | None,
    probing: bool,
    has_callback: bool,
) -> list[Step]:
    """A smoke test and the certification, each planned on the budget that is left when the one before it is over."""
    steps, status, seen = [], budget_status, 0
    for options, profile in ((f"--profile {SMOKE}", SMOKE), ("", "certification")):
        plan = make_plan(
            profile, rules, not_exercised, paced=paced, budget_status=status, probing=probing, seen_by_smoke=seen,
            has_callback=has_callback, may_leave_kinds=profile != SMOKE,
        )  # fmt: skip
        steps.append(Step(options, plan))
        status = _spent(status, plan)
        seen = _kinds(plan, 0 if has_callback else WITHOUT_CALLBACK) if profile == SMOKE and plan.fits else 0
    return steps


def _spent(status: BudgetStatus | None, plan: Plan) -> BudgetStatus | None:
    if status is None or not plan.fits:
        return status
    spent = status.spent + plan.client_errors
    frees = tuple(max(0.0, free - plan.seconds) for free in status.frees) + (HOUR_SECONDS,) * plan.client_errors
    return BudgetStatus(status.budget, spent, tuple(sorted(frees)), status.doubted, status.warnings)


def _kinds(plan: Plan, spare: int) -> int:
    """How many kinds of faults the smoke test tries: one in each scenario that spends one client error, for the most part."""
    stages = affordable(stages_of(SMOKE, plan.rules, probing=False), spare)
    return sum(stage.client_errors == 1 for stage in stages if tries_kinds(stage))
