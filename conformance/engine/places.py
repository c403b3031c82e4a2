"""What a run knows of each account and channel: whether something may be active there that can't be completed, and how long the
ones before took."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from conformance.engine.bench import Bench
from conformance.engine.plain_ones import PlainOnes
from conformance.engine.room import Room
from conformance.engine.unfinished import Hindered
from conformance.target.shared.reconciling import Taking, note_reconciling
from strategies.scope import Place, Scope

PATIENCE_SECONDS, GREAT_PATIENCE_SECONDS = 90.0, 7200.0
"""How long one and the same reconciliation is waited for in all on a target whose clock can't be moved; and with --patient."""

OTHERS_SECONDS, OTHERS_TIMES = 150.0, 3.0
"""So long it is waited for where others were seen to end, or so many times as long as those took: it may only be late."""

LONG_OVER_SECONDS, LONG_OVER_TIMES = 10.0, 4.0
"""After so long, or so many times as long as others took, something else is active there."""

LOOKED_AGAIN_SECONDS: Final = 90.0
"""How long after a refusal a place is looked at again where one may be active that does not end: each look may cost a client
error."""


@dataclass(slots=True)
class Places:
    """The places of a run, and why a refusal at one may say nothing."""

    bench: Bench
    opened_at: set[Place] = field(default_factory=set)
    """Where one was opened in this run."""
    blocked: set[Place] = field(default_factory=set)
    """Where one may be active that can't be completed: a refusal there says nothing."""
    endless: set[Place] = field(default_factory=set)
    """Where one did not end in all the time that was waited."""
    waited: dict[Place, float] = field(default_factory=dict)
    """Seconds that were waited for the one that is going on there."""
    ended: dict[Place, float] = field(default_factory=dict)
    """When the last one there had all its releases, by the clock of the waits, where nothing says that it is finished."""
    due: dict[Place, float] = field(default_factory=dict)
    """Until when the next one there is put off, by the same clock: as long as the target takes."""
    looked: dict[Place, float] = field(default_factory=dict)
    """When a place was seen to be blocked, by that clock."""
    strayed: set[Place] = field(default_factory=set)
    """Where something was opened that should not have been: nobody knows which periods it has taken for good."""
    takes: Taking = field(default_factory=Taking)
    """How long the target takes to reconcile, where it does not notify."""
    is_told: bool = False
    """Whether the target file or an earlier run says so."""
    _taken: float = 0.0
    """The most seconds that a notification was seen to take in this run."""
    refused_at: set[Place] = field(default_factory=set)
    """Where a creation was refused as it should be, and none was accepted since."""
    takes_plain: PlainOnes = field(default_factory=PlainOnes)
    """Which plain ones the target takes."""
    settling: set[Place] = field(default_factory=set)
    """Where one was completed and nothing says that it is finished."""
    told: dict[Place, float] = field(default_factory=dict)
    """When a notification told that the last one there has ended, by the clock of the waits."""
    room: Room = field(default_factory=Room)
    """How long after that the next one is kept out."""

    def note_refused(self, place: Place) -> None:
        """A creation was refused there as it should be."""
        self.refused_at.add(place)

    @property
    def scope(self) -> Scope:
        """What strategies of reconciliations draw from: the places that are not known to be blocked."""
        self.look_again()
        free = tuple(place for place in self.bench.scope.places if place not in self.blocked)
        return replace(self.bench.scope, places=free or self.bench.scope.places, shortest=self.takes_plain.shortest)

    @property
    def shared_scope(self) -> Scope:
        """The same for what shares reconciliations: they are opened on two places, so that there are few of them."""
        scope = self.scope
        if self.bench.session.profile.refusals_per_kind != 1:  # then each has its own anyway
            return scope
        return replace(scope, opened_at=(scope.places[0], scope.places[-1]))

    def soonest(self) -> Place:
        """Where the next one need be waited for least, of two places that are known to take any."""
        places = self.scope.places
        able = [place for place in (places[0], places[-1]) if place in self.opened_at - self.endless - self.strayed]
        return min(able, key=lambda place: self.due.get(place, 0.0), default=places[0])

    def look_again(self) -> None:
        """It may have been possible since to complete what blocked them."""
        live = self.bench.session.live
        if live is not None:
            self.blocked = {place for place in self.blocked if live.is_blocked(place.channel)}

    @property
    def pause(self) -> float:
        """Seconds that the target takes to reconcile, as far as is known where it does not notify."""
        return self._at_least(self.takes.pause)

    def _at_least(self, seconds: float) -> float:
        """So long, or as long as was seen while things were cleared away, if nothing else is known."""
        live = self.bench.session.live
        return max(seconds, live.recovery.client.pause) if live is not None and self.takes.by_then is None else seconds

    @property
    def clock(self) -> float:
        """Seconds, by the clock by which is waited."""
        return self.bench.session.waiting.clock()

    def passed(self, place: Place) -> float:
        """Seconds since the last one there had all its releases; 0 where nobody knows."""
        return self.clock - self.ended[place] if place in self.ended else 0.0

    def learn(self, place: Place, *, after: float = 0.0) -> None:
        """The last one there has ended by now; it went on after so many seconds, if that was looked at."""
        live = self.bench.session.live
        if place not in self.ended:
            return
        before = self.takes.estimate
        self.takes.learn(after, self.passed(place))
        if live is not None and self.takes.estimate != before:
            note_reconciling(live.store, self.bench.session.target.base_url, self.takes.estimate)

    def note_taken(self, seconds: float) -> None:
        """The target took about so long to reconcile: plans of later runs tell it."""
        live = self.bench.session.live
        if seconds > self._taken and live is not None:
            self._taken = seconds
            note_reconciling(live.store, self.bench.session.target.base_url, seconds)

    @property
    def patience(self) -> float:
        """Seconds that one and the same reconciliation is waited for in all."""
        if self.bench.session.patient:
            return GREAT_PATIENCE_SECONDS
        return max(OTHERS_SECONDS if self._knows_ends else PATIENCE_SECONDS, OTHERS_TIMES * self.pause)

    @property
    def _knows_ends(self) -> bool:
        """Whether one was seen to end, or somebody has said how long that takes."""
        session = self.bench.session
        known = self.is_told or self.takes.by_then is not None or self._taken > 0
        return known or session.control is not None or session.patient

    def is_long_over(self, passed: float) -> bool:
        """Whether one would have ended long before so many seconds, as far as others show."""
        return self._knows_ends and passed > max(LONG_OVER_SECONDS, LONG_OVER_TIMES * self.pause)

    def check_ends_are_known(self) -> None:
        """Raises Hindered where that one does not end may be since the target takes longer than was waited for any."""
        if not self._knows_ends:
            raise Hindered(
                f"no reconciliation was seen to end within {PATIENCE_SECONDS:g} s of its last release: "
                "if the target takes longer, say how long in its target file (reconciles_in), or run with --patient"
            )

    def put_off(self, place: Place) -> None:
        """The next one there comes after as long as the target takes: until then other things can be done."""
        self.ended[place] = self.clock
        self.due[place] = self.ended[place] + self.pause
        # What is still to be waited for comes on top: else the pause would stay too short for ever.
        self.waited[place] = self.waited.get(place, 0.0) + self.pause

    def note_told(self, place: Place) -> None:
        """A notification tells that the last one there has ended; where that leaves no room yet, the next one is put off."""
        self.told[place] = self.clock
        if self.room.after and self.bench.session.control is not None:
            self.bench.let_pass("room for the next reconciliation", self.room.after)
        elif self.room.after:
            self.due[place] = self.clock + self.room.after

    def let_end(self, place: Place | None = None, *, may_be_early: bool = False) -> None:
        """Before anything is sent that may open one there, or anywhere: wait for as long as the ones before were put off, or for
        as long as a look is worth it where that may be too early."""
        for one in (place,) if place is not None else tuple(self.due):
            until = self.due.pop(one, 0.0)
            if may_be_early and one in self.ended:
                until = min(until, self.ended[one] + self._at_least(self.takes.worth_a_look))
            if (left := until - self.clock) > 0:
                self.bench.session.pause("a reconciliation to be finished", left)

    def check_not_blocked(self, place: Place) -> None:
        self.look_again()
        if place in self.blocked:
            raise Hindered(f"account {place.account} has a reconciliation that could not be completed")

    def _check_worth_a_look(self, place: Place) -> None:
        """Raises Hindered where one was active a moment ago that does not end."""
        self.look_again()
        since = self.clock - self.looked.get(place, float("-inf"))
        if self.bench.session.control is None and since < LOOKED_AGAIN_SECONDS:
            if place in self.endless:
                self.check_ends_are_known()
                raise Hindered(f"account {place.account} is still reconciling one that does not end")
            self.check_not_blocked(place)

    def check_place(self, place: Place) -> None:
        """Before creations at once: raises Hindered where what is active there is known to be in their way."""
        live = self.bench.session.live
        if live is not None:
            live.hold_channels()
        self._check_worth_a_look(place)
        self.check_not_blocked(place)

    def check_free(self, place: Place) -> None:
        """Raises Hindered where a refusal at this place would say nothing."""
        self.check_not_blocked(place)
        if place in self.strayed and self.bench.session.control is None:
            raise Hindered(
                f"a broken creation was accepted for account {place.account}: its period may lie over all others"
            )
        if place not in self.opened_at and self.bench.session.target.environment != "mock":
            raise Hindered(
                f"no reconciliation can be opened for account {place.account}: one that others left active blocks it, perhaps; "
                "complete it, then run again"
            )

    def free(self, place: Place) -> None:
        """Have the mock forget what is active; elsewhere complete it, or remember that a refusal at this place says nothing."""
        session = self.bench.session
        if session.control is not None:
            session.control.abandon()
            if session.live is not None:
                session.live.abandoned()
        elif session.live is None or not session.live.free(place.channel):
            self.blocked.add(place)
            self.looked[place] = self.clock
        else:
            self._settles(place, settling=True)
            self.put_off(place)

    def _settles(self, place: Place, *, settling: bool) -> None:
        """Remember whether one may still be going on there, for the runs after this one too."""
        live = self.bench.session.live
        (self.settling.add if settling else self.settling.discard)(place)
        if not settling:  # of the next one nobody knows yet how long it takes
            self.ended.pop(place, None)
            self.due.pop(place, None)
            self.told.pop(place, None)
        others = any(other.channel == place.channel for other in self.settling)
        if live is not None and (settling or not others) and live.channels.is_settling(place.channel) != settling:
            live.channels.settles(place.channel, settling=settling)
