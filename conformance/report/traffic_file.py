"""The traffic of a run as one HAR file: what its processes wrote, put together exchange by exchange, so that memory does not grow
with the number of requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import heappop, heappush, merge
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from conformance.target.wire.redaction import Redactor
from conformance.traffic.json_text import Broken, JSONText
from conformance.verdict.exchanges import FIELD, Entry, Mark, Marking
from conformance.verdict.observed import ObservedEntry, observed

WINDOW: Final = 1_000
"""So many exchanges of a process are put into the order in which they were sent: an exchange is written when its answer came."""

_AS_WRITTEN: Final = json.JSONDecoder()
"""Numbers stay what they are written as: nothing is calculated here."""

_text: Final = json.JSONEncoder(ensure_ascii=False).encode
"""A value as JSON."""


class NotWhole(ValueError):
    """A file ends in the middle, as that of a process does that was killed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: not whole")
        self.path = path


def write_traffic(
    stream: IO[str], files: Sequence[Path], redactor: Redactor, marks: Mapping[str, Sequence[Mark]], *, in_order: bool
) -> ObservedEntry:
    """Write the exchanges of these files into one, without what `redactor` knows, each with what it is evidence of; `in_order` of
    when they were sent, else as they come. How the target answered in them.

    Raises NotWhole, and OSError where the disk does not take it.
    """
    with ExitStack() as opened:
        parts = [_read(opened.enter_context(path.open("rb")), path) for path in files]
        head = parts[0][0] if parts else {}
        entries = [part for _, part in parts]
        in_turn = merge(*map(_by_instant, entries), key=_instant) if in_order else iter(entries[0])
        marking = Marking(marks)
        stream.write(
            f'{{"log": {{{"".join(f"{_text(name)}: {_text(value)}, " for name, value in head.items())}"entries": ['
        )
        found = observed(_written(stream, in_turn, redactor, marking.marked))
        stream.write(f"], {_text(FIELD)}: {_text(marking.summary())}}}}}")
    return found


def _written(
    stream: IO[str], entries: Iterator[Entry], redactor: Redactor, marked: Callable[[Entry], Entry]
) -> Iterator[Entry]:
    separator = ""
    for entry in entries:
        whole = marked(_redacted(entry, redactor))
        stream.write(f"{separator}{_text(whole)}")
        separator = ", "
        yield whole


def _redacted(entry: Entry, redactor: Redactor) -> Entry:
    text = _text(entry)
    safe = redactor.text(text)
    redacted: Entry = entry if safe == text else json.loads(safe)
    return redacted


def entries_of(stream: BinaryIO, path: Path) -> Iterator[Entry]:
    """The exchanges of a HAR of a run, one after the other. Raises NotWhole, also while they are read."""
    return _read(stream, path)[1]


def _read(stream: BinaryIO, path: Path) -> tuple[dict[str, Any], Iterator[Entry]]:
    """What a HAR says before its entries, and these. Raises NotWhole, also while they are read."""
    text = JSONText(stream, decoder=_AS_WRITTEN)
    try:
        outer, head = text.members(), dict[str, Any]()
        if next(outer, None) == "log":
            inner = text.members()
            for name in inner:
                if name == "entries":
                    return head, _entries(text, (inner, outer), path)
                head[name] = text.value()
    except Broken:
        pass
    raise NotWhole(path)


def _entries(text: JSONText, behind: Sequence[Iterator[str]], path: Path) -> Iterator[Entry]:
    try:
        for _ in text.items():
            entry = text.value()
            if not isinstance(entry, dict):
                raise NotWhole(path)
            yield entry
        for members in behind:
            for _ in members:
                text.value()
    except Broken:
        raise NotWhole(path) from None


def _instant(entry: Entry) -> str:
    return str(entry["startedDateTime"])


def _by_instant(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries of one process in the order in which they were sent."""
    waiting: list[tuple[str, int, Entry]] = []
    for number, entry in enumerate(entries):
        heappush(waiting, (_instant(entry), number, entry))
        if len(waiting) > WINDOW:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]
