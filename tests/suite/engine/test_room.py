"""A target that notifies of an end before it takes the next reconciliation: what is refused meanwhile is sent again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from conformance.engine.bench import Bench
from conformance.engine.room import IN_VAIN
from conformance.run.session import Options, open_session
from conformance.target.inbox import Inbox


@contextmanager
def bench_for(monkeypatch: pytest.MonkeyPatch, *, variant: str = "", defect: str = "") -> Iterator[Bench]:
    """One whose clock can't be moved, and that notifies at once; what is waited for passes by the mock's clock."""
    variants, defects = (("reconciles-at-once", variant), (defect,))
    options = Options(variants=tuple(filter(None, variants)), defects=tuple(filter(None, defects)), shrink=False)
    with closing(open_session(options)) as session:
        control, passed, hears = session.control, 0.0, Inbox.wait_for
        assert control is not None
        assert session.inbox is not None  # opened while the mock can be told where it is

        def pass_by(seconds: float) -> None:
            nonlocal passed
            passed += seconds
            control.advance(seconds)

        def hear(inbox: Inbox, *about: Any) -> Any:
            control.advance(0.0)  # the mock sends what is due when it is asked for anything
            return hears(inbox, *about)

        monkeypatch.setattr(Inbox, "wait_for", hear)
        session.waiting.sleep, session.waiting.clock = pass_by, lambda: time.monotonic() + passed
        session.evidence.expect("creations", "REC-01", "a scenario")
        bench = Bench(session, "creations")
        assert bench.reconciliations.scope
        session.control = None
        yield bench


def refused(bench: Bench, times: int) -> list[int]:
    """How many client errors each of so many took that were run through."""
    reconciliations, spent, counts = bench.reconciliations, bench.session.journal.spent, list[int]()
    for _ in range(times):
        before = spent().client_errors
        reconciliations.run_through(reconciliations.plain(reconciliations.scope.places[0], 2))
        counts.append(spent().client_errors - before)
    return counts


def test_how_long_there_is_no_room_is_seen_once_and_waited_for_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench_for(monkeypatch, variant="notifies-before-there-is-room") as bench:
        assert refused(bench, 4) == [0, 2, 0, 0]
        assert not bench.session.evidence.observed


def test_where_there_is_room_at_once_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench_for(monkeypatch) as bench:
        assert refused(bench, 3) == [0, 0, 0]
        assert not bench.reconciliations.room.after


def test_what_is_refused_for_itself_is_sent_again_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time costs a client error."""
    with bench_for(monkeypatch, defect="rec-01-many-releases-refused") as bench:
        reconciliations, place = bench.reconciliations, bench.reconciliations.scope.places[0]
        for _ in range(IN_VAIN + 2):
            refused(bench, 1)
            many = reconciliations.begin(reconciliations.plain(place, 7))
            assert reconciliations.submit_orders(many)
            assert reconciliations.create(many, blame=False).is_refused
        assert reconciliations.room.in_vain == IN_VAIN
