"""The maker of certificates of runs that never took place, from results or from evidence that a test makes up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.verdict.certificate import Certificate, make_certificate
from conformance.verdict.evidence import Evidence
from conformance.verdict.verdicts import RuleResult, judge_rule
from conformance.verdict.waivers import Waiver, waive

STARTED: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
FINISHED: Final = STARTED + timedelta(hours=1)


def made(results: list[RuleResult], **changed: Any) -> Certificate:
    """The certificate of an hour's run with these results; `changed` are fields that are to be otherwise."""
    readings = dict(resolve({}))
    certificate = make_certificate(
        results=results,
        target=parse_target(mock_target_table("http://127.0.0.1:8765") | {"name": "ours"}, "target.toml"),
        profile="certification",
        seed=7,
        readings=readings,
        readings_from=dict.fromkeys(readings, "default"),
        traffic={"requests": 9, "client_errors": 3, "server_errors": 2, "throttled": 1},
        started_at=STARTED,
        finished_at=FINISHED,
    )
    return certificate.model_copy(update=changed)


def certified(
    evidence: Evidence | None = None, waivers: Iterable[Waiver] = (), *, name: str = "ours", **changed: Any
) -> Certificate:
    """The certificate of a run that saw this; `name` is the target's."""
    readings = dict(resolve({}))
    results = [judge_rule(rule, evidence or Evidence(), readings) for rule in catalogue().rules.values()]
    certificate = made(waive(results, waivers, STARTED), **changed)
    if name != "ours":
        certificate = certificate.model_copy(update={"target": certificate.target.model_copy(update={"name": name})})
    return certificate
