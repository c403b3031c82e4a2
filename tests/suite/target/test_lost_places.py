"""The user's state directory may be lost with all that is in it, or be another one each time; so may the cache directory. Neither
forgets what was spent or left."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from conformance.errors import StoreLost, WaitTooLong
from conformance.mock.koncili import Koncili
from conformance.run.options import Task
from conformance.run.outcome import Ending
from conformance.run.session import Options
from conformance.target.config import LARGEST_BUDGET
from conformance.target.shared import runs
from conformance.target.shared.budget import KEPT_BACK
from tests.suite.support.command_runs import certify, kept_in, without_ci
from tests.suite.support.live_runs import OneRun, one_run
from tests.suite.support.stage.etiquette import active, deletable
from tests.suite.support.stage.mock import mock, target_file
from tests.suite.support.watched_command import ROOT

CODE: Final = "701-0000000-0000001"
BUDGET: Final = 400
PART: Final = LARGEST_BUDGET - BUDGET


@dataclass
class User:
    """Where the user's state and cache are."""

    path: Path
    monkeypatch: pytest.MonkeyPatch

    def use(self, state: str = "state", cache: str = "cache") -> None:
        """Name these from now on."""
        self.monkeypatch.setenv("XDG_STATE_HOME", str(self.path / state))
        self.monkeypatch.setenv("XDG_CACHE_HOME", str(self.path / cache))

    def remove(self, place: str) -> None:
        shutil.rmtree(self.path / place)

    def put_a_file(self, place: str) -> None:
        """Where the directory was."""
        self.remove(place)
        (self.path / place).touch()

    def copy(self, place: str) -> None:
        shutil.copytree(self.path / place, self.path / "copy")

    def put_back(self, place: str) -> None:
        self.remove(place)
        shutil.copytree(self.path / "copy", self.path / place)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    user = User(tmp_path, monkeypatch)
    user.use()
    return user


Loss = Callable[[User], None]
LOSSES: Final[dict[str, Loss]] = {
    "the state directory removed": lambda user: user.remove("state"),
    "another state directory": lambda user: user.use(state="another"),
    "the cache directory removed": lambda user: user.remove("cache"),
    "another cache directory": lambda user: user.use(cache="another"),
    "the state directory put back from a copy": lambda user: user.put_back("state"),
    "a file where the cache directory was": lambda user: user.put_a_file("cache"),
}
EACH: Final = pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)


def spend(run: OneRun, number: int) -> int:
    """Have so many orders refused, as far as the budget goes; how many that were."""
    for sent in range(number):
        try:
            assert run.submit(CODE, status="NONE").is_refused
        except WaitTooLong:
            return sent
    return number


def left(run: OneRun) -> int:
    """How many client errors it may spend."""
    budget_status = run.live.budget.status()
    assert budget_status is not None
    return budget_status.left


@EACH
def test_what_was_spent_is_not_spent_again(user: User, lose: Loss) -> None:
    koncili = Koncili()
    with one_run(koncili, "sqlite", at_most=0.0) as run:
        spend(run, 1)
        user.copy("state")
        spend(run, 29)
    lose(user)
    with one_run(koncili, "sqlite", at_most=0.0) as other:
        assert left(other) in {BUDGET - KEPT_BACK - 30, PART - KEPT_BACK}


@EACH
def test_what_a_killed_run_left_is_found(user: User, lose: Loss) -> None:
    koncili = Koncili()
    with one_run(koncili, "sqlite") as run:
        run.submit("701-0000000-0000002")
        user.copy("state")
        run.submit(CODE)
        run.create()
        run.die()
        lose(user)
        with one_run(koncili, "sqlite") as other:
            assert other.live.dead_runs == [run.live.run.id]
            other.live.rescue_all()
            assert other.live.dead_runs == []
    state = koncili.state()
    assert (active(state), deletable(state)) == ([], [])


def test_one_place_after_the_other_is_lost(user: User) -> None:
    """With a run between that knows all, and writes it down again."""
    koncili = Koncili()
    for place in ("state", "cache", "state", "cache", "state"):
        with one_run(koncili, "sqlite", at_most=0.0) as run:
            spend(run, 20)
        user.remove(place)
    with one_run(koncili, "sqlite", at_most=0.0) as run:
        budget_status = run.live.budget.status()
        assert budget_status is not None
        assert budget_status.spent - budget_status.doubted == 100


def test_both_are_lost_in_the_middle_of_a_run_that_goes_on(user: User) -> None:
    koncili = Koncili()
    with one_run(koncili, "sqlite", at_most=0.0) as run:
        spend(run, 30)
        user.remove("state")
        user.remove("cache")
        with pytest.raises(StoreLost):
            run.submit(CODE)
    with one_run(koncili, "sqlite", at_most=0.0) as other:
        assert left(other) == PART - KEPT_BACK


