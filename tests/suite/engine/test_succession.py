"""Reconciliations one after the other: each shows that the one before has ended; a scenario has what it has by itself."""

from __future__ import annotations

from itertools import count
from typing import Any, Final
from unittest.mock import create_autospec

import pytest
from hypothesis import strategies as st

from conformance.contract.rules import Side, catalogue
from conformance.engine import workflow_laws
from conformance.engine.bench import Bench
from conformance.engine.printed_workflow import PRINTED_INIT
from conformance.engine.properties import prove
from conformance.engine.release_laws import SHARED_LAWS
from conformance.engine.succession import Succession
from conformance.engine.whole import Whole
from conformance.errors import TargetUnavailable
from conformance.run.live import Live
from strategies.periods import PERIOD
from tests.suite.support.in_succession import (
    CREATIONS,
    LAWS,
    PRINTED,
    RECONCILED,
    RELEASED_TWICE,
    WHOLE,
    bench_for,
    run,
)

SHARED_PLACES: Final = 2
"""Where reconciliations are opened that scenarios share."""

EXAMPLES: Final = 16
"""Of all of them."""

OPENED: Final = 9
"""For all of them: three each of WFL-02 and WFL-03 are shown by what REL-18 opens, and one of WFL-03 by one of WFL-02."""

OF_WFL_01: Final = 3

PLACES: Final = 3

AFTER_EARLIER_ONES: Final = 5
"""Examples of laws of creations that are about an earlier one: each may need one after all others."""

DELETED_LATER: Final = 2
"""Examples of DEL-04: one of them of many orders."""


def seen(bench: Bench) -> dict[str, int]:
    return {rule: bench.session.evidence.scenarios[rule].count(Side.ACCEPTED) for rule in WHOLE}


def test_each_scenario_has_the_evidence_that_it_has_by_itself() -> None:
    found = []
    for together in (True, False):
        with bench_for(*WHOLE, together=together) as bench:
            assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
            assert bench.session.evidence.observed == {}
            assert sum(bench.session.evidence.scenarios[rule].requests for rule in WHOLE) == (
                bench.session.journal.traffic.requests
            )
            found.append(seen(bench))
    assert found[0] == found[1]
    assert sum(found[0].values()) == EXAMPLES


@pytest.mark.usefixtures("without_a_clock")
def test_that_each_has_ended_is_shown_by_the_next_one() -> None:
    """Another was opened after each, only to see that."""
    with bench_for(*WHOLE) as bench:
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert len(bench.reconciliations.ids) <= OPENED + PLACES
        assert sum(seen(bench).values()) == EXAMPLES


@pytest.mark.parametrize(
    "defect",
    [
        "wfl-01-ends-in-error",
        "wfl-02-one-order-only",
        "wfl-03-at-the-first-release",
        "rel-12-not-enforced",
        "rel-18-refused-counted",
    ],
)
def test_a_defect_is_blamed_as_if_each_were_tried_by_itself(defect: str) -> None:
    found = []
    for together in (True, False):
        with bench_for(*WHOLE, together=together, defects=(defect,), shrink=False) as bench:
            broken = {rule: run(bench, rule) for rule in WHOLE}
            found.append((broken, set(bench.session.evidence.observed), seen(bench)))
    assert found[0] == found[1]
    assert any(found[0][0].values()) or found[0][1]


def test_what_is_opened_shows_that_creations_are_accepted() -> None:
    with bench_for(*WHOLE) as bench:
        bench.scenario = "REC-01"
        assert bench.succession.shows_creations(6)
        assert bench.succession.shows_creations(1, releases=120)
        assert not bench.succession.shows_creations(EXAMPLES + 1)
        opened = len(bench.reconciliations.ids)
        for rule in WHOLE:
            run(bench, rule)
        assert len(bench.reconciliations.ids) == opened == OPENED


