"""Which findings of a certificate are to be tried again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.contract.rules import Kind
from conformance.errors import CannotRun
from conformance.verdict.certificate import Certificate, FindingEntry
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.gate import unsound


@dataclass(frozen=True, slots=True)
class Wanted:
    """A finding that is to be tried again, of that rule."""

    rule: str
    finding: FindingEntry

    @property
    def id(self) -> str:
        """The finding's."""
        return self.finding.id


def load_sound(path: Path) -> Certificate:
    """The certificate of an endpoint in that file. Raises CannotRun where it is none, or is not as a run wrote it."""
    file = load_certificate(path)
    if file.certificate.kind is not Kind.ENDPOINT:
        raise CannotRun(
            f"{path}: is of an integration, of which recorded calls were judged: there is nothing to send again; record it again "
            "and run `koncili-conformance audit`"
        )
    if unsound(file):
        raise CannotRun(
            f"{path}: was changed since a run wrote it: `koncili-conformance gate {path}` says where; certify again"
        )
    return file.certificate


def wanted(certificate: Certificate, named: Sequence[str], origin: str) -> tuple[Wanted, ...]:
    """The findings of those names: ids of findings, or of rules for all that break them; all, where none is named. Raises
    CannotRun for a name that the certificate, which `origin` names, does not have."""
    everything = tuple(_all(certificate))
    if not everything:
        raise CannotRun(f"{origin}: has no finding to try again: no rule fails in it")
    for name in named:
        if not any(name.upper() in {one.id.upper(), one.rule} for one in everything):
            there = ", ".join(one.id for one in everything)
            raise CannotRun(f"{origin}: has no finding {name}; there are {there}")
    names = {name.upper() for name in named}
    return tuple(one for one in everything if not names or names & {one.id.upper(), one.rule})


def _all(certificate: Certificate) -> Iterator[Wanted]:
    for entry in certificate.rules:
        for finding in entry.findings:
            yield Wanted(entry.id, finding)
