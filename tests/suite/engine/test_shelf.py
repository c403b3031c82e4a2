"""The shelf: one open reconciliation for the examples of many scenarios, and each with the evidence that it has by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pytest

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.rules import Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.release_laws import SHARED_LAWS
from conformance.engine.shelf import Shelf, prove_shared
from conformance.errors import TargetUnavailable
from conformance.mock import defects as mock_defects
from conformance.mock.koncili import Koncili
from conformance.mock.world import Reconciliation
from conformance.run.session import Options, open_session
from conformance.target.shared.calendar import LONG, SHORT
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation

RULES: Final[Mapping[str, str]] = {
    "every release is accepted with 2xx": "REL-01",
    "with its entries in the sequence of the extracts it is accepted": "REL-15",
    "with its entries in another sequence it is accepted, or refused and accepted in its own": "REL-19",
    "dated at either end of the period it is answered as the reading says": "REL-20",
    "for an order that was deleted it is refused with 4xx": "REL-13",
}
"""The rule of each Then step that can be tried on the shelf."""

PLACES: Final = 2
"""Where reconciliations are opened that scenarios share."""

REFUSES: Final = frozenset({"REL-13"})


@contextmanager
def bench_for(*steps: str, together: bool = True, **options: Any) -> Iterator[Bench]:
    session = open_session(Options(**options))
    try:
        laws = {step: (catalogue()[RULES[step]], SHARED_LAWS[step]) for step in steps}
        bench = Bench(session, shared_laws=laws if together else {})
        for step in steps:
            session.evidence.expect(step, RULES[step], step)
        yield bench
    finally:
        session.close()


def run(bench: Bench, step: str) -> str:
    """Run one scenario; the rule that it sees broken, if it sees one."""
    session, broken = bench.session, ""
    bench.scenario = step
    before = session.spent_on_rules
    try:
        prove_shared(bench, catalogue()[RULES[step]], SHARED_LAWS[step])
    except Violation as violation:
        broken = violation.rule
    session.evidence.scenarios[step].took(session.spent_on_rules - before)
    session.evidence.finish(step, Outcome.FAILED if broken else Outcome.PASSED)
    return broken


def seen(bench: Bench, step: str) -> tuple[int, int]:
    scenario = bench.session.evidence.scenarios[step]
    return scenario.count(Side.ACCEPTED), scenario.count(Side.REFUSED)


def test_every_law_of_the_table_has_its_rule_here() -> None:
    assert RULES.keys() == SHARED_LAWS.keys()


def test_a_few_reconciliations_serve_all_and_each_scenario_has_what_it_has_by_itself() -> None:
    found = []
    for together in (True, False):
        with bench_for(*RULES, together=together) as bench:
            assert [run(bench, step) for step in RULES] == [""] * len(RULES)
            assert bench.session.evidence.observed == {}
            found.append({step: seen(bench, step) for step in RULES})
            assert (len(bench.reconciliations.ids) <= PLACES) is together
    assert found[0] == found[1]
    assert all(refused > 0 for step, (_, refused) in found[0].items() if RULES[step] in REFUSES)


@pytest.mark.usefixtures("without_a_clock")
def test_where_the_first_periods_are_used_all_is_dated_within_the_next_one(mocks: list[Koncili]) -> None:
    """What was opened moved on to another period, and the releases in it were dated in the one that was refused."""
    with bench_for(*RULES) as bench:
        bench.session.in_process, ids = False, count(7_000_001)
        for place in bench.scope.places:
            for track in (SHORT, LONG):
                ends = track.first + track.run / 2
                used = Reconciliation(
                    next(ids), place.account, place.channel, track.first, ends, 1, situation="CONCILIED"
                )
                mocks[0].world.all_reconciliations.append(used)
        assert [run(bench, step) for step in RULES] == [""] * len(RULES)
        assert bench.session.evidence.observed == {}
        a_plain_one_where_the_long_one_was_refused = 1
        assert len(bench.reconciliations.ids) <= PLACES + a_plain_one_where_the_long_one_was_refused


def test_what_was_sent_before_its_turn_is_counted_where_it_belongs() -> None:
    spent = []
    for together in (True, False):
        with bench_for(*RULES, together=together) as bench:
            for step in RULES:
                run(bench, step)
            scenarios = [bench.session.evidence.scenarios[step] for step in RULES]
            assert sum(one.requests for one in scenarios) == bench.session.journal.traffic.requests
            assert sum(one.client_errors for one in scenarios) == bench.session.journal.traffic.client_errors
            spent.append([one.client_errors for one in scenarios])
    assert spent[0] == spent[1]


@pytest.mark.parametrize(
    ("defect", "blamed"),
    [
        ("rel-01-decimals-compared", "REL-01"),
        ("rel-13-deleted-orders", "REL-13"),
        ("rel-15-sorted-types-demanded", "REL-15"),
        ("rel-19-other-sequence-kept", "REL-19"),
        ("rel-20-ends-refused", "REL-20"),
        ("strict-reconciliation-long-period", "REC-01"),
    ],
)
def test_a_defect_is_blamed_as_if_each_were_tried_by_itself(defect: str, blamed: str) -> None:
    found = []
    for together in (True, False):
        with bench_for(*RULES, together=together, defects=(defect,), shrink=False) as bench:
            broken = {run(bench, step) for step in RULES} | bench.session.evidence.observed.keys()
            found.append((broken - {""}, {step: seen(bench, step) for step in RULES}))
    assert found[0] == found[1]
    assert blamed in found[0][0]


@pytest.mark.parametrize(("name", "rule"), [("rel-13-not-enforced", "REL-13")])
def test_what_is_taken_on_the_shelf_and_refused_by_itself_never_passes(
    name: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that pays twice now and then: what was seen once must not be forgotten since it was not seen again."""
    defect, times = mock_defects.defect(name), count()
    assert defect.overlooks is not None

    def overlooked_once(breach: Breach, request: Request, overlooks: Any = defect.overlooks) -> bool:
        return bool(overlooks(breach, request)) and next(times) == 0

    monkeypatch.setattr(mock_defects, "defect", lambda _: replace(defect, overlooks=overlooked_once))
    with bench_for(*RULES, defects=(name,), shrink=False) as bench:
        assert [run(bench, step) for step in RULES] == [""] * len(RULES)
        assert next(times) > 1  # it was tried again, and refused
        assert {RULES[step] for step in RULES if RULES[step] in REFUSES and not seen(bench, step)[1]} == {rule}
        hindrances = [scenario.hindrance for scenario in bench.session.evidence.scenarios.values()]
        assert any("and not by itself" in hindrance for hindrance in hindrances)


