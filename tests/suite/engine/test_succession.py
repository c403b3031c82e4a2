"""Reconciliations one after the other: each shows that the one before has ended; a scenario has what it has by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, Final
from unittest.mock import create_autospec

import pytest

from conformance.contract.judge import Request
from conformance.contract.rules import Side, catalogue
from conformance.engine import workflow_laws
from conformance.engine.bench import Bench
from conformance.engine.creation_laws import CREATION_LAWS
from conformance.engine.kept_open import check_no_refused_one_keeps_it
from conformance.engine.planned import Ending
from conformance.engine.printed_laws import PRINTED_LAWS
from conformance.engine.printed_workflow import PRINTED_INIT
from conformance.engine.reconciled_laws import RECONCILED_LAWS
from conformance.engine.release_laws import SHARED_LAWS
from conformance.engine.succession import Laws, Succession, prove_whole
from conformance.engine.unfinished import Hindered
from conformance.engine.whole import Whole
from conformance.engine.whole_release_laws import beyond_the_count, no_trace
from conformance.engine.workflow_laws import ends_reconciled, stays_active
from conformance.errors import TargetUnavailable
from conformance.mock import defects
from conformance.mock.defects.parts import reconciliation_of
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld
from conformance.run.live import Live
from conformance.run.session import Options, Session, open_session
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.periods import PERIOD

WHOLE: Final[Mapping[str, Laws]] = {
    "WFL-01": partial(ends_reconciled, (1, 1)),
    "WFL-02": partial(ends_reconciled, (2, 4)),
    "WFL-03": partial(stays_active, (2, 3)),
    "REL-12": beyond_the_count,
    "REL-18": no_trace,
}
"""By rule, and each is a scenario."""

CREATIONS: Final = {
    "REC-01": "every creation is accepted with 201 and an integer id",
    "REC-06": "while it is active a second one is refused with 4xx, and accepted after",
    "REC-09": "a creation that is refused leaves its period free",
    "REC-10": "while it is active another account can have one of the same period",
    "REC-11": "one that begins or ends where it ends or begins is answered as the reading says",
    "REC-12": "whatever totalNetValue the reading allows, it is accepted and completes",
}
"""By rule, the laws of creations that any reconciliation shows."""

SHARED_PLACES: Final = 2
"""Where reconciliations are opened that scenarios share."""

EXAMPLES: Final = 15
"""Of all of them."""

OPENED: Final = 9
"""For all of them: three each of WFL-02 and WFL-03 are shown by what REL-18 opens."""

OF_WFL_01: Final = 3

PLACES: Final = 3

AFTER_EARLIER_ONES: Final = 5
"""Examples of laws of creations that are about an earlier one: each may need one after all others."""


PRINTED: Final = {
    "REL-03": "the release is refused with 4xx as printed, and accepted with its date mended",
    "WFL-01 as printed": "with the date mended it ends reconciled, and the order can't be deleted",
}
"""The scenarios of what S2 prints, by their names here."""

RECONCILED: Final = {
    "DEL-04": "its deletion is refused with 4xx, and it stays as it was sent",
    "REL-11": "after it another of the same order in a later reconciliation is refused with 4xx",
}
"""By rule, the laws of orders that are reconciled."""

DELETED_LATER: Final = 2
"""Examples of DEL-04."""

LAWS: Final[Mapping[str, Laws]] = {
    **WHOLE,
    **{rule: CREATION_LAWS[then] for rule, then in CREATIONS.items()},
    **{rule: RECONCILED_LAWS[then] for rule, then in RECONCILED.items()},
    **{name: PRINTED_LAWS[then] for name, then in PRINTED.items()},
}


@contextmanager
def bench_for(*rules: str, together: bool = True, **options: Any) -> Iterator[Bench]:
    session = open_session(Options(**options))
    try:
        laws = {rule: (catalogue()[rule.split()[0]], LAWS[rule]) for rule in rules}
        bench = Bench(session, whole_laws=laws if together else {})
        for rule in {*rules, "REC-01"}:
            session.evidence.expect(rule, rule.split()[0], rule)
        yield bench
    finally:
        session.close()


@pytest.fixture
def without_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a clock nor notifications; what is waited for passes by the mock's clock."""
    opened = Bench.__post_init__

    def begin(bench: Bench) -> None:
        opened(bench)
        control = bench.session.control
        assert control is not None
        passed = 0.0

        def pass_by(seconds: float) -> None:
            nonlocal passed
            passed += seconds
            control.advance(seconds)

        monkeypatch.setattr(bench.session.waiting, "sleep", pass_by)
        monkeypatch.setattr(bench.session.waiting, "clock", lambda: time.monotonic() + passed)
        bench.session.control = None

    monkeypatch.setattr(Bench, "__post_init__", begin)
    monkeypatch.setattr(Session, "inbox", None)
    monkeypatch.setattr(Session, "shrinks", False)


