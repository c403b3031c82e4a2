"""The certificate: what was tested, against what, and the verdict on every rule."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from conformance import __version__
from conformance.contract.rules import Catalogue, Kind, Level, catalogue
from conformance.target.config import Target
from conformance.verdict.digest import digest_of
from conformance.verdict.observed import ObservedEntry
from conformance.verdict.proven import Digest, ProofEntry
from conformance.verdict.suite_code import code_digest
from conformance.verdict.verdicts import (
    RuleResult,
    RuleVerdict,
    RunVerdict,
    Waiver,
    clock_of,
    judge_recorded,
    judge_run,
    judge_verdicts,
)
from conformance.verdict.violation import Finding

SCHEMA: Final = "koncili-conformance/certificate/1"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Suite(_Part):
    """Which suite gave the verdict."""

    version: str
    commit: str | None
    code: Digest | None = None
    """Of all its code; older suites tell none."""

    @classmethod
    def own(cls) -> Self:
        """This one."""
        return cls(version=__version__, commit=suite_commit(), code=code_digest())


class Contract(_Part):
    """Which catalogue of rules it certified against."""

    version: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Tested(_Part):
    """What was tested."""

    name: str
    environment: Literal["mock", "sandbox", "production", "recording"]
    """`recording`: nothing was sent, recorded calls were judged."""
    base_url: str
    error_budget: int | None = None
    """Client errors that all runs together may cause in an hour; None where nothing limits them."""
    integrator: UUID | None = None
    accounts: list[str] = Field(default_factory=list)
    """The accounts that it was certified with, as `19055 CHANNEL_NAME`. Certificates of older suites tell neither."""
    not_exercised: dict[str, str] = Field(default_factory=dict)
    """Rules that the target file says can't be shown, and why."""


class AboutEntry(_Part):
    """What the target file says of what was tested: whose it is, which version, whom to ask."""

    owner: str = ""
    version: str = ""
    contact: str = ""


class TrafficCounts(_Part):
    """What it took."""

    requests: Annotated[int, Field(ge=0)]
    client_errors: Annotated[int, Field(ge=0)]
    server_errors: Annotated[int, Field(ge=0)]
    throttled: Annotated[int, Field(ge=0)]


class Counterexample(_Part):
    """The smallest exchange found that breaks a rule, without secrets."""

    request: dict[str, Any]
    response: dict[str, Any]
    curl: str
    lanes: list[str] = Field(default_factory=list)
    """Where calls were made at once: what was under way when, a line each."""


class AtOnce(_Part):
    """How often calls were sent at once, and how often they really overlapped: each sent before the first answer came."""

    tries: Annotated[int, Field(ge=0)]
    overlapped: Annotated[int, Field(ge=0)]
    undecided: Annotated[int, Field(ge=0)] = 0
    """How often nobody knows what became of one of them: it got no answer, or a server error. That is no evidence."""


def _known_zone(name: str) -> str:
    clock_of(name)
    return name


class WaiverEntry(_Part):
    """Why a failure is waived, what of the rule is, and the last day on which it is."""

    reason: str
    until: date
    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    rule: str = ""
    """The rule that the waiver is of, where it is another: this one is but hindered by it."""
    whole: bool = True
    kinds: list[str] = Field(default_factory=list)
    hinders: list[str] = Field(default_factory=list)

    @classmethod
    def of(cls, waiver: Waiver, rule: str) -> Self:
        """That waiver, for that rule."""
        return cls(
            reason=waiver.reason,
            until=waiver.until,
            zone=waiver.zone,
            rule=waiver.rule if waiver.rule != rule else "",
            whole=waiver.whole,
            kinds=list(waiver.kinds),
            hinders=list(waiver.hinders),
        )

    def as_waiver(self, rule: str) -> Waiver:
        """The waiver, of the rule with whose entry it stands."""
        return Waiver(
            self.rule or rule, self.reason, self.until, self.zone, self.whole, tuple(self.kinds), tuple(self.hinders)
        )


