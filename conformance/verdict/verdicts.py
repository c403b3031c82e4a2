"""From evidence to verdicts, per rule and for the whole run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from conformance.contract.rules import Level, Rule, Side
from conformance.verdict.evidence import Evidence, KindsSeen, Outcome, ScenarioEvidence, hindering_rule
from conformance.verdict.violation import Finding


class RuleVerdict(StrEnum):
    """What a run says of one rule."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_EXERCISED = "not-exercised"
    INCONCLUSIVE = "inconclusive"
    WAIVED = "waived"


class RunVerdict(StrEnum):
    """What a run says of the target."""

    CONFORMANT = "conformant"
    NONCONFORMANT = "nonconformant"
    PARTIAL = "partial"
    INCONCLUSIVE = "inconclusive"


EXIT_CODES = {
    RunVerdict.CONFORMANT: 0,
    RunVerdict.NONCONFORMANT: 1,
    RunVerdict.PARTIAL: 2,
    RunVerdict.INCONCLUSIVE: 2,
}
CANNOT_RUN = 3

NOT_SELECTED = "not selected"
"""Why a rule was not exercised that the user left out."""


def clock_of(zone: str) -> tzinfo:
    """The clock of a time zone, by its name (`America/Sao_Paulo`). Raises ValueError where there is none."""
    try:
        return UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{zone!r} is no time zone; give one such as America/Sao_Paulo") from None


@dataclass(frozen=True, slots=True)
class Waiver:
    """What of a rule may fail, why, and the last day on which it may."""

    rule: str
    reason: str
    until: date
    zone: str = "UTC"
    """By whose clock that day ends (`America/Sao_Paulo`)."""
    whole: bool = False
    """Whether all of the rule may fail."""
    kinds: tuple[str, ...] = ()
    """Else what may: kinds of faults, scenarios or ids of findings, as the certificate has them."""
    hinders: tuple[str, ...] = ()
    """Rules that may stay inconclusive where this one stands in the way."""

    def is_over(self, now: datetime) -> bool:
        """Whether its last day has ended. Raises ValueError for no zone."""
        return now.astimezone(clock_of(self.zone)).date() > self.until

    @property
    def last_day(self) -> str:
        """Its last day, with the zone where that is not UTC."""
        return f"{self.until}" if self.zone == "UTC" else f"{self.until} ({self.zone})"

    def covers(self, names: Iterable[str]) -> bool:
        """Whether a finding with these names (its id, kind and scenario) may be."""
        return self.whole or not {*names}.isdisjoint(self.kinds)

    def lets_be_hindered(self, rule: str, hindered_by: Iterable[str]) -> bool:
        """Whether a rule that nothing but these keeps undecided may stay so."""
        return rule in self.hinders and {*hindered_by} == {self.rule}

    @property
    def covered(self) -> str:
        """What it covers, in words."""
        also = f"; {', '.join(self.hinders)} where {self.rule} stands in the way" if self.hinders else ""
        return ("the whole rule" if self.whole else ", ".join(self.kinds)) + also


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which kinds of its faults a run tried, of those that can be made on the target."""

    tried: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Those that this run did not try."""
    earlier: Mapping[str, str] = field(default_factory=dict)
    """Of those left, when earlier runs of the same target and contract saw them refused. (ISO 8601)"""

    @classmethod
    def of(cls, seen: KindsSeen) -> Kinds:
        """The kinds as evidence has them."""
        left = tuple(kind for kind, tried in seen.tried.items() if not tried)
        earlier = {kind: seen.earlier[kind] for kind in left if kind in seen.earlier}
        return cls(tuple(kind for kind, tried in seen.tried.items() if tried), left, earlier)

    @property
    def words(self) -> str:
        """How many were tried, where that is not all: `3 of 7 kinds tried`."""
        return kinds_tried(len(self.tried), len(self.left), len(self.earlier)) if self.left else ""


