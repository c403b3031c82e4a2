"""Runs beside each other: which are alive, whose turn it is on a channel, who finishes what a dead one left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, WaitTooLong
from conformance.mock.koncili import Koncili
from conformance.mock.target import mock_target_table
from conformance.run.live import dead_runs, left_elsewhere
from conformance.target.config import parse_target
from conformance.target.shared import runs
from conformance.target.shared.channels import Channels
from conformance.target.shared.runs import Run, is_alive, known_runs, origin_of, take
from conformance.target.shared.store import earlier_key_of, open_store, store_path
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting
from tests.suite.support.bodies import NEIGHBOUR, on
from tests.suite.support.live_runs import Killed, one_run, rewrite
from tests.suite.support.properties import HOME

CODE: Final = "701-0000000-0000001"
LATER: Final = {"periodInitDate": "2024-03-01T00:00:00Z", "periodEndDate": "2024-03-02T00:00:00Z"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(path)) as store:
        yield store


def begun(store: SQLiteStore) -> Run:
    run = Run(store)
    run.begin()
    return run


# -- who is alive ------------------------------------------------------------------------------------------------------

BEGINS: Final = """
import sys, time
from pathlib import Path
from conformance.target.shared.runs import Run
from conformance.target.shared.store_sqlite import SQLiteStore
run = Run(SQLiteStore(Path(sys.argv[1])))
run.begin()
print(run.id, flush=True)
time.sleep(60)
"""


def test_a_run_is_alive_until_it_ends(store: SQLiteStore) -> None:
    run = begun(store)
    assert is_alive(store, run.id)
    assert list(known_runs(store)) == [run.id]
    run.end()
    assert not is_alive(store, run.id)
    assert not known_runs(store)
    assert store.owner(f"run/{run.id}") is None


def test_a_process_that_was_killed_is_dead_before_anybody_asks_for_its_end(store: SQLiteStore) -> None:
    command = [sys.executable, "-c", BEGINS, str(store.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        assert is_alive(store, run)
        process.send_signal(signal.SIGSTOP)
        assert is_alive(store, run)
        process.kill()
        ends = time.monotonic() + 20
        while is_alive(store, run):  # it is a zombie soon
            assert time.monotonic() < ends
            time.sleep(0.01)
        os.kill(process.pid, 0)  # its number is still taken
    assert not is_alive(store, run)


def test_another_process_of_that_number_is_not_the_run(store: SQLiteStore) -> None:
    run = begun(store)
    rewrite(store, run.id, process=f"{os.getpid()} 1")
    assert not is_alive(store, run.id)


def test_on_another_machine_it_is_alive_as_long_as_it_says_so(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LIFE_SECONDS", 0.2)
    run = begun(store)
    rewrite(store, run.id, machine="another")
    assert is_alive(store, run.id)
    time.sleep(0.25)
    assert not is_alive(store, run.id)
    monkeypatch.setattr(runs, "SIGN_EVERY_SECONDS", 0.0)
    run.sign()
    assert is_alive(store, run.id)


def test_a_run_is_never_known_before_it_gives_signs_of_life(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine would take it for dead."""
    seen: list[str | None] = []
    put = store.put

    def looked_at(key: str, value: str) -> None:
        seen.append(store.owner(key))
        put(key, value)

    monkeypatch.setattr(store, "put", looked_at)
    run = begun(store)
    assert seen == [run.id]


