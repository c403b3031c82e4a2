"""The mock's rates and blocks, kept on its clock: what a careless client of the real Koncili would meet."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.limits import (
    BLOCK_SECONDS,
    CALLS_WHILE_BLOCKED,
    ERRORS_AN_HOUR,
    HOUR_SECONDS,
    MINUTE_SECONDS,
    PER_MINUTE,
)
from conformance.mock.clock import VirtualClock
from conformance.mock.quirks import Answer

TOO_MANY: Final = 429
BLOCKED: Final = 423

BLOCKED_TEMPORARY: Final = "BLOCKED_TEMPORARY"
"""The type of the notification that a block deserves (P: async notifications)."""

_MINUTE = timedelta(seconds=MINUTE_SECONDS)
_HOUR = timedelta(seconds=HOUR_SECONDS)


class Limits:
    """Counts the calls and client errors of the one integrator there is. Enforces nothing until switched on.

    Not for several threads at once: the mock handles one request at a time.
    """

    def __init__(
        self,
        clock: VirtualClock,
        *,
        rates: Mapping[Endpoint, int] = PER_MINUTE,
        errors_an_hour: int = ERRORS_AN_HOUR,
        block_seconds: float = BLOCK_SECONDS,
        calls_while_blocked: int = CALLS_WHILE_BLOCKED,
    ) -> None:
        """The thresholds are as documented; a defective mock has others. `rates` are calls a minute.

        Raises ValueError where a rate or `errors_an_hour` is below 1.
        """
        if min((errors_an_hour, *rates.values())) < 1:
            raise ValueError("a limit lets at least one pass")
        self._clock = clock
        self._rates = dict(rates)
        self._errors_an_hour = errors_an_hour
        self._block = timedelta(seconds=block_seconds)
        self._calls_while_blocked = calls_while_blocked
        self.enforce(on=False)

    def enforce(self, on: bool) -> None:  # noqa: FBT001 - the one thing there is to say
        """Switch the limits on or off; either way every count and block is forgotten."""
        self.enforced = on
        # Of calls and errors only the last so many matter: the oldest of them tells whether all lie within the window.
        self._passed: dict[Endpoint, deque[datetime]] = {
            endpoint: deque(maxlen=rate) for endpoint, rate in self._rates.items()
        }
        self._errors: deque[datetime] = deque(maxlen=self._errors_an_hour)
        self._blocked_until: datetime | None = None
        self._calls_during_block = 0
        self._blocked_for_good = False
        self._just_blocked_for_good = False

    def before(self, endpoint: Endpoint | None) -> Answer | None:
        """The answer that refuses a request because of a limit, or None where it may pass."""
        if not self.enforced:
            return None
        now = self._clock.now()
        if self._blocked(now):
            return self._refuse_blocked()
        return self._refuse_above_rate(endpoint, now)

    def after(self, status: int) -> str | None:
        """Count an answer. Gives the type of the notification to send where it gets the integrator blocked."""
        if not self.enforced or status == BLOCKED or not 400 <= status < 500:  # noqa: PLR2004 - the class of client errors
            return None
        now = self._clock.now()
        if self._blocked(now):
            return None
        self._errors.append(now)
        if len(self._errors) < self._errors_an_hour or now - self._errors[0] >= _HOUR:
            return None
        self._errors.clear()
        self._calls_during_block = 0
        self._blocked_until = now + self._block
        return BLOCKED_TEMPORARY

    def just_blocked_for_good(self) -> bool:
        """Whether the integrator has been blocked for good since this was last asked: True once."""
        just, self._just_blocked_for_good = self._just_blocked_for_good, False
        return just

    def _blocked(self, now: datetime) -> bool:
        return self._blocked_for_good or (self._blocked_until is not None and now < self._blocked_until)

    def _refuse_blocked(self) -> Answer:
        if not self._blocked_for_good:
            self._calls_during_block += 1
            if self._calls_during_block >= self._calls_while_blocked:
                self._blocked_for_good = self._just_blocked_for_good = True
        if self._blocked_for_good or self._blocked_until is None:
            return _refusal(BLOCKED, "The integrator is blocked for good; only Koncili's support lifts the block")
        until = self._blocked_until.isoformat(timespec="seconds")
        return _refusal(BLOCKED, f"The integrator is blocked until {until} for too many client errors")

    def _refuse_above_rate(self, endpoint: Endpoint | None, now: datetime) -> Answer | None:
        passed = self._passed.get(endpoint) if endpoint else None
        if endpoint is None or passed is None:
            return None
        if len(passed) == passed.maxlen and now - passed[0] < _MINUTE:
            seconds = ceil((_MINUTE - (now - passed[0])).total_seconds())
            message = f"More than {passed.maxlen} calls a minute of {endpoint.label}; try again in {seconds} s"
            return _refusal(TOO_MANY, message, {"Retry-After": str(seconds)})
        passed.append(now)
        return None


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = {"errorMessage": message, "errorCode": f"{status}-0", "errorSource": None}
    return Answer(status, body, MappingProxyType(dict(headers or {})))
