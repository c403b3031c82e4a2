"""A target whose clock can't be moved: what may only be late is blamed on no rule that has nothing to do with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.engine.altered_codes import ASKED_AT_MOST
from conformance.engine.bench import Bench
from conformance.engine.machine import prove_machine
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.reconciliation_calls import ReconciliationCalls
from conformance.engine.reference_model import Key, Model
from conformance.engine.stays_active import NO_ACCIDENT, check_nothing_stays_active, note_stuck
from conformance.engine.unfinished import Hindered, HinderedForNow, NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.engine.workflow_laws import stays_active
from conformance.errors import TargetUnavailable
from conformance.mock.defects.parts import Seen
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Variant
from conformance.mock.world import MockWorld, Reconciliation
from conformance.run.session import Options, Session, open_session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.dates import printed
from strategies.identifiers import ODD_SHAPES, SHAPES
from strategies.periods import PERIOD
from strategies.reconciliations import Batch, plain_order
from strategies.scope import Place


@pytest.mark.parametrize("seed", range(4))
def test_a_release_is_not_blamed_for_an_update_that_may_still_be_to_come(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody sees within half an hour that it ignores updates; its releases mirror the order as it was.
    options = Options(defects=("ord-15-first-write-wins",), variants=("reconciles-at-once",), seed=seed)
    with closing(open_session(options)) as session:
        bench = Bench(session, "machine")
        session.evidence.expect("machine", "WFL-04", "a scenario")
        assert bench.reconciliations.scope
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)
        prove_machine(bench)  # raises no violation
        assert (session.evidence.observed, session.evidence.scenarios["machine"].hindrance) == ({}, "")


def test_a_creation_refused_for_its_own_sake_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server demands what S2 prints, the rest of the run was given up after a minute and a half of asking again."""
    with closing(open_session(Options(variants=("total-net-value-demanded",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "ERR-02", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)
        reconciliations.settling.add(place)
        whole = reconciliations.plain(place, 1)
        reconciliation = reconciliations.begin(
            replace(whole, creation={k: v for k, v in whole.creation.items() if k != "totalNetValue"})
        )
        assert reconciliations.submit_orders(reconciliation)
        assert reconciliations.create_once(reconciliation).status == 400
        assert (reconciliations.endless, reconciliations.waited) == (set(), {})
        reconciliation.batch = whole
        assert reconciliations.create(reconciliation).is_accepted


def test_a_release_refused_for_a_refused_one_is_blamed_on_that_where_the_place_stays_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be tried there again to find out: what came before is all there is to go by, and must be told."""
    with closing(open_session(Options(defects=("rel-18-refused-is-there",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "REL-18", "a scenario")
        reconciliations = bench.reconciliations
        reconciliation = reconciliations.begin(reconciliations.plain(reconciliations.scope.places[0], 2))
        assert reconciliations.submit_orders(reconciliation)
        assert reconciliations.create(reconciliation).is_accepted
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)
        broken = release_of(reconciliation.batch, 0)
        broken = replace(broken, body={**broken.body, "releases": broken.body["releases"][:1]})
        reconciliation.after_refusal = True
        assert bench.send(broken, reconciliation.values[0]).is_refused
        assert not reconciliations.released(reconciliation, 0)
        assert [one.rule for one in session.evidence.observed.values()] == ["REL-18"]


def test_what_is_finished_too_soon_is_seen_though_that_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one that is sent with the release before the last finds the first still active, whatever comes of it."""
    with closing(open_session(Options(defects=("wfl-03-at-the-first-release",)))) as session:
        bench, control = Bench(session, "workflow"), session.control
        assert control is not None
        session.evidence.expect("workflow", "WFL-03", "a scenario")
        reconciliations = bench.reconciliations
        reconciliation = reconciliations.begin(reconciliations.plain(reconciliations.scope.places[0], 1, 1))
        assert reconciliations.submit_orders(reconciliation)
        assert reconciliations.create(reconciliation).is_accepted
        session.control = None
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: control.advance(seconds))
        monkeypatch.setattr(Session, "inbox", None)
        assert reconciliations.released(reconciliation, 0)
        reconciliations.takes.told = 3600.0  # so long the target was seen to take
        law = stays_active((2, 2), bench, catalogue()["WFL-03"])[0]
        assert law.meanwhile is not None
        with pytest.raises(Violation, match="WFL-03"):
            law.meanwhile(reconciliation, 1)


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


def test_what_others_completed_is_waited_for_although_nothing_is_known_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with a store of its own that began within the seconds that reconciling takes said that it could decide nothing."""
    with closing(open_session(Options())) as session:
        control = session.control
        assert control is not None
        others = Bench(session, "others").reconciliations
        one = others.begin(others.plain(others.scope.places[0], 1))
        assert others.submit_orders(one)
        assert others.create(one).is_accepted
        assert others.released(one, 0)
        monkeypatch.setattr(type(session), "in_process", False)
        session.control = None
        session.waiting.sleep = control.advance
        mine = Bench(session, "mine").reconciliations
        whole = mine.plain(mine.scope.places[0], 1)
        mine.bench.fresh(whole.shape)  # the code of the others' order
        reconciliation = mine.begin(whole)
        assert mine.submit_orders(reconciliation)
        assert mine.create(reconciliation).is_accepted
        assert mine.released(reconciliation, 0)


@pytest.mark.parametrize(
    ("after_refusal", "times", "blamed"),
    [
        pytest.param(True, 1, set(), id="once after a refusal"),
        pytest.param(False, NO_ACCIDENT, set(), id="again and again"),
        pytest.param(True, NO_ACCIDENT, {"REC-09"}, id="each time after a refusal"),
    ],
)
def test_what_somebody_else_has_active_for_a_time_is_no_rules_business(
    after_refusal: bool, times: int, blamed: set[str], mocks: list[Koncili], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-01 was blamed, or after a refused creation REC-09."""
    with closing(open_session(Options())) as session:
        bench, control = Bench(session, "creations"), session.control
        assert control is not None
        session.evidence.expect("creations", "REC-01", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        last = reconciliations.run_through(reconciliations.plain(place, 1))
        monkeypatch.setattr(type(session), "in_process", False)
        monkeypatch.setattr(Session, "inbox", None)
        session.control = None
        world = mocks[0].world
        mine = world.opened(last.id or 0)
        assert mine is not None
        waited = 0.0

        def others_work(seconds: float) -> None:
            nonlocal waited
            waited += seconds
            control.advance(seconds)
            if waited > 30:
                theirs.situation = "CONCILIED"

        session.waiting.sleep = others_work
        for number in range(times):
            years, waited = timedelta(days=9000 + number), 0.0
            theirs = Reconciliation(900, mine.account, mine.channel, mine.init - years, mine.end - years, 1)
            reconciliations.settling.clear()
            world.all_reconciliations.append(theirs)
            if after_refusal:
                reconciliations.refused_at.add(place)
            after = reconciliations.begin(reconciliations.plain(place, 1))
            assert reconciliations.submit_orders(after)
            with pytest.raises(HinderedForNow):
                reconciliations.create(after)
        assert session.evidence.observed.keys() == blamed
        if blamed:  # what it is about is known: nothing is waited for any more
            control.advance(60)
            reconciliations.settling.clear()
            theirs.situation, waited = None, 0.0
            reconciliations.refused_at.add(place)
            after = reconciliations.begin(reconciliations.plain(place, 1))
            assert reconciliations.submit_orders(after)
            with pytest.raises(Hindered, match="REC-09"):
                reconciliations.create(after)
            assert waited == 0
            theirs.situation = "CONCILIED"
        again = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(again)
        assert reconciliations.create(again).is_accepted
        reconciliations.finish(again)


def test_what_may_be_somebody_elses_is_waited_for_no_longer_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait that was too long ended the run before REC-01 was blamed."""
    with closing(open_session(Options())) as session:
        bench, control = Bench(session, "creations"), session.control
        assert control is not None
        session.evidence.expect("creations", "REC-01", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        reconciliations.run_through(reconciliations.plain(place, 1))
        monkeypatch.setattr(type(session), "in_process", False)
        monkeypatch.setattr(Session, "inbox", None)
        session.control = None
        session.waiting.sleep, session.waiting.at_most = control.advance, 20.0
        reconciliations.settling.clear()
        real = bench.session.client.call

        def refused(endpoint: Endpoint, **sent: Any) -> Exchange:
            if endpoint is Endpoint.CREATE_RECONCILIATION:
                sent["body"] = sent["body"].replace(b'"releasesQtd": 1', b'"releasesQtd": 0')
            return real(endpoint, **sent)

        monkeypatch.setattr(session.client, "call", refused)
        after = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(after)
        assert reconciliations.create(after).is_refused
        assert session.evidence.observed.keys() == {"REC-01"}


@pytest.mark.parametrize("at_once", [False, True], ids=["by itself", "at once with another"])
def test_when_one_is_open_what_was_waited_for_the_one_before_is_over(at_once: bool) -> None:
    """What was waited for those opened at once added up: after four that took 20 s each no other was waited for."""
    with closing(open_session(Options())) as session:
        bench = Bench(session, "creations")
        session.evidence.expect("creations", "CON-01", "a scenario")
        session.control = None
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        reconciliation = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(reconciliation)
        reconciliations.waited[place] = 80.0
        if at_once:
            accepted = bench.send(creation_of(reconciliation.batch), reconciliation.values[0])
            reconciliations.opened(reconciliation, accepted)
        else:
            reconciliations.create(reconciliation)
        assert reconciliation.id is not None
        assert place not in reconciliations.waited


def test_a_period_is_kept_only_of_what_was_refused_for_one_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    """That an earlier run has taken it is known by another that is refused for the same: one of no releases left no trace."""
    with closing(open_session(Options(defects=("rec-09-malformed-kept",)))) as session:
        bench = Bench(session, "creations")
        session.evidence.expect("creations", "REC-09", "a scenario")
        reconciliations = bench.reconciliations
        monkeypatch.setattr(type(session), "in_process", False)
        place = reconciliations.scope.places[0]
        reconciliation = reconciliations.begin(reconciliations.plain(place, 1))
        lawful = creation_of(reconciliation.batch)
        broken = replace(lawful, body={**lawful.body, "totalNetValue": "one"})
        assert reconciliations.submit_orders(reconciliation)
        assert reconciliations.send_broken(reconciliation, broken).is_refused
        with pytest.raises(Violation, match="REC-09"):
            reconciliations.create_after_refusal(reconciliation, (broken,))


@pytest.mark.parametrize(
    ("tells", "environment", "has_id", "found"),
    [
        pytest.param(True, "mock", False, Violation, id="nobody else is there"),
        pytest.param(True, "sandbox", False, TargetUnavailable, id="it may be somebody else's"),
        pytest.param(False, "mock", False, TargetUnavailable, id="the one before may take so long"),
        pytest.param(False, "sandbox", True, Violation, id="it takes its releases"),
    ],
)
def test_a_refused_creation_that_stays_active_is_not_passed_for_what_is_seen_elsewhere(
    tells: bool,
    environment: str,
    has_id: bool,
    found: type[Exception],
    mocks: list[Koncili],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was waited for in vain, as for one before that takes long, and the rule passed by its other laws."""
    with closing(open_session(Options(defects=("rec-09-overlapping-active",)))) as session:
        bench, control = Bench(session, "creations"), session.control
        assert control is not None
        session.evidence.expect("creations", "REC-09", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        earlier = [reconciliations.run_through(reconciliations.plain(place, 1)) for _ in range(2)][-1]
        reconciliations.settling.add(place)
        monkeypatch.setattr(type(session), "in_process", False)
        if tells:
            assert session.inbox is not None  # opened while the mock can be told where it is
        else:
            monkeypatch.setattr(Session, "inbox", None)
        session.control = None
        session.waiting.sleep = control.advance
        over = reconciliations.begin(reconciliations.plain(place, 1))
        over.values = tuple(one.having(**{PERIOD: earlier.values[0][PERIOD]}) for one in over.values)
        assert reconciliations.submit_orders(over)
        reconciliations.refused_at.add(place)
        other = reconciliations.begin(reconciliations.plain(place, 1))
        lawful = creation_of(other.batch)
        for _ in range(2):  # two of its copies leave nothing; they are no two that are to be asked for
            broken = replace(lawful, body={**lawful.body, "releasesQtd": 0})
            assert reconciliations.send_broken(other, broken).is_refused
        assert reconciliations.send_broken(over, creation_of(over.batch)).is_refused
        if has_id:
            mocks[0].world.all_reconciliations[-1].id = max(reconciliations.ids) + 2
        session.target = session.target.model_copy(update={"environment": environment})
        after = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(after)
        with pytest.raises(Hindered):
            reconciliations.create(after, blame=False)
        with pytest.raises(found) as raised:
            check_nothing_stays_active(bench)
        assert found is TargetUnavailable or "REC-09" in str(raised.value)


def test_what_blocks_several_channels_is_asked_for_until_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each later look at one of them asked at all of them again."""
    with closing(open_session(Options())) as session:
        bench, asked = Bench(session, "creations"), list[Place]()
        session.evidence.expect("creations", "REC-09", "a scenario")
        reconciliations = bench.reconciliations
        places = list({one.channel: one for one in reconciliations.scope.places}.values())
        for place in places:
            for _ in range(2):
                reconciliations.run_through(reconciliations.plain(place, 1))
        over = reconciliations.begin(reconciliations.plain(places[0], 1))
        lawful = creation_of(over.batch)
        refusal = reconciliations.send_broken(over, replace(lawful, body={**lawful.body, "releasesQtd": 0}))
        session.control = None
        reconciliations.endless.update(places)
        reconciliations.refused_at.update(places)

        def opens_none(_: ReconciliationCalls, batch: Batch) -> bool:
            asked.append(batch.place)
            return False

        with monkeypatch.context() as patched:
            patched.setattr(ReconciliationCalls, "opens_now", opens_none)
            for _ in range(3):
                note_stuck(reconciliations, refusal)
        assert len(places) > 1
        assert (len(asked), set(asked)) == (len(places), set(places))
        assert session.evidence.observed.keys() == {"REC-09"}
        monkeypatch.setattr(Session, "inbox", None)  # nobody waits for what a clock that stands still will never send
        assert reconciliations.opens_now(reconciliations.plain(places[0], 1))
        assert reconciliations.endless == set(places[1:]), "it was over there"


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


def test_only_what_comes_next_at_its_place_waits_for_a_reconciliation(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is going on there is other work, also reconciliations of other accounts."""
    with closing(open_session(Options())) as session:
        control, paused = session.control, list[float]()
        assert control is not None
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "WFL-01", "a scenario")
        reconciliations = bench.reconciliations
        one, other = reconciliations.scope.places[0], reconciliations.scope.places[-1]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)

        def pause(_session: Session, _what: str, seconds: float) -> None:
            paused.append(seconds)
            control.advance(seconds)

        monkeypatch.setattr(Session, "pause", pause)
        reconciliations.takes.told = 600.0
        reconciliations.run(reconciliations.begin(reconciliations.plain(one, 1)))
        order = reconciliations.plain(one, 1).orders[0]
        assert bench.submit(order, bench.fresh("amazon")).is_accepted
        reconciliations.run(reconciliations.begin(reconciliations.plain(other, 1)))
        assert paused == []
        reconciliations.run(reconciliations.begin(reconciliations.plain(one, 1)))
        assert len(paused) == 1
        assert 0 < paused[0] <= 660
        assert [exchange.status for exchange in bench.story if exchange.is_refused] == []


def test_a_broken_creation_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be refused for the one before, and that would be taken for what it should be refused for."""
    with closing(open_session(Options())) as session:
        bench, paused = Bench(session, "reconciliations"), list[float]()
        session.evidence.expect("reconciliations", "REC-07", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)
        monkeypatch.setattr(Session, "pause", lambda _self, _what, seconds: paused.append(seconds))
        reconciliations.takes.told = 600.0
        reconciliations.run(reconciliations.begin(reconciliations.plain(place, 1)))
        reconciliation = reconciliations.begin(reconciliations.plain(place, 1))
        broken = {**reconciliation.batch.creation, "releasesQtd": 0}
        bench.send(Call(Endpoint.CREATE_RECONCILIATION, body=broken), reconciliation.values[0])
        assert len(paused) == 1


def test_what_is_opened_to_see_that_one_has_ended_is_used_by_the_next_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such look opened and completed a reconciliation of its own: twice as many as were needed."""
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "CON-03", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)

        def alike(*sizes: int) -> OpenReconciliation:
            batch = reconciliations.plain(place, *sizes)
            return reconciliations.take_spare(batch) or reconciliations.open_for(batch)

        first = alike(2, 1)
        assert all(reconciliations.released(first, order) for order in range(2))
        assert reconciliations.is_free(place, first.batch)
        second = alike(2, 1)
        assert len(reconciliations.ids) == 2
        assert all(reconciliations.released(second, order) for order in range(2))
        assert reconciliations.is_free(place, second.batch)
        third = alike(1, 1)  # another: what was opened for one like the others is completed before
        assert len(reconciliations.ids) == 4
        assert all(reconciliations.released(third, order) for order in range(2))
        assert reconciliations.is_free(place, third.batch)
        reconciliations.finish_spare()
        assert reconciliations.is_free(place)


def test_one_for_fewer_entries_than_its_orders_have_is_completed_by_what_fits() -> None:
    """The release of the next order was refused, three times and some seconds later."""
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "CON-03", "a scenario")
        reconciliations = bench.reconciliations
        two = reconciliations.plain(reconciliations.scope.places[0], 2, 2)
        opened = reconciliations.open_for(replace(two, creation={**two.creation, "releasesQtd": 2}))
        reconciliations.finish(opened)
        assert opened.is_complete
        assert opened.released == {0}
        assert session.journal.traffic.client_errors == 0


