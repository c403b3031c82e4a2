"""One lawful creation that is sent until it is accepted, or until it is known for what it is refused: the one before may be going
on, others may have one active, an earlier run may have used its period, or the target refuses such ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Final

from conformance.engine.long_periods import are_refused_for_their_length
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.plain_ones import Measures
from conformance.engine.room import LOOKS
from conformance.engine.stays_active import note_stuck
from conformance.engine.unfinished import Hindered
from conformance.target.shared.calendar import LONG_SECONDS
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call, creation_of
from strategies.reconciliations import Batch

if TYPE_CHECKING:
    from conformance.engine.reconciliation_calls import ReconciliationCalls

SOON_SECONDS: Final = 3.0
"""How long a creation is tried again in the same period while the one before may be going on, or twice as long as the target was
seen to take: after that an earlier run may have used the period, of which nobody knows any more."""

REFUSED_FOR_ITSELF: Final = 2
"""So often another is opened just after one was refused, and it was for itself: once the one before may have ended in between."""

LATE_LOOKS_EACH: Final = 3
"""At every third of these looks it is asked whether another is opened, until one is."""

PAUSES_FOR_OTHERS: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds after which the first creation at a place is tried again: each may cost a client error."""

ELSEWHERE: Final = 2
"""In how many other periods a lawful creation is tried that is refused: an earlier run, of which nobody knows any more, may
have used its own."""