class SpotEntry(_Part):
    """An entry of a recording: its file, its place in it from 0, when it was sent."""

    file: str
    entry: Annotated[int, Field(ge=0)]
    time: AwareDatetime | None = None


class RecordedFinding(_Part):
    """Of an integration: where recorded calls show a finding, and what to send instead."""

    pointer: str
    """Where in the first of them: a JSON pointer into its body (RFC 6901), `header NAME`, `query NAME`, or empty."""
    value: str
    """What stands there, as JSON."""
    instead: str
    """What to send instead."""
    times: Annotated[int, Field(ge=1)]
    entries: list[SpotEntry]
    """Those that show it, the first 1,000 of them."""


class During(_Part):
    """What was running when a finding was seen: a scenario, the rule that it is for, the kinds of its fault that it tried."""

    rule: str
    scenario: str
    kinds: list[str] = Field(default_factory=list)


class FindingEntry(_Part):
    """One thing that breaks a rule: its id is the same in every run that finds it."""

    id: str
    endpoint: str
    kind: str
    """The kind of fault that showed it, where there are several."""
    scenario: str
    """The scenario that showed it; none where it was seen beside another rule's."""
    reason: str
    during: During | None = None
    """By which `replay` tries it again; certificates of older suites tell none."""
    counterexample: Counterexample | None = None
    """Of all but the first of a rule, whose is the rule's."""
    recorded: RecordedFinding | None = None

    @property
    def names(self) -> tuple[str, str, str]:
        """What a waiver may name it by."""
        return self.id, self.kind, self.scenario


class KindsEntry(_Part):
    """Which kinds of its faults the run tried, of those that can be made on the target: endpoint, fault and kind of each."""

    tried: list[str]
    left: list[str]
    """Those that the run did not try."""
    earlier: dict[str, AwareDatetime] = Field(default_factory=dict)
    """Of those left, when earlier runs of the same target and contract saw them refused."""


class RecordingEntry(_Part):
    """What was audited."""

    files: list[str]
    exchanges: Annotated[int, Field(ge=0)]
    unreadable: Annotated[int, Field(ge=0)] = 0
    """Entries that can't be read, besides: what they held nobody knows."""
    repeated: Annotated[int, Field(ge=0)] = 0
    """Calls and notifications that two of the files held; they are judged once."""
    calls: Annotated[int, Field(ge=0)]
    """Those of the exchanges that are calls to Koncili."""
    notifications: Annotated[int, Field(ge=0)]
    untimed: Annotated[int, Field(ge=0)]
    """Calls without a time."""
    unexplained: Annotated[int, Field(ge=0)]
    """Calls that were refused although nothing that a document states is wrong with them: no fault of the integration."""
    unexplained_entries: list[SpotEntry]
    problems: list[str]
    """What of the recording could not be read."""
    ties_out: bool
    """Whether the books balance."""


