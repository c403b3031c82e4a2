"""Whether a recorder writes the time of the call, or that of the answer in its place.

Programs that log a call when it is over often write the latter. What was sent when a slow call had been answered seems to have
been sent beside it then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus
from itertools import chain, islice
from typing import Final
from urllib.parse import urlsplit

from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, TOKEN_HEADER, Endpoint
from conformance.traffic.exchange import Exchange, Missing, Response

LOOKED_AT: Final = 2_000
"""So many calls at the beginning of a recording show it."""

HELD_BYTES: Final = 32_000_000
"""No more calls are held at once than have so much in their bodies."""

_APART: Final = timedelta(milliseconds=3)
"""Recorders round."""
_SECOND: Final = timedelta(seconds=1)
_MUCH_MORE: Final = 4
"""So many times as often as its opposite a manner must show: what two workers ask for at once shows either."""

_CODE: Final = re.compile(rb'"marketplaceCode"\s*:\s*"([^"]{1,200})"')
_CODE_ASKED: Final = re.compile(r"[?&]marketplaceCode=([^&#]+)")
_ACCOUNT: Final = re.compile(rb'\baccountId(?:"\s*:\s*"?|=)(\d{1,40})')
_RECONCILIATION: Final = re.compile(rb'"reconciliationId"\s*:\s*"?(\d{1,18})')
_ID: Final = re.compile(rb'"id"\s*:\s*"?(\d{1,18})')
_TOKENS: Final = re.compile(rb'"(?:accessToken|refreshToken)"\s*:\s*"([\w.-]{16,})"')
_REFRESHED: Final = re.compile(rb'"' + REFRESH_TOKEN_FIELD.encode() + rb'"\s*:\s*"([\w.-]{16,})"')

_CHANGES: Final = frozenset({("POST", Endpoint.SUBMIT_ORDER.path), ("DELETE", Endpoint.DELETE_ORDER.path),
                             ("POST", Endpoint.CREATE_RECONCILIATION.path), ("POST", Endpoint.SUBMIT_RELEASE.path)})  # fmt: skip


class Manner(Enum):
    """Whose times a recorder writes."""

    OF_CALLS = "of calls"
    OF_ANSWERS = "of answers"
    UNKNOWN = "unknown"
    """Of calls, as far as the recording shows."""

    __hash__ = object.__hash__


def looked_at(exchanges: Iterable[Exchange]) -> tuple[Manner, Iterator[Exchange]]:
    """Whose times a recorder writes, and the same exchanges."""
    rest = iter(exchanges)
    first, held = list[Exchange](), 0
    for exchange in islice(rest, LOOKED_AT):
        first.append(exchange)
        held += sum(len(body) for body in _bodies(exchange))
        if held > HELD_BYTES:
            break
    return manner_of(first), chain(first, rest)


def _bodies(exchange: Exchange) -> Iterator[bytes]:
    both = exchange.request, exchange.response
    return (one.body for one in both if one and not isinstance(one, Missing) and isinstance(one.body, bytes))


def as_sent(exchanges: Iterator[Exchange], manner: Manner) -> Iterator[Exchange]:
    """Exchanges as they were written, each with the time at which it was sent."""
    match manner:
        case Manner.OF_ANSWERS:
            return map(_moved, exchanges)
        case Manner.UNKNOWN:
            return map(_doubted, exchanges)
        case _:
            return exchanges


def _moved(exchange: Exchange) -> Exchange:
    if isinstance(exchange.started, Missing) or isinstance(exchange.took, Missing):
        return exchange
    try:
        return replace(exchange, started=exchange.started - exchange.took)
    except OverflowError:
        return exchange


def _doubted(exchange: Exchange) -> Exchange:
    """Where a wait begins it matters."""
    is_throttled = isinstance(exchange.response, Response) and exchange.response.status == HTTPStatus.TOO_MANY_REQUESTS
    return replace(exchange, may_be_at_answer=True) if is_throttled and exchange.took else exchange


def manner_of(exchanges: Iterable[Exchange]) -> Manner:
    """Whether what needs an answer that came before seems to have been sent before that was there, and would not if the times
    were those of answers, or the other way round."""
    seen = _Seen()
    timed = [_Timed(one.started, one.took, one) for one in exchanges
             if not isinstance(one.started, Missing) and not isinstance(one.took, Missing)]  # fmt: skip
    if any(one.took > timedelta() for one in timed):
        for call in sorted(timed, key=_by_time):
            seen.take(call)
    if seen.for_answers > _MUCH_MORE * seen.for_calls:
        return Manner.OF_ANSWERS
    return Manner.OF_CALLS if seen.for_calls else Manner.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Timed:
    started: datetime
    took: timedelta
    exchange: Exchange


def _by_time(call: _Timed) -> datetime:
    return call.started


_Value = tuple[str, bytes]
"""A server, and a token or the id of a reconciliation that it has given."""


@dataclass(slots=True)
class _Seen:
    """Pairs of calls of which the second needs the answer to the first: it uses what that gave, or is about the same order."""

    for_answers: int = 0
    for_calls: int = 0
    _given: dict[_Value, _Timed | None] = field(default_factory=dict)
    """None where it was given more than once: what stands there is no token."""
    _orders: dict[_Value, tuple[_Timed, bool]] = field(default_factory=dict)
    """The last call about each order, and whether it is a change."""

    def take(self, call: _Timed) -> None:
        """Look at a call and those that it needs."""
        request = call.exchange.request
        try:
            parts = urlsplit(request.url)
        except ValueError:  # it is no URL
            return
        for used in _used_in(call.exchange):
            if (giver := self._given.get((parts.netloc, used))) is not None:
                self._compare(giver, call)
        path = next((one for one in _PATHS if parts.path.endswith(one)), "")
        code = _CODE_ASKED.search(request.url)
        body = request.body if isinstance(request.body, bytes) else b""
        found = code[1].encode("utf-8", "surrogatepass") if code else _first(_CODE, body)
        if path == Endpoint.CREATE_RECONCILIATION.path:
            found = body
        if found and path:
            is_change = (request.method, path) in _CHANGES
            account = _ACCOUNT.search(request.url.encode("utf-8", "surrogatepass")) or _ACCOUNT.search(body)
            found += b" of " + account[1] if account else b""
            before, was_change = self._orders.get((parts.netloc, found), (None, False))
            at_once = is_change and was_change  # which may be, a fault of its own; what is given up first is sent again
            if before is not None and (not at_once or _is_again(call.exchange, before.exchange)):
                self._compare(before, call)
            self._orders[parts.netloc, found] = call, is_change
        for given in _given_by(call.exchange, path):
            known = (parts.netloc, given)
            self._given[known] = None if known in self._given else call

    def _compare(self, first: _Timed, second: _Timed) -> None:
        rounded = _APART + _SECOND * second.exchange.whole_seconds
        apart = second.started - first.started + rounded
        as_calls, as_answers = apart >= first.took, apart >= second.took
        self.for_answers += as_answers and not as_calls
        self.for_calls += as_calls and not as_answers


def _is_again(call: Exchange, before: Exchange) -> bool:
    """Whether the same is sent again of which the answer was waited for in vain."""
    return before.response is None and (call.request.url, call.request.body) == (
        before.request.url,
        before.request.body,
    )


_PATHS: Final = (Endpoint.SUBMIT_RELEASE.path, Endpoint.CREATE_RECONCILIATION.path, Endpoint.SUBMIT_ORDER.path)
_WITH_TOKENS: Final = (Endpoint.CREATE_TOKEN.path, Endpoint.REFRESH_TOKEN.path)


def _used_in(exchange: Exchange) -> Iterator[bytes]:
    token = exchange.request.header(TOKEN_HEADER)
    if isinstance(token, str):
        yield token.encode("utf-8", "surrogatepass")
    body = exchange.request.body
    if isinstance(body, bytes):
        yield from (one for one in (_first(_RECONCILIATION, body), _first(_REFRESHED, body)) if one)


def _given_by(exchange: Exchange, path: str) -> Iterator[bytes]:
    answer = exchange.response
    body = answer.body if isinstance(answer, Response) and isinstance(answer.body, bytes) else b""
    if path == Endpoint.CREATE_RECONCILIATION.path:
        yield from (one for one in (_first(_ID, body),) if one)
    elif exchange.request.url.partition("?")[0].endswith(_WITH_TOKENS):
        yield from _TOKENS.findall(body)


def _first(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = pattern.search(text)
    return found[1] if found else b""
