"""Reconciliations as the scenarios handle them: opened, released, and always completed, since one that is active blocks its
channel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from conformance.contract.coercion import whole_of
from conformance.contract.endpoints import Endpoint
from conformance.engine.notices import Notices
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.opening import Opening
from conformance.engine.plain_ones import PLAIN, unlike
from conformance.engine.spoiled_places import SpoiledPlace, note_spoiled
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.shared.calendar import Calendar, UsedUp
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

MOST_KNOWN: Final = 500
"""So many of those that were opened last are known whole, and the newest of each place: a deep run opens thousands."""


@dataclass(slots=True)
class ReconciliationCalls(Notices):
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
    refused_the_same: bool = False
    """Whether a creation was refused that is the same as that of an active one."""
    refuses_second: bool = False
    """Whether a second creation was seen to be refused while a first one surely was active."""
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

    def plain(self, place: Place, *sizes: int, seconds: int | None = None) -> Batch:
        """The plainest batch on a place, with orders of so many extracts; where no `seconds` are given its period is short."""
        lasts = seconds or max(PLAIN[0].seconds, self.takes_plain.shortest)
        return plain_batch(self.bench.scope, place, *sizes, seconds=lasts)

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
        if far:
            self.go_on_elsewhere(reconciliation.batch)
        period = self._allot(reconciliation.batch)
        reconciliation.values = tuple(values.having(**{PERIOD: period}) for values in reconciliation.values)

    def go_on_elsewhere(self, batch: Batch) -> None:
        """Let periods of that length from now on lie where an earlier run that was here did not come."""
        if self.may_be_used:
            self.calendar.elsewhere(batch.seconds)

    @property
    def may_be_used(self) -> bool:
        """Whether periods may be taken in which this run opened nothing: by an earlier run, or by refused creations."""
        return not self.bench.session.in_process or self.may_be_kept

    @property
    def may_be_kept(self) -> bool:
        """Whether refused creations were seen to leave something: what is refused after that may be refused for it."""
        return "REC-09" in self.bench.session.evidence.observed

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
        place = reconciliation.place
        self._see_what_was_left(place.channel)
        self._check_worth_a_look(place)
        opening = Opening(self, reconciliation, elsewhere=elsewhere and self.may_be_used)
        exchange = opening.through()
        is_open = exchange.status // 100 == 2
        if is_open or opening.is_busy:  # else another one was opened there meanwhile
            self._settles(place, settling=False)
        if is_open:
            self.bench.met(creation_of(reconciliation.batch), exchange)
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
        if self.bench.session.control is None:
            self._has_ended(place, exchange)
        elif place not in self.endless:  # else it was opened since the mock had to forget what does not end
            self._note_unheard(self.newest_at(place), exchange)
        self.waited.pop(place, None)
        self.looked.pop(place, None)
        self.opened_at.add(place)
        self._forget_refused(place)
        self.take_id(reconciliation, exchange)

    def _has_ended(self, place: Place, opened: Exchange) -> None:
        """The one that was opened last there has, as another is opened."""
        self.endless.discard(place)
        if (before := self.newest_at(place)) is not None:
            before.ended = True
        self._note_unheard(before, opened)

    def newest_at(self, place: Place) -> OpenReconciliation | None:
        """The one that was opened last there in this run."""
        return next((one for one in reversed(self.ids.values()) if one.place == place), None)

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

    def completes_what_was_lost(self, place: Place) -> bool:
        """Complete what may be active there without anybody knowing its id: it would be waited for in vain. Whether there was
        such a thing. Raises Hindered where that can't be done."""
        live = self.bench.session.live
        if live is None or not live.has_lost(place.account, place.channel):
            return False
        self.free(place)
        self.check_not_blocked(place)
        return True

    def completes_what_was_refused(self, place: Place) -> bool:
        """Complete what may be active there though its creation was refused, where nothing else explains that nothing can be
        opened there. Whether there was such a thing."""
        live = self.bench.session.live
        if live is None or self.bench.session.control is not None:
            return False
        if not live.find_refused(place.account, place.channel):
            return False
        self.waited.pop(place, None)
        self._settles(place, settling=True)
        self.put_off(place)
        return True

    def others_may_have_one(self, place: Place) -> bool:
        """Whether one may be going on there of which this run and its store know nothing: nothing was opened there yet."""
        alone = self.bench.session.control is not None or self.bench.session.in_process
        return not alone and not {place} & (self.opened_at | self.settling | self.blocked | self.asked)

    def unlike(self, batch: Batch) -> list[Batch]:
        """Plain ones at the same place, least like it first: where one is refused for itself, one of these is opened."""
        return [self.plain(batch.place, entries, seconds=seconds) for seconds, entries in unlike(batch)]

    def plainest(self, place: Place) -> Batch:
        """The plainest reconciliation there that the target is known to take."""
        seconds, entries = self.takes_plain.plainest
        return self.plain(place, entries, seconds=seconds)

    def _opens_another(self, place: Place) -> bool:
        """Whether a plain reconciliation is opened there now, of a short period or of a long one; it is completed, and in no
        counterexample's story."""
        plain = self.takes_plain.by_likelihood
        return any(self.opens_now(self.plain(place, entries, seconds=seconds)) for seconds, entries in plain)

    def opens_now(self, batch: Batch) -> bool:
        """Whether it is opened now; it is completed, and in no counterexample's story."""
        return self.is_opened(self.begin(batch))

    def is_opened(self, another: OpenReconciliation) -> bool:
        """The same for one that was begun."""
        exchange = self.asked_for(another)
        return exchange is not None and exchange.is_accepted

    def asked_for(self, another: OpenReconciliation) -> Exchange | None:
        """The answer to its creation, completed where it is accepted, and in no counterexample's story; None where an order
        of it was refused."""
        story, place = list(self.bench.story), another.place
        try:
            if not self.submit_orders(another):
                return None
            call = creation_of(another.batch)
            exchange = self.send_creation(another, call)
            if exchange.is_accepted:
                self.bench.met(call, exchange)
                self.learn(place)
                self._has_ended(place, exchange)
                self.take_id(another, exchange)
                self.waited.pop(place, None)
                self._settles(place, settling=False)
                self.finish(another)
            return exchange
        finally:
            self.bench.story[:] = story

    def take_id(self, reconciliation: OpenReconciliation, exchange: Exchange) -> None:
        """Note the id of a creation that was accepted. Raises a violation of REC-01 or REC-02."""
        found = exchange.json.get("id") if isinstance(exchange.json, dict) else None
        if isinstance(found, Decimal) and self.bench.session.readings["whole-as-decimal"] == "accepted":
            found = whole_of(found)
        if not isinstance(found, int) or isinstance(found, bool):
            self.stray(reconciliation)
            is_text = isinstance(found, str) and found.isdecimal()
            actual = f"its id was text: write {found}" if is_text else f"its body was {exchange.text[:200]}"
            raise Violation(rule="REC-01", expected="an integer id", actual=actual, exchange=exchange)
        reconciliation.id = found
        if found not in self.all_ids:
            self.note_told_before(reconciliation, exchange)
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
            reconciliation.completed_by = exchange if reconciliation.is_complete else None
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

    def release_all(self, reconciliation: OpenReconciliation) -> None:
        """Release those of its orders that are not, as long as nothing is wrong and it takes any."""
        for order in range(len(reconciliation.batch.orders)):
            if order in reconciliation.released | reconciliation.lost:
                continue
            if not reconciliation.spoiled and not reconciliation.is_full:
                exchange = self.release(reconciliation, order)
                if exchange.is_refused and not reconciliation.lost:  # else it may be refused for what is lost and in
                    note_spoiled(self, reconciliation, order, exchange)

    def _complete(self, reconciliation: OpenReconciliation) -> None:
        self.release_all(reconciliation)
        if reconciliation.spoiled or not reconciliation.is_complete:
            self.free(reconciliation.place)
        elif self.surely_notified(reconciliation, arrival=0.0):
            self._settles(reconciliation.place, settling=False)
            self.note_told(reconciliation.place)
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
                if self.surely_notified(reconciliation):
                    self.note_told(reconciliation.place)
                    return True
        elif inbox is not None and self._hears(inbox, reconciliation):
            self.note_told(reconciliation.place)
            return True
        self._settles(reconciliation.place, settling=True)
        self.put_off(reconciliation.place)
        return False
