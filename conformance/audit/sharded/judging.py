"""The second pass: a group of accounts judged by itself, and how clients call over all accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from conformance.audit.auditor import Counts, as_notified, shortly_after
from conformance.audit.books import Books
from conformance.audit.call import Came
from conformance.audit.callback_rules import notification_in
from conformance.audit.clients import Clients
from conformance.audit.environments import Environments
from conformance.audit.findings import Findings, Spot
from conformance.audit.legs import Legs
from conformance.audit.recogniser import Recogniser
from conformance.audit.repeats import Held, Repeats
from conformance.audit.sharded.pieces import Piece, exchange_of, number_of, pieces_in, time_at
from conformance.audit.sharded.routing import NOBODY, Chunk
from conformance.contract.readings import resolve
from conformance.traffic.exchange import Exchange

Load = Callable[[Any], bytes]
"""A chunk from where it is kept."""

Merged = tuple[int, datetime, Exchange, int]
"""An exchange with its number, the time by which it is sorted, and its mark."""


@dataclass(frozen=True, slots=True)
class PartOf:
    """Where a part stands."""

    file: int
    name: str
    first_entry: int
    """How many entries of the file there are before it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What all who judge a part of the traffic know of the whole."""

    parts: Sequence[PartOf]
    since: Mapping[str, int]
    """Base URLs of Koncili, each with the number of the exchange that shows it first."""
    readings: Mapping[str, str]
    """Those that the endpoint is known to follow."""
    base_url: str | None

    def recogniser(self) -> Recogniser:
        """One that knows the base URLs."""
        return Recogniser(self.base_url, since=self.since)


@dataclass(slots=True)
class OfPlaces:
    """What was found in a group of accounts."""

    findings: Findings
    books: Books
    notifications: int = 0
    repeated: int = 0
    """Of the notifications."""
    refused: list[tuple[int, Spot]] = field(default_factory=list)
    """Calls that were refused for nothing that is wrong with what they send."""


@dataclass(slots=True)
class OfClients:
    """What was found in how clients call."""

    findings: Findings
    counts: Counts
    recogniser: Recogniser
    told: set[int] = field(default_factory=set)
    """Of the calls that were refused those of which something is told."""


def judge_places(buckets: frozenset[int], chunks: Iterable[Chunk], known: Known, load: Load) -> OfPlaces:
    """Judge what was sent about the accounts in these buckets."""
    findings, recogniser, legs = Findings(), known.recogniser(), Legs()
    places = Environments(findings, resolve(dict(known.readings)))
    found = OfPlaces(findings, places.books)

    def repeated(exchange: Exchange, number: int, held: Held) -> None:
        if notification_in(exchange) is not None:
            found.repeated += NOBODY in buckets
        elif held is Held.IN_DOUBT and (call := recogniser.read(exchange, number)) is not None:
            places.doubt(call)

    for number, exchange in _sent_once(_merged(chunks, known, load), places, repeated):
        if (notification := notification_in(exchange)) is not None:
            if NOBODY in buckets:
                found.notifications += 1
                places.hear(as_notified(exchange, number), notification)
            else:
                places.learn(notification)
            continue
        call = recogniser.read(exchange, number)
        if call is None or legs.holds(call):
            continue
        if call.may_be_about_any and NOBODY not in buckets:
            places.overhear(call)
            continue
        broken, undecided = findings.broken, findings.undecided
        is_explained = places.take(call)
        is_told = (broken, undecided) != (findings.broken, findings.undecided)
        if call.came is Came.REFUSED and not is_told and not is_explained:
            found.refused.append((number, Spot.of(call)))
    places.finish()
    return found


def judge_clients(chunks: Iterable[Chunk], known: Known, load: Load) -> OfClients:
    """Judge how clients call."""
    findings, recogniser, counts = Findings(), known.recogniser(), Counts()
    clients, legs = Clients(findings), Legs()
    found = OfClients(findings, counts, recogniser)

    def repeated(exchange: Exchange, number: int, held: Held) -> None:
        call = recogniser.read(exchange, number)
        counts.repeated += call is not None
        if call is not None and held is Held.IN_DOUBT:
            clients.doubt(call)

    for number, exchange in _sent_once(_merged(chunks, known, load), clients, repeated):
        call = recogniser.read(exchange, number)
        if call is None:
            continue
        if legs.holds(call):
            counts.repeated += 1
            continue
        counts.take(call)
        broken, undecided = findings.broken, findings.undecided
        clients.take(call)
        is_told = (broken, undecided) != (findings.broken, findings.undecided)
        if is_told and call.came is Came.REFUSED:
            found.told.add(number)
    clients.finish()
    return found


def _sent_once(
    merged: Iterable[Merged], judges: Clients | Environments, repeated: Callable[[Exchange, int, Held], None]
) -> Iterator[tuple[int, Exchange]]:
    """The exchanges that can be read, each once, with their numbers; the judges know by then what was answered before, and what
    was missed. What is held twice is handed to `repeated`."""
    repeats = Repeats()
    for number, time, exchange, mark in merged:
        if exchange.is_unreadable:
            judges.catch_up(shortly_after(time))
            judges.miss()
        elif (held := repeats.held(exchange, mark)) is not Held.NEVER:
            repeated(exchange, number, held)
        else:
            judges.catch_up(shortly_after(time))
            yield number, exchange


def _merged(chunks: Iterable[Chunk], known: Known, load: Load) -> Iterator[Merged]:
    """The exchanges of chunks in sequence, each once, with their numbers, the times by which they are sorted, and their marks. A
    chunk is loaded when its first time comes."""
    waiting = sorted(chunks, key=lambda chunk: chunk.first, reverse=True)
    heads: list[tuple[int, int, Piece, PartOf, Iterator[Piece]]] = []

    def advance(pieces: Iterator[Piece], part: PartOf, place: int) -> None:
        for piece in pieces:
            number = number_of(piece.time, part.file, part.first_entry + piece.entry)
            heappush(heads, (number, place, piece, part, pieces))
            return

    last = -1
    while heads or waiting:
        while waiting and (not heads or waiting[-1].first <= heads[0][2].time):
            chunk = waiting.pop()
            advance(iter(pieces_in(load(chunk.at))), known.parts[chunk.part], len(waiting))
        number, place, piece, part, pieces = heappop(heads)
        if number != last:
            yield number, time_at(piece.time), exchange_of(piece, part.name, part.first_entry), piece.mark
        last = number
        advance(pieces, part, place)
