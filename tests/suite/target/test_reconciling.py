"""How long a target takes to reconcile is learnt by few looks that are too early, and without waiting much longer than that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.target.shared.reconciling import HANDY_SECONDS, NEAR_SECONDS, Taking, seconds_until_seen

ONES = 20
"""So many reconciliations a run opens one after the other."""


def looks(taking: Taking, takes: float, *, may_be_early: bool = True) -> tuple[int, float]:
    """How many looks for the end of one that takes so long are too early, and after how long it is seen."""
    passed, before, early = taking.worth_a_look if may_be_early else taking.pause, 0.0, 0
    while passed < takes:
        before, early = passed, early + 1
        passed = taking.next_look(passed)
        assert passed > before
    taking.learn(before, passed)
    return early, passed


def run(taking: Taking, takes: float) -> tuple[int, float]:
    """The same for all of a run: looks that are too early in all, and after how long the last is seen."""
    all_of_them = [looks(taking, takes) for _ in range(ONES)]
    return sum(early for early, _ in all_of_them), all_of_them[-1][1]


@pytest.mark.parametrize(("takes", "early_at_most"), [(0.0, 0), (0.3, 3), (5.0, 5), (20.0, 8), (60.0, 13), (600.0, 21)])
def test_where_nobody_knows_it_is_learnt_by_few_looks(takes: float, early_at_most: int) -> None:
    early, seen = run(Taking(), takes)
    assert early <= early_at_most
    assert takes <= seen <= 1.25 * takes + NEAR_SECONDS


@pytest.mark.parametrize("takes", [0.3, 5.0, 20.0, 60.0, 600.0])
def test_where_it_was_told_one_look_is_too_early_by_which_that_is_known(takes: float) -> None:
    early, seen = run(Taking(takes), takes)
    assert early <= 1
    assert seen <= 1.06 * seconds_until_seen(takes)


@pytest.mark.parametrize("usual", [0.0, 0.1, 1.0])
def test_what_goes_on_long_after_it_should_have_ended_is_looked_at_ever_more_seldom(usual: float) -> None:
    taking = Taking()
    looks(taking, usual)
    early, _ = looks(taking, 3.0)
    assert early <= 8


@pytest.mark.parametrize("usual", [0.0, 0.1, 1.0, 5.0])
def test_a_place_that_stays_blocked_costs_few_looks_and_one_that_is_soon_free_is_not_waited_for_long(
    usual: float,
) -> None:
    """Somebody else's open reconciliation was looked at each second for two and a half minutes."""
    known = Taking()
    looks(known, usual)
    early, _ = looks(replace(known), 150.0)
    assert early <= 22
    for takes in (1.5, 4.0, 7.0, 15.0, 40.0):
        _, seen = looks(replace(known), takes)
        assert seen <= 1.3 * takes + NEAR_SECONDS + usual


@pytest.mark.parametrize(("told", "takes"), [(3600.0, 1.0), (60.0, 20.0), (20.0, 60.0), (1.0, 60.0)])
def test_what_was_told_wrongly_is_put_right(told: float, takes: float) -> None:
    early, seen = run(Taking(told), takes)
    assert early <= 15
    assert takes <= seen <= 1.25 * takes + NEAR_SECONDS


@given(
    st.floats(0.01, 5000), st.lists(st.floats(0.5, 2.0), min_size=ONES, max_size=ONES), st.sampled_from([0, 0.5, 1, 3])
)
def test_where_it_varies_what_must_not_be_too_early_comes_after_the_longest(
    mean: float, parts: list[float], told: float
) -> None:
    taking, longest = Taking(told * mean), 0.0
    for part in parts:
        before = taking.by_then
        early, seen = looks(taking, part * mean, may_be_early=False)
        longest = max(longest, part * mean)
        assert early <= 40
        assert taking.by_then is not None
        if before is not None and early:
            assert taking.pause >= part * mean
        assert seen <= 5 * max(longest, told * mean) + 1
    assert taking.by_then is not None
    assert taking.by_then >= taking.too_early


@pytest.mark.parametrize("may_be_early", [False, True])
@pytest.mark.parametrize(
    "some", [(1.0, 8.0, 20.0, 3.0, 14.0), (3.0,) * 9 + (12.0,)], ids=["1 to 20 s", "each tenth 12 s"]
)
def test_where_it_varies_the_wait_does_not_grow_with_what_was_waited(
    some: tuple[float, ...], *, may_be_early: bool
) -> None:
    """It grew by a twentieth with each: after a hundred it was half an hour for a target of at most 20 s."""
    taking = Taking()
    for _ in range(40):
        for takes in some:
            looks(taking, takes, may_be_early=may_be_early)
    assert taking.pause <= 2 * max(some)


@pytest.mark.parametrize("takes", [0.3, 5.0, 60.0])
def test_what_was_done_until_the_first_look_is_not_waited_for_again(takes: float) -> None:
    """Ten minutes of other things were halved from reconciliation to reconciliation."""
    taking = Taking()
    taking.learn(0.0, 600.0)
    seen = [looks(taking, takes)[1] for _ in range(5)]
    assert sum(seen) <= 5 * 1.3 * max(takes, HANDY_SECONDS)
    taking.learn(0.0, 600.0)
    assert taking.pause <= 1.4 * max(takes, HANDY_SECONDS)


@given(st.just(0.0) | st.floats(0.1, 1000), st.floats(0.01, 1000), st.just(0.0) | st.floats(0.01, 1000))
def test_a_next_look_comes_later(told: float, by_then: float, passed: float) -> None:
    for taking in (Taking(told), Taking(told, by_then=by_then), Taking(told, too_early=by_then / 2, by_then=by_then)):
        assert taking.next_look(passed) > passed
        assert taking.worth_a_look <= taking.pause
