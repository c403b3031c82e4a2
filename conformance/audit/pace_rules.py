"""The rules of pace: documented rates, what follows a 429 and a 423, nothing at once that may race.

All of them need the times of calls; where a recording has none nothing is judged.
"""

from __future__ import annotations

import email.utils
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from conformance.audit.call import BLOCKED, TOO_MANY, Call, Came
from conformance.audit.findings import Findings
from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.limits import BLOCK_SECONDS, MINUTE_SECONDS, PER_MINUTE
from conformance.traffic.exchange import Missing

RATES, BACK_OFF, STOP, AT_ONCE = "CLI-09", "CLI-10", "CLI-11", "CLI-17"

NO_TIME: Final = "the recording has no times"
NO_DURATION: Final = "how long a call took was not recorded"
WHOLE_SECONDS: Final = "the recording has times in whole seconds only"

JITTER: Final = timedelta(seconds=1)
"""So much sooner a call may seem to come than it did: recorders round, networks hold up one call and not the next."""

OVERLAP: Final = timedelta(milliseconds=3)
"""Calls that overlap by no more may have been made one after the other: recorders round to the millisecond."""

_MINUTE: Final = timedelta(seconds=MINUTE_SECONDS)
_BLOCK: Final = timedelta(seconds=BLOCK_SECONDS)
_ALIKE: Final = 1.5
"""Waits of which the longest is no longer than so many times the shortest have not grown."""
_WAITS: Final = 3
"""So many waits in a row, without one that the server asked for, show whether they grow."""


class Rates:
    """No minute holds more calls of an endpoint than are documented."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._passed: dict[tuple[str, Endpoint], deque[datetime]] = {}

    def take(self, call: Call) -> None:
        """Judge the call by those before it."""
        if call.endpoint is None or call.endpoint not in PER_MINUTE:
            return
        if call.started is None:
            self._findings.cannot_tell(RATES, NO_TIME)
            return
        rate = PER_MINUTE[call.endpoint]
        passed = self._passed.setdefault((call.client, call.endpoint), deque(maxlen=rate))
        before = passed[0] if len(passed) == rate else None
        if before is not None and call.started - before < _MINUTE - JITTER:
            seconds = (call.started - before).total_seconds()
            says = (
                f"{rate + 1} calls of {call.endpoint.label} within {seconds:.1f} s, and {rate} a minute are documented"
            )
            self._findings.breaks(RATES, call, says, value=rate + 1)
        else:
            self._findings.keeps(RATES, call)
        passed.append(call.started)


@dataclass(slots=True)
class _Throttled:
    """An endpoint that has answered 429, and nothing else since."""

    last: Call
    waits: list[timedelta] = field(default_factory=list)
    """How long the client waited, each time that the server did not say."""


class BackOff:
    """After a 429 the endpoint is left alone for a time."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._throttled: dict[tuple[str, Endpoint], _Throttled] = {}

    def take(self, call: Call) -> None:
        """Judge the call by the 429 before it, and take note of its own."""
        if call.endpoint is None:
            return
        if not self._throttled and call.status != TOO_MANY:
            return
        subject = (call.client, call.endpoint)
        known = self._throttled.get(subject)
        if known is not None:
            self._judge(call, known)
        if call.status == TOO_MANY:
            if call.ended is None:
                self._findings.cannot_tell(BACK_OFF, NO_TIME)
            elif known is None:
                self._throttled[subject] = _Throttled(call)
            elif call.started is not None and known.last.ended is not None and call.started >= known.last.ended:
                known.last = call
        elif known is not None and call.came is not Came.UNKNOWN and _is_after(call, known.last):
            del self._throttled[subject]

    def _judge(self, call: Call, known: _Throttled) -> None:
        if not _is_after(call, known.last) or call.started is None or known.last.ended is None:
            return  # it was on its way when the 429 came
        if known.last.answer is not None and isinstance(known.last.answer.header("retry-after"), Missing):
            self._findings.cannot_tell(BACK_OFF, "whether the 429 says how long to wait was not recorded")
            return
        waited = call.started - known.last.ended
        asked = _retry_after(known.last)
        if asked is not None:
            if waited < asked - JITTER:
                says = f"sent {waited.total_seconds():.1f} s after a 429 that asks for {asked.total_seconds():.0f} s"
                self._findings.breaks(BACK_OFF, call, says, value=_told(known.last), cause="asked")
            else:
                self._findings.keeps(BACK_OFF, call)
            return
        known.waits.append(waited)
        recent = known.waits[-_WAITS:]
        if waited < JITTER:
            says = f"sent {waited.total_seconds():.2f} s after a 429"
            self._findings.breaks(BACK_OFF, call, says, cause="at once")
        elif len(recent) == _WAITS and max(recent) < _ALIKE * min(recent):
            told = ", ".join(f"{wait.total_seconds():.1f} s" for wait in recent)
            self._findings.breaks(BACK_OFF, call, f"one 429 after the other, and waits of {told}", cause="not growing")
        else:
            self._findings.keeps(BACK_OFF, call)


