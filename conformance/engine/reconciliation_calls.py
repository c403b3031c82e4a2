"""Reconciliations as the scenarios handle them: opened, released, and always completed, since one that is active blocks its
channel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.open_reconciliation import OpenReconciliation, is_about
from conformance.engine.places import Places
from conformance.engine.spoiled_places import SpoiledPlace, note_spoiled
from conformance.engine.stays_active import note_stuck
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.inbox import Inbox, Received
from conformance.target.shared.calendar import LONG_SECONDS, Calendar, UsedUp
from conformance.target.shared.reconciling import Taking, seen_reconciling
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, plain_batch
from strategies.scope import Place

STEPS: Final = (5, 60, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds by which the mock's clock is moved, one after the other, until a reconciliation is completed: no document says how
long that takes."""

ARRIVAL_SECONDS: Final = 0.3
"""How long a notification that is on its way may take over a socket."""

HEARING_SECONDS: Final = 10.0
"""How long to listen before the other runs are told that this one is going on."""

SOON_SECONDS: Final = 3.0
"""How long a creation is tried again in the same period while the one before may be going on, or twice as long as the target was
seen to take: after that an earlier run may have used the period, of which nobody knows any more."""

REFUSED_FOR_ITSELF: Final = 2
"""So often another is opened just after one was refused, and it was for itself: once the one before may have ended in between."""

LATE_LOOKS_EACH: Final = 3
"""At every third of these looks it is asked whether another is opened, until one is."""

