"""Evidence that a test makes up: for what reports tell of a run, without a run."""

from __future__ import annotations

from datetime import date

from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.violation import Finding
from conformance.verdict.waivers import Waiver


def finding(rule: str, reason: str = "it was accepted", answer: str = "fine") -> Finding:
    """A rule seen broken."""
    return Finding(rule, f"{rule}: {reason}", {"body": "{}"}, {"status": 200, "body": answer}, f"curl of {rule}")


def scenario(
    evidence: Evidence, rule: str, name: str, outcome: Outcome, reason: str = "", *, seen: bool = True
) -> None:
    """Enter a scenario of the rule; `seen`: where it passed, it saw every side that the rule asks for."""
    evidence.expect(name, rule, name)
    if outcome is Outcome.PASSED and seen:
        for side in catalogue()[rule].sides_under(resolve({})):
            evidence.saw(name, side)
    failed = finding(rule, reason) if outcome is Outcome.FAILED else None
    evidence.finish(name, outcome, failed.reason if failed else reason, failed)


def all_pass(*but: str) -> Evidence:
    """Evidence of a scenario that passed for every rule but these."""
    evidence = Evidence()
    for rule in catalogue().rules:
        if rule not in but:
            scenario(evidence, rule, f"{rule} holds", Outcome.PASSED)
    return evidence


def waiver(rule: str) -> Waiver:
    """A waiver of the rule that counts."""
    return Waiver(rule, "ticket 4711", date(2026, 12, 31), whole=True)
