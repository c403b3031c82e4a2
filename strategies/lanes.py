"""What two or three workers do at once: lanes of calls, drawn freely from what the state machine does one after the other."""

from __future__ import annotations

from typing import Final, NamedTuple

from hypothesis import strategies as st

from strategies.orders import Order
from strategies.scope import Place, Scope
from strategies.world import small_world, some_orders

MOST_LANES: Final = 3
MOST_IN_A_LANE: Final = 4
MOST_CALLS: Final = 6
"""How many calls all lanes have: with what came before and what is seen afterwards a history of one order can be read."""

VERSIONS: Final = 3

ORDERS: Final = tuple(
    f"{what} {name}" for what in ("send v1 of", "send v2 of", "delete", "ask for") for name in ("A", "B")
)
"""What may be done to two orders; A and B are the same code on two accounts, where there are two."""

ORDERS_BEFORE: Final = ("send v3 of A", "send v3 of B")

RECONCILIATIONS: Final = ("release A", "release B", "open another", "delete B", "ask for B")
"""What may be done while a reconciliation of the orders A and B is open."""

RECONCILIATIONS_BEFORE: Final = ("release A",)


class Lanes(NamedTuple):
    """An example: what is done before, one after the other, and then at once; in words that the engine knows."""

    before: tuple[str, ...]
    lanes: tuple[tuple[str, ...], ...]
    """The calls of each worker: the first ones are sent at once, then the second ones, and so on."""
    bodies: tuple[Order, ...]
    """Versions of an order that nobody takes for each other."""

    @property
    def rounds(self) -> list[list[tuple[int, str]]]:
        """What is sent at once, round by round: lane and call."""
        longest = max(map(len, self.lanes))
        return [
            [(lane, calls[number]) for lane, calls in enumerate(self.lanes) if number < len(calls)]
            for number in range(longest)
        ]


def lanes(scope: Scope, of: tuple[str, ...], before: tuple[str, ...]) -> st.SearchStrategy[Lanes]:
    """Two or three lanes of one to four calls each."""
    lane = st.lists(st.sampled_from(of), min_size=1, max_size=MOST_IN_A_LANE).map(tuple)
    several = st.lists(lane, min_size=2, max_size=MOST_LANES).filter(lambda drawn: sum(map(len, drawn)) <= MOST_CALLS)
    bodies = st.lists(some_orders(small_world(scope)), min_size=VERSIONS, max_size=VERSIONS, unique_by=_looks)
    return st.builds(
        Lanes, st.lists(st.sampled_from(before), unique=True).map(tuple), several.map(tuple), bodies.map(tuple)
    )


def at(place: Place, form: type[int] | type[str], order: Order) -> Order:
    """The order as one of that account and channel."""
    return {**order, "accountId": form(place.account), "channelName": place.channel}


def _looks(order: Order) -> object:
    """By what one tells versions from each other, whatever a server keeps of the rest."""
    return order["status"], tuple((entry["type"], entry["value"]) for entry in order["extracts"])
