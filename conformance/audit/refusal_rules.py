"""What follows a 429 and a 423: an endpoint is left alone for a time, everything for an hour.

Where it is not known whether a call was sent after such an answer, because another clock or whole seconds tell of it, nothing is
said.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zlib import crc32

from conformance.audit.call import BLOCKED, TOO_MANY, UNTIMED, Call, Came
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.audit.states import CLOCKS
from conformance.contract.endpoints import Endpoint
from conformance.contract.limits import BLOCK_SECONDS, MINUTE_SECONDS
from conformance.traffic.exchange import Missing

BACK_OFF, STOP = "CLI-10", "CLI-11"

AT_THE_SERVER: Final = "whether it was under way when the 429 came is not known: the recorder stands at the server"
NO_TIME: Final = "the recording has no times"
WHOSE: Final = "the recorder has left out whose calls are, and another integrator may have sent it"
UNDER_WAY_429: Final = (
    "whether it was under way when the 429 came is not known: it is in another recording, or times are in whole seconds"
)
UNDER_WAY_423: Final = (
    "whether it was under way when the 423 came is not known: it is in another recording, or times are in whole seconds"
)
WHICH: Final = (
    "the body was not recorded, and another call than the one that was answered 429 may have waited by itself"
)

JITTER: Final = timedelta(seconds=1)
"""So much sooner a call may seem to come than it did: recorders round, networks hold up one call and not the next."""

_BLOCK: Final = timedelta(seconds=BLOCK_SECONDS)
_MINUTE: Final = timedelta(seconds=MINUTE_SECONDS)
_NOT_GROWING: Final = ((3, 1.1), (5, 1.5))
"""So many waits in a row, without one that the server asked for, have not grown where the longest is no longer than so many times
the shortest. Three that are drawn at random are hardly ever so much alike."""
_NETWORK: Final = timedelta(milliseconds=100)
_GROWN: Final = 3
"""Waits that are so many times as long as the first one have grown: what they grow to has an end."""
_AT_ONCE: Final = timedelta(milliseconds=50)
"""Who waits for less does not wait. Waits drawn at random between nothing and ever more (full jitter) are mostly longer."""
_OVERLAP: Final = timedelta(milliseconds=3)
"""Recorders round to the millisecond."""
_AT_THE_SERVER: Final = timedelta(milliseconds=5)

BESIDE: Final = "calls were under way at once: another worker may have sent it, who was on its way when the 429 came"

OF_ANOTHER: Final = (
    "another instance of the integration may have got the 429: access tokens differ, or were not recorded"
)

DRAWN: Final = (
    "a short wait after a 429 may be the first of ever longer ones, or one drawn at random: too few show which"
)

_MOST_HELD: Final = 1_000
_MOST_WAITING: Final = 200
"""So many requests of an endpoint are remembered that were answered 429 and not sent again."""

Request = tuple[str, int]
"""The address and a number of the body: by it a request is known that is sent again."""


@dataclass(slots=True)
class _Throttled:
    """What was answered 429, and nothing else since."""

    first: Call
    last: Call
    waits: list[timedelta] = field(default_factory=list)
    """How long the client waited, each time that the server did not say."""
    short: list[Call] = field(default_factory=list)
    """Calls that were sent again within a second, and not at once."""
    hasty: list[tuple[Call, timedelta]] = field(default_factory=list)
    """Those that were sent again at once, and after how long."""


@dataclass(slots=True)
class _Throttling:
    """An endpoint that has answered 429."""

    any: dict[str, _Throttled] = field(default_factory=dict)
    """Whatever was asked, unless something else was answered since; by access token, since of an integration's instances one does
    not know what the other was told."""
    own: dict[tuple[str, Request], _Throttled] = field(default_factory=dict)
    """By recording and request: each worker of an integration waits with its own, and another recorder may hold the same."""


class _Held(NamedTuple):
    """What is wrong with a call."""

    call: Call
    says: str
    value: str | None
    cause: str


class BackOff:
    """After a 429 the endpoint is left alone for a time.

    A request that is sent again is judged by the 429 that it got, any other by the last one that came to its access token.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._throttled: dict[tuple[str, Endpoint], _Throttling] = {}
        self._busy: dict[str, datetime] = {}
        """By client when the last of its calls so far was answered."""
        self._beside: dict[str, datetime] = {}
        """When it last sent one while another was under way."""
        self._held: _Held | None = None
        """What is wrong with the last call, unless the one that follows was under way beside it."""

    def take(self, call: Call) -> None:
        """Judge the call by the 429 before it, and take note of its own."""
        self._judge_held(call)
        busy = self._busy.get(call.client)
        if busy is not None and call.started is not None and busy > call.started + _OVERLAP:
            self._beside[call.client] = call.started
        self._follow(call)
        if call.ended is not None and (busy is None or call.ended > busy):
            self._busy[call.client] = call.ended

    def _follow(self, call: Call) -> None:
        if call.endpoint is None or (not self._throttled and call.status != TOO_MANY):
            return
        subject = (call.client, call.endpoint)
        known = self._throttled.get(subject)
        request, token = (call.origin.file, request_of(call)), of_one_integrator(call)
        if known is not None:
            self._judge_by(call, known, known.own.get(request) if _is_known(call) else None, token)
        if call.status == TOO_MANY:
            if call.ended is None:
                self._findings.cannot_tell(BACK_OFF, NO_TIME)
                return
            if known is None:
                known = self._throttled[subject] = _Throttling()
            known.any[token] = _noted(known.any.get(token), call)
            if _is_known(call):
                known.own[request] = _noted(known.own.pop(request, None), call)
            if len(known.own) > _MOST_WAITING:
                self._settle(known.own.pop(next(iter(known.own))))
        elif known is not None and call.came is not Came.UNKNOWN:
            self._settle(known.own.pop(request, None) if _is_known(call) else None)
            known.any = {whose: one for whose, one in known.any.items() if not _is_after(call, one.last)}
            if not known.any and not known.own:
                del self._throttled[subject]

    def _judge_by(self, call: Call, known: _Throttling, own: _Throttled | None, token: str) -> None:
        before = own or known.any.get(token)
        if before is not None and _may_be_anothers(call, before.last):
            self._findings.cannot_tell(BACK_OFF, WHOSE)
        elif before is not None and (own is not None or token):
            self._judge(call, before, is_own=own is not None)
        elif any(_is_after(call, one.last) for one in known.any.values()):
            self._findings.cannot_tell(BACK_OFF, OF_ANOTHER)

    def finish(self) -> None:
        """Judge what the end of the recording decides."""
        self._judge_held(None)
        for known in self._throttled.values():
            for own in known.own.values():
                self._settle(own)
        self._throttled.clear()

    def _settle(self, own: _Throttled | None) -> None:
        """Judge short waits beside the others of that request: of waits drawn at random one may be next to nothing."""
        if own is None:
            return
        has_waited = any(wait >= JITTER for wait in own.waits)
        for call, waited in own.hasty:
            if len(own.hasty) > 1 or not has_waited:
                self._tell_at_once(call, waited)
            else:
                self._findings.cannot_tell(BACK_OFF, DRAWN)
        for _ in own.short:
            self._findings.cannot_tell(BACK_OFF, DRAWN)

    def _tell(self, call: Call, says: str, value: str | None, cause: str, *, is_soon: bool) -> None:
        """Tell what is wrong with a call. One that came soon after the first 429 another worker may have sent, who did not know;
        that there is one shows where calls are under way at once."""
        if not is_soon or call.started is None:
            self._findings.breaks(BACK_OFF, call, says, value=value, cause=cause)
        elif (beside := self._beside.get(call.client)) is not None and call.started - beside <= UNTIMED:
            self._findings.cannot_tell(BACK_OFF, BESIDE)
        else:
            self._held = _Held(call, says, value, cause)

    def _judge_held(self, following: Call | None) -> None:
        if (held := self._held) is None:
            return
        self._held = None
        started, ended = following.started if following is not None else None, held.call.ended
        if started is not None and ended is not None and started + _OVERLAP < ended:
            self._findings.cannot_tell(BACK_OFF, BESIDE)
        else:
            self._findings.breaks(BACK_OFF, held.call, held.says, value=held.value, cause=held.cause)

    def _tell_at_once(self, call: Call, waited: timedelta) -> None:
        self._findings.breaks(BACK_OFF, call, f"sent {waited.total_seconds():.2f} s after a 429", cause="at once")

    def _judge(self, call: Call, known: _Throttled, *, is_own: bool) -> None:
        if call.started is None or known.last.ended is None or not _is_after(call, known.last):
            return  # it was on its way when the 429 came
        if not _is_certainly_after(call, known.last):
            self._findings.cannot_tell(BACK_OFF, UNDER_WAY_429)
            return
        is_soon = not is_own and _is_soon(call, known.first)
        if is_soon and _may_have_been_sent_before(call, known.first):
            self._findings.cannot_tell(BACK_OFF, AT_THE_SERVER)
            return
        if known.last.answer is not None and isinstance(known.last.answer.header("retry-after"), Missing):
            self._findings.cannot_tell(BACK_OFF, "whether the 429 says how long to wait was not recorded")
            return
        waited = call.started - known.last.ended
        if known.last.exchange.may_be_at_answer:
            waited = max(waited, _between_answers(call, known.last))
        asked = _retry_after(known.last)
        if asked is not None:
            if waited < asked - JITTER or _is_far_too_soon(call, known.last, asked):
                says = f"sent {waited.total_seconds():.1f} s after a 429 that asks for {asked.total_seconds():.0f} s"
                self._tell(call, says, _told(known.last), "asked", is_soon=is_soon)
            else:
                self._findings.keeps(BACK_OFF, call)
            return
        if not _is_known(call) or not _is_known(known.last):
            self._findings.cannot_tell(BACK_OFF, WHICH)
            return
        self._judge_wait(call, known, waited, is_own=is_own, is_soon=is_soon)

    def _judge_wait(self, call: Call, known: _Throttled, waited: timedelta, *, is_own: bool, is_soon: bool) -> None:
        """Judge a wait that the server did not ask for."""
        known.waits.append(waited)
        alike = _not_growing(known.waits)
        if waited < JITTER and not is_own:
            self._tell(call, f"sent {waited.total_seconds():.2f} s after a 429", None, "at once", is_soon=is_soon)
        elif waited < _AT_ONCE:
            known.hasty.append((call, waited))
        elif alike:
            told = ", ".join(f"{wait.total_seconds():.1f} s" for wait in alike)
            self._findings.breaks(BACK_OFF, call, f"one 429 after the other, and waits of {told}", cause="not growing")
        elif waited < JITTER:
            known.short.append(call)
        else:
            self._findings.keeps(BACK_OFF, call)


