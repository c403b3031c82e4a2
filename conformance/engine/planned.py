"""What is to be opened in succession, and which of it shows what: pure but for what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from conformance.engine.ahead import Example
from conformance.engine.creations_seen import CreationLaw, Earlier, Fitted
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.reconciled_laws import Beside
from conformance.engine.whole import Whole
from conformance.target.wire.exchange import Exchange
from strategies.dates import printed
from strategies.periods import PERIOD
from strategies.reconciliations import Batch

Notes = list[Callable[[], None]]


class Created(NamedTuple):
    """A lawful creation that was accepted as it should be."""

    batch: Batch
    exchange: Exchange


@dataclass(slots=True)
class Planned:
    """A reconciliation that is to be opened: for an example of a law, or only to see that the one before has ended."""

    batch: Batch
    example: Example[Any]
    """Whose it is, or for whom it is seen."""
    also: list[Example[Whole]] = field(default_factory=list)
    """Examples of other laws of whole reconciliations that it shows too."""
    seen_besides: list[tuple[Example[Any], Notes]] = field(default_factory=list)
    """Examples of laws of creations that it shows too, with what is to be noted before its acceptance."""
    reconciled: list[tuple[Example[Any], Beside]] = field(default_factory=list)
    """Examples of laws of reconciled orders that it shows once it has ended, with what was sent beside its orders."""
    reconciliation: OpenReconciliation | None = None
    """With its orders sent, where that was done before its turn."""
    story: list[Exchange] = field(default_factory=list)
    """What was sent of it before its turn."""
    begins: str = ""
    """Where its period is to begin, beside an earlier one; empty where it lies anywhere."""

    @property
    def examples(self) -> list[Example[Whole]]:
        """All that it shows of whole reconciliations."""
        return [self.example, *self.also]

    @property
    def looks_meanwhile(self) -> bool:
        """Whether anything is looked at while it is open."""
        return any(one.law.meanwhile is not None for one in self.examples)

    @property
    def begun(self) -> Callable[[OpenReconciliation], None] | None:
        """What says what its values are, where its law does."""
        return self.example.law.begun if isinstance(self.example.law, Whole) else None

    @property
    def needs_end(self) -> bool:
        """Whether anything is said of its end, or of what is known to have ended."""
        return bool(self.reconciled or self.seen_besides) or any(one.law.ended is not None for one in self.examples)


class Ending(NamedTuple):
    """What has all its releases, and may be going on."""

    planned: Planned
    reconciliation: OpenReconciliation
    story: list[Exchange]
    notes: Notes
    """What its releases have shown."""


@dataclass(slots=True)
class Ends:
    """What has ended and what has not: whether that is for releases that were refused in it."""

    seen: list[Batch] = field(default_factory=list)
    """What has ended, and had no refused release."""
    missed: bool = False
    """Whether one without a refused release did not end."""
    missed_after_refusal: list[Ending] = field(default_factory=list)

    def missed_for_refused_ones(self) -> Ending | None:
        """One that did not end for releases that were refused in it: others do, of as many orders and entries, and of such a
        total."""
        if self.missed:
            return None
        all_missed = self.missed_after_refusal
        return next((one for one in all_missed if any(_covers(seen, one.planned.batch) for seen in self.seen)), None)


def _covers(seen: Batch, other: Batch) -> bool:
    (entries, total), (others, others_total) = (
        (batch.creation["releasesQtd"], batch.creation["totalNetValue"]) for batch in (seen, other)
    )
    return len(seen.orders) >= len(other.orders) and entries >= others and (total > 0) == (others_total > 0)


def planned_of(examples: Sequence[Example[Whole]]) -> list[Planned]:
    """What is to be opened for all of these. What others show needs none of its own; what says nothing of its end comes last,
    since nothing is tried any more where one did not go as it should."""
    own = [one for one in examples if one.law.is_shown_by is None and not one.law.fills_up]
    found = [Planned(one.batch, one) for one in sorted(own, key=lambda one: one.law.ended is None)]
    others = [one for one in examples if one.law.is_shown_by is not None]
    for one in sorted(others, key=lambda one: one.law.meanwhile is None):
        shown_by = one.law.is_shown_by
        assert shown_by is not None
        hosts = (
            host for host in found if shown_by(host.batch) and all(one.key != other.key for other in host.examples)
        )
        host = next(hosts, None)
        if host is None:
            found.append(Planned(one.batch, one))
        else:
            host.also.append(one)
    more = [one for one in examples if one.law.fills_up]
    return [*found, *(Planned(one.batch, one) for one in more[len(found) :])]


@dataclass(slots=True)
class Besides:
    """Examples of laws of creations that none has shown yet, and the earlier periods that they are about."""

    examples: list[Example[CreationLaw]] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)

    def prepare(self, planned: Planned, *, may_refuse: bool = True) -> None:
        """Let it show examples, if it can: one that is about its body, and one about its period. `may_refuse` is whether a broken
        copy of its creation may come before it: that may stay active, and where nothing was opened yet nobody could tell."""
        if planned.reconciliation is not None or planned.begun is not None:
            return
        for needs_earlier in (False, True):
            for one in sorted(self.examples, key=lambda one: one.law.only_at is None):
                if one.law.refused_first is not None and not may_refuse:
                    continue
                if one.law.needs_earlier == needs_earlier and self.shows(planned, one):
                    break

    def shows(self, planned: Planned, one: Example[CreationLaw]) -> bool:
        """Let it show this one; whether it can, if that was not shown before."""
        if one not in self.examples or one.law.is_refused_before or one.law.while_active:
            return False
        fitted = one.law.fitted(planned.batch, one.drawn, self.earlier)
        if fitted is None:
            return False
        self._take_up(planned, one, fitted)
        return True

    def _take_up(self, planned: Planned, one: Example[CreationLaw], fitted: Fitted) -> None:
        self.examples.remove(one)
        planned.batch = fitted.batch
        planned.seen_besides.append((one, []))
        planned.begins = printed(fitted.begins) if fitted.begins is not None else ""
        if fitted.beside is not None:
            fitted.beside.take(after=fitted.after)

    def beside_active(self, active: OpenReconciliation, waiting: Sequence[Planned]) -> tuple[Planned, Planned] | None:
        """One of those that wait, and how it is to be opened beside an active one so that it shows a law about that."""
        now = sorted(self.earlier, key=lambda one: one.is_of(active))
        able = [planned for planned in waiting if planned.reconciliation is None and planned.begun is None]
        for one in list(self.examples):
            for planned in able:
                suits = (active.place, planned.batch.place) in one.law.while_active
                if suits and (fitted := one.law.fitted(planned.batch, one.drawn, now)) is not None:
                    beside = Planned(planned.batch, planned.example, planned.also)
                    self._take_up(beside, one, fitted)
                    return planned, beside
        return None

    def take_refused_before(self) -> Example[CreationLaw] | None:
        """One whose creation is refused while the one before is active, if there is any left."""
        one = next((one for one in self.examples if one.law.is_refused_before), None)
        if one is not None:
            self.examples.remove(one)
        return one

    def note_period(self, planned: Planned, opened: OpenReconciliation) -> None:
        """It is open, for a period that no other is to have there. Others may lie beside it later, where nothing does yet."""
        begins, is_free = datetime.fromisoformat(opened.values[0][PERIOD]), not planned.begins
        self.earlier.append(Earlier(opened.place, begins, opened.batch.seconds, is_free, is_free))

    def note_over(self, opened: OpenReconciliation) -> None:
        """It has all its releases."""
        for one in self.earlier:
            one.is_over = one.is_over or one.is_of(opened)