def test_a_run_that_was_taken_for_dead_notices_it(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SIGN_EVERY_SECONDS", 0.0)
    run = begun(store)
    runs.bury(store, run.id)
    with pytest.raises(CannotRun, match=r"took it for dead and cleared away .* run again"):
        run.sign()


def test_a_run_whose_turn_another_took_notices_it(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SIGN_EVERY_SECONDS", 0.0)
    run = begun(store)
    run.locks.add("channel/A")
    run.sign()
    assert store.owner("channel/A") == run.id
    store.unlock("channel/A", run.id)
    store.lock("channel/A", "another", 60)
    with pytest.raises(CannotRun, match=r"took over what it held \(channel/A\); run again"):
        run.sign()


def test_a_lock_is_taken_from_the_dead_alone(store: SQLiteStore) -> None:
    alive, dead = begun(store), begun(store)
    rewrite(store, dead.id, process="1 long ago")
    store.lock("of the dead", dead.id, 60)
    store.lock("of the living", alive.id, 60)
    assert take(store, "of the dead", "me")
    assert not take(store, "of the living", "me")
    assert take(store, "of nobody", "me")


# -- turns on a channel ------------------------------------------------------------------------------------------------


def test_a_channel_has_one_holder(store: SQLiteStore) -> None:
    one, other = (Channels(store, begun(store), Waiting(at_most=0.0)) for _ in range(2))
    assert one.hold({"A", "B"})
    assert not one.hold({"B"})
    with pytest.raises(WaitTooLong, match="another run's reconciliation on channel A"):
        other.hold({"A"})
    one.let_go("A")
    assert other.hold({"A"})
    one.let_go_of_all()
    assert other.hold({"A", "B"})


def test_a_dead_runs_channel_is_free(store: SQLiteStore) -> None:
    dead = begun(store)
    Channels(store, dead, Waiting()).hold({"A"})
    rewrite(store, dead.id, process="1 long ago")
    assert Channels(store, begun(store), Waiting(at_most=0.0)).hold({"A"})


def test_whoever_waits_comes_first(store: SQLiteStore) -> None:
    """A run that opens one after the other lets a run that waits have its turn."""
    came: list[str] = []

    def meanwhile(_: float) -> None:
        if "its turn" not in came:
            waits.hold({"A"})
            came.append("its turn")
        else:
            waits.let_go_of_all()

    waits = Channels(store, begun(store), Waiting(at_most=0.0))
    busy = Channels(store, begun(store), Waiting(sleep=meanwhile))
    busy.hold({"A"})
    with pytest.raises(WaitTooLong):
        waits.hold({"A"})
    busy.let_go_of_all()
    busy.hold({"A"})
    assert came == ["its turn"]


def test_one_that_waited_and_died_is_waited_for_once(store: SQLiteStore) -> None:
    naps: list[float] = []
    busy = Channels(store, begun(store), Waiting(sleep=naps.append))
    dies = Channels(store, begun(store), Waiting(at_most=0.0))
    busy.hold({"A"})
    with pytest.raises(WaitTooLong):
        dies.hold({"A"})
    for _ in range(3):
        busy.let_go_of_all()
        busy.hold({"A"})
    assert sum(naps) == 1.5


# -- at a target -------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_another_with_its_creation_alone(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as one, one_run(koncili, path, at_most=0.0) as other:
        one.create()
        other.submit(CODE)
        with pytest.raises(WaitTooLong):
            other.create(**LATER)
        assert other.way.sent.count(Endpoint.CREATE_RECONCILIATION) == 0
        one.live.tidy()
        koncili.clock.advance(5)
        assert other.create(**LATER) == 238


def test_two_accounts_of_a_channel_are_one_turn(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, at_most=0.0) as one:
        assert one.create(**on(HOME)) == 237
        assert one.create(**on(NEIGHBOUR)) == 238


def test_a_run_that_is_killed_meanwhile_is_rescued_by_whoever_is_next(koncili: Koncili, path: Path) -> None:
    """Also where the one who first came upon it was killed itself."""
    with one_run(koncili, path) as dead, one_run(koncili, path) as second, one_run(koncili, path) as third:
        dead.create()
        dead.die()
        second.upset(Endpoint.SUBMIT_ORDER, "killed before")
        with pytest.raises(Killed):
            second.create(**LATER)
        second.die()
        koncili.clock.advance(5)
        created = third.create(**LATER)
        assert created == 400
        assert third.live.channels.is_settling(HOME.channel)
        koncili.clock.advance(5)
        assert third.create(**LATER) > 237


def test_what_is_completed_for_the_dead_may_still_be_going_on(koncili: Koncili, path: Path) -> None:
    """A refusal until it is finished then says nothing."""
    with one_run(koncili, path) as dead, one_run(koncili, path) as other:
        dead.create()
        dead.die()
        other.live.rescue_all()
        assert other.live.channels.is_settling(HOME.channel)


def test_a_run_that_ended_with_something_left_counts_as_dead(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as one:
        one.submit(CODE)
    with one_run(koncili, path) as other:
        assert other.live.dead_runs == [one.live.run.id]
        assert other.live.running == []
        other.live.rescue_all()
        assert other.live.dead_runs == []


def test_a_run_that_is_going_on_is_left_alone(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as one, one_run(koncili, path) as other:
        one.submit(CODE)
        assert other.live.dead_runs == []
        assert len(other.live.running) == 1
        other.live.rescue_all()
        assert other.way.sent == []


def test_one_that_comes_back_to_life_sends_nothing_more(
    koncili: Koncili, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment on at which another begins to clear away what it has sent."""
    monkeypatch.setattr(runs, "SIGN_EVERY_SECONDS", 0.0)
    with one_run(koncili, path) as stood, one_run(koncili, path) as other:
        stood.submit(CODE)
        rewrite(stood.store, stood.live.run.id, machine="another")
        stood.store.unlock(f"run/{stood.live.run.id}", stood.live.run.id)  # as if its sign of life had run out
        other.upset(Endpoint.DELETE_ORDER, "killed before")
        with pytest.raises(Killed):
            other.live.rescue_all()
        with pytest.raises(CannotRun, match="took it for dead"):
            stood.submit(CODE)


def test_orders_that_are_still_needed_are_spared_until_the_end(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path) as one:
        one.submit(CODE)
        one.live.spare()
        one.submit("701-0000000-0000002")
        one.live.tidy()
        assert [order.code for order in one.live.ledger.left.orders] == [CODE]
        one.live.finish()
        assert not any(one.live.ledger.left)


# -- several base URLs of one integrator -------------------------------------------------------------------------------

ELSEWHERE: Final = "http://localhost:8765"


def test_runs_at_two_urls_share_budget_block_and_turns(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, at_most=0.0) as one, one_run(koncili, path, at_most=0.0, base_url=ELSEWHERE) as other:
        for run in (one, other):
            run.live.budget.after(run.live.budget.before(None), 400)
        spent = [run.live.budget.status() for run in (one, other)]
        assert [budget_status.spent if budget_status else None for budget_status in spent] == [2, 2]
        assert other.live.channels.hold({HOME.channel})
        with pytest.raises(WaitTooLong, match="another run's reconciliation"):
            one.create()
        other.live.budget.blocked()
        with pytest.raises(CannotRun, match="blocked"):
            one.submit(CODE)


def test_what_was_left_at_another_url_is_told_and_neither_touched_nor_forgotten(koncili: Koncili, path: Path) -> None:
    with one_run(koncili, path, base_url=ELSEWHERE) as dead:
        dead.create()
        dead.submit(CODE)
    with one_run(koncili, path) as other:
        assert other.live.dead_runs == []
        (told,) = left_elsewhere(other.live.target, other.store)
        assert f"left something at {ELSEWHERE}: only `koncili-conformance cleanup`" in told
        other.live.channels.hold({HOME.channel})
        other.live.rescue_all()
        assert other.way.sent == []
    with one_run(koncili, path, base_url=ELSEWHERE) as there:
        assert left_elsewhere(there.live.target, there.store) == []
        assert there.live.dead_runs == [dead.live.run.id]
        there.live.rescue_all()
        assert there.live.dead_runs == []
        assert there.store.records("origin/").keys() == {f"origin/{there.live.run.id}"}


def test_the_store_of_an_earlier_version_is_taken_over_once(koncili: Koncili, path: Path) -> None:
    """It was one URL's alone, and had no record of that."""
    table = {**mock_target_table("http://127.0.0.1:8765"), "environment": "sandbox"}
    target = parse_target(table, "target.toml")
    earlier = store_path(target).with_name(f"{earlier_key_of(target)}.sqlite")
    with closing(SQLiteStore(earlier)) as kept:
        for number in range(30):
            kept.renew("client-errors", str(number))
        kept.put('order/dead/[19055, "CHANNEL_NAME", "701-1"]', "there")
        kept.claim("long", 7, 100)
    for _ in range(2):
        with closing(open_store(target)) as store:
            assert len(store.marks("client-errors", 60)) == 30
            assert store.claim("long", 0, 0) == 107
            assert dead_runs(store) == ["dead"]
            assert origin_of(store, "dead") == target.base_url
            assert left_elsewhere(parse_target({**table, "base_url": ELSEWHERE}, "t"), store)
            store.unmark("client-errors", "0")
            store.renew("client-errors", "another")
    del koncili, path
