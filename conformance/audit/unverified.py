"""Releases of orders that nobody seems to have asked for, until it is known whether another recorder's clock hides the query."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from conformance.audit.call import Call, Came, OrderKey
from conformance.audit.findings import Findings
from conformance.audit.states import CLOCKS, Order, is_close

VERIFIED: Final = "CLI-01"

OTHER_CLOCK: Final = "the query is in another recording, and which came first hangs on two clocks"


class Unverified:
    """Holds them back for as long as clocks may differ."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._held: dict[int, tuple[Call, str]] = {}
        """By the numbers of the calls, and so in their sequence."""
        self._of: dict[OrderKey, list[int]] = {}

    def release(self, call: Call, order: Order) -> None:
        """A release of an order that was sent, and of which no query is known since then."""
        if order.sent is None or call.key is None:
            return
        if is_close(order.changed_at, order.found_at) and order.found_in != order.sent.file:
            self._findings.cannot_tell(VERIFIED, OTHER_CLOCK)
            return
        code, entry = call.body.get("marketplaceCode"), order.sent.entry
        says = f"no query has found order {code} since it was sent, at entry {entry}"
        if call.started is None or call.came is not Came.ACCEPTED:
            self._tell(call, says)
            return
        self._catch_up(call.started)
        self._held[call.number] = call, says
        self._of.setdefault(call.key, []).append(call.number)

    def query(self, call: Call) -> None:
        """A query: whether it found one of these orders, by another clock in time."""
        if not self._held or call.started is None:
            return
        self._catch_up(call.started)
        if call.came is not Came.ACCEPTED or call.key is None:
            return
        for number in list(self._of.get(call.key, ())):
            if self._held[number][0].origin.file != call.origin.file:
                self._let_go(number)
                self._findings.cannot_tell(VERIFIED, OTHER_CLOCK)

    def finish(self) -> None:
        """Tell of all that are left."""
        for number in list(self._held):
            self._tell(*self._let_go(number))

    def _catch_up(self, until: datetime) -> None:
        """Tell of those for which no query can come any more."""
        while self._held:
            number, (call, _) = next(iter(self._held.items()))
            if call.started is not None and until - call.started <= CLOCKS:
                return
            self._tell(*self._let_go(number))

    def _let_go(self, number: int) -> tuple[Call, str]:
        call, says = self._held.pop(number)
        if call.key is not None:
            left = [one for one in self._of.pop(call.key) if one != number]
            if left:
                self._of[call.key] = left
        return call, says

    def _tell(self, call: Call, says: str) -> None:
        code = call.body.get("marketplaceCode")
        self._findings.breaks(VERIFIED, call, says, pointer="/marketplaceCode", value=code)
