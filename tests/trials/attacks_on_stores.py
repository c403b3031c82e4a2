"""Attempts of the same kind on what keeps the counts: stores that are lost, emptied, exchanged; servers that restart; clocks."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from tests.suite.support.stage.redis import redis_server
from tests.trials.assault import REDIS, SQLITE, Trial, attack, overwrite, remove, told

NOISE: Final = bytes(range(256)) * 256


def _in_the_middle(trial: Trial, accident: Callable[[], None]) -> None:
    """It happens in the middle of a run, which goes on if it likes; then a second run, and a cleanup."""
    going = trial.spending()
    trial.until(trial.some, going)
    accident()
    trial.ended(going)
    trial.spend()
    trial.clean()


def _between(trial: Trial, accident: Callable[[], None]) -> None:
    """It happens between two runs; then a third one."""
    trial.spend()
    accident()
    trial.spend()
    accident()
    trial.spend()


# -- SQLite ----------------------------------------------------------------------------------------------------------------


@attack(SQLITE)
def removed_in_the_middle(trial: Trial) -> None:
    """The store and all beside it are removed in the middle of a run; then another run."""
    _in_the_middle(trial, lambda: remove(trial.with_wal()))


@attack(SQLITE)
def directory_removed_in_the_middle(trial: Trial) -> None:
    """The whole state directory is removed in the middle of a run; then another run."""
    _in_the_middle(trial, lambda: shutil.rmtree(trial.state))


@attack(SQLITE)
def moved_in_the_middle(trial: Trial) -> None:
    """The state directory is moved away in the middle of a run, and back after it."""
    away = trial.path / "away"
    going = trial.spending()
    trial.until(trial.some, going)
    trial.state.rename(away)
    trial.ended(going)
    trial.spend()
    shutil.rmtree(trial.state, ignore_errors=True)
    away.rename(trial.state)
    trial.spend()


@attack(SQLITE)
def noise_in_the_middle(trial: Trial) -> None:
    """The store is overwritten with noise in the middle of a run; then another run."""
    _in_the_middle(trial, lambda: overwrite(trial.with_wal(), NOISE))


@attack(SQLITE)
def cut_in_the_middle(trial: Trial) -> None:
    """The store is cut to no bytes at all in the middle of a run; then another run."""
    _in_the_middle(trial, lambda: overwrite(trial.with_wal(), b""))


@attack(SQLITE)
def exchanged_in_the_middle(trial: Trial) -> None:
    """An empty store takes the place of the store in the middle of a run (`mv`), as a sync tool does."""

    def exchange() -> None:
        for path in trial.stores:
            fresh = path.with_name("fresh")
            fresh.write_bytes(b"")
            fresh.rename(path)

    _in_the_middle(trial, exchange)


@attack(SQLITE)
def removed_between(trial: Trial) -> None:
    """The store is removed between runs, twice."""
    _between(trial, lambda: remove(trial.with_wal()))


@attack(SQLITE)
def directory_removed_between(trial: Trial) -> None:
    """The whole state directory is removed between runs, twice."""
    _between(trial, lambda: shutil.rmtree(trial.state, ignore_errors=True))


@attack(SQLITE)
def one_place_after_the_other(trial: Trial) -> None:
    """The state directory is removed after a run, the cache directory after the next, and so on; four times."""
    for place in (trial.state, trial.cache, trial.state, trial.cache):
        trial.spend()
        shutil.rmtree(place, ignore_errors=True)
    trial.spend()


@attack(SQLITE)
def both_places_removed_in_the_middle(trial: Trial) -> None:
    """The state directory and the cache directory are removed in the middle of a run; then another run."""

    def accident() -> None:
        for place in (trial.state, trial.cache):
            shutil.rmtree(place, ignore_errors=True)

    _in_the_middle(trial, accident)


@attack(SQLITE)
def noise_between(trial: Trial) -> None:
    """The store is overwritten with noise between runs, and removed after a run that could not begin."""
    trial.spend()
    overwrite(trial.with_wal(), NOISE)
    trial.spend()
    remove(trial.with_wal())
    trial.spend()


@attack(SQLITE)
def emptied_between(trial: Trial) -> None:
    """Every table of every store is emptied between runs; the files stay."""

    def empty() -> None:
        for path in trial.stores:
            with closing(sqlite3.connect(path)) as db:
                for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    db.execute(f'DELETE FROM "{name}"')  # noqa: S608 - a name of the store's own
                db.commit()

    _between(trial, empty)


@attack(SQLITE)
def older_copy(trial: Trial) -> None:
    """A copy of the state directory from the beginning of a run is put back after it, twice, as a backup or a VM does."""
    copy = trial.path / "copy"
    going = trial.spending()
    trial.until(5, going)
    shutil.copytree(trial.state, copy)
    trial.ended(going)
    for _ in range(2):
        shutil.rmtree(trial.state)
        shutil.copytree(copy, trial.state)
        trial.spend()


@attack(SQLITE)
def older_copy_of_the_store_alone(trial: Trial) -> None:
    """The same with the store's files alone: whatever else lies in the state directory stays."""
    going = trial.spending()
    trial.until(5, going)
    copies = {path: path.read_bytes() for path in trial.with_wal()}
    trial.ended(going)
    for _ in range(2):
        remove(trial.with_wal())
        for path, content in copies.items():
            path.write_bytes(content)
        trial.spend()


