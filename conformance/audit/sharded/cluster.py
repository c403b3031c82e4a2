"""Who works on the parts: the workers of a Dask cluster, which hold chunks in their memory.

Nothing is asked of them but that they can read the recordings and have this package in the same version. What a worker held
when it was killed Dask makes anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final, NamedTuple

from conformance.audit.sharded.judging import Known, OfClients, OfPlaces, judge_clients, judge_places
from conformance.audit.sharded.parts import Part, exchanges_at, whole_told
from conformance.audit.sharded.routing import CLIENTS, EVERYBODY, Chunk, Routed, route
from conformance.errors import CannotRun
from conformance.traffic.exchange import Exchange

PATIENCE_SECONDS: Final = 30
MISSING: Final = "--dask needs dask.distributed: pip install 'koncili-conformance[dask]'"


class Held(NamedTuple):
    """Which of the chunks that a worker holds."""

    place: int
    length: int


class Cluster:
    """The workers of a Dask cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._held: list[Any] = []

    def route(self, parts: Sequence[Part]) -> list[Routed]:
        """The first pass."""
        self._held = self._client.map(_route, parts, pure=False)
        return list(self._gathered(self._client.map(itemgetter(0), self._held, pure=False)))

    def judge(
        self, groups: Sequence[frozenset[int]], routed: Sequence[Routed], known: Known
    ) -> tuple[list[OfPlaces], OfClients]:
        """The second pass."""
        clients = self._submit(_judge_clients, self._chunks(frozenset({CLIENTS}), routed), known)
        places = [self._submit(_judge_places, buckets, self._chunks(buckets, routed), known) for buckets in groups]
        *of_places, of_clients = self._gathered([*places, clients])
        return of_places, of_clients

    def fetch(self, part: Part, places: frozenset[int]) -> Mapping[int, Exchange]:
        """Exchanges of a part, whole."""
        (found,) = self._gathered([self._submit(exchanges_at, part, places)])
        exchanges: Mapping[int, Exchange] = found
        return exchanges

    def told_of(self, part: Part) -> list[str]:
        """What can't be read of the recording that a part is of."""
        (told,) = self._gathered([self._submit(whole_told, part.source, part.form)])
        return list(told)

    def _submit(self, work: Any, *arguments: Any) -> Any:
        return self._client.submit(work, *arguments, pure=False)

    def _chunks(self, buckets: frozenset[int], routed: Sequence[Routed]) -> list[Any]:
        """The chunks of these buckets, and of what concerns them all, of each part that has some."""
        wanted = buckets | {EVERYBODY}
        return [
            self._submit(_chunks, held, wanted)
            for held, one in zip(self._held, routed, strict=True)
            if any(chunk.bucket in wanted for chunk in one.chunks)
        ]

    def _gathered(self, futures: Sequence[Any]) -> Sequence[Any]:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            gathered: Sequence[Any] = self._client.gather(futures)
        except (KilledWorker, FutureCancelledError) as error:
            raise CannotRun(
                f"Dask gave up: workers were killed again and again, perhaps for lack of memory: {error}"
            ) from None
        except ModuleNotFoundError as error:
            raise CannotRun(
                f"a Dask worker lacks this package ({error}): install it there in the same version"
            ) from None
        return gathered


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The workers that this scheduler knows. Raises CannotRun where it can't be reached, or knows none in time."""
    try:
        from distributed import Client
    except ImportError:
        raise CannotRun(MISSING) from None
    try:
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CannotRun(f"--dask {address}: no scheduler is to be reached there: {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
        except TimeoutError:
            raise CannotRun(
                f"--dask {address}: the scheduler has no worker; start one: dask worker {address}"
            ) from None
        yield Cluster(client)


# -- what workers do -----------------------------------------------------------------------------------------------

_Held = tuple[Routed, list[bytes]]


def _route(part: Part) -> _Held:
    held: list[bytes] = []

    def keep(_: int, chunk: bytes) -> Held:
        held.append(chunk)
        return Held(len(held) - 1, len(chunk))

    return route(part, keep), held


def _chunks(held: _Held, buckets: frozenset[int]) -> list[Chunk]:
    routed, chunks = held
    return [chunk._replace(at=chunks[chunk.at.place]) for chunk in routed.chunks if chunk.bucket in buckets]


def _judge_places(buckets: frozenset[int], chunks: Iterable[list[Chunk]], known: Known) -> OfPlaces:
    return judge_places(buckets, [one for some in chunks for one in some], known, bytes)


def _judge_clients(chunks: Iterable[list[Chunk]], known: Known) -> OfClients:
    return judge_clients([one for some in chunks for one in some], known, bytes)
