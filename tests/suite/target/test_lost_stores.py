"""What runs share may be lost in the middle of a run or between two: nothing that was spent or left is forgotten by that."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.errors import CannotRun, StoreLost, WaitTooLong
from conformance.mock.koncili import Koncili
from conformance.target.config import LARGEST_BUDGET
from conformance.target.shared import store_sqlite
from conformance.target.shared.budget import KEPT_BACK
from conformance.target.shared.store_base import BLOCKED_UNTIL
from tests.suite.support.live_runs import OneRun, one_run
from tests.suite.support.stage import losses
from tests.suite.support.stage.etiquette import active, deletable

CODE: Final = "701-0000000-0000001"
BUDGET: Final = 400
PART: Final = LARGEST_BUDGET - BUDGET

Loss = Callable[[Path], None]

LOSSES: Final = pytest.mark.parametrize("lose", losses.WITH_ANOTHER_LEFT.values(), ids=losses.WITH_ANOTHER_LEFT)
ALL: Final = losses.WITH_ANOTHER_LEFT | losses.DAMAGES
ALL_LOSSES: Final = pytest.mark.parametrize("lose", ALL.values(), ids=ALL)


@pytest.fixture
def koncili() -> Koncili:
    return Koncili()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store" / "store.sqlite"


def spend(run: OneRun, number: int) -> int:
    """Have so many orders refused, as far as the budget goes; how many that were."""
    for sent in range(number):
        try:
            assert run.submit(CODE, status="NONE").is_refused
        except WaitTooLong:
            return sent
    return number


def client_errors(koncili: Koncili) -> int:
    return int(state_of(koncili)["counts"]["clientErrors"])


def state_of(koncili: Koncili) -> dict[str, Any]:
    told: Any = koncili.state()
    return dict(told)


# -- in the middle of a run --------------------------------------------------------------------------------------------


@ALL_LOSSES
def test_nothing_more_is_sent(koncili: Koncili, path: Path, lose: Loss) -> None:
    with one_run(koncili, path) as run:
        spend(run, 3)
        lose(path)
        sent = len(run.way.sent)
        for _ in range(3):
            with pytest.raises(CannotRun, match=r"store.sqlite: .*run again"):
                run.submit(CODE)
        assert len(run.way.sent) == sent
        losses.remove(path)  # to end in order


@LOSSES
def test_what_the_run_has_left_is_cleared_away(koncili: Koncili, path: Path, lose: Loss) -> None:
    with one_run(koncili, path) as run:
        run.submit(CODE)
        run.create()
        lose(path)
        with pytest.raises(StoreLost):
            run.submit("701-0000000-0000002")
        run.live.finish()
        assert not any(run.live.ledger.left)
    state = state_of(koncili)
    assert (active(state), deletable(state)) == ([], [])


@LOSSES
def test_what_it_could_not_clear_away_is_found_by_the_next_run(koncili: Koncili, path: Path, lose: Loss) -> None:
    with one_run(koncili, path) as run:
        run.submit(CODE)
        lose(path)
        with pytest.raises(StoreLost):
            run.submit("701-0000000-0000002")
        run.die()
    with one_run(koncili, path) as other:
        assert other.live.dead_runs == [run.live.run.id]
        other.live.rescue_all()
        assert other.live.dead_runs == []


@ALL_LOSSES
def test_what_a_killed_run_left_is_found_in_the_store_that_takes_the_place(
    koncili: Koncili, path: Path, lose: Loss
) -> None:
    """It had no time to notice the loss."""
    with one_run(koncili, path) as run:
        run.submit(CODE)
        spend(run, 5)
        run.die()
        lose(path)
        losses.remove(path)
        with one_run(koncili, path) as other:
            assert other.live.dead_runs == [run.live.run.id]
            other.live.rescue_all()
            assert other.live.dead_runs == []
            assert client_errors(koncili) == 5


@ALL_LOSSES
def test_what_was_spent_is_not_spent_again(koncili: Koncili, path: Path, lose: Loss) -> None:
    with one_run(koncili, path, at_most=0.0) as run:
        assert spend(run, 150) == 150
        lose(path)
        with pytest.raises(CannotRun):
            run.submit(CODE)
        losses.remove(path)
    losses.remove(path)
    with one_run(koncili, path, at_most=0.0) as other:
        assert spend(other, 1000) == PART - KEPT_BACK
    assert client_errors(koncili) == 150 + PART - KEPT_BACK


def test_lost_again_and_again_it_is_never_more_than_the_largest_budget(koncili: Koncili, path: Path) -> None:
    for _ in range(12):
        with one_run(koncili, path, at_most=0.0) as run:
            spend(run, 100)
        losses.remove(path)
    assert client_errors(koncili) <= BUDGET


def test_runs_that_begin_at_once_on_a_lost_store_have_one_part_together(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, at_most=0.0) as run:
        spend(run, 10)
    losses.remove(path)
    with one_run(koncili, path, at_most=0.0) as one, one_run(koncili, path, at_most=0.0) as other:
        assert spend(one, 30) + spend(other, 30) == PART - KEPT_BACK


def test_a_block_outlives_the_store(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as run:
        run.submit(CODE)
        run.live.budget.blocked(7200)
    losses.remove(path)
    with one_run(koncili, path) as other:
        with pytest.raises(CannotRun, match="has blocked this integrator"):
            other.submit(CODE)
        assert float(other.store.records(BLOCKED_UNTIL)[BLOCKED_UNTIL]) - other.store.now() > 7100


def test_a_run_that_was_taken_for_dead_is_told_so_and_not_that_its_store_is_lost(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as run:
        run.submit(CODE)
        run.store.drop(run.live.run.record)
        with pytest.raises(CannotRun, match="another took it for dead") as raised:
            run.submit(CODE)
        assert not isinstance(raised.value, StoreLost)


def test_other_runs_go_on_with_the_store_that_takes_the_place(koncili: Koncili, path: Path) -> None:
    """Each for clearing away alone."""
    with one_run(koncili, path) as one, one_run(koncili, path) as other:
        one.submit(CODE)
        other.submit("701-0000000-0000002")
        losses.remove(path)
        for run in (one, other):
            with pytest.raises(StoreLost):
                run.submit(CODE)
        for run in (one, other):
            run.live.finish()
            assert not any(run.live.ledger.left)


def test_a_channel_that_is_held_stays_held(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as run:
        run.create()
        losses.remove(path)
        with pytest.raises(StoreLost):
            run.submit(CODE)
        with one_run(koncili, path, at_most=0.0) as other, pytest.raises(WaitTooLong, match="another run's"):
            other.create(periodInitDate="2024-03-01T00:00:00Z", periodEndDate="2024-03-02T00:00:00Z")


# -- between two runs --------------------------------------------------------------------------------------------------


def test_a_store_of_which_nothing_is_known_has_the_whole_budget(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, at_most=0.0) as run:
        assert run.store.doubted() == 0
        assert spend(run, 1000) == BUDGET - KEPT_BACK


def test_that_only_a_part_may_be_spent_is_told(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, at_most=0.0) as run:
        spend(run, 1)
    losses.remove(path)
    with one_run(koncili, path, at_most=0.0) as other:
        spend(other, 1000)
        budget_status = other.live.budget.status()
        assert budget_status is not None
        assert (budget_status.left, budget_status.doubted) == (0, 2 * BUDGET - LARGEST_BUDGET - 1)
        with pytest.raises(
            WaitTooLong, match=rf"\({budget_status.doubted} of them only taken for spent: the store is new"
        ):
            other.submit(CODE)


def test_a_store_that_was_set_back_lacks_nothing(koncili: Koncili, path: Path, tmp_path: Path) -> None:
    """To what it was before the last run: one is as good as lost of which nobody knows what it lacks."""
    with one_run(koncili, path, at_most=0.0) as run:
        spend(run, 10)
        losses.back_up(path, tmp_path / "copy")
        spend(run, 90)
        run.submit(CODE)
        run.die()
    losses.restore(path, tmp_path / "copy")
    with one_run(koncili, path, at_most=0.0) as other:
        assert other.live.dead_runs == [run.live.run.id]
        other.live.rescue_all()
        assert spend(other, 1000) == PART - KEPT_BACK
    assert client_errors(koncili) == 100 + PART - KEPT_BACK


def test_a_store_that_was_set_back_in_the_middle_of_a_run_is_noticed(
    koncili: Koncili, path: Path, tmp_path: Path
) -> None:
    with one_run(koncili, path) as run:
        spend(run, 1)
        losses.back_up(path, tmp_path / "copy")
        spend(run, 5)
        with closing(sqlite3.connect(tmp_path / "copy")) as copy, closing(sqlite3.connect(path, timeout=30)) as db:
            copy.backup(db)
        with pytest.raises(StoreLost, match="set back"):
            run.submit(CODE)
        assert run.store.about().sequence == 0


def test_a_damaged_store_stops_the_next_run_until_it_is_moved_away(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as run:
        run.submit(CODE)
        run.die()
        losses.overwrite(path)
        losses.remove_side_files(path)
        shutil.copyfile(path, path.with_name("as it is"))
    losses.restore(path, path.with_name("as it is"))
    with pytest.raises(CannotRun, match=r"is no SQLite database.* move the file away and run again"):
        one_run(koncili, path).__enter__()
    path.unlink()
    with one_run(koncili, path) as other:
        assert other.live.dead_runs == [run.live.run.id]


def test_a_store_that_something_has_to_itself_is_waited_for_and_told(
    koncili: Koncili, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a copy in the making."""
    monkeypatch.setattr(store_sqlite, "PATIENCE_SECONDS", 0.1)
    with one_run(koncili, path) as run:
        run.submit(CODE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            CannotRun, match=r"store\.sqlite: something has had this file to itself for 0 s .*: end what holds it"
        ):
            one_run(koncili, path).__enter__()
        other.execute("ROLLBACK")
    with one_run(koncili, path) as run:
        assert run.submit(CODE).is_accepted


def test_two_stores_of_one_integrator_know_of_each_other(koncili: Koncili, path: Path) -> None:
    """As where `coordination` is changed between two runs."""
    with one_run(koncili, path, at_most=0.0) as run:
        assert spend(run, 100) == 100
    with one_run(koncili, path.with_name("another.sqlite"), at_most=0.0) as other:
        assert spend(other, 1000) == PART - KEPT_BACK
    with one_run(koncili, path, at_most=0.0) as run:
        assert spend(run, 1000) == BUDGET - KEPT_BACK - 100 - (PART - KEPT_BACK)
