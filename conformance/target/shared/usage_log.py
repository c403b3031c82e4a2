"""What runs of this user have spent and left, kept apart from the store that they share: losing the store forgets nothing.

It is kept twice, in directories that are seldom lost together: the same lines go to each, and what is read is all that any of
them has. Each process appends to a file of its own there, a line before each request: no process waits for another. The file
begins with what the others have spent, so that a process that goes on when all files are taken away can write them anew. A line
is a JSON array, its instants both by the seconds since boot and by the time of day. Files whose processes have ended are merged
by and by.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from conformance.errors import CannotRun
from conformance.target.shared.uptime import boot, since_boot
from conformance.target.shared.usage_lines import (
    BLOCK,
    DROP,
    MARK,
    PUT,
    RENEW,
    UNMARK,
    USED,
    WHERE,
    Known,
    Line,
    in_turn,
    known_of,
    read_lines,
    summarised,
)

COMPACT_BYTES: Final = 2**20
MERGE_FILES: Final = 8

_SUFFIX: Final = ".log"
_SPENT: Final = frozenset({MARK, RENEW, BLOCK, USED})


class UsageLog:
    """The log of one integrator. The first of its directories must be there to be written; where another can't be, `unkept` says
    so, and the run goes on without it."""

    def __init__(self, *directories: Path) -> None:
        """Nothing is written yet."""
        self.directory = directories[0]
        self.unkept: dict[Path, str] = {}
        """Why it can't be kept in a directory."""
        self.damaged: list[Path] = []
        """The directories in which something could not be read."""
        self._copies = [_Copy(directory) for directory in dict.fromkeys(directories)]
        self._store = ""

    def of_store(self, identity: str) -> None:
        """What follows is about this store."""
        self._store = identity

    # -- writing -----------------------------------------------------------------------------------------------------

    def marked(self, window: str, mark: str, sequence: int, instant: float) -> None:
        """A mark was entered: the so many-th of the store, at an instant of its clock. Raises CannotRun, as all that write."""
        self._write(MARK, window, mark, sequence, instant)

    def renewed(self, window: str, mark: str) -> None:
        """A mark counts from now on."""
        self._write(RENEW, window, mark)

    def unmarked(self, window: str, mark: str) -> None:
        """A mark was taken back."""
        self._write(UNMARK, window, mark)

    def put(self, key: str, value: str) -> None:
        """A record is kept."""
        self._write(PUT, key, value)

    def dropped(self, keys: Iterable[str]) -> None:
        """Records were forgotten."""
        for key in keys:
            self._write(DROP, key)

    def blocked(self, seconds: float) -> None:
        """The integrator is blocked for so long from now on."""
        self._write(BLOCK, seconds)

    def _write(self, kind: str, *values: Any) -> None:
        line = json.dumps([kind, round(since_boot(), 2), round(time.time(), 6), *values])
        where = boot(), self._store
        for copy in tuple(self._copies):
            with self._kept_in(copy):
                copy.append(line, where)

    @contextmanager
    def _kept_in(self, copy: _Copy) -> Iterator[None]:
        """Raises CannotRun where the first of the copies can't be used; does without any other."""
        try:
            yield
        except OSError as error:
            if copy.directory == self.directory:
                raise CannotRun(
                    f"{copy.directory}: what runs of this integrator spend and leave cannot be written down there ({error}); "
                    "nothing is sent without it: make room, make it writable, or let XDG_STATE_HOME name another directory"
                ) from None
            self.unkept[copy.directory] = str(error)
            self._copies.remove(copy)
            copy.close()

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> Known:
        """What all files together know. Raises CannotRun where they can't be read."""
        read_at = since_boot()
        lines_of: dict[_Copy, list[Line]] = {}
        self.damaged = []
        for copy in tuple(self._copies):
            with self._kept_in(copy):
                lines_of[copy], whole = copy.read(read_at)
                if not whole:
                    self.damaged.append(copy.directory)
        lines = sorted((line for some in lines_of.values() for line in some), key=in_turn)
        kept = summarised(lines, drops=False)
        for copy, own in lines_of.items():
            copy.begins_with = list(_lacking(kept, own))
        return known_of(lines, read_at if lines else 0.0, whole=not self.damaged)

    def close(self) -> None:
        """Let go of the files."""
        for copy in self._copies:
            copy.close()


def _lacking(kept: Sequence[Line], own: Sequence[Line]) -> Iterator[Line]:
    """What a file of a copy is to begin with: all that was spent, and the records of the dead that the copy does not have. The
    living write theirs into all copies."""
    has = {(line.fields[3], line.fields[4]) for line in summarised(own, drops=False) if line.kind == PUT}
    for line in kept:
        if line.kind in _SPENT or (not line.living and (line.fields[3], line.fields[4]) not in has):
            yield line


