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


def test_there_are_less_than_half_as_many_mocks() -> None:
    assert len(SHARED) < len(VARIANTS) / 2


def test_what_moves_times_or_follows_no_recommended_rule_is_by_itself() -> None:
    alone = {one.name for one in SHARED if isinstance(one, Variant)}
    assert {variant.name for variant in VARIANTS.values() if variant.disregards} <= alone
    assert {"passing-500", "lost-answers", "at-once-409", "one-hour-tokens", "tokens-of-a-second"} <= alone