def run(bench: Bench, rule: str) -> str:
    """Run one scenario; the rule that it sees broken, if it sees one."""
    session, broken = bench.session, ""
    bench.scenario = rule
    before = session.spent_on_rules
    try:
        prove_whole(bench, catalogue()[rule], WHOLE[rule])
    except Violation as violation:
        broken = violation.rule if violation.story else "a violation without its story"
    session.evidence.scenarios[rule].took(session.spent_on_rules - before)
    session.evidence.finish(rule, Outcome.FAILED if broken else Outcome.PASSED)
    return broken


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


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
def test_one_that_never_ends_is_not_lost_though_it_cannot_be_tried_again(together: bool) -> None:
    with bench_for("WFL-01", together=together, defects=("wfl-03-never-completes",)) as bench:
        assert run(bench, "WFL-01") == "WFL-01"


def stuck_after_refusals() -> Defect:
    """Completes no reconciliation of which it refused a release."""
    stuck = set[int]()

    def after_refusal(world: MockWorld, request: Request) -> None:
        if (reconciliation := reconciliation_of(request, world)) is not None:
            stuck.add(reconciliation.id)

    return Defect(
        name="stuck after refusals",
        statement="Completes no reconciliation of which it refused a release.",
        rules=frozenset({"REL-18"}),
        after_refusal=after_refusal,
        is_complete=lambda one: one.received >= one.quantity and one.id not in stuck,
    )


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("rules", "laws"),
    [
        (("WFL-02", "WFL-03", "REL-18"), ()),
        (("WFL-01", "WFL-02", "WFL-03", "REL-12"), ()),
        (("WFL-01", "WFL-02"), ("REL-11",)),
    ],
    ids=["refused before", "refused beyond the count", "refused as it was in the one before"],
)
def test_a_refused_release_that_keeps_it_from_ending_is_blamed_and_no_law_of_the_end(
    rules: tuple[str, ...], laws: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = stuck_after_refusals()
    monkeypatch.setattr(defects, "defect", lambda _: stuck)
    with bench_for(*rules, *laws, defects=(stuck.name,), seed=2) as bench:  # by it one place has two for REL-11
        bench.scenario = "REC-01"
        bench.succession.try_once()
        (rule, found), *others = bench.session.evidence.observed.items()
        assert (rule, others) == ("REL-18", [])
        assert "POST /reconciliation/release: 4" in found.curl
        assert {run(bench, rule) for rule in rules} == {""}
        assert set(bench.session.evidence.observed) == {"REL-18"}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("defect", ["rel-18-mismatch-counted", "rel-18-refused-counted", "rel-18-refused-is-there"])
@pytest.mark.parametrize("rules", [("REL-18",), ("WFL-01", "WFL-02", "WFL-03", "REL-12", "REL-18")])
def test_a_release_refused_for_refused_ones_is_blamed_though_its_place_stays_blocked(
    rules: tuple[str, ...], defect: str
) -> None:
    """A whole certification ended inconclusive: no scenario could try it again, nor anything else at that place."""
    with bench_for(*rules, defects=(defect,)) as bench:
        broken = {run(bench, rule) for rule in rules}
        assert broken | set(bench.session.evidence.observed) == {"", "REL-18"}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("rules", [("WFL-01", "WFL-02", "WFL-03"), tuple(WHOLE)], ids=["WFL", "all"])
@pytest.mark.parametrize(
    ("defect", "rule"),
    [
        ("wfl-02-one-order-only", "WFL-02"),
        ("wfl-02-unique-entries", "WFL-02"),
        ("rel-01-many-entries-refused", "REL-01"),
        ("strict-release-offsets", "REL-01"),
        ("strict-release-same-type-twice", "REL-01"),
        ("strict-release-single-entry", "REL-01"),
        ("strict-release-order-waiting", "REL-01"),
        ("rel-15-sorted-types-demanded", "REL-01"),
    ],
)
def test_a_refused_release_is_blamed_on_its_rule_though_its_place_stays_blocked(
    defect: str, rule: str, rules: tuple[str, ...]
) -> None:
    """Live a certification ended with nothing failed, or REL-01 was to blame for what the other orders were in the way of."""
    with bench_for(*rules, defects=(defect,)) as bench:
        broken = {run(bench, rule) for rule in rules}
        assert broken | set(bench.session.evidence.observed) == {"", rule}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("accounts", "defect", "rule"),
    [
        (1, "wfl-02-one-order-only", "WFL-02"),
        (1, "wfl-02-unique-entries", "WFL-02"),
        (1, "strict-release-single-entry", "REL-01"),
        (1, "rel-18-refused-counted", "REL-18"),
        (2, "wfl-02-one-order-only", "WFL-02"),
        (2, "wfl-02-unique-entries", "WFL-02"),
        (2, "strict-release-single-entry", "REL-01"),
        (2, "strict-release-order-waiting", "REL-01"),  # of one account too little is known
        (2, "rel-18-refused-counted", "REL-18"),
    ],
)
def test_whom_to_blame_for_a_refused_release_is_told_by_like_ones_where_no_account_is_free_for_a_proof(
    accounts: int, defect: str, rule: str
) -> None:
    with bench_for(*WHOLE, defects=(defect,)) as bench:
        bench.scope = replace(bench.scope, places=bench.scope.places[:accounts], opened_at=())
        broken = {run(bench, rule) for rule in WHOLE}
        assert broken | set(bench.session.evidence.observed) == {"", rule}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("defect", "orders", "rule"),
    [("wfl-02-one-order-only", (1, 1), "WFL-02"), ("strict-release-single-entry", (1,), "REL-01")],
)
def test_a_release_refused_when_all_is_to_be_completed_is_blamed_where_its_place_stays_blocked(
    defect: str, orders: tuple[int, ...], rule: str
) -> None:
    """Nobody noticed: every scenario after it was undecided."""
    with bench_for("WFL-01", defects=(defect,)) as bench:
        bench.scenario = "REC-01"
        reconciliations = bench.reconciliations
        place = reconciliations.scope.places[0]
        begun = reconciliations.begin(reconciliations.plain(place, *orders))
        assert reconciliations.submit_orders(begun)
        assert reconciliations.create(begun).is_accepted
        reconciliations.finish(begun)
        with pytest.raises(Hindered, match="could not be completed"):
            reconciliations.check_free(place)
        assert set(bench.session.evidence.observed) == {rule}


