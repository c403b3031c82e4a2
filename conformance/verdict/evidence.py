"""What was seen, per scenario: acceptances, refusals beside their twins, and why a scenario gave nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from conformance.contract.rules import Side, catalogue
from conformance.escaping import visible
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from conformance.target.wire.redaction import Redactor
from conformance.verdict.exchanges import BROKEN, Mark
from conformance.verdict.violation import Finding, Violation, request_of, response_of


class Outcome(StrEnum):
    """How a scenario ended."""

    NOT_RUN = "not-run"
    PASSED = "passed"
    FAILED = "failed"
    NOT_EXERCISED = "not-exercised"
    INCONCLUSIVE = "inconclusive"


@dataclass(slots=True)
class ScenarioEvidence:
    """One scenario (one row of an outline): the rule it is for, its outcome, and the counts of each side."""

    id: str
    rule: str
    name: str
    outcome: Outcome = Outcome.NOT_RUN
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    endpoints: dict[str, dict[str, int]] = field(default_factory=dict)
    """The counts of each side by endpoint (`POST /order`), where an exchange shows it."""
    hindrance: str = ""
    """What another rule's breach kept this scenario from trying."""
    hindered_by: str = ""
    """That rule, where it is known."""
    open_laws: dict[str, str] = field(default_factory=dict)
    """The laws of it that no example has decided, by name, and why. What its other laws have shown says nothing of them."""
    pending: int = 0
    """Examples that only time could have shown."""
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    finding: Finding | None = None
    seconds: float = 0.0
    requests: int = 0
    client_errors: int = 0
    reconciliations: int = 0
    """What it took, and opened, without what was sent before it to find out about the target."""
    tries: int = 0
    overlapped: int = 0
    undecided: int = 0
    """How often it sent calls at once, how often they overlapped, and how often nobody knows what became of one of them."""
    requests_to: dict[str, int] = field(default_factory=dict)
    """Its requests by endpoint (`POST /order`, or `other`)."""

    def count(self, side: Side) -> int:
        """How often that side was seen."""
        return self.counts.get(side, 0)

    def took(self, spent: Spent) -> None:
        """Add what was sent for it."""
        self.requests += spent.requests.total()
        self.requests_to = dict(spent.requests + Counter(self.requests_to))
        self.client_errors += spent.client_errors
        self.reconciliations += spent.reconciliations


def hindering_rule(reason: str) -> str:
    """The rule that stood in the way, as a reason that begins with it has it; "" for none."""
    named = reason.partition(":")[0]
    return named if named in catalogue().rules else ""


_LEAST_FIRST: Final = (
    Outcome.NOT_RUN,
    Outcome.NOT_EXERCISED,
    Outcome.PASSED,
    Outcome.INCONCLUSIVE,
    Outcome.FAILED,
)


def _weight(scenario: ScenarioEvidence) -> tuple[int, int]:
    """By which one process's account of a scenario outweighs another's."""
    return _LEAST_FIRST.index(scenario.outcome), scenario.requests


@dataclass(slots=True)
class KindsSeen:
    """The kinds of faults of one rule that can be made on the target, each with its endpoint and fault in words."""

    tried: dict[str, bool] = field(default_factory=dict)
    """Every kind, and whether this run tried it: its refusal counted, or it was accepted."""
    earlier: dict[str, str] = field(default_factory=dict)
    """When earlier runs saw refused what they tried. (ISO 8601)"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The evidence as it stood at a time, as far as a scenario changes it."""

    scenario: ScenarioEvidence
    observed: Mapping[str, Finding]
    sizes: Mapping[str, int]
    marks: Mapping[str, int]
    """How many there were by instant."""