def kinds_tried(tried: int, left: int, earlier: int) -> str:
    """How many kinds were tried: `3 of 7 kinds tried, 2 more by earlier runs`."""
    before = f", {earlier} more by earlier runs" if earlier else ""
    return f"{tried} of {tried + left} kinds tried{before}"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The verdict on one rule, with what it rests on."""

    rule: Rule
    verdict: RuleVerdict
    reason: str
    accepted: int
    refused: int
    checked: int
    finding: Finding | None = None
    endpoints: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The counts by endpoint."""
    requests: int = 0
    client_errors: int = 0
    """What its scenarios took."""
    tries: int = 0
    overlapped: int = 0
    undecided: int = 0
    """How often calls were sent at once, how often they overlapped, and how often nobody knows what became of one of them."""
    kinds: Kinds | None = None
    """Of a rule whose faults have kinds."""
    waiver: Waiver | None = None
    """Why its failure is waived, where it is."""
    findings: tuple[Finding, ...] = ()
    """All that break it, `finding` first."""
    hindered_by: tuple[str, ...] = ()
    """Of a rule that is undecided for nothing but other rules' breaches: these rules."""


def judge_rule(rule: Rule, evidence: Evidence, readings: Mapping[str, str]) -> RuleResult:
    """The verdict on a rule: a failure outweighs all, and a pass needs every scenario with every side it should show."""
    scenarios = [scenario for scenario in evidence.scenarios.values() if scenario.rule == rule.id]
    findings = _findings(rule, scenarios, evidence)
    finding = findings[0] if findings else None
    if finding is not None:
        verdict, reason = RuleVerdict.FAIL, finding.reason
    else:
        verdict, reason = _without_failure(rule, scenarios, readings)
    hindered_by = _hindered_by(rule, scenarios, readings) if verdict is RuleVerdict.INCONCLUSIVE else ()
    kinds = Kinds.of(evidence.kinds[rule.id]) if rule.id in evidence.kinds else None
    if verdict is RuleVerdict.PASS and kinds is not None:
        reason = kinds.words
    counts = {side: sum(scenario.count(side) for scenario in scenarios) for side in Side}
    return RuleResult(
        rule, verdict, reason, counts[Side.ACCEPTED], counts[Side.REFUSED], counts[Side.CHECKED], finding,
        _by_endpoint(scenarios),
        sum(scenario.requests for scenario in scenarios), sum(scenario.client_errors for scenario in scenarios),
        sum(scenario.tries for scenario in scenarios), sum(scenario.overlapped for scenario in scenarios),
        sum(scenario.undecided for scenario in scenarios),
        kinds, findings=findings, hindered_by=hindered_by,
    )  # fmt: skip


def _by_endpoint(scenarios: Iterable[ScenarioEvidence]) -> dict[str, dict[str, int]]:
    whole: dict[str, dict[str, int]] = {}
    for scenario in scenarios:
        for endpoint, counts in scenario.endpoints.items():
            there = whole.setdefault(endpoint, {})
            for side, number in counts.items():
                there[side] = there.get(side, 0) + number
    return whole


def _findings(rule: Rule, scenarios: Iterable[ScenarioEvidence], evidence: Evidence) -> tuple[Finding, ...]:
    """What breaks the rule, each once. Its own scenarios shrink their counterexamples, so these come first, what is least to
    read before all."""
    own = [
        replace(scenario.finding, scenario=scenario.name)
        for scenario in scenarios
        if scenario.outcome is Outcome.FAILED and scenario.finding
    ]
    own.sort(key=lambda finding: (finding.curl.count("\n"), len(finding.curl)))
    observed = evidence.observed.get(rule.id)
    found = [*own, *([observed] if observed else [])]
    return tuple({finding.id: finding for finding in reversed(found)}.values())[::-1]


def _hindered_by(rule: Rule, scenarios: Iterable[ScenarioEvidence], readings: Mapping[str, str]) -> tuple[str, ...]:
    """The rules that kept every undecided scenario from deciding; none where one is undecided for something else."""
    rules = dict.fromkeys(
        known
        for scenario in scenarios
        if scenario.outcome is not Outcome.PASSED or unseen(rule, scenario, readings)
        for known in _hindering(rule, scenario, readings)
    )
    return () if "" in rules else tuple(rules)


def _hindering(rule: Rule, scenario: ScenarioEvidence, readings: Mapping[str, str]) -> Iterable[str]:
    """The rules that kept an undecided scenario from deciding; "" for what is no rule's."""
    shows_all = all(_shows(scenario, side) for side in rule.sides_under(readings))
    if scenario.outcome is Outcome.PASSED and shows_all:
        return [hindering_rule(why) for why in scenario.open_laws.values()]
    return [scenario.hindered_by]


