"""Refusals tried together: one reconciliation for many scenarios, and each scenario with the evidence that it has by itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.rules import Side, catalogue
from conformance.engine import laws
from conformance.engine.bench import Bench
from conformance.engine.kill_matrix import Refusal
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.reconciliation_calls import ReconciliationCalls
from conformance.engine.shelf import Shelf
from conformance.engine.together import Together
from conformance.errors import Doubtful, TargetUnavailable
from conformance.mock import defects as mock_defects
from conformance.run.session import Options, open_session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.faults import FAULTS
from strategies.orders import STATUSES

CREATIONS = tuple(
    Refusal(rule, Endpoint.CREATE_RECONCILIATION, fault)
    for rule in ("REC-03", "REC-07", "REC-08")
    for fault in FAULTS[rule]
)
RELEASES = tuple(
    Refusal(rule, Endpoint.SUBMIT_RELEASE, fault)
    for rule in ("REL-02", "REL-03", "REL-04", "REL-05", "REL-06", "REL-07", "REL-09", "REL-10", "REL-16")
    for fault in FAULTS[rule]
)
PLACES = 3
"""Of the mock in process."""


def scenario_of(refusal: Refusal) -> str:
    return f"{refusal.rule} {refusal.fault}"


@contextmanager
def bench_for(refusals: Sequence[Refusal], *, together: bool = True, **options: Any) -> Iterator[Bench]:
    session = open_session(Options(**options))
    try:
        scenarios = {refusal: scenario_of(refusal) for refusal in refusals}
        bench = Bench(session, refusal_scenarios=scenarios if together else {})
        for refusal in refusals:
            session.evidence.expect(scenario_of(refusal), refusal.rule, refusal.fault)
        yield bench
    finally:
        session.close()


def run(bench: Bench, refusal: Refusal) -> str:
    """Run one scenario; the rule that it sees broken, if it sees one."""
    bench.scenario = scenario_of(refusal)
    session = bench.session
    scenario, before = session.evidence.scenarios[bench.scenario], session.spent_on_rules
    broken = ""
    try:
        laws.refuse(bench, catalogue()[refusal.rule], refusal.endpoint, refusal.fault, STATUSES)
    except Violation as violation:
        broken = violation.rule
    scenario.took(session.spent_on_rules - before)
    session.evidence.finish(bench.scenario, Outcome.FAILED if broken else Outcome.PASSED)
    return broken


def saw_both(bench: Bench, refusal: Refusal) -> bool:
    scenario = bench.session.evidence.scenarios[scenario_of(refusal)]
    kinds = bench.kinds_of(catalogue()[refusal.rule], refusal.endpoint, refusal.fault)
    return scenario.count(Side.ACCEPTED) > 0 and scenario.count(Side.REFUSED) == len(kinds)


@pytest.mark.parametrize(("refusals", "at_most"), [(CREATIONS, 1), (RELEASES, PLACES)], ids=["creations", "releases"])
def test_one_reconciliation_serves_the_scenarios_of_a_place(refusals: Sequence[Refusal], at_most: int) -> None:
    with bench_for(refusals) as bench:
        assert [run(bench, refusal) for refusal in refusals] == [""] * len(refusals)
        assert len(bench.reconciliations.ids) <= at_most
        assert all(saw_both(bench, refusal) for refusal in refusals)
        assert bench.session.evidence.observed == {}


@pytest.mark.parametrize("refusals", [CREATIONS, RELEASES], ids=["creations", "releases"])
def test_what_was_sent_ahead_is_counted_where_it_belongs(refusals: Sequence[Refusal]) -> None:
    with bench_for(refusals) as bench:
        for refusal in refusals:
            run(bench, refusal)
        scenarios = [bench.session.evidence.scenarios[scenario_of(refusal)] for refusal in refusals]
        assert sum(one.requests for one in scenarios) == bench.session.journal.traffic.requests
        assert sum(one.client_errors for one in scenarios) == bench.session.journal.traffic.client_errors
        assert all(one.client_errors == one.count(Side.REFUSED) for one in scenarios)


@pytest.mark.parametrize(
    ("refusals", "defect", "blamed"),
    [
        (CREATIONS, "rec-07-not-enforced", "REC-07"),
        (CREATIONS, "rec-03-not-enforced", "REC-03"),
        (RELEASES, "rel-04-not-enforced", "REL-04"),
        (RELEASES, "rel-16-not-enforced", "REL-16"),
    ],
)
def test_a_defect_is_blamed_on_its_own_rule_alone(refusals: Sequence[Refusal], defect: str, blamed: str) -> None:
    with bench_for(refusals, defects=(defect,), shrink=False) as bench:
        broken = {refusal.rule: run(bench, refusal) for refusal in refusals}
        assert {rule for rule in broken.values() if rule} == {blamed} == {rule for rule in broken if broken[rule]}
        assert all(saw_both(bench, refusal) for refusal in refusals if refusal.rule != blamed)
        assert bench.session.evidence.observed == {}


@pytest.mark.parametrize(
    ("refusals", "defect", "to_blame"),
    [
        (CREATIONS, "rec-09-stays-active", "REC-09"),
        (CREATIONS, "rec-09-period-kept", "REC-09"),
        (RELEASES, "rel-18-refused-is-there", "REL-18"),
        (RELEASES, "rel-18-half-written", "REL-18"),
        (RELEASES, "wfl-02-one-order-only", "WFL-02"),
    ],
)
def test_what_stands_in_the_way_is_blamed_as_if_each_were_tried_by_itself(
    refusals: Sequence[Refusal], defect: str, to_blame: str
) -> None:
    found = []
    for together in (True, False):
        with bench_for(refusals, together=together, defects=(defect,), shrink=False) as bench:
            broken = {run(bench, refusal) for refusal in refusals} | bench.session.evidence.observed.keys()
            assert broken - {""} == {to_blame}
            found.append({refusal for refusal in refusals if saw_both(bench, refusal)})
    # Less may count, as by which kinds are drawn: what comes after one that left a trace says nothing.
    assert found[0] <= found[1]


@pytest.mark.parametrize(
    ("refusals", "rule"), [(CREATIONS, "REC-07"), (RELEASES, "REL-04")], ids=["a creation", "a release"]
)
def test_what_is_taken_beside_others_and_refused_by_itself_never_passes(
    refusals: Sequence[Refusal], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lacks a check now and then: what was seen once must not be forgotten since it was not seen again."""
    defect, times = mock_defects.defect(f"{rule.lower()}-not-enforced"), count()
    assert defect.overlooks is not None

    def overlooked_once(breach: Breach, request: Request, overlooks: Any = defect.overlooks) -> bool:
        return bool(overlooks(breach, request)) and next(times) == 0

    monkeypatch.setattr(mock_defects, "defect", lambda _: replace(defect, overlooks=overlooked_once))
    with bench_for(refusals, defects=(defect.name,), shrink=False) as bench:
        assert {run(bench, refusal) for refusal in refusals} == {""}
        assert next(times) > 1  # it was tried again, and refused
        scenarios = {refusal: bench.session.evidence.scenarios[scenario_of(refusal)] for refusal in refusals}
        withheld = {one.rule for one, scenario in scenarios.items() if not scenario.count(Side.REFUSED)}
        assert withheld == {rule}
        assert any("and not by itself" in scenario.hindrance for scenario in scenarios.values())


