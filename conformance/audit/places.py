"""What is sent about an account and channel of one environment, each call in the world of its moment: orders, reconciliations,
releases, books.

Of one account it needs all calls in their sequence, and those of no other, unless both name one reconciliation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush
from typing import Final

from conformance.audit.batch_rules import Batches
from conformance.audit.books import Books
from conformance.audit.call import BLOCKED, Call, Came
from conformance.audit.elsewhere import HELD_ELSEWHERE, Elsewhere
from conformance.audit.findings import Findings, Spot
from conformance.audit.habit_rules import LostAnswers, Repetitions
from conformance.audit.pace_rules import AtOnce
from conformance.audit.release_rules import COUNT, COVERED, EXACT, MAY_BE_SENT_TWICE, SEQUENCE, WHOLE, judge_release_in
from conformance.audit.request_rules import (
    NO_BODY,
    judge_account,
    judge_body,
    judge_creation,
    judge_lookup,
    judge_update,
)
from conformance.audit.states import Overheard, is_close
from conformance.audit.unverified import Unverified
from conformance.audit.world import NOT_FOUND, World
from conformance.contract.endpoints import Endpoint

_BY_ITS_QUERY: Final = frozenset({Endpoint.GET_ORDER, Endpoint.DELETE_ORDER})


class Places:
    """Judges what is sent, one call after the other, and keeps the books."""

    def __init__(self, findings: Findings, readings: Mapping[str, str], server: str, overheard: Overheard) -> None:
        self._findings, self._readings = findings, readings
        self.world, self.books = World(overheard), Books(server)
        self._waiting: list[tuple[datetime, int, Call]] = []
        self._batches, self._at_once = Batches(findings), AtOnce(findings)
        self._repetitions, self._lost = Repetitions(findings), LostAnswers(findings)
        self._unverified, self._elsewhere = Unverified(findings), Elsewhere()
        self._not_taken: dict[str, list[Spot]] = {}
        """Releases that were not taken, by what they were and how they were answered."""

    def catch_up(self, until: datetime) -> None:
        """Take note of what had been answered by then."""
        while self._waiting and self._waiting[0][0] <= until:
            self._apply(heappop(self._waiting)[2])

    def take(self, call: Call) -> bool:
        """Judge a call; whether a refusal of it is explained by what is no fault of this very call. A change that another
        recording holds too, by a clock of its own, is none."""
        call.is_held_elsewhere = self._elsewhere.holds(call)
        if call.is_held_elsewhere and call.endpoint is not Endpoint.GET_ORDER:
            self._hear_again(call)
            return True
        is_explained = self._judge(call)
        if call.started is None or call.ended is None or call.ended <= call.started:
            self._apply(call)
        else:
            heappush(self._waiting, (call.ended, call.number, call))
        return is_explained

    def _hear_again(self, call: Call) -> None:
        """A change that another recording holds too, at about that time: it was recorded twice, or sent again."""
        if call.endpoint is Endpoint.SUBMIT_ORDER:
            judge_update(call, self.world, self._findings, is_clear=True, in_doubt=HELD_ELSEWHERE)
        elif call.endpoint is Endpoint.CREATE_RECONCILIATION:
            judge_creation(call, self.world, self._findings, is_clear=True, in_doubt=HELD_ELSEWHERE)
        self.world.hear_again(call)

    def doubt(self, call: Call) -> None:
        """A call that the same file held before: it was recorded twice, or sent twice at once."""
        self._at_once.doubt(call)
        self._repetitions.doubt(call)

    def miss(self) -> None:
        """An entry can't be read: nobody knows what was called there, so nothing is taken for never sent. It may have come after
        the answers to what is under way."""
        self._apply_all()
        self.world.miss()
        self._repetitions.miss()
        self._lost.miss()

    def overhear(self, call: Call) -> None:
        """A call that may be about any account: what it may have done nobody takes for not done."""
        if call.endpoint is Endpoint.GET_ORDER:
            self._lost.miss()
            if call.came in {Came.ACCEPTED, Came.UNKNOWN}:
                self.world.asked += 1
            return
        self._repetitions.miss()
        if call.endpoint is Endpoint.SUBMIT_RELEASE:
            self.world.may_have_been_released()
        elif call.endpoint is not Endpoint.CREATE_RECONCILIATION:
            self.world.unread += 1

    def learn(self, notification: Mapping[str, object]) -> None:
        """Take note of a notification."""
        payload = notification.get("payload")
        self.world.notified(payload)
        if isinstance(payload, dict):
            self._repetitions.notified(payload.get("accountId"))

    def finish(self) -> None:
        """Judge what only the end decides."""
        self._apply_all()
        self._unverified.finish()
        self._batches.finish(self.world)
        self.books.finish(self.world)

    def _judge(self, call: Call) -> bool:
        findings, world = self._findings, self.world
        self._at_once.answered(call)
        is_clear = self._at_once.take(call)
        self._lost.take(call)
        self._repetitions.take(call, world.order(call.key) if call.key is not None else None)
        judge_account(call, findings)
        whole = judge_body(call, findings, self._readings)
        match call.endpoint:
            case Endpoint.SUBMIT_ORDER:
                judge_update(call, world, findings, is_clear=is_clear)
            case Endpoint.GET_ORDER | Endpoint.DELETE_ORDER:
                judge_lookup(call, world, findings, is_clear=is_clear)
                if call.endpoint is Endpoint.GET_ORDER:
                    self._unverified.query(call)
            case Endpoint.CREATE_RECONCILIATION if whole:
                judge_creation(call, world, findings, is_clear=is_clear)
                return self._batches.created(call, world, is_clear=is_clear) or not is_clear
            case Endpoint.SUBMIT_RELEASE if whole and self._is_recorded_again(call):
                for rule in (WHOLE, EXACT, SEQUENCE):
                    findings.cannot_tell(rule, MAY_BE_SENT_TWICE)
            case Endpoint.SUBMIT_RELEASE if whole:
                judge_release_in(call, world, findings, self._unverified, is_clear=is_clear)
            case Endpoint.SUBMIT_RELEASE if not call.has_body:
                for rule in (WHOLE, EXACT, SEQUENCE, COVERED, COUNT):
                    findings.cannot_tell(rule, NO_BODY)
        return _is_question(call)

    def _is_recorded_again(self, call: Call) -> bool:
        """Whether another recorder may have held the same release that was not taken, by a clock of its own: by now the next try
        may have been."""
        if call.key is None or call.came is Came.ACCEPTED:
            return False
        same = call.key, call.status, call.released, call.body.get("reconciliationId")
        before = self._not_taken.setdefault(repr(same), [])
        is_again = any(one.origin.file != call.origin.file and is_close(one.started, call.started) for one in before)
        before.append(Spot.of(call))
        return is_again

    def _apply_all(self) -> None:
        while self._waiting:
            self._apply(heappop(self._waiting)[2])

    def _apply(self, call: Call) -> None:
        if call.endpoint is Endpoint.GET_ORDER:
            self._unverified.query(call)  # by another clock its release may have come while it was under way
        for change in self.world.apply(call):
            self.books.take(change, self.world)


def _is_question(call: Call) -> bool:
    """Whether its refusal is an answer: that there is no such order."""
    return call.endpoint in _BY_ITS_QUERY and call.status in {NOT_FOUND, BLOCKED}
