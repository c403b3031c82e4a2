"""Requests that are sent at once: connections opened and all but the last byte sent before, the last bytes released together.

Each has a thread and a connection of its own. Nothing else is done in these threads: budget, ledger and journal are the
caller's. Where the caller is interrupted no last byte is sent any more: nothing is sent behind the back of a run that ends.
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
from conformance.target.wire.http.building import Request
from conformance.target.wire.http.failures import NeverSent, NoAnswer
from conformance.target.wire.http.network import Answer, Transport, ask

TOGETHER_SECONDS: Final = 5.0
"""How long the first that is ready waits for the last: servers hang up on who sends half a request for long."""

LAST_SECONDS: Final = 5.0
"""How long an interrupted caller waits for the answers to what was sent: what it created is then known by its id."""


class CalledOff(NeverSent):
    """All but the last byte was sent, and that never will be: nobody can carry it out."""


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
    begun: bool = False
    """Whether a connection may have been opened for it."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether it was sent whole, or may have been."""
        return self.started_at is not None


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
        self._is_off = False

    def send(self, party: int, last_byte: Callable[[], None]) -> None:
        """Return when the last byte of this party is sent. Raises what sending it raises, CalledOff where it is not sent."""
        with self._changed:
            self._missing -= 1
            self._sending[party] = last_byte
            self._changed.notify_all()
            self._changed.wait_for(lambda: party in self._sent or self._missing <= 0 or self._is_off, self._seconds)
            while party not in self._sent:
                if self._is_off:
                    raise CalledOff("called off before its last byte was sent")
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

    def call_off(self) -> None:
        """Send nothing more."""
        with self._changed:
            self._is_off = True
            self._changed.notify_all()

    def _send_all(self) -> None:
        """Send what is there, the soonest first. Who waits goes on when all that is to be sent at that moment is sent."""
        self._is_sending = True
        ready = sorted(self._sending.keys() - self._sent.keys(), key=lambda party: (self._offsets[party], party))
        began = time.monotonic()
        for offset, group in groupby(ready, key=lambda party: self._offsets[party]):
            left = began + offset - time.monotonic()
            if offset and left > 0:
                self._changed.wait_for(lambda: self._is_off, left)  # those that were sent go on meanwhile
            if self._is_off:
                break
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


def ask_at_once(
    transport: Transport, requests: Sequence[Request], asked: Sequence[Asked], offsets: Sequence[float] = ()
) -> None:
    """Send the requests at once, each so many seconds later than all are ready (0 where `offsets` says nothing), and read all
    answers. What becomes of each, failures too, is told in its place of `asked`.

    Raises nothing by itself. Where the caller is interrupted what is not sent yet is called off, and answers that are on their
    way are waited for a little.
    """
    together = Rendezvous(len(requests), offsets)
    started: list[threading.Event] = []
    try:
        for number, (request, one) in enumerate(zip(requests, asked, strict=True)):
            started.append(ended := threading.Event())
            threading.Thread(target=_ask, args=(transport, request, one, together, number, ended), daemon=True).start()
        for ended in started:
            ended.wait()
    except BaseException:
        together.call_off()
        ends = time.monotonic() + LAST_SECONDS
        for ended in started:
            ended.wait(max(0.0, ends - time.monotonic()))
        raise


def _ask(
    transport: Transport, request: Request, asked: Asked, together: Rendezvous, number: int, ended: threading.Event
) -> None:
    """`ended` is set at the end: a join that Ctrl-C interrupts takes the thread for ended, up to Python 3.12."""
    arrived, asked.begun = False, True

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
        answer = ask(transport, request, begun, release)
        asked.answered, asked.answer = time.monotonic(), answer
    except NoAnswer as failure:
        asked.failure = failure
    except Exception as error:  # whoever waits for it raises it
        asked.error = error
    finally:
        if not arrived:
            together.leave()
        ended.set()
