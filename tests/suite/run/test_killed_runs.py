"""Whatever ends a run, nothing of it stays that can be taken away, once `cleanup` or the next run has been there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from conformance.mock.faults import Plan, When
from tests.suite.support.command_runs import Run, certify, command, ended, kill, run, start
from tests.suite.support.stage.etiquette import active, deletable, overlaps
from tests.suite.support.stage.fault_proxy import fault_proxy
from tests.suite.support.stage.hurry import hurried
from tests.suite.support.stage.mock import StagedMock, mock, target_file

KILLS: Final = int(os.environ.get("KONCILI_KILLS", "4"))
"""At how many random moments a run is killed: KONCILI_KILLS=20 shows more."""

SEED: Final = int(os.environ.get("KONCILI_SEED", "0"))

RULES: Final = ("ORD-01", "DEL-01", "REC-01", "REC-08", "REC-10", "REL-01", "REL-04", "REL-17", "WFL-02")
"""Orders, reconciliations with several releases, refusals, two accounts at once: some 120 requests."""

LATEST: Final = 100
"""The last request after which a run is killed."""

LOST_EACH: Final = 20
LOST: Final = ("reset-after", "half-answer", "502-after", "502")
"""What happens to every twentieth answer of a run."""

SPENT_AT_MOST: Final = 40
"""Client errors that one `cleanup` spends."""

NEXT: Final = ("ORD-01", "REC-01", "REL-01")
"""What the next run certifies: that it can open reconciliations where the killed one did."""

PATIENCE_SECONDS: Final = 60


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedMock]:
    """One mock for all: each run also finds what those before have left."""
    with mock(tmp_path_factory.mktemp("mock")) as running, hurried(running):
        yield running


@pytest.fixture
def target(staged: StagedMock, tmp_path: Path) -> Path:
    return target_file(tmp_path / "sandbox.toml", staged.base_url, pace="unlimited")


def options(target: Path, rules: tuple[str, ...]) -> list[str]:
    return ["--target", str(target), "--profile", "smoke", *(part for rule in rules for part in ("--rule", rule))]


def going_on(staged: StagedMock, target: Path, requests: int, *more: str) -> subprocess.Popen[str]:
    """A run that has sent so many requests."""
    before = staged.requests
    process = start(target.parent / "reports", *options(target, RULES), *more)
    return until(staged, process, before + requests)


def until(staged: StagedMock, process: subprocess.Popen[str], requests: int) -> subprocess.Popen[str]:
    """Wait for so many requests in all, or for the end of the process."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while staged.requests < requests and process.poll() is None:
        assert time.monotonic() < ends, "the run does not come that far"
        time.sleep(0.005)
    return process


def killed(process: subprocess.Popen[str], *, whole: bool = True) -> None:
    """With SIGKILL: the command with all that it has started, or the command alone."""
    if whole:
        kill(process)
    else:
        process.kill()
    with process:
        process.communicate(timeout=PATIENCE_SECONDS)


def cleanup(target: Path) -> Run:
    return run("cleanup", "--target", str(target), reports=target.parent, state=target.parent / "state")


def cleaning(target: Path) -> subprocess.Popen[str]:
    return command("cleanup", "--target", str(target), state=target.parent / "state")


def check_clean(staged: StagedMock) -> None:
    state = staged.state()
    assert (active(state), deletable(state), overlaps(state)) == ([], [], [])


def check_next_run(staged: StagedMock, target: Path) -> None:
    """It says what a run on a fresh mock says, and leaves nothing either."""
    run = certify(target.parent / "next", *options(target, NEXT))
    assert run.verdicts("pass") == set(NEXT), run.output
    assert "not cleared away" not in run.output
    check_clean(staged)


@pytest.mark.parametrize("number", range(KILLS))
def test_cleanup_finishes_what_a_killed_run_left(number: int, staged: StagedMock, target: Path) -> None:
    moment = random.Random(f"{SEED} {number}")  # noqa: S311 - the same moments each time
    process = going_on(staged, target, moment.randint(1, LATEST))
    time.sleep(moment.random() / 50)
    killed(process)
    done = cleanup(target)
    assert done.code == 0, done
    check_clean(staged)
    assert cleanup(target).output == "nothing is left of any run that was killed\n"
    check_next_run(staged, target)


