"""Clocks that jump: the budget of an hour and the end of a block follow the seconds that passed, not what a clock says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from conformance.errors import CannotRun, WaitTooLong
from conformance.target.shared import uptime
from conformance.target.shared.budget import DocumentedLimits
from conformance.target.shared.store_base import ERRORS
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
JUMPS: Final = (-30 * DAY, -HOUR, -60.0, 60.0, HOUR, 30 * DAY, 3650 * DAY)


@dataclass
class Machine:
    """One whose clock somebody sets, and that is booted now and then."""

    time_of_day: float = 1_800_000_000.0
    uptime: float = 1000.0
    boots: int = 0

    def passes(self, seconds: float) -> None:
        self.time_of_day += seconds
        self.uptime += seconds

    def boot(self, seconds: float) -> None:
        """It is off for so long."""
        self.time_of_day += seconds
        self.uptime = 5.0
        self.boots += 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr("conformance.target.shared.store_sqlite.time.time", lambda: machine.time_of_day)
    for module in ("store_sqlite", "usage_log", "store"):
        monkeypatch.setattr(f"conformance.target.shared.{module}.since_boot", lambda: machine.uptime)
    for module in ("store_sqlite", "usage_log"):
        monkeypatch.setattr(f"conformance.target.shared.{module}.boot", lambda: f"boot {machine.boots}")
    return machine


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def limits(store: SQLiteStore, at_most: float | None = 0.0) -> DocumentedLimits:
    return DocumentedLimits(store, 20, Waiting(at_most=at_most), paced=False)


def spend(path: Path, number: int) -> int:
    """What a run of its own can spend."""
    with closing(SQLiteStore(path)) as store:
        budget = limits(store)
        for spent in range(number):
            try:
                budget.after(budget.before(None), 400)
            except WaitTooLong:
                return spent
        return number


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_frees_no_budget(machine: Machine, path: Path, jump: float) -> None:
    assert spend(path, 100) == 12
    machine.time_of_day += jump
    assert spend(path, 100) == 0
    machine.time_of_day -= jump
    assert spend(path, 100) == 0
    machine.passes(HOUR + 2)
    assert spend(path, 100) == 12


@pytest.mark.parametrize("jump", JUMPS)
def test_a_run_whose_clock_is_another_frees_no_budget(machine: Machine, path: Path, jump: float) -> None:
    """It makes the store, and the clock is right again after."""
    machine.time_of_day += jump
    assert spend(path, 10) == 10
    machine.time_of_day -= jump
    assert spend(path, 100) == 2
    machine.passes(HOUR / 2)
    assert spend(path, 100) == 0
    machine.passes(HOUR / 2 + 2)
    assert spend(path, 100) == 12


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_makes_nobody_wait_for_longer(machine: Machine, path: Path, jump: float) -> None:
    spend(path, 100)
    machine.time_of_day += jump
    with closing(SQLiteStore(path)) as store:
        free = limits(store).status().frees
        assert max(free) <= HOUR + 1
        assert store.lock("a", "me", 60)
    machine.time_of_day -= jump
    machine.passes(61)
    with closing(SQLiteStore(path)) as store:
        assert store.owner("a") is None


@pytest.mark.parametrize("jump", JUMPS)
def test_a_block_lasts_its_hour(machine: Machine, path: Path, jump: float) -> None:
    with closing(SQLiteStore(path)) as store:
        limits(store).blocked()
        machine.time_of_day += jump
        machine.passes(HOUR - 1)
        with pytest.raises(CannotRun, match="blocked"):
            limits(store).check_block()
        machine.passes(1)
        limits(store).check_block()


@pytest.mark.parametrize("off", [-DAY, 0.0, 60.0])
def test_another_boot_frees_no_more_than_the_time_between(machine: Machine, path: Path, off: float) -> None:
    """A machine without a battery begins with an old time of day."""
    assert spend(path, 100) == 12
    machine.boot(off)
    assert spend(path, 100) == 0
    machine.passes(HOUR + 2)
    assert spend(path, 100) == 12


def test_after_a_night_all_is_free(machine: Machine, path: Path) -> None:
    spend(path, 100)
    machine.boot(10 * HOUR)
    assert spend(path, 100) == 12


def test_stamps_of_the_future_count_as_now(machine: Machine, path: Path) -> None:
    """As an earlier version left them, which believed the clock."""
    with closing(SQLiteStore(path)) as store:
        store._db.execute("INSERT INTO marks VALUES (?, 'a', ?)", (ERRORS, machine.time_of_day + 30 * DAY))
        assert max(limits(store).status().frees) == HOUR + 1
        limits(store).before(None)
        machine.passes(HOUR + 2)
        assert limits(store).status().spent == 0


# -- the real clock ----------------------------------------------------------------------------------------------------


FAKETIME: Final = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
LOOKS: Final = "from conformance.target.shared.uptime import since_boot; print(since_boot())"


def test_the_seconds_since_boot_are_not_those_of_any_clock_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a process believe in another time fakes these."""
    before = uptime.since_boot()
    for name in ("time", "monotonic", "clock_gettime"):
        monkeypatch.setattr(f"conformance.target.shared.uptime.time.{name}", lambda *_: 10.0**9)
    assert 0 <= uptime.since_boot() - before < 60


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")
@pytest.mark.parametrize("offset", ["+30d", "-1h"])
def test_a_process_that_is_given_another_time_has_the_same_seconds_since_boot(offset: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKS],
        env={"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": offset},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert 0 <= uptime.since_boot() - float(done.stdout) < 120


@pytest.fixture
def without_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(uptime, "_UPTIME", str(tmp_path / "nothing"))
    uptime._opened.cache_clear()
    yield
    uptime._opened.cache_clear()


@pytest.mark.usefixtures("without_file")
def test_where_there_is_no_such_file_a_clock_is_asked() -> None:
    assert 0 <= uptime.since_boot() - uptime.since_boot() + 1 <= 1