def _not_growing(waits: list[timedelta]) -> list[timedelta]:
    """The last waits, where they show that waits do not grow; those of a minute need not, as rates are by the minute."""
    for number, ratio in _NOT_GROWING:
        recent = waits[-number:]
        if len(recent) < number or min(recent) >= _MINUTE - JITTER or max(recent) >= _GROWN * waits[0]:
            continue
        if max(recent) < min(recent) * ratio + _NETWORK:
            return recent
    return []


def _may_be_anothers(call: Call, other: Call) -> bool:
    """Whether another integrator may have sent it: whose calls are is not known, and they have nothing of one integrator."""
    if (call.is_whose and other.is_whose) or request_of(call) == request_of(other):
        return False
    return not (mine := of_one_integrator(call)) or mine != of_one_integrator(other)


def of_one_integrator(call: Call) -> str:
    """What only one integrator has, its access token; empty where the recording has none. An account may be served by several."""
    return call.token if call.token is not None and not is_masked(call.token) else ""


def _between_answers(call: Call, last: Call) -> timedelta:
    """How long it waited if the times that the recorder writes are those of answers."""
    took = call.exchange.took
    if isinstance(took, Missing) or call.started is None or last.started is None or call.exchange.whole_seconds:
        return timedelta()
    return call.started - took - last.started


