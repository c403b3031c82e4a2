"""What several tries of one finding say of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conformance.i18n.messages import tr
from conformance.i18n.sentences import said

TRIES: Final = 5
"""How often a finding is tried before it counts as fixed: what shows now and then needs some luck."""

SURE: Final = 3
"""A finding that shows so often and each time is still there."""


class Fate(StrEnum):
    """What became of a finding."""

    STILL_THERE = "still there"
    FIXED = "fixed"
    FLAKY = "flaky"
    NOT_TRIED = "can't be tried"


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: whether the finding showed, or `why_not` it could not be tried. `told` is what was seen, for a terminal."""

    shown: bool = False
    why_not: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """The tries of one finding, of at most so many."""

    most: int = TRIES
    tries: tuple[Tried, ...] = ()

    def having(self, one: Tried) -> Tally:
        """With one more."""
        return Tally(self.most, (*self.tries, one))

    @property
    def made(self) -> int:
        """How many were made."""
        return sum(not one.why_not for one in self.tries)

    @property
    def shown(self) -> int:
        """In how many it showed."""
        return sum(one.shown for one in self.tries)

    @property
    def why_not(self) -> str:
        """Why it could not be tried (again)."""
        return next((one.why_not for one in self.tries if one.why_not), "")

    @property
    def is_clear(self) -> bool:
        """Whether another try would change nothing, or can't be made."""
        return bool(self.why_not) or self.made >= self.most or (self.shown == self.made >= SURE)

    @property
    def fate(self) -> Fate:
        """What they say. A fault that showed is there, whatever kept the next try from being made; one that did not show is gone
        only if all were made."""
        if self.shown:
            return Fate.STILL_THERE if self.shown == self.made else Fate.FLAKY
        return Fate.NOT_TRIED if self.why_not or not self.made else Fate.FIXED

    @property
    def words(self) -> str:
        """The same, with the figures."""
        if self.fate is Fate.NOT_TRIED:
            return f"{tr(self.fate)}: {said(self.why_not) or tr('no try was made')}"
        if not self.shown:
            return tr("{fate} (not seen in {number})", fate=tr(self.fate), number=self.made)
        return tr("{fate} ({shown} of {number})", fate=tr(self.fate), shown=self.shown, number=self.made)

    @property
    def told(self) -> str:
        """What was seen first: later tries are not shrunk."""
        return next((one.told for one in self.tries if one.told), "")
