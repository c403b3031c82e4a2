"""How far a run is: rules and scenarios that are over, what it sent, how long it may still take. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from conformance.i18n.formats import number as numeral
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.planning.costs import Stage
from conformance.planning.show import counted
from conformance.target.waiting import shown
from conformance.verdict.evidence import Outcome, ScenarioEvidence

SOONEST: Final = 0.05
"""The part of a run that must be over before anything is said of the rest."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A scenario that is over, as one process tells another."""

    rule: str
    name: str
    outcome: Outcome
    reason: str
    counts: Mapping[str, int]
    seconds: float
    requests: int
    client_errors: int
    left: int | None
    """How many client errors the budget had left then; None where there is no budget."""

    @classmethod
    def of(cls, scenario: ScenarioEvidence, left: int | None) -> Ended:
        """What its evidence says."""
        return cls(
            scenario.rule, scenario.name, scenario.outcome, scenario.reason, dict(scenario.counts), scenario.seconds,
            scenario.requests, scenario.client_errors, left,
        )  # fmt: skip

    def to_json(self) -> str:
        """All of it as text: pytest-xdist carries no other types than Python's own."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Ended:
        """What `to_json` made."""
        row = json.loads(text)
        return cls(**{**row, "outcome": Outcome(row["outcome"])})


@dataclass(slots=True)
class Progress:
    """The scenarios of a run, as they were measured, and those of them that are over."""

    asked: Iterable[str]
    """The rules to be certified; one of which nothing was measured counts as one scenario."""
    stages: Iterable[Stage]
    """What is to run."""
    seconds: float = 0.0
    """What the limits of the target demand at the least for all of it."""
    ended: list[Ended] = field(default_factory=list)
    left: int | None = None
    _sizes: dict[tuple[str, str], int] = field(init=False)
    _open: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        """Take the measured sizes: a scenario of many requests takes longer than one of few."""
        scenarios = [stage for stage in self.stages if stage.rule]
        self._sizes = {(stage.rule, stage.name): max(1, stage.size) for stage in scenarios}
        self._open = Counter(stage.rule for stage in scenarios)
        self._open.update(rule for rule in self.asked if rule not in self._open)

    def add(self, ended: Ended) -> None:
        """One more is over."""
        self.ended.append(ended)
        self._open[ended.rule] -= 1
        self.left = ended.left if ended.left is not None else self.left

    @property
    def rules(self) -> int:
        """How many rules are to be certified."""
        return len(self._open)

    @property
    def rules_done(self) -> int:
        """Of how many rules every scenario is over."""
        return sum(number <= 0 for number in self._open.values())

    @property
    def failing(self) -> set[str]:
        """The rules that were seen broken."""
        return {one.rule for one in self.ended if one.outcome is Outcome.FAILED}

    @property
    def requests(self) -> int:
        """What the scenarios sent that are over."""
        return sum(one.requests for one in self.ended)

    @property
    def client_errors(self) -> int:
        """How many client errors they got."""
        return sum(one.client_errors for one in self.ended)

    @property
    def part(self) -> float:
        """How much is over, from 0 to 1."""
        whole = sum(self._sizes.values())
        done = sum(self._sizes.get((one.rule, one.name), 0) for one in self.ended)
        return min(1.0, done / whole) if whole else 1.0

    def seconds_left(self, elapsed: float) -> float | None:
        """How long it may still take after so many seconds; None as long as that is anybody's guess."""
        if self.part >= SOONEST:
            return elapsed / self.part * (1 - self.part)
        return max(0.0, self.seconds - elapsed) if self.seconds else None


def words(progress: Progress, requests: int, client_errors: int, elapsed: float, waiting: str = "") -> str:
    """How far it is, in a line: `57 of 88 rules, 1,204 requests, 212 client errors (188 left), about 40 s left`, or what it
    waits for instead of the time."""
    parts = [tr("{number} of {rules}", number=progress.rules_done, rules=counted(progress.rules, "rule"))]
    if progress.failing:
        parts.append(tr("{number} failing", number=len(progress.failing)))
    errors = counted(client_errors, "client error")
    if progress.left is not None:
        errors = tr("{errors} ({left:,} left)", errors=errors, left=progress.left)
    parts += [counted(requests, "request"), errors]
    seconds = progress.seconds_left(elapsed)
    if waiting:
        parts.append(waiting)
    elif seconds is not None:
        parts.append(tr("about {time} left", time=shown(seconds)))
    return ", ".join(parts)


def told(ended: Ended) -> str:
    """How a scenario ended, in a line."""
    seen = [f"{number} {tr(side)}" for side, number in ended.counts.items() if number]
    what = "; ".join([*seen, *([said(ended.reason)] if ended.reason else [])])
    took = f" ({numeral(ended.seconds, '.1f')} s)" if ended.requests else ""
    return f"{ended.rule} {said(ended.name)}: {what}{took}"
