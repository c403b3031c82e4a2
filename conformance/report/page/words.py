"""The words and symbols of verdicts on the page."""

from __future__ import annotations

from typing import Final

from conformance.contract.rules import Level, Side
from conformance.i18n.formats import number as numeral
from conformance.i18n.messages import mark, ntr, tr
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
    RunVerdict.CONFORMANT: mark("Keep the certificate: it is what the release can be decided by."),
    RunVerdict.NONCONFORMANT: mark("Each failure below has the curl lines that show it again."),
    RunVerdict.PARTIAL: mark("Give the target what the rules below need, then run again."),
    RunVerdict.INCONCLUSIVE: mark("See the reasons below, then run again."),
}

KNOWN_HOW: Final = {
    "stated": mark("stated by the target file"),
    "probed": mark("found out by probing"),
    "default": mark("taken by default"),
}


def meaning(certificate: Certificate) -> str:
    """What the verdict says, in a sentence."""
    required = [entry for entry in certificate.rules if entry.level is Level.REQUIRED]

    def number(verdict: RuleVerdict) -> int:
        return sum(entry.verdict is verdict for entry in required)

    failed, waived = number(RuleVerdict.FAIL), number(RuleVerdict.WAIVED)
    missing, undecided = number(RuleVerdict.NOT_EXERCISED), number(RuleVerdict.INCONCLUSIVE)
    if certificate.verdict is RunVerdict.NONCONFORMANT:
        return ntr(
            "{number} required rule of {all} was seen broken.",
            "{number} required rules of {all} were seen broken.",
            failed,
            all=len(required),
        )
    if certificate.verdict is RunVerdict.CONFORMANT and waived:
        held = number(RuleVerdict.PASS)
        return ntr(
            "{held} of {all} required rules were seen to hold; {number} failed and is waived.",
            "{held} of {all} required rules were seen to hold; {number} failed and are waived.",
            waived,
            held=held,
            all=len(required),
        )
    if certificate.verdict is RunVerdict.CONFORMANT:
        return tr("All {all} required rules were seen to hold.", all=len(required))
    if undecided:
        return tr(
            "No required rule was seen broken, but {number} of {all} could not be decided.",
            number=undecided,
            all=len(required),
        )
    if certificate.verdict is RunVerdict.INCONCLUSIVE:
        return tr("No required rule was seen to hold: nothing is decided.")
    return ntr(
        "No required rule was seen broken, but {number} of {all} was not exercised.",
        "No required rule was seen broken, but {number} of {all} were not exercised.",
        missing,
        all=len(required),
    )


def spoken_by_script(rules: int) -> dict[str, str]:
    """What the script of the page says. Its placeholders it fills in itself."""
    return {
        "every": ntr("{number} rule", "{number} rules", rules),
        "some": tr("{number} of {all} rules"),
        "open": tr("Open all"),
        "close": tr("Close all"),
        "copy": tr("Copy"),
        "copied": tr("Copied"),
        "selected": tr("Selected"),
        "copyIt": tr("Copy {what}"),
        "copiedIt": tr("Copied {what}"),
        "selectedIt": tr("Selected: copy it with the keyboard"),
    }


def seen(accepted: int = 0, refused: int = 0, checked: int = 0) -> list[str]:
    """What was seen of each side: `12 accepted`, `11 refused`."""
    counts = {Side.ACCEPTED: accepted, Side.REFUSED: refused, Side.CHECKED: checked}
    return [f"{numeral(number)} {tr(side)}" for side, number in counts.items() if number]


def duration(seconds: float) -> str:
    """A time in words: 9.4 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 60:  # noqa: PLR2004
        return f"{numeral(seconds, '.1f')} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
