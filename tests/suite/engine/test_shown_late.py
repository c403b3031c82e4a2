"""A target that shows late what it took: it is asked again, no sooner than it shows orders, and no rule is blamed."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.engine.altered_codes import ASKED_AT_MOST
from conformance.engine.bench import Bench
from conformance.engine.machine import prove_machine
from conformance.engine.properties import prove
from conformance.engine.reference_model import Key, Model
from conformance.engine.unfinished import NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.mock.defects.parts import Seen
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Variant
from conformance.mock.world import MockWorld
from conformance.run.session import Options, Session, open_session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.identifiers import ODD_SHAPES, SHAPES
from strategies.reconciliations import plain_order
from strategies.scope import Place


def test_how_late_a_query_shows_an_order_is_learnt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy to read from that lags by parts of a second cost a client error for each order: the run's whole budget."""
    with closing(open_session(Options(variants=("orders-seen-late",)))) as session:
        bench, control = Bench(session, "queries"), session.control
        assert control is not None
        session.evidence.expect("queries", "QRY-01", "a scenario")
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        order, place = bench.reconciliations.plain(bench.scope.places[0], 1).orders[0], bench.scope.places[0]
        for _ in range(5):
            values = bench.fresh("amazon")
            assert bench.submit(order, values).is_accepted
            waiting = bench.settled("QRY-01", order, values, place)
            with pytest.raises(StopIteration):
                next(waiting)
        refused = [exchange for exchange in bench.story if exchange.is_refused]
        assert (len(refused), bench.shows_after) == (1, 0.5)


@pytest.mark.usefixtures("without_a_clock")
def test_nothing_is_waited_for_where_nothing_was_changed_for_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where orders are seen seconds late, each query and each deletion was waited for anew, four times for a pair."""
    with closing(open_session(Options())) as session:
        waits, now = list[float](), 100.0
        bench = Bench(session, "queries")
        session.evidence.expect("queries", "QRY-05", "a scenario")
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: waits.append(seconds))
        session.waiting.clock = lambda: now
        order, place, values = (
            bench.reconciliations.plain(bench.scope.places[0], 1).orders[0],
            bench.scope.places[0],
            bench.fresh("amazon"),
        )
        bench.late, bench.shows_after = 5.5, 0.9
        assert bench.submit(order, values).is_accepted
        now += 0.5
        bench.let_be_shown()
        bench.let_be_seen()
        assert bench.query(place, values["code"]).is_accepted  # which changes nothing
        now += 5.0
        bench.let_be_shown()
        bench.let_be_seen()
        assert waits == pytest.approx([0.4, 5.0])
        assert bench.delete_lawfully(place, values["code"]).is_accepted
        bench.let_be_shown()
        assert waits[2:] == pytest.approx([0.9])


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("patient", [False, True])
def test_what_shows_after_seconds_is_put_off_unless_a_run_waits_half_an_hour_for_that(patient: bool) -> None:
    with closing(open_session(Options(patient=patient))) as session:
        bench = Bench(session, "queries")
        bench.shows_after = 2.0
        assert bench.puts_off is not patient
        bench.slow = True
        assert bench.puts_off


@pytest.mark.usefixtures("without_a_clock")
def test_what_a_query_shows_seconds_late_is_asked_for_at_the_end(mocks: list[Koncili]) -> None:
    """Where a cache answers for a second and a half a run waited five seconds for each of its hundreds of queries."""

    def shown_late(world: MockWorld) -> Any:
        def shown_order(*key: Any) -> Any:
            is_old = world.clock.now() - world.orders[world.key(key)][-1].shown_at > timedelta(seconds=3)
            return world.shown_order(*key) if is_old else None

        return Seen(world, shown_order=shown_order)

    with closing(open_session(Options())) as session:
        bench = Bench(session, "queries")
        session.evidence.expect("queries", "QRY-01", "a scenario")
        mocks[0].switch([Variant(name="late", statement="Shows orders late.", sees=shown_late)])
        order, place = bench.reconciliations.plain(bench.scope.places[0], 1).orders[0], bench.scope.places[0]
        began = session.waiting.clock()

        def twice(values: Values) -> Waiting[None]:
            for _ in range(2):
                assert bench.submit(order, values).is_accepted
                yield from bench.settled("QRY-01", order, values, place, before=(None, order))

        for _ in range(20):
            prove(bench, "law", st.just(bench.fresh("amazon")), twice, 1)
        session.resuming = True
        prove(bench, "law", st.nothing(), twice, 1)
        assert session.evidence.scenarios["queries"].pending == 0
        assert len([exchange for exchange in bench.story if exchange.is_refused]) <= 2
        assert session.waiting.clock() - began < 30


def test_an_order_that_is_hidden_while_it_is_updated_is_asked_for_again(
    mocks: list[Koncili], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ORD-15 was blamed for a query that came 50 ms after the update, and a 404."""

    def hidden_for_a_moment(world: MockWorld) -> Any:
        def shown_order(*key: Any) -> Any:
            written = world.orders[world.key(key)][-1].shown_at
            is_old = world.clock.now() - written > timedelta(seconds=0.2)
            return world.shown_order(*key) if is_old else None

        return Seen(world, shown_order=shown_order)

    with closing(open_session(Options())) as session:
        bench, control = Bench(session, "updates"), session.control
        assert control is not None
        session.evidence.expect("updates", "ORD-15", "a scenario")
        order, place = bench.reconciliations.plain(bench.scope.places[0], 1).orders[0], bench.scope.places[0]
        mocks[0].switch([Variant(name="hidden", statement="Hidden for a moment.", sees=hidden_for_a_moment)])
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        values = bench.fresh("amazon")
        for number in range(3):
            assert bench.submit(order, values).is_accepted
            control.advance(0 if number else 1)  # the first is shown when it is asked for
            waiting = bench.settled("ORD-15", order, values, place, before=(None, order))
            with pytest.raises(StopIteration):
                next(waiting)
        assert sum(exchange.is_refused for exchange in bench.story) == 1