def test_creations_are_opened_for_themselves_as_far_as_others_open_fewer() -> None:
    """By itself the rule opened a dozen, nearly all on one account; what it says of their periods, these show too."""
    with bench_for("REC-01") as bench:
        bench.scenario = "REC-01"
        sequences = bench.session.profile.sequences
        assert bench.succession.shows_creations(sequences)
        assert bench.succession.shows_creations(1, releases=120)
        assert all(shown(bench, "REC-01"))
        assert len(bench.reconciliations.ids) == sequences
        assert len({one.place for one in bench.reconciliations.ids.values()}) > 1


@pytest.mark.parametrize("defect", ["rec-01-status-200", "rec-01-id-as-text", "rec-02-same-id"])
def test_creations_that_are_not_as_they_should_be_show_nothing(defect: str) -> None:
    with bench_for(*WHOLE, defects=(defect,), shrink=False) as bench:
        bench.scenario = "REC-01"
        assert not bench.succession.shows_creations(2)
        assert bench.session.evidence.observed == {}


def shown(bench: Bench, rule: str) -> list[bool]:
    """Which of the rule's laws have their evidence when its turn comes, but for what only fills up."""
    bench.scenario = rule
    laws = LAWS[rule](bench, catalogue()[rule.split(maxsplit=1)[0]])
    return [bench.succession.counts(law.name) for law in laws if not (isinstance(law, Whole) and law.fills_up)]


def test_what_laws_say_of_creations_alone_is_shown_by_what_is_opened_anyway() -> None:
    """Each opened reconciliations of its own, two where it is about an earlier one."""
    with bench_for(*WHOLE, *CREATIONS) as bench:
        assert {rule: all(shown(bench, rule)) for rule in CREATIONS} == dict.fromkeys(CREATIONS, True)
        assert OPENED <= len(bench.reconciliations.ids) <= OPENED + 2
        scenarios = bench.session.evidence.scenarios
        assert [scenarios["REC-06"].count(side) for side in (Side.ACCEPTED, Side.REFUSED)] == [3, 3]
        assert [scenarios["REC-09"].count(side) for side in (Side.ACCEPTED, Side.REFUSED)] == [3, 3]
        assert [scenarios[rule].count(Side.ACCEPTED) for rule in ("REC-10", "REC-11", "REC-12")] == [2, 2, 3]
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert sum(seen(bench).values()) == EXAMPLES


def test_one_is_opened_for_a_period_that_is_active_on_another_account() -> None:
    with bench_for(*WHOLE, "REC-10") as bench:
        assert all(shown(bench, "REC-10"))
        at = {(one.values[0][PERIOD], one.batch.seconds): one.place for one in bench.reconciliations.ids.values()}
        assert len(at) < len(bench.reconciliations.ids)


@pytest.mark.parametrize("name", PRINTED)
def test_what_s2_prints_is_shown_in_one_reconciliation(name: str) -> None:
    with bench_for(*PRINTED) as bench:
        assert shown(bench, name) == [True] * len(LAWS[name](bench, catalogue()[name.split(maxsplit=1)[0]]))
        assert len(bench.reconciliations.ids) == 1
        assert [one.values[0][PERIOD] for one in bench.reconciliations.ids.values()] == [PRINTED_INIT]


@pytest.mark.parametrize(
    ("defect", "not_shown"),
    [
        ("rel-03-not-enforced", {"REL-03", "WFL-01 as printed"}),
        ("del-04-not-enforced", {"WFL-01 as printed"}),
        ("wfl-03-never-of-one", {"WFL-01 as printed"}),
    ],
)
def test_where_what_s2_prints_goes_another_way_its_scenarios_see_to_it(defect: str, not_shown: set[str]) -> None:
    with bench_for(*PRINTED, defects=(defect,), shrink=False) as bench:
        assert {name for name in PRINTED if not all(shown(bench, name))} == not_shown
        assert bench.session.evidence.observed == {}


