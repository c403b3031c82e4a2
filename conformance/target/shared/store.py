"""What the runs of an integrator share, opened: the store that the target names, and apart from it the log, in two places, by
which a store that was lost is filled anew with what runs of this user have spent and left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from pyrate_limiter import AbstractBucket

from conformance.contract.limits import HOUR_SECONDS
from conformance.errors import StoreLost
from conformance.target.config import LARGEST_BUDGET, Target
from conformance.target.shared.store_base import BLOCKED_UNTIL, ERRORS, KINDS, MARGIN_SECONDS, ORIGIN, About, Store
from conformance.target.shared.uptime import since_boot
from conformance.target.shared.usage_lines import Known
from conformance.target.shared.usage_log import UsageLog

T = TypeVar("T")

WINDOW_SECONDS: Final = HOUR_SECONDS + MARGIN_SECONDS

_DOUBT: Final = "doubt/"
"""Begins the record of how many client errors are taken for spent since the store is new, after its identity; the key ends with
the budget."""


_RUN: Final = "run/"
"""Begins the records of runs."""

_BESIDE: Final = "beside/"
"""Begins what is taken for spent since another store is in use at the same time."""


class LoggedStore:
    """A store of which what it would forget with its loss is also in the log.

    Where it turns out to be lost, this goes on with what is there now, filled anew, and `lost` says so: nothing may then be sent
    but to clear away.
    """

    def __init__(self, inner: Store, log: UsageLog, error_budget: int, *, known: Known, ours: bool) -> None:
        """`known` is what the log knows by now. A store that is `ours` alone has been used by nobody of whom it does not, any
        other by anybody."""
        self.lost: StoreLost | None = None
        self._inner = inner
        self.log = log
        """What is also kept apart from the store."""
        self._error_budget = error_budget
        self._ours = ours
        self._is_beside = False
        self._held: dict[str, tuple[str, float]] = {}
        self._take_in(known)

    # -- what the log knows ------------------------------------------------------------------------------------------

    def _take_in(self, known: Known) -> None:
        """Enter what the store lacks."""
        set_back = self._inner.about().sequence < known.sequences.get(self._inner.about().identity, 0)
        if set_back:
            self._inner.start_anew(under_another_identity=True)
        self.log.of_store(self._inner.about().identity)
        self._take_in_marks(known)
        self._take_in_records(known, set_back=set_back)
        self._doubt(known)

    def _take_in_marks(self, known: Known) -> None:
        windows: dict[str, dict[str, float]] = {}
        for (window, mark), age in known.marks.items():
            windows.setdefault(window, {})[mark] = age
        meanwhile = since_boot() - known.read_at
        for window, ages in windows.items():
            self._inner.enter(window, {mark: age + meanwhile for mark, age in ages.items()})
        left, of = known.block or (0.0, "")
        if left > meanwhile and of != self._inner.about().identity:
            until = self._inner.now() + left - meanwhile
            self._inner.put(
                BLOCKED_UNTIL, str(max(until, _number(self._inner.records(BLOCKED_UNTIL).get(BLOCKED_UNTIL))))
            )

    def _take_in_records(self, known: Known, *, set_back: bool) -> None:
        identity, there = self._inner.about().identity, self._inner.records("")
        for key, (value, of) in known.records.items():
            if of != identity and key not in known.living:  # who lives has a store of its own, and clears away by that
                self._inner.put(key, value)
                self.log.put(key, value)
        # What another machine has cleared away is in its own log only.
        self.log.dropped([key for key, (_, of) in known.records.items() if of == identity and key not in there])
        if set_back:
            self._inner.drop(*(key for key in there if key in known.dropped))

    def _doubt(self, known: Known) -> None:
        """Where a new store took the place of one that was used, others may have spent what nobody knows of: until it is an hour
        old it has only as much as all may spend beyond a whole budget. So has each new one that is shared with others: nobody
        knows what these have seen."""
        about, now = self._inner.about(), self._inner.now()
        age, meanwhile = now - about.made_at, since_boot() - known.read_at
        key = f"{_DOUBT}{self._error_budget}"
        if age >= WINDOW_SECONDS or key in self._doubts(about.identity):
            return
        before = max(self._earlier_here(about.made_at), self._earlier_elsewhere(known, about.identity))
        uses = [since + meanwhile for identity, since in known.uses.items() if identity != about.identity]
        doubtful = not self._ours or not known.whole or before or any(since <= WINDOW_SECONDS for since in uses)
        number = max(0, 2 * self._error_budget - LARGEST_BUDGET - before) if doubtful else 0
        self._inner.enter(ERRORS, {f"{_DOUBT}{place}": age for place in range(number)})
        # Once and for all: what another store spends from now on is in the log.
        self._inner.put(key, f"{about.identity} {number}")

    def share_with_others(self) -> None:
        """Where a run of this user is going on by another store, only what is in the log by now is known of its spending: from
        now on this one has only as much as all may spend beyond a whole budget. To be called when the own run is written down:
        of two that begin at once one sees the other."""
        known, identity = self.log.read(), self._inner.about().identity
        others = [key for key, (_, of) in known.records.items() if of != identity and key.startswith(_RUN)]
        if not known.living.intersection(others):
            return
        self._take_in_marks(known)
        spent = len(self._inner.marks(ERRORS, WINDOW_SECONDS))
        number = max(0, 2 * self._error_budget - LARGEST_BUDGET - spent)
        self._inner.enter(ERRORS, {f"{_BESIDE}{identity} {place}": 0.0 for place in range(number)})
        self._is_beside = True

    def _earlier_here(self, made_at: float) -> int:
        """How many client errors in the store are older than it."""
        return sum(instant < made_at for instant in self._inner.marks(ERRORS, WINDOW_SECONDS))

    @staticmethod
    def _earlier_elsewhere(known: Known, identity: str) -> int:
        """How many were noted in other stores: their instants, told by the hundredth of a second, may look later."""
        return sum(window == ERRORS and of != identity for (window, _), of in known.entered.items())

    def doubted(self) -> int:
        """See Store."""
        if self._inner.now() - self._inner.about().made_at >= WINDOW_SECONDS:
            return 0
        return max(self._doubts(self._inner.about().identity).values(), default=0)

    def _doubts(self, identity: str) -> Mapping[str, int]:
        """What was decided, by record, of the store as it is: one that was set back is another."""
        records = {key: value.partition(" ") for key, value in self._inner.records(_DOUBT).items()}
        return {key: int(_number(number)) for key, (of, _, number) in records.items() if of == identity}

    def warnings(self) -> tuple[str, ...]:
        """See Store."""
        damaged = (
            f"{directory}: what runs of this integrator have spent and left is written down there, and is damaged in part; "
            "remove the directory when an hour is over"
            for directory in self.log.damaged
        )
        return (*self._inner.warnings(), *damaged)

    def unkept(self) -> tuple[str, ...]:
        """Where what is spent and left can't be written down a second time, and why; and whether others have another store."""
        beside = (
            "another run of this integrator is going on with another store (another state directory, another coordination): for "
            "an hour this one has only a part of the budget; let them share one",
        )
        return (beside if self._is_beside else ()) + tuple(
            f"{directory}: what runs of this integrator spend and leave should be written down there too, and cannot be ({why}); "
            "the run goes on, but losing the user's state directory would now lose it: make room, make it writable, or let "
            "XDG_CACHE_HOME name another directory"
            for directory, why in self.log.unkept.items()
        )

    # -- a store that is lost ----------------------------------------------------------------------------------------

    def _do(self, operation: Callable[[], T]) -> T:
        """Do something in the store; where that is lost, in the one that takes its place."""
        try:
            return operation()
        except StoreLost as lost:
            self._replace(lost)
            return operation()

    def _replace(self, lost: StoreLost) -> None:
        self.lost = self.lost or lost
        self._inner.start_anew()
        self._take_in(self.log.read())
        for name, (owner, seconds) in self._held.items():
            self._inner.lock(name, owner, seconds)

    def start_anew(self, *, under_another_identity: bool = False) -> None:
        """See Store."""
        self._inner.start_anew(under_another_identity=under_another_identity)
        self._take_in(self.log.read())

    def about(self) -> About:
        """See Store."""
        return self._inner.about()

    def told(self) -> float:
        """See Store."""
        return self._inner.told()

    # -- operations --------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Store."""
        return self._do(self._inner.now)

    def mark(self, window: str, mark: str, *, at_most: int, seconds: float, record: str | None = None) -> float | None:
        """See Store. Raises StoreLost where it is, and then goes on with another."""
        try:
            left = self._inner.mark(window, mark, at_most=at_most, seconds=seconds, record=record)
        except StoreLost as lost:
            self._replace(lost)
            raise
        if left is None:
            self.log.marked(window, mark, self._inner.about().sequence, self._inner.told())
        return left

    def enter(self, window: str, ages: Mapping[str, float]) -> None:
        """See Store."""
        self._do(lambda: self._inner.enter(window, ages))

    def renew(self, window: str, mark: str) -> None:
        """See Store."""
        self.log.renewed(window, mark)
        self._do(lambda: self._inner.renew(window, mark))

    def unmark(self, window: str, mark: str) -> None:
        """See Store."""
        self._do(lambda: self._inner.unmark(window, mark))
        self.log.unmarked(window, mark)

    def marks(self, window: str, seconds: float) -> list[float]:
        """See Store."""
        return self._do(lambda: self._inner.marks(window, seconds))

    def lock(self, name: str, owner: str, seconds: float) -> bool:
        """See Store."""
        locked = self._do(lambda: self._inner.lock(name, owner, seconds))
        if locked:
            self._held[name] = owner, seconds
        return locked

    def unlock(self, name: str, owner: str) -> None:
        """See Store."""
        self._held.pop(name, None)
        self._do(lambda: self._inner.unlock(name, owner))

    def owner(self, name: str) -> str | None:
        """See Store."""
        return self._do(lambda: self._inner.owner(name))

    def claim(self, counter: str, first: int, size: int) -> int:
        """See Store."""
        return self._do(lambda: self._inner.claim(counter, first, size))

    def put(self, key: str, value: str) -> None:
        """See Store."""
        self._do(lambda: self._inner.put(key, value))
        if key == BLOCKED_UNTIL:
            self.log.blocked(_number(value) - self._inner.now())
        elif not key.startswith(KINDS):  # a store that is lost costs kinds that are tried again, and nothing else
            self.log.put(key, value)

    def drop(self, *keys: str) -> None:
        """See Store."""
        self._do(lambda: self._inner.drop(*keys))
        self.log.dropped(key for key in keys if not key.startswith(KINDS))

    def records(self, prefix: str) -> Mapping[str, str]:
        """See Store."""
        return self._do(lambda: self._inner.records(prefix))

    def bucket(self, name: str, limit: int, milliseconds: int) -> AbstractBucket:
        """See Store."""
        return self._do(lambda: self._inner.bucket(name, limit, milliseconds))

    def close(self) -> None:
        """See Store."""
        self._inner.close()
        self.log.close()


