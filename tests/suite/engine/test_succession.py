"""Reconciliations one after the other: each shows that the one before has ended; a scenario has what it has by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, Final

import pytest

from conformance.contract.rules import Side, catalogue
from conformance.engine import workflow_laws
from conformance.engine.bench import Bench
from conformance.engine.succession import Laws, prove_whole
from conformance.engine.workflow_laws import ends_reconciled, stays_active
from conformance.errors import TargetUnavailable
from conformance.run.session import Options, Session, open_session
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation

WHOLE: Final[Mapping[str, Laws]] = {
    "WFL-01": partial(ends_reconciled, (1, 1)),
    "WFL-02": partial(ends_reconciled, (2, 4)),
    "WFL-03": partial(stays_active, (2, 3)),
}
"""By rule, and each is a scenario."""

EXAMPLES: Final = 11
"""Of all of them."""

PLACES: Final = 3


@contextmanager
def bench_for(*rules: str, together: bool = True, **options: Any) -> Iterator[Bench]:
    session = open_session(Options(**options))
    try:
        laws = {rule: (catalogue()[rule], WHOLE[rule]) for rule in rules}
        bench = Bench(session, whole_laws=laws if together else {})
        for rule in (*rules, "REC-01"):
            session.evidence.expect(rule, rule, rule)
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
        monkeypatch.setattr(bench.session.waiting, "sleep", control.advance)
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
        assert len(bench.reconciliations.ids) <= EXAMPLES + PLACES
        assert sum(seen(bench).values()) == EXAMPLES


@pytest.mark.parametrize("defect", ["wfl-01-ends-in-error", "wfl-02-one-order-only", "wfl-03-at-the-first-release"])
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


def test_what_is_opened_shows_that_creations_are_accepted() -> None:
    with bench_for(*WHOLE) as bench:
        bench.scenario = "REC-01"
        assert bench.succession.shows_creations(6)
        assert bench.succession.shows_creations(1, releases=120)
        assert not bench.succession.shows_creations(EXAMPLES + 1)
        opened = len(bench.reconciliations.ids)
        for rule in WHOLE:
            run(bench, rule)
        assert len(bench.reconciliations.ids) == opened == EXAMPLES


@pytest.mark.parametrize("defect", ["rec-01-status-200", "rec-01-id-as-text", "rec-02-same-id"])
def test_creations_that_are_not_as_they_should_be_show_nothing(defect: str) -> None:
    with bench_for(*WHOLE, defects=(defect,), shrink=False) as bench:
        bench.scenario = "REC-01"
        assert not bench.succession.shows_creations(2)
        assert bench.session.evidence.observed == {}


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
