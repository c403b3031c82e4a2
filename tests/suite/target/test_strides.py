"""Pieces at every so many places are found as slices find them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.target.wire.strides import Strides

SHAPES = [(8, 9), (12, 5), (3, 3), (4, 1)]
"""Length and step."""


@pytest.mark.parametrize(("length", "step"), SHAPES)
@given(
    raw=st.text("ab", max_size=700).map(str.encode),
    known=st.sets(st.text("abc", min_size=1, max_size=12).map(str.encode)),
)
def test_what_stands_at_such_a_place_is_met(length: int, step: int, raw: bytes, known: set[bytes]) -> None:
    known = {(piece * length)[:length] for piece in known}
    at_such_places = {raw[at : at + length] for at in range(0, len(raw) - length + 1, step)}
    assert Strides(length, step).meets(raw, known) == bool(at_such_places & known)


@pytest.mark.parametrize(("length", "step"), SHAPES)
def test_the_last_one_is_met_and_what_is_cut_off_at_the_end_is_not(length: int, step: int) -> None:
    raw = b"." * (100 * step) + b"x" * length
    assert Strides(length, step).meets(raw, {b"x" * length})
    assert not Strides(length, step).meets(raw[:-1], {b"x" * length})
