"""Creations at once (CON-01): how two are sent, and that scenarios which need an open reconciliation open theirs so.

Of two creations at once one is accepted, which is then as good as any other: what releases at once take can be opened so, and is
a try of CON-01, too. Its scenarios count these when their turn comes, and make those that are missing. What no order explains is
told there, as if it were found there; who wanted one open gets another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from conformance.concurrency.model import Open
from conformance.contract.rules import catalogue
from conformance.engine.at_once import Asking, Attempt
from conformance.engine.bench import Bench
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.trial import Trial
from conformance.engine.tries import Tried, try_once, wants_more
from conformance.engine.unfinished import Hindered, NotSeenYet
from conformance.engine.waiting import Waiting
from conformance.errors import TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome
from strategies.calls import creation_of
from strategies.periods import PERIOD, at
from strategies.reconciliations import Batch

Pair = tuple[OpenReconciliation, OpenReconciliation]

PERIODS: Final[Mapping[str, tuple[tuple[int, int], tuple[int, int]]]] = MappingProxyType(
    {
        "the same period": ((0, 2), (0, 2)),
        "periods that overlap": ((0, 2), (1, 3)),
        "periods apart": ((0, 2), (4, 6)),
    }
)
"""How the periods of the two lie, as the scenarios call it: from when to when, in a unit of its own."""


def asking_to_open(pair: Pair, periods: str) -> list[Asking]:
    """To open each of the two."""
    return [
        Asking(
            creation_of(one.batch), one.values[0], Open(name, *span, one.batch.creation["releasesQtd"]), f"open {name}"
        )
        for one, name, span in zip(pair, ("first", "second"), PERIODS[periods], strict=True)
    ]


def open_one_of(attempt: Attempt, pair: Pair, periods: str) -> OpenReconciliation | None:
    """Open both at once; the one that is open then, None where both are, which no order explains. Where both were in each other's
    way the first is taken. Raises TargetUnavailable where nobody knows, Hindered where their like is refused each time."""
    reconciliations, place, asked = attempt.bench.reconciliations, pair[0].place, asking_to_open(pair, periods)
    attempt.bench.check_worth(pair[0].batch)
    if attempt.one_by_one:  # the one before may still be going on: that is waited for
        first = attempt.ask(asked[0], lambda: reconciliations.create(pair[0], blame=False))
        exchanges: list[Exchange | None] = [first, attempt.ask(asked[1])]
    else:
        exchanges = attempt.at_once(*asked)
    opened = [(one, came) for one, came in zip(pair, exchanges, strict=True) if came is not None and came.is_accepted]
    if len(opened) > 1:
        reconciliations.free(place)
        return None
    if not opened and not all(came is not None and came.is_refused for came in exchanges):
        reconciliations.free(place)
        raise TargetUnavailable("none of the creations at once was answered so that one knows what became of it")
    for one, came in opened:
        reconciliations.opened(one, came)
        one.refused_beside = one.batch  # the other one's is as large
    reconciliations.note_refused(place)  # the other one, and what it may have left
    if not opened:  # then the next one is taken
        came = attempt.ask(asked[0], lambda: reconciliations.create(pair[0], blame=False))
        if came.is_refused:
            reconciliations.check_free(place)
            _check_at_once_only(attempt, pair, periods)
        if pair[0].waited:  # for the one before, which was in the way of both
            attempt.overlapped = False
    return opened[0][0] if opened else pair[0]


def _check_at_once_only(attempt: Attempt, pair: Pair, periods: str) -> None:
    """Raises Hindered where both may have been refused for another reason than that they came at once: for what they are, or for
    what was in the way before, for then it does not happen again when that is gone."""
    bench, reconciliations, (first, second) = attempt.bench, attempt.bench.reconciliations, pair
    reconciliations.free(first.place)
    if attempt.one_by_one:
        return
    if not reconciliations.opens(first.batch):
        raise Hindered("REC-01: a proper reconciliation was refused")
    begins_first, begins_second = (datetime.fromisoformat(one.values[0][PERIOD]) for one in pair)
    reconciliations.another_period(first)
    begins = str(at(begins_second - begins_first).change(first.values[0][PERIOD]))
    second.values = tuple(values.having(**{PERIOD: begins}) for values in second.values)
    story = list(bench.story)
    again = Attempt(bench, offsets=attempt.offsets).at_once(*asking_to_open(pair, periods))
    bench.story[:] = story
    taken = [(one, came) for one, came in zip(pair, again, strict=True) if came is not None and came.is_accepted]
    for one, came in taken:
        reconciliations.opened(one, came)
    reconciliations.free(first.place)
    are_refused = all(came is not None and came.is_refused for came in again)
    if not are_refused and len(taken) < len(pair):
        raise Hindered("something was in the way of creations at once that was there before")


@dataclass(slots=True)
class OpeningsAtOnce:
    """What was opened so for other scenarios."""

    bench: Bench
    scenarios: Mapping[str, str]
    """By how the periods lie, the scenarios of the run that want such tries."""
    client_errors: int = 0
    """What these tries have cost: they are no cost of who wanted one open."""
    _tried: dict[str, Tried] = field(default_factory=dict)
    _spent: dict[str, Spent] = field(default_factory=dict)

    def tried(self) -> Tried:
        """What the running scenario has seen so; its own tries go on with that."""
        scenario = self.bench.scenario
        self.bench.session.ahead -= self._spent.pop(scenario, Spent())
        return self._tried.pop(scenario, Tried())

    def open_for(self, batch: Batch) -> OpenReconciliation:
        """The batch with its orders sent and its reconciliation open: at once with another, where a scenario wants that. Raises
        Hindered where that can't be had."""
        reconciliations = self.bench.reconciliations
        periods = next(iter(sorted(self._wanting(), key=self._number)), None)
        opened = self._open_at_once(batch, periods) if periods is not None else None
        return opened or reconciliations.open_for(batch)

    def _number(self, periods: str) -> int:
        return self._tried.get(self.scenarios[periods], Tried()).number

    def _wanting(self) -> Iterator[str]:
        session = self.bench.session
        shared = session.options.alone and not session.resuming and session.profile.refusals_per_kind == 1
        if not shared or self.bench.one_by_one or self.bench.reconciliations.may_be_kept:
            return  # where a refused one may change what is open, its scenarios make their own
        for periods, scenario in self.scenarios.items():
            evidence, tried = session.evidence.scenarios[scenario], self._tried.get(scenario, Tried())
            is_to_come = evidence.outcome is Outcome.NOT_RUN and scenario not in session.left_out
            with self._for(scenario):
                if is_to_come and tried.found is None and wants_more(self.bench, tried):
                    yield periods

    def _open_at_once(self, batch: Batch, periods: str) -> OpenReconciliation | None:
        bench, opened = self.bench, list[OpenReconciliation | None]()
        tried = self._tried.setdefault(self.scenarios[periods], Tried())

        def sending(attempt: Attempt) -> Waiting[None]:
            yield from ()
            pair = self._pair(batch, periods)
            if not bench.reconciliations.submit_orders(pair[0]):  # they are those of both
                return
            bench.reconciliations.check_place(batch.place)
            opened.append(open_one_of(attempt, pair, periods))

        before = tried.cost
        try:
            with self._for(self.scenarios[periods]):
                for _ in try_once(bench, tried, sending):
                    raise NotSeenYet
        except WaitTooLong:
            raise
        except (Hindered, TargetUnavailable) as reason:  # which says nothing of who wanted one open
            tried.number += 1
            tried.reasons.append(str(reason))
            return None
        finally:
            self.client_errors += tried.cost - before
        one = opened[0] if opened else None
        if one is None or one.id is None:
            return None
        if tried.found is not None:
            bench.reconciliations.finish(one)
            return None
        bench.story[:] = [exchange for exchange in bench.story if exchange.is_accepted]
        return one

    def _pair(self, batch: Batch, periods: str) -> Pair:
        """The same orders in two reconciliations, not open yet: whichever is opened, they can be released in it."""
        reconciliations = self.bench.reconciliations
        first = reconciliations.begin(batch)
        begins = first.values[0][PERIOD]
        if periods == "periods that overlap":  # around each period as much again is free
            begins = str(at(timedelta(seconds=batch.seconds // 2)).change(begins))
        elif periods == "periods apart":
            begins = reconciliations.begin(batch).values[0][PERIOD]
        return first, OpenReconciliation(batch, tuple(values.having(**{PERIOD: begins}) for values in first.values))

    @contextmanager
    def _for(self, scenario: str) -> Iterator[None]:
        """What is sent in here is for that scenario."""
        bench, session = self.bench, self.bench.session
        running, about, before, trial = bench.scenario, session.journal.about, session.journal.spent(), bench.trial
        evidence = session.evidence.scenarios[scenario]
        bench.scenario, bench.trial = scenario, Trial()
        session.journal.about = f"{catalogue()[evidence.rule].id} {evidence.name}"
        try:
            yield
        finally:
            bench.scenario, session.journal.about, bench.trial = running, about, trial
            spent = session.journal.spent() - before
            session.ahead += spent
            self._spent[scenario] = self._spent.get(scenario, Spent()) + spent
