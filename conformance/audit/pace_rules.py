"""The rules of pace: documented rates, nothing at once that may race.

Both need the times of calls; where a recording has none nothing is judged.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from conformance.audit.call import Call, Came
from conformance.audit.findings import Findings
from conformance.audit.refusal_rules import JITTER, NO_TIME, of_one_integrator, request_of
from conformance.audit.states import CLOCKS
from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.limits import MINUTE_SECONDS, PER_MINUTE

RATES, AT_ONCE = "CLI-09", "CLI-17"

TWICE: Final = "another recording holds the same calls: they were recorded twice, or sent by two workers"
WHOSE: Final = "the recorder has blotted out the integrator, or left it out, and rates are each integrator's own"
HELD_TWICE: Final = "the file holds the call twice, at the same time: it was recorded twice, or sent twice at once"
GIVEN_UP: Final = (
    "the same was sent again while it was under way: the client may have waited no longer, "
    "which a recorder at the server can't tell"
)
NO_DURATION: Final = "how long a call took was not recorded"
WHOLE_SECONDS: Final = "the recording has times in whole seconds only"

_PATIENCE: Final = timedelta(seconds=3)
"""Clients wait no less for an answer."""
_MAY_BE_SENT_AGAIN: Final = frozenset({Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION})
"""What may be sent again as it was where no answer came."""

OVERLAP: Final = timedelta(milliseconds=3)
"""Calls that overlap by no more may have been made one after the other: recorders round to the millisecond."""

_MINUTE: Final = timedelta(seconds=MINUTE_SECONDS)
_AS_MANY: Final = 0.8
"""Two recorders of the same calls hold so many of the other's in a minute, which by another clock has another end."""


_Whose = tuple[str, Endpoint, str]
"""A client, an endpoint, and, where it is not known which integrator the client is, what only one has."""


class Rates:
    """No minute holds more calls of an endpoint than are documented. All recordings together are one minute's, but for calls that
    several of them hold."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._passed: dict[_Whose, deque[Call]] = {}
        self._files: dict[tuple[str, str], dict[_Whose, deque[Call]]] = {}
        """The same of each client's recordings."""

    def take(self, call: Call) -> None:
        """Judge the call by those before it."""
        if call.endpoint is None or call.endpoint not in PER_MINUTE:
            return
        if call.started is None:
            self._findings.cannot_tell(RATES, NO_TIME)
            return
        rate = PER_MINUTE[call.endpoint]
        if (call.client, call.origin.file) not in self._files:
            self._forget(call.started)
        known = self._files.setdefault((call.client, call.origin.file), {})
        passed, own = self._before(known, (call.client, call.endpoint, ""), rate)
        seconds = _too_fast(passed, own, call)
        whose = "" if call.is_whose else of_one_integrator(call)
        if whose:
            passed.append(call)
            own.append(call)
            passed, own = self._before(known, (call.client, call.endpoint, whose), rate)
        if seconds is None:
            self._findings.keeps(RATES, call)
        elif not call.is_whose and (not whose or (seconds := _too_fast(passed, own, call)) is None):
            self._findings.cannot_tell(RATES, WHOSE)
        elif _within_a_minute(own, call) is None and _sent_for_certain([*passed, call]) <= rate:
            self._findings.cannot_tell(RATES, TWICE)
        else:
            says = (
                f"{rate + 1} calls of {call.endpoint.label} within {seconds:.1f} s, and {rate} a minute are documented"
            )
            self._findings.breaks(RATES, call, says, value=rate + 1)
        passed.append(call)
        own.append(call)

    def _before(self, known: dict[_Whose, deque[Call]], subject: _Whose, rate: int) -> tuple[deque[Call], deque[Call]]:
        """The last calls of it, and those of the file of which these are known."""
        passed = self._passed.get(subject)
        if passed is None:
            passed = self._passed[subject] = deque(maxlen=rate)
        own = known.get(subject)
        if own is None:
            own = known[subject] = deque(maxlen=rate)
        return passed, own

    def _forget(self, now: datetime) -> None:
        """Let go of what was called in recordings that have long ended: there may be thousands of them."""
        for key, known in list(self._files.items()):
            last = max((calls[-1].started for calls in known.values() if calls and calls[-1].started), default=now)
            if now - last > CLOCKS:
                del self._files[key]


def _too_fast(passed: deque[Call], own: deque[Call], call: Call) -> float | None:
    in_one = _within_a_minute(own, call)
    return in_one if in_one is not None else _within_a_minute(passed, call)


def _within_a_minute(passed: deque[Call], call: Call) -> float | None:
    """In how many seconds more calls than are documented came, this one being the last; None where they took a minute."""
    before = passed[0].started if len(passed) == passed.maxlen else None
    if before is None or call.started is None or call.started - before >= _MINUTE - JITTER:
        return None
    return (call.started - before).total_seconds()