def _may_have_been_sent_before(call: Call, first: Call) -> bool:
    """Whether it may have been on its way when the first 429 came. A recorder at the server, by which no answer takes as long as
    by a network, does not hold when it was sent: a server that takes one call after the other makes a sequence of them all."""
    times = [took for one in (first, call) if not isinstance(took := one.exchange.took, Missing)]
    return bool(times) and min(times) < _AT_THE_SERVER


def _is_soon(call: Call, first: Call) -> bool:
    """Whether it came so soon after the first 429 that it may have been on its way."""
    return call.started is not None and first.ended is not None and call.started - first.ended <= UNTIMED


def _is_far_too_soon(call: Call, last: Call, asked: timedelta) -> bool:
    """Whether not half of a second that was asked for has gone by since the call before was sent: JITTER leaves none of it."""
    if call.started is None or last.started is None or call.exchange.whole_seconds:
        return False
    return call.started - last.started < asked / 2 and asked <= JITTER


def _noted(known: _Throttled | None, call: Call) -> _Throttled:
    if known is None:
        return _Throttled(call, call)
    if _is_after(call, known.last):
        known.last = call
    return known


def request_of(call: Call) -> Request:
    """By what a request is known that is sent, or recorded, again."""
    body = call.exchange.request.body
    return call.url, crc32(body) if isinstance(body, bytes) else 0


