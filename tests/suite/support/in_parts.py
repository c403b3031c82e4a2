"""An audit in parts within this process: what is handed from one process to another is written and read all the same."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import TypeVar

from conformance.audit.auditor import Auditor
from conformance.audit.run import Work
from conformance.audit.secrets import Secrets
from conformance.audit.sharded.crew import chunks_of
from conformance.audit.sharded.judging import Known, OfClients, OfPlaces, judge_clients, judge_places
from conformance.audit.sharded.parts import Part, exchanges_at, whole_told
from conformance.audit.sharded.routing import CLIENTS, Routed, route
from conformance.audit.sharded.run import audit_in_parts
from conformance.traffic.exchange import Exchange
from conformance.traffic.files import Source
from conformance.traffic.problems import Problems

T = TypeVar("T")


def handed(value: T) -> T:
    """The value as another process gets it."""
    found: T = pickle.loads(pickle.dumps(value))  # noqa: S301 - ours
    return found


class Here:
    """A crew of nobody but this process."""

    def __init__(self) -> None:
        self.groups: list[frozenset[int]] = []
        self.parts = 0

    def route(self, parts: Sequence[Part]) -> list[Routed]:
        """The first pass."""
        self.parts = len(parts)
        return [handed(route(handed(part), lambda _, chunk: chunk)) for part in parts]

    def judge(
        self, groups: Sequence[frozenset[int]], routed: Sequence[Routed], known: Known
    ) -> tuple[list[OfPlaces], OfClients]:
        """The second pass."""
        self.groups = list(groups)
        clients = judge_clients(chunks_of(routed, frozenset({CLIENTS})), handed(known), bytes)
        places = [judge_places(buckets, chunks_of(routed, buckets), handed(known), bytes) for buckets in groups]
        return handed(places), handed(clients)

    def fetch(self, part: Part, places: frozenset[int]) -> Mapping[int, Exchange]:
        """Exchanges of a part, whole."""
        return handed(exchanges_at(part, places))

    def told_of(self, part: Part) -> list[str]:
        """What can't be read of the recording that a part is of."""
        return whole_told(part.source, part.form)


def in_parts_of(part_bytes: int, crew: Here | None = None) -> Work:
    """Judge recordings in parts of so many bytes."""

    def work(
        sources: Sequence[Source], problems: Problems, readings: Mapping[str, str] | None, base_url: str | None
    ) -> tuple[Auditor, Secrets]:
        return audit_in_parts(
            sources, crew or Here(), problems, readings=readings, base_url=base_url, part_bytes=part_bytes
        )

    return work
