"""Made-up evidence, and the certificate that it makes: for what reports tell of a run, without a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.verdict.certificate import Certificate, make_certificate
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.verdicts import judge_rule
from conformance.verdict.violation import Finding
from conformance.verdict.waivers import Waiver, waive

BEGUN = datetime(2026, 11, 22, 12, tzinfo=UTC)


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


def certified(evidence: Evidence, waivers: Iterable[Waiver] = (), name: str = "ours") -> Certificate:
    """The certificate of a run that saw this."""
    readings = dict(resolve({}))
    results = [judge_rule(rule, evidence, readings) for rule in catalogue().rules.values()]
    return make_certificate(
        results=waive(results, waivers, BEGUN.date()),
        target=parse_target(mock_target_table("http://127.0.0.1:8765") | {"name": name}, "target.toml"),
        profile="smoke",
        seed=7,
        readings=readings,
        readings_from=dict.fromkeys(readings, "default"),
        traffic={"requests": 9, "client_errors": 3, "server_errors": 0, "throttled": 0},
        started_at=BEGUN,
        finished_at=BEGUN.replace(hour=13),
    )


def waiver(rule: str) -> Waiver:
    """A waiver of the rule that counts."""
    return Waiver(rule, "ticket 4711", date(2026, 12, 31))
