"""A mock on which time passes quickly: what takes it seconds, as reconciling does, is over at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from tests.suite.support.stage.mock import StagedMock

STEP_SECONDS: Final = 2
"""By how much its clock is moved each time: the mock reconciles in that. Tokens must outlive a run."""

EVERY_SECONDS: Final = 0.08


@contextmanager
def hurried(staged: StagedMock) -> Iterator[StagedMock]:
    """Move the mock's clock all the time."""
    ended = threading.Event()

    def hurry() -> None:
        while not ended.wait(EVERY_SECONDS):
            try:
                staged.command(advanceSeconds=STEP_SECONDS)
            except httpx.TransportError:  # the mock was ended first
                return

    thread = threading.Thread(target=hurry)
    thread.start()
    try:
        yield staged
    finally:
        ended.set()
        thread.join()
