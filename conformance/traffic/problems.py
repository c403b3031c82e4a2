"""What of recordings can't be read, told by recording, in whatever sequence it was found."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from conformance.traffic.files import Tell

MOST_PROBLEMS: Final = 1_000
"""So many are kept of a recording."""

_ALIKE: Final = 20
"""What is among so many before it is told once."""


class Problems:
    """Collects sentences, as far as there is room."""

    def __init__(self) -> None:
        self._told: dict[int, list[str]] = {}

    def tell(self, recording: int, problem: str) -> None:
        """Take note of a problem of the recording with that number."""
        told = self._told.setdefault(recording, [])
        if len(told) < MOST_PROBLEMS and problem not in told[-_ALIKE:]:
            told.append(problem)

    def of(self, recording: int) -> Tell:
        """Takes the problems of one recording."""
        return partial(self.tell, recording)

    def add(self, recording: int, problems: Iterable[str]) -> None:
        """Take note of several problems of one recording."""
        for problem in problems:
            self.tell(recording, problem)

    def has(self, recording: int) -> bool:
        """Whether there are problems of that recording."""
        return recording in self._told

    @property
    def told(self) -> list[str]:
        """All of them, in the order in which the recordings were named."""
        return [problem for recording in sorted(self._told) for problem in self._told[recording]]
