"""Stores that misbehave without being lost: exit code 3 in order, or as if nothing were; nothing sent that is not counted."""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.suite.support.stage.redis import StagedRedis, redis_server
from tests.trials.assault import told
from tests.trials.cases import Case, Seen, rules
from tests.trials.servers import of
from tests.trials.staging import Ended, Going, Place
from tests.trials.table import Row

SOME: Final = rules("ORD-01", "ORD-03", "ORD-13", "QRY-01", "DEL-01", "REC-01", "REL-01")
MOMENT: Final = 40
"""After so many requests it happens."""

GARBAGE: Final = ("x", "", "nan", "{}", "[1, 2]", "null", "9" * 400)

Happens = Callable[[StagedRedis, Path], None]


def _redis(happens: Happens, *, before: bool = False) -> Callable[[Case, Place], Ended]:
    """A run by Redis, to which something happens in the middle, or before it begins."""

    def run(case: Case, there: Place) -> Ended:
        (there.path / "redis").mkdir()
        with redis_server(there.path / "redis") as redis:
            there.target(coordination=redis.url)
            if before:
                happens(redis, there.path)
                return there.certify(*case.arguments, patience=case.seconds)
            going = there.after(MOMENT, there.begin(*case.arguments))
            happens(redis, there.path)
            return going.end(case.seconds)

    return run


def _tells(*words: str) -> Happens:
    def happens(redis: StagedRedis, path: Path) -> None:
        del path
        told(redis.port, *words)

    return happens


def _sleeps(redis: StagedRedis, path: Path) -> None:
    """It stands still for longer than its clients wait."""
    del path
    redis.process.send_signal(signal.SIGSTOP)
    time.sleep(14)
    redis.process.send_signal(signal.SIGCONT)


def _filled(value: str) -> Callable[[Case, Place], Ended]:
    """A killed run, then this as the value of every record of the store; a run, a dry run and a cleanup."""

    def run(case: Case, there: Place) -> Ended:
        there.target()
        going = there.after(MOMENT, there.begin(*case.arguments))
        going.kill()
        going.end()
        for path in there.state.rglob("*.sqlite"):
            with closing(sqlite3.connect(path)) as db:
                db.execute("UPDATE records SET value = ?", (value,))
                db.commit()
        ends = [there.certify(*case.arguments, "--dry-run"), there.certify(*case.arguments), there.cleanup()]
        worst = next((one for one in ends if one.traceback or one.code not in case.codes), ends[1])
        worst.code = worst.code if worst.code in case.codes else 100 + worst.code
        return worst

    return run


def _killed_worker(case: Case, there: Place) -> Ended:
    """One of the processes of a run with workers is killed in the middle."""
    there.target()
    going: Going = there.after(MOMENT * 3, there.begin(*case.arguments, "--workers", "2"))
    children = _children(going.process.pid)
    if children:
        os.kill(children[-1], signal.SIGKILL)
    return going.end(case.seconds)


def _children(pid: int) -> list[int]:
    """The processes that one has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in found.read_text().split()] if found.exists() else []


def _whole(seen: Seen) -> bool:
    """As if nothing were, or it could not run."""
    return seen.ended.code == 3 or (not seen.failed and not seen.of("inconclusive"))


def _cases() -> Iterator[Case]:
    accidents: tuple[tuple[str, str, Happens, bool], ...] = (
        ("connections end", "CLIENT KILL TYPE normal in mid-run", _tells("CLIENT", "KILL", "TYPE", "normal"), False),
        ("becomes a replica", "REPLICAOF in mid-run: it is read-only", _tells("REPLICAOF", "127.0.0.1", "9"), False),
        ("wants a password", "CONFIG SET requirepass, before", _tells("CONFIG", "SET", "requirepass", "secret"), True),
        ("wants a password, later", "the same in mid-run, and connections end", _password, False),
        (
            "takes no scripts",
            "ACL SETUSER default -@scripting, before",
            _tells("ACL", "SETUSER", "default", "-@scripting"),
            True,
        ),
        ("may not write", "ACL SETUSER default -@write, before", _tells("ACL", "SETUSER", "default", "-@write"), True),
        ("stands still", "it stands still for 14 s in mid-run", _sleeps, False),
        ("scripts are killed", "SCRIPT FLUSH in mid-run (row 5)", _tells("SCRIPT", "FLUSH"), False),
        ("is another kind of thing", "keys of the run become lists", _lists, False),
    )
    for name, tried, happens, before in accidents:
        yield Case("stores", f"Redis {name}", tried, [2, 3], SOME, run=_redis(happens, before=before), holds=_whole,
                   expected="exit code 3, or as if nothing were")  # fmt: skip
        if name == "scripts are killed":
            yield Case("stores", f"Redis {name}, documented pace", f"{tried}, at the documented pace", [2], SOME,
                       run=_paced(happens), holds=_whole, expected="as if nothing were")  # fmt: skip
    for value in GARBAGE:
        yield Case("stores", f"records are {value[:8]!r}", "a run is killed, every record of the store becomes this; certify, "
                   "--dry-run, cleanup", [0, 2, 3], SOME, run=_filled(value), expected="no traceback")  # fmt: skip
    yield Case("stores", "a worker is killed", "one of two workers gets SIGKILL in mid-run (row 1)", [2, 3],
               ["--profile", "smoke"], run=_killed_worker, seconds=400, expected="never partial: inconclusive, or exit code 3",
               holds=lambda seen: seen.ended.code == 3 or bool(seen.of("inconclusive")))  # fmt: skip


def _password(redis: StagedRedis, path: Path) -> None:
    del path
    told(redis.port, "CONFIG", "SET", "requirepass", "secret")
    told(redis.port, "CLIENT", "KILL", "TYPE", "normal")


def _lists(redis: StagedRedis, path: Path) -> None:
    """Every key is replaced by a list."""
    del path
    script = "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('DEL', k) redis.call('RPUSH', k, 'x') end"
    told(redis.port, "EVAL", script, "0")


def _paced(happens: Happens) -> Callable[[Case, Place], Ended]:
    def run(case: Case, there: Place) -> Ended:
        (there.path / "redis").mkdir()
        with redis_server(there.path / "redis") as redis:
            there.target(coordination=redis.url, pace=None)
            going = there.after(MOMENT, there.begin(*case.arguments))
            happens(redis, there.path)
            return going.end(case.seconds)

    return run


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_cases()), chosen)
