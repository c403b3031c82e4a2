"""Who is blamed where a reconciliation does not end, or its releases are refused: what was refused before, or nobody but it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from conformance.contract.judge import Request
from conformance.engine.kept_open import check_no_refused_one_keeps_it
from conformance.engine.unfinished import Hindered
from conformance.mock import defects
from conformance.mock.defects.parts import reconciliation_of
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld
from tests.suite.support.in_succession import WHOLE, bench_for, run


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
def test_one_that_never_ends_is_not_lost_though_it_cannot_be_tried_again(together: bool) -> None:
    with bench_for("WFL-01", together=together, defects=("wfl-03-never-completes",)) as bench:
        bench.reconciliations.is_told = True
        assert run(bench, "WFL-01") == "WFL-01"


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize("minutes", [2, 3, 20])
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
def test_where_nobody_has_said_how_long_it_takes_no_rule_is_blamed_for_that(
    together: bool, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WFL-02 was, where a lawful target took more than a minute and a half."""
    monkeypatch.setattr("conformance.mock.koncili.RECONCILES_IN", timedelta(minutes=minutes))
    with bench_for(*WHOLE, together=together) as bench:
        assert {run(bench, rule) for rule in WHOLE} == {""}
        assert bench.session.evidence.observed == {}
        reasons = [bench.session.evidence.scenarios[rule].hindrance for rule in ("WFL-01", "WFL-02")]
        told = [reason for reason in reasons if "say how long in its target file (reconciles_in)" in reason]
        assert told or minutes < 20, "others may be seen to end meanwhile"


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
        assert set(bench.session.evidence.observed) == {"REC-09"}


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
        bench.reconciliations.is_told = True
        broken = {run(bench, rule) for rule in WHOLE} - {""}
        assert broken
        assert broken <= {"WFL-01", "WFL-02", "WFL-03"}
        assert bench.session.evidence.observed == {}
