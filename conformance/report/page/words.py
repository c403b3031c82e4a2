"""The words and symbols of verdicts on the page."""

from __future__ import annotations

from typing import Final

from conformance.contract.rules import Level, Side
from conformance.verdict.certificate import Certificate
from conformance.verdict.verdicts import RuleVerdict, RunVerdict

RUN_COLOURS: Final = {
    RunVerdict.CONFORMANT: RuleVerdict.PASS,
    RunVerdict.NONCONFORMANT: RuleVerdict.FAIL,
    RunVerdict.PARTIAL: RuleVerdict.NOT_EXERCISED,
    RunVerdict.INCONCLUSIVE: RuleVerdict.INCONCLUSIVE,
}
"""A run's verdict has the colour of what decided it."""

NEXT_STEPS: Final = {
    RunVerdict.CONFORMANT: "Keep the certificate: it is what the release can be decided by.",
    RunVerdict.NONCONFORMANT: "Each failure below has the curl lines that show it again.",
    RunVerdict.PARTIAL: "Give the target what the rules below need, then run again.",
    RunVerdict.INCONCLUSIVE: "See the reasons below, then run again.",
}

KNOWN_HOW: Final = {
    "stated": "stated by the target file",
    "probed": "found out by probing",
    "default": "taken by default",
}


def meaning(certificate: Certificate) -> str:
    """What the verdict says, in a sentence."""
    required = [entry for entry in certificate.rules if entry.level is Level.REQUIRED]

    def number(verdict: RuleVerdict) -> int:
        return sum(entry.verdict is verdict for entry in required)

    failed, waived = number(RuleVerdict.FAIL), number(RuleVerdict.WAIVED)
    missing, undecided = number(RuleVerdict.NOT_EXERCISED), number(RuleVerdict.INCONCLUSIVE)
    if certificate.verdict is RunVerdict.NONCONFORMANT:
        return f"{_rules(failed)} of {len(required)} {_was(failed)} seen broken."
    if certificate.verdict is RunVerdict.CONFORMANT and waived:
        held = number(RuleVerdict.PASS)
        return f"{held} of {len(required)} required rules were seen to hold; {waived} failed and {_is(waived)} waived."
    if certificate.verdict is RunVerdict.CONFORMANT:
        return f"All {len(required)} required rules were seen to hold."
    if undecided:
        return f"No required rule was seen broken, but {undecided} of {len(required)} could not be decided."
    if certificate.verdict is RunVerdict.INCONCLUSIVE:
        return "No required rule was seen to hold: nothing is decided."
    return f"No required rule was seen broken, but {missing} of {len(required)} {_was(missing)} not exercised."


def seen(accepted: int = 0, refused: int = 0, checked: int = 0) -> list[str]:
    """What was seen of each side: `12 accepted`, `11 refused`."""
    counts = {Side.ACCEPTED: accepted, Side.REFUSED: refused, Side.CHECKED: checked}
    return [f"{number:,} {side}" for side, number in counts.items() if number]


def duration(seconds: float) -> str:
    """A time in words: 9.4 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _rules(number: int) -> str:
    return f"{number} required rule{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