@pytest.mark.parametrize("seed", range(4))
def test_of_two_copies_that_answer_in_turn_one_may_lag_behind(
    seed: int, mocks: list[Koncili], monkeypatch: pytest.MonkeyPatch
) -> None:
    """QRY-04 was blamed: what one had shown the other did not show yet."""
    asked = count()

    def by_turns(world: MockWorld) -> Seen:
        def shown_order(*key: Any) -> Any:
            before = world.clock.now() - timedelta(seconds=3)
            states = [version.body for version in world.orders.get(world.key(key), ()) if version.shown_at <= before]
            return world.shown_order(*key) if next(asked) % 2 == 0 else states[-1] if states else None

        return Seen(world, shown_order=shown_order)

    with closing(open_session(Options(seed=seed))) as session:
        bench, control = Bench(session, "machine"), session.control
        assert control is not None
        session.evidence.expect("machine", "WFL-04", "a scenario")
        assert bench.reconciliations.scope
        mocks[0].switch([Variant(name="copies", statement="Two copies answer in turn.", sees=by_turns)])
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        monkeypatch.setattr(Session, "inbox", None)
        prove_machine(bench)  # raises no violation
        assert (session.evidence.observed, session.evidence.scenarios["machine"].hindrance) == ({}, "")


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_calls_asks_no_sooner_than_orders_are_shown(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query before the copy to read from had the order spent a client error: 60 of them in one certification."""
    with closing(open_session(Options(variants=("orders-seen-late",), seed=seed))) as session:
        bench, control = Bench(session, "machine"), session.control
        assert control is not None
        session.evidence.expect("machine", "WFL-04", "a scenario")
        assert bench.reconciliations.scope
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        monkeypatch.setattr(Session, "inbox", None)
        monkeypatch.setattr(Model, "now", lambda _self: control.now())  # a slow machine's time passes for no mock
        queries = list[Exchange]()
        query = Bench.query

        def counted(bench: Bench, place: Place, code: str, note: str = "") -> Exchange:
            queries.append(query(bench, place, code, note))
            return queries[-1]

        monkeypatch.setattr(Bench, "query", counted)
        checked = Model.check

        def alive(model: Model, key: Key) -> None:
            before = len(queries)
            checked(model, key)
            if model.orders[key].dead:
                del queries[before:]

        monkeypatch.setattr(Model, "check", alive)
        prove_machine(bench)
        assert queries
        assert sum(asked.is_refused for asked in queries) <= 1  # by which it is learnt


@pytest.mark.parametrize(
    ("defect", "shape"),
    [
        ("qry-01-stored-in-upper-case", "b2w"),
        ("qry-05-stored-without-blanks", "a blank at the end"),
        ("err-06-stored-in-latin-1", "accents"),
        ("err-06-stored-composed", "accents of their own"),
    ],
)
def test_an_order_that_is_stored_under_another_code_is_not_taken_for_late(
    defect: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its own it is never found, which a target may lawfully be half an hour late with."""
    with closing(open_session(Options(defects=(defect,)))) as session:
        bench = Bench(session, "queries")
        session.evidence.expect("queries", "QRY-01", "a scenario")
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda *_: None)
        place = bench.scope.places[0]
        order, values = plain_order(place, int, 2, bench.scope.days.start), bench.fresh(shape)
        assert bench.submit(order, values).is_accepted
        waiting = bench.settled("QRY-01", order, values, place)
        next(waiting)
        with pytest.raises(Violation, match="shows it under"):
            waiting.send(False)  # noqa: FBT003 - a generator takes no keywords


def test_what_may_have_been_done_to_codes_is_asked_for_in_vain_a_few_times_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A target that shows nothing for half an hour answers 404 to each, and client errors are dear."""
    with closing(open_session(Options(variants=("half-hour-consolidation",)))) as session:
        bench = Bench(session, "queries")
        session.evidence.expect("queries", "QRY-01", "a scenario")
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda *_: None)
        place = bench.scope.places[0]
        order = plain_order(place, int, 2, bench.scope.days.start)
        for shape in [*SHAPES, *ODD_SHAPES]:
            values = bench.fresh(shape)
            assert bench.submit(order, values).is_accepted
            waiting = bench.settled("QRY-01", order, values, place)
            next(waiting)
            with pytest.raises(NotSeenYet):
                waiting.send(False)  # noqa: FBT003 - a generator takes no keywords
        asked = {exchange.url for exchange in bench.story if exchange.is_refused}
        assert len(asked) == len(SHAPES) + len(ODD_SHAPES) + ASKED_AT_MOST, asked
