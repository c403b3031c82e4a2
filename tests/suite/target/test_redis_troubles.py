"""What happens to Redis servers: restarts, failovers, flushes, evictions, clocks. Nothing is forgotten, nobody waits for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, StoreLost, WaitTooLong
from conformance.mock.koncili import Koncili
from conformance.mock.target import mock_target_table
from conformance.target.config import LARGEST_BUDGET
from conformance.target.shared.budget import KEPT_BACK
from conformance.target.shared.store_redis import RedisStore
from tests.suite.support.live_runs import OneRun, one_run
from tests.suite.support.stage.etiquette import active, deletable
from tests.suite.support.stage.redis import StagedRedis, redis_server

CODE: Final = "701-0000000-0000001"
INTEGRATOR: Final = str(mock_target_table("http://127.0.0.1")["integrator"])
OTHER_CODE: Final = "701-0000000-0000002"
BUDGET: Final = 400
PART: Final = LARGEST_BUDGET - BUDGET - KEPT_BACK
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR


@pytest.fixture
def koncili() -> Koncili:
    return Koncili()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StagedRedis]:
    with known_server(tmp_path) as server:
        yield server


@contextmanager
def known_server(tmp_path: Path, **settings: Any) -> Iterator[StagedRedis]:
    """A server that others have shared for longer than an hour."""
    with redis_server(tmp_path, **settings) as server:
        server.is_known_for_an_hour(INTEGRATOR)
        yield server


@contextmanager
def run_on(koncili: Koncili, server: StagedRedis, **changes: Any) -> Iterator[OneRun]:
    """A run whose server may be gone when it ends."""
    begun = one_run(koncili, server.url, **changes)
    try:
        yield begun.__enter__()
    finally:
        with suppress(CannotRun):
            begun.__exit__(None, None, None)


def spend(run: OneRun, number: int) -> int:
    """Have so many orders refused, as far as the budget goes; how many that were."""
    for sent in range(number):
        try:
            assert run.submit(CODE, status="NONE").is_refused
        except WaitTooLong:
            return sent
    return number


# -- what it forgets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", ["documented", "unlimited"])
def test_a_server_that_forgot_the_scripts_gets_them_again(server: StagedRedis, koncili: Koncili, pace: str) -> None:
    with one_run(koncili, server.url, pace=pace) as run:
        run.submit(CODE)
        server.command("SCRIPT", "FLUSH")
        run.submit(CODE)
        assert run.client.call(Endpoint.LIST_ACCOUNTS).is_accepted


Loss = Callable[[StagedRedis], object]

LOSSES: Final[dict[str, Loss]] = {
    "all keys flushed": lambda server: server.command("FLUSHALL"),
    "the counts evicted": lambda server: server.command("DEL", server.key("marks:client-errors")),
    "the records evicted": lambda server: server.command("DEL", server.key("records")),
    "what it is evicted": lambda server: server.command("DEL", server.key("about")),
    "the counts expired": lambda server: server.command("PEXPIRE", server.key("marks:client-errors"), "-1"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_a_lost_store_is_told_and_all_is_cleared_away(server: StagedRedis, koncili: Koncili, lose: Loss) -> None:
    with one_run(koncili, server.url, at_most=0.0) as run:
        run.submit(CODE)
        run.create()
        spend(run, 100)
        lose(server)
        sent = len(run.way.sent)
        for _ in range(2):
            with pytest.raises(
                StoreLost, match=r"^redis://127.0.0.1:\d+/0: the store was .* while this run was going on"
            ):
                run.submit(OTHER_CODE)
        assert len(run.way.sent) == sent
        run.live.finish()
        assert not any(run.live.ledger.left)
    state = dict(koncili.state())
    assert (active(state), deletable(state)) == ([], [])
    with one_run(koncili, server.url, at_most=0.0) as other:
        assert other.live.dead_runs == []
        assert spend(other, 1000) <= PART


def test_one_that_is_restarted_empty_between_two_runs_gives_no_second_budget(koncili: Koncili, tmp_path: Path) -> None:
    with known_server(tmp_path) as server, run_on(koncili, server, at_most=0.0) as run:
        run.submit(CODE)
        assert spend(run, 300) == 300
        run.die()
        server.stop()
        with redis_server(tmp_path, port=server.port) as again, one_run(koncili, again.url, at_most=0.0) as other:
            assert other.live.dead_runs == [run.live.run.id]
            assert spend(other, 1000) == PART


@pytest.mark.parametrize("first", ["known", "new"])
def test_one_that_is_emptied_between_users_who_know_nothing_of_each_other_gives_only_a_part(
    koncili: Koncili, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Each has a home of its own, so that nobody knows what the other has spent: the budget is the integrator's."""
    spent = []
    with redis_server(tmp_path) as server:
        if first == "known":
            server.is_known_for_an_hour(INTEGRATOR)
        for user in ("ann", "bob"):
            for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
                monkeypatch.setenv(name, str(tmp_path / user / name))
            with one_run(koncili, server.url, at_most=0.0) as run:
                spent.append(spend(run, 1000))
                status = run.live.budget.status()
                assert status is not None
                assert (status.doubted > 0) is (spent[-1] < BUDGET - KEPT_BACK)
            server.command("FLUSHALL")
    assert spent == [BUDGET - KEPT_BACK if first == "known" else PART, PART]
    assert sum(spent) <= LARGEST_BUDGET


