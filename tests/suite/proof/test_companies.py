"""Which variants share a mock in a proof that is to be quick."""

from __future__ import annotations

from itertools import combinations
from typing import Final

from conformance.mock.quirks import Variant, readings_of
from conformance.mock.variants import VARIANTS
from conformance.proof.companies import Company, companies, differs_in

SHARED: Final = companies(VARIANTS.values())


def _members(one: Variant | Company) -> tuple[Variant, ...]:
    return one.variants if isinstance(one, Company) else (one,)


def test_each_variant_is_in_one_mock() -> None:
    names = [variant.name for one in SHARED for variant in _members(one)]
    assert sorted(names) == sorted(VARIANTS)


def test_those_that_share_one_have_nothing_to_do_with_each_other() -> None:
    for one in SHARED:
        for first, second in combinations(_members(one), 2):
            assert not differs_in(first) & differs_in(second), (first.name, second.name)
        readings_of(_members(one))  # raises where two read the documents differently


def test_there_are_less_than_a_third_as_many_mocks() -> None:
    assert len(SHARED) < len(VARIANTS) / 3


def test_what_follows_no_recommended_rule_is_by_itself() -> None:
    alone = {one.name for one in SHARED if isinstance(one, Variant)}
    assert {variant.name for variant in VARIANTS.values() if variant.disregards} <= alone


def test_no_two_that_move_times_share_one() -> None:
    moving = {"passing-500", "lost-answers", "at-once-409", "at-once-lost", "one-hour-tokens", "tokens-of-a-second"}
    assert all(len(moving & {member.name for member in _members(one)}) <= 1 for one in SHARED)


def test_who_shows_decimals_is_not_with_who_takes_none_for_whole_numbers() -> None:
    assert not any({"gson", "whole-decimals-refused"} <= {member.name for member in _members(one)} for one in SHARED)