def _without_failure(
    rule: Rule, scenarios: list[ScenarioEvidence], readings: Mapping[str, str]
) -> tuple[RuleVerdict, str]:
    ended = {outcome: [s for s in scenarios if s.outcome is outcome] for outcome in Outcome}
    if ended[Outcome.INCONCLUSIVE] or ended[Outcome.FAILED]:
        reasons = [scenario.reason for scenario in ended[Outcome.INCONCLUSIVE] + ended[Outcome.FAILED]]
        return RuleVerdict.INCONCLUSIVE, _joined(reasons)
    if not ended[Outcome.PASSED]:
        reasons = [scenario.reason for scenario in ended[Outcome.NOT_EXERCISED]]
        return RuleVerdict.NOT_EXERCISED, _joined(reasons) or NOT_SELECTED
    if len(ended[Outcome.PASSED]) < len(scenarios):
        missing = ended[Outcome.NOT_EXERCISED] + ended[Outcome.NOT_RUN]
        why = _joined([scenario.reason or NOT_SELECTED for scenario in missing])
        return RuleVerdict.NOT_EXERCISED, f"{len(missing)} of {len(scenarios)} scenarios were not exercised: {why}"
    for scenario in scenarios:
        if lack := unseen(rule, scenario, readings):
            return RuleVerdict.INCONCLUSIVE, f"{scenario.name}: {lack}"
    return RuleVerdict.PASS, ""


def unseen(rule: Rule, scenario: ScenarioEvidence, readings: Mapping[str, str]) -> str:
    """What a scenario of the rule should have seen and did not, in words; empty where it saw all."""
    for side in rule.sides_under(readings):
        if not _shows(scenario, side):
            why = f"; {scenario.hindrance}" if scenario.hindrance else ""
            return f"no {_SIDE_WORDS[side]} was seen{why}"
    if scenario.open_laws:
        law, why = next(iter(scenario.open_laws.items()))
        return f"not all of it was decided{f' ({law})' if law else ''}{f'; {why}' if why else ''}"
    return ""


_SIDE_WORDS = {
    Side.ACCEPTED: "acceptance",
    Side.REFUSED: "refusal beside an accepted twin",
    Side.CHECKED: "checked answer",
}


def _shows(scenario: ScenarioEvidence, side: Side) -> bool:
    return scenario.count(side) > 0


def _joined(reasons: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def judge_run(results: Iterable[RuleResult]) -> RunVerdict:
    """The verdict on the whole run."""
    return judge_verdicts((result.rule.level, result.verdict) for result in results)


def judge_verdicts(verdicts: Iterable[tuple[Level, RuleVerdict]]) -> RunVerdict:
    """The verdict on a run with these: only required rules decide, and a run that showed nothing is never conformant."""
    required = [verdict for level, verdict in verdicts if level is Level.REQUIRED]
    if RuleVerdict.FAIL in required:
        return RunVerdict.NONCONFORMANT
    if RuleVerdict.PASS not in required or RuleVerdict.INCONCLUSIVE in required:
        return RunVerdict.INCONCLUSIVE
    if RuleVerdict.NOT_EXERCISED in required:
        return RunVerdict.PARTIAL
    return RunVerdict.CONFORMANT


def judge_recorded(rules: Iterable[tuple[Level, RuleVerdict, int]], *, unreadable: int = 0) -> RunVerdict:
    """The verdict on an integration with these rules, each with the number of calls that could not be judged by it; so many
    entries of the recording can't be read.

    A rule that no recorded call was about hinders nothing; one about calls that can't be judged leaves the verdict partial, and
    so does an entry of which nobody knows what it held.
    Where no required rule was kept nothing is decided.
    """
    required = [(verdict, undecided) for level, verdict, undecided in rules if level is Level.REQUIRED]
    verdicts = [verdict for verdict, _ in required]
    if RuleVerdict.FAIL in verdicts:
        return RunVerdict.NONCONFORMANT
    if RuleVerdict.PASS not in verdicts or RuleVerdict.INCONCLUSIVE in verdicts:
        return RunVerdict.INCONCLUSIVE
    if unreadable or any(verdict is RuleVerdict.NOT_EXERCISED and undecided for verdict, undecided in required):
        return RunVerdict.PARTIAL
    return RunVerdict.CONFORMANT
