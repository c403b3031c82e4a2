"""Several choices in one draw: every combination, none preferred, the first of each the simplest."""

from __future__ import annotations

from itertools import product

import hypothesis
import pytest

from strategies.packed import packed
from tests.suite.support.properties import repeatable, sample


@pytest.mark.parametrize("sizes", [(2, 3, 4), (5,), (1, 1), (7, 1, 2), ()], ids=str)
def test_packed_decodes_every_combination(sizes: tuple[int, ...]) -> None:
    assert sorted(set(sample(packed(sizes), 400))) == sorted(product(*map(range, sizes)))


def test_packed_prefers_none_of_its_choices() -> None:
    """The sizes are those of an extract's choices; of each the first and the last half must come up."""
    sizes = (3, 2, 3, 9, 4, 101, 6, 8)
    drawn = sample(packed(sizes), 600)
    for place, size in enumerate(sizes):
        high = sum(choices[place] >= size / 2 for choices in drawn) / len(drawn)
        assert 0.2 < high < 0.8, f"of the choices below {size}, {high:.0%} are in the upper half"


@pytest.mark.parametrize(("at_least", "smallest"), [(0, (0, 0, 0)), (2, (0, 2, 0))], ids=["any", "the second from 2"])
def test_packed_shrinks_to_the_first_of_each(at_least: int, smallest: tuple[int, ...]) -> None:
    found = hypothesis.find(packed([3, 4, 5]), lambda choices: choices[1] >= at_least, settings=repeatable(100))
    assert found == smallest


def test_packed_refuses_what_does_not_fit_one_draw() -> None:
    packed([256, 256, 256])
    with pytest.raises(ValueError, match="33554432"):
        packed([2**25])
