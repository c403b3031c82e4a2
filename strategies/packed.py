"""Several small choices in one draw.

What a Hypothesis example costs is its number of draws, far more than anything done with them. A choice among twelve ways to
print each of six dates is one integer below 12**6 here, not six draws. Zero is the simplest of each, so that shrinking
still ends at the plainest example.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from hypothesis import strategies as st

LARGEST_PACK: Final = 2**24
"""Above this Hypothesis prefers small integers, and the later choices would nearly always be zero."""


def packed(sizes: Sequence[int]) -> st.SearchStrategy[tuple[int, ...]]:
    """For each size a whole number below it. Raises ValueError where the sizes do not fit one draw."""
    total = prod(sizes)
    if total > LARGEST_PACK:
        raise ValueError(f"{sizes} needs {total} values; at most {LARGEST_PACK} fit one draw")

    def unpack(number: int) -> tuple[int, ...]:
        choices = []
        for size in sizes:
            number, choice = divmod(number, size)
            choices.append(choice)
        return tuple(choices)

    return st.integers(0, total - 1).map(unpack)
