"""Lines of the terminal, each in its tone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """In which tone a line is told, where there are colours."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Line:
    """A line for a terminal."""

    text: str
    tone: Tone = Tone.PLAIN
    is_command: bool = False
    """Whether it is to be taken for a command by a CI system; any other line can't be."""
