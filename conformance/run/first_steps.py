"""What can be exercised on a target, and which commands fit what is left of the hour's budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conformance.contract.readings import NEVER_PROBED, READINGS
from conformance.contract.rules import catalogue
from conformance.planning.sequence import sequence
from conformance.report import first_hour
from conformance.run.live import budget_of
from conformance.run.session import first_missing, missing_need
from conformance.target.config import Target
from conformance.target.shared.store import open_store
from conformance.target.waiting import Waiting
from conformance.verdict.not_exercised import NEEDS_CONTROL


def without_fixture(target: Target) -> dict[str, str]:
    """The rules that want a fixture that the target has not, each with its name: the gate wants a reason for them."""
    found = {
        rule.id: first_missing(rule, target, controlled=_is_controlled(target)) for rule in catalogue().rules.values()
    }
    return {rule: need for rule, need in found.items() if need is not None and need not in NEEDS_CONTROL}


def _is_controlled(target: Target) -> bool:
    return target.environment == "mock" and target.is_loopback


def next_steps(target: Target, file: Path) -> Iterator[str]:
    """Line by line. Sends nothing. Raises CannotRun where the store can't be used."""
    rules = catalogue().rules
    controlled = _is_controlled(target)
    reasons = {rule.id: missing_need(rule, target, controlled=controlled) for rule in rules.values()}
    not_exercised = {rule: reason for rule, reason in reasons.items() if reason is not None}
    store = open_store(target)
    try:
        budget = budget_of(target, store, Waiting())
        try:
            budget_status = budget.status()
        finally:
            budget.close()
    finally:
        store.close()
    steps = sequence(
        list(rules),
        not_exercised,
        paced=target.pace == "documented",
        budget_status=budget_status,
        has_callback=target.fixtures.has("callback_url"),
        probing=bool(READINGS.keys() - NEVER_PROBED - target.readings.keys()),
    )
    yield from first_hour.exercised(not_exercised)
    yield ""
    yield from first_hour.next_steps(file, steps, budget_status, list(without_fixture(target)))
