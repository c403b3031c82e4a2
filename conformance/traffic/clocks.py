"""Recordings of the same calls whose clocks are apart: a recorder writes local times as if they were UTC, or nobody has set its
clock.

Answers that are given once show that two recordings hold the same call: tokens, and ids of reconciliations. Where all of these
tell the same of two recordings, the times of the one are taken by the clock of the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from conformance.contract.endpoints import TOKEN_HEADER, Endpoint
from conformance.traffic.exchange import Exchange, Missing, Response
from conformance.traffic.files import Source, Tell
from conformance.traffic.manner import LOOKED_AT

MOST_SOURCES: Final = 20
"""Of more recordings none is compared: that many are one log, in a file for each hour."""
_APART: Final = timedelta(seconds=5)
"""Clocks that are less apart are those of machines that somebody sets."""
_ALIKE: Final = timedelta(seconds=5)
_FEWEST: Final = 2
"""So many calls must be the same: what stands in place of one token may be a word that is no token."""

_TOKEN: Final = re.compile(rb'"accessToken"\s*:\s*"([^"]+)"')
_TOKEN_VALUE: Final = re.compile(rb"(?=[\w.-]*\d)[\w.-]{16,}")
_NO_TOKEN: Final = re.compile(rb"(?i)redact|mask|secret|hidden|filter|token|remov|omit|sanit|dummy|xxxx")
"""Is in no token, but in what recorders write in place of them."""
_GIVES: Final = (Endpoint.CREATE_TOKEN.path, Endpoint.REFRESH_TOKEN.path, Endpoint.CREATE_RECONCILIATION.path)

Once = tuple[bytes, bytes]
"""What was sent and what was answered, where that is given once."""


def by_one_clock(
    sources: Sequence[Source], read: Callable[[Source], Iterator[Exchange]], tell_of: Callable[[int], Tell]
) -> list[Source]:
    """The recordings, each with how much its clock is ahead of that of one that was named before and holds the same calls. `read`
    reads a recording; `tell_of` gives each, by its place, somebody to tell by how much it was moved."""
    if not 1 < len(sources) <= MOST_SOURCES:
        return list(sources)
    known: list[tuple[Source, dict[Once, datetime]]] = []
    for place, named in enumerate(sources):
        source, given = named, _given(islice(read(named), LOOKED_AT))
        for other, others in known:
            ahead = _ahead(given, others)
            if ahead is not None:
                tell, seconds = tell_of(place), f"{ahead.total_seconds():+.0f}"
                tell(
                    f"{named.name}: its clock is {seconds} s apart from that of {other.name}; its times are taken by that"
                )
                source = replace(named, ahead=ahead)
                given = {once: time - ahead for once, time in given.items()}
                break
        known.append((source, given))
    return [source for source, _ in known]


def _given(exchanges: Iterator[Exchange]) -> dict[Once, datetime]:
    """When what is given once was asked for."""
    found: dict[Once, datetime | None] = {}
    for exchange in exchanges:
        once = _once(exchange)
        if once is not None and not isinstance(exchange.started, Missing):
            found[once] = None if once in found else exchange.started
    return {once: time for once, time in found.items() if time is not None}


def _once(exchange: Exchange) -> Once | None:
    request, answer = exchange.request, exchange.response
    if not isinstance(answer, Response) or isinstance(answer.body, Missing) or isinstance(request.body, Missing):
        return None
    path = request.url.partition("?")[0]
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - taken
        return None
    if path.endswith(Endpoint.SUBMIT_RELEASE.path):  # no server takes it twice
        used = request.header(TOKEN_HEADER)
        return (request.body, used.encode()) if isinstance(used, str) and _is_token(used.encode()) else None
    if not path.endswith(_GIVES):
        return None
    token = _TOKEN.search(answer.body)
    if token:
        return (b"", token[1]) if _is_token(token[1]) else None
    return request.body, answer.body


def _is_token(value: bytes) -> bool:
    return _TOKEN_VALUE.fullmatch(value) is not None and not _NO_TOKEN.search(value)


def _ahead(given: dict[Once, datetime], others: dict[Once, datetime]) -> timedelta | None:
    """How much the one clock is ahead of the other; None where they agree, or too little is the same to tell."""
    apart = sorted(time - others[once] for once, time in given.items() if once in others)
    tokens = sum(not sent or _is_token(told) for sent, told in given.keys() & others.keys())
    if len(apart) < _FEWEST or not tokens or apart[-1] - apart[0] > _ALIKE:
        return None
    ahead = apart[len(apart) // 2]
    return ahead if abs(ahead) > _APART else None


def moved(exchanges: Iterator[Exchange], source: Source) -> Iterator[Exchange]:
    """The exchanges of a recording by the clock by which its times are taken."""
    return map(_moved_by(source.ahead), exchanges) if source.ahead else exchanges


def _moved_by(ahead: timedelta) -> Callable[[Exchange], Exchange]:
    def by(exchange: Exchange) -> Exchange:
        if isinstance(exchange.started, Missing):
            return exchange
        return replace(exchange, started=earlier(exchange.started, ahead))

    return by


def earlier(time: datetime, ahead: timedelta) -> datetime:
    """So much earlier; a time at the end of all times stays."""
    try:
        return time - ahead
    except OverflowError:
        return time
