"""Documented rates and the budget of client errors: nothing reaches a live endpoint except through here.

Both live in an SQLite file in the user's state directory, keyed by base URL and integrator, so that they hold across
runs and processes. (P: rate limit, blacklist)
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from conformance.contract.endpoints import Endpoint
from conformance.contract.limits import PER_MINUTE
from conformance.errors import BudgetSpent
from conformance.target.config import Target
from conformance.target.standing import Standing

if TYPE_CHECKING:
    from pyrate_limiter import Limiter, SQLiteBucket

LOWEST_PER_MINUTE: Final = min(PER_MINUTE.values())
"""What any endpoint without a documented rate is held to, in requests a minute."""

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000

UNCOUNTABLE: Final = 10**9
"""The bucket of client errors takes every one; whether the budget is spent is asked before a request."""


class Budget(Protocol):
    """What every request passes before it is sent, and every answer after."""

    def before(self, endpoint: Endpoint | None) -> None:
        """Wait until the request may be sent. Raises BudgetSpent where no client error is left in this hour."""

    def after(self, status: int) -> None:
        """Take note of an answer's status."""

    def close(self) -> None:
        """Let go of the store."""


class NoLimits:
    """For the mock, in process or on a socket, which locks nobody out."""

    def before(self, endpoint: Endpoint | None) -> None:
        """Wait for nothing."""

    def after(self, status: int) -> None:
        """Count nothing."""

    def close(self) -> None:
        """Hold nothing."""


class DocumentedLimits:
    """Keeps the documented rates and the budget of 4xx answers in a rolling hour, across runs and processes."""

    def __init__(self, store: Path, error_budget: int, *, paced: bool = True) -> None:
        """`store` is the SQLite file; it is made where it is missing. Without `paced` only the budget is kept.

        Raises OSError where the store can't be made.
        """
        self._paced = paced
        store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._error_budget = error_budget
        try:
            self._open(store)
        except sqlite3.Error as error:
            raise OSError(f"{store}: {error}") from error

    def _open(self, store: Path) -> None:
        self._rates: dict[Endpoint | None, Limiter] = {
            endpoint: _limiter(store, f"rate_{endpoint.name.lower()}", limit) for endpoint, limit in PER_MINUTE.items()
        }
        self._rates[None] = _limiter(store, "rate_other", LOWEST_PER_MINUTE)
        self._errors = _bucket(store, "client_errors", UNCOUNTABLE, HOUR_MS)

    def before(self, endpoint: Endpoint | None) -> None:
        """Wait until the documented rate lets the request pass. Raises BudgetSpent."""
        if self.errors_spent() >= self._error_budget:
            raise BudgetSpent(
                f"{self._error_budget} client errors within the last hour: nothing more is sent, since at 500 Koncili "
                "blocks the integrator; run again in an hour"
            )
        if self._paced:
            limiter = self._rates.get(endpoint) or self._rates[None]
            limiter.try_acquire("request", blocking=True)

    def after(self, status: int) -> None:
        """Count a 4xx answer against the budget."""
        if 400 <= status < 500:  # noqa: PLR2004 - the class of client errors
            from pyrate_limiter import RateItem

            self._errors.put(RateItem("client-error", self._errors.now()))

    def errors_spent(self) -> int:
        """The 4xx answers of the last hour, of all runs that share the store."""
        self._errors.leak(self._errors.now())
        return int(self._errors.count())

    def standing(self) -> Standing:
        """How the budget stands, for all runs that share the store."""
        spent, now = self.errors_spent(), self._errors.now()
        seen = (self._errors.peek(place) for place in range(spent))
        # An error still counts at the end of its hour: it leaves a millisecond later.
        frees = sorted((item.timestamp + HOUR_MS + 1 - now) / 1000 for item in seen if item is not None)
        return Standing(self._error_budget, len(frees), tuple(frees))

    def close(self) -> None:
        """Close the store."""
        for limiter in self._rates.values():
            limiter.close()
        self._errors.close()


def _bucket(store: Path, table: str, limit: int, interval_ms: int) -> SQLiteBucket:
    from pyrate_limiter import Rate, SQLiteBucket

    return SQLiteBucket.init_from_file([Rate(limit, interval_ms)], table=table, db_path=str(store), use_file_lock=True)


def _limiter(store: Path, table: str, limit: int) -> Limiter:
    from pyrate_limiter import Limiter

    return Limiter(_bucket(store, table, limit, MINUTE_MS))


def store_path(target: Target) -> Path:
    """Where the target's budget is kept between runs."""
    if target.coordination.startswith("sqlite:"):
        return Path(target.coordination.removeprefix("sqlite:")).expanduser()
    from platformdirs import user_state_path

    key = sha256(f"{target.base_url} {target.integrator}".encode()).hexdigest()[:16]
    return user_state_path("koncili-conformance") / f"{key}.sqlite"


def budget_for(target: Target) -> Budget:
    """The budget that a target demands. Loopback may lead to a live endpoint: only a mock goes without a budget."""
    paced = target.pace == "documented"
    if target.environment == "mock" and not paced:
        return NoLimits()
    return DocumentedLimits(store_path(target), target.error_budget, paced=paced)
