"""Which limits a target has, and where they are kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, WaitTooLong
from conformance.mock.target import mock_target_table, to_toml
from conformance.run.live import budget_of
from conformance.run.session import Options, open_session
from conformance.target.config import Target
from conformance.target.shared.budget import KEPT_BACK, Budget, DocumentedLimits, NoLimits
from conformance.target.shared.store import open_store, store_path
from conformance.target.shared.store_base import ERRORS, Store
from conformance.target.waiting import Waiting
from tests.suite.support.command_runs import kept_in
from tests.suite.support.limits import Limits, Time, target


def budget_for(target: Target, time: Time | None = None) -> tuple[Budget, Store]:
    store = open_store(target)
    waiting = Waiting(sleep=time.sleep) if time else Waiting(at_most=0.0)
    return budget_of(target, store, waiting), store


@pytest.mark.parametrize("environment", ["mock", "sandbox"])
@pytest.mark.parametrize("pace", ["documented", "unlimited"])
def test_only_a_mock_at_an_unlimited_pace_has_no_limits(environment: str, pace: str, tmp_path: Path) -> None:
    kept = f"sqlite:{tmp_path / 'budget.sqlite'}"
    chosen = target(base_url="http://127.0.0.1:8765", environment=environment, pace=pace, coordination=kept)
    budget, store = budget_for(chosen)
    assert isinstance(budget, NoLimits if (environment, pace) == ("mock", "unlimited") else DocumentedLimits)
    budget.close()
    store.close()


def test_the_budget_is_the_targets(tmp_path: Path) -> None:
    budget, store = budget_for(target(error_budget=3 + KEPT_BACK, coordination=f"sqlite:{tmp_path / 'budget.sqlite'}"))
    for _ in range(3):
        budget.after(budget.before(None), 400)
    with pytest.raises(WaitTooLong, match="3 an hour are spent, 8 more are kept"):
        budget.before(None)
    budget.close()
    store.close()


@pytest.mark.parametrize(("pace", "waited"), [("documented", True), ("unlimited", False)])
def test_the_rates_are_kept_at_the_documented_pace_only(tmp_path: Path, time: Time, pace: str, waited: bool) -> None:
    kept = f"sqlite:{tmp_path / 'budget.sqlite'}"
    chosen = target(base_url="http://127.0.0.1:8765", environment="sandbox", pace=pace, coordination=kept)
    budget, store = budget_for(chosen, time)
    start = time.now
    for _ in range(91):
        budget.after(budget.before(Endpoint.GET_ORDER), 200)
    assert (time.now > start) is waited
    budget.close()
    store.close()


def test_no_limits_wait_for_nothing_and_count_nothing(time: Time) -> None:
    budget, start = NoLimits(), time.now
    assert budget.before(None) == ""
    for _ in range(1000):
        budget.after(budget.before(Endpoint.GET_ORDER), 400)
    budget.close()
    assert time.now == start
    until = budget.blocked(60)
    assert until.tzinfo is UTC
    assert abs((until - datetime.now(UTC)).total_seconds() - 60) < 30


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state = tmp_path / "xdg-state"
    for name, value in kept_in(state).items():
        monkeypatch.setenv(name, value)
    return state


def test_the_store_lies_in_the_users_state_directory(state: Path) -> None:
    path = store_path(target())
    assert path.parent == state / "koncili-conformance"
    assert path.suffix == ".sqlite"
    assert path == store_path(target(name="other", error_budget=7, environment="sandbox"))
    assert not path.parent.exists()
    open_store(target()).close()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


# A new version that named the store or a table otherwise would forget what was spent in the last hour.


@pytest.mark.usefixtures("state")
def test_the_store_keeps_its_name_from_version_to_version() -> None:
    assert store_path(target()).name == "cb0f2d8bd18bda61.sqlite"


def test_the_tables_keep_their_names_from_version_to_version(limits: Limits, store: Path) -> None:
    limits.before(None)
    with closing(sqlite3.connect(store)) as kept:
        names = {name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {
        "about",
        "clock",
        "marks",
        "locks",
        "counters",
        "records",
        "rate_other",
        *(f"rate_{one.name.lower()}" for one in Endpoint),
    }
    assert ERRORS == "client-errors"


def test_another_integrator_has_another_store(state: Path) -> None:
    del state
    assert store_path(target(integrator="00000000-0000-4000-8000-000000000000")) != store_path(target())


@pytest.mark.parametrize(
    "base_url",
    [
        "https://Koncili.EXAMPLE/",
        "https://sandbox.koncili.example",
        "https://koncili.example:8443/v1",
        "http://localhost:80",
    ],
)
@pytest.mark.usefixtures("state")
def test_by_whatever_url_an_integrator_comes_it_has_one_store(base_url: str) -> None:
    assert store_path(target(base_url=base_url)) == store_path(target())


@pytest.mark.usefixtures("state")
def test_the_same_integrator_written_otherwise_has_the_same_store() -> None:
    integrator = str(target().integrator)
    assert store_path(target(integrator=integrator.upper())) == store_path(target())


@pytest.mark.usefixtures("state")
def test_a_path_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_path(target(coordination=f"sqlite:{tmp_path}/a.sqlite")) == tmp_path / "a.sqlite"
    assert store_path(target(coordination="sqlite:~/a.sqlite")) == tmp_path / "a.sqlite"


@pytest.mark.parametrize("obstacle", ["a directory", "no SQLite file", "below a file", "no path"])
def test_a_store_that_cannot_be_kept_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "store"
    if obstacle == "a directory":
        path.mkdir()
    else:
        path.write_bytes(b"certainly no SQLite database, but long enough for a header of one hundred bytes. " * 2)
    kept = {"below a file": f"sqlite:{path}/budget.sqlite", "no path": "sqlite:"}.get(obstacle, f"sqlite:{path}")
    table = mock_target_table("http://127.0.0.1:1", {"extract-types": "workflow"})
    file = tmp_path / "target.toml"
    file.write_text(to_toml(table | {"environment": "sandbox", "pace": "documented", "coordination": kept}))
    with pytest.raises(CannotRun, match=r"cannot be kept there .* another place in `coordination`"):
        open_session(Options(target_file=file))
