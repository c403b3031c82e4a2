"""What we know of CPython although it promises none of it: where it keeps the frames of what is running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")

_SLOTS: Final = 32_000
"""So many places for values, of 8 bytes, the frame of `with_room` claims. CPython takes memory for frames in pieces of 16 KB,
doubled until the frame fits in: of 512 KB half is left for the frames of all that is called."""


def with_room(run: Callable[[], Result]) -> Result:
    """What `run` returns or raises. The frames of all that it calls lie in one piece of memory.

    Where a frame lies at the end of a piece, CPython 3.11 asks the system for another one for each call from there, and gives it
    back when that returns: two system calls and a page cleared, 200,000 times in a certification, a sixth of its time.
    """
    return run()


with_room.__code__ = with_room.__code__.replace(co_stacksize=_SLOTS)
