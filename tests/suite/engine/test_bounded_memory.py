"""What a run remembers does not grow with what it has sent: a deep run opens thousands of reconciliations."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

import conformance
from conformance.contract.rules import Side
from conformance.engine import reconciliation_calls
from conformance.engine.bench import Bench
from conformance.run.session import Options, open_session
from conformance.target import inbox as inboxes
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.scope import Place

KNOWN: Final = 6
SCENARIO: Final = "a scenario"

LIBRARY: Final = Path(conformance.__file__).parent
REMEMBERED: Final = [
    tracemalloc.Filter(inclusive=True, filename_pattern=str(LIBRARY / package / "*"))
    for package in ("engine", "verdict", "target", "run")
]
"""Not the mock, which is a server: it has every order."""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(reconciliation_calls, "MOST_KNOWN", KNOWN)
    monkeypatch.setattr(inboxes, "MOST_KEPT", KNOWN)
    session = open_session(Options(profile="deep"))
    session.evidence.expect(SCENARIO, "REC-01", SCENARIO)
    bench = Bench(session, scenario=SCENARIO)
    yield bench
    session.close()


def run_through(bench: Bench, place: Place) -> int:
    """Open a reconciliation there, complete it, and count it; its id."""
    bench.story.clear()
    opened = bench.reconciliations.run_through(bench.reconciliations.plain(place, 2))
    bench.saw(Side.ACCEPTED, bench.story[-1])
    assert opened.id is not None
    return opened.id


def test_of_many_reconciliations_the_newest_are_known_and_every_id(bench: Bench) -> None:
    one, other = bench.scope.places[:2]
    reconciliations = bench.reconciliations
    first = run_through(bench, other)
    ids = [run_through(bench, one) for _ in range(3 * KNOWN)]
    assert len(reconciliations.ids) == KNOWN
    assert reconciliations.all_ids >= {first, *ids}
    known = reconciliations.newest_at(other), reconciliations.newest_at(one)
    assert [opened and opened.id for opened in known] == [first, ids[-1]]


def test_an_id_that_one_of_long_ago_had_is_no_new_one(bench: Bench) -> None:
    place = bench.scope.places[0]
    old, *_ = [run_through(bench, place) for _ in range(2 * KNOWN)]
    assert old not in bench.reconciliations.ids
    created = bench.story[-1]
    again = Exchange(
        created.started_at, "POST", created.url, {}, b"{}", 201, {}, f'{{"id": {old}}}'.encode(), 0.0, created.endpoint
    )
    with pytest.raises(Violation) as raised:
        bench.reconciliations.take_id(bench.reconciliations.begin(bench.reconciliations.plain(place, 1)), again)
    assert raised.value.rule == "REC-02"


def test_of_many_notifications_the_newest_are_known(bench: Bench) -> None:
    inbox = bench.session.inbox
    assert inbox is not None
    for _ in range(2 * KNOWN):
        run_through(bench, bench.scope.places[0])
    arrived = inbox.arrived
    assert arrived >= 2 * KNOWN
    assert len(inbox.received) == KNOWN
    run_through(bench, bench.scope.places[0])
    before, since = inbox.parted(arrived)
    assert [*before, *since] == inbox.received
    assert len(since) == inbox.arrived - arrived
    assert inbox.parted(0) == ([], inbox.received)


def remembered(bench: Bench, opened: Iterator[int], many: int) -> int:
    """So many more are run through: how many bytes of what was made in the library are kept then."""
    assert len(list(islice(opened, many))) == many
    bench.story.clear()
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces(REMEMBERED).statistics("filename")
    return sum(one.size for one in kept)


EACH: Final = 1_000
"""Bytes that a reconciliation with its calls may leave behind: what each of them is evidence of, and the id."""


def test_what_is_kept_does_not_grow_with_the_examples(bench: Bench) -> None:
    """Of each reconciliation and its notification some 2 KB were kept before, and 0.3 KB are now."""
    many = 20
    opened = (run_through(bench, bench.scope.places[0]) for _ in range(4 * many))
    tracemalloc.start()
    try:
        few = remembered(bench, opened, many)
        all_of_them = remembered(bench, opened, 3 * many)
    finally:
        tracemalloc.stop()
    assert all_of_them - few < 3 * many * EACH