class _Copy:
    """One directory of files, of which this process writes one. What is done with it raises OSError."""

    def __init__(self, directory: Path) -> None:
        """Nothing is written yet."""
        self.directory = directory
        self.begins_with: Sequence[Line] = ()
        """What this process's file says first."""
        self._file: int | None = None
        self._path: Path | None = None
        self._name = ""
        """The path as text: it is looked at with each line, and a Path takes four times as long."""
        self._inode = (0, 0)
        self._size = 0
        self._whole_size = 0
        """What all that counted took when it was last written anew: nothing is won by doing that again soon."""
        self._where: tuple[str, str] | None = None

    # -- writing -----------------------------------------------------------------------------------------------------

    def append(self, line: str, where: tuple[str, str]) -> None:
        """Write a line, of a boot and a store."""
        if self._file is None:
            self._begin()
            self._write_all(self.begins_with)
        else:
            self._write_anew()
        # A line begins with its line break: one that was cut off by the end of the machine spoils no other.
        self._write(f"\n{line}" if where == self._where else f"\n{json.dumps([WHERE, *where])}\n{line}")
        self._where = where
        if self._size > max(COMPACT_BYTES, 2 * self._whole_size):
            self._compact()

    def _begin(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self.directory / f"{uuid4().hex[:12]}{_SUFFIX}"
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # as long as the process lives: nobody merges the file
        self._name, self._inode = str(self._path), _inode(os.fstat(self._file))
        self._size, self._where = 0, None

    def _write(self, text: str) -> None:
        assert self._file is not None
        content = text.encode()
        if os.write(self._file, content) < len(content):
            with suppress(OSError):
                os.ftruncate(self._file, self._size)  # half a line would be taken for damage
            raise OSError(f"{self._path}: the disk is full")
        self._size += len(content)

    def _write_all(self, lines: Iterable[Line]) -> None:
        texts, where = [], None
        for line in lines:
            if line.where != where:
                where = line.where
                texts.append(json.dumps([WHERE, *where]))
            texts.append(json.dumps(line.fields))
        self._write("".join(f"\n{one}" for one in texts))
        self._whole_size, self._where = self._size, where

    def _compact(self) -> None:
        """Write the process's own file anew, with what still counts."""
        old, path = self._file, self._path
        assert old is not None
        assert path is not None
        with self._alone():
            kept = summarised(read_lines([path.read_bytes()])[0], drops=True)
            self._begin()
            self._write_all(kept)
            path.unlink()
        os.close(old)

    def _write_anew(self) -> None:
        """Where the process's own file was taken away, write what it holds to another: it is still open."""
        old = self._file
        if old is None or self._is_there():
            return
        lines, _ = read_lines([_content(old)])
        self._begin()
        self._write_all(summarised(lines, drops=True))
        os.close(old)

    def _is_there(self) -> bool:
        """Whether the path still leads to the open file."""
        try:
            return _inode(os.stat(self._name)) == self._inode  # noqa: PTH116 - see `_name`
        except OSError:
            return False

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, read_at: float) -> tuple[list[Line], bool]:
        """The lines of all files, the oldest first, and whether all could be read."""
        self._write_anew()
        if not self.directory.is_dir():
            return [], True
        with self._alone():
            lines: list[Line] = []
            whole = True
            held: dict[Path, int] = {}
            paths = sorted(self.directory.glob(f"*{_SUFFIX}"))
            try:
                for path in paths:
                    try:
                        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    except FileNotFoundError:  # somebody removes them in this moment
                        continue
                    some, readable = read_lines([_content(opened)], read_at)
                    if _locked(opened):
                        held[path] = opened
                    else:
                        os.close(opened)
                    lives = path not in held and path != self._path
                    lines += [line._replace(living=lives) for line in some]
                    whole = whole and readable
                if len(paths) > MERGE_FILES and whole and len(held) > 1:
                    self._merge(held, drops=len(held) < len(paths))
            finally:
                for opened in held.values():
                    os.close(opened)
        return sorted(lines, key=in_turn), whole

    def _merge(self, held: Iterable[Path], *, drops: bool) -> None:
        """Make one file of those whose processes have ended; with the `drops` where others are left."""
        lines, _ = read_lines(path.read_bytes() for path in held)
        merged = _Copy(self.directory)
        try:
            merged._begin()
            merged._write_all(summarised(lines, drops=drops))
        finally:
            merged.close()
        for path in held:
            path.unlink()

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


def _inode(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _content(opened: int) -> bytes:
    return os.pread(opened, os.fstat(opened).st_size, 0)


def _locked(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