def test_an_earlier_period_is_used_again_where_nothing_lies_beside_it() -> None:
    with closing(open_session(Options(variants=("reconciles-at-once",)))) as session:
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "REC-04", "a scenario")
        reconciliations = bench.reconciliations
        place, other = reconciliations.scope.places[:2]
        assert reconciliations.lying_alone(place, 60) is None
        first = reconciliations.run_through(reconciliations.plain(place, 1, seconds=60))
        assert [reconciliations.lying_alone(*some) for some in ((place, 60), (place, 61), (other, 60))] == [
            first,
            None,
            None,
        ]
        beside = reconciliations.begin(reconciliations.plain(place, 1, seconds=10))
        ends = datetime.fromisoformat(first.values[0][PERIOD]) + timedelta(seconds=60)
        beside.values = (beside.values[0].having(**{PERIOD: printed(ends)}),)
        reconciliations.run(beside)
        assert reconciliations.lying_alone(place, 60) is None


def test_how_long_one_takes_is_not_reckoned_from_the_end_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that came between was taken for the time of one, and waited for each time from then on."""
    with closing(open_session(Options())) as session:
        control, now = session.control, 0.0
        assert control is not None
        bench = Bench(session, "reconciliations")
        session.evidence.expect("reconciliations", "WFL-01", "a scenario")
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        session.control = None
        monkeypatch.setattr(Session, "inbox", None)

        def pass_by(seconds: float) -> None:
            nonlocal now
            now += seconds
            control.advance(seconds)

        monkeypatch.setattr(session.waiting, "sleep", pass_by)
        monkeypatch.setattr(session.waiting, "clock", lambda: now)
        reconciliations.run(reconciliations.begin(reconciliations.plain(place, 1)))
        second = reconciliations.begin(reconciliations.plain(place, 1))
        assert reconciliations.submit_orders(second)
        assert reconciliations.create(second).is_accepted
        learnt = reconciliations.pause
        pass_by(1000)
        assert reconciliations.released(second, 0)  # by whatever way it is completed, nobody put off the next
        reconciliations.settling.add(place)
        reconciliations.run(reconciliations.begin(reconciliations.plain(place, 1)))
        assert 0 < learnt <= reconciliations.pause < 60