def _is_after(call: Call, other: Call) -> bool:
    return call.started is not None and other.ended is not None and call.started >= other.ended


def _told(call: Call) -> str | None:
    value = call.answer.header("retry-after") if call.answer else None
    return value if isinstance(value, str) else None


def _retry_after(call: Call) -> timedelta | None:
    """How long the answer asks to wait: seconds, or an HTTP date. At most a day: what asks for more is no number of seconds.

    A date is one of the server's clock, which need not be the recorder's: it is compared with the answer's own Date.
    """
    value = _told(call)
    if value is None or call.ended is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= 5:  # noqa: PLR2004 - up to a day
        return timedelta(seconds=int(text))
    until = _http_date(text)
    if until is None:
        return None
    date = call.answer.header("date") if call.answer else None
    answered = _http_date(date) if isinstance(date, str) else None
    return max(timedelta(), until - (answered or call.ended))


def _http_date(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


class Stop:
    """After a 423 nothing is sent for an hour."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._blocked: dict[str, Call] = {}

    def take(self, call: Call) -> None:
        """Judge the call by the 423 before it, and take note of its own."""
        first = self._blocked.get(call.client) if self._blocked else None
        if first is not None:
            self._judge(call, first)
        if call.status == BLOCKED and call.client not in self._blocked:
            if call.ended is None:
                self._findings.cannot_tell(STOP, NO_TIME)
            else:
                self._blocked[call.client] = call

    def _judge(self, call: Call, first: Call) -> None:
        if call.started is None or first.ended is None:
            self._findings.cannot_tell(STOP, NO_TIME)
        elif call.started < first.ended:
            return  # it was on its way when the 423 came
        elif call.started - first.ended >= _BLOCK - JITTER or call.came not in {Came.UNHEARD, Came.LOST, Came.UNKNOWN}:
            self._findings.keeps(STOP, call)
            del self._blocked[call.client]
        elif call.status == BLOCKED:
            seconds = (call.started - first.ended).total_seconds()
            says = f"sent {seconds:.0f} s after the 423 of entry {first.origin.entry}, and answered 423 again"
            self._findings.breaks(STOP, call, says, value=BLOCKED, cause="blocked")


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
        others = [one for one in others if _is_under_way(one.ended, call.started)]
        together = [one for one in others if one in beside]
        if together and call.endpoint is not None and (first := together[0]).endpoint is not None:
            says = (
                f"{call.endpoint.label} was sent while {first.endpoint.label} of entry {first.origin.entry} about the same "
                f"{subject[0]} was not answered"
            )
            self._findings.breaks(AT_ONCE, call, says, value=subject[0], cause=subject[0], others=together)
        elif beside:
            self._findings.cannot_tell(AT_ONCE, WHOLE_SECONDS)
        elif call.ended is None:
            self._findings.cannot_tell(AT_ONCE, NO_DURATION)
        else:
            self._findings.keeps(AT_ONCE, call)
        return not others

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
