"""What runs share is kept alike in SQLite and in Redis, by several processes at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conformance.errors import CannotRun
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.target.shared.store_base import Store
from conformance.target.shared.store_redis import RedisStore
from conformance.target.shared.store_sqlite import SQLiteStore
from tests.suite.support.no_power_cuts import PROMISED
from tests.suite.support.stage.redis import redis_server

Open = Callable[[], Store]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store is kept: a path, or a URL with a key of this test's own."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    return f"{request.getfixturevalue('redis_url')}#{tmp_path.name}"


def opened(place: str, key: str = "") -> Store:
    if place.startswith("redis"):
        url, _, own = place.partition("#")
        return RedisStore(url, own + key)
    return SQLiteStore(Path(place), key)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with closing(opened(place)) as store:
        yield store


@pytest.fixture
def other(place: str) -> Iterator[Store]:
    """Another process's."""
    with closing(opened(place)) as store:
        yield store


def test_marks_are_taken_until_there_are_so_many(store: Store, other: Store) -> None:
    assert store.mark("w", "a", at_most=2, seconds=60) is None
    assert other.mark("w", "b", at_most=2, seconds=60) is None
    left = store.mark("w", "c", at_most=2, seconds=60)
    assert left is not None
    assert 55 < left <= 60
    assert store.mark("another", "c", at_most=2, seconds=60) is None
    assert len(store.marks("w", 60)) == 2


def test_a_mark_that_is_taken_back_makes_room(store: Store, other: Store) -> None:
    store.mark("w", "a", at_most=1, seconds=60)
    other.unmark("w", "a")
    assert other.mark("w", "b", at_most=1, seconds=60) is None
    assert store.marks("w", 60) == other.marks("w", 60)


def test_a_mark_leaves_its_window_by_itself(store: Store) -> None:
    store.mark("w", "a", at_most=1, seconds=0.05)
    time.sleep(0.06)
    assert store.marks("w", 0.05) == []
    assert store.mark("w", "b", at_most=1, seconds=0.05) is None


def test_the_wait_is_until_as_many_have_left_as_must(store: Store) -> None:
    """Another run may have a larger budget."""
    for number in range(3):
        store.mark("w", str(number), at_most=9, seconds=60)
        time.sleep(0.02)
    instants = store.marks("w", 60)
    left = store.mark("w", "x", at_most=1, seconds=60)
    assert left is not None
    assert left == pytest.approx(instants[2] + 60 - store.now(), abs=0.02)


def test_a_renewed_mark_counts_from_now_on(store: Store) -> None:
    store.mark("w", "a", at_most=1, seconds=60)
    before = store.marks("w", 60)
    time.sleep(0.02)
    store.renew("w", "a")
    assert len(store.marks("w", 60)) == 1
    assert store.marks("w", 60) > before


def test_a_lock_has_one_owner(store: Store, other: Store) -> None:
    assert store.lock("l", "me", 60)
    assert store.lock("l", "me", 60)
    assert not other.lock("l", "you", 60)
    assert other.owner("l") == "me"
    other.unlock("l", "you")
    assert store.owner("l") == "me"
    store.unlock("l", "me")
    assert other.owner("l") is None
    assert other.lock("l", "you", 60)


def test_a_lock_ends_by_itself(store: Store, other: Store) -> None:
    store.lock("l", "me", 0.03)
    time.sleep(0.04)
    assert store.owner("l") is None
    assert other.lock("l", "you", 60)


def test_numbers_are_claimed_once(store: Store, other: Store) -> None:
    assert [store.claim("n", 10**9, 5), other.claim("n", 7, 0), other.claim("n", 7, 10**9)] == [
        10**9,
        10**9 + 5,
        10**9 + 5,
    ]
    assert store.claim("n", 0, 1) == 2 * 10**9 + 5
    assert store.claim("another", 7, 1) == 7


def test_records_are_kept_in_the_order_of_their_keys(store: Store, other: Store) -> None:
    for key in ("run/b", "run/a", "order/x", "runs", 'run/["São", "\\u00e9/"]'):
        store.put(key, f"value of {key}")
    store.put("run/b", "new")
    assert list(other.records("run/")) == ['run/["São", "\\u00e9/"]', "run/a", "run/b"]
    assert other.records("run/")["run/b"] == "new"
    other.drop("run/b", "run/a", "nothing")
    other.drop()
    assert list(store.records("run")) == ['run/["São", "\\u00e9/"]', "runs"]


