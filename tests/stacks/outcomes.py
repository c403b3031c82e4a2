"""What became of each server, and whether its verdict is the one that it deserves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.rules import Level, catalogue

PATIENCE: Final = "--patient"
"""Stands in the table among the rules of a fault that looks for half an hour like what is only late: no run without patience
may say that it is conformant, and none need say more."""

RIGHT, UNDECIDED, MISSED, WRONG, ALARM = "right", "undecided, as it must be", "MISSED", "WRONG BLAME", "FALSE ALARM"


@dataclass(frozen=True)
class Outcome:
    """What became of a run against a server with a fault, with several, or with none."""

    stack: str
    fault: str
    expected: Sequence[str]
    code: int
    failed: Sequence[str] = ()
    undecided: Mapping[str, str] = field(default_factory=dict)
    requests: int = 0
    client_errors: int = 0
    seconds: float = 0.0
    words: str = ""

    @classmethod
    def of(
        cls, stack: str, fault: str, expected: Sequence[str], code: int, certificate: Any, seconds: float
    ) -> Outcome:
        """What a certificate says."""
        rules, traffic = certificate["rules"], certificate["traffic"]
        return cls(
            stack, fault, expected, code,
            failed=[one["id"] for one in rules if one["verdict"] == "fail"],
            undecided={
                one["id"]: one["reason"]
                for one in rules
                if one["verdict"] == "inconclusive" or (one["verdict"] == "not-exercised" and PATIENCE in one["reason"])
            },
            requests=traffic["requests"], client_errors=traffic["clientErrors"], seconds=seconds,
        )  # fmt: skip

    @property
    def mark(self) -> str:
        """Whether the verdict is the one that the server deserves, in a word or two."""
        if not self.expected:  # as it should be, or in a lawful way of its own
            is_right = self.code in {0, 2} and not self.failed and self.requests > 0
            return RIGHT if is_right else ALARM
        if not self.failed:
            hides = PATIENCE in self.expected and self.code != 0 and bool({*self.expected} & {*self.undecided})
            return UNDECIDED if hides else MISSED
        decides = any(catalogue()[rule].level is Level.REQUIRED for rule in self.failed)
        return RIGHT if (self.code == 1) is decides and {*self.failed} <= {*self.expected} else WRONG

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with the verdict."""
        return self.mark in {RIGHT, UNDECIDED}

    @property
    def row(self) -> str:
        """The outcome as a row of the table."""
        told = "; ".join(f"{rule}: {why}" for rule, why in self.undecided.items())[:200]
        failed = ", ".join(self.failed) or self.words or told
        counts = f"{self.code} | {self.requests} | {self.client_errors} | {self.seconds:.0f} s"
        return f"| {self.stack} | {self.fault or '(clean)'} | {self.mark} | {failed} | {counts} |"


_COLUMNS: Final = ("stack", "fault", "verdict", "failed", "exit code", "requests", "client errors", "took")

HEAD: Final = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"
"""The first two lines of the table."""


def summary(outcomes: Collection[Outcome]) -> list[str]:
    """How many verdicts were right, by stack, and which were not."""
    lines = []
    for stack in dict.fromkeys(one.stack for one in outcomes):
        for what, some in (
            ("faults", [one for one in outcomes if one.stack == stack and one.expected]),
            ("lawful", [one for one in outcomes if one.stack == stack and not one.expected]),
        ):
            marks = Counter(one.mark for one in some)
            told = ", ".join(f"{number} {mark}" for mark, number in marks.most_common())
            lines += [f"{stack}, {what}: {len(some)}: {told}"] if some else []
    wrong = [f"{one.stack} {one.fault or '(clean)'}: {one.mark}" for one in outcomes if not one.is_right]
    return [*lines, *wrong]
