"""Exchanges that are recorded twice: who exports a day twice has its beginning in both files, or merges both into one. They were
sent once."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from zlib import crc32

from conformance.traffic.exchange import Exchange, Missing, Response

_MILLISECOND: Final = timedelta(milliseconds=1)
"""What took the same fraction of it, too, is the same for certain."""


class Held(Enum):
    """Whether an exchange was held before."""

    NEVER = "never"
    TWICE = "twice"
    IN_DOUBT = "in doubt"
    """The same file holds it, with the same times, which are not written finely enough to tell what was merged twice into it
    from what two workers sent at once. No server takes the same release twice: it is taken for the former."""

    __hash__ = object.__hash__


class Repeats:
    """Takes exchanges in the sequence of their times, and knows those that a file held before."""

    def __init__(self) -> None:
        self._started: datetime | None = None
        self._lone: tuple[Exchange, int | None] | None = None
        """The only exchange so far of that time."""
        self._seen: dict[tuple[timedelta | Missing, int], dict[str, int]] = {}
        """Of that time: how often each file held each."""

    def held(self, exchange: Exchange, mark: int | None = None) -> Held:
        """Whether it was held before: the same call, sent and answered at the same time. `mark` is that of the exchange, where
        it is known already."""
        started = exchange.started
        if isinstance(started, Missing):
            return Held.NEVER
        if started != self._started:
            self._started, self._lone = started, (exchange, mark)
            self._seen.clear()
            return Held.NEVER
        if self._lone is not None:
            self._note(*self._lone)
            self._lone = None
        return self._note(exchange, mark)

    def _note(self, exchange: Exchange, mark: int | None) -> Held:
        took = exchange.took
        files = self._seen.setdefault((took, mark_of(exchange) if mark is None else mark), {})
        file = exchange.origin.file
        times = files[file] = files.get(file, 0) + 1
        if any(number >= times for other, number in files.items() if other != file):
            return Held.TWICE
        if times == 1:
            return Held.NEVER
        return Held.IN_DOUBT if isinstance(took, Missing) or not took % _MILLISECOND else Held.TWICE


def mark_of(exchange: Exchange) -> int:
    """A number that another call, or another answer, hardly ever has."""
    request, answer = exchange.request, exchange.response
    mark = crc32(f"{request.method} {request.url}".encode("utf-8", "surrogatepass"))
    if isinstance(request.body, bytes):
        mark = crc32(request.body, mark)
    if isinstance(answer, Response):
        mark = crc32(answer.body if isinstance(answer.body, bytes) else b"", crc32(b"%d" % answer.status, mark))
    return mark
