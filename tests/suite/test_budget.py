"""The documented rates and the budget of client errors hold across runs and processes."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import BudgetSpent, CannotRun, TargetUnavailable
from conformance.mock.target import mock_target_table, to_toml
from conformance.session import Options, open_session
from conformance.target.budget import DocumentedLimits, NoLimits, budget_for, store_path
from conformance.target.config import Target, parse_target

MINUTE, HOUR = 60_000, 3_600_000
DOCUMENTED = {Endpoint.GET_ORDER: 90, Endpoint.SUBMIT_ORDER: 300, Endpoint.DELETE_ORDER: 300}
UNDOCUMENTED = (Endpoint.LIST_ACCOUNTS, Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN, None)


@dataclass
class Time:
    """Milliseconds that pass only where the limiter sleeps, or where a test lets them."""

    now: int = 1_800_000_000_000

    def time_ns(self) -> int:
        return self.now * 1_000_000

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr("pyrate_limiter.buckets.sqlite_bucket.time_ns", time.time_ns)
    monkeypatch.setattr("pyrate_limiter.limiter.sleep", time.sleep)
    return time


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "budget.sqlite"


@pytest.fixture
def limits(store: Path) -> Iterator[DocumentedLimits]:
    limits = DocumentedLimits(store, 400)
    yield limits
    limits.close()


@pytest.fixture
def others(store: Path) -> Iterator[DocumentedLimits]:
    """Those of another run of the same integrator."""
    limits = DocumentedLimits(store, 400)
    yield limits
    limits.close()


def target(**changes: Any) -> Target:
    table = mock_target_table("https://koncili.example") | {"pace": "documented"} | changes
    return parse_target(table, "target.toml")


# -- rates ---------------------------------------------------------------------------------------------------------


def most_in_a_minute(instants: list[int]) -> int:
    return max(sum(start <= instant < start + MINUTE for instant in instants) for start in instants)


@pytest.mark.parametrize(("endpoint", "rate"), DOCUMENTED.items(), ids=lambda value: getattr(value, "name", str(value)))
def test_a_documented_rate_is_used_up_and_never_exceeded(
    limits: DocumentedLimits, time: Time, endpoint: Endpoint, rate: int
) -> None:
    start, instants = time.now, []
    for _ in range(2 * rate + 5):
        limits.before(endpoint)
        instants.append(time.now)
        time.now += 3
    assert max(instants[:rate]) < start + MINUTE
    assert most_in_a_minute(instants) == rate


def test_undocumented_endpoints_share_the_lowest_rate(limits: DocumentedLimits, time: Time) -> None:
    instants = []
    for turn in range(100):
        limits.before(UNDOCUMENTED[turn % len(UNDOCUMENTED)])
        instants.append(time.now)
    assert most_in_a_minute(instants) == 90


def test_endpoints_have_rates_of_their_own(limits: DocumentedLimits, time: Time) -> None:
    start = time.now
    for endpoint in (*DOCUMENTED, None):
        for _ in range(90):
            limits.before(endpoint)
    assert time.now == start


def test_two_runs_share_a_rate(limits: DocumentedLimits, others: DocumentedLimits, time: Time) -> None:
    instants = []
    for _ in range(60):
        for run in (limits, others):
            run.before(Endpoint.GET_ORDER)
            instants.append(time.now)
    assert most_in_a_minute(instants) == 90


# -- client errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 423, 429, 499])
def test_a_client_error_is_counted(limits: DocumentedLimits, status: int) -> None:
    limits.after(status)
    assert limits.errors_spent() == 1


@pytest.mark.parametrize("status", [100, 200, 201, 204, 302, 399, 500, 502, 599])
def test_any_other_answer_is_not_counted(limits: DocumentedLimits, status: int) -> None:
    limits.after(status)
    assert limits.errors_spent() == 0


def test_nothing_is_sent_once_the_budget_is_spent(store: Path, time: Time) -> None:
    limits = DocumentedLimits(store, 3)
    for status in (400, 404, 200, 429):
        limits.before(Endpoint.SUBMIT_ORDER)
        limits.after(status)
    for endpoint in (*DOCUMENTED, *UNDOCUMENTED):
        with pytest.raises(BudgetSpent, match=r"^3 client errors .* 500 .*; run again in an hour$"):
            limits.before(endpoint)
    time.now += HOUR + 1
    limits.before(Endpoint.SUBMIT_ORDER)
    limits.close()


def test_a_spent_budget_is_no_verdict() -> None:
    assert issubclass(BudgetSpent, TargetUnavailable)


def test_an_error_is_forgotten_an_hour_later(limits: DocumentedLimits, time: Time) -> None:
    limits.after(400)
    time.now += HOUR // 2
    limits.after(400)
    time.now += HOUR // 2
    assert limits.errors_spent() == 2
    time.now += 1
    assert limits.errors_spent() == 1


def test_errors_past_the_budget_are_counted_too(store: Path) -> None:
    """Several processes may each send one more when the last is spent; a second run may have a larger budget."""
    small, large = DocumentedLimits(store, 2), DocumentedLimits(store, 400)
    for _ in range(5):
        small.after(400)
    assert (small.errors_spent(), large.errors_spent()) == (5, 5)
    small.close()
    large.close()


def test_the_largest_budget_that_a_target_may_have_is_kept(store: Path) -> None:
    limits = DocumentedLimits(store, 450, paced=False)
    for _ in range(450):
        limits.before(Endpoint.SUBMIT_ORDER)
        limits.after(400)
    with pytest.raises(BudgetSpent):
        limits.before(Endpoint.SUBMIT_ORDER)
    limits.close()


def test_errors_are_counted_across_runs(store: Path) -> None:
    for _ in range(3):
        limits = DocumentedLimits(store, 6)
        limits.before(Endpoint.GET_ORDER)
        limits.after(400)
        limits.after(400)
        limits.close()
    limits = DocumentedLimits(store, 6)
    with pytest.raises(BudgetSpent):
        limits.before(Endpoint.GET_ORDER)
    limits.close()


def test_errors_are_counted_across_runs_side_by_side(limits: DocumentedLimits, others: DocumentedLimits) -> None:
    for _ in range(200):
        limits.after(400)
        others.after(404)
    for run in (limits, others):
        with pytest.raises(BudgetSpent):
            run.before(Endpoint.GET_ORDER)


def spend(store: str, errors: int) -> None:
    """What another process does."""
    limits = DocumentedLimits(Path(store), 400)
    for _ in range(errors):
        limits.before(Endpoint.SUBMIT_ORDER)
        limits.after(400)
    limits.close()


def test_errors_are_counted_across_processes(limits: DocumentedLimits, store: Path) -> None:
    limits.after(400)
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=spend, args=(str(store), 10)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert limits.errors_spent() == 31


# -- which budget, kept where --------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["mock", "sandbox"])
@pytest.mark.parametrize("pace", ["documented", "unlimited"])
def test_only_a_mock_at_an_unlimited_pace_has_no_limits(environment: str, pace: str, tmp_path: Path) -> None:
    kept = f"sqlite:{tmp_path / 'budget.sqlite'}"
    chosen = target(base_url="http://127.0.0.1:8765", environment=environment, pace=pace, coordination=kept)
    budget = budget_for(chosen)
    assert isinstance(budget, NoLimits if (environment, pace) == ("mock", "unlimited") else DocumentedLimits)
    budget.close()


def test_the_budget_is_the_targets(tmp_path: Path) -> None:
    budget = budget_for(target(error_budget=2, coordination=f"sqlite:{tmp_path / 'budget.sqlite'}"))
    budget.before(None)
    budget.after(400)
    budget.after(400)
    with pytest.raises(BudgetSpent, match="2 client errors"):
        budget.before(None)
    budget.close()


@pytest.mark.parametrize(("pace", "waited"), [("documented", True), ("unlimited", False)])
def test_the_rates_are_kept_at_the_documented_pace_only(tmp_path: Path, time: Time, pace: str, waited: bool) -> None:
    kept = f"sqlite:{tmp_path / 'budget.sqlite'}"
    chosen = target(base_url="http://127.0.0.1:8765", environment="sandbox", pace=pace, coordination=kept)
    budget, start = budget_for(chosen), time.now
    for _ in range(91):
        budget.before(Endpoint.GET_ORDER)
    assert (time.now > start) is waited
    budget.close()


def test_no_limits_wait_for_nothing_and_count_nothing(time: Time) -> None:
    budget, start = NoLimits(), time.now
    for _ in range(1000):
        budget.before(Endpoint.GET_ORDER)
        budget.after(400)
    budget.close()
    assert time.now == start


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state = tmp_path / "xdg-state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return state


def test_the_store_lies_in_the_users_state_directory(state: Path) -> None:
    path = store_path(target())
    assert path.parent == state / "koncili-conformance"
    assert path.suffix == ".sqlite"
    assert path == store_path(target(name="other", error_budget=7, environment="sandbox"))
    assert not path.parent.exists()
    budget_for(target()).close()
    assert path.is_file()
    assert path.parent.stat().st_mode & 0o077 == 0


# A new version that named the store or a table otherwise would forget what was spent in the last hour.


@pytest.mark.usefixtures("state")
def test_the_store_keeps_its_name_from_version_to_version() -> None:
    assert store_path(target()).name == "682e68700304d41e.sqlite"


def test_the_tables_keep_their_names_from_version_to_version(limits: DocumentedLimits, store: Path) -> None:
    limits.before(None)
    with closing(sqlite3.connect(store)) as kept:
        names = {name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {
        "client_errors",
        "rate_delete_order",
        "rate_get_order",
        "rate_other",
        "rate_submit_order",
    }


@pytest.mark.usefixtures("limits")
def test_processes_take_turns_at_the_store_by_a_lock_beside_it(store: Path) -> None:
    assert Path(f"{store}.lock").exists()


OTHER_TARGETS = {
    "integrator": {"integrator": "00000000-0000-4000-8000-000000000000"},
    "host": {"base_url": "https://sandbox.koncili.example"},
    "port": {"base_url": "https://koncili.example:8443"},
}


@pytest.mark.parametrize("changes", OTHER_TARGETS.values(), ids=OTHER_TARGETS)
@pytest.mark.usefixtures("state")
def test_another_target_has_another_store(changes: Mapping[str, str]) -> None:
    assert store_path(target(**changes)) != store_path(target())


@pytest.mark.parametrize(
    "base_url",
    ["https://koncili.example/", "https://Koncili.EXAMPLE", "HTTPS://koncili.example", "https://koncili.example:443"],
)
@pytest.mark.usefixtures("state")
def test_the_same_target_written_otherwise_has_the_same_store(base_url: str) -> None:
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


def test_a_store_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"certainly no SQLite database, but long enough for a header of one hundred bytes. " * 2)
    with pytest.raises(OSError, match=rf"^{re.escape(str(path))}: file is not a database$"):
        DocumentedLimits(path, 400)


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
    with pytest.raises(CannotRun, match="coordination"):
        open_session(Options(target_file=file))
