"""What the scenarios work with: how calls are sent, checked and noted, and what a run remembers from one scenario to the next.

Each class on the way to `Bench` adds one subject: `noting.py`, `sending.py`, `acceptance.py`, `late.py`, `settling.py`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.engine.kill_matrix import Refusal
from conformance.engine.kinds_tried import KindsTried
from conformance.engine.settling import Settling
from conformance.target.config import Span
from strategies.calls import Call
from strategies.faults import Kind
from strategies.scope import DAYS, Days, Place, Scope

if TYPE_CHECKING:
    from conformance.engine.openings_at_once import OpeningsAtOnce
    from conformance.engine.reconciliations import Reconciliations
    from conformance.engine.shelf import Laws, Shelf
    from conformance.engine.succession import Laws as WholeLaws
    from conformance.engine.succession import Succession
    from conformance.engine.together import Together


@dataclass
class Bench(Settling):
    """The session, and the scope in which strategies draw for it."""

    scope: Scope = field(init=False)
    kinds: KindsTried = field(init=False)
    refusal_scenarios: Mapping[Refusal, str] = field(default_factory=dict)
    """Every refusal of a creation or release that a scenario of the run says must be, with the scenario's id."""
    shared_laws: Mapping[str, tuple[Rule, Laws]] = field(default_factory=dict)
    """By scenario of the run: what can be tried in a reconciliation that others share."""
    whole_laws: Mapping[str, tuple[Rule, WholeLaws]] = field(default_factory=dict)
    """By scenario of the run: what needs reconciliations to itself, one after the other."""
    opening_at_once: Mapping[str, str] = field(default_factory=dict)
    """The scenarios of the run that open reconciliations at once, by how their periods lie."""
    one_by_one: bool = False
    """Whether calls that come at once otherwise are sent one after the other now, to see whether that makes the difference."""

    def __post_init__(self) -> None:
        super().__post_init__()
        target = self.session.target
        fixtures = {
            name: Place(fixture.id, fixture.channel)
            for name in ("inactive_account", "disabled_account", "unauthorised_channel", "foreign_order")
            if (fixture := getattr(target.fixtures, name)) is not None
        }
        foreign = target.fixtures.foreign_order
        self.scope = Scope(
            tuple(Place(account.id, account.channel) for account in target.accounts),
            self.session.readings,
            fixtures,
            foreign.marketplace_code if foreign else None,
            days_of(target.dates.orders),
        )
        self.kinds = KindsTried(self.session, self.scope)
        self.session.enter_kinds = self.kinds.enter
        self.session.forget_ahead = lambda: vars(self).pop("together", None)
        self.session.forget_world = self._forget_world

    @cached_property
    def reconciliations(self) -> Reconciliations:
        """The reconciliations of the run."""
        from conformance.engine.probes import probe_batches
        from conformance.engine.reconciliations import Reconciliations

        reconciliations = Reconciliations(self)
        probe_batches(self, reconciliations)
        return reconciliations

    def _forget_world(self) -> None:
        """All that the target had is gone: ids may be given again, nothing is active, and nothing is known of earlier orders."""
        self.shown.clear()
        if "reconciliations" in vars(self):
            self.reconciliations.forget_all()

    @cached_property
    def shelf(self) -> Shelf:
        """What was tried in reconciliations that many scenarios share."""
        from conformance.engine.shelf import Shelf

        return Shelf(self, {**self.together.release_laws, **self.shared_laws})

    @cached_property
    def succession(self) -> Succession:
        """What was tried in reconciliations one after the other."""
        from conformance.engine.succession import Succession

        return Succession(self, self.whole_laws)

    @cached_property
    def openings_at_once(self) -> OpeningsAtOnce:
        """What is opened at once with another."""
        from conformance.engine.openings_at_once import OpeningsAtOnce

        return OpeningsAtOnce(self, self.opening_at_once)

    @cached_property
    def together(self) -> Together:
        """What was tried ahead of its scenario's turn, since one reconciliation serves many."""
        from conformance.engine.together import Together

        return Together(self, self.refusal_scenarios)

    @property
    def circumstances(self) -> Hashable:
        """What else than the seed decides what strategies draw: the readings, and the places that can't be used any more."""
        blocked = self.reconciliations.blocked if "reconciliations" in vars(self) else ()
        return tuple(sorted(self.session.readings.items())), tuple(sorted(map(str, blocked)))

    def kinds_of(self, rule: Rule, endpoint: Endpoint, fault: str) -> tuple[Kind, ...]:
        """The kinds of a fault that its scenario tries, of those that it can make on this target."""
        return self.kinds.of(Refusal(rule.id, endpoint, fault))

    def _let_end_before(self, call: Call) -> None:
        """Before a creation, lawful or broken: it may be refused for the one before, which may be going on."""
        if call.endpoint is Endpoint.CREATE_RECONCILIATION and "reconciliations" in vars(self):
            self.reconciliations.let_end(call.batch.place if call.batch is not None else None)


ONE_LIFE: Final = timedelta(days=62)
"""More than what the dates of one order are apart, those aside that are only expected."""


def days_of(span: Span | None) -> Days:
    """When orders are created, so that all that follows lies within the days that the target file names."""
    if span is None:
        return DAYS
    first, last = (datetime.combine(day, time(), UTC) for day in (span.first, span.last))
    return Days(first, int((last - ONE_LIFE - first).total_seconds()))
