"""What changed between two certificates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import CertificateFile
from conformance.verdict.gate import unsound
from conformance.verdict.gate_case import Found
from conformance.verdict.verdicts import RuleVerdict


@dataclass(frozen=True, slots=True)
class Difference:
    """Something else than a rule that is not the same: changes may come from it."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the baseline. Verdicts are those of the certificates, whatever is waived today."""

    since: datetime
    newly: Mapping[RuleVerdict, tuple[str, ...]]
    """By what they are now, the rules that were something else."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    """The rules that only one of the two knows."""
    differences: tuple[Difference, ...]
    doubts: tuple[Found, ...]
    """Why the baseline itself is not to be trusted."""
    is_newer: bool
    """Whether the baseline is the later one."""


def changes_since(baseline: CertificateFile, certificate: Certificate) -> Changes:
    """What is different in the certificate."""
    before = {entry.id: entry.verdict for entry in baseline.certificate.rules}
    after = {entry.id: entry.verdict for entry in certificate.rules}
    changed = [rule for rule in after if rule in before and after[rule] is not before[rule]]
    stated, now = _circumstances(baseline.certificate), _circumstances(certificate)
    return Changes(
        since=baseline.certificate.finished_at,
        newly={verdict: tuple(rule for rule in changed if after[rule] is verdict) for verdict in RuleVerdict},
        added=tuple(rule for rule in after if rule not in before),
        removed=tuple(rule for rule in before if rule not in after),
        differences=tuple(Difference(what, stated[what], now[what]) for what in now if stated[what] != now[what]),
        doubts=unsound(baseline),
        is_newer=baseline.certificate.finished_at > certificate.finished_at,
    )


def _circumstances(certificate: Certificate) -> dict[str, str]:
    target, contract = certificate.target, certificate.contract
    return {
        "target": target.name,
        "environment": target.environment,
        "base URL": target.base_url,
        "contract": f"{contract.version} ({contract.sha256[:12]})",
        "profile": certificate.profile,
    }
