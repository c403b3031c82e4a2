"""The notifications of a run's reconciliations: what has come, and which ended without any."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from conformance.engine.hearing import Hearing
from conformance.engine.open_reconciliation import OpenReconciliation, is_about
from conformance.engine.places import Places
from conformance.engine.unfinished import Hindered
from conformance.target.inbox import Inbox, Received
from conformance.target.wire.exchange import Exchange
from conformance.verdict.evidence import Outcome
from strategies.scope import Place

ARRIVAL_SECONDS: Final = 0.3
"""How long a notification that is on its way may take over a socket."""

HEARING_SECONDS: Final = 10.0
"""How long to listen before the other runs are told that this one is going on."""

LATE_SECONDS: Final = 30.0
"""So long after its reconciliation was known to have ended a notification may still come: no document says how soon it does."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """A reconciliation that has ended without a notification."""

    reconciliation: OpenReconciliation
    opened_after: Exchange
    """The creation that was accepted after it at its place."""
    since: float
    """When that was, by the clock of the waits."""


@dataclass(slots=True)
class Notices(Places):
    """Hears what the target notifies."""

    hearing: Hearing = field(default_factory=Hearing)
    _unheard: dict[int, Unheard] = field(default_factory=dict)
    """By id: those that had ended before their notification came."""
    told_before: int = 0
    """How many notifications had arrived when all was gone that they told of: ids may be given again since."""

    def notified(self, reconciliation: OpenReconciliation, arrival: float = ARRIVAL_SECONDS) -> Received | None:
        """The notification that it is completed, if it has come or comes within so many seconds; in process it has come."""
        inbox = self.bench.session.inbox
        if inbox is None:
            return None
        return inbox.wait_for(
            lambda one: is_about(one, reconciliation), 0.0 if self.bench.session.in_process else arrival
        )

    def note_told_before(self, reconciliation: OpenReconciliation, created: Exchange) -> None:
        """It was just opened: what told before that it is completed breaks NTF-01, and tells nothing of it."""
        inbox = self.bench.session.inbox
        known = inbox.received if inbox is not None else []
        reconciliation.told_before = tuple(one for one in known if is_about(one, reconciliation))
        if reconciliation.told_before:
            actual = f"one of reconciliation {reconciliation.id} came before it was open"
            self.bench.observe("NTF-01", "a notification of each reconciliation once it has ended", actual, created)

    def surely_notified(self, reconciliation: OpenReconciliation, arrival: float = ARRIVAL_SECONDS) -> bool:
        """Whether it was notified, where notifications are not known to tell of others than they are about."""
        scenarios = self.bench.session.evidence.scenarios.values()
        if any(one.rule == "NTF-01" and one.outcome is Outcome.FAILED for one in scenarios):
            return False
        return self.notified(reconciliation, arrival) is not None

    def tells_ends(self, place: Place) -> bool:
        """Whether the target notifies, and has notified of whatever ended there."""
        unheard = any(one.reconciliation.place == place for one in self._unheard.values())
        return self.bench.session.inbox is not None and not unheard

    def never_notified(self) -> list[Unheard]:
        """Those that have ended and of which none has come by now. Where refused creations are known to change what is active,
        nobody knows of one during which one was refused whether it has ended."""
        changes = "REC-09" in self.bench.session.evidence.observed
        return [
            one
            for one in self._unheard.values()
            if self.notified(one.reconciliation, arrival=0.0) is None
            and not (changes and one.reconciliation.refused_beside is not None)
        ]

    def hear_out(self) -> list[Unheard]:
        """The same when all of them have had their time. Raises Hindered where the user does not want to wait so long."""
        for one in self.never_notified():
            time = self.hearing.worth(LATE_SECONDS) if self.hearing.heard_out else LATE_SECONDS
            left = one.since + time - self.clock
            if left > self._at_most(left):
                raise Hindered("a notification may still come, and --max-wait ends the wait for it")
            if left > 0 and self.notified(one.reconciliation, arrival=0.0) is None:
                self.bench.session.pause("notifications that may come late", left)
        silent = self.never_notified()
        self.hearing.heard_out = self.hearing.heard_out or bool(silent)
        return silent

    def _at_most(self, seconds: float) -> float:
        """So many, or as many as one wait may take."""
        at_most = self.bench.session.waiting.at_most
        return seconds if at_most is None else min(seconds, at_most)

    def _hears(self, inbox: Inbox, reconciliation: OpenReconciliation) -> bool:
        """Whether a notification comes in all the time that is waited."""
        session, began = self.bench.session, self.clock
        until = began + self._at_most(self.hearing.worth(self.patience))  # that it has ended may show without one
        while (left := until - self.clock) > 0:
            if inbox.wait_for(lambda one: is_about(one, reconciliation), min(left, HEARING_SECONDS)):
                self.hearing.came(self.clock - began)
                self.note_taken(self.clock - began)
                return True
            session.sign()
        self.hearing.missed = True
        return False

    def _note_unheard(self, ended: OpenReconciliation | None, opened_after: Exchange) -> None:
        """It has ended, since another was opened after it; take note of it where no notification has told that."""
        if self.bench.session.inbox is None or ended is None or ended.id is None or ended.may_fail:
            return
        if ended.is_complete and not ended.spoiled and self.notified(ended, arrival=0.0) is None:
            self._unheard[ended.id] = Unheard(ended, opened_after, self.clock)
            self.hearing.missed = True
