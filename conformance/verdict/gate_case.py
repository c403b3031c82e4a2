"""What the gate looks at and what it says of it: the certificate, what is asked, and what each check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from conformance.contract.rules import Catalogue, Kind, Level
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.certificate_file import CertificateFile
from conformance.verdict.signature import NONE_ASKED, Signature
from conformance.verdict.verdicts import NOT_SELECTED, RuleVerdict, Waiver
from conformance.verdict.waivers import WaiverStatus, waiver_status_of

GO_ON, UNDECIDED = 0, 3
WEIGHTS: Final = (GO_ON, 2, 1, UNDECIDED)
"""The exit codes, each outweighing those before it."""


class Check(StrEnum):
    """What is looked at, in the order in which it is told."""

    CERTIFICATE = "certificate"
    DIGEST = "digest"
    FILES = "files"
    RULES = "rules"
    SIGNATURE = "signature"
    AGE = "age"
    CONTRACT = "contract"
    PROOF = "proof"
    TARGET = "target"
    READINGS = "readings"
    PROFILE = "profile"
    COVERAGE = "coverage"
    WAIVERS = "waivers"
    SKIPS = "skips"
    VERDICT = "verdict"


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    REFUSED = "refused"
    NOTED = "noted"
    """Nothing was asked; this is good to know."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: a kind that has its words, the facts for them, and the exit code that it asks for."""

    check: Check
    kind: str
    result: Result
    code: int = GO_ON
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property of the target that was asked for, and the option that did."""

    name: Literal["name", "environment", "base_url", "integrator", "accounts", "owner", "version"]
    value: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a deployment asks of a certificate."""

    now: datetime
    """In UTC."""
    max_age: float
    """In seconds."""
    kind: Kind = Kind.ENDPOINT
    profile: str = "certification"
    """Of an endpoint's certificate: that of an integration has none."""
    min_coverage: Decimal | None = None
    """In percent of the kinds of faults that can be made on the target."""
    accept_partial: bool = False
    require_proof: bool = False
    max_proof_age: float = float("inf")
    """In seconds."""
    proof_beside: str | None = None
    """The digest of the proof.json beside the certificate, where there is one."""
    target: tuple[Wanted, ...] = ()
    files: Mapping[str, str | None] = field(default_factory=dict)
    """The digests of the files beside the certificate, by name; None for one that is not there, or can't be read."""
    alone: bool = False
    """Whether the certificate counts without what its run left beside it."""
    readings: Mapping[str, str] | None = None
    """Those that the target file states, where one was given."""
    strict_readings: bool = False
    """Whether every reading must be the default one or found out by probing."""
    not_exercised: Mapping[str, str] | None = None
    """Rules that need not have been exercised, and why; None: those of the certificate's target."""
    waivers: tuple[Waiver, ...] = ()
    signature: Signature = NONE_ASKED


@dataclass(frozen=True, slots=True)
class JudgedRule:
    """A rule as the certificate has it, and its verdict with the waiver that bears on it today."""

    entry: RuleEntry
    verdict: RuleVerdict
    waiver: Waiver | None = None
    waiver_status: WaiverStatus | None = None

    @property
    def is_required(self) -> bool:
        """Whether the rule decides."""
        return self.entry.level is Level.REQUIRED

    @property
    def is_left_out(self) -> bool:
        """Whether somebody chose not to exercise it, or a part of it."""
        return self.verdict is RuleVerdict.NOT_EXERCISED and NOT_SELECTED in self.entry.reason

    @classmethod
    def of(cls, entry: RuleEntry, given: Mapping[str, Waiver], now: datetime) -> JudgedRule:
        """The rule now; a waiver that is given now, by rule, outweighs the one that the run was given."""
        if entry.hindered_by:
            return cls._hindered(entry, given, now)
        waiver = given.get(entry.id)
        if waiver is None and entry.verdict is RuleVerdict.WAIVED and entry.waiver is not None:
            waiver = entry.waiver.as_waiver(entry.id)
        waiver_status = waiver_status_of(entry.verdict, waiver, now) if waiver else None
        if waiver and waiver_status is WaiverStatus.VALID and not _is_covered(entry, waiver):
            waiver_status = WaiverStatus.SHORT
        verdict = entry.verdict
        if verdict in {RuleVerdict.FAIL, RuleVerdict.WAIVED}:
            verdict = RuleVerdict.WAIVED if waiver_status is WaiverStatus.VALID else RuleVerdict.FAIL
        return cls(entry, verdict, waiver, waiver_status)

    @classmethod
    def _hindered(cls, entry: RuleEntry, given: Mapping[str, Waiver], now: datetime) -> JudgedRule:
        """A rule that others' breaches left undecided: their waiver may let that be."""
        known = [given[rule] for rule in entry.hindered_by if rule in given]
        if not known and entry.waiver is not None:
            known = [entry.waiver.as_waiver(entry.id)]
        lets = [one for one in known if one.lets_be_hindered(entry.id, entry.hindered_by) and not one.is_over(now)]
        if lets:
            return cls(entry, RuleVerdict.WAIVED, lets[0], WaiverStatus.VALID)
        return cls(entry, RuleVerdict.INCONCLUSIVE)


def _is_covered(entry: RuleEntry, waiver: Waiver) -> bool:
    """Whether the waiver covers all that breaks the rule; what a certificate does not tell only one of the whole rule does."""
    return waiver.whole or (bool(entry.findings) and all(waiver.covers(one.names) for one in entry.findings))


@dataclass(frozen=True, slots=True)
class Case:
    """A certificate, what is asked of it, the catalogue of this suite, and the rules as they stand today."""

    file: CertificateFile
    asked: Asked
    contract: Catalogue
    rules: tuple[JudgedRule, ...]

    @classmethod
    def of(cls, file: CertificateFile, asked: Asked, contract: Catalogue) -> Case:
        """The case; a waiver counts until the end of its last day by the clock of its zone."""
        given = {waiver.rule: waiver for waiver in asked.waivers}
        rules = tuple(JudgedRule.of(entry, given, asked.now) for entry in file.certificate.rules)
        return cls(file, asked, contract, rules)

    @property
    def certificate(self) -> Certificate:
        """What the file says."""
        return self.file.certificate

    @property
    def is_of_this_contract(self) -> bool:
        """Whether it was written by the catalogue of this suite."""
        stated = self.certificate.contract
        return (stated.version, stated.sha256) == (self.contract.version, self.contract.sha256)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that deserve a look and share verdict and reason."""

    level: Level
    verdict: RuleVerdict
    reason: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """All that was found, and the rules that deserve a look."""

    checks: tuple[Found, ...]
    groups: tuple[Group, ...] = ()

    @property
    def refusals(self) -> tuple[Found, ...]:
        """What stands against going on."""
        return tuple(found for found in self.checks if found.result is Result.REFUSED)

    @property
    def exit_code(self) -> int:
        """The weightiest of what the checks ask for."""
        return max((found.code for found in self.checks), key=WEIGHTS.index)
