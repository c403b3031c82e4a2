"""What parts of a recording belong together, and what was found in them, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from conformance.audit.auditor import MOST_UNEXPLAINED, Auditor
from conformance.audit.findings import Finding, Spot
from conformance.audit.secrets import Secrets
from conformance.audit.sharded.judging import Known, OfClients, OfPlaces, PartOf
from conformance.audit.sharded.parts import Part
from conformance.audit.sharded.pieces import exchange_of, number_of, pieces_in, place_of
from conformance.audit.sharded.routing import CLIENTS, EVERYBODY, Routed
from conformance.traffic.exchange import Exchange


def known_of(
    parts: Sequence[Part], routed: Sequence[Routed], *, readings: Mapping[str, str], base_url: str | None
) -> Known:
    """What the first pass has learnt of the whole."""
    places: list[PartOf] = []
    since: dict[str, int] = {}
    first = 0
    for part, one in zip(parts, routed, strict=True):
        first = 0 if not part.begin else first
        places.append(PartOf(part.file, part.source.name, first))
        for base, (time, entry) in one.shown.items():
            number = number_of(time, part.file, first + entry)
            since[base] = min(number, since.get(base, number))
        first += one.entries
    return Known(places, since, readings, base_url)


def groups_of(routed: Iterable[Routed]) -> list[frozenset[int]]:
    """Buckets of accounts, those together whose accounts name the same reconciliation."""
    group: dict[int, set[int]] = {}
    of: dict[int, int] = {}
    for one in routed:
        for bucket in {chunk.bucket for chunk in one.chunks} - {CLIENTS, EVERYBODY}:
            group.setdefault(bucket, {bucket})
        for number, buckets in one.named.items():
            first = of.setdefault(number, min(buckets))
            for bucket in buckets:
                _join(group, first, bucket)
    return sorted({frozenset(buckets) for buckets in group.values()}, key=min)


def _join(group: dict[int, set[int]], one: int, other: int) -> None:
    mine, theirs = group.setdefault(one, {one}), group.setdefault(other, {other})
    if mine is theirs:
        return
    mine |= theirs
    for bucket in theirs:
        group[bucket] = mine


def secrets_of(routed: Iterable[Routed], known: Known) -> Secrets:
    """All secrets, learnt in the sequence of the exchanges that hold them."""
    found: list[tuple[int, Exchange]] = []
    for one in routed:
        part = known.parts[one.part]
        for piece in pieces_in(one.secret):
            number = number_of(piece.time, part.file, part.first_entry + piece.entry)
            found.append((number, exchange_of(piece, part.name, part.first_entry)))
    secrets = Secrets()
    for _, exchange in sorted(found, key=lambda one: one[0]):
        secrets.learn(exchange)
    return secrets


def together(routed: Iterable[Routed], of_places: Sequence[OfPlaces], of_clients: OfClients, known: Known) -> Auditor:
    """An auditor that has found all this."""
    auditor = Auditor(readings=known.readings, base_url=known.base_url)
    auditor.counts, auditor.recogniser = of_clients.counts, of_clients.recogniser
    auditor.counts.exchanges = sum(one.exchanges for one in routed)
    auditor.counts.repeated += sum(one.repeated for one in of_places)
    auditor.counts.unreadable = sum(one.unreadable for one in routed)
    auditor.counts.notifications = sum(one.notifications for one in of_places)
    auditor.findings.take(of_clients.findings)
    refused: list[tuple[int, Spot]] = []
    for one in of_places:
        auditor.findings.take(one.findings)
        auditor.books.take_over(one.books)
        refused += [(number, spot) for number, spot in one.refused if number not in of_clients.told]
    refused.sort(key=lambda one: one[0])
    auditor.unexplained.times = len(refused)
    auditor.unexplained.spots = [spot for _, spot in refused[:MOST_UNEXPLAINED]]
    return auditor


Fetch = Callable[[int, frozenset[int]], Mapping[int, Exchange]]
"""The exchanges of a part at these places in it."""


def make_whole(findings: Iterable[Finding], known: Known, fetch: Fetch) -> None:
    """Give the calls that findings show what was left out of them for the sake of speed."""
    wanted: dict[int, dict[int, list[Finding]]] = {}
    for finding in findings:
        file, entry = place_of(finding.call.number)
        number = max(place for place, part in enumerate(known.parts) if part.file == file and part.first_entry <= entry)
        wanted.setdefault(number, {}).setdefault(entry - known.parts[number].first_entry, []).append(finding)
    for number, entries in wanted.items():
        for entry, exchange in fetch(number, frozenset(entries)).items():
            for finding in entries[entry]:
                finding.call = finding.call.of(exchange, known.parts[number].first_entry)
