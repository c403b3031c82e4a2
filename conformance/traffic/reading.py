"""Several recordings as one stream of exchanges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from conformance.traffic.exchange import Exchange
from conformance.traffic.files import Source, Tell, sources
from conformance.traffic.formats import Form, exchanges, form_of, times, why_none
from conformance.traffic.ordering import Keyed, Survey, in_sequence, keyed, merged, survey
from conformance.traffic.remote import Remote


def read_all(paths: Iterable[Path | Remote], tell: Tell) -> Iterator[Exchange]:
    """Every exchange of these recordings, by the time at which it was sent; each keeps its place in its file.

    One without a time follows the one that was written before it; a recording without any times comes first. `tell` learns
    what can't be read. Raises CannotRun, before the first exchange, where a file can't be opened or is of no known form.
    """
    for exchange in read_sources(each_once(paths, tell), lambda _: tell):
        if not exchange.is_unreadable:
            yield exchange


def read_sources(sources: Sequence[Source], tell_of: Callable[[int], Tell]) -> Iterator[Exchange]:
    """The same of recordings of which each is there once, with an unreadable exchange for each entry that can't be read;
    `tell_of` gives each recording, by its place, somebody to tell."""
    recordings: list[tuple[datetime, Callable[[], Iterator[Keyed]]]] = []
    for place, source in enumerate(sources):
        form = form_of(source)
        if form is None:
            tell_of(place)(why_none(source))
            continue
        seen = survey(times(source, form))
        recordings.append((seen.first, partial(_in_sequence, source, form, tell_of(place), seen)))
    yield from merged(recordings)


def each_once(paths: Iterable[Path | Remote], tell: Tell) -> list[Source]:
    """The recordings, each once: a call that is read twice would have been sent twice. Raises CannotRun."""
    found: dict[tuple[Path | Remote, str | None], Source] = {}
    for source in [source for path in paths for source in sources(path)]:
        known = found.setdefault((source.path.resolve(), source.member), source)
        if known is not source:
            tell(f"{source.name}: was named before, as {known.name}; it is read once")
    return list(found.values())


def _in_sequence(source: Source, form: Form, tell: Tell, seen: Survey) -> Iterator[Keyed]:
    found = keyed(exchanges(source, form, tell))
    return in_sequence(found, nearly_sorted=seen.nearly_sorted, is_sorted=seen.is_sorted)
