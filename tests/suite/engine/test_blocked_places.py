"""A place where something is active: what comes next waits for it, and no rule is blamed for what somebody else has there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine.bench import Bench
from conformance.engine.reconciliation_calls import ReconciliationCalls
from conformance.engine.stays_active import NO_ACCIDENT, check_nothing_stays_active, note_stuck
from conformance.engine.unfinished import Hindered, HinderedForNow
from conformance.errors import TargetUnavailable
from conformance.mock.koncili import Koncili
from conformance.mock.world import Reconciliation
from conformance.run.session import Options, Session, open_session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, creation_of, release_of
from strategies.periods import PERIOD
from strategies.reconciliations import Batch
from strategies.scope import Place


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