@pytest.mark.usefixtures("without_a_clock")
def test_where_others_do_not_end_no_refused_release_is_blamed() -> None:
    with bench_for(*WHOLE, defects=("wfl-03-never-of-many",)) as bench:
        assert run(bench, "WFL-02") == "WFL-02"
        assert bench.session.evidence.observed == {}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("defect", ["rec-09-second-active", "rec-09-stays-active", "rec-09-overlapping-active"])
@pytest.mark.parametrize("laws", [("REC-06",), ("REC-09",), ("WFL-02", "WFL-03", "REC-06", "REC-09", "REL-18")])
def test_a_refused_creation_that_is_active_is_blamed_and_no_law_of_the_end(defect: str, laws: tuple[str, ...]) -> None:
    """WFL-01 and WFL-02 were: each look that was too early was such a creation."""
    with bench_for("WFL-01", *laws, defects=(defect,)) as bench:
        assert {run(bench, rule) for rule in ("WFL-01", *laws) if rule in WHOLE} == {""}
        unmet = defect == "rec-09-overlapping-active" and "REC-09" not in laws
        assert set(bench.session.evidence.observed) == (set() if unmet else {"REC-09"})


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("takes", "at_most", "found"),
    [
        pytest.param((1000, 20, 40), None, None, id="one takes longer than the one before"),
        pytest.param((1000, 20, 1000), 100.0, Hindered, id="it may be, and that may not be waited for"),
        pytest.param((160, 20, 1000), None, Hindered, id="it ends while another is waited for"),
    ],
)
def test_no_refused_creation_is_blamed_where_reconciling_takes_now_longer_and_now_less(
    takes: tuple[int, ...], at_most: float | None, found: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REC-09 was, where the first took less than the half minute after which it was looked for, and the second more."""
    seconds, completes = iter(takes), Koncili._complete

    def complete(koncili: Koncili, reconciliation: Any) -> None:
        is_over = reconciliation.received >= reconciliation.quantity
        monkeypatch.setattr(
            "conformance.mock.koncili.RECONCILES_IN", timedelta(seconds=next(seconds, 0) if is_over else 0)
        )
        completes(koncili, reconciliation)

    monkeypatch.setattr(Koncili, "_complete", complete)
    with bench_for("WFL-01") as bench:
        bench.scenario = "WFL-01"
        reconciliations = bench.reconciliations
        bench.session.waiting.at_most = at_most
        main = reconciliations.run_through(reconciliations.plain(bench.scope.places[0], 1))
        reconciliations.refused_since[main.place] = reconciliations.begin(reconciliations.plain(main.place, 1))
        reconciliations.endless.add(main.place)
        with nullcontext() if found is None else pytest.raises(found):
            check_no_refused_one_keeps_it(bench, main)
        assert bench.session.evidence.observed == {}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("defect", ["wfl-03-never-completes", "wfl-03-never-of-one", "wfl-03-never-of-many"])
def test_what_does_not_end_for_itself_is_no_trace_of_a_refused_creation(defect: str) -> None:
    with bench_for(*WHOLE, "REC-06", "REC-09", defects=(defect,)) as bench:
        broken = {run(bench, rule) for rule in WHOLE} - {""}
        assert broken
        assert broken <= {"WFL-01", "WFL-02", "WFL-03"}
        assert bench.session.evidence.observed == {}


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
        with bench_for("WFL-01", seed=2) as bench:
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
    """Each opened reconciliations of its own, REL-11 two."""
    with bench_for(*WHOLE, *RECONCILED) as bench:
        assert {rule: shown(bench, rule) for rule in RECONCILED} == {rule: [True] for rule in RECONCILED}
        assert len(bench.reconciliations.ids) == OPENED
        assert [counted(bench, rule) for rule in RECONCILED] == [[2, 2], [1, 1]]
        assert [run(bench, rule) for rule in WHOLE] == [""] * len(WHOLE)
        assert sum(seen(bench).values()) == EXAMPLES


@pytest.mark.usefixtures("without_a_clock")
def test_where_no_clock_can_be_moved_that_they_stay_is_looked_at_later() -> None:
    with bench_for(*WHOLE, *RECONCILED) as bench:
        assert shown(bench, "DEL-04") == [True]
        assert [(scenario, len(some)) for (scenario, _), some in bench.deferred.items()] == [("DEL-04", 2)]
        assert bench.session.deferred == {"DEL-04"}
        assert counted(bench, "DEL-04") == [0, 0]
        for deferred in bench.deferred.pop(("DEL-04", "DEL-04")):
            bench.go_on(deferred)
        assert counted(bench, "DEL-04") == [2, 2]


@pytest.mark.usefixtures("without_a_clock")
def test_until_then_its_orders_are_not_deleted_after_other_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were, and DEL-01 was blamed for the 404 that their deletion then got."""
    show_reconciled, live = Succession._show_reconciled, create_autospec(Live, instance=True)

    def shown_live(succession: Succession, ending: Ending) -> None:
        session = succession.bench.session
        session.live = live
        show_reconciled(succession, ending)
        session.live = None

    monkeypatch.setattr(Succession, "_show_reconciled", shown_live)
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
    ],
)
def test_a_reconciled_order_that_is_changed_is_left_to_its_own_scenario(defect: str, rule: str) -> None:
    with bench_for(*WHOLE, *RECONCILED, defects=(defect,), shrink=False) as bench:
        assert shown(bench, rule) == [False]
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
