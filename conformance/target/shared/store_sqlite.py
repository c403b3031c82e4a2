"""The shared store in an SQLite file: for several processes of one machine, and kept between runs."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from pyrate_limiter import AbstractBucket, Rate, RateItem, SQLiteBucket

from conformance.errors import CannotRun, StoreLost
from conformance.target.shared.store_base import TAKEN_FOR_DEAD, About, lost, or_cannot_run
from conformance.target.shared.uptime import boot, since_boot

PATIENCE_SECONDS: Final = 30.0
"""How long a process waits for another that is writing."""

_PRIMARY: Final = 0xFF
"""The part of an error code of SQLite that tells the kind of error."""

_DAMAGED: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}

SYNCHRONOUS = "FULL"
"""A power cut, too, forgets nothing: what was reserved may have been spent."""

_HEADER: Final = b"SQLite format 3\0"

_LAST: Final = "\U0010ffff"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, identity TEXT, made REAL, sequence INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, boot TEXT, uptime REAL, instant REAL);
CREATE TABLE IF NOT EXISTS marks (window TEXT, mark TEXT, instant REAL, PRIMARY KEY (window, mark)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS marks_by_instant ON marks (window, instant);
CREATE TABLE IF NOT EXISTS locks (name TEXT PRIMARY KEY, owner TEXT, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

_opened: Final[dict[tuple[int, int], int]] = {}
"""Files that are looked at past SQLite, by device and inode. They are never closed: that would let go of SQLite's own locks."""


@dataclass(frozen=True, slots=True)
class _Files:
    """Which files a path leads to."""

    main: tuple[int, int] | None
    log: tuple[int, int] | None
    """SQLite's write-ahead log, there as long as anybody has the file open."""

    @classmethod
    def at(cls, path: Path) -> _Files:
        return cls(_inode(str(path)), _inode(f"{path}-wal"))


class _Bucket(SQLiteBucket):
    """A bucket by the store's clock, which nobody can set."""

    store: SQLiteStore

    def now(self) -> int:
        return round(self.store.now() * 1000)

    def put(self, item: RateItem) -> bool:
        with self.store.or_cannot_run():
            return bool(super().put(item))

    def leak(self, current_timestamp: int | None = None) -> int:
        with self.store.or_cannot_run():
            return int(super().leak(current_timestamp))


