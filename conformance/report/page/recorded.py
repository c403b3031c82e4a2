"""What the page of an audit shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from conformance.contract.rules import Level, every_rule
from conformance.report import recorded
from conformance.report.page.example import Example, example_of, reason_of
from conformance.report.page.words import RUN_COLOURS
from conformance.report.symbols import RUN_SYMBOLS, SYMBOLS
from conformance.verdict.certificate import Certificate, FindingEntry, RecordedFinding, RecordingEntry, RuleEntry
from conformance.verdict.verdicts import RuleVerdict


@dataclass(frozen=True, slots=True)
class FindingView:
    """One cause."""

    finding: FindingEntry
    detail: RecordedFinding
    place: str
    entries: list[str]
    more: int
    """How many entries there are beyond those."""


@dataclass(frozen=True, slots=True)
class RecordedRule:
    """A rule and what the recorded calls show of it."""

    entry: RuleEntry
    area: str
    source: str
    instead: str
    symbol: str
    findings: list[FindingView]
    example: Example | None

    @property
    def is_open(self) -> bool:
        """Whether calls that it is about can't be judged."""
        return self.entry.verdict is RuleVerdict.NOT_EXERCISED and self.entry.undecided > 0


@dataclass(frozen=True, slots=True)
class RecordedView:
    """All that the page shows besides what the certificate says itself."""

    symbol: str
    colour: RuleVerdict
    meaning: str
    counts: str
    started: datetime
    recording: RecordingEntry
    broken: list[RecordedRule]
    open: list[RecordedRule]
    rules: list[RecordedRule]
    unexplained: str


MOST_SPOTS = 50
"""So many entries of a finding the page names; the certificate has more."""


def recorded_view(certificate: Certificate) -> RecordedView:
    """What the page of this certificate shows."""
    recording = certificate.recording or recorded.EMPTY
    rules = [_rule(entry) for entry in certificate.rules]
    broken = [rule for rule in rules if rule.findings]
    return RecordedView(
        symbol=RUN_SYMBOLS[certificate.verdict],
        colour=RUN_COLOURS[certificate.verdict],
        meaning=f"{recorded.rules_told(certificate)}. {recorded.next_step(certificate)}",
        counts=recorded.counted(certificate),
        started=certificate.started_at.astimezone(UTC),
        recording=recording,
        broken=sorted(broken, key=lambda rule: rule.entry.level is not Level.REQUIRED),
        open=[rule for rule in rules if rule.is_open],
        rules=rules,
        unexplained=recorded.unexplained(recording) if recording.unexplained else "",
    )


def _rule(entry: RuleEntry) -> RecordedRule:
    known = every_rule().rules.get(entry.id)
    example = example_of(entry.counterexample, reason_of(entry.reason)) if entry.counterexample else None
    return RecordedRule(
        entry=entry,
        area=known.area if known else "others",
        source=recorded.source_of(entry.id),
        instead=known.instead if known else "",
        symbol=SYMBOLS[entry.verdict],
        findings=[_finding(finding) for finding in entry.findings],
        example=example,
    )


def _finding(finding: FindingEntry) -> FindingView:
    detail = recorded.detail(finding)
    shown = detail.entries[:MOST_SPOTS]
    return FindingView(
        finding,
        detail,
        recorded.place_told(finding),
        [recorded.spot_told(spot) for spot in shown],
        len(detail.entries) - len(shown),
    )
