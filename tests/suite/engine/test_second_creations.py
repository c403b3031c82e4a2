"""A second creation that is accepted where WFL-03 is looked at: the first was over too soon, or the target takes a second one at
any time, which is REC-06's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import pytest

from conformance.contract.rules import Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.places import Places
from conformance.engine.succession import prove_whole
from conformance.errors import NotTried
from conformance.mock.koncili import Koncili
from conformance.run.mock_control import local_control
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from tests.suite.support.in_succession import LAWS, WHOLE, bench_for

TOO_SOON: Final = ("wfl-03-at-the-first-release", "wfl-03-one-entry-early")

FEW: Final = ("WFL-01", "WFL-02", "WFL-03")


@pytest.fixture
def recovering(mocks: list[Koncili], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened and should not have been is completed: a live run does so by its ledger."""
    monkeypatch.setattr(Places, "free", lambda *_: local_control(mocks[0]).abandon())


def _blamed(bench: Bench, accounts: int, *rules: str) -> set[str]:
    """The rules to blame of all that is seen broken when these come in turn, on so many accounts."""
    bench.scope = replace(bench.scope, places=bench.scope.places[:accounts], opened_at=())
    broken = set[str]()
    for rule in rules:
        bench.scenario = rule
        try:
            with suppress(NotTried):
                prove_whole(bench, catalogue()[rule], LAWS[rule])
        except Violation as violation:
            broken.add(violation.rule)
    return broken | set(bench.session.evidence.observed)


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("accounts", [1, 2, 3])
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
@pytest.mark.parametrize("rules", [("WFL-03",), (*WHOLE, "REC-06", "REC-09")], ids=len)
def test_where_a_second_is_taken_at_any_time_nothing_says_that_the_first_was_over(
    rules: tuple[str, ...], accounts: int, *, together: bool
) -> None:
    """WFL-03 failed beside REC-06 when its turn came first."""
    with bench_for(*rules, together=together, defects=("rec-06-not-enforced",)) as bench:
        blamed = _blamed(bench, accounts, *rules)
        assert blamed == ({"REC-06"} if accounts > 1 else set())
        assert bench.session.evidence.scenarios["WFL-03"].hindrance


@pytest.mark.usefixtures("without_a_clock", "recovering")
@pytest.mark.parametrize("accounts", [1, 2])
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
@pytest.mark.parametrize("rules", [("WFL-03",), FEW], ids=len)
def test_it_is_found_out_at_the_same_place_where_what_is_active_there_can_be_completed(
    rules: tuple[str, ...], accounts: int, *, together: bool
) -> None:
    with bench_for(*rules, together=together, defects=("rec-06-not-enforced",)) as bench:
        assert _blamed(bench, accounts, *rules) == {"REC-06"}
        assert bench.session.evidence.scenarios["WFL-03"].hindered_by == "REC-06"
        assert bench.session.evidence.observed["REC-06"].curl.count("POST /reconciliation: ") == 2


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("accounts", [2, 3])
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
@pytest.mark.parametrize("rules", [tuple(WHOLE), ("REC-06", *WHOLE)], ids=len)
@pytest.mark.parametrize("defect", TOO_SOON)
def test_where_a_second_is_refused_the_first_was_over_too_soon(
    defect: str, rules: tuple[str, ...], accounts: int, *, together: bool
) -> None:
    with bench_for(*rules, together=together, defects=(defect,)) as bench:
        assert _blamed(bench, accounts, *rules) == {"WFL-03"}


@pytest.mark.usefixtures("without_a_clock", "recovering")
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
@pytest.mark.parametrize("rules", [("WFL-03",), ("REC-06", *FEW)], ids=len)
@pytest.mark.parametrize("defect", TOO_SOON)
def test_so_it_is_with_one_account_where_what_is_active_there_can_be_completed(
    defect: str, rules: tuple[str, ...], *, together: bool
) -> None:
    with bench_for(*rules, together=together, defects=(defect,)) as bench:
        assert _blamed(bench, 1, *rules) == {"WFL-03"}


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("seen", "outcome", "blamed"),
    [
        pytest.param(1, Outcome.PASSED, {"WFL-03"}, id="it is refused elsewhere"),
        pytest.param(1, Outcome.FAILED, set(), id="not always"),
        pytest.param(0, Outcome.NOT_RUN, set(), id="nobody knows"),
    ],
)
def test_where_no_place_is_free_its_own_scenario_tells(seen: int, outcome: Outcome, blamed: set[str]) -> None:
    with bench_for("REC-06", "WFL-03", together=False, defects=("wfl-03-one-entry-early",)) as bench:
        for _ in range(seen):
            bench.session.evidence.saw("REC-06", Side.REFUSED)
        bench.session.evidence.finish("REC-06", outcome)
        assert _blamed(bench, 1, "WFL-03") == blamed
        assert bench.session.evidence.scenarios["WFL-03"].hindrance
