"""The mock's notifications: queued when something happens, posted to the integrator's callback, tried again on the clock."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from threading import Condition, Lock
from typing import Final, TypeAlias

from conformance.contract.jsontext import JSONValue, NotJSON, dumps, loads
from conformance.mock.clock import VirtualClock

TIMEOUT_SECONDS: Final = 5.0
"""How long a callback may take, from the first byte sent to the last one read: one that dribbles does not hold the mock up."""

MOST_OF_AN_ANSWER: Final = 65_536
"""So many bytes of a callback's answer are read; whoever says more has not said `TAKEN`."""

RETRIES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""When a notification is tried again, counted from the first try. Koncili documents none: these are the mock's own."""

TAKEN: Final = {"status": "success"}
"""What a callback answers, with 200, where it has taken a notification (P: async notifications)."""

ON_TIME: Final = (0.0,)
"""One copy of a notification, at once."""

Rewrite: TypeAlias = Callable[[dict[str, JSONValue]], list[dict[str, JSONValue]]]
"""A defect's hook: turns a notification into those that really leave."""


@cache
def _trusted() -> ssl.SSLContext:
    """The usual certificate authorities, read once: that takes longer than all the rest of a post."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a callback answered."""

    status: int
    body: bytes

    @property
    def is_taken(self) -> bool:
        """Whether it is as documented."""
        try:
            return self.status == 200 and loads(self.body) == TAKEN  # noqa: PLR2004 - the documented status
        except NotJSON:
            return False


def post(url: str, body: bytes) -> bool:
    """POST a notification. Whether the callback took it; a URL that leads nowhere takes nothing, and nothing is raised."""
    heard = answer_to(url, body)
    return heard is not None and heard.is_taken


def answer_to(url: str, body: bytes) -> Heard | None:
    """POST a notification; what the callback answered, None where it answered nothing, or more than anybody reads."""
    import httpx

    ends, told = time.monotonic() + TIMEOUT_SECONDS, b""
    try:
        with httpx.stream(
            "POST",
            url,
            content=body,
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_SECONDS,
            verify=_trusted(),
            trust_env=False,  # a callback is mostly on loopback, where a proxy of the environment would not find it
        ) as answer:
            for part in answer.iter_bytes():
                told += part
                if len(told) > MOST_OF_AN_ANSWER or time.monotonic() > ends:
                    return None
            return Heard(answer.status_code, told)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):  # UnicodeError: a host name that is none
        return None


Witness: TypeAlias = Callable[[str, bytes, Heard | None, datetime, datetime], None]
"""Is told each notification that was posted: where, what, what was answered, when it left and when that came."""


@dataclass(frozen=True, slots=True, order=True)
class _Letter:
    """A notification on its way; the one that is due first, and of those the one emitted first, goes first."""

    due: datetime
    number: int
    url: str = field(compare=False)
    body: bytes = field(compare=False)
    first_try: datetime | None = field(compare=False, default=None)
    retries: int = field(compare=False, default=0)


class Notifier:
    """Keeps the notifications that are still to be delivered. Safe to use from several threads."""

    def __init__(self, clock: VirtualClock, *, send: Callable[[str, bytes], bool] = post) -> None:
        """`send` posts a body to a URL and tells whether it was taken; it is never called with a lock held."""
        self.url: str | None = None
        """The integrator's callback; without one nothing is queued. What is queued goes to the URL of that time."""
        self.witness: Witness | None = None
        self.given_up = 0
        """How many notifications were taken at no try."""
        self._clock = clock
        self._send = send
        self._lock = Lock()
        self._idle = Condition(self._lock)
        self._letters: list[_Letter] = []
        self._emitted = 0
        self._delivering = False

    def emit(
        self,
        notification_type: str,
        payload: JSONValue,
        *,
        rewrite: Rewrite | None = None,
        late: Sequence[float] = ON_TIME,
    ) -> None:
        """Queue a notification, for each of `late` a copy that leaves so many seconds from now; `deliver` sends it.

        Raises TypeError or ValueError where the payload is no JSON.
        """
        url, now = self.url, self._clock.now()
        if url is None:
            return
        timestamp = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        notification = {"notificationType": notification_type, "timestamp": timestamp, "payload": payload}
        bodies = [dumps(body).encode() for body in (rewrite(notification) if rewrite else [notification])]
        with self._lock:
            for body in bodies:
                for seconds in late:
                    self._emitted += 1
                    heappush(self._letters, _Letter(now + timedelta(seconds=seconds), self._emitted, url, body))

    def forget(self) -> None:
        """Deliver nothing of what is queued."""
        with self._lock:
            self._letters.clear()

    def deliver(self) -> None:
        """Send what is due, in order. Where another thread is at it, that one sends it all and this call returns at once."""
        with self._lock:
            if self._delivering:
                return
            self._delivering = True
        while (letter := self._next_due()) is not None:
            try:
                taken = self._send_seen(letter, self.witness) if self.witness else self._send(letter.url, letter.body)
            except BaseException:
                self._put_off(letter)
                with self._lock:
                    self._rest()
                raise
            if not taken:
                self._put_off(letter)

    def _send_seen(self, letter: _Letter, witness: Witness) -> bool:
        left = self._clock.now()
        heard = answer_to(letter.url, letter.body)
        witness(letter.url, letter.body, heard, left, self._clock.now())
        return heard is not None and heard.is_taken

    def _next_due(self) -> _Letter | None:
        now = self._clock.now()
        with self._lock:
            if self._letters and self._letters[0].due <= now:
                letter = heappop(self._letters)
                return replace(letter, first_try=letter.first_try or now)
            # Under the lock that found nothing due, so that what another thread emits next is not left to this one.
            self._rest()
            return None

    def _rest(self) -> None:
        self._delivering = False
        self._idle.notify_all()

    def await_rest(self, seconds: float) -> bool:
        """Wait until no thread delivers any more, so long at most; whether that is so."""
        with self._lock:
            return self._idle.wait_for(lambda: not self._delivering, seconds)

    def _put_off(self, letter: _Letter) -> None:
        now = self._clock.now()
        with self._lock:
            if letter.retries == len(RETRIES):
                self.given_up += 1
                return
            # A clock that was moved far has passed several tries at once: they keep their distance all the same.
            due = max((letter.first_try or now) + RETRIES[letter.retries], now + RETRIES[0])
            heappush(self._letters, replace(letter, due=due, retries=letter.retries + 1))
