"""All reconciliations of a run, and whom to blame where a lawful creation or release is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.places import Places
from conformance.engine.reconciliation_calls import ReconciliationCalls
from conformance.engine.refused_release import rule_to_blame
from conformance.engine.spoiled_places import blame_for_spoiled_places, note_spoiled
from conformance.engine.stays_active import is_blocked_for_a_time, note_blocked_for_a_time
from conformance.engine.unfinished import Hindered, HinderedForNow, Spoiled
from conformance.engine.values import Values
from conformance.errors import Doubtful, TargetUnavailable
from conformance.target.shared.calendar import LONG_SECONDS
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.periods import EARLIER, LATEST, LONG, MONTH, PERIOD
from strategies.reconciliations import Batch
from strategies.scope import Place

PAUSES_FOR_ANOTHER: Final = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds after which a place is looked at again where nothing is opened: somebody may use it by hand."""

_NOTHING_LEFT: Final = "a refused creation to leave nothing behind"

MANY_ORDERS: Final = 3
"""Of a reconciliation of so many one of which nobody knows surely that it is released is no loss."""

LEAPS: Final = 2
"""So often in a run at most."""


@dataclass(slots=True)
class Reconciliations(ReconciliationCalls):
    """All reconciliations of a run. At any time at most one of an account and channel is active."""

    current: OpenReconciliation | None = None
    """The one that a single lawful call is about, from `make_ready` to `finish_current`."""
    lent: OpenReconciliation | None = None
    """What is on the shelf for the law that is running: its orders are sent, and its reconciliation is open."""
    spare: OpenReconciliation | None = None
    """Opened to see that the one before it has ended, and not used yet."""
    blocked_for_a_time: Counter[bool] = field(default_factory=Counter)
    """How often nothing was opened at a place, and something was some time later: after a refused creation, or not."""
    waited_for_others: set[Place] = field(default_factory=set)
    """Where what others might have active was waited for in vain: whatever blocks it stays."""
    printed_codes: set[Place] = field(default_factory=set)
    """Where the order that S2 prints was sent."""
    printed_period_used: bool = False
    leaps: int = 0
    """How often periods far away were gone to, beyond those of refused creations."""

    def takes_printed_code(self, place: Place) -> bool:
        """Whether the order that S2 prints was not sent there yet; from now on it was."""
        is_new = place not in self.printed_codes
        self.printed_codes.add(place)
        return is_new

    def forget_all(self) -> None:
        """All that the target had is gone: no id is known any more, and nothing is active or refused."""
        self.current = self.lent = self.spare = None
        inbox = self.bench.session.inbox
        self.told_before = 0 if inbox is None else inbox.arrived
        for known in (
            self.ids, self.all_ids, self.not_opened, self.refused_creations, self.refused_since, self.spoiled_at,
            self.opened_at, self.blocked, self.endless, self.waited, self.ended, self.due, self.looked, self.strayed,
            self.refused_at, self.settling, self.told, self.asked, self.waited_for_others, self.blocked_for_a_time,
        ):  # fmt: skip
            known.clear()

    # -- opening ---------------------------------------------------------------------------------------------------------

    def open_for(self, batch: Batch) -> OpenReconciliation:
        """The batch with its orders sent and its reconciliation open: from the shelf, or one of its own. Raises Hindered where
        that can't be had."""
        lent, self.lent = self.lent, None
        if lent is not None:
            if lent.batch is not batch:
                raise LookupError("the shelf has other orders than the law asks for")
            return lent
        reconciliation = self.begin(batch)
        if not self.submit_orders(reconciliation):
            raise Hindered("an order for a reconciliation was refused")
        if self.create(reconciliation).status // 100 != 2:
            raise Hindered("REC-01: a proper reconciliation was refused")
        return reconciliation

    def create(
        self, reconciliation: OpenReconciliation, *, blame: bool = True, elsewhere: bool | None = None
    ) -> Exchange:
        """POST /reconciliation as the reconciliation says, until the one before it is finished.

        A refusal is noted against REC-01, unless not to `blame` or unless one that can't be completed may be active there.
        `elsewhere` (by default as `blame`) says whether to try another period first: an earlier run may have used this one.
        """
        call = creation_of(reconciliation.batch)
        with self.bench.keeping_faults() as faults:
            if blame:
                self.bench.check_worth((call, release_of(reconciliation.batch, 0)))
            exchange = self.open(reconciliation, elsewhere=blame if elsewhere is None else elsewhere)
            if exchange.is_refused:
                self.not_opened[reconciliation.place] = exchange
            if exchange.status // 100 != 2 and blame:
                self.check_free(reconciliation.place)
                self._blame(reconciliation, call, exchange, faults)
            return exchange

    def create_after_refusal(
        self, reconciliation: OpenReconciliation, broken: Sequence[Call] = (), *, while_active: bool = False
    ) -> Exchange:
        """The lawful creation after refused ones of the same period: after these `broken` copies of it, or after itself `while`
        another was `active`.

        Raises a violation of REC-09 where only another period is accepted, Hindered where none is or that may be an earlier
        run's doing.
        """
        self.note_refused(reconciliation.place)
        with self.bench.keeping_faults() as faults:
            created = self.create(reconciliation, blame=False)
            if created.status // 100 != 2:
                self._check_a_refused_one_is_to_blame(reconciliation, broken, while_active=while_active)
                faults.clear()  # they are what it has left
        if created.status // 100 == 2:
            return created
        raise Violation(
            rule="REC-09",
            expected="a period that was refused before to be free",
            actual=f"it answered {created.status}",
            exchange=created,
        )

    def _check_a_refused_one_is_to_blame(
        self, reconciliation: OpenReconciliation, broken: Sequence[Call], *, while_active: bool
    ) -> None:
        """Raises what else there may be to blame for the refusal of a lawful creation."""
        if reconciliation.doubtful:
            self.free(reconciliation.place)
            raise TargetUnavailable("a creation was refused, perhaps for one before whose answer was lost")
        self.check_free(reconciliation.place)
        self.another_period(reconciliation)
        if self.create(reconciliation).status // 100 != 2:
            raise Hindered("REC-01: a proper reconciliation was refused")
        self.finish(reconciliation)
        keeps = self._keeps_what_came_second if while_active else partial(self.keeps_refused_periods, broken=broken)
        if not keeps(reconciliation):
            raise Hindered("a period was taken, perhaps by an earlier run")

    def keeps_refused_periods(self, before: OpenReconciliation, broken: Sequence[Call]) -> bool:
        """Whether the period of a creation that is refused for the same is taken from then on, found by another such period: that
        the first was taken may be an earlier run's doing, where the target remembers those. Long ones it most likely is: there,
        and where nothing is known of the refused ones, a plain one without releases is refused."""
        if self.bench.session.in_process:
            return True
        place = before.place
        if broken and before.batch.seconds < LONG_SECONDS:
            again = self.begin(before.batch)
            beside = {name: before.values[0][name] for name in (EARLIER, LATEST, LONG) if name in before.values[0]}
            again.values = tuple(values.having(**beside) for values in again.values)
        else:
            again = self.begin(self.plainest(place))
            body = {**again.batch.creation, "releasesQtd": 0}
            broken = (Call(Endpoint.CREATE_RECONCILIATION, body=body),)
        if not self.submit_orders(again):
            return False
        for call in broken:
            if self.bench.send(call, again.values[0]).is_accepted:
                self.free(place)
                return False
        created = self.create(again, blame=False)
        self.finish(again)
        return created.status // 100 == 4

    def _keeps_what_came_second(self, before: OpenReconciliation) -> bool:
        """The same of one that is refused while another is active: whether it is refused for its period when that has ended."""
        if self.bench.session.in_process:
            return True
        active = self.begin(self.plainest(before.place))
        again = self.begin(before.batch if before.batch.seconds < LONG_SECONDS else active.batch)
        if not all(map(self.submit_orders, (active, again))):
            return False
        if not self.create(active, blame=False, elsewhere=True).is_accepted:  # a look too early has taken its period
            return False
        refused = self.bench.send(creation_of(again.batch), again.values[0])
        if refused.is_accepted:
            self.stray(active)
        self.finish(active)
        if not refused.is_refused:
            return False
        created = self.create(again, blame=False)
        self.finish(again)
        return created.status // 100 == 4

    def _blame(
        self, reconciliation: OpenReconciliation, call: Call, exchange: Exchange, faults: list[Exchange]
    ) -> None:
        """Note against whom a lawful creation was refused: one that was refused before may have been opened all the same, and
        then it is to blame for server errors too."""
        before = self.newest_at(reconciliation.place)
        if self.may_be_kept or (
            reconciliation.place in self.refused_at and self._refused_for_another(reconciliation, call)
        ):
            if before is not None and self._never_ended(before):
                raise Hindered("WFL-03: a reconciliation does not end though all of its releases are in")
            actual = f"since one was refused, a proper one got {exchange.status}"
            self.bench.observe("REC-09", _NOTHING_LEFT, actual, exchange)
            self.bench.hindered(f"REC-09: {actual}")
            faults.clear()
            self.free(reconciliation.place)
        else:
            self.bench.is_accepted(call, exchange, reconciliation.refused_for)

    def check_says_something(self, reconciliation: OpenReconciliation, refused: Exchange) -> None:
        """Raises Hindered where the refusal of a lawful creation says nothing of it."""
        place, call = reconciliation.place, creation_of(reconciliation.batch)
        self.check_free(place)
        if not self.may_be_kept and place in self.refused_at and self._refused_for_another(reconciliation, call):
            self.bench.observe(
                "REC-09", _NOTHING_LEFT, f"since one was refused, a proper one got {refused.status}", refused
            )
        if self.may_be_kept:
            raise Hindered("REC-09: what was refused before may have kept the period, or be active")

    def _never_ended(self, before: OpenReconciliation) -> bool:
        """Whether the one that was opened last at a place was seen to go on for ever, and nothing has told its end."""
        return before.place in self.endless and self.bench.session.inbox is not None and not self.notified(before)

    def _refused_for_another(self, reconciliation: OpenReconciliation, call: Call) -> bool:
        """Whether a creation is refused for what a refused one left: its period taken, or a reconciliation open. Not where the
        plainest one is opened and this one is not, far from the refused ones either: then it is itself at fault."""
        if self.opens(reconciliation.batch):
            return True
        if any(map(self.opens, self.unlike(reconciliation.batch)[:2])):
            return self._opens_far_away(reconciliation.batch)
        return reconciliation.place in self.opened_at or self._opens_when_freed(reconciliation, call)

    def _opens_far_away(self, batch: Batch) -> bool:
        """Whether it is opened beyond all periods that creations of this run were refused for: some last for weeks. Not often:
        there are only so many years."""
        if self.leaps == LEAPS:
            return False
        self.leaps += 1
        self.calendar.elsewhere(batch.seconds, beyond=2 * MONTH)
        return self.opens(batch)

    def opens(self, batch: Batch) -> bool:
        """Whether a reconciliation is opened in a period of its own; it is completed, and in no counterexample's story."""
        story = list(self.bench.story)
        again = self.begin(batch)
        opened = self.submit_orders(again) and self.create(again, blame=False).is_accepted
        self.finish(again)
        self.bench.story[:] = story
        return opened

    def _opens_when_freed(self, reconciliation: OpenReconciliation, call: Call) -> bool:
        """Whether it is opened when the mock has forgotten what is active there."""
        if self.bench.session.control is None:
            return False
        story = list(self.bench.story)
        self.free(reconciliation.place)
        self.another_period(reconciliation)
        opened = self.bench.send(call, reconciliation.values[0]).status // 100 == 2
        self.free(reconciliation.place)
        self.bench.story[:] = story
        return opened

    def check_free(self, place: Place) -> None:
        """Raises Hindered where a refusal at this place would say nothing, or may be for one that somebody else has active there:
        not even the plainest is opened then, and one is when theirs has ended."""
        if place in self.blocked and self.bench.notes is None:
            blame_for_spoiled_places(self)
        Places.check_free(self, place)
        session = self.bench.session
        if session.control is not None or session.in_process or place in self.waited_for_others:
            return
        if self._opens_another(place):
            return
        refusal = self.not_opened.get(place)
        if refusal is not None and place in self.refused_at and is_blocked_for_a_time(self):  # as was seen often enough
            actual = f"since one was refused, a proper one got {refusal.status}"
            raise Hindered(f"REC-09: {actual}")
        self.waited_for_others.add(place)
        waiting = session.waiting.begin("what others may have going on there to be finished")
        for seconds in PAUSES_FOR_ANOTHER:
            if session.waiting.at_most is not None and waiting.waited + seconds > session.waiting.at_most:
                break
            waiting.on(seconds)
            if self._opens_another(place):
                self.waited_for_others.discard(place)
                self.blocked_for_a_time[place in self.refused_at] += 1
                note_blocked_for_a_time(self, place)
                raise HinderedForNow(f"on account {place.account} one was active that is none of this run")

    # -- releasing -------------------------------------------------------------------------------------------------------

    def released(self, reconciliation: OpenReconciliation, order: int) -> bool:
        """Whether the lawful release of an order is accepted; if not, that is noted against the rule to blame for it."""
        with self.bench.keeping_faults() as faults:
            exchange = self.release(reconciliation, order)
            self.bench.met(release_of(reconciliation.batch, order), exchange)
            if exchange.status // 100 == 2:
                return True
            reconciliation.spoiled = True
            if reconciliation.doubtful and self.bench.notes is None:
                raise TargetUnavailable("a release was refused, perhaps for one before whose answer was lost")
            self._blame_for_release(reconciliation, order, exchange, faults)
        return False

    def _blame_for_release(
        self, reconciliation: OpenReconciliation, order: int, exchange: Exchange, faults: list[Exchange]
    ) -> None:
        """Note against whom a lawful release was refused: what is left of a refused one is to blame for server errors too. Raises
        Spoiled where it is tried ahead of its scenario's turn."""
        if self.bench.notes is not None:
            note_spoiled(self, reconciliation, order, exchange)
            raise Spoiled(f"a lawful release got {exchange.status}")
        rule = rule_to_blame(self, reconciliation, order)
        if rule == "REL-18":
            faults.clear()
            # It may be gone, or another, since it was asked for.
            self.bench.check_asking_leaves(reconciliation.batch.orders[order], reconciliation.place)
        self.bench.observe(rule, "the release to be accepted", f"it answered {exchange.status}", exchange)
        self.bench.hindered(f"{rule}: a lawful release got {exchange.status}")

    # -- one lawful call -------------------------------------------------------------------------------------------------

    def ready(self, call: Call) -> Values | None:
        """Values for a lawful creation or release, all that must come before it done; None where that can't be had."""
        assert call.batch is not None
        reconciliation = self.begin(call.batch)
        if not self.submit_orders(reconciliation):
            return None
        self.current = reconciliation
        if call.endpoint is Endpoint.SUBMIT_RELEASE and self.create(reconciliation).status // 100 != 2:
            return None
        return reconciliation.values[0]

    def follow(self, call: Call, exchange: Exchange, *, lawful: bool = True) -> Exchange:
        """Take note of what became of the call for which all was made ready; a broken one that was accepted spoils it."""
        if not lawful and not exchange.is_accepted:
            self.was_refused(call)
        if self.current is not None and exchange.status // 100 == 2:
            if not lawful:
                self.stray(self.current)
            elif call.endpoint is Endpoint.CREATE_RECONCILIATION:
                self.take_id(self.current, exchange)
            else:
                self.current.released.add(0)
        return exchange

    def was_refused(self, call: Call) -> None:
        """Take note that a broken copy of the call for which all was made ready was refused, before the lawful one."""
        if self.current is not None:
            self.current.after_refusal = True
            if call.endpoint is Endpoint.CREATE_RECONCILIATION:
                self.note_refused(self.current.place)

    def is_accepted(self, call: Call, exchange: Exchange, faults: list[Exchange]) -> bool:
        """Whether the lawful call for which all was made ready was accepted; if not, that is noted against the rule to blame
        for it: something refused before may have left a trace, and is then to blame for the kept server errors too."""
        if exchange.is_accepted or self.current is None:
            return self.bench.is_accepted_after_refusal(call, exchange, faults)
        if call.endpoint is Endpoint.CREATE_RECONCILIATION:
            self._blame(self.current, call, exchange, faults)
        else:
            self._blame_for_release(self.current, 0, exchange, faults)
        return False

    def finish_current(self) -> None:
        """Complete what `ready` and the call opened."""
        reconciliation, self.current = self.current, None
        if reconciliation is not None:
            self.finish(reconciliation)

    # -- whole -----------------------------------------------------------------------------------------------------------

    def run_through(self, batch: Batch) -> OpenReconciliation:
        """Open, release and complete a batch that is plainly lawful. Raises Hindered where that can't be had."""
        reconciliation = self.begin(batch)
        self.run(reconciliation)
        return reconciliation

    def run(self, reconciliation: OpenReconciliation) -> None:
        """The same for a reconciliation that was begun."""
        if not self.submit_orders(reconciliation):
            raise Hindered("an order for a reconciliation was refused")
        if self.create(reconciliation).status // 100 != 2:
            raise Hindered("REC-01: a proper reconciliation was refused")
        try:
            for order in range(len(reconciliation.batch.orders)):
                if not self._is_in(reconciliation, order):
                    raise Hindered("an exact release was refused")
        finally:
            self.finish(reconciliation)

    def _is_in(self, reconciliation: OpenReconciliation, order: int) -> bool:
        """Whether an order is released: its lawful release is accepted; or its answer lost, and the same refused when it was sent
        again, of one of many. With so many releases some answer is lost in each try on a bad day."""
        try:
            return self.released(reconciliation, order)
        except Doubtful:
            is_one_of_many = len(reconciliation.batch.orders) >= MANY_ORDERS and order in reconciliation.lost
            if not is_one_of_many or self.bench.notes is not None:
                raise
            return True

    def is_free(self, place: Place, then: Batch | None = None) -> bool:
        """Whether no reconciliation is active there, found by opening and completing one; or by opening the one that most likely
        comes `then`: `take_spare` gives it, and `finish_spare` is to follow."""
        if self.bench.session.control is not None:
            self.endless.discard(place)
        try:
            if then is None:
                self.run_through(self.plainest(place))
            else:
                self.spare = self.bench.openings_at_once.open_for(then)
        except Hindered:
            if place not in self.endless:
                raise
        return place not in self.endless

    def opened_after(self, place: Place) -> OpenReconciliation:
        """Another that is open there, which shows that the one before has ended. Raises Hindered where it goes on, or that can't
        be had."""
        if self.bench.session.control is not None:
            self.endless.discard(place)
        another = self.begin(self.plainest(place))
        if not self.submit_orders(another):
            raise Hindered("an order for a reconciliation was refused")
        is_open = self.create(another, blame=False).is_accepted
        if not is_open or place in self.endless:
            self.finish(another)
            raise Hindered("WFL-03: a reconciliation does not end though all of its releases are in")
        return another

    def first_of(self, place: Place, seconds: int) -> OpenReconciliation | None:
        """The one that was opened first there of those whose periods last so long."""
        return next((one for one in self.ids.values() if one.place == place and one.batch.seconds == seconds), None)

    def lying_alone(self, place: Place, seconds: int) -> OpenReconciliation | None:
        """One whose period lasts so long, and as much again is free on both of its sides."""
        spans = [
            (
                one,
                begins := datetime.fromisoformat(one.values[0][PERIOD]),
                begins + timedelta(seconds=one.batch.seconds),
            )
            for one in self.ids.values()
        ]
        around = timedelta(seconds=seconds)
        for one, begins, ends in spans:
            beside = (ends + around > other and begins - around < end for two, other, end in spans if two is not one)
            if one.place == place and one.batch.seconds == seconds and not any(beside):
                return one
        return None

    def take_spare(self, batch: Batch) -> OpenReconciliation | None:
        """What was opened for one as plain as this batch, with orders of as many extracts, if that was."""
        if self.spare is None or _measures(self.spare.batch) != _measures(batch):
            self.finish_spare()
        spare, self.spare = self.spare, None
        return spare

    def finish_spare(self) -> None:
        """Complete what was opened for one that did not come."""
        spare, self.spare = self.spare, None
        if spare is not None:
            self.finish(spare)


def _measures(batch: Batch) -> tuple[object, ...]:
    """All in which one plain batch differs from another."""
    return batch.place, batch.seconds, batch.creation["releasesQtd"], [len(order["extracts"]) for order in batch.orders]