@pytest.mark.usefixtures("without_a_clock")
def test_what_others_open_next_shows_that_the_ones_before_have_ended() -> None:
    """Each place had one opened for that alone. By this seed there is one on each; that where nothing is refused before has its
    own still, and the shelf is on one of the others."""
    opened = []
    for shelf in (False, True):
        with bench_for("WFL-01", seed=5) as bench:
            steps = SHARED_LAWS if shelf else {}
            bench.shared_laws = {step: (catalogue()["REL-01"], laws) for step, laws in steps.items()}
            for step in steps:
                bench.session.evidence.expect(step, "REL-01", step)
            assert run(bench, "WFL-01") == ""
            assert bench.session.evidence.scenarios["WFL-01"].count(Side.ACCEPTED) == OF_WFL_01
            opened.append(len(bench.reconciliations.ids) - (SHARED_PLACES if shelf else 0))
    assert opened == [OF_WFL_01 + PLACES, OF_WFL_01 + PLACES - 1]


@pytest.mark.usefixtures("without_a_clock")
def test_the_last_ones_too_that_only_show_that_those_before_have_ended() -> None:
    with bench_for("WFL-01", *CREATIONS) as bench:
        assert sum(sum(shown(bench, rule)) for rule in CREATIONS) > 0
        after_these = len(bench.reconciliations.ids) - OF_WFL_01 - PLACES
        assert after_these <= AFTER_EARLIER_ONES
        assert run(bench, "WFL-01") == ""
        assert bench.session.evidence.scenarios["WFL-01"].count(Side.ACCEPTED) == OF_WFL_01


@pytest.mark.parametrize(
    ("defect", "rule"),
    [
        ("rec-06-not-enforced", "REC-06"),
        ("rec-06-no-release-yet", "REC-06"),
        ("rec-11-touching-refused", "REC-11"),
        ("rec-12-total-must-be-positive", "REC-12"),
        ("rec-09-period-kept", "REC-06"),
        ("rec-09-period-kept", "REC-09"),
        ("rec-09-overlapping-kept", "REC-09"),
        ("rec-10-periods-across-accounts", "REC-10"),
    ],
)
def test_what_does_not_go_as_it_should_is_left_to_its_own_scenario(defect: str, rule: str) -> None:
    """And what is opened is opened without it, unless it can't be told what is active."""
    with bench_for(*WHOLE, *CREATIONS, defects=(defect,), shrink=False) as bench:
        assert not all(shown(bench, rule))
        assert bench.session.evidence.observed == {}
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert sum(seen(bench).values()) == EXAMPLES


def counted(bench: Bench, rule: str) -> list[int]:
    return [bench.session.evidence.scenarios[rule].count(side) for side in (Side.ACCEPTED, Side.REFUSED)]


def test_what_becomes_of_reconciled_orders_is_shown_by_what_has_ended_anyway() -> None:
    """Each opened reconciliations of its own, those that are about a later one two. One of DEL-04 does still."""
    with bench_for(*WHOLE, *RECONCILED) as bench:
        assert [shown(bench, rule) for rule in RECONCILED] == [[True, True, False], [True], [True]]
        assert len(bench.reconciliations.ids) == OPENED
        assert [counted(bench, rule) for rule in RECONCILED] == [[1, 2], [1, 1], [1, 1]]
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert sum(seen(bench).values()) == EXAMPLES


def test_a_second_release_of_an_order_is_refused_in_what_others_open() -> None:
    with bench_for(*WHOLE, RELEASED_TWICE) as bench:
        assert shown(bench, RELEASED_TWICE) == [True]
        assert counted(bench, RELEASED_TWICE) == [1, 1]
        assert len(bench.reconciliations.ids) == OPENED


