"""Who works on the parts: processes of this machine, which keep chunks in temporary files."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from conformance.audit.sharded.judging import Known, OfClients, OfPlaces, judge_clients, judge_places
from conformance.audit.sharded.parts import Part, exchanges_at, whole_told
from conformance.audit.sharded.routing import CLIENTS, EVERYBODY, Chunk, Routed, route
from conformance.errors import CannotRun
from conformance.traffic.exchange import Exchange

T = TypeVar("T")


class Crew(Protocol):
    """Does what is to be done for parts and groups of accounts, in whatever sequence, and answers in that of the question."""

    def route(self, parts: Sequence[Part]) -> list[Routed]:
        """The first pass."""

    def judge(
        self, groups: Sequence[frozenset[int]], routed: Sequence[Routed], known: Known
    ) -> tuple[list[OfPlaces], OfClients]:
        """The second pass."""

    def fetch(self, part: Part, places: frozenset[int]) -> Mapping[int, Exchange]:
        """Exchanges of a part, whole."""

    def told_of(self, part: Part) -> list[str]:
        """What can't be read of the recording that a part is of."""


class Kept(NamedTuple):
    """Where a chunk is kept."""

    path: str
    begin: int
    length: int


def chunks_of(routed: Iterable[Routed], buckets: frozenset[int]) -> list[Chunk]:
    """The chunks of these buckets, and of what concerns them all."""
    wanted = buckets | {EVERYBODY}
    return [chunk for one in routed for chunk in one.chunks if chunk.bucket in wanted]


class Processes:
    """Worker processes of this machine."""

    def __init__(self, pool: ProcessPoolExecutor, folder: Path) -> None:
        self._pool, self._folder = pool, folder

    def begin(self, work: Callable[..., T], *what: object) -> Future[T]:
        """Let a worker do this."""
        return self._pool.submit(work, *what)

    def route(self, parts: Sequence[Part]) -> list[Routed]:
        """The first pass."""
        return _results([self.begin(route_into, part, str(self._folder)) for part in parts])

    def judge(
        self, groups: Sequence[frozenset[int]], routed: Sequence[Routed], known: Known
    ) -> tuple[list[OfPlaces], OfClients]:
        """The second pass, what takes longest first."""
        clients = self.begin(judge_clients, chunks_of(routed, frozenset({CLIENTS})), known, load)
        work = {buckets: chunks_of(routed, buckets) for buckets in groups}
        longest = sorted(work, key=lambda buckets: -sum(chunk.at.length for chunk in work[buckets]))
        begun = {buckets: self.begin(judge_places, buckets, work[buckets], known, load) for buckets in longest}
        return _results([begun[buckets] for buckets in groups]), _results([clients])[0]

    def fetch(self, part: Part, places: frozenset[int]) -> Mapping[int, Exchange]:
        """Exchanges of a part, whole."""
        return exchanges_at(part, places)

    def told_of(self, part: Part) -> list[str]:
        """What can't be read of the recording that a part is of."""
        return whole_told(part.source, part.form)


@contextmanager
def processes(number: int) -> Iterator[Processes]:
    """So many worker processes, with a folder for their chunks that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="koncili-audit-") as folder:
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(number, multiprocessing.get_context("spawn"))
        try:
            yield Processes(pool, Path(folder))
        except BaseException:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()  # else who has interrupted it waits for what is under way, and that is minutes
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def route_into(part: Part, folder: str) -> Routed:
    """Route a part into a file of that folder."""
    path = Path(folder) / f"part-{part.number}"
    with path.open("wb") as file:

        def keep(_: int, chunk: bytes) -> Kept:
            begin = file.tell()
            file.write(chunk)
            return Kept(str(path), begin, len(chunk))

        return route(part, keep)


def load(kept: Any) -> bytes:
    """A chunk from its file."""
    with Path(kept.path).open("rb") as file:
        file.seek(kept.begin)
        return file.read(kept.length)


def _results(begun: Sequence[Future[T]]) -> list[T]:
    try:
        return [one.result() for one in begun]
    except BrokenProcessPool:
        raise CannotRun(
            "a worker process was killed, perhaps for lack of memory; give fewer --workers, or more memory"
        ) from None