@attack(SQLITE)
def journal_removed(trial: Trial) -> None:
    """A run is killed, and what SQLite keeps beside the store (its write-ahead log) is removed, four times."""
    for _ in range(4):
        going = trial.spending()
        trial.until(trial.errors + trial.some, going)
        going.kill()
        trial.ended(going)
        remove([path for path in trial.with_wal() if path.suffix != ".sqlite"])
    trial.spend()


# -- Redis -----------------------------------------------------------------------------------------------------------------


@attack(REDIS)
def flushed_in_the_middle(trial: Trial) -> None:
    """FLUSHALL in the middle of a run; then another run."""
    _in_the_middle(trial, lambda: trial.tell("FLUSHALL"))


@attack(REDIS)
def flushed_between(trial: Trial) -> None:
    """FLUSHALL between runs, twice."""
    _between(trial, lambda: trial.tell("FLUSHALL"))


@attack(REDIS)
def flushed_by_two_users(trial: Trial) -> None:
    """FLUSHALL between the runs of three users that have state directories of their own."""
    for user in ("ann", "bob", "cid"):
        home, cache = str(trial.path / f"home-{user}"), str(trial.path / f"cache-{user}")
        trial.spend(state=trial.path / user, environment={"HOME": home, "XDG_CACHE_HOME": cache})
        trial.tell("FLUSHALL")


@attack(REDIS)
def restarted_empty_between(trial: Trial) -> None:
    """Redis restarts empty between runs, twice."""

    def restart() -> None:
        assert trial.redis is not None
        port = trial.redis.port
        trial.redis.stop()
        trial.redis = trial.exits.enter_context(redis_server(trial.path / "redis", port=port))

    _between(trial, restart)


@attack(REDIS)
def restarted_empty_in_the_middle(trial: Trial) -> None:
    """Redis restarts empty in the middle of a run, away for less than a second; then another run."""
    assert trial.redis is not None
    going = trial.spending()
    trial.until(trial.some, going)
    port = trial.redis.port
    trial.redis.stop()
    with redis_server(trial.path / "redis", port=port):
        trial.ended(going)
        trial.spend()
        trial.clean()


@attack(REDIS)
def scripts_forgotten(trial: Trial) -> None:
    """SCRIPT FLUSH in the middle of a run, every half second."""
    going = trial.spending()
    while trial.is_busy(going):
        trial.tell("SCRIPT", "FLUSH")
        time.sleep(0.5)
    trial.ended(going)
    trial.spend()


@attack(REDIS)
def failover(trial: Trial) -> None:
    """The Redis server dies, a replica that lags a little takes its port over; in the middle of a run, then another run."""
    assert trial.redis is not None
    (trial.path / "replica").mkdir()
    with redis_server(trial.path / "replica") as replica:
        told(replica.port, "REPLICAOF", "127.0.0.1", str(trial.redis.port))
        time.sleep(1.5)
        going = trial.spending()
        trial.until(trial.some, going)
        told(replica.port, "REPLICAOF", "NO", "ONE")
        trial.until(trial.some + 10, going)
        trial.redis.stop()
        told(replica.port, "CONFIG", "SET", "port", str(trial.redis.port))
        trial.ended(going)
        trial.spend()


@attack(REDIS)
def failover_to_an_empty_one_between(trial: Trial) -> None:
    """Between runs another, empty server takes the port of the Redis server."""
    assert trial.redis is not None
    port = trial.redis.port
    (trial.path / "other").mkdir()
    trial.spend()
    with redis_server(trial.path / "other") as other:
        told(port, "CONFIG", "SET", "port", str(_free_port()))
        told(other.port, "CONFIG", "SET", "port", str(port))
        trial.spend()