class SQLiteStore:
    """A store in a file, made where it is missing; only its user can read it.

    Its clock is the time of day when the file was made, and since then runs by the seconds since the machine was booted; after
    another boot it goes on from where it was, or from the time of day if that is later.
    """

    def __init__(self, path: Path, key: str = "") -> None:
        """`key` tells integrators apart that share a file. Raises CannotRun where the file can't be had."""
        self.path = path
        self.lost: StoreLost | None = None
        self._key = key
        self._open()

    def _open(self) -> None:
        with self.or_cannot_run():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            while True:
                self.path.touch(mode=0o600)
                before = _inode(str(self.path))
                self._db = sqlite3.connect(
                    self.path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
                )
                try:
                    self._prepare(time.monotonic() + PATIENCE_SECONDS)
                    self._begin()
                except sqlite3.Error:
                    self._db.close()
                    raise
                self._files = _Files.at(self.path)
                if before == self._files.main:
                    return
                self._db.close()  # it was replaced in this moment

    def _prepare(self, until: float) -> None:
        """Make the tables. SQLite waits for nobody while it switches a new file over to another journal."""
        while True:
            try:
                self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SYNCHRONOUS}; {_TABLES}")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def _begin(self) -> None:
        """Read the clock, and what the store is; both are new in a new file."""
        with self._transaction():
            uptime = since_boot()
            known = self._db.execute("SELECT boot, uptime, instant FROM clock").fetchone()
            if known is None or not boot() or known[0] != boot():
                (latest,) = self._db.execute("SELECT max(instant) FROM marks").fetchone()
                instant = max(time.time(), *(float(one or 0) for one in (known and known[2], latest)))
                known = (boot(), uptime, instant)
                self._db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?)", known)
            self._since_boot, self._instant = float(known[1]), float(known[2])
            if self._read_about() is None:
                self._write_identity()
            about = self._read_about()
            assert about is not None
            self._about = about

    def _write_identity(self) -> None:
        # A store of an earlier version has none, but marks: it is no new one.
        made = self._db.execute("SELECT min(instant) FROM marks").fetchone()[0] or self.now()
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?, ?, 0)", (self._key, uuid4().hex[:12], made))

    def _read_about(self) -> About | None:
        row = self._db.execute("SELECT identity, made, sequence FROM about WHERE key = ?", (self._key,)).fetchone()
        return None if row is None else About(str(row[0]), float(row[1]), int(row[2]))

    def about(self) -> About:
        """See Store."""
        return self._about

    def start_anew(self, *, under_another_identity: bool = False) -> None:
        """See Store."""
        self._db.close()
        self._open()
        if under_another_identity:
            with self._alone():
                self._db.execute(
                    "INSERT OR REPLACE INTO about VALUES (?, ?, ?, 0)", (self._key, uuid4().hex[:12], self.now())
                )
                self._about = self._read_about() or self._about

    def warnings(self) -> tuple[str, ...]:
        """See Store."""
        return ()

    def doubted(self) -> int:
        """See Store. By itself it knows of none."""
        return 0

    def now(self) -> float:
        """The instant by the clock of the file."""
        return self._instant + max(0.0, since_boot() - self._since_boot)

    def told(self) -> float:
        """See Store."""
        return self.now()

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float, record: str | None = None) -> float | None:
        """See Store."""
        window = self._key + window
        with self._alone():
            if record is not None and not self._has(record):
                raise CannotRun(TAKEN_FOR_DEAD)
            now = self.now()
            self._db.execute("DELETE FROM marks WHERE window = ? AND instant <= ?", (window, now - seconds))
            self._db.execute("UPDATE marks SET instant = ? WHERE window = ? AND instant > ?", (now, window, now))
            instants = self._instants(window)
            if len(instants) >= at_most:
                return max(0.001, instants[len(instants) - at_most] + seconds - now)
            self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (window, mark, now))
            self._db.execute("UPDATE about SET sequence = sequence + 1 WHERE key = ?", (self._key,))
        return None

    def enter(self, window: str, ages: Mapping[str, float]) -> None:
        """See Store."""
        window = self._key + window
        with self._alone():
            now = self.now()
            self._db.executemany(
                "INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET instant = max(instant, excluded.instant)",
                [(window, mark, now - max(0.0, age)) for mark, age in ages.items()],
            )

    def renew(self, window: str, mark: str) -> None:
        """See Store."""
        with self._alone():
            self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (self._key + window, mark, self.now()))

    def unmark(self, window: str, mark: str) -> None:
        """See Store."""
        with self._alone():
            self._db.execute("DELETE FROM marks WHERE window = ? AND mark = ?", (self._key + window, mark))

    def marks(self, window: str, seconds: float) -> list[float]:
        """See Store."""
        with self._looking():
            now = self.now()
            return [min(now, instant) for instant in self._instants(self._key + window) if instant > now - seconds]

    def _instants(self, window: str) -> list[float]:
        rows = self._db.execute("SELECT instant FROM marks WHERE window = ? ORDER BY instant", (window,))
        return [float(instant) for (instant,) in rows]

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """See Store."""
        with self._alone():
            if self._owner(name) not in {None, owner}:
                return False
            self._db.execute(
                "INSERT OR REPLACE INTO locks VALUES (?, ?, ?)", (self._key + name, owner, self.now() + seconds)
            )
            return True

    def unlock(self, name: str, owner: str) -> None:
        """See Store."""
        with self._alone():
            self._db.execute("DELETE FROM locks WHERE name = ? AND owner = ?", (self._key + name, owner))

    def owner(self, name: str) -> str | None:
        """See Store."""
        with self._looking():
            return self._owner(name)

    def _owner(self, name: str) -> str | None:
        row = self._db.execute(
            "SELECT owner FROM locks WHERE name = ? AND until > ?", (self._key + name, self.now())
        ).fetchone()
        return None if row is None else str(row[0])

    def claim(self, counter: str, first: int, size: int) -> int:
        """See Store."""
        counter = self._key + counter
        with self._alone():
            row = self._db.execute("SELECT next FROM counters WHERE name = ?", (counter,)).fetchone()
            begin = first if row is None else int(row[0])
            self._db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, begin + size))
            return begin

    def put(self, key: str, value: str) -> None:
        """See Store."""
        with self._alone():
            self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (self._key + key, value))

    def drop(self, *keys: str) -> None:
        """See Store."""
        with self._alone():
            self._db.executemany("DELETE FROM records WHERE key = ?", [(self._key + key,) for key in keys])

    def records(self, prefix: str) -> Mapping[str, str]:
        """See Store."""
        prefix = self._key + prefix
        with self._looking():
            rows = self._db.execute(
                "SELECT key, value FROM records WHERE key >= ? AND key < ? ORDER BY key", (prefix, prefix + _LAST)
            )
            return {str(key).removeprefix(self._key): str(value) for key, value in rows}

    def _has(self, record: str) -> bool:
        found = self._db.execute("SELECT 1 FROM records WHERE key = ?", (self._key + record,)).fetchone()
        return found is not None

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """See Store."""
        table = f"rate_{self._key}{name}"
        with self._looking():
            made = _Bucket.init_from_file(
                [Rate(limit, milliseconds)], table=table, db_path=str(self.path), use_file_lock=True
            )
            assert isinstance(made, _Bucket)
            made.store = self
        now = made.now()
        with self._alone():  # a stamp of the future, by an earlier version or another clock, would be waited for
            self._db.execute(
                f"UPDATE '{table}' SET item_timestamp = ? WHERE item_timestamp > ?",  # noqa: S608 - names of our own
                (now, now),
            )
        return made

    def adopt(self, path: Path) -> list[str]:
        """Take over what the file of an earlier version keeps, once; its keys. Nothing where there is no such file."""
        if not path.is_file():
            return []
        known = f"adopted {path.name}"
        with self.or_cannot_run():
            self._db.execute("ATTACH ? AS earlier", (str(path),))
            try:
                with self._transaction():
                    if self._db.execute("SELECT 1 FROM about WHERE key = ?", (known,)).fetchone():
                        return []
                    for table in ("marks", "counters", "records"):
                        self._db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM earlier.{table}")  # noqa: S608
                    self._db.execute("INSERT INTO about VALUES (?, '', 0, 0)", (known,))
                    self._db.execute(
                        "UPDATE about SET made = min(made, (SELECT ifnull(min(instant), made) FROM earlier.marks)) WHERE key = ?",
                        (self._key,),
                    )
                    self._about = self._read_about() or self._about
                    return [str(key) for (key,) in self._db.execute("SELECT key FROM earlier.records")]
            finally:
                self._db.execute("DETACH earlier")

    def close(self) -> None:
        """See Store."""
        self._db.close()

    # -- whether it is still there -----------------------------------------------------------------------------------

    def _check_file(self) -> None:
        """Raises StoreLost where the path leads elsewhere by now: SQLite itself would go on with a file that nobody sees."""
        found = _Files.at(self.path)
        if found.main is None:
            raise lost(str(self.path), "the file was removed or moved away")
        if found != self._files:
            raise lost(str(self.path), "the file was replaced")
        if found.main not in _opened:
            _opened[found.main] = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        if os.pread(_opened[found.main], len(_HEADER), 0) != _HEADER:
            raise lost(str(self.path), "the file was overwritten")

    def _check_identity(self) -> None:
        about = self._read_about()
        if about is None or about.identity != self._about.identity:
            raise lost(str(self.path), "the store was emptied or made anew")
        if about.sequence < self._about.sequence:
            raise lost(str(self.path), "the store was set back to an earlier state")
        self._about = about

    @contextmanager
    def or_cannot_run(self) -> Iterator[None]:
        """Raises CannotRun in place of what SQLite and the file system raise."""
        try:
            with or_cannot_run(str(self.path), OSError):
                yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
            if code == sqlite3.SQLITE_BUSY:
                raise CannotRun(
                    f"{self.path}: something has had this file to itself for {PATIENCE_SECONDS:.0f} s ({error}); nothing is sent "
                    "without what the runs of this integrator share there: end what holds it (`fuser` names it; a copy or a "
                    "sync tool does, too), or name another place in `coordination`"
                ) from None
            if code not in _DAMAGED:
                with or_cannot_run(str(self.path), sqlite3.Error):
                    raise
            raise CannotRun(
                f"{self.path}: what the runs of this integrator share cannot be kept there (the file is damaged, or is no SQLite "
                f"database: {error}); nothing is sent without it: move the file away and run again (what was spent and what is "
                "to be cleared away is also kept elsewhere), or name another place in `coordination`"
            ) from None

    @contextmanager
    def _looking(self) -> Iterator[None]:
        with self.or_cannot_run():
            self._check_file()
            self._check_identity()
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction that no other process is in at the same time, on the store that this one began with."""
        with self.or_cannot_run():
            self._check_file()
            with self._transaction():
                self._check_identity()
                yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._db.in_transaction:  # Ctrl-C came where nothing could end it
            self._db.execute("ROLLBACK")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found: Any = os.stat(path)  # noqa: PTH116 - for each request, and a Path takes four times as long
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