class RuleEntry(_Part):
    """The verdict on one rule. `accepted` and `refused` count what was seen of each."""

    id: str
    level: Level
    statement: str
    verdict: RuleVerdict
    accepted: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)]
    checked: Annotated[int, Field(ge=0)]
    reason: str
    endpoints: dict[str, dict[Literal["accepted", "refused", "checked"], int]] = Field(default_factory=dict)
    """What was seen of each, by endpoint (`POST /order`)."""
    requests: Annotated[int, Field(ge=0)] = 0
    client_errors: Annotated[int, Field(ge=0)] = 0
    """What its scenarios took, of the run's traffic."""
    at_once: AtOnce | None = None
    """Of a rule about calls at once."""
    kinds: KindsEntry | None = None
    """Of a rule whose faults have kinds; certificates of older suites tell none."""
    findings: list[FindingEntry] = Field(default_factory=list)
    """All that break it; the first is the counterexample's. Certificates of older suites tell none."""
    hindered_by: list[str] = Field(default_factory=list)
    """Of a rule that is undecided for nothing but other rules' breaches: these rules."""
    counterexample: Counterexample | None = None
    waiver: WaiverEntry | None = None
    """Of a waived rule."""
    undecided: Annotated[int, Field(ge=0)] = 0
    """How many recorded calls could not be judged by it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many kinds of faults were tried, of all rules together."""

    tried: int
    left: int
    earlier: int
    """How many of those left earlier runs saw refused, the first of them `since`."""
    since: datetime | None

    @property
    def of(self) -> int:
        """All that can be made on the target."""
        return self.tried + self.left

    @property
    def percent(self) -> Decimal:
        """How many are covered, also by earlier runs, rounded down to a tenth: of ten thousand 9,999 are not all."""
        return Decimal(1000 * (self.tried + self.earlier) // self.of) / 10 if self.of else Decimal(100)


class Certificate(_Part):
    """The outcome of one run."""

    schema_: Annotated[Literal["koncili-conformance/certificate/1"], Field(alias="schema")] = SCHEMA
    verdict: RunVerdict
    kind: Kind = Kind.ENDPOINT
    """What it is of."""
    suite: Suite
    contract: Contract
    target: Tested
    profile: str
    seed: int
    started_at: AwareDatetime
    finished_at: AwareDatetime
    readings: dict[str, str]
    readings_from: dict[str, Literal["stated", "probed", "default"]]
    """How each reading is known: stated by the target file, found out by probing, or taken by default."""
    traffic: TrafficCounts
    rules: list[RuleEntry]
    recording: RecordingEntry | None = None
    """Of an integration."""
    about: AboutEntry | None = None
    """Where the target file says it."""
    proof: ProofEntry | None = None
    """Of the suite that made it, where one was there."""
    observed: ObservedEntry | None = None
    """How the target answered, where the run left its exchanges."""
    files: dict[str, Digest] = Field(default_factory=dict)
    """The digests of the files beside it that a run leaves, by name: those of the same run. Older suites tell none."""
    digest: Digest | None = None
    """Of all the rest, as digest.py has it; only certificates of older suites have none."""

    def coverage(self, now: datetime | None = None, max_age: float = float("inf")) -> Coverage | None:
        """How many kinds were tried, by earlier runs at most `max_age` seconds before `now`; None where none is told."""
        kinds = [entry.kinds for entry in self.rules if entry.kinds is not None]
        if not kinds:
            return None
        instants = [
            at for one in kinds for at in one.earlier.values() if now is None or (now - at).total_seconds() <= max_age
        ]
        return Coverage(
            tried=sum(len(one.tried) for one in kinds),
            left=sum(len(one.left) for one in kinds),
            earlier=len(instants),
            since=min(instants, default=None),
        )

    @property
    def follows(self) -> RunVerdict:
        """The verdict that follows from those of the rules."""
        rules = ((entry.level, entry.verdict, entry.undecided) for entry in self.rules)
        return verdict_of(self.kind, rules, unreadable=self.recording.unreadable if self.recording else 0)

    @property
    def sealed(self) -> Certificate:
        """The same with the digest of all the rest."""
        return self.model_copy(update={"digest": digest_of(json.loads(self.to_json()))})

    def to_json(self) -> str:
        """The certificate as it is written."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def accounts_of(target: Target) -> list[str]:
    """The accounts of a target as a certificate tells them."""
    return [f"{place.id} {place.channel}" for place in target.accounts]


def verdict_of(kind: Kind, rules: Iterable[tuple[Level, RuleVerdict, int]], *, unreadable: int = 0) -> RunVerdict:
    """The verdict on what is certified, by the verdicts on its rules and the number of calls that could not be judged by each;
    `unreadable`: how many entries of a recording can't be read."""
    if kind is Kind.INTEGRATION:
        return judge_recorded(rules, unreadable=unreadable)
    return judge_verdicts((level, verdict) for level, verdict, _ in rules)


@cache
def suite_commit() -> str | None:
    """The commit of the checkout that this suite runs from, or None where it is installed or git is not there."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"],  # noqa: S607
            capture_output=True, text=True, check=False, timeout=10, env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def json_schema() -> str:
    """The JSON Schema of a certificate, as it stands in certificate.schema.json beside this module."""
    schema = Certificate.model_json_schema(by_alias=True, mode="serialization")
    # A URN needs a namespace of its own before the rest (RFC 8141): Ajv refuses `urn:koncili-conformance/certificate/1`.
    identity = f"urn:{SCHEMA.replace('/', ':')}"
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identity, **schema}
    return json.dumps(schema, indent=2) + "\n"


def tested_of(target: Target) -> Tested:
    """What a run tests, of its target file."""
    return Tested(
        name=target.name,
        environment=target.environment,
        base_url=target.base_url,
        error_budget=target.error_budget if target.has_budget else None,
        integrator=target.integrator,
        accounts=accounts_of(target),
        not_exercised=dict(target.not_exercised),
    )


def make_certificate(
    *,
    results: Sequence[RuleResult],
    target: Target | Tested,
    profile: str,
    seed: int,
    readings: Mapping[str, str],
    readings_from: Mapping[str, str],
    traffic: Mapping[str, int],
    started_at: datetime,
    finished_at: datetime,
    files: Mapping[str, str] | None = None,
    contract: Catalogue | None = None,
    about: AboutEntry | None = None,
    proof: ProofEntry | None = None,
    observed: ObservedEntry | None = None,
) -> Certificate:
    """The certificate of a run; instants in UTC, `files` the digests of what it leaves beside."""
    contract = contract or catalogue()
    certificate = Certificate(
        verdict=judge_run(results),
        suite=Suite.own(),
        contract=Contract(version=contract.version, sha256=contract.sha256),
        target=target if isinstance(target, Tested) else tested_of(target),
        profile=profile,
        seed=seed,
        started_at=started_at,
        finished_at=finished_at,
        readings=dict(readings),
        readings_from=dict(readings_from),
        traffic=TrafficCounts(**traffic),
        rules=[_entry(result) for result in results],
        files=dict(files or {}),
        about=about,
        proof=proof,
        observed=observed,
    )
    return certificate.sealed


def writable(value: Any) -> Any:
    """The value with half characters (lone surrogates) escaped: what a server answers may hold some, and no UTF-8 file can."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {name: writable(part) for name, part in value.items()}
    return value


def _counterexample(finding: Finding) -> Counterexample:
    return Counterexample(
        request=writable(finding.request),
        response=writable(finding.response),
        curl=writable(finding.curl),
        lanes=[writable(line) for line in finding.lanes],
    )


def _entry(result: RuleResult) -> RuleEntry:
    finding = result.finding
    return RuleEntry(
        id=result.rule.id,
        level=result.rule.level,
        statement=result.rule.statement,
        verdict=result.verdict,
        accepted=result.accepted,
        refused=result.refused,
        checked=result.checked,
        reason=writable(result.reason),
        endpoints={endpoint: dict(counts) for endpoint, counts in result.endpoints.items()},
        requests=result.requests,
        client_errors=result.client_errors,
        kinds=(
            KindsEntry(
                tried=list(result.kinds.tried),
                left=list(result.kinds.left),
                earlier={kind: datetime.fromisoformat(at) for kind, at in result.kinds.earlier.items()},
            )
            if result.kinds
            else None
        ),
        counterexample=_counterexample(finding) if finding else None,
        at_once=AtOnce(tries=result.tries, overlapped=result.overlapped, undecided=result.undecided)
        if result.tries
        else None,
        findings=[
            FindingEntry(
                id=one.id,
                endpoint=one.endpoint,
                kind=writable(one.kind),
                scenario=writable(one.scenario),
                reason=writable(one.reason),
                during=During(rule=one.during_rule, scenario=one.during, kinds=list(one.during_kinds))
                if one.during
                else None,
                counterexample=_counterexample(one) if one is not finding else None,
            )
            for one in ([finding, *(one for one in result.findings if one.id != finding.id)] if finding else [])
        ],
        hindered_by=list(result.hindered_by),
        waiver=WaiverEntry.of(result.waiver, result.rule.id) if result.waiver else None,
    )
