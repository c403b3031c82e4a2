"""Documented rates and the budget of client errors: nothing reaches a live endpoint except through here.

Both are kept in the store that the runs of an integrator share, so that they hold across runs, processes and machines. A
request may fail: it reserves its client error before it is sent and gives it back when the answer is none, so that whatever
happens to a process in between, no error goes uncounted. (P: rate limit, blacklist)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

from conformance.contract.endpoints import Endpoint
from conformance.contract.limits import BLOCK_SECONDS, HOUR_SECONDS, MINUTE_SECONDS, PER_MINUTE
from conformance.errors import CannotRun, StoreLost
from conformance.target.shared.budget_status import BudgetStatus, doubt_words
from conformance.target.shared.store_base import BLOCKED_UNTIL, ERRORS, MARGIN_SECONDS, by_wall_clock
from conformance.target.waiting import Wait, Waiting

if TYPE_CHECKING:
    from pyrate_limiter import AbstractBucket

    from conformance.target.shared.store_base import Store

LOWEST_PER_MINUTE: Final = min(PER_MINUTE.values())
"""What any endpoint without a documented rate is held to, in requests a minute."""

WINDOW_SECONDS: Final = HOUR_SECONDS + MARGIN_SECONDS

LONGEST_BLOCK_SECONDS: Final = 24 * 3600.0
"""No answer and nothing in the store keeps runs waiting for longer: by then somebody will want to see for themselves."""

KEPT_BACK: Final = 8
"""Client errors that only clearing away may spend: what a run leaves must not wait for the next hour."""

CLIENT_ERROR, SERVER_ERROR = 400, 500


class Budget(Protocol):
    """What every request passes before it is sent, and every answer after."""

    def before(self, endpoint: Endpoint | None) -> str:
        """Wait until the request may be sent; returns its reservation. Raises WaitTooLong, CannotRun."""

    def after(self, reservation: str, status: int | None) -> None:
        """Take note of an answer's status, or of None for a request that was never sent."""

    def blocked(self, seconds: float = BLOCK_SECONDS) -> datetime:
        """Take note that the integrator is blocked for so long; returns until when."""

    def clearing_away(self) -> AbstractContextManager[None]:
        """A context manager: requests in it may also spend what is kept back."""

    def check_block(self) -> None:
        """Raises CannotRun while the integrator is blocked."""

    def wait_only_if(self, is_worth_it: Callable[[], None]) -> None:
        """Before client errors that leave the hour are waited for, and every second then, ask whether that is worth it: what
        raises WaitTooLong where it is not."""

    def status(self) -> BudgetStatus | None:
        """Where it stands; None where nothing is counted."""

    def close(self) -> None:
        """Let go of the store."""


class NoLimits:
    """For the mock, in process or on a socket, which locks nobody out."""

    def before(self, endpoint: Endpoint | None) -> str:
        """Wait for nothing."""
        del endpoint
        return ""

    def after(self, reservation: str, status: int | None) -> None:
        """Count nothing."""

    def blocked(self, seconds: float = BLOCK_SECONDS) -> datetime:
        """Until when a block would last."""
        return datetime.now(UTC) + timedelta(seconds=seconds)

    def clearing_away(self) -> AbstractContextManager[None]:
        """Nothing is kept back."""
        return nullcontext()

    def check_block(self) -> None:
        """Nobody is blocked."""

    def wait_only_if(self, is_worth_it: Callable[[], None]) -> None:
        """Nothing is waited for."""

    def status(self) -> None:
        """Nothing is counted."""

    def close(self) -> None:
        """Hold nothing."""


