"""Calls that a recording holds twice, as a gateway got them and as it sent them on: the client made them once."""

from __future__ import annotations

from typing import Final

from conformance.audit.call import Call
from conformance.audit.pace_rules import OVERLAP
from conformance.traffic.exchange import Missing

MOST_HELD: Final = 1_000
"""So many calls are remembered before those are forgotten that are over."""

_Same = tuple[str, str, str, str, bytes, str | None, int | None]


class Legs:
    """Knows a call within another one to another server, the same in all that was sent and in how it was answered."""

    def __init__(self) -> None:
        self._under_way: dict[_Same, list[Call]] = {}

    def holds(self, call: Call) -> bool:
        """Whether the recording holds it already, as it came to a gateway."""
        body = call.exchange.request.body
        if call.endpoint is None or call.started is None or isinstance(body, Missing):
            return False
        query = call.url.partition("?")[2]
        same = call.origin.file, call.method, call.path, query, body, call.token, call.status
        known = self._under_way.get(same)
        if known is not None and any(one.base != call.base and _is_within(call, one) for one in known):
            return True
        if len(self._under_way) >= MOST_HELD:
            self._forget(call)
        self._under_way[same] = [call, *(one for one in known or () if not _is_over(one, call))]
        return False

    def _forget(self, now: Call) -> None:
        self._under_way = {
            same: left
            for same, known in self._under_way.items()
            if (left := [one for one in known if not _is_over(one, now)])
        }


def _is_over(one: Call, now: Call) -> bool:
    return one.may_end is None or now.started is None or one.may_end < now.started


def _is_within(call: Call, outer: Call) -> bool:
    if _is_over(outer, call):
        return False
    if call.ended is None or outer.ended is None or call.exchange.whole_seconds:
        return True
    return call.ended <= outer.ended + OVERLAP