def test_nothing_of_a_run_that_goes_on_by_another_state_directory_is_cleared_away(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where that is a container, whose processes cannot be seen from here."""
    koncili = Koncili()
    monkeypatch.setattr(runs, "_machine", lambda: "a container")
    with one_run(koncili, "sqlite") as run:
        run.submit(CODE)
        monkeypatch.setattr(runs, "_machine", lambda: "another")
        user.use(state="another")
        with one_run(koncili, "sqlite") as other:
            assert other.live.dead_runs == []
            other.live.rescue_all()
            assert len(deletable(koncili.state())) == 1
            run.live.finish()
            assert not any(run.live.ledger.left)
        with one_run(koncili, "sqlite") as later:
            assert later.live.dead_runs == []


def test_two_runs_at_once_by_different_state_directories_have_no_budget_each(user: User) -> None:
    """Both have begun before either has spent anything."""
    koncili = Koncili()
    with one_run(koncili, "sqlite", at_most=0.0) as one:
        user.use(state="another")
        with one_run(koncili, "sqlite", at_most=0.0) as other:
            spent = [spend(one, 1000), spend(other, 1000)]
            assert one.live.store.unkept() == ()
            assert "another run of this integrator is going on" in other.live.store.unkept()[0]
    assert spent == [BUDGET - KEPT_BACK, PART - KEPT_BACK]


# -- as a user sees it -------------------------------------------------------------------------------------------------


def test_a_cache_directory_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "file"
    cache.touch()
    with mock(tmp_path) as staged:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url)
        own = str(cache)
        run = certify(
            tmp_path / "reports", "--target", str(target), "--rule=ORD-05", "--profile=smoke", XDG_CACHE_HOME=own
        )
        assert run.code == 2, run.output
        assert run.by_rule["ORD-05"] == "pass"
        told = f"{cache}/koncili-conformance/usage/"
        assert [line for line in run.errors.splitlines() if told in line and "the run goes on" in line], run.errors


TOLD: Final = "/koncili-conformance/usage/"


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "with workers"])
def test_plain_pytest_tells_it_once(tmp_path: Path, workers: tuple[str, ...]) -> None:
    cache = tmp_path / "file"
    cache.touch()
    with mock(tmp_path) as staged:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url)
        options = [
            f"--koncili-target={target}",
            "--koncili-rule=ORD-05",
            "--koncili-profile=smoke",
            "--koncili-no-html",
        ]
        options += [f"--koncili-reports={tmp_path / 'reports'}"]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "tests/certification", "-q", "-p", "no:cacheprovider", *options, *workers],
            env={**without_ci(), **kept_in(tmp_path / "state"), "XDG_CACHE_HOME": str(cache)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    told = [line for line in run.stdout.splitlines() if f"{cache}{TOLD}" in line]
    assert [line.partition(": ")[0] for line in told] == ["warning"], run.stdout


def test_a_place_that_is_lost_in_the_middle_of_a_run_is_told(user: User) -> None:
    with one_run(Koncili(), "sqlite") as run:
        run.submit(CODE)
        assert run.live.store.unkept() == ()
        user.put_a_file("cache")
        run.submit("701-0000000-0000002")
        (told,) = run.live.store.unkept()
    assert told.startswith(f"{user.path / 'cache'}{TOLD}")


def test_what_a_run_could_not_keep_is_told_at_its_end_whatever_its_loudness() -> None:
    ending = Ending(Task(options=Options()), datetime.now(UTC), warnings=["of one worker", "of both"])
    ending.take({"warnings": ["of both"]})
    for quiet in (True, False):
        assert [line.text for line in ending.told(quiet=quiet)] == ["warning: of one worker", "warning: of both"]


def test_what_was_spent_by_another_state_directory_is_told_before_the_run(tmp_path: Path) -> None:
    with mock(tmp_path) as staged:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url)
        own = str(tmp_path / "cache")
        certify(
            tmp_path / "one" / "reports",
            "--target",
            str(target),
            "--rule=ORD-05",
            "--profile=smoke",
            XDG_CACHE_HOME=own,
        )
        spent = int(staged.state()["counts"]["clientErrors"])
        run = certify(tmp_path / "two" / "reports", "--target", str(target), "--dry-run", XDG_CACHE_HOME=own)
        assert 0 < spent < PART
        assert f"{PART - KEPT_BACK} of {BUDGET - KEPT_BACK} are left in this hour" in run.output


def test_a_budget_so_large_that_a_new_store_leaves_nothing_of_it_is_told(tmp_path: Path) -> None:
    with mock(tmp_path) as staged:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url, error_budget=LARGEST_BUDGET)
        options = ("--target", str(target), "--rule=ORD-05", "--profile=smoke")
        assert certify(tmp_path / "reports", *options).code == 2
        shutil.rmtree(tmp_path / "state")
        for more, code in (("--dry-run", 2), ("--max-wait=1s", 3)):
            run = certify(tmp_path / "reports", *options, more)
            assert run.code == code
            assert "an error_budget of 400 would have left 50" in run.output + run.errors