@pytest.mark.parametrize("number", range(KILLS))
def test_one_cleanup_finishes_what_a_run_with_lost_answers_left(
    number: int, staged: StagedMock, tmp_path: Path
) -> None:
    """Every twentieth answer is lost, carried out or not, to the run and to the cleanup."""
    lot = random.Random(f"{SEED} {number}")  # noqa: S311 - the same moments each time
    offset = lot.randrange(LOST_EACH)
    lost = Plan(LOST[number % len(LOST)], When(after=offset - LOST_EACH, every=LOST_EACH))
    with fault_proxy(staged.base_url, lost) as layer:
        target = target_file(tmp_path / "sandbox.toml", layer.base_url, pace="unlimited")
        killed(going_on(staged, target, lot.randint(5, LATEST)))
        before = len(layer.log)
        done = cleanup(target)
        refused = [passed for passed in layer.log[before:] if passed.status and passed.status // 100 == 4]
    assert done.code == 0, done
    check_clean(staged)
    assert len(refused) <= SPENT_AT_MOST


def test_the_next_run_finishes_it_by_itself(staged: StagedMock, target: Path) -> None:
    killed(going_on(staged, target, 60))
    check_next_run(staged, target)
    assert cleanup(target).output == "nothing is left of any run that was killed\n"


def test_a_killed_cleanup_is_finished_by_another(staged: StagedMock, target: Path) -> None:
    killed(going_on(staged, target, 40))
    for requests, number in ((2, signal.SIGKILL), (3, signal.SIGINT)):
        process = until(staged, cleaning(target), staged.requests + requests)
        kill(process, number)
        assert ended(process, target.parent).code in {-signal.SIGKILL, 2, 0}
    done = cleanup(target)
    assert done.code == 0, done
    check_clean(staged)
    check_next_run(staged, target)


@pytest.mark.parametrize("whole", [True, False], ids=["all of it", "the command alone"])
def test_a_killed_run_of_several_processes(staged: StagedMock, target: Path, *, whole: bool) -> None:
    """Workers whose command is gone end by themselves, and clear away."""
    process = going_on(staged, target, 60, "--workers", "2")
    killed(process, whole=whole)
    ends = time.monotonic() + PATIENCE_SECONDS
    while (done := cleanup(target)).output.startswith("left alone"):
        assert time.monotonic() < ends, done
    assert done.code == 0, done
    check_clean(staged)
    check_next_run(staged, target)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_run_that_is_asked_to_end_clears_away(number: int, staged: StagedMock, target: Path) -> None:
    process = going_on(staged, target, 50)
    kill(process, number)
    run = ended(process, target.parent / "reports")
    assert run.code in {2, -signal.SIGINT}, run
    if (run.reports / "certificate.json").exists():  # seldom the signal comes where pytest itself stumbles over it
        assert run.verdicts("inconclusive")
        check_clean(staged)
        assert cleanup(target).output == "nothing is left of any run that was killed\n"
    assert cleanup(target).code == 0
    check_clean(staged)


def test_a_run_that_is_asked_twice_leaves_the_rest_to_cleanup(staged: StagedMock, target: Path) -> None:
    process = going_on(staged, target, 50)
    for _ in range(3):
        kill(process, signal.SIGINT)
        time.sleep(0.05)
    run = ended(process, target.parent / "reports")
    assert run.code in {2, -signal.SIGINT}, run
    done = cleanup(target)
    assert done.code == 0, done
    check_clean(staged)


def test_a_run_that_is_going_on_is_left_alone(staged: StagedMock, target: Path) -> None:
    process = going_on(staged, target, 30)
    done = cleanup(target)
    assert done.output.startswith("left alone: a run that is going on since 2")
    assert done.output.endswith("nothing is left of any run that was killed\n")
    run = ended(process, target.parent / "reports")
    assert run.verdicts("pass") == set(RULES), run.output
    check_clean(staged)


def test_periods_overlap_none_of_earlier_runs_of_which_nothing_is_known(staged: StagedMock, tmp_path: Path) -> None:
    """The store of the first run is lost."""
    before = len(staged.state()["reconciliations"])
    for lost in ("first", "second"):
        target = target_file((tmp_path / f"{lost}.toml"), staged.base_url, pace="unlimited")
        run = certify(tmp_path / lost / "reports", *options(target, NEXT))
        assert run.verdicts("pass") == set(NEXT), run.output
    assert len(staged.state()["reconciliations"]) > before
    check_clean(staged)
