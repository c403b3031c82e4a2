"""What `init` says: what was found, line by line, what can be exercised and what not and why, and which commands come next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from conformance.contract.rules import catalogue
from conformance.escaping import line
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.planning.sequence import Step
from conformance.planning.show import counted, span
from conformance.target.shared.budget_status import BudgetStatus

MARKS: Final = {"seen": "✓", "doubtful": "?", "missing": "○"}


def found(lines: Iterable[tuple[str, str, str]], requests: int, client_errors: int) -> Iterator[str]:
    """What the endpoint says of each line of the target file, by mark, key and words."""
    told = [(mark, said(key), what) for mark, key, what in lines]
    width = min(40, max((len(key) for _, key, _ in told), default=0))
    yield from (f"{MARKS[mark]} {key:{width}}  {line(said(what))}" for mark, key, what in told)
    yield f"{counted(requests, 'request')}, {counted(client_errors, 'client error')}"


def exercised(not_exercised: Mapping[str, str]) -> Iterator[str]:
    """How many rules can be exercised, and which can't be, by the reason."""
    rules = catalogue().rules
    can = len(rules) - len(not_exercised)
    yield tr("{number} of {rules} can be exercised", number=can, rules=counted(len(rules), "rule"))
    for reason in dict.fromkeys(not_exercised.values()):
        those = [rule for rule, why in not_exercised.items() if why == reason]
        yield f"○ {', '.join(those)}: {said(reason)}"


def next_steps(
    path: Path, steps: Sequence[Step], budget_status: BudgetStatus | None, unstated: Sequence[str] = ()
) -> Iterator[str]:
    """The commands that come next, and what each spends; `unstated` are the rules for which the gate wants a reason."""
    if budget_status is None:
        yield tr("next:")
    else:
        yield tr(
            "next ({left} of {budget} client errors are left in this hour):",
            left=budget_status.left,
            budget=budget_status.budget,
        )
    target = _word(str(path))
    for step in steps:
        plan = step.plan
        options = f" {step.options}" if step.options else ""
        spends = [
            counted(sum(plan.requests.values()), "request"), counted(plan.client_errors, "client error"),
            tr("at least {time}", time=span(plan.seconds)),
        ]  # fmt: skip
        yield f"  koncili-conformance certify --target {target}{options}"
        yield f"      {', '.join(spends)}{'' if plan.fits else _when(plan.fits_in)}"
    yield f"  koncili-conformance gate reports/certificate.json --target {target} --accept-partial"
    if not unstated:
        yield f"      {tr('sends nothing')}"
        return
    unless = tr(
        "sends nothing; refuses {rules}, unless [not_exercised] in {file} gives a reason",
        rules=", ".join(unstated),
        file=target,
    )
    yield f"      {unless}"


def _when(fits_in: float | None) -> str:
    if fits_in is None:
        return tr("; it waits for the next hour's budget")
    return tr("; it fits in {time}", time=span(fits_in))


def _word(text: str) -> str:
    """A word as shells take it."""
    import shlex

    return line(shlex.quote(text))
