"""Where CPython keeps frames: what is called from a frame with room asks the system for no memory, however deep it stands."""

from __future__ import annotations

import resource
from threading import Thread

import pytest

from conformance.compat.frames import with_room

CALLS = 300
DEPTHS = 300
"""Deeper than a piece of 16 KB reaches with the frames of `_faults`."""


def _called() -> None:
    """A frame."""


def _faults(depth: int) -> int:
    """How many pages the system gave this thread for so many calls from that depth."""
    if depth:
        return _faults(depth - 1)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        _called()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _most_faults() -> int:
    return max(_faults(depth) for depth in range(DEPTHS))


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_THREAD"), reason="only Linux counts by thread")
def test_calls_from_any_depth_take_no_memory_of_the_system() -> None:
    found: list[int] = []
    thread = Thread(target=lambda: found.append(with_room(_most_faults)))  # with frames of its own
    thread.start()
    thread.join()
    assert found[0] < CALLS, f"{found[0]} pages for {CALLS} calls from one depth: a piece of memory ends there"


def test_it_returns_and_raises_what_is_run() -> None:
    assert with_room(lambda: 7) == 7
    with pytest.raises(KeyError):
        with_room(lambda: {"one": 1}["none"])