@dataclass(slots=True)
class Opening:
    """A creation on its way."""

    calls: ReconciliationCalls
    reconciliation: OpenReconciliation
    elsewhere: bool
    """Whether other periods may be tried too."""
    is_busy: bool = True
    """Whether the one before may be going on still, for all that is known."""
    was_free: bool = False
    """Whether another was opened there at once when it was refused for the first time: its period may be an earlier run's."""
    instead: Batch | None = None
    """What was opened at its place each time that this one was refused: then it is refused for itself, or for its period."""

    @property
    def _call(self) -> Call:
        return creation_of(self.reconciliation.batch)

    def _send(self) -> Exchange:
        return self.calls.send_creation(self.reconciliation, self._call)

    def through(self) -> Exchange:
        """Send it; the last answer. Raises Hindered where a refusal would say nothing."""
        calls, place = self.calls, self.reconciliation.place
        self.reconciliation.refused_for = ""
        calls.let_end(place, may_be_early=True)
        exchange = self._send()
        if exchange.is_accepted:
            calls.learn(place)
        if exchange.status // 100 == 4 and not self.reconciliation.doubtful and calls.completes_what_was_lost(place):
            exchange = self._send()
        if exchange.status // 100 == 4 and place in calls.told:
            exchange = self._once_there_is_room(exchange)
        if exchange.status // 100 == 4 and calls.others_may_have_one(place):
            exchange = self._after_others(exchange)
        if (
            exchange.status // 100 == 4 and self.was_free and not self.elsewhere
        ):  # none of this period is worth waiting for
            calls.go_on_elsewhere(self.reconciliation.batch)
            self.is_busy = False
        elif exchange.status // 100 == 4 and place in calls.settling:
            self.reconciliation.waited = True
            exchange = self._until_free(exchange)
            # No document says how long reconciling may take.
            if exchange.is_refused and self.is_busy:
                raise Hindered(f"account {place.account} was still reconciling the one before")
        exchange = self._in_other_periods(exchange)
        # Without other periods, its own may be an earlier run's.
        if exchange.is_refused and self.instead is not None and place not in calls.strayed:
            calls.takes_plain.all_but(self.instead, in_several_periods=self.elsewhere)
            seconds, entries = calls.takes_plain.plainest
            if not self.reconciliation.refused_for:
                why = f"another was accepted each time, whose period lasts {seconds} s and releasesQtd is {entries}"
                self.reconciliation.refused_for = why
            self._see_whether_short_ones_are_taken()
        return exchange

    def _see_whether_short_ones_are_taken(self) -> None:
        """A long one was opened instead of a short one: of short ones none is sent any more, unless one like that is opened."""
        calls, known = self.calls, self.calls.takes_plain
        seconds, entries = known.plainest
        if known.shortest or seconds < LONG_SECONDS or self.reconciliation.batch.seconds >= LONG_SECONDS:
            return
        short = calls.plain(self.reconciliation.place, entries)
        calls.let_end(short.place)
        if calls.opens_now(short):
            known.plainest = Measures(short.seconds, entries)
        else:
            known.shortest = seconds

    def _in_other_periods(self, exchange: Exchange) -> Exchange:
        """Try other periods where this one was refused; the last answer. Raises Hindered where those may all be used."""
        calls, place = self.calls, self.reconciliation.place
        is_known = calls.takes_plain.surely_refuses and self.instead is not None
        for _ in range(0 if is_known else ELSEWHERE):
            if exchange.status // 100 == 4 and self.elsewhere and place not in calls.blocked:
                calls.let_end(place)  # what was opened instead may be going on
                calls.another_period(self.reconciliation)
                exchange = self._send()
        is_long = self.reconciliation.batch.seconds >= LONG_SECONDS
        if exchange.status // 100 == 4 and self.elsewhere and is_long:
            if not are_refused_for_their_length(calls, self.reconciliation):
                raise Hindered("periods of that length were refused: earlier runs have taken most of them, perhaps")
            self.reconciliation.refused_for = "both halves of such a period are accepted"
        return exchange

    def _once_there_is_room(self, exchange: Exchange) -> Exchange:
        """Try again where the one before was just told to have ended: that may be seen late. The last answer."""
        calls = self.calls
        since = calls.clock - calls.told[self.reconciliation.place]
        if not calls.room.is_worth_a_look(since):
            return exchange
        for seconds in LOOKS:
            calls.bench.let_pass("room for the next reconciliation", seconds)
            since += seconds
            self.reconciliation.waited = True
            exchange = self._send()
            if exchange.status // 100 != 4:
                calls.room.came(since)
                return exchange
        calls.room.in_vain += 1
        return exchange

    def _after_others(self, exchange: Exchange) -> Exchange:
        """Try again while what others have completed there may be going on, once for each place; in other periods, too, since
        theirs may be taken. Not where another is opened at once. The last answer."""
        calls, waiting = self.calls, self.calls.bench.session.waiting
        calls.asked.add(self.reconciliation.place)
        self.was_free = calls.opens_now(calls.unlike(self.reconciliation.batch)[0])
        if self.was_free:
            return exchange
        begun = waiting.begin("what others may have going on there to be finished")
        for seconds in PAUSES_FOR_OTHERS:
            if waiting.at_most is not None and begun.waited + seconds > waiting.at_most:
                break
            begun.on(seconds)
            self.reconciliation.waited = True
            calls.another_period(self.reconciliation, far=False)
            exchange = self._send()
            if exchange.status // 100 != 4:
                return exchange
        if calls.completes_what_was_refused(self.reconciliation.place):
            calls.let_end(self.reconciliation.place)
            exchange = self._send()
        return exchange

    def _until_free(self, exchange: Exchange) -> Exchange:
        """Try again, ever more seldom, while the one before may still be going on; what it took is remembered. In other
        periods, too, where that may be done. The last answer."""
        calls, place = self.calls, self.reconciliation.place
        control = calls.bench.session.control
        if control is not None:  # its clock was moved far enough: this one never ends
            calls.endless.add(place)
            control.abandon()
            self.is_busy = False
            return calls.bench.send(self._call, self.reconciliation.values[0])
        others, opened = ELSEWHERE if self.elsewhere else 0, 0
        unlike_it = cycle(calls.unlike(self.reconciliation.batch))
        waiting = calls.bench.session.waiting.begin("the reconciliation before to be finished")
        passed, late_looks = calls.passed(place), 0
        another = next(unlike_it)
        if calls.takes_plain.refuses_some and calls.opens_now(another):
            return self._refused_for_itself(exchange, another)
        while exchange.status // 100 == 4 and (waited := calls.waited.get(place, 0.0)) < calls.patience:
            wait = min(calls.takes.next_look(passed) - passed, calls.patience - waited)
            waiting.on(wait)
            calls.waited[place] = waited + wait
            before, passed = passed, max(passed + wait, calls.passed(place))
            takes_long = passed > max(SOON_SECONDS, 2 * calls.pause)
            is_suspect = takes_long or opened > 0 or self.was_free
            moves = others > 0 and is_suspect
            if self.elsewhere and is_suspect:  # a target may also take the period of what it refuses
                calls.another_period(self.reconciliation, far=moves)
                others -= moves
            exchange = self._send()
            if exchange.status // 100 == 2:  # it ended some time in the last wait, unless the period was taken
                calls.learn(place, after=0.0 if moves else before)
            elif exchange.status // 100 == 4 and is_suspect:
                if calls.is_long_over(passed) and calls.completes_what_was_refused(place):
                    return self._until_free(self._send())
                late_looks += 1
                if not opened and late_looks % LATE_LOOKS_EACH != 1:  # each costs another client error
                    continue
                if calls.opens_now(another):
                    opened, passed = opened + 1, 0.0
                    if opened == REFUSED_FOR_ITSELF:
                        return self._refused_for_itself(exchange, another)
                elif not opened:
                    another = next(unlike_it)
        return self._given_up(exchange) if exchange.status // 100 == 4 else exchange

    def _given_up(self, exchange: Exchange) -> Exchange:
        """The last answer, where it was waited for long enough."""
        calls, place = self.calls, self.reconciliation.place
        if calls.completes_what_was_refused(place):
            return self._until_free(self._send())
        calls.endless.add(place)
        calls.looked[place] = calls.clock
        note_stuck(calls, exchange)
        return exchange

    def _refused_for_itself(self, exchange: Exchange, opened: Batch) -> Exchange:
        self.is_busy, self.instead = False, opened
        return exchange
