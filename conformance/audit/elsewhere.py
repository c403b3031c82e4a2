"""Changes and queries that another recording holds too, by a clock of its own: they were made once.

What was sent, the token that it carried and how it was answered show that it is the same; and that the other holds it as often.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Final
from zlib import crc32

from conformance.audit.call import Call, Came
from conformance.audit.states import CLOCKS
from conformance.contract.endpoints import Endpoint
from conformance.traffic.exchange import Missing

HELD_ELSEWHERE: Final = "another recording holds the same at about that time: it was recorded twice, or sent again"

_HELD: Final = frozenset(
    {Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER, Endpoint.CREATE_RECONCILIATION}
)
"""Of releases, and of creations that were taken, their ids tell."""

_Same = tuple[str, int, str | None, int | None, int]


class Elsewhere:
    """Remembers them for as long as clocks may differ."""

    def __init__(self) -> None:
        self._times: dict[_Same, dict[str, int]] = {}
        """How often each recording holds the same."""
        self._of_late: deque[tuple[datetime, _Same, str]] = deque()

    def holds(self, call: Call) -> bool:
        """Whether another recording holds the call at what may be the same time."""
        if call.endpoint not in _HELD or call.started is None:
            return False
        body = call.exchange.request.body
        if isinstance(body, Missing) or (
            call.endpoint is Endpoint.CREATE_RECONCILIATION and call.came is Came.ACCEPTED
        ):
            return False
        self._forget(call.started)
        shown = call.answer.body if call.answer is not None and call.endpoint is Endpoint.GET_ORDER else b""
        told = 0 if isinstance(shown, Missing) else crc32(shown)
        same = call.method + call.url, crc32(body), call.token, call.status, told
        times = self._times.setdefault(same, {})
        file = call.origin.file
        times[file] = own = times.get(file, 0) + 1
        self._of_late.append((call.started, same, file))
        return any(number >= own for other, number in times.items() if other != file)

    def _forget(self, now: datetime) -> None:
        while self._of_late and now - self._of_late[0][0] > CLOCKS:
            _, same, file = self._of_late.popleft()
            times = self._times[same]
            times[file] -= 1
            if not times[file]:
                del times[file]
            if not times:
                del self._times[same]
