"""A trial that is one command against a server: what is set there, what is expected, and the words for what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.trials.staging import CODE_OF_A_RUN_THAT_DID_NOT_END, Ended, Place, place
from tests.trials.table import Row

MEGABYTES_AT_MOST: Final = 300.0


@dataclass
class Seen:
    """What came of a command."""

    place: Place
    ended: Ended
    told: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Exit code, time, memory, what the server counted, and what was blamed."""
        late = self.ended.code == CODE_OF_A_RUN_THAT_DID_NOT_END
        parts = [
            f"did not end within {self.ended.seconds:.0f} s" if late else f"exit code {self.ended.code}",
            f"{self.ended.seconds:.0f} s",
            f"{self.ended.megabytes:.0f} MB",
            f"{self.told['clientErrors']} client errors",
        ]
        if failed := self.failed:
            parts.append(f"fail: {' '.join(failed)}")
        if undecided := self.of("inconclusive"):
            parts.append(f"{len(undecided)} inconclusive")
        parts += [f"{len(self.told[what])} {what} left" for what in ("active", "deletable") if self.told[what]]
        parts += ["TRACEBACK"] if self.ended.traceback else []
        return ", ".join(parts)

    @property
    def failed(self) -> list[str]:
        """The rules that are blamed."""
        return self.of("fail")

    def of(self, verdict: str) -> list[str]:
        """The rules with that verdict."""
        return sorted(rule for rule, found in self.place.verdicts().items() if found == verdict)


@dataclass(frozen=True)
class Case:
    """One command, and what must come of it."""

    group: str
    name: str
    tried: str
    codes: Sequence[int]
    arguments: Sequence[str] = ("--profile", "smoke")
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the server."""
    target: Mapping[str, Any] = field(default_factory=dict)
    """Changes of the target file."""
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()
    """Stands before the command, such as a wrapper."""
    expected: str = ""
    """What else must be so, in words; `holds` finds out."""
    holds: Callable[[Seen], bool] = lambda _: True
    seconds: float = 240.0
    """How long it may take."""
    run: Callable[[Case, Place], Ended] | None = None
    """In place of `certify`."""

    def __call__(self) -> Row:
        """Carry it out."""
        begun = time.monotonic()
        with place(**self.settings) as there:
            there.target(**self.target)
            ended = self.run(self, there) if self.run else self._certify(there)
            time.sleep(0.1)
            seen = Seen(there, ended, there.server.told())
            right = ended.code in self.codes and not ended.traceback and ended.megabytes < MEGABYTES_AT_MOST
            right = right and self.holds(seen)
            words, said = seen.words, ended.last
        codes = " or ".join(map(str, self.codes))
        expected = f"exit code {codes}" + (f"; {self.expected}" if self.expected else "")
        facts = {
            "code": ended.code,
            "seconds": round(ended.seconds, 1),
            "megabytes": round(ended.megabytes),
            "said": said,
        }
        return Row(self.group, self.name, self.tried, expected, words, not right, time.monotonic() - begun, facts)

    def _certify(self, there: Place) -> Ended:
        return there.certify(*self.arguments, patience=self.seconds, environment=self.environment, before=self.before)


def rules(*names: str) -> list[str]:
    """Options that choose these rules."""
    return ["--profile", "smoke", *(part for name in names for part in ("--rule", name))]
