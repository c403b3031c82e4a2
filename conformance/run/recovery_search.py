"""Finds out what is active at a place: whether it takes another reconciliation, and which id one has whose answer was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import Doubtful, WaitTooLong
from conformance.run import fillers
from conformance.run.recovery_client import (
    NoSuchPlace,
    NotCompleted,
    NotTried,
    RecoveryClient,
    Refused,
    answer_words,
)
from conformance.run.recovery_releases import send_rest, taken
from conformance.target.shared.ledger import NO_SUCH_PLACE, Ledger, Opened
from conformance.target.shared.lenient import Place, counts, is_lawful, own_places, whole_id
from conformance.target.shared.near_ids import FEW, REMEMBERED, guesses, guesses_at_once, next_after, none_between
from conformance.target.wire.exchange import Exchange

PATIENCE_SECONDS: Final = 90.0
"""How long one is waited for that has all its releases: no document says how long reconciling takes."""

SHORT_PATIENCE_SECONDS: Final = 3.0
"""How long before the likeliest ids are tried."""

FIRST_PAUSE: Final = 1.0


_Lost = tuple[Ledger, Opened]
"""What may be active though nobody knows its id, and the ledger on which it stands."""


@dataclass(slots=True)
class Search:
    """Looks by the client that clears away."""

    client: RecoveryClient
    probes: dict[Place, Opened] = field(default_factory=dict)
    """What was opened to see whether a place takes another reconciliation, and is not complete yet."""

    # -- one whose id is known ---------------------------------------------------------------------------------------

    def fill_up(self, ledger: Ledger, opened: Opened, places: Sequence[Place]) -> None:
        """Send the releases that it waits for, or may wait for, or see that it waits for none."""
        lawful = is_lawful(opened.quantity, opened.init, opened.end)
        accepted, why, doubted = False, "", opened.in_doubt > 0
        for place in places or (Place(opened.account, opened.channel),):
            try:
                accepted = send_rest(self.client, ledger, opened, place, lawful=lawful)
            except NotCompleted as reason:
                why = why or str(reason)
            if accepted:
                break
        counted = accepted and counts(opened.quantity) == (opened.quantity,)
        if not counted and not (accepted and not places):  # more or less may be wanted than what was said
            self.client.check_allowance()
            patience = self._patience(sure=accepted or doubted, lawful=lawful)
            if not any(self._own_probe(place) or self.is_free(place, patience) is not None for place in places):
                raise NotCompleted(why or "it is active still with all the releases that it may wait for")
        self.client.report.completed += 1
        ledger.closed(opened)

    def _patience(self, *, sure: bool, lawful: bool) -> float:
        """How long one is waited for that refuses its releases: it has them all, perhaps, and is being reconciled. That is likely
        where some were taken or got no answer; one that refused each of them refuses, more likely, what it should take."""
        if sure:
            return PATIENCE_SECONDS
        return max(SHORT_PATIENCE_SECONDS, 2 * self.client.pause) if lawful else 0.0

    # -- one whose answer was lost -----------------------------------------------------------------------------------

    def find(self, ledger: Ledger, opened: Opened, places: Sequence[Place]) -> None:
        """See that it is not there, or find its id by sending its releases to the ids near that of its time."""
        for place in places:
            self._settle(ledger, place)
            left = None
            while _may_be_another(opened) and any(opened is one for one in ledger.left.opened):
                if left == len(ledger.left.opened):
                    break  # nothing more is to be found
                left = len(ledger.left.opened)
                self._settle(ledger, place)  # what was found is another that came beside it
        ledger.closed(opened)

    def find_refused(self, ledger: Ledger, opened: Opened, place: Place) -> bool:
        """Complete one whose creation was refused, but may have been delivered twice, the second time in vain. Whether its
        likeliest id takes its releases; any other is not worth a client error."""
        mine = [(ledger, opened)]
        try:
            self._learn_ids(place, at_least=1)
            return self._found(place, mine, self._ids(mine)[:1], set())
        finally:
            if opened.id is None:
                ledger.closed(opened)

    def _settle(self, ledger: Ledger, place: Place) -> None:
        """See that nothing is active at a place, or complete what is.

        Where the same creation was refused since, it is probably there: then the likeliest id comes first. Otherwise most often
        nothing was done, which another creation shows at no cost.
        """
        tried: set[tuple[int, str]] = set()
        lost = self.lost_at(ledger, place)
        if any(one.refused_again for _, one in lost):
            self._learn_ids(place, at_least=1)
            if self._found(place, lost, self._ids(lost)[:1], tried):
                return
        wait = any(one.doubts for _, one in lost) or self.client.is_settling(place.channel)
        if self._is_gone(place, lost, SHORT_PATIENCE_SECONDS if wait else 0.0):
            return
        self._learn_ids(place, at_least=FEW)
        lost = self.lost_at(ledger, place)  # the answers to what was just sent may be lost, too
        if self._found(place, lost, self._ids(lost)[: max(FEW, len(lost))], tried):
            return
        if wait and self._is_gone(place, lost, PATIENCE_SECONDS):
            return
        lost = self.lost_at(ledger, place)
        if self._found(place, lost, self._ids(lost), tried):
            return
        if all(not one.accepted and none_between(one.after, one.before) for _, one in lost):
            self.close_all(place, lost)  # whatever blocks the place, it is none of these
            return
        numbers = sorted({number for number, _ in tried})
        none = "none is known" if self.client.own.last_id is None else "ids here don't follow each other"
        raise NotCompleted(
            f"no release was taken by {_listed(numbers)}" if numbers else f"its id can't be guessed: {none}"
        )

    def lost_at(self, ledger: Ledger, place: Place) -> list[_Lost]:
        """All that was opened at a place, perhaps, without an answer, oldest first: at most one of these is active, since while
        it is the others are refused."""
        return [
            (each, one)
            for each in dict.fromkeys((ledger, self.client.own))
            for one in each.left.opened
            if one.id is None and place in self.places_of(one)
        ]

    def places_of(self, opened: Opened) -> list[Place]:
        places = own_places(opened.account, opened.channel, self.client.places)
        return [self._plain(place) for place in places]

    def _ids(self, lost: Sequence[_Lost]) -> list[tuple[int, _Lost]]:
        """Which ids these may have, likeliest first."""
        known = self.client.own.last_ids
        for ledger, opened in lost:
            following = next_after(known, opened.after)
            if following is not None and (opened.after is not None or len(known) < REMEMBERED):
                # Those that are remembered later are not those that follow it.
                ledger.came_before(opened, following)
        ranked = [
            (rank, age, number, one)
            for age, one in enumerate(lost)
            for rank, number in enumerate(_guesses(known, one[1]))
        ]
        return [(number, one) for _, _, number, one in sorted(ranked, key=lambda each: each[:2])]

    def _is_gone(self, place: Place, lost: Sequence[_Lost], patience: float) -> bool:
        """Whether the place takes another reconciliation, so that none of these is active. A server may allow two: where ids
        are left out between those of its time, they are tried too."""
        if any(one.accepted for _, one in lost):
            return False
        if self.is_free(self._as_written(place, lost), patience) is None:
            return False
        known = [one for one in lost if one[1].after is not None]
        between = self._ids(known)
        worth_a_try = 0 < len({number for number, _ in between}) <= FEW
        if not (worth_a_try and self._found(place, known, between, set())):
            self.close_all(place, lost)
        return True

    def _as_written(self, place: Place, lost: Sequence[_Lost]) -> Place:
        """The place with the account in the form that these had: a target may take numbers or text alone."""
        written = next((one.account for _, one in lost if isinstance(one.account, int | str)), place.account)
        return Place(written if whole_id(written) == place.account else place.account, place.channel)

    def _found(
        self,
        place: Place,
        lost: Sequence[_Lost],
        likely: Sequence[tuple[int, _Lost]],
        tried: set[tuple[int, str]],
    ) -> bool:
        """Whether one of these ids takes the releases of the one that may have it: then it is complete, and the others were never
        there, but for those that came beside it, perhaps."""
        written = self._as_written(place, lost)
        orders: dict[int, dict[str, Any]] = {}
        try:
            for number, (ledger, opened) in likely:
                totals = counts(opened.quantity)
                if not totals or (number, opened.key) in tried:
                    continue
                tried.add((number, opened.key))
                if totals[0] not in orders:
                    orders[totals[0]] = self.client.submit_order(written, totals[0])
                if not self._takes(ledger, opened, number, orders[totals[0]]):
                    continue
                del orders[totals[0]]
                self.close_all(place, one_at_most([one for one in lost if one[1] is not opened]))
                ledger.found(opened, number, totals[0])
                if is_lawful(opened.quantity, opened.init, opened.end):
                    self.client.report.completed += 1
                    ledger.closed(opened)
                else:
                    self.fill_up(ledger, opened, (written,))
                return True
            return False
        finally:
            self.client.withdraw(*orders.values())

    def _takes(self, ledger: Ledger, opened: Opened, number: int, filled: dict[str, Any]) -> bool:
        try:
            taken(self.client, ledger, opened, [number], filled)
        except NoSuchPlace:
            raise
        except NotCompleted:
            self.client.check_allowance()
            return False
        return True

    def close_all(self, place: Place, lost: Sequence[_Lost]) -> None:
        """Those that can be nowhere else are not there."""
        for ledger, opened in lost:
            if self.places_of(opened) == [place]:
                ledger.closed(opened)

    def _learn_ids(self, place: Place, *, at_least: int) -> None:
        """Where fewer ids are known, open and complete reconciliations elsewhere, to see what ids are like here."""
        while len(known := self.client.own.last_ids) < at_least and self._opened_elsewhere(place):
            if self.client.own.last_ids == known:
                return

    def _opened_elsewhere(self, place: Place) -> bool:
        # An account of the same channel may be blocked with it.
        for other in sorted(self.client.places, key=lambda other: other.channel == place.channel):
            if other.account != whole_id(place.account):
                self.client.check_allowance()
                if self.is_free(other, 0.0) is not None:
                    return True
        return False

    # -- whether a place is free -------------------------------------------------------------------------------------

    def is_free(self, place: Place, patience: float) -> JSONValue:
        """The id of a reconciliation that the place takes, which is then completed: so none is active there. None where it
        takes none, after waiting so long for the one before to be reconciled.

        One that was opened here before and could not be completed, since the answer to its release was lost, is completed and
        says as much: as long as it is there nothing else is.
        """
        mine = self.probes.get(self._plain(place))
        if mine is not None and any(mine is one for one in self.client.own.left.opened):
            return self._close(mine, place)
        waited, pause, looks = 0.0, max(self.client.pause, FIRST_PAUSE), 0
        wait = self.client.wait("a reconciliation to be finished")
        while True:
            if patience:
                pause = min(pause, patience - waited)
                try:
                    wait.on(pause)
                except WaitTooLong as reason:
                    raise NotTried(str(reason)) from None
                waited, pause = waited + pause, 2 * pause
            looks += 1
            answer = self._open(place)
            if answer is None:
                return self._own_probe(place)
            if answer.is_accepted:
                if looks > 1:
                    self.client.pause = max(self.client.pause, 1.1 * waited)
                return self._close_new(place)
            if answer.error_code in NO_SUCH_PLACE:
                raise NoSuchPlace(f"creations there got {answer_words(answer)}")
            if waited >= patience:
                return None

    def _own_probe(self, place: Place) -> JSONValue:
        """The id of what this run opened there to see whether that can be done, though its answer was lost; it is then completed.
        None where there is none."""
        place = self._plain(place)
        mine = [one for one in self.lost_at(self.client.own, place) if one[1].refused_again][-1:]
        return mine[0][1].id if self._found(place, mine, self._ids(mine)[:1], set()) else None

    def _open(self, place: Place) -> Exchange | None:
        """Open a reconciliation to see whether that can be done. Where the answer is lost the same is sent once more; None where
        that is refused, perhaps since the first was opened."""
        body = fillers.creation(place, self.client.new_period(fillers.PERIOD_SECONDS))
        self.client.check_allowance()
        try:
            answer = self.client.call(Endpoint.CREATE_RECONCILIATION, body=body)
        except Doubtful:
            answer = self.client.call(Endpoint.CREATE_RECONCILIATION, body=body)
            self.client.in_doubt = answer.is_refused
        return None if self.client.in_doubt else answer

    @staticmethod
    def _plain(place: Place) -> Place:
        return Place(whole_id(place.account), place.channel)

    def _close_new(self, place: Place) -> JSONValue:
        """Complete what was just opened to see whether that can be done."""
        mine = next(
            (one for one in reversed(self.client.own.left.opened) if one.accepted and one.channel == place.channel),
            None,
        )
        if mine is None or mine.id is None:
            return None
        self.probes[self._plain(place)] = mine
        return self._close(mine, place)

    def _close(self, mine: Opened, place: Place) -> JSONValue:
        """Its id, once it is complete; None where it takes no release. Raises TargetUnavailable where an answer is lost."""
        number, doubted = mine.id, mine.in_doubt > 0
        try:
            send_rest(self.client, self.client.own, mine, place, lawful=True)
        except Refused:  # it is full where the release whose answer was lost was taken
            return self._opened_after(mine, place) if doubted else None
        except NotCompleted:
            return None
        self.client.own.closed(mine)
        return number

    def _opened_after(self, mine: Opened, place: Place) -> JSONValue:
        """The id of another that is opened there, which shows that the one before is active no longer; None where none is."""
        plain, found = self._plain(place), None
        self.probes.pop(plain, None)
        try:
            found = self.is_free(place, self._patience(sure=True, lawful=True))
        finally:
            if found is not None or plain in self.probes:
                self.client.own.closed(mine)
            else:
                self.probes[plain] = mine
        return found


def one_at_most(lost: Sequence[_Lost]) -> list[_Lost]:
    """Those of which at most one can have been opened."""
    return [one for one in lost if not _may_be_another(one[1])]


def _may_be_another(opened: Opened) -> bool:
    """Whether it may have been opened beside another: a server that looks and then writes opens several that come at once, or one
    after the other before it sees the first."""
    return opened.at_once or opened.doubled


def _guesses(known: Sequence[int], opened: Opened) -> tuple[int, ...]:
    if opened.at_once:
        return guesses_at_once(known, opened.after)
    return guesses(known, opened.after, opened.before)


def _listed(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