PAUSES_FOR_OTHERS: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds after which the first creation at a place is tried again: each may cost a client error."""

PLAIN: Final = ((60, 1), (2 * 24 * 3600, 2))
"""Seconds that the plainest ones last, and of how many entries they are: a server may be too strict about short ones or long
ones, about one entry or several."""

MOST_KNOWN: Final = 500
"""So many of those that were opened last are known whole, and the newest of each place: a deep run opens thousands."""

ELSEWHERE: Final = 2
"""In how many other periods a lawful creation is tried that is refused: an earlier run, of which nobody knows any more, may
have used its own."""


@dataclass(slots=True)
class ReconciliationCalls(Places):
    """Opens, releases and completes them; who is to blame where something is refused is asked elsewhere."""

    calendar: Calendar = field(init=False)
    ids: dict[int, OpenReconciliation] = field(default_factory=dict)
    """Those that were opened of late, by their ids."""
    all_ids: set[int] = field(default_factory=set)
    """The ids of all that the run has opened: no two may have the same."""
    not_opened: dict[Place, Exchange] = field(default_factory=dict)
    """The newest refusal of a lawful creation there."""
    refused_creations: dict[Place, list[OpenReconciliation]] = field(default_factory=dict)
    """Those of which a broken creation was refused since one was opened there."""
    refused_since: dict[Place, OpenReconciliation] = field(default_factory=dict)
    """The first of which any creation was refused since one was opened there, as it was then; also by a look for room."""
    plainest_is: tuple[int, int] = PLAIN[0]
    """Seconds that the plainest one lasts, and of how many entries it is."""
    refuses_some: bool = False
    """Whether a lawful creation was seen to be refused for itself, or for its period: whether another is opened is looked at
    first since."""
    surely_refuses: bool = False
    """Whether it was refused in several periods: no other is tried since."""
    asked: set[Place] = field(default_factory=set)
    """Where what others may have going on was waited for."""

    def __post_init__(self) -> None:
        session = self.bench.session
        self.calendar = session.calendar
        if session.control is None and session.live is not None:
            told = session.target.reconciles_in
            seen = seen_reconciling(session.live.store, session.target.base_url) if told is None else None
            self.takes = Taking(told or seen or 0.0)
            self.is_told = told is not None or seen is not None

    def plain(self, place: Place, *sizes: int, seconds: int = 60) -> Batch:
        """The plainest batch on a place, with orders of so many extracts."""
        return plain_batch(self.bench.scope, place, *sizes, seconds=seconds)

    spoiled_at: dict[Place, SpoiledPlace] = field(default_factory=dict)
    """Where a lawful release was refused ahead of its scenario's turn."""

    # -- opening ---------------------------------------------------------------------------------------------------------

    def begin(self, batch: Batch) -> OpenReconciliation:
        """Values for a batch: codes that are new and a period that is free."""
        return OpenReconciliation(batch, self.values_for(batch, self._allot(batch)))

    def values_for(self, batch: Batch, period: str) -> tuple[Values, ...]:
        """Values for each order of a batch: codes that are new, and the beginning of its period."""
        values = [self.bench.fresh(batch.shape).having(**{PERIOD: period}) for _ in batch.orders]
        codes = [one["code"] for one in values]
        neighbours = [*codes[1:], codes[0]]
        return tuple(one.having(neighbour=code) for one, code in zip(values, neighbours, strict=True))

    def another_period(self, reconciliation: OpenReconciliation, *, far: bool = True) -> None:
        """Give the reconciliation a free period, far from its own where others may have been there before."""
        if far and not self.bench.session.in_process:
            self.calendar.elsewhere(reconciliation.batch.seconds)
        period = self._allot(reconciliation.batch)
        reconciliation.values = tuple(values.having(**{PERIOD: period}) for values in reconciliation.values)

    def _allot(self, batch: Batch) -> str:
        """The beginning of a free period. Raises Hindered where there is none any more."""
        try:
            return self.calendar.allot(batch.seconds)
        except UsedUp as error:
            raise Hindered(str(error)) from None

    def submit_orders(self, reconciliation: OpenReconciliation) -> bool:
        """Send its orders; whether all were accepted. The first one's namesake comes before it: which of them a
        target finds by its code alone is then not the one that was sent first."""
        if reconciliation.batch.namesake is not None:
            call = Call(Endpoint.SUBMIT_ORDER, body=reconciliation.batch.namesake)
            self.bench.is_accepted(call, self.bench.send(call, reconciliation.values[0]))
        for order, values in zip(reconciliation.batch.orders, reconciliation.values, strict=True):
            call = Call(Endpoint.SUBMIT_ORDER, body=order)
            if not self.bench.is_accepted(call, self.bench.send(call, values)):
                return False
        self.bench.let_be_seen()
        return True

    def create_once(self, reconciliation: OpenReconciliation) -> Exchange:
        """POST /reconciliation as the reconciliation says, where it may be refused for its own sake: sent once, after as long as
        the one before was seen to take."""
        if reconciliation.place in self.settling and reconciliation.place not in self.due:
            self.bench.let_pass("the reconciliation before to be finished", self.pause)
        call = creation_of(reconciliation.batch)
        self.check_place(reconciliation.place)
        exchange = self.send_creation(reconciliation, call)
        if exchange.is_accepted:
            self.bench.met(call, exchange)
            self.opened(reconciliation, exchange)
        return exchange

    def open(self, reconciliation: OpenReconciliation, *, elsewhere: bool) -> Exchange:
        """POST /reconciliation, until the one before is finished; `elsewhere` says whether to try other periods, too: an earlier
        run may have used this one. Raises Hindered where a refusal would say nothing, a violation of REC-01 or REC-02."""
        call = creation_of(reconciliation.batch)
        self._see_what_was_left(reconciliation.place.channel)
        self._check_worth_a_look(reconciliation.place)
        tries_elsewhere, is_busy, instead = elsewhere and not self.bench.session.in_process, True, None
        self.let_end(reconciliation.place, may_be_early=True)
        exchange = self.send_creation(reconciliation, call)
        if exchange.is_accepted:
            self.learn(reconciliation.place)
        if (
            exchange.status // 100 == 4
            and not reconciliation.doubtful
            and self._completes_what_was_lost(reconciliation.place)
        ):
            exchange = self.send_creation(reconciliation, call)
        if exchange.status // 100 == 4 and self._others_may_have_one(reconciliation.place):
            exchange = self._after_others(reconciliation, call, exchange)
        if exchange.status // 100 == 4 and reconciliation.place in self.settling:
            reconciliation.waited = True
            exchange, is_busy, instead = self._until_free(reconciliation, call, exchange, elsewhere=tries_elsewhere)
            # No document says how long reconciling may take.
            if exchange.is_refused and is_busy:
                raise Hindered(f"account {reconciliation.place.account} was still reconciling the one before")
        for _ in range(0 if self.surely_refuses and instead is not None else ELSEWHERE):
            if exchange.status // 100 == 4 and tries_elsewhere and reconciliation.place not in self.blocked:
                self.let_end(reconciliation.place)  # what was opened instead may be going on
                self.another_period(reconciliation)
                exchange = self.send_creation(reconciliation, call)
        if exchange.status // 100 == 4 and tries_elsewhere and reconciliation.batch.seconds >= LONG_SECONDS:
            raise Hindered("periods of that length were refused: earlier runs have taken most of them, perhaps")
        if exchange.is_refused and instead is not None:
            self._refuses_all_but(instead)
            self.surely_refuses |= tries_elsewhere  # else its period may be an earlier run's
        if exchange.status // 100 == 2 or is_busy:  # else another one was opened there meanwhile
            self._settles(reconciliation.place, settling=False)
        if exchange.status // 100 == 2:
            self.bench.met(call, exchange)
            self._is_open(reconciliation, exchange)
        return exchange

    def _see_what_was_left(self, channel: str) -> None:
        """What an earlier run has left there, or was cleared away, may be going on: that knows only whose turn it is."""
        live = self.bench.session.live
        if live is None:
            return
        live.hold_channels()
        if live.channels.is_settling(channel):
            self.settling.update(place for place in self.bench.scope.places if place.channel == channel)

    def opened(self, reconciliation: OpenReconciliation, exchange: Exchange) -> None:
        """Take note of a creation that was sent at once with another and accepted. Raises a violation of REC-01 or REC-02."""
        self._settles(reconciliation.place, settling=False)
        self._is_open(reconciliation, exchange)

    def _is_open(self, reconciliation: OpenReconciliation, exchange: Exchange) -> None:
        """The one before has ended: how long the next one takes is waited for anew. Raises a violation of REC-01 or REC-02."""
        place = reconciliation.place
        self.blocked.discard(place)
        if self.bench.session.control is None:  # else it was opened since the mock had to forget what does not end
            self._has_ended(place)
        self.waited.pop(place, None)
        self.looked.pop(place, None)
        self.opened_at.add(place)
        self._forget_refused(place)
        self.take_id(reconciliation, exchange)

    def _has_ended(self, place: Place) -> None:
        """The one that was opened last there has, as another is opened."""
        self.endless.discard(place)
        for before in [one for one in self.ids.values() if one.place == place][-1:]:
            before.ended = True

    def _forget_refused(self, place: Place) -> None:
        """One was opened there: no creation that was refused before is active."""
        self.refused_at.discard(place)
        self.refused_creations.pop(place, None)
        self.refused_since.pop(place, None)

    def keep_refused(self, reconciliation: OpenReconciliation) -> None:
        """Remember of what a creation was refused: it may be open all the same."""
        self.refused_since.setdefault(reconciliation.place, replace(reconciliation))

    def send_creation(self, reconciliation: OpenReconciliation, call: Call) -> Exchange:
        """Send a lawful creation. Where its answer is lost the same is sent once more: if it had been opened that is refused,
        since one is active and its period is taken; if not, this one is opened, and its id known.

        Raises Doubtful where it had been opened, after completing it as far as that can be done.
        """
        try:
            exchange = self.bench.send(call, reconciliation.values[0])
            if exchange.is_refused:
                self.keep_refused(reconciliation)
            return exchange  # noqa: TRY300 - what follows is for lost answers
        except Doubtful as doubt:
            try:
                if doubt.refusal is None:
                    again = self.bench.send(call, reconciliation.values[0])
                    if again.status // 100 == 2:
                        return again
            except Doubtful:
                pass  # as doubtful as before
            self.free(reconciliation.place)
            raise

    def send_broken(self, reconciliation: OpenReconciliation, call: Call) -> Exchange:
        """Send a broken creation or release. Where its answer is lost the same is sent once more: a refusal counts if the lawful
        call is accepted after it, which shows that the first was not carried out."""
        for _ in range(2):
            try:
                exchange = self.bench.send(call, reconciliation.values[0])
                if call.endpoint is Endpoint.CREATE_RECONCILIATION and exchange.is_refused:
                    self.keep_refused(reconciliation)
                    there = self.refused_creations.setdefault(reconciliation.place, [])
                    if not any(one is reconciliation for one in there):  # several of its copies may be refused
                        there.append(reconciliation)
                return exchange  # noqa: TRY300 - what follows is for lost answers
            except Doubtful as doubt:
                reconciliation.doubtful, lost = True, doubt
                if doubt.refusal is not None:
                    return self.bench.sent(doubt.refusal)
        raise lost

    def _completes_what_was_lost(self, place: Place) -> bool:
        """Complete what may be active there without anybody knowing its id: it would be waited for in vain. Whether there was
        such a thing. Raises Hindered where that can't be done."""
        live = self.bench.session.live
        if live is None or not live.has_lost(place.account, place.channel):
            return False
        self.free(place)
        self.check_not_blocked(place)
        return True

    def _others_may_have_one(self, place: Place) -> bool:
        """Whether one may be going on there of which this run and its store know nothing: nothing was opened there yet."""
        alone = self.bench.session.control is not None or self.bench.session.in_process
        return not alone and not {place} & (self.opened_at | self.settling | self.blocked | self.asked)

    def _after_others(self, reconciliation: OpenReconciliation, call: Call, exchange: Exchange) -> Exchange:
        """Try again while what others have completed there may be going on, once for each place; in other periods, too, since
        theirs may be taken. Not where another is opened at once. The last answer."""
        self.asked.add(reconciliation.place)
        if self.opens_now(self.unlike(reconciliation.batch)[0]):
            return exchange
        waiting = self.bench.session.waiting.begin("what others may have going on there to be finished")
        for seconds in PAUSES_FOR_OTHERS:
            if (
                self.bench.session.waiting.at_most is not None
                and waiting.waited + seconds > self.bench.session.waiting.at_most
            ):
                break
            waiting.on(seconds)
            reconciliation.waited = True
            self.another_period(reconciliation, far=False)
            exchange = self.send_creation(reconciliation, call)
            if exchange.status // 100 != 4:
                break
        return exchange

    def _until_free(
        self, reconciliation: OpenReconciliation, call: Call, exchange: Exchange, *, elsewhere: bool
    ) -> tuple[Exchange, bool, Batch | None]:
        """Try again, ever more seldom, while the one before may still be going on; what it took is remembered. In other
        periods, too, where that may be done `elsewhere`.

        Returns the last answer, whether the one before may be going on still, and what was opened at its place each time that
        this one was refused: then it is refused for itself, or for its period.
        """
        if self.bench.session.control is not None:  # its clock was moved far enough: this one never ends
            self.endless.add(reconciliation.place)
            self.bench.session.control.abandon()
            return self.bench.send(call, reconciliation.values[0]), False, None
        place, others = reconciliation.place, ELSEWHERE if elsewhere else 0
        unlike, opened = cycle(self.unlike(reconciliation.batch)), 0
        waiting = self.bench.session.waiting.begin("the reconciliation before to be finished")
        passed, late_looks = self.passed(place), 0
        another = next(unlike)
        if self.refuses_some and self.opens_now(another):
            return exchange, False, another
        while exchange.status // 100 == 4 and (waited := self.waited.get(place, 0.0)) < self._patience:
            wait = min(self.takes.next_look(passed) - passed, self._patience - waited)
            waiting.on(wait)
            self.waited[place] = waited + wait
            before, passed = passed, max(passed + wait, self.passed(place))
            takes_long = passed > max(SOON_SECONDS, 2 * self.pause)
            is_suspect = takes_long or opened > 0
            moves = others > 0 and is_suspect
            if elsewhere and is_suspect:  # a target may also take the period of what it refuses
                self.another_period(reconciliation, far=moves)
                others -= moves
            exchange = self.send_creation(reconciliation, call)
            if exchange.status // 100 == 2:  # it ended some time in the last wait, unless the period was taken
                self.learn(place, after=0.0 if moves else before)
            elif exchange.status // 100 == 4 and is_suspect:
                late_looks += 1
                if not opened and late_looks % LATE_LOOKS_EACH != 1:  # each costs another client error
                    continue
                if self.opens_now(another):
                    opened, passed = opened + 1, 0.0
                    if opened == REFUSED_FOR_ITSELF:
                        return exchange, False, another
                elif not opened:
                    another = next(unlike)
        if exchange.status // 100 == 4:
            self.endless.add(place)
            self.looked[place] = self.clock
            note_stuck(self, exchange)
        return exchange, True, None

    def unlike(self, batch: Batch) -> list[Batch]:
        """Plain ones at the same place, least like it first: where one is refused for itself, one of these is opened."""
        is_long, has_several = batch.seconds >= LONG_SECONDS, batch.creation["releasesQtd"] > 1
        (short, one), (long, several) = PLAIN
        lengths, sizes = sorted((short, long), reverse=not is_long), sorted((one, several), reverse=not has_several)
        return [self.plain(batch.place, size, seconds=seconds) for size in sizes for seconds in lengths]

    def _refuses_all_but(self, another: Batch) -> None:
        """One was refused for itself, as the other was opened each time: the plainest is like that from now on."""
        self.refuses_some = True
        self.plainest_is = another.seconds, another.creation["releasesQtd"]

    def plainest(self, place: Place) -> Batch:
        """The plainest reconciliation there that the target is known to take."""
        seconds, size = self.plainest_is
        return self.plain(place, size, seconds=seconds)

    def _opens_another(self, place: Place) -> bool:
        """Whether a plain reconciliation is opened there now, of a short period or of a long one; it is completed, and in no
        counterexample's story."""
        return any(self.opens_now(self.plain(place, size, seconds=seconds)) for seconds, size in self._plain_ones)

    @property
    def _plain_ones(self) -> list[tuple[int, int]]:
        return sorted(PLAIN, key=lambda one: one != self.plainest_is)

    def opens_now(self, batch: Batch) -> bool:
        """Whether it is opened now; it is completed, and in no counterexample's story."""
        story, place = list(self.bench.story), batch.place
        another = self.begin(batch)
        try:
            if not self.submit_orders(another):
                return False
            call = creation_of(another.batch)
            exchange = self.send_creation(another, call)
            if exchange.is_accepted:
                self.bench.met(call, exchange)
                self.learn(place)
                self._has_ended(place)
                self.take_id(another, exchange)
                self.waited.pop(place, None)
                self._settles(place, settling=False)
                self.finish(another)
            return exchange.is_accepted
        finally:
            self.bench.story[:] = story

    def take_id(self, reconciliation: OpenReconciliation, exchange: Exchange) -> None:
        """Note the id of a creation that was accepted. Raises a violation of REC-01 or REC-02."""
        found = exchange.json.get("id") if isinstance(exchange.json, dict) else None
        if not isinstance(found, int) or isinstance(found, bool):
            self.stray(reconciliation)
            is_text = isinstance(found, str) and found.isdecimal()
            actual = f"its id was text: write {found}" if is_text else f"its body was {exchange.text[:200]}"
            raise Violation(rule="REC-01", expected="an integer id", actual=actual, exchange=exchange)
        reconciliation.id = found
        reconciliation.values = tuple(values.having(reconciliation=str(found)) for values in reconciliation.values)
        if found in self.all_ids and self.ids.get(found) is not reconciliation:
            self.stray(reconciliation)
            actual = f"{found} was that of an earlier one"
            raise Violation(rule="REC-02", expected="an id that no other has", actual=actual, exchange=exchange)
        self.all_ids.add(found)
        self.ids[found] = reconciliation
        if len(self.ids) > MOST_KNOWN:
            newest = {one.place: number for number, one in self.ids.items()}
            del self.ids[next(number for number, one in self.ids.items() if newest[one.place] != number)]

    # -- releasing -------------------------------------------------------------------------------------------------------

    def release(self, reconciliation: OpenReconciliation, order: int, call: Call | None = None) -> Exchange:
        """POST /reconciliation/release for one order: the lawful one, or `call` in its place."""
        sent = call or release_of(reconciliation.batch, order)
        send = partial(self.bench.send, sent, reconciliation.values[order])
        try:
            exchange = send() if call is not None else self.bench.asked_again(send)
        except Doubtful as doubt:
            if call is None and doubt.refusal is not None:
                reconciliation.lost.add(order)
            raise
        if exchange.status // 100 == 2:
            reconciliation.released.add(order)
            reconciliation.spoiled = reconciliation.spoiled or call is not None
        return exchange

    # -- completing ------------------------------------------------------------------------------------------------------

    def finish(self, reconciliation: OpenReconciliation) -> None:
        """Complete it, so that it blocks its channel no longer; what that takes is in no counterexample's story. One of the shelf
        is completed when all have been in it."""
        if reconciliation.within is not None:
            return
        if reconciliation.id is None or self.bench.session.client.is_blocked:
            return
        story = list(self.bench.story)
        try:
            with self.bench.keeping_faults() as faults:
                self._complete(reconciliation)
                if (
                    reconciliation.after_refusal
                ):  # what a refused release leaves is told where the lawful one is what it is about
                    faults.clear()
        except Doubtful:  # its last release may be in, or not
            self.free(reconciliation.place)
        except TargetUnavailable:
            self.blocked.add(reconciliation.place)
            raise
        finally:
            self.bench.story[:] = story

    def _complete(self, reconciliation: OpenReconciliation) -> None:
        for order in range(len(reconciliation.batch.orders)):
            if order in reconciliation.released | reconciliation.lost:
                continue
            if not reconciliation.spoiled and not reconciliation.is_full:
                exchange = self.release(reconciliation, order)
                if exchange.is_refused:
                    note_spoiled(self, reconciliation, order, exchange)
        if reconciliation.spoiled or not reconciliation.is_complete:
            self.free(reconciliation.place)
        elif self.notified(reconciliation, arrival=0.0):
            self._settles(reconciliation.place, settling=False)
        elif reconciliation.place not in self.settling and not reconciliation.ended:
            self.wait(reconciliation)

    def stray(self, reconciliation: OpenReconciliation) -> None:
        """Something was opened that should not have been: free the place, as far as that can be done."""
        reconciliation.spoiled = True
        self.strayed.add(reconciliation.place)
        self.free(reconciliation.place)

    def wait(self, reconciliation: OpenReconciliation) -> bool:
        """Wait until the reconciliation is finished; whether a notification says that it is. Where none does, what comes next at
        its place waits."""
        inbox, control = self.bench.session.inbox, self.bench.session.control
        if control is not None:
            for seconds in STEPS:
                control.advance(seconds)
                if self.notified(reconciliation):
                    return True
        elif inbox is not None and self._hears(inbox, reconciliation):
            return True
        self._settles(reconciliation.place, settling=True)
        self.put_off(reconciliation.place)
        return False

    def _hears(self, inbox: Inbox, reconciliation: OpenReconciliation) -> bool:
        """Whether a notification comes in all the time that is waited."""
        session, began = self.bench.session, self.clock
        waiting = session.waiting.begin("the notification that a reconciliation is finished")
        while (left := began + self._patience - self.clock) > 0:
            if inbox.wait_for(lambda one: is_about(one, reconciliation), waiting.allowed(min(left, HEARING_SECONDS))):
                self.note_taken(self.clock - began)
                return True
            session.sign()
        return False

    def notified(self, reconciliation: OpenReconciliation, arrival: float = ARRIVAL_SECONDS) -> Received | None:
        """The notification that it is completed, if it has come or comes within so many seconds; in process it has come."""
        inbox = self.bench.session.inbox
        if inbox is None:
            return None
        return inbox.wait_for(
            lambda one: is_about(one, reconciliation), 0.0 if self.bench.session.in_process else arrival
        )