@pytest.mark.parametrize(
    ("refusals", "attempts", "attempt"),
    [(CREATIONS, Together, "_creations"), (RELEASES, Shelf, "_try_in_one")],
    ids=["creations", "releases"],
)
def test_where_answers_get_lost_it_is_not_tried_again(
    refusals: Sequence[Refusal], attempts: type, attempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six times all of it, and then by itself: the budget of a target behind a bad gateway went into that."""
    times = count()

    def lost(*_: object) -> None:
        next(times)
        raise TargetUnavailable("no answer")

    monkeypatch.setattr(attempts, attempt, lost)
    with bench_for(refusals) as bench:
        assert {run(bench, refusal) for refusal in refusals} == {""}
        assert next(times) == 1
        assert all(saw_both(bench, refusal) for refusal in refusals)


@contextmanager
def answer_lost(monkeypatch: pytest.MonkeyPatch, is_meant: Callable[[Exchange], bool]) -> Iterator[list[Exchange]]:
    """The first answer that is meant is lost, and what is sent again is refused: the one that was lost, and all of its endpoint
    that come after it."""
    send, after = Bench.send, list[Exchange]()

    def lossy(bench: Bench, call: Call, values: Any, *rest: Any, **more: Any) -> Exchange:
        exchange = send(bench, call, values, *rest, **more)
        if after and exchange.endpoint is after[0].endpoint:
            after.append(exchange)
        if not after and is_meant(exchange):
            after.append(exchange)
            raise Doubtful("no answer", send(bench, call, values, *rest, **more))
        return exchange

    monkeypatch.setattr(Bench, "send", lossy)
    yield after


@pytest.mark.parametrize(("refusals", "at_most"), [(CREATIONS, 1), (RELEASES, PLACES)], ids=["a creation", "a release"])
def test_a_broken_copy_whose_answer_is_lost_spoils_nothing(
    refusals: Sequence[Refusal], at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused when it was sent again and the lawful one is accepted after it: so it was not carried out."""
    endpoint = refusals[0].endpoint
    with (
        answer_lost(monkeypatch, lambda one: one.endpoint is endpoint and one.is_refused) as after,
        bench_for(refusals) as bench,
    ):
        assert {run(bench, refusal) for refusal in refusals} == {""}
        assert after
        assert len(bench.reconciliations.ids) <= at_most
        assert all(saw_both(bench, refusal) for refusal in refusals)


def test_a_release_whose_answer_is_lost_is_not_sent_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        answer_lost(monkeypatch, lambda one: one.endpoint is Endpoint.SUBMIT_RELEASE and one.is_accepted) as after,
        bench_for(RELEASES) as bench,
    ):
        assert {run(bench, refusal) for refusal in RELEASES} == {""}
        assert after[0].request_body not in [one.request_body for one in after[1:]]
        assert all(saw_both(bench, refusal) for refusal in RELEASES)


