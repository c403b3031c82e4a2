"""Exchanges that two recordings hold: who exports a day twice has its beginning in both files. They were sent once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from conformance.traffic.exchange import Exchange, Missing, Response


class Repeats:
    """Takes exchanges in the sequence of their times, and knows those that another file held before."""

    def __init__(self) -> None:
        self._started: datetime | None = None
        self._lone: tuple[Exchange, int | None] | None = None
        """The only exchange so far of that time."""
        self._seen: dict[tuple[timedelta, int], dict[str, int]] = {}
        """Of that time: how often each file held each."""

    def has(self, exchange: Exchange, mark: int | None = None) -> bool:
        """Whether another file held it: the same call, sent and answered at the same time. `mark` is that of the exchange, where
        it is known already."""
        started = exchange.started
        if isinstance(started, Missing) or isinstance(exchange.took, Missing):
            return False
        if started != self._started:
            self._started, self._lone = started, (exchange, mark)
            self._seen.clear()
            return False
        if self._lone is not None:
            self._note(*self._lone)
            self._lone = None
        return self._note(exchange, mark)

    def _note(self, exchange: Exchange, mark: int | None) -> bool:
        if isinstance(exchange.took, Missing):
            return False
        files = self._seen.setdefault((exchange.took, mark_of(exchange) if mark is None else mark), {})
        file = exchange.origin.file
        times = files[file] = files.get(file, 0) + 1
        return any(number >= times for other, number in files.items() if other != file)


def mark_of(exchange: Exchange) -> int:
    """A number that another call, or another answer, hardly ever has."""
    request, answer = exchange.request, exchange.response
    mark = crc32(f"{request.method} {request.url}".encode("utf-8", "surrogatepass"))
    if isinstance(request.body, bytes):
        mark = crc32(request.body, mark)
    if isinstance(answer, Response):
        mark = crc32(answer.body if isinstance(answer.body, bytes) else b"", crc32(b"%d" % answer.status, mark))
    return mark
