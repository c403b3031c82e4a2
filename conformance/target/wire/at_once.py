"""Requests that are sent at once: connections opened and all but the last byte sent before, the last bytes released together.

Each has a thread and a connection of its own. Nothing else is done in these threads: budget, ledger and journal are the
caller's.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from conformance.target.wire.exchange import Exchange
from conformance.target.wire.http import Answer, NoAnswer, Request, Transport, ask

TOGETHER_SECONDS: Final = 5.0
"""How long the first that is ready waits for the last: servers hang up on who sends half a request for long."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one request that was sent at once with others. Instants are seconds of the monotonic clock."""

    sent: float
    """When its last byte was released."""
    answered: float
    """When its answer was whole; infinite where none came."""
    exchange: Exchange | None
    failure: NoAnswer | None = None
    """Why no answer came."""


@dataclass(slots=True)
class Asked:
    """The same without what only the caller can make of it."""

    started_at: datetime | None = None
    sent: float = 0.0
    answered: float = math.inf
    status: int | None = None
    """What it began with, whatever came of the rest."""
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Answer | None = None
    failure: NoAnswer | None = None
    error: BaseException | None = None
    """What nobody foresees."""


class Rendezvous:
    """Where so many threads wait for each other, each with the sending of its last byte. When all are there one of them sends for
    all, in one go: to wake the others would take longer than many a server takes for its answer. One that fails on its way
    leaves, so that the others don't wait for it."""

    def __init__(self, parties: int, offsets: Sequence[float] = (), seconds: float = TOGETHER_SECONDS) -> None:
        """The last byte of each party is sent so many seconds after all are there (0 where `offsets` says nothing)."""
        self._changed = threading.Condition()
        self._missing = parties
        self._offsets = [*offsets, *[0.0] * (parties - len(offsets))]
        self._seconds = seconds
        self._sending: dict[int, Callable[[], None]] = {}
        self._sent: dict[int, BaseException | None] = {}
        """The parties whose last byte was sent, or could not be."""
        self._is_sending = False

    def send(self, party: int, last_byte: Callable[[], None]) -> None:
        """Return when the last byte of this party is sent. Raises what sending it raises."""
        with self._changed:
            self._missing -= 1
            self._sending[party] = last_byte
            self._changed.notify_all()
            self._changed.wait_for(lambda: party in self._sent or self._missing <= 0, self._seconds)
            while party not in self._sent:
                if self._is_sending:  # another does, also for this one or before it
                    self._changed.wait()
                else:
                    self._send_all()
        if (error := self._sent[party]) is not None:
            raise error

    def leave(self) -> None:
        """Be waited for no longer."""
        with self._changed:
            self._missing -= 1
            self._changed.notify_all()

    def _send_all(self) -> None:
        """Send what is there, the soonest first. Who waits goes on when all that is to be sent at that moment is sent."""
        self._is_sending = True
        ready = sorted(self._sending.keys() - self._sent.keys(), key=lambda party: (self._offsets[party], party))
        began = time.monotonic()
        for offset, group in groupby(ready, key=lambda party: self._offsets[party]):
            left = began + offset - time.monotonic()
            if offset and left > 0:
                self._changed.wait_for(lambda: False, left)  # those that were sent go on meanwhile
            sent: dict[int, BaseException | None] = {}
            for party in group:
                try:
                    self._sending[party]()
                    sent[party] = None
                except Exception as error:
                    sent[party] = error
            self._sent |= sent
            self._changed.notify_all()
        self._is_sending = False


def ask_at_once(transport: Transport, requests: Sequence[Request], offsets: Sequence[float] = ()) -> list[Asked]:
    """Send the requests at once, each so many seconds later than all are ready (0 where `offsets` says nothing), and read all
    answers. What fails is told in its place; nothing is raised but what nobody foresees."""
    together = Rendezvous(len(requests), offsets)
    asked = [Asked() for _ in requests]
    threads = [
        threading.Thread(target=_ask, args=(transport, request, one, together, number), daemon=True)
        for number, (request, one) in enumerate(zip(requests, asked, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in asked:
        if one.error is not None:
            raise one.error
    return asked


def _ask(transport: Transport, request: Request, asked: Asked, together: Rendezvous, number: int) -> None:
    arrived = False

    def release(send: Callable[[], None]) -> None:
        nonlocal arrived
        arrived = True

        def last_byte() -> None:
            asked.started_at, asked.sent = datetime.now(UTC), time.monotonic()
            send()

        together.send(number, last_byte)

    def begun(status: int, headers: Mapping[str, str]) -> None:
        asked.status, asked.headers = status, headers  # what it means is told when all answers are there

    try:
        asked.answer = ask(transport, request, begun, release)
        asked.answered = time.monotonic()
    except NoAnswer as failure:
        asked.failure = failure
    except Exception as error:  # the thread of whoever waits for it raises it
        asked.error = error
    finally:
        if not arrived:
            together.leave()
