"""What a mock has seen, as the exchanges that an audit judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from conformance.commandline.recording import exchange_of, notified
from conformance.testing.mock import SeenCall, SeenNotification
from conformance.traffic.exchange import Exchange, Origin


def exchanges_of(seen: Iterable[SeenCall | SeenNotification]) -> Iterator[Exchange]:
    """The exchanges in the order in which they began, each with its number from 1 on."""
    # They were seen in the order in which they ended; those that began at once keep it.
    for number, one in enumerate(sorted(seen, key=_began), 1):
        exchange = exchange_of(*one) if isinstance(one, SeenCall) else notified(*one)
        yield replace(exchange, origin=Origin("mock", number))


def _began(one: SeenCall | SeenNotification) -> datetime:
    return one.came if isinstance(one, SeenCall) else one.left
