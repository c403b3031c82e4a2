"""Ways in which the store of a run is lost, or is not what it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

SIDES: Final = ("", "-wal", "-shm")
"""The files of an SQLite database by the ends of their names."""


def remove(path: Path) -> None:
    """All of it."""
    for side in SIDES:
        Path(f"{path}{side}").unlink(missing_ok=True)


def remove_alone(path: Path) -> None:
    """The file; what SQLite keeps beside it stays."""
    path.unlink()


def remove_log(path: Path) -> None:
    """The write-ahead log alone."""
    Path(f"{path}-wal").unlink()


def move(path: Path) -> None:
    """To another name in its directory."""
    path.rename(path.with_name("moved.sqlite"))


def move_directory(path: Path) -> None:
    """With all that is in it."""
    path.parent.rename(path.parent.with_name("moved"))


def point_elsewhere(path: Path) -> None:
    """Have the path lead to another file by a link."""
    remove(path)
    path.symlink_to(path.with_name("elsewhere.sqlite"))


def replace(path: Path) -> None:
    """By a database that is empty."""
    new = path.with_name("new.sqlite")
    sqlite3.connect(new).close()
    new.touch()
    remove(path)
    new.rename(path)


def empty(path: Path) -> None:
    """By SQL, as with the sqlite3 shell."""
    with closing(sqlite3.connect(path, timeout=30)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            db.execute(f"DELETE FROM '{table}'")  # noqa: S608
        db.commit()


def truncate(path: Path) -> None:
    """To nothing, as with `: > store`."""
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    """With noise, as long as it was."""
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


WITH_ANOTHER_LEFT: Final[dict[str, Callable[[Path], None]]] = {
    one.__name__: one
    for one in (remove, remove_alone, remove_log, move, move_directory, point_elsewhere, replace, empty)
}
"""After which another store can be made."""

DAMAGES: Final[dict[str, Callable[[Path], None]]] = {one.__name__: one for one in (truncate, overwrite)}
"""After which the file is there, and no database."""


def remove_side_files(path: Path) -> None:
    """What SQLite keeps beside the file."""
    for side in SIDES[1:]:
        Path(f"{path}{side}").unlink(missing_ok=True)


def back_up(path: Path, to: Path) -> None:
    """A copy of the store as it is now."""
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(to)) as copy:
        db.backup(copy)


def restore(path: Path, copy: Path) -> None:
    """Put the copy in its place."""
    remove(path)
    shutil.copyfile(copy, path)