def _is_known(call: Call) -> bool:
    """Whether the recording tells the request from others."""
    return not isinstance(call.exchange.request.body, Missing) and not call.is_query_left_out


def _is_after(call: Call, other: Call) -> bool:
    return call.started is not None and other.ended is not None and call.started >= other.ended


def _is_certainly_after(call: Call, other: Call) -> bool:
    """Whether by one clock, and beside whatever fraction of a second was not recorded; a call that took no time at all took one
    that was not."""
    over = other.may_end
    if over is not None and over == other.started:
        over += JITTER
    return (
        call.started is not None and over is not None and call.started >= over and call.origin.file == other.origin.file
    )


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
    """After a 423 nothing is sent for an hour. In another recording a call may have been sent before it: clocks differ."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._blocked: dict[str, dict[str, Call]] = {}
        """By client and recording the first 423."""
        self._integrators: dict[str, set[str]] = {}
        """By base URL those whose calls there are."""
        self._held: list[tuple[Call, Call]] = []
        """Calls that were answered 423 again and of which is not known whose they are, as of logins, each with the first 423."""

    def take(self, call: Call) -> None:
        """Judge the call by the 423 before it, and take note of its own."""
        if call.is_whose:
            self._integrators.setdefault(call.base, set()).add(call.client)
        firsts = self._blocked.get(call.client) if self._blocked else None
        if firsts:
            first = firsts.get(call.origin.file) or min(firsts.values(), key=lambda one: one.number)
            self._judge(call, first)
        if call.status == BLOCKED:
            if call.ended is None:
                self._findings.cannot_tell(STOP, NO_TIME)
            else:
                self._blocked.setdefault(call.client, {}).setdefault(call.origin.file, call)

    def _judge(self, call: Call, first: Call) -> None:
        if call.started is None or first.ended is None:
            self._findings.cannot_tell(STOP, NO_TIME)
        elif call.started < first.ended:
            return  # it was on its way when the 423 came
        elif call.token != first.token and not (call.is_whose and first.is_whose):
            if call.status != BLOCKED:
                return
            if len(self._held) < _MOST_HELD and self._is_again(call, first):
                self._held.append((call, first))
            else:
                self._findings.cannot_tell(STOP, WHOSE)
        elif not self._is_certainly_after(call, first):
            if call.status == BLOCKED:
                self._findings.cannot_tell(STOP, UNDER_WAY_423)
        elif call.started - first.ended >= _BLOCK - JITTER or call.came not in {
            Came.UNHEARD,
            Came.FAILED,
            Came.LOST,
            Came.UNKNOWN,
        }:
            self._findings.keeps(STOP, call)
            del self._blocked[call.client]
        elif call.status == BLOCKED:
            self._breaks(call, first)

    def finish(self) -> None:
        """Judge those of which only the whole recording shows whose they are: where there is one integrator, they are its."""
        for call, first in self._held:
            if first.is_whose and len(self._integrators[first.base]) == 1:
                self._breaks(call, first)
            else:
                self._findings.cannot_tell(STOP, WHOSE)
        self._held.clear()

    def _is_again(self, call: Call, first: Call) -> bool:
        """Whether it was sent within an hour after the 423, for certain."""
        if call.started is None or first.ended is None or not self._is_certainly_after(call, first):
            return False
        return call.started - first.ended < _BLOCK - JITTER

    def _breaks(self, call: Call, first: Call) -> None:
        if call.started is None or first.ended is None:
            return
        seconds = (call.started - first.ended).total_seconds()
        says = f"sent {seconds:.0f} s after the 423 of entry {first.origin.entry}, and answered 423 again"
        self._findings.breaks(STOP, call, says, value=BLOCKED, cause="blocked")

    def _is_certainly_after(self, call: Call, first: Call) -> bool:
        if call.origin.file == first.origin.file:
            return _is_certainly_after(call, first)
        return call.started is not None and first.ended is not None and call.started - first.ended > CLOCKS
