"""How a certification spreads its client errors: no more than it may spend, one for every fault, most where most shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Side, catalogue
from conformance.engine import economy
from conformance.engine.economy import (
    Earlier,
    History,
    Makeable,
    choose,
    choose_kinds,
    cover,
    makeable,
    worth_most,
)
from conformance.engine.kill_matrix import KILLS_FILE, KillMatrix, KindOf, Refusal, as_json, measured
from conformance.planning.set_aside import SET_ASIDE
from conformance.profiles import PROFILES
from strategies.faults import FAULTS
from strategies.scope import Scope
from tests.suite.support.properties import READINGS, mock_scope, prove

CERTIFICATION: Final = PROFILES["certification"]
BUDGET: Final = CERTIFICATION.client_errors or 0
ASIDE: Final = sum(SET_ASIDE.values())
HUGE: Final = 100_000

SCOPES: Final[Mapping[str, Scope]] = {
    **{readings: mock_scope(chosen) for readings, chosen in READINGS.items()},
    "a single account": replace(mock_scope({}), places=mock_scope({}).places[:1]),
    "no fixtures": replace(mock_scope({}), fixtures={}, foreign_code=None),
}
"""By name: what runs have to work with."""


def least(scope: Scope) -> int:
    """The budget that gives every scenario one kind and no more."""
    return ASIDE + len(makeable(scope))


def spends(chosen: Makeable) -> int:
    """The client errors of a run that tries these kinds."""
    return ASIDE + sum(map(len, chosen.values()))


def bought(scope: Scope, budget: int, seed: int = 0) -> Makeable:
    """What a certification tries that may spend so much."""
    return choose_kinds(scope, replace(CERTIFICATION, client_errors=budget), seed)


# -- what a certification tries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_what_a_certification_may_spend_is_spent_and_no_more(scope: Scope) -> None:
    assert spends(choose_kinds(scope, CERTIFICATION, 0)) == BUDGET


def test_a_certification_may_spend_enough_for_one_kind_each_and_stays_within_360() -> None:
    assert max(map(least, SCOPES.values())) <= BUDGET <= 360


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_no_budget_that_suffices_for_one_kind_each_is_exceeded(scope: Scope) -> None:
    enough = least(scope)

    def law(budget: int) -> None:
        assert spends(bought(scope, budget)) == min(budget, ASIDE + sum(map(len, makeable(scope).values())))

    prove(st.integers(enough, enough + 600), law, 10)


@pytest.mark.parametrize("budget", [0, 1, BUDGET, HUGE])
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_every_scenario_of_a_fault_tries_a_kind_and_none_that_it_cannot_make(scope: Scope, budget: int) -> None:
    chosen, able = bought(scope, budget), makeable(scope)
    assert chosen.keys() == able.keys()
    assert all(chosen[refusal] for refusal in able)
    assert all(set(chosen[refusal]) <= set(able[refusal]) for refusal in able)


def test_a_budget_that_suffices_for_nothing_gives_one_kind_each() -> None:
    scope = mock_scope({})
    assert {len(kinds) for kinds in bought(scope, 0).values()} == {1}
    assert {len(kinds) for kinds in bought(scope, least(scope)).values()} == {1}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_with_a_huge_budget_every_kind_is_tried(scope: Scope) -> None:
    assert bought(scope, HUGE) == makeable(scope)


def test_the_same_seed_tries_the_same_kinds() -> None:
    scope = mock_scope({})
    assert choose_kinds(scope, CERTIFICATION, 7) == choose_kinds(scope, CERTIFICATION, 7)


def test_a_certification_tries_every_kind_over_enough_seeds() -> None:
    scope = mock_scope({})
    able = makeable(scope)
    tried: set[tuple[Refusal, str]] = set()
    room = 160
    for seed in range(sum(map(len, able.values())) // (room // economy.RESERVED) + 1):
        chosen = bought(scope, least(scope) + room, seed)
        tried |= {(refusal, kind.name) for refusal, kinds in chosen.items() for kind in kinds}
    assert tried == {(refusal, kind.name) for refusal, kinds in able.items() for kind in kinds}


def test_smoke_tries_one_kind_of_each_fault() -> None:
    scope = mock_scope({})
    assert choose_kinds(scope, PROFILES["smoke"], 5) == {
        refusal: kinds[:1] for refusal, kinds in makeable(scope).items()
    }


def test_deep_tries_every_kind_of_each_fault() -> None:
    scope = mock_scope({})
    assert choose_kinds(scope, PROFILES["deep"], 5) == makeable(scope)


def test_only_a_certification_counts_client_errors() -> None:
    assert [name for name, profile in PROFILES.items() if profile.client_errors is not None] == ["certification"]


def test_where_the_reading_takes_what_others_refuse_there_is_no_fault() -> None:
    refusals = makeable(mock_scope({"empty-extracts": "accepted", "value-mismatch": "discrepancy"}))
    assert not {"ORD-18", "REL-08"} & {refusal.rule for refusal in refusals}
    assert {"ORD-18", "REL-08"} <= {refusal.rule for refusal in makeable(mock_scope({}))}


def test_client_errors_are_set_aside_for_rules_that_there_are() -> None:
    assert SET_ASIDE.keys() <= catalogue().rules.keys()
    assert all(spent > 0 for spent in SET_ASIDE.values())


def test_every_rule_with_faults_is_tried() -> None:
    tried = {refusal.rule for refusal, kinds in choose_kinds(mock_scope({}), CERTIFICATION, 0).items() if kinds}
    refusable = {rule for rule in FAULTS if Side.REFUSED in catalogue()[rule].sides_under(mock_scope({}).readings)}
    assert tried == refusable


# -- by what kinds catch -------------------------------------------------------------------------------------------

ONE: Final = Refusal("ORD-02", Endpoint.SUBMIT_ORDER, "one")
OTHER: Final = Refusal("ORD-10", Endpoint.SUBMIT_ORDER, "other")


def able(**names: str) -> Mapping[Refusal, Sequence[KindOf]]:
    """Scenarios, with a kind for each letter."""
    refusals = {"one": ONE, "other": OTHER}
    return {refusals[name]: [KindOf(refusals[name], letter) for letter in letters] for name, letters in names.items()}


def matrix(**caught: str) -> KillMatrix:
    """By scenario and kind (`one_a`) the defects that it catches, a letter each."""
    refusals = {"one": ONE, "other": OTHER}
    return {
        KindOf(refusals[name.partition("_")[0]], name.partition("_")[2]): frozenset(defects)
        for name, defects in caught.items()
    }


def told(kinds: Iterable[KindOf]) -> str:
    """Kinds by their letters."""
    return "".join(kind.name for kind in kinds)


MATRIX: Final = matrix(one_a="", one_b="12", one_c="123", one_d="4", other_x="5", other_y="5", other_z="6")
KINDS: Final = able(one="abcd", other="xyz")


def test_of_each_scenario_the_kind_that_catches_most_comes_first() -> None:
    assert told(worth_most(KINDS, 0, MATRIX, 0)) == "cx"


def test_after_these_come_kinds_that_catch_what_no_other_does_and_then_the_rest() -> None:
    assert told(worth_most(KINDS, 4, MATRIX, 0)) == "cxzd"
    assert told(worth_most(KINDS, 7, MATRIX, 0)) == "cxzdbya"


def test_the_rest_comes_in_turn() -> None:
    last = {turn: told(worth_most(KINDS, 5, MATRIX, turn))[4:] for turn in range(7)}
    assert set(last.values()) == set("bya")
    assert all(told(worth_most(KINDS, 5, MATRIX, turn)).startswith("cxzd") for turn in range(7))


def test_kinds_that_are_newer_than_the_matrix_come_right_after_the_first_of_each_scenario() -> None:
    newer = able(one="abcdn", other="xyzm")
    assert told(worth_most(newer, 4, MATRIX, 0)) == "cxmn"
    assert told(worth_most(newer, 6, MATRIX, 0)) == "cxmnzd"


def test_where_nothing_is_known_kinds_come_in_their_sequence() -> None:
    assert told(worth_most(KINDS, 5, {}, 0)) == "axbyc"


def test_kinds_that_are_no_more_do_no_harm() -> None:
    assert told(worth_most(able(one="ab"), 1, MATRIX, 0)) == "b"


def test_where_no_kind_of_a_scenario_catches_anything_new_they_take_turns() -> None:
    same = matrix(one_a="1", other_x="1", other_y="1")
    assert {told(worth_most(able(one="a", other="xy"), 0, same, turn)) for turn in range(2)} == {"ax", "ay"}


def test_one_kind_that_does_not_fit_costs_one_more_and_not_a_quarter() -> None:
    letters = "abcdefghijklmnopqrst"
    catching = {f"one_{letter}": letter for letter in letters}
    kinds, all_catch = able(one=letters, other="xyz"), matrix(**catching, other_x="5", other_y="5", other_z="5")
    fits = worth_most(kinds, len(letters) + 1, all_catch, 0)
    assert told(fits) == f"ax{letters[1:]}"
    for turn in range(5):
        one_less = worth_most(kinds, len(letters), all_catch, turn)
        assert told(one_less)[:-1] == told(fits)[:-2]
        assert len(one_less) == len(letters)


def test_a_part_is_kept_for_kinds_whose_turn_it_is_whatever_others_catch() -> None:
    catching = {KindOf(ONE, str(number)): frozenset({str(number)}) for number in range(40)}
    idle = {KindOf(ONE, f"idle {number}"): frozenset[str]() for number in range(10)}
    kinds = {ONE: [*catching, *idle]}
    chosen = worth_most(kinds, 21, {**catching, **idle}, 0)
    assert len(chosen) == 21
    assert sum(kind in idle or kind in list(catching)[16:] for kind in chosen) == 20 // economy.RESERVED


def test_a_cover_catches_all_and_holds_no_kind_that_adds_nothing() -> None:
    found = cover([*MATRIX], MATRIX)
    assert set().union(*(MATRIX[kind] for kind in found)) == set("123456")
    assert told(found) == "cdxz"
    assert cover([*MATRIX], MATRIX, set("123456")) == []


# -- what earlier runs left ----------------------------------------------------------------------------------------


def history(passed: str = "", failed: str = "", *, age: float = 60.0, counts: bool = True) -> History:
    """An earlier run that saw these kinds refused, and those not."""
    kinds = [kind for some in KINDS.values() for kind in some]
    return {
        kind: Earlier(age, passed=kind.name in passed, counts=counts)
        for kind in kinds
        if kind.name in passed or kind.name in failed
    }


def test_a_run_takes_up_what_earlier_ones_left() -> None:
    first = told(worth_most(KINDS, 5, MATRIX, 0, {}))
    second = told(worth_most(KINDS, 5, MATRIX, 0, history(first)))
    third = told(worth_most(KINDS, 5, MATRIX, 0, history(first + second)))
    assert set(first + second + third) == set("abcdxyz")
    assert len({first[4:], second[4:], third[4:]}) == 3


def test_what_shows_most_is_tried_by_every_run() -> None:
    assert told(worth_most(KINDS, 5, MATRIX, 0, history("abcdxyz")))[:4] == "cxzd"


def test_what_failed_is_tried_again_before_all_else() -> None:
    assert told(worth_most(KINDS, 2, MATRIX, 0, history("cx", failed="ay"))) == "ay"
    assert told(worth_most(KINDS, 3, MATRIX, 0, history("c", failed="aby"))) in {"bya", "ayb"}


def test_of_kinds_that_were_all_tried_those_come_that_waited_longest() -> None:
    long_ago = {**history("y", age=9000.0), **history("bacxzd", age=60.0)}
    assert told(worth_most(KINDS, 5, MATRIX, 0, long_ago))[4:] == "y"


def complete(earlier: History) -> str:
    return told(economy.all_left(KINDS, earlier))


def test_a_complete_run_tries_all_that_is_left_and_one_of_each_scenario() -> None:
    assert complete({}) == "abcdxyz"
    assert complete(history("abxyz")) == "cdx"
    assert complete(history("ab", failed="c")) == "cdxyz"


def test_a_complete_run_after_a_complete_one_tries_all_anew() -> None:
    assert complete(history("abcdxyz")) == "abcdxyz"


def test_a_complete_run_takes_nothing_for_tried_that_was_tried_long_ago() -> None:
    assert complete({**history("ab"), **history("xyz", counts=False)}) == "cdxyz"


def test_a_complete_run_tries_every_kind_whatever_the_budget() -> None:
    scope = mock_scope({})
    assert choose_kinds(scope, CERTIFICATION, 0, None, complete=True) == makeable(scope)


# -- the matrix as it is kept --------------------------------------------------------------------------------------


def test_the_matrix_is_kept_a_line_for_each_kind(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("kills") / "kills.json"
    file.write_text(as_json(MATRIX), encoding="utf-8")
    assert measured(file) == MATRIX
    assert sum('"c": ["1", "2", "3"]' in line for line in file.read_text(encoding="utf-8").splitlines()) == 1


def test_the_measured_matrix_is_written_as_it_is_kept() -> None:
    assert as_json(measured()) == KILLS_FILE.read_text(encoding="utf-8")


def test_most_kinds_were_measured() -> None:
    kinds = [KindOf(refusal, kind.name) for refusal, some in makeable(mock_scope({})).items() for kind in some]
    known = sum(kind in measured() for kind in kinds)
    assert known > len(kinds) / 2, "`make kills`: most kinds are newer than the matrix"


# -- choose --------------------------------------------------------------------------------------------------------

FEWER: Final = [(most, of) for of in range(2, 9) for most in range(1, of)]


@pytest.mark.parametrize(("most", "of"), FEWER)
def test_of_kinds_the_first_are_always_chosen_and_one_of_the_rest_in_turn(most: int, of: int) -> None:
    kinds, rest = list(range(of)), of - most + 1
    for turn in range(3 * of):
        assert choose(kinds, most, turn) == [*kinds[: most - 1], most - 1 + turn % rest]


@pytest.mark.parametrize("most", [3, 4, 1000])
def test_all_are_chosen_where_there_is_room_for_all(most: int) -> None:
    assert [choose("abc", most, turn) for turn in range(4)] == [list("abc")] * 4


def test_of_nothing_nothing_is_chosen() -> None:
    assert choose([], 1, 7) == []
