"""The documented rates and the budget of client errors hold across runs and processes."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from time import tzset
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.mock.target import mock_target_table, to_toml
from conformance.run.live import budget_of
from conformance.run.session import Options, open_session
from conformance.target.config import Target, parse_target
from conformance.target.shared.budget import KEPT_BACK, Budget, DocumentedLimits, NoLimits
from conformance.target.shared.store import open_store, store_path
from conformance.target.shared.store_base import BLOCKED_UNTIL, ERRORS, MARGIN_SECONDS, Store
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting
from tests.suite.support.command_runs import kept_in

MINUTE, HOUR = 60.0, 3600.0
DOCUMENTED = {Endpoint.GET_ORDER: 90, Endpoint.SUBMIT_ORDER: 300, Endpoint.DELETE_ORDER: 300}
UNDOCUMENTED = (*(endpoint for endpoint in Endpoint if endpoint not in DOCUMENTED), None)


@dataclass
class Time:
    """Seconds that pass only where the budget waits, or where a test lets them."""

    now: float = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr("conformance.target.shared.store_sqlite.since_boot", time.time)
    return time


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "budget.sqlite"


class Limits(DocumentedLimits):
    """Limits with a store of their own, as a run has them."""

    def __init__(
        self, path: Path, errors: int, time: Time | None = None, *, paced: bool = True, at_most: float | None = 0.0
    ) -> None:
        self.kept = SQLiteStore(path)
        waiting = Waiting(at_most=at_most, sleep=time.sleep) if time else Waiting(at_most=at_most)
        super().__init__(self.kept, errors, waiting, paced=paced)

    def answer(self, endpoint: Endpoint | None, status: int) -> None:
        self.after(self.before(endpoint), status)

    def spent(self) -> int:
        return self.status().spent

    def close(self) -> None:
        super().close()
        self.kept.close()


@pytest.fixture
def limits(store: Path, time: Time) -> Iterator[Limits]:
    with closing(Limits(store, 400, time, at_most=62.0)) as limits:
        yield limits


@pytest.fixture
def others(store: Path, time: Time) -> Iterator[Limits]:
    """Those of another run of the same integrator."""
    with closing(Limits(store, 400, time, at_most=62.0)) as limits:
        yield limits


def target(**changes: Any) -> Target:
    table = mock_target_table("https://koncili.example") | {"pace": "documented"} | changes
    return parse_target(table, "target.toml")


# -- rates ---------------------------------------------------------------------------------------------------------


def most_in_a_minute(instants: list[float]) -> int:
    return max(sum(start <= instant <= start + MINUTE for instant in instants) for start in instants)


@pytest.mark.parametrize("endpoint", [*Endpoint, None], ids=lambda value: getattr(value, "name", str(value)))
def test_a_rate_is_used_up_and_never_exceeded(limits: Limits, time: Time, endpoint: Endpoint | None) -> None:
    """Not by a request that arrives a second later than it was sent, either."""
    rate = DOCUMENTED.get(endpoint, 90) if endpoint else 90
    start, instants = time.now, []
    for number in range(2 * rate + 5):
        limits.answer(endpoint, 200)
        instants.append(time.now - number % 2)
        time.now += 0.003
    assert max(instants[:rate]) < start + MINUTE
    assert most_in_a_minute(instants) == rate


def test_a_used_up_rate_is_waited_for_to_the_second(store: Path, time: Time) -> None:
    start = time.now
    with closing(Limits(store, 400, time, at_most=None)) as limits:
        for _ in range(91):
            limits.answer(Endpoint.GET_ORDER, 200)
    assert time.now - start == pytest.approx(MINUTE + MARGIN_SECONDS, abs=0.02)


def test_endpoints_have_rates_of_their_own(limits: Limits, time: Time) -> None:
    start = time.now
    for endpoint in (*Endpoint, None):
        for _ in range(90):
            limits.answer(endpoint, 200)
    assert time.now == start


def test_two_runs_share_a_rate(limits: Limits, others: Limits, time: Time) -> None:
    instants = []
    for _ in range(60):
        for run in (limits, others):
            run.answer(Endpoint.GET_ORDER, 200)
            instants.append(time.now)
    assert most_in_a_minute(instants) == 90


# -- client errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 423, 429, 499])
def test_a_client_error_is_counted(limits: Limits, status: int) -> None:
    limits.answer(None, status)
    assert limits.spent() == 1


@pytest.mark.parametrize("status", [100, 200, 201, 204, 302, 399, 500, 502, 599])
def test_any_other_answer_gives_back_what_was_reserved(limits: Limits, status: int) -> None:
    limits.answer(None, status)
    assert limits.spent() == 0


def test_a_request_without_an_answer_stays_counted(limits: Limits) -> None:
    limits.before(None)
    assert limits.spent() == 1


def test_a_request_that_was_never_sent_is_not_counted(limits: Limits) -> None:
    limits.after(limits.before(None), None)
    assert limits.spent() == 0


def test_nothing_is_sent_once_the_budget_is_spent(store: Path, time: Time) -> None:
    with closing(Limits(store, 3 + KEPT_BACK, time)) as limits:
        for status in (400, 404, 200, 429):
            limits.answer(Endpoint.SUBMIT_ORDER, status)
        for endpoint in (*Endpoint, None):
            with pytest.raises(
                WaitTooLong, match=r"^the budget of client errors: .*at 500 .* takes another 1:00 h, .* 0 s allows$"
            ):
                limits.before(endpoint)
        assert limits.spent() == 3
        time.now += HOUR + 2
        limits.before(Endpoint.SUBMIT_ORDER)


def test_a_reservation_is_given_back_where_the_wait_for_the_rate_is_ended(store: Path, time: Time) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with closing(Limits(store, 400, time, at_most=None)) as limits:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        limits._waiting.sleep = interrupt
        with pytest.raises(KeyboardInterrupt):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0


def test_a_spent_budget_is_waited_for(store: Path, time: Time) -> None:
    told: list[tuple[str, float]] = []
    with closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits:
        limits._waiting.tell = lambda what, left: told.append((what, round(left)))
        limits.answer(None, 400)
        start = time.now
        limits.answer(None, 400)
    assert HOUR < time.now - start < HOUR + 5
    assert [left for _, left in told][:2] == [3601, 3600]
    assert told[-1][1] == 0


def test_waiting_gives_signs_of_life(store: Path, time: Time) -> None:
    signs: list[float] = []
    with closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits:
        limits._waiting.meanwhile = lambda: signs.append(time.now)
        limits.answer(None, 400)
        limits.answer(None, 400)
    assert max(later - earlier for earlier, later in pairwise(signs)) <= 2


def test_only_clearing_away_spends_what_is_kept_back(store: Path, time: Time) -> None:
    with closing(Limits(store, 20, time)) as limits:
        for _ in range(20 - KEPT_BACK):
            limits.answer(None, 400)
        with pytest.raises(WaitTooLong):
            limits.before(None)
        with limits.clearing_away():
            for _ in range(KEPT_BACK):
                limits.answer(None, 400)
            with pytest.raises(WaitTooLong):
                limits.before(None)
        assert limits.spent() == 20


def test_of_a_small_budget_one_is_left_to_spend(store: Path, time: Time) -> None:
    with closing(Limits(store, 3, time)) as limits:
        limits.answer(None, 400)
        with pytest.raises(WaitTooLong, match="1 an hour are spent, 2 more are kept"):
            limits.before(None)


def test_the_pace_is_a_wait_like_any_other(store: Path, time: Time) -> None:
    """And what was reserved for a request that was not sent is given back."""
    with closing(Limits(store, 400, time, at_most=59.0)) as limits:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        with pytest.raises(
            WaitTooLong, match=r"^the documented rate of GET /order, .* 1:01 min, .*--max-wait 59 s allows$"
        ):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0
        time.now += 3.0
        limits.before(Endpoint.GET_ORDER)


def test_a_budget_that_others_take_again_is_waited_for_once(store: Path, time: Time) -> None:
    """However often another run takes what has just left the hour, all of that is one wait."""
    with (
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=1.5 * HOUR)) as limits,
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as others,
    ):
        others.answer(None, 400)
        start = time.now

        def sleep(seconds: float) -> None:
            time.now += seconds
            if time.now >= start + HOUR + MARGIN_SECONDS and others.spent() == 0:
                others.answer(None, 400)

        limits._waiting.sleep = sleep
        with pytest.raises(
            WaitTooLong, match=r"takes another 1:00 h after 1:00 h, longer than --max-wait 1:30 h allows$"
        ):
            limits.before(None)
        assert time.now - start < HOUR + 5


@pytest.mark.parametrize(
    ("endpoint", "rate", "words"),
    [
        (Endpoint.SUBMIT_ORDER, 300, "the documented rate of POST /order, 300 a minute"),
        (None, 90, "the documented rate of undocumented paths, 90 a minute"),
    ],
)
def test_a_wait_for_the_pace_says_for_which(
    endpoint: Endpoint | None, rate: int, words: str, store: Path, time: Time
) -> None:
    told: set[str] = set()
    with closing(SQLiteStore(store)) as kept:
        limits = DocumentedLimits(kept, 400, Waiting(tell=lambda what, _: told.add(what), sleep=time.sleep))
        for _ in range(rate + 1):
            limits.after(limits.before(endpoint), 200)
        limits.close()
    assert told == {words}


def test_a_spent_budget_is_no_verdict() -> None:
    assert issubclass(WaitTooLong, TargetUnavailable)


def test_an_error_is_forgotten_an_hour_after_its_answer(limits: Limits, time: Time) -> None:
    reservation = limits.before(None)
    time.now += 30
    limits.after(reservation, 400)
    time.now += HOUR / 2
    limits.answer(None, 400)
    time.now += HOUR / 2 + 0.75
    assert limits.spent() == 2
    assert limits.status().frees[0] == pytest.approx(0.25, abs=0.1)
    time.now += 2
    assert limits.spent() == 1


def test_the_largest_budget_that_a_target_may_have_is_kept(store: Path, time: Time) -> None:
    with closing(Limits(store, 450, time, paced=False)) as limits:
        for _ in range(450 - KEPT_BACK):
            limits.answer(Endpoint.SUBMIT_ORDER, 400)
        with pytest.raises(WaitTooLong):
            limits.before(Endpoint.SUBMIT_ORDER)
        assert limits.status().left == 0


def test_errors_are_counted_across_runs(store: Path, time: Time) -> None:
    for _ in range(3):
        with closing(Limits(store, 6 + KEPT_BACK, time)) as limits:
            limits.answer(Endpoint.GET_ORDER, 400)
            limits.answer(Endpoint.GET_ORDER, 400)
    with closing(Limits(store, 6 + KEPT_BACK, time)) as limits, pytest.raises(WaitTooLong):
        limits.before(Endpoint.GET_ORDER)


def test_what_several_runs_are_about_to_send_is_counted_together(limits: Limits, others: Limits) -> None:
    for _ in range((400 - KEPT_BACK) // 2):
        limits.before(None if limits.spent() % 2 else Endpoint.SUBMIT_ORDER)
        others.before(Endpoint.DELETE_ORDER)
    for run in (limits, others):
        with pytest.raises(WaitTooLong):
            run.before(Endpoint.GET_ORDER)


def spend(store: str, tries: int) -> None:
    """What another process does."""
    with closing(Limits(Path(store), 20 + KEPT_BACK, paced=False)) as limits:
        for _ in range(tries):
            try:
                limits.answer(Endpoint.SUBMIT_ORDER, 400)
            except WaitTooLong:
                continue


def test_processes_together_spend_the_budget_and_no_more(store: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=spend, args=(str(store), 15)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with closing(SQLiteStore(store)) as kept:
        assert len(kept.marks(ERRORS, HOUR)) == 20


# -- blocks --------------------------------------------------------------------------------------------------------


BLOCKED = (
    "Koncili has blocked this integrator (423) until {:%Y-%m-%d %H:%M} UTC: nothing is sent before that, since 1,000 calls "
    "during the block make it permanent; run again then"
)
DAY = 24 * HOUR


def lasts(until: datetime) -> float:
    """For how many seconds from now a block lasts."""
    return (until - datetime.now(UTC)).total_seconds()


def test_a_block_stops_every_run_until_it_ends(limits: Limits, others: Limits, time: Time) -> None:
    until = limits.blocked()
    assert lasts(until) == pytest.approx(HOUR, abs=30)
    assert until.tzinfo is UTC
    for run in (limits, others):
        with pytest.raises(CannotRun, match=rf"^{re.escape(BLOCKED.format(until))}$"):
            run.before(Endpoint.GET_ORDER)
    time.now += HOUR + 1
    others.before(Endpoint.GET_ORDER)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (0, HOUR),
        (1, HOUR),
        (-5, HOUR),
        (HOUR, HOUR),
        (7200, 7200),
        (DAY, DAY),
        (99_999_999_999_999, DAY),
        (float("9" * 400), DAY),
        (float("nan"), HOUR),
        (float("-inf"), HOUR),
    ],
)
def test_a_block_lasts_as_long_as_the_target_says_an_hour_at_least_and_a_day_at_most(
    limits: Limits, time: Time, told: float, seconds: float
) -> None:
    assert lasts(limits.blocked(told)) == pytest.approx(seconds, abs=30)
    time.now += seconds - 1
    with pytest.raises(CannotRun):
        limits.before(None)
    time.now += 1
    limits.before(None)


def test_a_block_is_not_made_shorter(limits: Limits, others: Limits, time: Time) -> None:
    limits.blocked(5 * HOUR)
    others.blocked(60)
    time.now += 5 * HOUR - 1
    with pytest.raises(CannotRun):
        others.before(None)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("nan", HOUR),
        ("", HOUR),
        ("tomorrow", HOUR),
        ("{}", HOUR),
        ("\x00\ud7ff", HOUR),
        ("inf", DAY),
        ("1e400", DAY),
        ("9" * 400, DAY),
        ("3000000000", DAY),
        ("-inf", 0),
        ("12", 0),
    ],
)
def test_whatever_was_written_a_block_ends_within_a_day(
    limits: Limits, time: Time, written: str, seconds: float
) -> None:
    """What can't be read is a block as it is documented."""
    limits.kept.put(BLOCKED_UNTIL, written)
    for _ in range(2):  # looking again puts nothing off
        if seconds:
            with pytest.raises(
                CannotRun, match=r"^Koncili has blocked this integrator \(423\) until 20\d\d-\d\d-\d\d "
            ):
                limits.before(None)
        time.now += seconds / 2
    limits.before(None)


