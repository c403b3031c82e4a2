"""Certificates of runs that never took place, from evidence that a test makes up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.verdict.certificate import Certificate, make_certificate
from conformance.verdict.evidence import Evidence
from conformance.verdict.verdicts import judge_rule
from conformance.verdict.waivers import Waiver, waive

STARTED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def certificate_of(
    evidence: Evidence | None = None, *, waived: str = "", name: str = "ours", seed: int = 7, **changed: Any
) -> Certificate:
    """The certificate of a run that saw this. `waived` is a rule that may fail."""
    readings = resolve({})
    results = [judge_rule(rule, evidence or Evidence(), readings) for rule in catalogue().rules.values()]
    waivers = [Waiver(waived, "ticket 4711", date(2026, 12, 31))] if waived else []
    made = make_certificate(
        results=waive(results, waivers, STARTED.date()),
        target=parse_target(mock_target_table("http://127.0.0.1:8765") | {"name": name}, "target.toml"),
        profile="smoke",
        seed=seed,
        readings=readings,
        readings_from=dict.fromkeys(readings, "stated"),
        traffic={"requests": 9, "client_errors": 3, "server_errors": 2, "throttled": 1},
        started_at=STARTED,
        finished_at=STARTED + timedelta(seconds=9),
    )
    return made.model_copy(update=changed)
