"""The proof for a terminal: which rule caught which defect, family by family, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from conformance.proof.proof import Fate, Proof, Subject

_MARKS = {
    Fate.CAUGHT: "+", Fate.PASSED: "+", Fate.MISSED: "MISSED", Fate.MISBLAMED: "MISBLAMED",
    Fate.FALSE_ALARM: "FALSE ALARM", Fate.UNDECIDED: "UNDECIDED", Fate.HELD_UP: "HELD UP",
}  # fmt: skip

_VERDICTS = {
    "whole": "Both ratios are whole.",
    "not-whole": "The suite says something wrong of what is named above.",
    "partial": "Right as far as it went: not all was run.",
}


def line(subject: Subject) -> str:
    """One mock in a line."""
    what = ", ".join(subject.blamed) if subject.rules or subject.blamed else subject.verdict
    return f"{_MARKS[subject.verdict]:>2} {subject.name:<44} {what:<40} {subject.requests:>5} requests {subject.seconds:>5.1f} s"


def matrix(proof: Proof) -> Iterator[str]:
    """Every defect with the rules that were blamed for it, then every variant, then the ratios."""
    for family, subjects in groupby(proof.defects, key=lambda subject: subject.family):
        some = list(subjects)
        yield f"\n{family} ({sum(one.is_as_it_should_be for one in some)}/{len(some)})"
        yield from map(line, some)
    if proof.variants:
        yield f"\nvariants ({proof.specificity})"
        yield from map(line, proof.variants)
    yield from trouble([proof.clean, *proof.defects, *proof.variants])
    yield ""
    yield from summary(proof)


def trouble(subjects: Sequence[Subject]) -> Iterator[str]:
    """What is not as it should be, with why."""
    for subject in subjects:
        if subject.is_as_it_should_be:
            continue
        yield f"\n{_MARKS[subject.verdict]} {subject.name}: {subject.statement}"
        if subject.rules:
            yield f"  may be blamed: {', '.join(subject.rules)}"
        yield from (f"  {rule}: {reason}" for rule, reason in subject.blamed.items())
        if subject.reason:
            yield f"  {subject.reason}"


def summary(proof: Proof) -> Iterator[str]:
    """The ratios, and what they took."""
    everyone = [proof.clean, *proof.defects, *proof.variants]
    of_each = {frozenset((one.name, *one.beside)): (one.requests, one.client_errors) for one in everyone}
    requests, errors = map(sum, zip(*of_each.values(), strict=True))
    yield f"defects caught and rightly blamed: {proof.sensitivity}"
    yield f"variants passed: {proof.specificity}"
    how = "every run to its end" if proof.mode == "whole" else "a defect's run ends at the first rightly blamed failure"
    if proof.together:
        how += f", {len(proof.variants)} variants in {len(of_each) - 1 - len(proof.defects)} mocks"
    yield f"profile {proof.profile}, seed {proof.seed}, {how}: {requests} requests, {errors} client errors, {proof.seconds:.0f} s"
    yield f"{proof.verdict.upper()}: {_VERDICTS[proof.verdict]}"


def markdown(proof: Proof) -> str:
    """The proof as Markdown: the ratios, which defects each rule caught, and every mock."""
    lines = ["# Proof of the suite", "", *(f"- {text}" for text in summary(proof))]
    lines += ["", "## Which rule caught what", "", "| rule | defects | which |", "|---|---:|---|"]
    caught: dict[str, list[str]] = {}
    for subject in proof.defects:
        for rule in subject.blamed:
            caught.setdefault(rule, []).append(subject.name)
    lines += [f"| {rule} | {len(names)} | {', '.join(names)} |" for rule, names in sorted(caught.items())]
    lines += ["", "## Every mock", "", "| family | mock | what it does | verdict | blamed | requests | 4xx |"]
    lines += ["|---|---|---|---|---|---:|---:|"]
    lines += [
        f"| {one.family} | {one.name} | {one.statement} | {one.verdict} | {', '.join(one.blamed)} | {one.requests} "
        f"| {one.client_errors} |"
        for one in (proof.clean, *proof.defects, *proof.variants)
    ]
    return "\n".join([*lines, *trouble([proof.clean, *proof.defects, *proof.variants])]) + "\n"