def test_what_waits_for_the_budget_looks_whether_there_is_a_block_by_now(store: Path, time: Time) -> None:
    with (
        closing(Limits(store, 1 + KEPT_BACK, time, at_most=None)) as limits,
        closing(Limits(store, 400, time)) as other,
    ):
        limits.answer(None, 400)
        limits._waiting.meanwhile = once(lambda: other.blocked(2 * HOUR), after=3)
        with pytest.raises(CannotRun, match="blocked"):
            limits.before(None)


def test_what_waits_for_the_rate_looks_whether_there_is_a_block_by_now(store: Path, time: Time) -> None:
    with closing(Limits(store, 400, time, at_most=None)) as limits, closing(Limits(store, 400, time)) as other:
        for _ in range(90):
            limits.answer(Endpoint.GET_ORDER, 200)
        limits._waiting.meanwhile = once(other.blocked, after=3)
        with pytest.raises(CannotRun, match="blocked"):
            limits.before(Endpoint.GET_ORDER)
        assert limits.spent() == 0


def once(action: Callable[[], object], *, after: int) -> Callable[[], None]:
    """Does it at one call, after so many others."""
    calls = count()

    def called() -> None:
        if next(calls) == after:
            action()

    return called


def test_its_end_is_told_in_utc_wherever_the_machine_is(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        tzset()
        until = limits.blocked()
        with pytest.raises(CannotRun, match=f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"):
            limits.check_block()
    tzset()


# -- which budget, kept where --------------------------------------------------------------------------------------


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
