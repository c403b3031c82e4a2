"""Codes are new, of the shape that they are asked for, and plain where any target must take them."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import strategies as st

from strategies.identifiers import MAX_RUN, ODD_SHAPES, ROOMY, SHAPES, Minter
from tests.suite.support.properties import prove

NUMBERS: Final = st.integers(0, MAX_RUN - 1)
SHAPE_NAMES: Final = st.lists(st.sampled_from(tuple(SHAPES)), min_size=1, max_size=12)


def test_codes_are_new_within_a_run_and_across_runs() -> None:
    def law(example: tuple[list[int], list[str]]) -> None:
        runs, shapes = example
        codes = [minter.mint(shape) for minter in map(Minter, runs) for shape in shapes]
        assert len(set(codes)) == len(runs) * len(shapes)

    prove(st.tuples(st.lists(NUMBERS, min_size=2, max_size=4, unique=True), SHAPE_NAMES), law, 200)


def test_different_numbers_make_different_codes_in_any_two_shapes() -> None:
    number = st.tuples(st.sampled_from(tuple(SHAPES)), NUMBERS, NUMBERS)

    def law(drawn: list[tuple[str, int, int]]) -> None:
        assert len({SHAPES[shape](run, serial) for shape, run, serial in drawn}) == len(drawn)

    prove(st.lists(number, min_size=2, max_size=8, unique=True), law, 200)


ALL_SHAPES: Final = {**SHAPES, **ODD_SHAPES}


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_a_code_is_as_long_whatever_its_numbers(shape: str) -> None:
    assert len(ALL_SHAPES[shape](0, 0)) == len(ALL_SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1))


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_codes_of_a_shape_have_the_same_kinds_of_characters_in_it(shape: str) -> None:
    """A target that takes no letters, or wants some, answers alike to an order and to its twin: one had letters by chance."""

    def kinds(code: str) -> set[str]:
        return {"a letter" if one.isalpha() else "a digit" if one.isdigit() else one for one in code}

    def law(numbers: list[tuple[int, int]]) -> None:
        first, *others = (kinds(ALL_SHAPES[shape](run, serial)) for run, serial in numbers)
        assert all(one == first for one in others)

    prove(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=4), law, 100)


PLAIN: Final = re.compile(r"[A-Za-z0-9._#-]{1,40}")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_any_target_must_take_are_forty_plain_characters(shape: str) -> None:
    assert PLAIN.fullmatch(SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1))


def test_codes_of_one_more_character_are_plain_where_that_is_said() -> None:
    assert all(PLAIN.fullmatch(SHAPES[shape](0, 0) + "1") for shape in ROOMY)
    assert {len(SHAPES[shape](0, 0)) for shape in SHAPES if shape not in ROOMY} == {40}


def test_plain_codes_have_every_character_that_they_may_have_and_digits_beyond_doubles_and_64_bits() -> None:
    codes = [shape(MAX_RUN - 1, MAX_RUN - 1) for shape in SHAPES.values()]
    assert {"-", "_", ".", "#"} <= {*"".join(codes)}
    numbers = {len(code): int(code) for code in codes if code.isdigit()}
    assert {18, 20} <= numbers.keys()
    assert float(numbers[18]) == float(numbers[18] + 1)
    assert numbers[20] > 2**64


@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_what_a_target_may_refuse_is_not_plain(shape: str) -> None:
    assert PLAIN.fullmatch(ODD_SHAPES[shape](MAX_RUN - 1, MAX_RUN - 1)) is None


def test_codes_that_a_target_may_refuse_are_as_long_as_they_say() -> None:
    lengths = {shape: len(code(0, 0)) for shape, code in ODD_SHAPES.items() if shape.endswith(" characters")}
    lengths.pop("Chinese characters")
    assert lengths == {f"{length} characters": length for length in (45, 60, 100, 200, 300)}


def test_there_is_no_code_of_an_unknown_shape() -> None:
    with pytest.raises(KeyError, match="ebay"):
        Minter(1).mint("ebay")