def test_what_is_drawn_for_some_is_not_taken_for_others() -> None:
    """The prover keeps what was drawn from mock to mock: after one with a fault the rest is tried together once more."""
    kept: dict[Hashable, list[Any]] = {}
    for defects in ((), ("rec-03-not-enforced",), ()):
        with bench_for(CREATIONS, defects=defects, shrink=False) as bench:
            bench.session.drawn = kept
            broken = {run(bench, refusal) for refusal in CREATIONS}
            assert broken - {""} == ({"REC-03"} if defects else set())
            assert bench.session.evidence.observed == {}
            assert all(saw_both(bench, refusal) for refusal in CREATIONS if not defects or refusal.rule != "REC-03")


def test_a_rule_alone_has_one_reconciliation_of_its_own() -> None:
    (alone,) = (refusal for refusal in RELEASES if refusal.rule == "REL-04")
    with bench_for([alone]) as bench:
        assert run(bench, alone) == ""
        assert len(bench.reconciliations.ids) == 1
        assert len(next(iter(bench.reconciliations.ids.values())).batch.orders) == 2


def test_a_deep_run_tries_each_by_itself() -> None:
    some = [refusal for refusal in RELEASES if refusal.rule in {"REL-04", "REL-16"}]
    with bench_for(some, profile="deep") as bench:
        assert [run(bench, refusal) for refusal in some] == [""] * len(some)
        assert all(len(one.batch.orders) == 2 for one in bench.reconciliations.ids.values())


def test_what_is_seen_beside_is_told_with_the_scenario_and_the_kinds_that_show_it() -> None:
    """Those that `replay` tries again: not those of the scenario in whose turn all were tried."""
    with bench_for(CREATIONS, defects=("err-02-array-body",)) as bench:
        run(bench, CREATIONS[0])
        found = bench.session.evidence.observed["ERR-02"]
    assert found.during in {refusal.fault for refusal in CREATIONS if refusal.rule == "REC-08"}
    assert "an array of it" in found.during_kinds


def test_where_kinds_are_told_nothing_is_tried_ahead() -> None:
    with bench_for(CREATIONS) as bench:
        bench.session.replayed = (
            bench.kinds_of(catalogue()["REC-03"], Endpoint.CREATE_RECONCILIATION, CREATIONS[0].fault)[0].name,
        )
        run(bench, CREATIONS[0])
        assert bench.session.journal.traffic.client_errors == 1


@pytest.mark.usefixtures("without_a_clock")
def test_where_the_answer_to_what_fills_it_up_is_lost_nobody_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again it is refused, since it is in: that was remembered as a lawful release that is refused."""
    release_all, times = ReconciliationCalls.release_all, count()

    def lost_once(self: ReconciliationCalls, reconciliation: OpenReconciliation) -> None:
        if next(times) == 0:
            self.release(reconciliation, 0)
            reconciliation.released.discard(0)
            raise Doubtful("no answer")
        release_all(self, reconciliation)

    monkeypatch.setattr(ReconciliationCalls, "release_all", lost_once)
    values = Refusal("REL-08", Endpoint.SUBMIT_RELEASE, "one value is not that of the extract")
    with bench_for([*RELEASES, values]) as bench:
        assert [run(bench, refusal) for refusal in (*RELEASES, values)] == [""] * (len(RELEASES) + 1)
        assert bench.session.evidence.observed == {}
        assert bench.reconciliations.spoiled_at == {}  # of which a rule would be blamed as soon as its place is needed
