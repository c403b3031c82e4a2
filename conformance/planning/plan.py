"""What a run will spend, and whether the budget that is left lets it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.planning.costs import Stage, client_errors_of, requests_of, stages_of
from conformance.planning.fitting import kinds_to_leave, without
from conformance.planning.smaller_run import SmallerRun, smaller_run_for
from conformance.planning.smoke import SMOKE, WITHOUT_CALLBACK, affordable
from conformance.planning.timeline import RATES, Limits, Request, least_seconds, requests_in_turn, simulate
from conformance.planning.turns import stages_in_turn
from conformance.target.shared.budget_status import BudgetStatus
from conformance.target.shared.reconciling import seconds_until_seen

IN_TURN: Final = frozenset({"REL-03", "REL-11", "REL-12", "REL-18", "WFL-01", "WFL-02", "WFL-03"})
"""Rules whose reconciliations are opened on all accounts in turn (conformance/engine/succession.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will spend. Seconds are those that the limits demand, without what the target takes to answer."""

    profile: str
    rules: tuple[str, ...]
    """Those that are exercised."""
    not_exercised: Mapping[str, str]
    """Those that were asked for and can't be, each with the reason."""
    requests: Mapping[str, int]
    """By the label of the endpoint, documented ones first."""
    client_errors: int
    scenarios: int
    limits: Limits
    least_seconds: int
    """What the documented rates allow at the least."""
    seconds: float
    """What it is expected to take, scenario by scenario."""
    reconciliations: int
    """How many it opens."""
    reconciling: float | None
    """For so many seconds the target reconciles what comes one after the other, and until that is seen where nothing notifies;
    None where nobody said how long it takes, or none is opened. What needs no reconciliation is tried meanwhile."""
    waiting: float
    """How many of these seconds it waits for client errors to leave the hour."""
    longest_wait: float
    """The longest of these waits, in seconds: a `--max-wait` that is shorter would end the run there."""
    free_scenarios: int
    """How many scenarios are over before it first waits for that."""
    fits_in: float | None
    """In how many seconds it could begin without any such waiting; None where it never can."""
    smaller: SmallerRun | None
    """What fits now, where this does not."""
    kinds_left: int = 0
    """How many kinds of faults are left to later runs, so that this one fits."""
    one_after_other: int = 0
    """How many of its reconciliations come one after the other: the rest goes on beside these, on other accounts."""

    @property
    def fits(self) -> bool:
        """Whether it can run now without waiting for the budget."""
        return self.waiting == 0

    @property
    def is_limited(self) -> bool:
        """Whether the target is one whose rates and budget are kept."""
        return self.limits.paced and self.limits.budget_status is not None


def make_plan(
    profile: str,
    rules: Collection[str],
    not_exercised: Mapping[str, str],
    *,
    paced: bool,
    budget_status: BudgetStatus | None,
    probing: bool = True,
    names: Collection[tuple[str, str]] | None = None,
    seen_by_smoke: int = 0,
    has_callback: bool = True,
    may_leave_kinds: bool = False,
    reconciles_in: float | None = None,
    accounts: int = 1,
) -> Plan:
    """The plan of a run of these rules, or of those of their scenarios that are given by rule and name.

    `not_exercised` has the reason for each rule that can't be exercised on the target; `probing` is whether the target file
    leaves readings to be found out; `seen_by_smoke` how many kinds of faults a certification leaves to the smoke test before it;
    `has_callback` whether a notification tells when a reconciliation is finished; `may_leave_kinds` whether the run may leave
    kinds of faults to later ones where it would not fit with them; `reconciles_in` how many seconds it takes to reconcile,
    on each of so many `accounts` at once.
    """
    spare = 0 if has_callback else WITHOUT_CALLBACK
    chosen = tuple(rule for rule in rules if rule not in not_exercised)
    stages, limits = stages_of(profile, chosen, probing=probing), Limits(paced, budget_status)
    if names is not None:
        stages = [stage for stage in stages if not stage.rule or (stage.rule, stage.name) in names]
    if budget_status is not None and profile == SMOKE:
        stages = affordable(stages, spare)
    stages = without(stages, seen_by_smoke)
    kinds_left = 0
    if may_leave_kinds and budget_status is not None:
        kinds_left = kinds_to_leave(stages, limits, has_callback=has_callback)
        stages = without(stages, kinds_left)
    if paced or budget_status is not None:
        stages = stages_in_turn(stages, paced=paced)
    requests, in_turn = requests_of(stages), requests_in_turn(stages)
    timeline = simulate(in_turn, limits)
    opened, one_after_other = sum(stage.reconciliations for stage in stages), _one_after_other(stages, accounts)
    each = reconciles_in if reconciles_in is None or has_callback else seconds_until_seen(reconciles_in)
    least = max(least_seconds(number, RATES[label]) for label, number in requests.items())
    return Plan(
        profile=profile,
        rules=chosen,
        not_exercised={rule: not_exercised[rule] for rule in rules if rule in not_exercised},
        requests=_in_order(requests),
        client_errors=client_errors_of(stages),
        scenarios=_scenarios(stages),
        limits=limits,
        least_seconds=least if paced else 0,
        seconds=timeline.seconds,
        reconciliations=opened,
        reconciling=each * one_after_other if each is not None and opened else None,
        waiting=timeline.waiting,
        longest_wait=timeline.longest_wait,
        free_scenarios=_scenarios(stages[: timeline.free_stages]),
        fits_in=_fits_in(in_turn, limits, budget_status) if budget_status is not None and timeline.waiting else 0.0,
        smaller=smaller_run_for(profile, chosen, limits, probing=probing, spare=spare) if timeline.waiting else None,
        kinds_left=kinds_left,
        one_after_other=one_after_other,
    )


def _one_after_other(stages: Sequence[Stage], accounts: int) -> int:
    """How many reconciliations come one after the other, where some are opened on these accounts in turn."""
    in_turn, others = (
        sum(stage.reconciliations for stage in stages if (stage.rule in IN_TURN) is is_in_turn)
        for is_in_turn in (True, False)
    )
    return ceil(in_turn / accounts) + others


def _scenarios(stages: Iterable[Stage]) -> int:
    return sum(bool(stage.rule) for stage in stages)


def _in_order(requests: Mapping[str, int]) -> dict[str, int]:
    documented = [endpoint.label for endpoint in Endpoint]
    return {label: requests[label] for label in (*documented, *(requests.keys() - documented)) if label in requests}


def _fits_in(requests: Sequence[Request], limits: Limits, budget_status: BudgetStatus) -> float | None:
    """In how many seconds it could run without waiting: when enough of what is spent has left the hour."""
    instants = [0.0, *sorted(set(budget_status.frees))]
    if simulate(requests, limits, instants[-1]).waiting:
        return None
    # The later it begins, the less it waits.
    return instants[bisect_left(instants, x=True, key=lambda start: simulate(requests, limits, start).waiting == 0)]
