"""Whether all that the target had is gone at once, as where somebody resets a sandbox in the middle of a run: told by orders that
nobody touches.

A server that loses data must not hide behind that. So one of several that is still there is enough to blame it; the scenario in
which it was seen is run anew, with new witnesses, and what it finds then stands; it happens once in a run; and what was sent
since must be there still at the end, or what was found the first time stands after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import JSONValue
from conformance.errors import GoneAway, Wiped
from conformance.run import fillers
from conformance.target.shared.ledger import OrderId
from conformance.target.shared.lenient import Place
from conformance.target.wire.exchange import Exchange

SEEN_AT_MOST: Final = 3
"""So often it is asked whether the first witnesses are shown: each that is not yet costs a client error."""

NOT_FOUND: Final = 404


class Call(Protocol):
    """Sends a call. Raises TargetUnavailable and CannotRun."""

    def __call__(
        self, endpoint: Endpoint, *, query: dict[str, str] | None = None, body: JSONValue = None
    ) -> Exchange: ...


@dataclass(slots=True)
class Witnesses:
    """Two orders of the run, at the first place of the target and at the last, which nobody touches."""

    call: Call
    places: Sequence[Place]
    new_code: Callable[[], str]
    spare: Callable[[OrderId], None] = lambda _: None
    """Has an order left alone when a scenario is cleared away."""
    as_text: bool = False
    """Whether the target takes accountId as text only."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    orders: list[OrderId] = field(default_factory=list)
    seen: datetime | None = None
    """When all of them were shown last; None where they never were."""
    wiped: datetime | None = None
    """When all of them were gone, for the first time in the run."""
    _asked: int = 0

    def stand(self) -> bool:
        """Send them; whether the target takes them."""
        self.orders, self.seen, self._asked = [], None, 0
        for place in (self.places[0], self.places[-1]):
            order = OrderId(int(str(place.account)), place.channel, self.new_code())
            written = Place(str(order.account) if self.as_text else order.account, place.channel)
            if not self.call(Endpoint.SUBMIT_ORDER, body=fillers.order(written, order.code, 1)).is_accepted:
                return False
            self.spare(order)
            self.orders.append(order)
        return True

    def look(self) -> None:
        """See that they are shown, where that is not known yet: who was never shown bears witness of nothing."""
        if self.seen is not None or not self.orders or self._asked == SEEN_AT_MOST:
            return
        self._asked += 1
        if all(self._ask(order).is_accepted for order in self.orders):
            self.seen = self.now()

    def are_gone(self) -> bool:
        """Whether all of them are gone that were shown before."""
        if self.seen is None:
            return False
        for order in self.orders:
            if self._ask(order).status != NOT_FOUND:
                self.seen = self.now()
                return False
        return True

    @property
    def may_be_wiped(self) -> bool:
        """Whether all of them are gone, for the first time in the run: nobody resets a sandbox twice while a run lasts."""
        return self.wiped is None and self.are_gone()

    def renew(self) -> Wiped:
        """Others stand from now on; what to say of the scenario in which the first were gone. Raises GoneAway where the target
        takes no orders any more."""
        before, self.wiped = self.seen, self.now()
        assert before is not None  # else nobody could say that they are gone
        since, until = f"{before:%H:%M:%S}", f"{self.wiped:%H:%M:%S}"
        if not self.stand():
            raise GoneAway(
                f"all that this run had at the target was gone at once, between {since} and {until} UTC, and orders on its "
                "accounts are refused since: its data seem to have been wiped; run again when the accounts are there"
            )
        self.look()
        return Wiped(
            f"all that this run had at the target was gone at once, between {since} and {until} UTC: its data seem to have "
            "been wiped; see to it that nobody resets the sandbox while a run lasts, and run again"
        )

    @property
    def are_lost_again(self) -> bool:
        """Whether one of those that were sent since is gone: then nobody has wiped anything, the target loses what it has."""
        return self.seen is not None and any(self._ask(order).status == NOT_FOUND for order in self.orders)

    def _ask(self, order: OrderId) -> Exchange:
        return self.call(Endpoint.GET_ORDER, query=fillers.query(order))
