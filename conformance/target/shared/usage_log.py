"""What runs of this user have spent and left, kept apart from the store that they share: losing the store forgets nothing.

Each process appends to a file of its own, a line before each request: no process waits for another. It begins with what the
others have spent, so that a process that goes on when all files are taken away can write them anew. A line is a JSON array, its
instants both by the seconds since boot and by the time of day. Files whose processes have ended are merged by and by.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from conformance.errors import CannotRun
from conformance.target.shared.uptime import boot, since_boot

KEPT_SECONDS: Final = 2 * 3600.0
"""How long marks are kept here: longer than any window, shorter than anybody would mind."""

COMPACT_BYTES: Final = 2**20
MERGE_FILES: Final = 8

_SUFFIX: Final = ".log"

# Kinds of lines: WHERE is the boot and the store that the following are of; the others are what was done to the store.
_WHERE, _MARK, _RENEW, _UNMARK, _PUT, _DROP, _BLOCK, _USED = (
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


class UsageLog:
    """The log of one integrator: a directory of files, of which this process writes one."""

    def __init__(self, directory: Path) -> None:
        """Nothing is written yet."""
        self.directory = directory
        self._file: int | None = None
        self._path: Path | None = None
        self._size = 0
        self._whole_size = 0
        """What all that counted took when it was last written anew: nothing is won by doing that again soon."""
        self._where: tuple[str, str] | None = None
        self._store = ""
        self._spent_before: list[Line] = []
        """The marks and the block that all files together held when they were read."""

    def of_store(self, identity: str) -> None:
        """What follows is about this store."""
        self._store = identity

    # -- writing -----------------------------------------------------------------------------------------------------

    def marked(self, window: str, mark: str, sequence: int, instant: float) -> None:
        """A mark was entered: the so many-th of the store, at an instant of its clock. Raises CannotRun, as all that write."""
        self._write(_MARK, window, mark, sequence, instant)

    def renewed(self, window: str, mark: str) -> None:
        """A mark counts from now on."""
        self._write(_RENEW, window, mark)

    def unmarked(self, window: str, mark: str) -> None:
        """A mark was taken back."""
        self._write(_UNMARK, window, mark)

    def put(self, key: str, value: str) -> None:
        """A record is kept."""
        self._write(_PUT, key, value)

    def dropped(self, keys: Iterable[str]) -> None:
        """Records were forgotten."""
        for key in keys:
            self._write(_DROP, key)

    def blocked(self, seconds: float) -> None:
        """The integrator is blocked for so long from now on."""
        self._write(_BLOCK, seconds)

    def _write(self, kind: str, *values: Any) -> None:
        with _or_cannot_run(self.directory):
            if self._file is None:
                self._begin()
                self._copy(self._spent_before)
            self._append([kind, round(since_boot(), 2), round(time.time(), 6), *values])
            if self._size > max(COMPACT_BYTES, 2 * self._whole_size):
                self._compact()

    def _begin(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self.directory / f"{uuid4().hex[:12]}{_SUFFIX}"
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # as long as the process lives: nobody merges the file
        self._size, self._where = 0, None

    def _append(self, fields: list[Any]) -> None:
        assert self._file is not None
        where = (boot(), self._store)
        lines = [] if where == self._where else [[_WHERE, *where]]
        # A line begins with its line break: one that was cut off, on a full disk, spoils no other.
        text = "".join(f"\n{json.dumps(line)}" for line in [*lines, fields]).encode()
        if os.write(self._file, text) < len(text):
            raise OSError(f"{self._path}: the disk is full")
        self._where = where
        self._size += len(text)

    def _compact(self) -> None:
        """Write the process's own file anew, with what still counts."""
        old, path = self._file, self._path
        assert old is not None
        assert path is not None
        with self._alone():
            kept = summarised(read_lines([path.read_bytes()])[0], drops=True)
            self._begin()
            self._copy(kept)
            path.unlink()
        os.close(old)

    def _copy(self, lines: Iterable[Line]) -> None:
        assert self._file is not None
        texts, where = [], None
        for line in lines:
            if line.where != where:
                where = line.where
                texts.append(json.dumps([_WHERE, *where]))
            texts.append(json.dumps(line.fields))
        text = "".join(f"\n{one}" for one in texts).encode()
        if os.write(self._file, text) < len(text):
            raise OSError(f"{self._path}: the disk is full")
        self._size, self._whole_size, self._where = len(text), len(text), where

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> Known:
        """What all files together know. Raises CannotRun where they can't be read."""
        with _or_cannot_run(self.directory):
            self._write_anew()
            if not self.directory.is_dir():
                return Known()
            with self._alone():
                read_at = since_boot()
                paths = sorted(self.directory.glob(f"*{_SUFFIX}"))
                lines, whole = read_lines((path.read_bytes() for path in paths), read_at)
                if len(paths) > MERGE_FILES and whole:
                    self._merge(paths)
            spent = {_MARK, _RENEW, _BLOCK}
            self._spent_before = [line for line in summarised(lines, drops=False) if line.kind in spent]
            return known_of(lines, read_at, whole=whole)

    def _write_anew(self) -> None:
        """Where the process's own file was taken away, write what it holds to another: it is still open."""
        old, path = self._file, self._path
        if old is None or path is None or _is_at(old, path):
            return
        lines, _ = read_lines([os.pread(old, os.fstat(old).st_size, 0)])
        self._begin()
        self._copy(summarised(lines, drops=True))
        os.close(old)

    def _merge(self, paths: list[Path]) -> None:
        """Make one file of those whose processes have ended."""
        held: dict[Path, int] = {}
        try:
            for path in paths:
                opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                if _locked(opened):
                    held[path] = opened
                else:
                    os.close(opened)
            if len(held) > 1:
                lines, _ = read_lines(path.read_bytes() for path in held)
                merged = UsageLog(self.directory)
                merged._begin()
                merged._copy(summarised(lines, drops=len(held) < len(paths)))
                merged.close()
                for path in held:
                    path.unlink()
        finally:
            for opened in held.values():
                os.close(opened)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process reads the files or makes them fewer meanwhile."""
        opened = os.open(self.directory / "lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


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
                if fields[0] == _WHERE:
                    where = (str(fields[1]), str(fields[2]))
                    continue
                lines.append(_line(fields, where, now, time_of_day, this_boot))
            except (ValueError, TypeError, IndexError, KeyError, OverflowError, RecursionError):
                whole = False
    return sorted(lines, key=_in_turn), whole


def _in_turn(line: Line) -> tuple[float, float]:
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
    _MARK: (str, str, int, float),
    _RENEW: (str, str),
    _UNMARK: (str, str),
    _PUT: (str, str),
    _DROP: (str,),
    _BLOCK: (float,),
    _USED: (int, float),
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
        if line.kind in {_MARK, _USED}:
            last[line.where[1]] = line
    kept = [line for line in marks.values() if line.age <= KEPT_SECONDS]
    kept += [line for line in records.values() if drops or line.kind == _PUT]
    kept += blocks
    kept += [line._replace(kind=_USED, fields=[_USED, *line.fields[1:3], *line.fields[-2:]]) for line in last.values()]
    return sorted(kept, key=_in_turn)


def known_of(lines: Iterable[Line], read_at: float, *, whole: bool = True) -> Known:
    """What lines say, the oldest first."""
    kept = summarised(lines, drops=True)
    used = [line for line in kept if line.kind == _USED]
    marks = {(line.fields[3], line.fields[4]): line for line in kept if line.kind in {_MARK, _RENEW}}
    return Known(
        read_at,
        {mark: line.age for mark, line in marks.items()},
        {mark: line.where[1] for mark, line in marks.items()},
        {line.fields[3]: (line.fields[4], line.where[1]) for line in kept if line.kind == _PUT},
        {line.where[1]: line.age for line in used},
        {line.where[1]: int(line.fields[3]) for line in used},
        {line.where[1]: (line.fields[1], line.fields[4]) for line in used if line.where[0] == boot() != ""},
        frozenset(line.fields[3] for line in kept if line.kind == _DROP),
        next(((line.fields[3] - line.age, line.where[1]) for line in kept if line.kind == _BLOCK), None),
        whole,
    )


@contextmanager
def _or_cannot_run(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotRun(
            f"{directory}: what runs of this integrator spend and leave cannot be written down there ({error}); nothing is sent "
            "without it: make room, make it writable, or let XDG_STATE_HOME name another directory"
        ) from None


def _is_at(opened: int, path: Path) -> bool:
    """Whether the path still leads to the open file."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(opened))


def _locked(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