def test_one_that_does_not_go_as_it_should_costs_the_others_nothing() -> None:
    """What was accepted in spite of its fault is in that reconciliation: those after it get a new one."""
    with bench_for(*RULES, defects=("rel-13-deleted-orders",), shrink=False) as bench:
        for step in RULES:
            run(bench, step)
        by_itself = len(bench.reconciliations.ids)
    with bench_for(*RULES) as bench:
        for step in RULES:
            run(bench, step)
        assert by_itself <= len(bench.reconciliations.ids) + 2


def test_where_long_periods_are_refused_the_others_share_theirs_still() -> None:
    """What needs one of some days was with them: earlier runs may have used up all of those."""
    with bench_for(*RULES, defects=("strict-reconciliation-long-period",), shrink=False) as bench:
        for step in RULES:
            run(bench, step)
        assert len(bench.reconciliations.ids) <= PLACES


@pytest.mark.parametrize("step", RULES)
def test_a_scenario_alone_opens_no_more_than_it_does_by_itself(step: str) -> None:
    opened = []
    for together in (True, False):
        with bench_for(step, together=together) as bench:
            assert run(bench, step) == ""
            opened.append(len(bench.reconciliations.ids))
    assert opened[0] <= opened[1]


def test_a_deep_run_tries_each_by_itself() -> None:
    step = "with its entries in the sequence of the extracts it is accepted"
    with bench_for(step, profile="deep") as bench:
        assert run(bench, step) == ""
        assert all(len(one.batch.orders) == 1 for one in bench.reconciliations.ids.values())


def test_where_answers_get_lost_nothing_stays_active(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise TargetUnavailable("no answer")

    monkeypatch.setattr(Shelf, "_fill_up", lost)
    with bench_for(*RULES) as bench:
        assert [run(bench, step) for step in RULES] == [""] * len(RULES)
        assert bench.session.evidence.observed == {}
        assert all(seen(bench, step)[0] for step in RULES)
