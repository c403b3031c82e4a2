"""The shared store in an SQLite file: for several processes of one machine, and kept between runs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from pyrate_limiter import AbstractBucket, Rate, SQLiteBucket

from conformance.target.store import or_cannot_run

PATIENCE_SECONDS: Final = 30.0
"""How long a process waits for another that is writing."""

_PRIMARY: Final = 0xFF
"""The part of an error code of SQLite that tells the kind of error."""

_LAST: Final = "\U0010ffff"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS marks (window TEXT, mark TEXT, instant REAL, PRIMARY KEY (window, mark)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS marks_by_instant ON marks (window, instant);
CREATE TABLE IF NOT EXISTS locks (name TEXT PRIMARY KEY, owner TEXT, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


class SQLiteStore:
    """A store in a file, made where it is missing; only its user can read it."""

    def __init__(self, path: Path, key: str = "") -> None:
        """`key` tells integrators apart that share a file. Raises CannotRun where the file can't be had."""
        self.path = path
        self._key = key
        with self._or_cannot_run():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(time.monotonic() + PATIENCE_SECONDS)
            except sqlite3.Error:
                self._db.close()
                raise

    def _prepare(self, until: float) -> None:
        """Make the tables. SQLite waits for nobody while it switches a new file over to another journal."""
        while True:
            try:
                # A power cut, too, forgets nothing: what was reserved may have been spent.
                self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLES}")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def now(self) -> float:
        """The instant by this machine's clock."""
        return time.time()

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float) -> float | None:
        """See Store."""
        window = self._key + window
        with self._alone():
            now = self.now()
            self._db.execute("DELETE FROM marks WHERE window = ? AND instant <= ?", (window, now - seconds))
            instants = self._instants(window)
            if len(instants) >= at_most:
                return max(0.001, instants[len(instants) - at_most] + seconds - now)
            self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (window, mark, now))
            return None

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
        with self._or_cannot_run():
            return [instant for instant in self._instants(self._key + window) if instant > self.now() - seconds]

    def _instants(self, window: str) -> list[float]:
        rows = self._db.execute("SELECT instant FROM marks WHERE window = ? ORDER BY instant", (window,))
        return [float(instant) for (instant,) in rows]

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """See Store."""
        with self._alone():
            if self.owner(name) not in {None, owner}:
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
        with self._or_cannot_run():
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
        with self._or_cannot_run():
            rows = self._db.execute(
                "SELECT key, value FROM records WHERE key >= ? AND key < ? ORDER BY key", (prefix, prefix + _LAST)
            )
            return {str(key).removeprefix(self._key): str(value) for key, value in rows}

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """See Store."""
        with self._or_cannot_run():
            return SQLiteBucket.init_from_file(
                [Rate(limit, milliseconds)], table=f"rate_{self._key}{name}", db_path=str(self.path), use_file_lock=True
            )

    def close(self) -> None:
        """See Store."""
        self._db.close()

    def _or_cannot_run(self) -> AbstractContextManager[None]:
        return or_cannot_run(str(self.path), sqlite3.Error, OSError)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction that no other process is in at the same time."""
        with self._or_cannot_run():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
