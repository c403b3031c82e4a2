"""Recordings in the sequence of sending, without holding them in memory.

Recorders write calls when they are complete, so that a recording is nearly in sequence: a bounded number of calls is held back,
and each leaves when so many others came after it. Whether that is enough is seen beforehand, by a look at the times alone;
where it is not, the recording is sorted by way of temporary files. A recording is opened when its first time comes, so that
thousands of files, one of each hour, are not open at once.
"""

from __future__ import annotations

import heapq
import json
import pickle
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from operator import itemgetter
from typing import IO, BinaryIO, Final

from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.parts import instant

WINDOW: Final = 1_000
"""So many calls are held back: more than are under way at once."""

RUN_CALLS: Final = 8_000
RUN_BYTES: Final = 16 * 1024 * 1024
"""So many calls, or bytes of bodies, are sorted in memory before they go to a temporary file."""

MOST_RUNS: Final = 100
"""So many temporary files are open before they become one."""

_BATCH: Final = 20

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

Keyed = tuple[datetime, int, Exchange]
"""An exchange with what it is sorted by: its time, or that of the one written before it; its place in its file."""


def keyed(exchanges: Iterable[Exchange]) -> Iterator[Keyed]:
    """Exchanges as they were written, each with what it is sorted by."""
    last = LONG_AGO
    for exchange in exchanges:
        if not isinstance(exchange.started, Missing):
            last = exchange.started
        yield last, exchange.origin.entry, exchange


@dataclass(frozen=True, slots=True)
class Survey:
    """What the times of a recording say of its sequence."""

    first: datetime
    """When its first call was sent; long ago where it begins without a time."""
    nearly_sorted: bool
    """Whether holding back WINDOW calls is enough."""
    is_sorted: bool = False
    """Whether none need be held back: for certain, so not where no time was seen."""


def survey(times: Iterable[datetime]) -> Survey:
    """Look at the times of a recording, as they were written."""
    held: list[datetime] = []
    first = gone = None
    last, is_sorted = LONG_AGO, True
    for time in times:
        first = time if first is None or time < first else first
        is_sorted = is_sorted and last <= time
        last = time
        if gone is not None and time < gone:
            return Survey(min(chain([first], times)), nearly_sorted=False)
        if len(held) < WINDOW:
            heapq.heappush(held, time)
        else:
            gone = heapq.heappushpop(held, time)
    return Survey(first or LONG_AGO, nearly_sorted=True, is_sorted=is_sorted and first is not None)


_OVERLAP: Final = 200
_PIECE: Final = 1 << 20


_TIME: Final = re.compile(rb'"started(?:DateTime)?"\s*:\s*("[^"]{10,64}")')


def times_in(stream: BinaryIO) -> Iterator[datetime]:
    """The times of a JSON recording by the names of their members, without reading the JSON: names inside of a text have a
    backslash before their quotation marks. Some too many do no harm, since this decides only how to sort."""
    rest = b""
    while piece := stream.read(_PIECE):
        rest += piece
        end = 0
        for found in _TIME.finditer(rest):
            end = found.end()
            text = found[1][1:-1].decode("latin-1")
            time = instant(_unescaped(text) if "\\" in text else text)
            if not isinstance(time, Missing):
                yield time
        rest = rest[max(end, len(rest) - _OVERLAP) :]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def in_sequence(exchanges: Iterator[Keyed], *, nearly_sorted: bool, is_sorted: bool = False) -> Iterator[Keyed]:
    """A recording's exchanges by time."""
    if is_sorted:
        return exchanges
    return _windowed(exchanges) if nearly_sorted else _sorted(exchanges)


def _windowed(exchanges: Iterator[Keyed]) -> Iterator[Keyed]:
    held: list[Keyed] = []
    for one in exchanges:
        if len(held) < WINDOW:
            heapq.heappush(held, one)
        else:
            yield heapq.heappushpop(held, one)
    while held:
        yield heapq.heappop(held)


def _sorted(exchanges: Iterator[Keyed]) -> Iterator[Keyed]:
    """An external merge sort. The temporary files have no name, and are gone with this process."""
    with ExitStack() as closing:
        runs: list[IO[bytes]] = []
        is_last = False
        while not is_last:
            calls, is_last = _run(exchanges)
            if is_last and not runs:  # all there is
                yield from calls
                return
            if calls:
                runs.append(closing.enter_context(tempfile.TemporaryFile()))
                _spill(iter(calls), runs[-1])
            if len(runs) == MOST_RUNS:
                whole = closing.enter_context(tempfile.TemporaryFile())
                _spill(heapq.merge(*map(_loaded, runs)), whole)
                for file in runs:
                    file.close()
                runs = [whole]
        yield from heapq.merge(*map(_loaded, runs))


def _spill(calls: Iterator[Keyed], file: IO[bytes]) -> None:
    """Write calls into a file, and stand at its beginning."""
    while batch := list(islice(calls, _BATCH)):
        pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
    file.seek(0)


def _run(exchanges: Iterator[Keyed]) -> tuple[list[Keyed], bool]:
    """The next calls, so many as are sorted in memory, and whether they are the last ones."""
    calls: list[Keyed] = []
    size = 0
    is_last = True
    for one in exchanges:
        calls.append(one)
        size += _size(one[2])
        if len(calls) == RUN_CALLS or size > RUN_BYTES:
            is_last = False
            break
    calls.sort()
    return calls, is_last


def _size(exchange: Exchange) -> int:
    bodies = (exchange.request.body, getattr(exchange.response, "body", b""))
    return sum(len(body) for body in bodies if isinstance(body, bytes))


def _loaded(file: IO[bytes]) -> Iterator[Keyed]:
    while True:
        try:
            yield from pickle.load(file)  # noqa: S301 - what this process wrote, into a file without a name
        except EOFError:
            return


_exchange_of: Final = itemgetter(2)


def merged(recordings: Sequence[tuple[datetime, Callable[[], Iterator[Keyed]]]]) -> Iterator[Exchange]:
    """The exchanges of several recordings, each in sequence by itself, as one sequence. Each comes with its first time, and is
    opened then; of calls of the same time those of the recording that was named first come first."""
    waiting = sorted(
        ((first, number, begin) for number, (first, begin) in enumerate(recordings)),
        key=lambda one: one[:2],
        reverse=True,
    )
    heads: list[tuple[datetime, int, int, Exchange, Iterator[Keyed]]] = []

    def advance(number: int, exchanges: Iterator[Keyed]) -> None:
        for time, place, exchange in exchanges:
            heapq.heappush(heads, (time, number, place, exchange, exchanges))
            return

    while heads or waiting:
        while waiting and (not heads or waiting[-1][0] <= heads[0][0]):
            _, number, begin = waiting.pop()
            advance(number, begin())
        if len(heads) == 1 and not waiting:  # the others have ended
            yield heads[0][3]
            yield from map(_exchange_of, heads.pop()[4])
        if heads:
            _, number, _, exchange, exchanges = heapq.heappop(heads)
            yield exchange
            advance(number, exchanges)