def test_one_that_was_used_before_the_last_hour_too_gives_only_a_part(
    koncili: Koncili, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may have spent a budget there of which nothing is known here."""
    with redis_server(tmp_path) as server, one_run(koncili, server.url, at_most=0.0) as run:
        spend(run, 1)
    for module in ("usage_log", "store"):
        monkeypatch.setattr(f"conformance.target.shared.{module}.since_boot", lambda: 10**9)
    with redis_server(tmp_path) as again, one_run(koncili, again.url, at_most=0.0) as other:
        assert spend(other, 1000) == PART


def test_one_that_goes_back_to_what_it_saved_last_lacks_nothing(koncili: Koncili, tmp_path: Path) -> None:
    with known_server(tmp_path, saves="3600 1") as server, run_on(koncili, server, at_most=0.0) as run:
        spend(run, 10)
        server.command("SAVE")
        run.submit(CODE)
        spend(run, 200)
        run.die()
        server.stop()
        with redis_server(tmp_path, saves="3600 1", port=server.port) as again:
            with pytest.raises(StoreLost, match="set back"):
                run.submit(CODE)
            with one_run(koncili, again.url, at_most=0.0) as other:
                assert other.live.dead_runs == [run.live.run.id]
                assert spend(other, 1000) == PART


def test_one_that_is_away_for_a_moment_is_waited_for(koncili: Koncili, tmp_path: Path) -> None:
    with redis_server(tmp_path, appends=True) as server, run_on(koncili, server) as run:
        spend(run, 10)
        server.stop()
        back, end = threading.Event(), threading.Event()

        def restart() -> None:
            with redis_server(tmp_path, appends=True, port=server.port):
                back.set()
                end.wait()

        thread = threading.Timer(0.5, restart)
        thread.start()
        try:
            spend(run, 1)
            assert back.is_set()
        finally:
            end.set()
            thread.join()


def test_one_that_stays_away_stops_the_run(koncili: Koncili, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.target.shared.store_redis.TRIES", 2)
    with redis_server(tmp_path) as server, run_on(koncili, server) as run:
        run.submit(CODE)
        server.stop()
        with pytest.raises(CannotRun, match=r"^redis://127.0.0.1:\d+/0: .* nothing is sent"):
            run.submit(OTHER_CODE)


# -- its clock ---------------------------------------------------------------------------------------------------------


def jump(server: StagedRedis, seconds: float) -> None:
    """As if somebody had set the server's clock."""
    server.command("HINCRBYFLOAT", server.key("about"), "offset", str(seconds))


@pytest.mark.parametrize("seconds", [-30 * DAY, -HOUR, HOUR, 30 * DAY])
def test_a_clock_that_jumps_frees_no_budget_and_makes_nobody_wait(
    server: StagedRedis, koncili: Koncili, seconds: float
) -> None:
    with one_run(koncili, server.url, at_most=0.0) as run:
        assert spend(run, 100) == 100
        jump(server, seconds)
        assert spend(run, 1000) == BUDGET - KEPT_BACK - 100
        budget_status = run.live.budget.status()
        assert budget_status is not None
        assert max(budget_status.frees) < HOUR + 10
    with one_run(koncili, server.url, at_most=0.0) as other:
        jump(server, seconds)
        assert spend(other, 1000) == 0


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_that_jumps_between_two_runs_frees_no_budget(
    server: StagedRedis, koncili: Koncili, seconds: float
) -> None:
    with one_run(koncili, server.url, at_most=0.0) as run:
        assert spend(run, 300) == 300
    jump(server, seconds)
    with one_run(koncili, server.url, at_most=0.0) as other:
        assert spend(other, 1000) == BUDGET - KEPT_BACK - 300


def test_a_run_is_not_taken_for_dead_since_the_clock_jumps(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, closing(RedisStore(server.url, "key")) as store:
        store.now()
        assert store.lock("run/a", "a", 60)
        jump(server, DAY)
        assert store.owner("run/a") == "a"


# -- how well it keeps things ------------------------------------------------------------------------------------------


def warnings(directory: Path, *settings: str, **kept: bool | str) -> tuple[str, ...]:
    with redis_server(directory, *settings, **kept) as server, closing(RedisStore(server.url, "key")) as store:  # type: ignore[arg-type]
        return store.warnings()


def test_of_a_server_that_keeps_what_it_is_told_nothing_is_said(tmp_path: Path) -> None:
    assert warnings(tmp_path, appends=True) == ()


def test_one_that_keeps_nothing_is_warned_of(tmp_path: Path) -> None:
    (told,) = warnings(tmp_path)
    assert "keeps nothing on disk" in told
    assert "appendonly yes" in told


def test_one_that_saves_now_and_then_is_warned_of(tmp_path: Path) -> None:
    (told,) = warnings(tmp_path, saves="3600 1")
    assert "saves only from time to time (save 3600 1)" in told


def test_of_one_that_tells_nothing_nothing_untrue_is_said(tmp_path: Path) -> None:
    assert warnings(tmp_path, "--rename-command", "CONFIG", "") == ()
    assert warnings(tmp_path, "--rename-command", "CONFIG", "", "--rename-command", "INFO", "") == ()


@pytest.mark.parametrize(
    ("policy", "is_warned_of"), [("allkeys-lru", True), ("volatile-lru", False), ("noeviction", False)]
)
def test_one_that_throws_away_what_it_is_to_keep_is_warned_of(policy: str, is_warned_of: bool, tmp_path: Path) -> None:
    told = warnings(tmp_path, "--maxmemory", "100mb", "--maxmemory-policy", policy, appends=True)
    assert [f"maxmemory-policy {policy}" in one for one in told] == [True] * is_warned_of