class DocumentedLimits:
    """Keeps the documented rates and the budget of 4xx answers in a rolling hour, for all who share the store."""

    def __init__(
        self,
        store: Store,
        error_budget: int,
        waiting: Waiting,
        *,
        paced: bool = True,
        record: str | None = None,
    ) -> None:
        """Without `paced` only the budget is kept. `record` is that of the run, which must be in the store for every request.
        Raises CannotRun where the store can't be used."""
        self._store = store
        self._error_budget = error_budget
        self._waiting = waiting
        self._paced = paced
        self._record = record
        self._kept_back = min(KEPT_BACK, error_budget - 1)
        self._is_worth_waiting: Callable[[], None] = lambda: None
        self._clearing_away = False
        self._rates_of: StoreLost | None = None
        """The loss after which the rates were opened."""
        self._rates = self._open_rates()

    def _open_rates(self) -> dict[Endpoint | None, AbstractBucket]:
        milliseconds = round((MINUTE_SECONDS + MARGIN_SECONDS) * 1000)
        self._rates_of = self._store.lost
        return {
            endpoint: self._store.bucket(
                endpoint.name.lower() if endpoint else "other", rate_of(endpoint), milliseconds
            )
            for endpoint in ((*Endpoint, None) if self._paced else ())
        }

    def before(self, endpoint: Endpoint | None) -> str:
        """Reserve a client error, then wait until the documented rate lets the request pass; returns the reservation.

        Raises WaitTooLong where that takes longer than the user wants to wait, CannotRun during a block, StoreLost where the
        store is another one, unless this is to clear away.
        """
        self._waiting.meanwhile()
        self._check()
        reservation = uuid4().hex
        wait: Wait | None = None
        while (left := self._reserve(reservation)) is not None:
            wait = wait or self._waiting.begin(
                f"the budget of client errors: {self._error_budget - self._kept_back} an hour are spent"
                f"{doubt_words(self._store.doubted())}, {self._kept_back} more are kept for clearing away (at 500 Koncili blocks "
                "the integrator)"
            )
            self._is_worth_waiting()
            wait.on(left, self._is_worth_waiting)
            self._check()
        try:
            self._keep_pace(endpoint)
        except BaseException:
            self._store.unmark(ERRORS, reservation)
            raise
        return reservation

    def _check(self) -> None:
        """Raises CannotRun where nothing may be sent."""
        self.check_block()
        if self._store.lost is not None and not self._clearing_away:
            raise self._store.lost

    def _reserve(self, reservation: str) -> float | None:
        """Reserve a client error: None; else the seconds until there is one."""
        at_most = self._error_budget - self._kept_back
        try:
            return self._store.mark(ERRORS, reservation, at_most=at_most, seconds=WINDOW_SECONDS, record=self._record)
        except StoreLost:
            if not self._clearing_away or self._store.lost is None:
                raise
        return self._store.mark(ERRORS, reservation, at_most=at_most, seconds=WINDOW_SECONDS, record=self._record)

    def _keep_pace(self, endpoint: Endpoint | None) -> None:
        from pyrate_limiter import RateItem

        if not self._paced:
            return
        if self._rates_of is not self._store.lost:
            self.close()
            self._rates = self._open_rates()
        bucket = self._rates[endpoint]
        label = endpoint.label if endpoint else "undocumented paths"
        wait = self._waiting.begin(f"the documented rate of {label}, {rate_of(endpoint)} a minute")
        while True:
            item = RateItem("request", _sync(bucket.now()))
            bucket.leak(item.timestamp)
            if bucket.put(item):
                return
            milliseconds = _sync(bucket.waiting(item))
            wait.on(max(1, milliseconds) / 1000)
            self._check()

    def check_block(self) -> None:
        """Raises CannotRun while the integrator is blocked."""
        until = self._blocked_until()
        if until is not None:
            raise CannotRun(blocked_message(by_wall_clock(self._store, until)))

    def _blocked_until(self) -> float | None:
        """The instant at which the block ends; None where there is none. What can't be read is taken for a block that was noted
        now, and what is too far off for the longest."""
        text = self._store.records(BLOCKED_UNTIL).get(BLOCKED_UNTIL)
        if text is None:
            return None
        now = self._store.now()
        try:
            until = float(text)
        except ValueError:
            until = math.nan
        mended = now + BLOCK_SECONDS if math.isnan(until) else min(until, now + LONGEST_BLOCK_SECONDS)
        if mended != until:
            self._store.put(BLOCKED_UNTIL, str(mended))
        return mended if mended > now else None

    def after(self, reservation: str, status: int | None) -> None:
        """A client error counts from now on; any other answer gives the reserved error back, as does a request that was
        never sent."""
        if status is not None and CLIENT_ERROR <= status < SERVER_ERROR:
            self._store.renew(ERRORS, reservation)
        else:
            self._store.unmark(ERRORS, reservation)

    def blocked(self, seconds: float = BLOCK_SECONDS) -> datetime:
        """Let nobody who shares the store send anything for so long, at least the documented hour and at most a day; returns
        until when."""
        if not seconds >= BLOCK_SECONDS:  # also where it is no number
            seconds = BLOCK_SECONDS
        until = max(self._store.now() + min(seconds, LONGEST_BLOCK_SECONDS), self._blocked_until() or 0.0)
        self._store.put(BLOCKED_UNTIL, str(until))
        return by_wall_clock(self._store, until)

    @contextmanager
    def clearing_away(self) -> Iterator[None]:
        """Requests in here may also spend what is kept back."""
        before = self._kept_back, self._clearing_away
        self._kept_back, self._clearing_away = 0, True
        try:
            yield
        finally:
            self._kept_back, self._clearing_away = before

    def wait_only_if(self, is_worth_it: Callable[[], None]) -> None:
        """Ask this before waiting for the budget."""
        self._is_worth_waiting = is_worth_it

    def status(self) -> BudgetStatus:
        """Where the budget stands now."""
        instants, now = self._store.marks(ERRORS, WINDOW_SECONDS), self._store.now()
        budget = self._error_budget - self._kept_back
        frees = tuple(max(0.0, one + WINDOW_SECONDS - now) for one in instants)
        return BudgetStatus(budget, len(instants), frees, self._store.doubted())

    def close(self) -> None:
        """Let go of the rates; the store is its opener's."""
        for bucket in self._rates.values():
            bucket.close()


def _sync(milliseconds: object) -> int:
    """What a bucket says that is not asynchronous."""
    assert isinstance(milliseconds, int)
    return milliseconds


def rate_of(endpoint: Endpoint | None) -> int:
    """Requests a minute that the endpoint may get."""
    return PER_MINUTE.get(endpoint, LOWEST_PER_MINUTE) if endpoint else LOWEST_PER_MINUTE


def blocked_message(until: datetime) -> str:
    """What to say of an integrator that is blocked."""
    return (
        f"Koncili has blocked this integrator (423) until {until:%Y-%m-%d %H:%M} UTC: nothing is sent before that, since "
        "1,000 calls during the block make it permanent; run again then"
    )
