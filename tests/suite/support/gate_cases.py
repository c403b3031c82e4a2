"""Made-up certificates of whole runs, and what the gate says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from conformance.contract.readings import resolve
from conformance.contract.rules import Catalogue, Level, catalogue
from conformance.verdict.certificate_file import parse_certificate
from conformance.verdict.digest import digest_of
from conformance.verdict.gate import decide
from conformance.verdict.gate_case import Asked, Check, Decision, Result
from conformance.verdict.not_exercised import NEEDS_CONTROL
from conformance.verdict.verdicts import Kinds, RuleResult, RuleVerdict, Waiver
from conformance.verdict.violation import Finding
from tests.suite.support.made_up_certificates import FINISHED, made

NOW: Final = FINISHED + timedelta(hours=1)
WEEK: Final = 7 * 86_400.0

REQUIRED: Final = tuple(rule.id for rule in catalogue().rules.values() if rule.level is Level.REQUIRED)
RECOMMENDED: Final = tuple(rule.id for rule in catalogue().rules.values() if rule.level is Level.RECOMMENDED)

CLOCK: Final = NEEDS_CONTROL["clock"]
"""Why a rule is not exercised that no live endpoint can show."""

Document = dict[str, Any]


def document(
    verdicts: Mapping[str, RuleVerdict] | None = None,
    *,
    waived: Iterable[Waiver] = (),
    profile: str = "certification",
    environment: str = "sandbox",
    finished: datetime = FINISHED,
    kinds: Kinds | None = None,
) -> Document:
    """A certificate as JSON: every rule passes but those named, and those waived; ORD-10 with these kinds of its fault."""
    known, by_rule = verdicts or {}, {waiver.rule: waiver for waiver in waived}
    results = []
    for rule in catalogue().rules.values():
        verdict = RuleVerdict.WAIVED if rule.id in by_rule else known.get(rule.id, RuleVerdict.PASS)
        broken = verdict in {RuleVerdict.FAIL, RuleVerdict.WAIVED}
        finding = Finding(rule.id, "it was accepted", {"method": "POST"}, {"status": 200}, "curl") if broken else None
        reason = {RuleVerdict.PASS: "", RuleVerdict.NOT_EXERCISED: CLOCK}.get(verdict, f"why it is {verdict}")
        results.append(RuleResult(rule, verdict, reason, 1, 1, 1, finding, waiver=by_rule.get(rule.id)))
        if kinds is not None and rule.id == "ORD-10":
            results[-1] = replace(results[-1], kinds=kinds)
    certificate = made(
        results,
        profile=profile,
        readings={**resolve({}), "extract-types": "portal"},
        readings_from={**dict.fromkeys(resolve({}), "default"), "extract-types": "probed"},
        started_at=finished - timedelta(minutes=4),
        finished_at=finished,
    )
    tested = certificate.target.model_copy(update={"environment": environment, "base_url": "https://koncili.example"})
    found: Document = json.loads(certificate.model_copy(update={"target": tested}).to_json())
    return sealed(found)


def sealed(edited: Document) -> Document:
    """The document with the digest of its content: what somebody does who knows how."""
    return {**edited, "digest": digest_of(edited)}


def decided(certificate: Document, *, contract: Catalogue | None = None, **asked: Any) -> Decision:
    """What the gate decides an hour after the run, asked nothing else."""
    file = parse_certificate(json.dumps(certificate).encode(), "certificate.json")
    options = {"now": NOW, "max_age": WEEK, **asked}
    unread: Mapping[Check, str] = options.pop("unread", {})
    return decide(file, Asked(**options), contract or catalogue(), unread)


def refusals(decision: Decision) -> dict[str, int]:
    """What was refused, as `check: kind`, with the exit code that each asks for."""
    assert all((found.code != 0) == (found.result is Result.REFUSED) for found in decision.checks)
    return {f"{found.check}: {found.kind}": found.code for found in decision.refusals}
