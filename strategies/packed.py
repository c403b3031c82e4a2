"""Several small choices in one draw.

What a Hypothesis example costs is its number of draws, far more than anything done with them. Twelve ways to print each of
six dates are six bytes of one draw here, not six draws. (Not the digits of one integer: of integers up to more than a few
hundred Hypothesis prefers the small ones, and the later choices would nearly always be zero.) Zero is the simplest of
each, so that shrinking still ends at the plainest example.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

LARGEST_SIZE: Final = 256
"""A choice is made by a byte."""


def packed(sizes: Sequence[int]) -> st.SearchStrategy[tuple[int, ...]]:
    """For each size a whole number below it. Raises ValueError where a size does not fit a byte."""
    if max(sizes, default=1) > LARGEST_SIZE:
        raise ValueError(f"{sizes}: at most {LARGEST_SIZE} values fit one choice")

    def unpack(drawn: bytes) -> tuple[int, ...]:
        return tuple(byte * size // LARGEST_SIZE for byte, size in zip(drawn, sizes, strict=True))

    return st.binary(min_size=len(sizes), max_size=len(sizes)).map(unpack)
