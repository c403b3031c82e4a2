"""Which shard of a certification has which rules."""

from __future__ import annotations

import pytest

from conformance.contract.rules import catalogue
from conformance.planning.costs import requests_of, stages_of
from conformance.planning.shards import MOST_SHARDS, Shard, rules_of, shard_of

RULES = tuple(catalogue().rules)


@pytest.mark.parametrize("of", [1, 2, 3, 7, MOST_SHARDS])
def test_every_rule_is_in_one_shard(of: int) -> None:
    parts = [rules_of(Shard(number, of), RULES, "certification") for number in range(1, of + 1)]
    assert sorted(rule for part in parts for rule in part) == sorted(RULES)
    assert all(parts)


def test_shards_have_about_as_much_to_send() -> None:
    parts = [rules_of(Shard(number, 4), RULES, "certification") for number in range(1, 5)]
    loads = [requests_of(stages_of("certification", part, probing=False)).total() for part in parts]
    assert max(loads) < 1.5 * min(loads)


def test_a_part_keeps_the_sequence_in_which_rules_were_given() -> None:
    part = rules_of(Shard(1, 2), RULES, "certification")
    assert list(part) == sorted(part, key=RULES.index)


@pytest.mark.parametrize("profile", ["smoke", "of a profile that nobody measured"])
def test_of_few_rules_each_shard_has_one(profile: str) -> None:
    few = RULES[:3]
    assert sorted(rules_of(Shard(number, 3), few, profile)[0] for number in (1, 2, 3)) == sorted(few)


def test_a_shard_is_named_by_its_number_and_how_many_there_are() -> None:
    assert (shard_of("2/3"), str(Shard(2, 3))) == (Shard(2, 3), "2/3")


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/1000", "\u0661/\u0663"])
def test_what_names_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no shard such as 2/3"):
        shard_of(text)