def _number(text: Any) -> float:
    """A number that was written down; 0 where it is none."""
    with suppress(TypeError, ValueError):
        return float(text)
    return 0.0


def key_of(target: Target) -> str:
    """What tells the stores of integrators apart. Koncili blocks integrators, by whatever URL they come."""
    return sha256(str(target.integrator).encode()).hexdigest()[:16]


def earlier_key_of(target: Target) -> str:
    """The same in earlier versions, which had a store for each URL."""
    return sha256(f"{target.base_url} {target.integrator}".encode()).hexdigest()[:16]


def _state() -> Path:
    from platformdirs import user_state_path

    return user_state_path("koncili-conformance")


def store_path(target: Target) -> Path:
    """The file that a target's runs share, where they share one."""
    if target.coordination.startswith("sqlite:"):
        return Path(target.coordination.removeprefix("sqlite:")).expanduser()
    return _state() / f"{key_of(target)}.sqlite"


def log_paths(target: Target) -> tuple[Path, ...]:
    """The directories in which is kept what losing the store must not forget: the user's state directory must take it, the cache
    directory had better, since both are seldom lost together."""
    from platformdirs import user_cache_path

    return tuple(place / "usage" / key_of(target) for place in (_state(), user_cache_path("koncili-conformance")))


def open_store(target: Target) -> LoggedStore:
    """The store that the target file names. Raises CannotRun where it can't be had."""
    log = UsageLog(*log_paths(target))
    known = log.read()
    inner = _opened(target, known)
    try:
        return LoggedStore(
            inner, log, target.error_budget, known=known, ours=not target.coordination.startswith("redis")
        )
    except BaseException:
        inner.close()
        log.close()
        raise


def _opened(target: Target, known: Known) -> Store:
    if target.coordination.startswith("redis"):
        from conformance.target.shared.store_redis import RedisStore

        return RedisStore(target.coordination, key_of(target), known.seen)
    from conformance.target.shared.store_sqlite import SQLiteStore

    if target.coordination.startswith("sqlite:"):  # perhaps not this integrator's alone
        return SQLiteStore(store_path(target), f"{key_of(target)}_")
    store = SQLiteStore(store_path(target))
    try:
        _adopt(store, target)
    except BaseException:
        store.close()
        raise
    return store


def _adopt(store: Any, target: Target) -> None:
    """Take over the store of an earlier version, which was this URL's alone."""
    keys = store.adopt(_state() / f"{earlier_key_of(target)}.sqlite")
    for run in dict.fromkeys(key.split("/", 2)[1] for key in keys if key.startswith(("run/", "order/", "opened/"))):
        store.put(f"{ORIGIN}{run}", target.base_url)