@pytest.mark.parametrize("defect", ["rel-11-in-the-same-reconciliation", "rel-18-second-release-takes-away"])
def test_a_second_release_that_is_taken_or_leaves_something_is_left_to_its_own_scenario(defect: str) -> None:
    with bench_for(*WHOLE, RELEASED_TWICE, defects=(defect,), shrink=False) as bench:
        assert shown(bench, RELEASED_TWICE) == [False]
        assert counted(bench, RELEASED_TWICE) == [0, 0]


@pytest.mark.parametrize("defect", ["rec-06-given-free-by-a-release", "rec-06-given-free-by-a-query"])
def test_that_a_second_one_is_opened_once_a_release_is_in_is_noted_at_once(defect: str) -> None:
    """By itself REC-06 is about one of which none is."""
    with bench_for(*WHOLE, *CREATIONS, defects=(defect,), shrink=False) as bench:
        shown(bench, "REC-06")
        assert set(bench.session.evidence.observed) == {"WFL-03"}


@pytest.mark.usefixtures("without_a_clock")
def test_where_no_clock_can_be_moved_that_they_stay_is_looked_at_later() -> None:
    with bench_for(*WHOLE, *RECONCILED) as bench:
        assert shown(bench, "DEL-04") == [True, True, False]
        assert [scenario for (scenario, _), some in bench.deferred.items() for _ in some] == ["DEL-04"] * DELETED_LATER
        assert bench.session.deferred == {"DEL-04"}
        assert counted(bench, "DEL-04") == [0, 0]
        bench.scenario, bench.session.resuming = "DEL-04", True
        prove(
            bench, "what it would try by itself", st.nothing(), lambda _: None, 1
        )  # has another name for what S2 prints
        assert counted(bench, "DEL-04") == [1, 2]


@pytest.mark.usefixtures("without_a_clock")
def test_until_then_its_orders_are_not_deleted_after_other_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were, and DEL-01 was blamed for the 404 that their deletion then got."""
    show, live = Succession._show, create_autospec(Live, instance=True)

    def shown_live(succession: Succession, *reconciled: Any) -> None:
        session = succession.bench.session
        session.live = live
        show(succession, *reconciled)
        session.live = None

    monkeypatch.setattr(Succession, "_show", shown_live)
    with bench_for(*WHOLE, *RECONCILED) as bench:
        bench.scenario = "REC-01"
        bench.succession.try_once()
        assert live.spare.call_count == DELETED_LATER


@pytest.mark.parametrize(
    ("defect", "rule"),
    [
        ("del-04-not-enforced", "DEL-04"),
        ("del-04-matched-are-gone", "DEL-04"),
        ("rel-11-in-another-reconciliation", "REL-11"),
        ("rel-03-not-in-any-of-its-periods", "REL-03 dated elsewhere"),
    ],
)
def test_a_reconciled_order_that_is_changed_is_left_to_its_own_scenario(defect: str, rule: str) -> None:
    with bench_for(*WHOLE, *RECONCILED, defects=(defect,), shrink=False) as bench:
        assert not any(shown(bench, rule))
        assert counted(bench, rule) == [0, 0]
        assert bench.session.evidence.observed == {}


def test_alone_it_opens_no_more_than_by_itself() -> None:
    """That one has ended is not looked at where nothing is said of that."""
    opened = []
    for together in (True, False):
        with bench_for("REL-18", together=together) as bench:
            assert run(bench, "REL-18") == ""
            opened.append(len(bench.reconciliations.ids))
    assert opened[0] == opened[1]


def test_where_answers_get_lost_nothing_stays_active(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened blocked its account, and REC-01 was blamed for that."""
    release_all, times = workflow_laws._release_all, count()

    def lost_once(*arguments: Any) -> None:
        if next(times) == 0:
            raise TargetUnavailable("no answer")
        release_all(*arguments)

    monkeypatch.setattr(workflow_laws, "_release_all", lost_once)
    with bench_for(*WHOLE) as bench:
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert bench.session.evidence.observed == {}
        assert sum(seen(bench).values()) == EXAMPLES