def passes(store: Store, limit: int = 1) -> bool:
    """Whether a bucket lets another request pass."""
    from pyrate_limiter import RateItem

    with closing(store.bucket("get", limit, 60_000)) as bucket:
        now: object = bucket.now()  # type: ignore[no-untyped-call]
        assert isinstance(now, int)
        return bool(bucket.put(RateItem("request", now)))


def test_a_bucket_lets_so_many_pass(store: Store, other: Store) -> None:
    assert [passes(store if turn % 2 else other, 4) for turn in range(6)] == [True] * 4 + [False] * 2


def claim_many(place: str, found: multiprocessing.Queue[int]) -> None:
    with closing(opened(place)) as store:
        for _ in range(50):
            found.put(store.claim("n", 0, 1))


def test_processes_at_once_get_different_numbers(place: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[int] = spawn.Queue()
    processes = [spawn.Process(target=claim_many, args=(place, found)) for _ in range(3)]
    for process in processes:
        process.start()
    numbers = [found.get(timeout=60) for _ in range(150)]
    for process in processes:
        process.join(60)
    assert sorted(numbers) == list(range(150))


def test_a_store_is_the_users_alone(tmp_path: Path) -> None:
    with closing(SQLiteStore(tmp_path / "new" / "store.sqlite")) as store:
        store.put("a", "b")
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_integrators_have_nothing_in_common(place: str) -> None:
    with closing(opened(place, "one")) as one, closing(opened(place, "two")) as two:
        one.put("a", "b")
        one.lock("l", "me", 60)
        one.mark("w", "m", at_most=1, seconds=60)
        assert one.claim("n", 5, 5) == 5
        assert passes(one)
        assert two.records("") == {}
        assert two.owner("l") is None
        assert two.marks("w", 60) == []
        assert two.claim("n", 7, 5) == 7
        assert passes(two)
        two.put("a", "c")
        two.drop("a")
        two.unlock("l", "me")
        two.unmark("w", "m")
        assert (one.records(""), one.owner("l"), len(one.marks("w", 60))) == ({"a": "b"}, "me", 1)


def test_a_redis_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(CannotRun, match=r"^redis://127\.0\.0\.1:1/0: .* nothing is sent .* `coordination`$") as raised:
        RedisStore("redis://:s3cret@127.0.0.1:1/0", "key")
    assert "s3cret" not in str(raised.value)


def test_a_redis_server_that_goes_away_stops_the_run(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, closing(RedisStore(server.url, "key")) as store:
        store.put("a", "b")
        server.stop()
        with pytest.raises(CannotRun, match="nothing is sent"):
            store.mark("w", "a", at_most=1, seconds=60)


def test_the_password_of_a_redis_server_is_a_secret() -> None:
    table = mock_target_table("http://127.0.0.1:1") | {"coordination": "redis://:s3cret-p@cache:6379/0"}
    assert parse_target(table, "target.toml").store_password == "s3cret-p"
    assert parse_target(mock_target_table("http://127.0.0.1:1"), "target.toml").store_password is None


class Impatient(sqlite3.Connection):
    """Does as SQLite does where several switch a new file over to another journal at once: it waits for nobody."""

    refusals = 0

    def executescript(self, script: str) -> sqlite3.Cursor:
        if Impatient.refusals:
            Impatient.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().executescript(script)


def test_a_new_file_that_others_are_making_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, factory=Impatient, **named))
    Impatient.refusals = 3
    with closing(SQLiteStore(tmp_path / "new.sqlite")) as store:
        store.put("key", "value")
        assert store.records("key") == {"key": "value"}
    assert Impatient.refusals == 0


def test_a_file_that_stays_locked_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.target.shared.store_sqlite.PATIENCE_SECONDS", 0.05)
    path = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CannotRun, match="database is locked"):
            SQLiteStore(path)


def test_what_an_interruption_left_open_ends_with_the_next_operation(tmp_path: Path) -> None:
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        store._db.execute("BEGIN IMMEDIATE")
        store._db.execute("INSERT INTO records VALUES ('half', 'done')")
        store.put("whole", "done")
        assert dict(store.records("")) == {"whole": "done"}


def test_outside_of_tests_a_store_is_on_the_disk_when_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would have forgotten what was reserved and may have been spent."""
    monkeypatch.setattr("conformance.target.shared.store_sqlite.SYNCHRONOUS", PROMISED)
    full = 2
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        assert store._db.execute("PRAGMA synchronous").fetchone() == (full,)
        store.start_anew()
        assert store._db.execute("PRAGMA synchronous").fetchone() == (full,)
