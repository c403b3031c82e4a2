"""What keeps a run at a target outside this process from doing harm: the budget, the ledger of what it creates, its turn on
each channel, and the clearing away of all that, for itself and for runs that were killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from conformance.errors import TargetUnavailable
from conformance.run.recovery import GONE_AT_MOST, Recovery, in_words, title
from conformance.run.recovery_client import RecoveryClient
from conformance.target.config import Target
from conformance.target.shared.budget import Budget, DocumentedLimits, NoLimits
from conformance.target.shared.calendar import Calendar
from conformance.target.shared.channels import Channels
from conformance.target.shared.ledger import Ledger, Opened, OrderId, fields_of, order_id
from conformance.target.shared.lenient import Place, own_places, the_only, whole_id
from conformance.target.shared.runs import Run, bury, forget_origin, is_alive, known_runs, origin_of, take
from conformance.target.shared.store import LoggedStore, open_store
from conformance.target.shared.store_base import Store
from conformance.target.waiting import Waiting
from conformance.target.wire.client import KonciliClient

RECOVERY_SERIALS: Final = 9_000_000
"""The serial numbers of orders that only fill up reconciliations begin here, far from those of the scenarios."""

_RESCUE: Final = "rescue/"


@dataclass(slots=True)
class Live:
    """The run's dealings with what the runs of its integrator share."""

    target: Target
    waiting: Waiting
    store: LoggedStore
    run: Run
    ledger: Ledger
    budget: Budget
    channels: Channels = field(init=False)
    recovery: Recovery = field(init=False)
    spared: set[OrderId] = field(default_factory=set)
    """Orders that are still needed: what is put off to the end of the run asks for them."""

    @classmethod
    def begin(cls, target: Target, waiting: Waiting) -> Live:
        """Open the store that the target names, and say there that this run is going on. Raises CannotRun."""
        store = open_store(target)
        try:
            run = Run(store)
            waiting.meanwhile = run.sign
            budget = budget_of(target, store, waiting, record=run.record)
            live = cls(target, waiting, store, run, Ledger(store, run.id, target.base_url), budget)
            live.channels = Channels(store, run, waiting)
            run.begin(target.base_url)
            store.share_with_others()
        except BaseException:
            store.close()
            raise
        return live

    def attach(self, client: KonciliClient, calendar: Calendar, run_number: int) -> None:
        """Clear away by this client, with orders of this run's number."""
        serials = count(RECOVERY_SERIALS)
        client.sender.before_creation = self._take_turn
        recovery_client = RecoveryClient(
            client,
            self.ledger,
            new_code=lambda: f"701-{run_number:07d}-{next(serials):07d}",
            new_period=calendar.allot,
            wait=self.waiting.begin,
            places=self._own_places,
            errors_left=self._errors_left,
            is_settling=self.channels.is_settling,
        )
        self.recovery = Recovery(recovery_client)

    def _take_turn(self, creation: bytes) -> None:
        """Before a reconciliation is opened: no other run has one on a channel of the target."""
        channel = the_only(fields_of(creation).get("channelName"))
        if isinstance(channel, str) and channel in self._own_channels:
            self.hold_channels()

    def _errors_left(self) -> int | None:
        budget_status = self.budget.status()
        return budget_status.left if budget_status else None

    @property
    def _own_places(self) -> list[Place]:
        return [Place(place.id, place.channel) for place in self.target.accounts]

    @property
    def _own_channels(self) -> set[str]:
        return {place.channel for place in self.target.accounts}

    def hold_channels(self) -> None:
        """Hold every channel of the target: scenarios seldom need one alone. What dead runs left active there is completed."""
        if not self.channels.hold(self._own_channels):
            return
        try:
            for run in Ledger.blocking(self.store):
                if run in self.dead_runs:
                    self.rescue(run)
        except BaseException:
            self.channels.let_go_of_all()
            raise

    # -- other runs --------------------------------------------------------------------------------------------------

    @property
    def dead_runs(self) -> list[str]:
        """The runs at this base URL that were killed and have left something. Those with reconciliations come first: the orders
        of another may have gone into these."""
        return [run for run in dead_runs(self.store) if run != self.run.id and self._was_here(run)]

    def _ledger_of(self, run: str) -> Ledger:
        """What another run at this base URL has left."""
        return Ledger.of(self.store, run, self.target.base_url)

    def _was_here(self, run: str) -> bool:
        return origin_of(self.store, run) in {None, self.target.base_url}

    @property
    def running(self) -> list[str]:
        """When the other runs that are going on began."""
        known = known_runs(self.store)
        return [about["startedAt"] for run, about in known.items() if run != self.run.id and is_alive(self.store, run)]

    def rescue(self, run: str) -> None:
        """Finish what a dead run has left, unless somebody is at it. Raises TargetUnavailable and CannotRun; then its ledger
        stays."""
        lock = _RESCUE + run
        if lock in self.run.locks:
            return
        if self._ledger_of(run).left.opened:  # before the lock: whoever has the channels can wait for nobody
            self.hold_channels()
        if not take(self.store, lock, self.run.id):
            return
        self.run.locks.add(lock)
        try:
            bury(self.store, run)
            ledger = self._ledger_of(run)
            with self.budget.clearing_away():
                whole = self._complete_all(ledger)
                self.recovery.delete_orders(ledger)
                if whole:
                    self.recovery.forget_reconciled(ledger)
            if not any(ledger.left):
                forget_origin(self.store, run)
        finally:
            self.run.locks.discard(lock)
            self.store.unlock(lock, self.run.id)

    def rescue_all(self) -> None:
        """Finish what all dead runs have left, as far as that can be done now; nor does anything stay of what that took.

        Raises CannotRun.
        """
        self.recovery.no_rule_needs_more()
        completed = self.recovery.report.completed
        self._rescue_each()
        if self.recovery.report.completed > completed and self._left_by_dead_runs():
            # What one run left may have been in the way of seeing what another did.
            again = [title(opened) for opened in self._left_by_dead_runs()]
            undone = self.recovery.report.undone
            undone[:] = [line for line in undone if not any(line.startswith(f"{one} may") for one in again)]
            self.recovery.given_up.clear()
            self._rescue_each()
        try:
            self.tidy(last=True)
        except TargetUnavailable as error:
            self.recovery.report.undone.append(str(error))
        left = [title(opened) for run in self.dead_runs for opened in self._ledger_of(run).left.opened]
        gone = set(left) - {title(opened) for opened in self._left_by_dead_runs()}
        undone = self.recovery.report.undone
        undone[:] = [line for line in undone if not any(line.startswith(f"{one} may") for one in gone)]
        self.recovery.forget_reconciled(self.ledger)

    def _rescue_each(self) -> None:
        for run in self.dead_runs:
            try:
                self.rescue(run)
            except TargetUnavailable as error:
                self.recovery.report.undone.append(str(error))

    def _complete_all(self, ledger: Ledger) -> bool:
        """Complete what is on a ledger, and remember that the target may still be reconciling it."""
        return self._complete(ledger, ledger.left.opened)

    def _complete(self, ledger: Ledger, some: Sequence[Opened]) -> bool:
        channels = {place.channel for opened in some for place in self._places_of(opened)}
        tried = [opened for opened in some if opened.key not in self.recovery.given_up]
        whole = self.recovery.complete_each(ledger, some)
        for channel in channels if tried else ():
            self.channels.settles(channel, settling=True)
        return whole

    def _places_of(self, opened: Opened) -> tuple[Place, ...]:
        return own_places(opened.account, opened.channel, self._own_places)

    # -- this run ----------------------------------------------------------------------------------------------------

    def spare(self) -> None:
        """Keep the orders that are there now until the end of the run."""
        self.spared.update(self.ledger.left.orders)

    def refused(self, submission: bytes) -> None:
        """A submission was refused: of an order that is there it was an update."""
        order = order_id(fields_of(submission))
        if order in self.ledger.left.orders:
            self.recovery.doubtful.add(order)

    def tidy(self, *, last: bool = False) -> None:
        """After a scenario: complete what it left active, delete its orders, let others have the channels. What a creation that
        was sent again has left, most likely nothing, is seen by the next creation, and looked up the `last` time.

        Raises TargetUnavailable and CannotRun.
        """
        with self.budget.clearing_away():
            self._complete(self.ledger, [opened for opened in self.ledger.left.opened if last or not opened.doubled])
            later = frozenset[OrderId]() if last else frozenset(self.recovery.client.unsure)
            self.recovery.delete_orders(self.ledger, but=later | self.spared)
        self.channels.let_go_of_all()

    def abandoned(self) -> None:
        """The mock has forgotten what was active."""
        for opened in self.ledger.left.opened:
            self.ledger.closed(opened)
            self.channels.settles(str(opened.channel), settling=False)

    def free(self, channel: str) -> bool:
        """Complete what this run may have active on a channel; whether nothing is left there."""
        mine = [opened for opened in self.ledger.left.opened if self._may_block(opened, channel)]
        with self.budget.clearing_away():
            return self._complete(self.ledger, mine)

    def find_refused(self, account: int, channel: str) -> bool:
        """Complete what is active there though its creation was refused, as of a gateway that delivered it twice and gave the
        second answer; whether there was such a thing. Each creation that was refused there costs a client error."""
        with self.budget.clearing_away():
            return self.recovery.find_refused(self.ledger, Place(account, channel))

    def is_blocked(self, channel: str) -> bool:
        """Whether something of this run may be active on a channel."""
        return any(self._may_block(opened, channel) for opened in self.ledger.left.opened)

    def has_lost(self, account: int, channel: str) -> bool:
        """Whether something of this run may be active on an account whose id nobody knows."""
        return any(
            opened.id is None
            and any((whole_id(at.account), at.channel) == (account, channel) for at in self._places_of(opened))
            for opened in self.ledger.left.opened
        )

    def _may_block(self, opened: Opened, channel: str) -> bool:
        return opened.channel == channel or any(place.channel == channel for place in self._places_of(opened))

    def finish(self) -> None:
        """At the end of the run: clear away all that can be. What can't stays on the ledger, for `cleanup`.

        Raises TargetUnavailable and CannotRun; the report tells what is left also then.
        """
        self.spared.clear()
        self.ledger.deliver_no_more()
        self.recovery.try_all_again()
        try:
            self.tidy(last=True)
        finally:
            self.ledger.forget_reconciled()
            self.recovery.report.undone += self._left_words()

    def _left_words(self) -> list[str]:
        """What of this run is left, and what earlier ones left active for good."""
        left, told = self.ledger.left, "\n".join(self.recovery.report.undone)
        lines = [f"{len(left.orders)} orders of this run{self._gone_words()}"] if left.orders else []
        for opened in (*left.opened, *self._left_by_dead_runs()):
            if title(opened) not in told:
                lines.append(in_words(opened, opened.why))
        return lines

    def _left_by_dead_runs(self) -> list[Opened]:
        """What dead runs have left active, but where a reconciliation was opened since."""
        stays = []
        for run in self.dead_runs:
            ledger = self._ledger_of(run)
            for opened in ledger.left.opened:
                places = self._places_of(opened)
                if places and all(
                    (whole_id(place.account), place.channel) in self.ledger.opened_at for place in places
                ):
                    ledger.closed(opened)
                else:
                    stays.append(opened)
        return stays

    def _gone_words(self) -> str:
        gone = self.recovery.gone.total()
        return (
            f", gone already like the {gone} last ones that were to be deleted, perhaps" if gone >= GONE_AT_MOST else ""
        )

    def close(self) -> None:
        """Say that the run has ended. Where something is left that is `cleanup`'s to find, the run counts as dead."""
        try:
            self.ledger.forget_reconciled()
            self.channels.let_go_of_all()
            self.run.end()
            if not any(self.ledger.left):
                forget_origin(self.store, self.run.id)
        finally:
            self.budget.close()
            self.store.close()


def budget_of(target: Target, store: Store, waiting: Waiting, *, record: str | None = None) -> Budget:
    """The budget that a target demands; `record` is that of the run, where one is going on."""
    if not target.has_budget:
        return NoLimits()
    paced = target.pace == "documented"
    return DocumentedLimits(store, target.error_budget, waiting, paced=paced, record=record)


def dead_runs(store: Store) -> list[str]:
    """The runs that were killed and have left something, wherever."""
    known = (*Ledger.blocking(store), *Ledger.runs(store), *known_runs(store))
    return [run for run in dict.fromkeys(known) if not is_alive(store, run)]


def left_elsewhere(target: Target, store: Store) -> list[str]:
    """What killed runs of the integrator have left at other base URLs, and the remedy."""
    origins = [origin_of(store, run) for run in dead_runs(store)]
    elsewhere = sorted({origin for origin in origins if origin is not None} - {target.base_url})
    return [
        f"a run that was killed has left something at {base_url}: only `koncili-conformance cleanup` with a target file of that "
        "base_url clears it away"
        for base_url in elsewhere
    ]
