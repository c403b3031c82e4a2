"""Recordings in parts that can be read each by itself: a file; of lines of JSON that are not compressed, so many megabytes."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

from conformance.traffic.clocks import moved
from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.files import Source, Tell, opened
from conformance.traffic.formats import Form, exchanges, form_of, manner_in, why_none
from conformance.traffic.manner import Manner, as_sent
from conformance.traffic.ndjson import read_ndjson
from conformance.traffic.ordering import LONG_AGO
from conformance.traffic.problems import Problems

PART_BYTES: Final = 32 * 1024 * 1024
_STEP_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording."""

    number: int
    file: int
    """Which recording it is of, in the order in which they were named."""
    source: Source
    form: Form
    begin: int = 0
    end: int | None = None
    """The lines that begin in these bytes; None: the whole file."""
    manner: Manner = Manner.OF_CALLS
    """Whose times the recorder writes; of a whole file it shows when that is read."""


def parts_of(sources: Iterable[Source], problems: Problems, *, part_bytes: int = PART_BYTES) -> list[Part]:
    """The parts of these recordings, in sequence; `problems` learns in which there is nothing. Raises CannotRun where one
    can't be opened or is of no known form."""
    found: list[Part] = []
    for file, source in enumerate(sources):
        form = form_of(source)
        if form is None:
            problems.tell(file, why_none(source))
            continue
        size = _plain_bytes(source) if form is Form.NDJSON else 0
        ranges: list[tuple[int, int | None]] = [(begin, begin + part_bytes) for begin in range(0, size, part_bytes)]
        manner = manner_in(source, form) if len(ranges) > 1 else Manner.OF_CALLS
        for begin, end in ranges if len(ranges) > 1 else [(0, None)]:
            found.append(Part(len(found), file, source, form, begin, end, manner))
    return found


def _plain_bytes(source: Source) -> int:
    """How large a file is that can be read from its middle; 0 where it can't be."""
    if source.member is not None:
        return 0
    with opened(source, lambda _: None) as file:
        if not file.is_plain:
            return 0
        return file.stream.seek(0, io.SEEK_END)


@dataclass(slots=True)
class Entries:
    """How many entries were read, also of those that are broken."""

    number: int = 0


def exchanges_in(part: Part, tell: Tell, entries: Entries | None = None) -> Iterator[tuple[datetime, Exchange]]:
    """Every exchange of a part as it was written, with the time by which it is sorted: its own, or that of the one written
    before it. Places are counted from the beginning of the part; `entries` learns how many there are in a part of a file."""
    last = LONG_AGO if part.end is None else None
    whole = part.end is None
    for exchange in exchanges(part.source, part.form, tell) if whole else _in_range(part, tell, entries or Entries()):
        if not isinstance(exchange.started, Missing):
            last = exchange.started
        last = last or _time_before(part)
        yield last, exchange


class _Counted:
    """Exchanges, and at their end how many entries there were."""

    def __init__(self, found: Generator[Exchange, None, int]) -> None:
        self._found, self.number = found, 0

    def __iter__(self) -> Iterator[Exchange]:
        self.number = yield from self._found


def _in_range(part: Part, tell: Tell, entries: Entries) -> Iterator[Exchange]:
    with opened(part.source, tell) as file:
        lines = _Lines(file.stream, part.begin, part.end or 0)
        found = _Counted(read_ndjson(lines, part.source.name, tell))
        yield from as_sent(moved(iter(found), part.source), part.manner)
        entries.number = found.number


class _Lines(io.BytesIO):
    """The lines of a stream that begin between two positions."""

    def __init__(self, stream: BinaryIO, begin: int, end: int) -> None:
        super().__init__()
        self._stream, self._end = stream, end
        if begin:
            stream.seek(begin - 1)
        self._position = stream.tell()
        self._is_within = False
        while begin and self._position < end:
            rest = stream.readline(_STEP_BYTES)
            self._position += len(rest)
            if rest.endswith(b"\n") or not rest:
                break

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, or so many bytes of it."""
        if self._position >= self._end and not self._is_within:
            return b""
        line = self._stream.readline(-1 if size is None else size)
        self._position += len(line)
        self._is_within = bool(line) and not line.endswith(b"\n")
        return line


def _time_before(part: Part) -> datetime:
    """The time of the last exchange with one that was written before the part."""
    with opened(part.source, lambda _: None) as file:
        end = part.begin
        while end > 0:
            begin = max(0, end - _STEP_BYTES)
            lines = _Lines(file.stream, begin, end)
            found = as_sent(moved(read_ndjson(lines, part.source.name, lambda _: None), part.source), part.manner)
            times = [exchange.started for exchange in found if not isinstance(exchange.started, Missing)]
            if times:
                return times[-1]
            end = begin
    return LONG_AGO


def exchanges_at(part: Part, wanted: frozenset[int]) -> dict[int, Exchange]:
    """The exchanges of a part at these places in it."""
    found = exchanges_in(part, lambda _: None)
    return {exchange.origin.entry: exchange for _, exchange in found if exchange.origin.entry in wanted}


def whole_told(source: Source, form: Form) -> list[str]:
    """What can't be read of a recording, told as by one who reads it whole."""
    problems: list[str] = []
    for _ in exchanges(source, form, problems.append):
        pass
    return problems
