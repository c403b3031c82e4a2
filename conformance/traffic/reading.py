"""Several recordings as one stream of exchanges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from conformance.traffic.clocks import by_one_clock
from conformance.traffic.exchange import Exchange
from conformance.traffic.files import Source, Tell, sources
from conformance.traffic.formats import TIMED, Form, exchanges, form_of, looked, times, why_none
from conformance.traffic.manner import Manner, as_sent
from conformance.traffic.ordering import LONG_AGO, Keyed, Survey, in_sequence, keyed, merged, survey
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
        recordings.append(
            (
                _earlier(seen.first) if form in TIMED else seen.first,
                partial(_in_sequence, source, form, tell_of(place), seen),
            )
        )
    yield from merged(recordings)


_SOONER: Final = timedelta(minutes=5)
"""So much sooner than its first time a recording is opened whose times may be those of answers."""


def _earlier(time: datetime) -> datetime:
    return time if time < LONG_AGO + _SOONER else time - _SOONER


def each_once(paths: Iterable[Path | Remote], tell: Tell) -> list[Source]:
    """The recordings, each once: a call that is read twice would have been sent twice. Raises CannotRun."""
    found: dict[tuple[Path | Remote, str | None], Source] = {}
    for source in [source for path in paths for source in sources(path)]:
        known = found.setdefault((source.path.resolve(), source.member), source)
        if known is not source:
            tell(f"{source.name}: was named before, as {known.name}; it is read once")
    return list(found.values())


def of_one_clock(sources: Sequence[Source], tell_of: Callable[[int], Tell]) -> list[Source]:
    """The same recordings with their times by one clock, where several hold the same calls. Raises CannotRun."""
    return by_one_clock(sources, _beginning, tell_of)


def _beginning(source: Source) -> Iterator[Exchange]:
    form = form_of(source)
    return exchanges(source, form, lambda _: None) if form in TIMED or form is Form.WIREMOCK else iter(())


def _in_sequence(source: Source, form: Form, tell: Tell, seen: Survey) -> Iterator[Keyed]:
    manner, written = looked(source, form, tell)
    found = keyed(as_sent(written, manner))
    return in_sequence(
        found, nearly_sorted=seen.nearly_sorted, is_sorted=seen.is_sorted and manner is not Manner.OF_ANSWERS
    )