class Evidence:
    """All that a run has seen. One process writes it; what several wrote is merged."""

    def __init__(self) -> None:
        self.scenarios: dict[str, ScenarioEvidence] = {}
        self.observed: dict[str, Finding] = {}
        self.readings: dict[str, str] = {}
        self.readings_from: dict[str, str] = {}
        """The readings that the run followed, and how each was known."""
        self.kinds: dict[str, KindsSeen] = {}
        """By rule."""
        self.running = ""
        self.trying: tuple[str, ...] = ()
        """The scenario that is running, by its id, and the kinds of its fault that it is trying."""
        self.marks: dict[str, list[Mark]] = {}
        """What each exchange is evidence of, by the instant at which it was sent (ISO 8601); of none that is known under ""."""
        self._alike: dict[Mark, Mark] = {}
        """A run makes many marks, and few that differ."""
        self._sizes: dict[str, int] = {}
        self._last: dict[tuple[str, Side], Exchange] = {}

    def expect(self, scenario_id: str, rule: str, name: str) -> ScenarioEvidence:
        """Enter a scenario that was collected, run or not."""
        return self.scenarios.setdefault(scenario_id, ScenarioEvidence(scenario_id, rule, name))

    def saw(self, scenario_id: str, side: Side, exchange: Exchange | None = None) -> None:
        """Count one piece of evidence for the scenario's rule; the newest exchange of each side is kept."""
        counts = self.scenarios[scenario_id].counts
        counts[side] = counts.get(side, 0) + 1
        self._mark(exchange, self.scenarios[scenario_id].rule, side, self.scenarios[scenario_id].name)
        if exchange is not None:
            self._last[scenario_id, side] = exchange
            if exchange.endpoint is not None:
                there = self.scenarios[scenario_id].endpoints.setdefault(exchange.endpoint.label, {})
                there[side] = there.get(side, 0) + 1

    def _mark(self, exchange: Exchange | None, rule: str, side: str, scenario: str) -> None:
        instant = exchange.started_at.isoformat() if exchange is not None else ""
        made = Mark(rule, side, scenario)
        self.marks.setdefault(instant, []).append(self._alike.setdefault(made, made))

    def observe(self, violation: Violation, redactor: Redactor) -> None:
        """A rule seen broken outside its own scenario; of several the one with the smallest request is kept."""
        if violation.rule not in self._sizes or violation.size < self._sizes[violation.rule]:
            self._sizes[violation.rule] = violation.size
            self.observed[violation.rule] = self.found(violation, redactor)

    def found(self, violation: Violation, redactor: Redactor) -> Finding:
        """The violation as reports hold it, with what was running when it was seen."""
        finding = Finding.of(violation, redactor)
        name = self.scenarios[self.running].name if self.running in self.scenarios else ""
        self._mark(violation.exchange, violation.rule, BROKEN, name)
        if self.running not in self.scenarios:
            return finding
        scenario = self.scenarios[self.running]
        return replace(finding, during_rule=scenario.rule, during=scenario.name, during_kinds=list(self.trying))

    def begin(self, scenario_id: str) -> None:
        """A scenario is running from now on."""
        self.running, self.trying = scenario_id, ()

    def forget(self, scenario_id: str) -> None:
        """Nothing was seen in that scenario, and nothing broken beside it: it is to be run anew."""
        before = self.scenarios[scenario_id]
        self.scenarios[scenario_id] = ScenarioEvidence(before.id, before.rule, before.name)
        self.observed.clear()
        self._sizes.clear()

    def kept(self, scenario_id: str) -> Kept:
        """How it stands before a scenario is run."""
        marks = {instant: len(marks) for instant, marks in self.marks.items()}
        return Kept(deepcopy(self.scenarios[scenario_id]), dict(self.observed), dict(self._sizes), marks)

    def take_back(self, before: Kept) -> dict[str, Finding]:
        """Let nothing of what was seen since count; returns what of it was seen broken beside the scenario."""
        new = {rule: found for rule, found in self.observed.items() if before.observed.get(rule) is not found}
        self.scenarios[before.scenario.id] = deepcopy(before.scenario)
        self.observed, self._sizes = dict(before.observed), dict(before.sizes)
        self.marks = {
            instant: marks[: before.marks[instant]] for instant, marks in self.marks.items() if instant in before.marks
        }
        self._last = {key: exchange for key, exchange in self._last.items() if key[0] != before.scenario.id}
        return new

    def expect_kinds(self, rule: str, kinds: Iterable[str]) -> None:
        """Enter the kinds that can be made, tried or not, in their sequence."""
        seen = self.kinds.setdefault(rule, KindsSeen())
        seen.tried = {**{kind: seen.tried.get(kind, False) for kind in kinds}, **seen.tried}

    def tried(self, rule: str, kind: str) -> None:
        """This run tried the kind."""
        self.kinds.setdefault(rule, KindsSeen()).tried[kind] = True

    def tried_earlier(self, rule: str, kind: str, at: str) -> None:
        """An earlier run saw the kind refused, at that instant. (ISO 8601)"""
        self.kinds.setdefault(rule, KindsSeen()).earlier[kind] = at

    def finish(
        self,
        scenario_id: str,
        outcome: Outcome,
        reason: str = "",
        finding: Finding | None = None,
        *,
        hindered_by: str = "",
    ) -> None:
        """How the scenario ended; `hindered_by` is the other rule that stood in its way."""
        scenario = self.scenarios[scenario_id]
        scenario.hindered_by = hindered_by or scenario.hindered_by
        scenario.outcome, scenario.reason, scenario.finding = outcome, visible(reason), finding

    def keep_samples(self, scenario_id: str, redactor: Redactor) -> None:
        """Put the newest exchange of each side into the scenario, without secrets."""
        for side in Side:
            exchange = self._last.pop((scenario_id, side), None)
            if exchange is not None:
                self.scenarios[scenario_id].samples[side] = {
                    "request": request_of(exchange, redactor),
                    "response": response_of(exchange, redactor),
                }

    # -- between processes -----------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "scenarios": [asdict(scenario) for scenario in self.scenarios.values()],
            "observed": {rule: asdict(finding) for rule, finding in self.observed.items()},
            "kinds": {rule: asdict(kinds) for rule, kinds in self.kinds.items()},
            "marks": {instant: [one.as_json() for one in marks] for instant, marks in self.marks.items()},
            "readings": self.readings,
            "readings_from": self.readings_from,
        }

    @classmethod
    def merged(cls, parts: Iterable[Mapping[str, Any]]) -> Evidence:
        """The evidence of several processes as one; of a scenario that several ran the worst end counts."""
        whole = cls()
        for part in parts:
            for row in part["scenarios"]:
                finding = Finding(**row["finding"]) if row["finding"] else None
                scenario = ScenarioEvidence(**{**row, "finding": finding, "outcome": Outcome(row["outcome"])})
                known = whole.scenarios.get(scenario.id)
                if known is None or _weight(scenario) > _weight(known):
                    whole.scenarios[scenario.id] = scenario
            for rule, kinds in part["kinds"].items():
                whole.expect_kinds(rule, kinds["tried"])
                for kind in (kind for kind, tried in kinds["tried"].items() if tried):
                    whole.tried(rule, kind)
                for kind, at in kinds["earlier"].items():
                    whole.tried_earlier(rule, kind, at)
            for instant, marks in part["marks"].items():
                whole.marks.setdefault(instant, []).extend(Mark(**mark) for mark in marks)
            whole.readings.update(part["readings"])
            whole.readings_from.update(part["readings_from"])
            for rule, finding in part["observed"].items():
                whole.observed.setdefault(rule, Finding(**finding))
        return whole
