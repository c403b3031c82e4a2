"""The copies of a process that mocks are proved in: as many at a time as asked for, and none is left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.proof.pool import Forks, Lost

# An xdist worker has a thread, of which later Pythons warn where a process forks; the prover has none.
WARNING: Final = "ignore:.*multi-threaded.*fork:DeprecationWarning"

LONG: Final = 60.0
"""Seconds: longer than any copy here takes, and short enough not to hold up a run where one hangs."""


def forked(work: Callable[[int], Any], tasks: int, *, jobs: int = 2, seconds: float = LONG) -> dict[int, Any]:
    """What came of each task."""
    found = list(Forks(work, jobs=jobs, seconds=seconds).run(range(tasks)))
    assert sorted(task for task, _ in found) == list(range(tasks)), "each comes back once"
    return dict(found)


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_the_result_of_every_copy_comes_back(jobs: int) -> None:
    assert forked(lambda task: {"twice": Decimal(2 * task)}, 5, jobs=jobs) == {n: {"twice": 2 * n} for n in range(5)}


@pytest.mark.filterwarnings(WARNING)
def test_without_tasks_there_are_no_results() -> None:
    assert forked(lambda task: task, 0) == {}


@pytest.mark.filterwarnings(WARNING)
def test_one_at_a_time_they_come_in_their_sequence() -> None:
    copies: Forks[str, str] = Forks(str.upper, jobs=1, seconds=LONG)
    assert list(copies.run("abcd")) == [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]


@pytest.mark.filterwarnings(WARNING)
def test_what_a_copy_changes_is_gone_with_it() -> None:
    kept: list[int] = []

    def work(task: int) -> tuple[int, int]:
        kept.append(task)
        return os.getpid(), len(kept)

    found = forked(work, 4)
    assert kept == []
    assert {length for _, length in found.values()} == {1}
    assert len({process for process, _ in found.values()} | {os.getpid()}) == 5


@pytest.mark.filterwarnings(WARNING)
def test_no_more_than_so_many_run_at_a_time(tmp_path: Path) -> None:
    def work(task: int) -> int:
        (tmp_path / str(task)).touch()
        time.sleep(0.05)
        running = len(list(tmp_path.iterdir()))
        (tmp_path / str(task)).unlink()
        return running

    assert max(forked(work, 8, jobs=3).values()) <= 3


@pytest.mark.filterwarnings(WARNING)
def test_a_large_result_comes_back_whole() -> None:
    """Larger than a pipe holds."""
    found = forked(lambda task: b"x" * 1_000_000 * (task + 1), 2)
    assert [len(found[task]) for task in range(2)] == [1_000_000, 2_000_000]


def fail(how: BaseException) -> Any:
    """Raise that."""
    raise how


FAILURES: Final[Mapping[str, tuple[Callable[[], Any], str]]] = {
    "an exception": (lambda: fail(ValueError("no such order")), "ValueError: no such order"),
    "an exit": (lambda: fail(SystemExit("enough")), "SystemExit: enough"),
    "an interruption": (lambda: fail(KeyboardInterrupt()), "KeyboardInterrupt"),
    "a kill": (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended with exit code -9 and no result"),
    "an end without a word": (lambda: os._exit(7), "ended with exit code 7 and no result"),
}


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize(("end", "told"), FAILURES.values(), ids=FAILURES)
def test_a_copy_that_ends_without_a_result_is_lost_and_no_other(end: Callable[[], Any], told: str) -> None:
    found = forked(lambda task: end() if task == 1 else task, 4)
    lost = found.pop(1)
    assert isinstance(lost, Lost)
    assert told in str(lost)
    assert found == {0: 0, 2: 2, 3: 3}


@pytest.mark.filterwarnings(WARNING)
def test_a_copy_that_takes_too_long_is_lost_and_ended(tmp_path: Path) -> None:
    def work(task: int) -> int:
        if task == 0:
            (tmp_path / "pid").write_text(str(os.getpid()))
            time.sleep(LONG)
        return task

    found = forked(work, 3, seconds=1)
    assert str(found.pop(0)) == "it came to no end within 1 s"
    assert found == {1: 1, 2: 2}
    assert not is_running(int((tmp_path / "pid").read_text()))


def is_running(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.filterwarnings(WARNING)
@pytest.mark.parametrize("how", ["by itself", "by an exception"])
def test_whoever_leaves_early_ends_what_still_runs(how: str, tmp_path: Path) -> None:
    def work(task: int) -> int:
        (tmp_path / f"{task}").write_text(str(os.getpid()))
        if task:
            time.sleep(LONG)
        return task

    running = Forks(work, jobs=3, seconds=LONG).run(range(6))
    assert next(running) == (0, 0)
    while len(list(tmp_path.glob("[0-9]"))) < 3 or not all(path.read_text() for path in tmp_path.iterdir()):
        time.sleep(0.01)
    if how == "by itself":
        running.close()  # type: ignore[attr-defined]
    else:
        with pytest.raises(KeyboardInterrupt):
            running.throw(KeyboardInterrupt)  # type: ignore[attr-defined]
    assert not [path for path in tmp_path.iterdir() if is_running(int(path.read_text()))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"], "no other has begun"