def _sent_for_certain(calls: Sequence[Call]) -> int:
    """How many of the calls were sent, where another recording may hold the same ones: then both hold about as many."""
    by_request: dict[object, Counter[str]] = {}
    for call in calls:
        by_request.setdefault(request_of(call), Counter())[call.origin.file] += 1
    sent = 0
    for by_file in by_request.values():
        most, *others = sorted(by_file.values(), reverse=True)
        sent += most + sum(number for number in others if number < _AS_MANY * most)
    return sent


def _is_under_way(ended: datetime | None, since: datetime) -> bool:
    return ended is not None and ended > since + OVERLAP


_Subject = tuple[str, object]
"""What two calls must not change at once: how it is called, and which."""


class AtOnce:
    """What changes one thing is sent one call after the other. Judged within a file: two recorders' clocks need not agree."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._under_way: dict[_Subject, list[Call]] = {}
        self._ends: list[tuple[datetime, int, _Subject]] = []

    def take(self, call: Call) -> bool:
        """Judge a change by those under way; whether there is none of the same, so that it can be judged in the world."""
        subject = _subject_of(call)
        if subject is None:
            return True
        if call.started is None:
            self._findings.cannot_tell(AT_ONCE, NO_TIME)
            return True
        others = self._still_under_way(subject, call.started + OVERLAP) if self._under_way else []
        if call.may_end is not None:
            self._under_way[subject] = [*others, call]
            heappush(self._ends, (call.may_end, call.number, subject))
        beside = [one for one in others if one.origin.file == call.origin.file]
        others = [one for one in others if one.ended is None or _is_under_way(one.ended, call.started)]
        together = [one for one in others if one in beside and one.ended is not None]
        if together and all(_may_be_given_up(one, call) for one in together):
            self._findings.cannot_tell(AT_ONCE, GIVEN_UP)
        elif together and call.endpoint is not None and (first := together[0]).endpoint is not None:
            says = (
                f"{call.endpoint.label} was sent while {first.endpoint.label} of entry {first.origin.entry} about the same "
                f"{subject[0]} was not answered"
            )
            self._findings.breaks(AT_ONCE, call, says, value=subject[0], cause=subject[0], others=together)
        elif any(one.ended is not None for one in beside):
            self._findings.cannot_tell(AT_ONCE, WHOLE_SECONDS)
        elif call.ended is None or beside:
            self._findings.cannot_tell(AT_ONCE, NO_DURATION)
        else:
            self._findings.keeps(AT_ONCE, call)
        return not others and not beside

    def answered(self, call: Call) -> None:
        """A call that shows that changes before it were over, where their times leave it open: a query that has found the order,
        a release in the reconciliation."""
        if not self._under_way or call.started is None:
            return
        if call.endpoint is Endpoint.GET_ORDER and call.key is not None and call.came is Came.ACCEPTED:
            self._settle(("order", call.key), call.started)
        elif call.endpoint is Endpoint.SUBMIT_RELEASE and call.place is not None:
            self._settle(("account and channel", call.place), call.started)

    def _settle(self, subject: _Subject, now: datetime) -> None:
        left = [one for one in self._under_way.get(subject, ()) if _is_under_way(one.ended, now)]
        if left:
            self._under_way[subject] = left
        else:
            self._under_way.pop(subject, None)

    def doubt(self, call: Call) -> None:
        """A change that is recorded twice, or was sent twice at once."""
        if _subject_of(call) is not None:
            self._findings.cannot_tell(AT_ONCE, HELD_TWICE)

    def _still_under_way(self, subject: _Subject, since: datetime) -> list[Call]:
        """The calls about it that were not answered by then; what was, of all, is let go of."""
        while self._ends and self._ends[0][0] <= since:
            over = heappop(self._ends)[2]
            left = [one for one in self._under_way.get(over, []) if one.may_end is not None and one.may_end > since]
            if left:
                self._under_way[over] = left
            else:
                self._under_way.pop(over, None)
        return self._under_way.get(subject, [])


def _may_be_given_up(one: Call, again: Call) -> bool:
    """Whether the client may have sent the same again because it would wait for the answer no longer."""
    if again.endpoint not in _MAY_BE_SENT_AGAIN or one.started is None or again.started is None:
        return False
    return request_of(one) == request_of(again) and again.started - one.started >= _PATIENCE


def _subject_of(call: Call) -> _Subject | None:
    match call.endpoint:
        case Endpoint.SUBMIT_ORDER | Endpoint.DELETE_ORDER | Endpoint.SUBMIT_RELEASE if call.key is not None:
            return "order", call.key
        case Endpoint.CREATE_RECONCILIATION if call.place is not None:
            return "account and channel", call.place
        case Endpoint.REFRESH_TOKEN if isinstance(token := call.body.get(REFRESH_TOKEN_FIELD), str):
            return "refresh token", token
        case _:
            return None
