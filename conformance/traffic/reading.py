"""Several recordings as one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from conformance.traffic.exchange import Exchange, Missing
from conformance.traffic.files import Tell, sources
from conformance.traffic.formats import entries


def read_all(paths: Iterable[Path], tell: Tell) -> Iterator[Exchange]:
    """Every exchange of these recordings, by the time at which it was sent; each keeps its place in its file.

    One without a time follows the one that was written before it. Raises CannotRun where a file can't be read at all.
    """
    found: list[tuple[datetime, int, int, Exchange]] = []
    for number, source in enumerate(source for path in paths for source in sources(path)):
        last = datetime.min.replace(tzinfo=UTC)
        for exchange in entries(source, tell):
            if not isinstance(exchange.started, Missing):
                last = exchange.started
            found.append((last, number, exchange.origin.entry, exchange))
    found.sort(key=lambda one: one[:3])
    for *_, exchange in found:
        yield exchange
