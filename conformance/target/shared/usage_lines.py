"""What a log of usage says: its lines, and what they come to. Pure but for the clocks; see usage_log.py for the files."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from conformance.target.shared.uptime import boot, since_boot

KEPT_SECONDS: Final = 2 * 3600.0
"""How long marks are kept here: longer than any window, shorter than anybody would mind."""

# Kinds of lines: WHERE is the boot and the store that the following are of; the others are what was done to the store.
WHERE, MARK, RENEW, UNMARK, PUT, DROP, BLOCK, USED = (
    "where",
    "mark",
    "renew",
    "unmark",
    "put",
    "drop",
    "block",
    "used",
)


class Line(NamedTuple):
    """A line that was read: what was done, how long ago, to which store."""

    kind: str
    age: float
    where: tuple[str, str]
    """Boot and identity."""
    fields: list[Any]
    """The array: kind, seconds since boot, seconds since the epoch, and what was done."""
    living: bool = False
    """Whether the process that wrote it goes on."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the log knows. Ages are in seconds, as they were when it was read."""

    read_at: float = 0.0
    """The seconds since boot at which that was."""
    marks: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """The age of each mark that counts, by window and mark."""
    entered: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The identity of the store in which each was entered."""
    records: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Value of each record that was not dropped, and the identity of the store in which it was kept."""
    uses: Mapping[str, float] = field(default_factory=dict)
    """How long ago each store, by its identity, was last used."""
    sequences: Mapping[str, int] = field(default_factory=dict)
    """How many marks each store was seen to have had."""
    seen: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Seconds since this boot and the store's instant at that time, of each store."""
    dropped: frozenset[str] = frozenset()
    """Records that are no more."""
    block: tuple[float, str] | None = None
    """For how many seconds more the integrator is blocked, and in which store that was noted."""
    whole: bool = True
    """Whether every line could be read."""
    living: frozenset[str] = frozenset()
    """Those of the records that another process wrote which goes on: they are its own to look after."""


def read_lines(contents: Iterable[bytes], now: float | None = None) -> tuple[list[Line], bool]:
    """The lines of these files, the oldest first, and whether all could be read. `now` are the seconds since boot."""
    lines: list[Line] = []
    whole = True
    now, time_of_day, this_boot = since_boot() if now is None else now, time.time(), boot()
    for content in contents:
        where = ("", "")
        for text in content.split(b"\n"):
            if not text:
                continue
            try:
                fields = json.loads(text)
                if fields[0] == WHERE:
                    where = (str(fields[1]), str(fields[2]))
                    continue
                lines.append(_line(fields, where, now, time_of_day, this_boot))
            except (ValueError, TypeError, IndexError, KeyError, OverflowError, RecursionError):
                whole = False
    return sorted(lines, key=in_turn), whole


def in_turn(line: Line) -> tuple[float, float]:
    """The oldest first; the seconds since boot are told by the hundredth, and lines of one file follow each other faster."""
    return -line.age, line.fields[2]


def _line(fields: list[Any], where: tuple[str, str], now: float, time_of_day: float, this_boot: str) -> Line:
    """A line with its age. By the seconds since boot, where it is of this boot; else by the time of day, but at least since
    before this boot. Raises ValueError, TypeError, KeyError, IndexError where it is none."""
    kind, uptime, instant, *values = fields
    uptime, instant = float(uptime), float(instant)
    values = [as_type(value) for as_type, value in zip(_TYPES[kind], values, strict=True)]
    if not this_boot:
        age = time_of_day - instant
    elif where[0] == this_boot:
        age = now - uptime
    else:
        age = max(now, time_of_day - instant)
    if not all(math.isfinite(number) for number in (age, *values) if isinstance(number, float)):
        raise ValueError(fields)
    return Line(kind, max(0.0, age), where, [kind, uptime, instant, *values])


_TYPES: Final[Mapping[str, tuple[Callable[[Any], Any], ...]]] = {
    MARK: (str, str, int, float),
    RENEW: (str, str),
    UNMARK: (str, str),
    PUT: (str, str),
    DROP: (str,),
    BLOCK: (float,),
    USED: (int, float),
}


def summarised(lines: Iterable[Line], *, drops: bool) -> list[Line]:
    """Those of the lines, the oldest first, that say all that still counts; without the `drops` where no other file may hold
    what was dropped."""
    marks: dict[tuple[str, str], Line] = {}
    records: dict[str, Line] = {}
    last: dict[str, Line] = {}
    blocks: list[Line] = []
    for line in lines:
        match line.kind:
            case "mark" | "renew":
                marks[line.fields[3], line.fields[4]] = line
            case "unmark":
                marks.pop((line.fields[3], line.fields[4]), None)
            case "put" | "drop":
                records[line.fields[3]] = line
            case "block":
                blocks = [line]
        if line.kind in {MARK, USED}:
            last[line.where[1]] = line
    kept = [line for line in marks.values() if line.age <= KEPT_SECONDS]
    kept += [line for line in records.values() if drops or line.kind == PUT]
    kept += blocks
    kept += [line._replace(kind=USED, fields=[USED, *line.fields[1:3], *line.fields[-2:]]) for line in last.values()]
    return sorted(kept, key=in_turn)


def known_of(lines: Iterable[Line], read_at: float, *, whole: bool = True) -> Known:
    """What lines say, the oldest first."""
    lines = list(lines)
    kept = summarised(lines, drops=True)
    used = [line for line in kept if line.kind == USED]
    marks = {(line.fields[3], line.fields[4]): line for line in kept if line.kind in {MARK, RENEW}}
    return Known(
        read_at,
        {mark: line.age for mark, line in marks.items()},
        {mark: line.where[1] for mark, line in marks.items()},
        {line.fields[3]: (line.fields[4], line.where[1]) for line in kept if line.kind == PUT},
        {line.where[1]: line.age for line in used},
        {line.where[1]: int(line.fields[3]) for line in used},
        {line.where[1]: (line.fields[1], line.fields[4]) for line in used if line.where[0] == boot() != ""},
        frozenset(line.fields[3] for line in kept if line.kind == DROP),
        next(((line.fields[3] - line.age, line.where[1]) for line in kept if line.kind == BLOCK), None),
        whole,
        frozenset(line.fields[3] for line in lines if line.kind == PUT and line.living),
    )