@attack(REDIS)
def evicted(trial: Trial) -> None:
    """Redis is short of memory and throws keys away (allkeys-random) while others fill it; a run, then two more."""
    trial.tell("CONFIG", "SET", "maxmemory", "2mb")
    trial.tell("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    for _ in range(3):
        going = trial.spending()
        number = 0
        while trial.is_busy(going):
            for _ in range(40):
                number += 1
                trial.tell("SET", f"filler{number}", "x" * 4000)
            time.sleep(0.1)
        trial.ended(going)


@attack(REDIS)
def cannot_write(trial: Trial) -> None:
    """Redis takes no writes in the middle of a run (maxmemory with noeviction), then again; then another run."""
    going = trial.spending()
    trial.until(trial.some, going)
    trial.tell("CONFIG", "SET", "maxmemory", "1")
    time.sleep(2)
    trial.tell("CONFIG", "SET", "maxmemory", "0")
    trial.ended(going)
    trial.spend()


# -- clocks ----------------------------------------------------------------------------------------------------------------


@attack(SQLITE)
def an_hour_ahead_and_back(trial: Trial) -> None:
    """The clock is right, then 61 minutes ahead, then right again, then two hours ahead."""
    for shift in ("+0", "+61m", "+0", "+123m", "+0"):
        trial.spend(environment=trial.at(shift))


@attack(SQLITE)
def a_month_ahead_and_back(trial: Trial) -> None:
    """The clock is right, then 30 days ahead, then right again, then 60 days ahead."""
    for shift in ("+0", "+30d", "+0", "+60d", "+0"):
        trial.spend(environment=trial.at(shift))


@attack(SQLITE)
def behind_and_right(trial: Trial) -> None:
    """The clock of one run is two hours behind (a machine that has just woken up), then right."""
    for shift in ("-2h", "+0", "-1d", "+0"):
        trial.spend(environment=trial.at(shift))


@attack(SQLITE)
def jumps_in_the_middle(trial: Trial) -> None:
    """The clock jumps in the middle of a run: an hour ahead, and another hour; then a run by the right clock."""
    clock, environment = trial.clock_file()
    going = trial.spending(environment=environment)
    for hours in (1, 2, 3):
        trial.until(trial.some * hours, going)
        clock.write_text(f"+{hours * 61}m")
    trial.ended(going)
    trial.spend()


@attack(SQLITE)
def jumps_back_in_the_middle(trial: Trial) -> None:
    """The clock is set back by a day in the middle of a run, and right after it."""
    clock, environment = trial.clock_file()
    going = trial.spending(environment=environment)
    trial.until(trial.some, going)
    clock.write_text("-1d")
    trial.ended(going)
    trial.spend()


@attack(SQLITE)
def two_clocks_at_once(trial: Trial) -> None:
    """Two runs at once that share a file, one of which has a clock that is 2 hours ahead (a container, a VM)."""
    for going in [trial.spending(environment=trial.at("+0")), trial.spending(environment=trial.at("+2h"))]:
        trial.ended(going)
    trial.spend()


@attack(SQLITE)
def monotonic_clock_too(trial: Trial) -> None:
    """A reboot as the runs see it: the monotonic clocks begin anew, and the wall clock is an hour behind until it is set."""
    trial.spend()
    trial.spend(environment=trial.at("-1h", monotonic=True))
    trial.spend(environment=trial.at("+2h", monotonic=True))
    trial.spend()


BOOTED: Final = (
    'printf "%s\\n" "$0" > "$HOME/boot" && mount --bind "$HOME/boot" /proc/sys/kernel/random/boot_id && exec "$@"'
)


def _after_a_boot(number: int) -> tuple[str, ...]:
    """Stands before a run that is to see another boot of the machine, in a mount namespace of its own."""
    return ("unshare", "-m", "sh", "-c", BOOTED, f"{number:08x}-0000-4000-8000-000000000000")


@attack(SQLITE)
def booted_with_a_clock_behind(trial: Trial) -> None:
    """The machine boots, its clock is in the year 2000 until it is set (no battery); a run before, at and after that, twice."""
    trial.spend()
    for boot in (1, 2):
        trial.spend(before=_after_a_boot(boot), environment=trial.at("-9000d"))
        trial.spend(before=_after_a_boot(boot))
    trial.spend()


@attack(SQLITE)
def spends_at_a_clock_behind_after_a_boot(trial: Trial) -> None:
    """All is spent while the clock of a machine that has just booted is in the year 2000; then it is set."""
    trial.spend(before=_after_a_boot(1), environment=trial.at("-9000d"))
    trial.spend(before=_after_a_boot(1))
    trial.spend(before=_after_a_boot(2))
    trial.spend()


@attack(SQLITE)
def time_of_another_namespace(trial: Trial) -> None:
    """A container in a time namespace of its own, which was up for an hour more, shares the state directory; then as usual."""
    trial.spend()
    for seconds in ("4000", "-300", "9000000"):
        trial.spend(before=("unshare", "-T", "--boottime", seconds))
    trial.spend()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
