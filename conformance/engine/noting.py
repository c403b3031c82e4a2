"""What is seen while examples are tried: evidence, violations of other rules, what hinders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side
from conformance.engine.trial import Trial
from conformance.engine.unfinished import Spoiled
from conformance.run.session import Session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.evidence import hindering_rule
from conformance.verdict.violation import Violation


@dataclass
class Noting:
    """What is noted for the running scenario, at once or at its turn. `scenario` is its id."""

    session: Session
    scenario: str = ""
    observed: int = 0
    """How often another rule than a scenario's was seen broken."""
    story: list[Exchange] = field(default_factory=list)
    """What the running example has sent so far, tokens aside."""
    notes: list[Callable[[], None]] | None = None
    """Where evidence is kept for the scenario's turn; None where it is noted at once."""
    well_refused: dict[Endpoint, Exchange] = field(default_factory=dict)
    """By endpoint the newest refusal whose body was as documented."""
    withheld: set[str] = field(default_factory=set)
    """Scenarios of which no refusal counts: what they are about was answered in two ways."""
    trial: Trial = field(default_factory=Trial)
    """What has come of the running example."""

    def try_kinds(self, *names: str) -> None:
        """From now on these kinds of the fault are tried: findings and recorded exchanges tell so."""
        self.session.evidence.trying = names
        self.session.journal.kind = names[0] if len(names) == 1 else ""

    def learn(self, reading: str, value: str) -> None:
        """Follow what was found out about the target."""
        self.session.readings[reading] = value
        self.session.readings_from[reading] = "probed"

    def saw(self, side: Side, exchange: Exchange | None = None) -> None:
        """Count a piece of evidence for the running scenario."""
        if side is Side.REFUSED and self.scenario in self.withheld:
            return
        self.trial.has_shown = True
        self.when_it_counts(partial(self.session.evidence.saw, self.scenario, side, exchange))

    def shows_nothing_more(self) -> None:
        """Say that the running example has come to its end as it may, though it counts for no side."""
        self.trial.has_shown = True

    def withhold_refusals(self, why: str) -> None:
        """Count no refusal for the running scenario: what it is about was also answered otherwise."""
        self.withheld.add(self.scenario)
        self.hindered(why)

    def observe(self, rule: str, expected: str, actual: str, exchange: Exchange | None, context: str = "") -> None:
        """Note that a rule other than the scenario's was seen broken."""
        violation = Violation(rule=rule, expected=expected, actual=actual, exchange=exchange, context=context)
        violation.story = tuple(self.story)
        self.observed += 1
        self.when_it_counts(partial(self.session.evidence.observe, violation, self.session.redactor))

    def known_refusal(self, endpoint: Endpoint) -> Exchange | None:
        """A refusal of the endpoint whose body was as documented, where client errors are counted: another shows no more. None
        at the end of the run: what was put off goes on, whatever was seen since."""
        counted = self.session.profile.client_errors is not None
        return self.well_refused.get(endpoint) if counted and not self.session.resuming else None

    def when_it_counts(self, note: Callable[[], None]) -> None:
        """Note something at once, or at the scenario's turn."""
        if self.notes is None:
            note()
        else:
            self.notes.append(note)

    @contextmanager
    def keeping_notes(self) -> Iterator[list[Callable[[], None]]]:
        """Keep what is seen in here for the scenario's turn; what is seen around it is kept with the rest of that."""
        around, self.notes = self.notes, list[Callable[[], None]]()
        try:
            yield self.notes
        finally:
            self.notes = around

    def hindered(self, reason: str) -> None:
        """Say why the running scenario may have seen less than it should. Raises Spoiled where it is tried for
        a scenario before its turn."""
        if self.notes is not None:
            raise Spoiled(reason)
        self.trial.hindrance = reason
        scenario = self.session.evidence.scenarios[self.scenario]
        scenario.hindrance = reason
        scenario.hindered_by = hindering_rule(reason)

    @contextmanager
    def aside(self, *known: Exchange) -> Iterator[None]:
        """What is sent in here has nothing to do with the rest of the example, so that no other counterexample tells it; one that
        is found in here tells only this, after what is `known`."""
        story, self.story[:] = list(self.story), known
        try:
            yield
        except Violation as violation:
            violation.story = violation.story or tuple(self.story)
            raise
        finally:
            self.story[:] = story
