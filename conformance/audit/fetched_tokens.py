"""Whether access tokens are fetched that nobody needs.

What a token was used for shows only afterwards, where several workers of an integration have one each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from conformance.audit.call import Call
from conformance.audit.findings import Findings
from conformance.audit.masks import is_masked
from conformance.audit.tokens_given import TokensGiven
from conformance.contract.endpoints import CREDENTIALS_FIELD, Endpoint
from conformance.contract.readings import TOKEN_LIFETIME_SECONDS

TOKENS: Final = "CLI-08"

SHORTER_LIFE: Final = timedelta(seconds=min(TOKEN_LIFETIME_SECONDS.values()))
_YOUNG: Final = SHORTER_LIFE * 3 / 4
"""A token that is older is near its end, and may be replaced; one that is renewed of itself may be at half its life."""
FEW_CALLS: Final = 5
"""A token that was used for no more calls, and lived, was fetched for them."""
MANY: Final = 5
"""So many needless ones are no restart any more, and no job whose steps are processes of their own."""
MANY_OF_ONE_CALL: Final = 3
"""The same, where each served one call at most."""
_DENSE: Final = timedelta(minutes=10)
"""Within so long: a job that a schedule starts is a process of its own, has no token, and logs in."""
_IDLE: Final = timedelta(minutes=4)
"""A token that was not used for so long belongs to a process that has ended: schedules go by five minutes and more."""
MANY_BESIDE: Final = 12
"""Workers that have just started have tokens that were used for few calls so far: so many are none."""

_User = tuple[str, str, str]
"""Who fetches tokens: the file, since each worker of an integration may have one of its own; the base URL; the credentials."""


@dataclass(slots=True)
class _Fetched:
    """A call that gave a token although there was one."""

    call: Call
    old: str
    """The token that there was."""
    used: int
    """For how many calls by then."""
    until: datetime
    """When that one has lived for certain."""
    served: int = 0
    """How many calls in the end."""
    is_told: bool = False


@dataclass(slots=True)
class _Fetching:
    """What a user fetched."""

    last: tuple[Call, str] | None = None
    """The last login, and its token."""
    waiting: deque[_Fetched] = field(default_factory=deque)
    """Of which it is not known yet what the token before was used for."""
    needless: deque[_Fetched] = field(default_factory=lambda: deque(maxlen=MANY))
    """The last ones."""
    beside: list[_Fetched] = field(default_factory=list)
    """Where the token before was used afterwards, but for few calls until the recording ended."""

    def many(self) -> list[_Fetched]:
        """The last ones, where they are as many as no schedule starts processes."""
        for number, most in ((MANY, FEW_CALLS), (MANY_OF_ONE_CALL, 1)):
            last = list(self.needless)[-number:]
            if len(last) == number and all(one.served <= most for one in last) and _are_dense(last):
                return last
        return []


class FetchedTokens:
    """Follows what users fetch, and how often each token was used."""

    def __init__(self, findings: Findings, given: TokensGiven) -> None:
        self._findings, self._given = findings, given
        self._used: dict[str, int] = {}
        """How many calls each token that was given was used for."""
        self._last_used: dict[str, datetime] = {}
        self._is_missed = False
        """Whether a call was made by a token that is none of those given, or was blotted out."""
        self._users: dict[_User, _Fetching] = {}

    def miss(self) -> None:
        """An entry can't be read: it may have used any token, or have been told that it is dead."""
        self._users.clear()

    def use(self, token: str, call: Call) -> None:
        """A token was used for a call."""
        self._used[token] = self._used.get(token, 0) + 1
        if call.started is not None:
            self._last_used[token] = call.started

    def miss_use(self) -> None:
        """A call was made by a token that was not recorded as it was given."""
        self._is_missed = True

    def log_in(self, call: Call, token: str, dead: Container[str]) -> None:
        """A login that gave a token. `dead`: tokens that were refused."""
        user = self._users.setdefault(_user_of(call), _Fetching())
        before, user.last = user.last, (call, token)
        self._take(user, call, token, before, dead, _YOUNG)

    def renew(self, call: Call, token: str, before: tuple[Call, str] | None, dead: Container[str]) -> None:
        """A renewal that gave a token in place of the one before."""
        if before is not None:
            for user in self._users.values():
                if user.last is not None and user.last[1] == before[1]:
                    user.last = call, token
        base = (call.origin.file, call.base, "renewed")
        self._take(self._users.setdefault(base, _Fetching()), call, token, before, dead, SHORTER_LIFE / 2)

    def finish(self) -> None:
        """Judge what the end of the recording decides."""
        for user in self._users.values():
            while user.waiting:
                self._judge(user, user.waiting.popleft(), is_over=False)
            for one in user.beside:
                if len(user.beside) >= MANY_BESIDE:
                    self._breaks(one)
                else:
                    self._findings.keeps(TOKENS, one.call)
        self._users.clear()

    def _take(
        self,
        user: _Fetching,
        call: Call,
        token: str,
        before: tuple[Call, str] | None,
        dead: Container[str],
        young: timedelta,
    ) -> None:
        now = call.started
        while user.waiting and now is not None and user.waiting[0].until <= now:
            self._judge(user, user.waiting.popleft(), is_over=True)
        given = before[0].started if before is not None else None
        if (
            before is None
            or now is None
            or given is None
            or now - given >= young
            or now - self._last_used.get(before[1], given) >= _IDLE
            or before[1] == token
            or before[1] in dead
        ):
            self._findings.keeps(TOKENS, call)
            return
        user.waiting.append(_Fetched(call, before[1], self._used.get(before[1], 0), given + SHORTER_LIFE))

    def _judge(self, user: _Fetching, one: _Fetched, *, is_over: bool) -> None:
        used = self._used.get(one.old, 0)
        is_blotted = len(self._given.access.get(one.old, ())) > 1 or (not used and self._is_missed)
        if used > FEW_CALLS or is_blotted:
            self._findings.keeps(TOKENS, one.call)
        elif used > one.used and not is_over:
            user.beside.append(one)
        else:
            one.served = used
            user.needless.append(one)
            for needless in user.many():
                if not needless.is_told:
                    self._breaks(needless)
                    needless.is_told = True

    def _breaks(self, one: _Fetched) -> None:
        if one.call.endpoint is Endpoint.CREATE_TOKEN:
            says = f"a token was fetched although the one before it lived and had served no more than {FEW_CALLS} calls"
        else:
            says = f"a token was renewed although it lived and had served no more than {FEW_CALLS} calls"
        self._findings.breaks(TOKENS, one.call, says, cause="fetched")


def _are_dense(fetched: list[_Fetched]) -> bool:
    first, last = fetched[0].call.started, fetched[-1].call.started
    return first is None or last is None or last - first <= _DENSE


def _user_of(call: Call) -> _User:
    value = call.body.get(CREDENTIALS_FIELD)
    return call.origin.file, call.base, value if isinstance(value, str) and not is_masked(value) else ""
