"""A rule, or a finding of a certificate, explained: what the documents say, what was tried, what to do, where it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract.readings import READINGS
from conformance.contract.rules import Kind, Level, Rule
from conformance.contract.traceability import tied_to
from conformance.planning.show import counted
from conformance.report.rulebook import render
from conformance.report.traceability import told
from conformance.verdict.certificate import FindingEntry, RuleEntry
from conformance.verdict.verdicts import RuleVerdict

_TO_DO: Final[Mapping[RuleVerdict, str]] = {
    RuleVerdict.FAIL: "mend the endpoint, then try the findings again: {replay}",
    RuleVerdict.WAIVED: "it fails, and may until its waiver ends; try the findings again: {replay}",
    RuleVerdict.INCONCLUSIVE: "remove what stood in the way, then certify again: certify --rule {rule}",
    RuleVerdict.NOT_EXERCISED: "give the target file what it needs, then certify again: certify --rule {rule}",
    RuleVerdict.PASS: "nothing: it was seen to hold",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A scenario in its file: where it stands, and its title."""

    file: str
    line: int
    title: str


@dataclass(frozen=True, slots=True)
class Code:
    """Where a rule is in the code."""

    scenarios: Sequence[Place]
    faults: Mapping[str, Sequence[str]]
    """By the words of a fault its kinds."""
    defects: Sequence[str]
    """Mocks by which one sees it caught."""


def explained(rule: Rule, code: Code, entry: RuleEntry | None, finding: FindingEntry | None, origin: str) -> list[str]:
    """The explanation, line by line. `entry` is the rule's in the certificate that `origin` names, if one was read; `finding`
    the one of it that was asked for."""
    lines = render([rule], "table", single=True).splitlines()
    lines += ["", "What the documents say", *_said(rule)]
    lines += ["", "What is tried", *_tried(code, entry)]
    if entry is not None:
        lines += ["", f"What was seen ({origin})", *_seen(entry, finding)]
    lines += ["", "What to do", *_to_do(rule, entry, finding, origin)]
    return [*lines, "", "Where it is", *_where(rule, code)]


def _said(rule: Rule) -> Iterator[str]:
    yield f"  {rule.statement} ({rule.source})"
    yield from (f"  {line}" for line in told(tied_to(rule.id)))
    if rule.reading:
        yield f"  where they disagree: {READINGS[rule.reading].disagreement}"
    if rule.level is Level.RECOMMENDED:
        yield "  inferred, and stated by no document: it is reported and decides nothing"


def _tried(code: Code, entry: RuleEntry | None) -> Iterator[str]:
    for place in code.scenarios:
        yield f"  {place.title}"
    tried, left = (entry.kinds.tried, entry.kinds.left) if entry is not None and entry.kinds is not None else ([], [])
    for fault, kinds in code.faults.items():
        yield f"  {fault}: {', '.join(kinds)}"
    if tried or left:
        yield f"  by this certificate's run {counted(len(tried), 'kind')} of {len(tried) + len(left)}"


def _seen(entry: RuleEntry, finding: FindingEntry | None) -> Iterator[str]:
    yield f"  {entry.verdict}: {entry.accepted} accepted, {entry.refused} refused, {entry.checked} checked"
    if entry.reason:
        yield f"  {entry.reason}"
    for one in [finding] if finding is not None else entry.findings:
        yield f"  {one.id}: {one.endpoint or 'no call'}, {one.kind or one.scenario or 'seen beside other rules'}"
        yield f"    {one.reason}"
        if one.during is not None:
            kinds = f", trying: {', '.join(one.during.kinds)}" if one.during.kinds else ""
            yield f"    shown by {one.during.rule} {one.during.scenario}{kinds}"
    is_shown = finding is None or finding.id == (entry.findings[0].id if entry.findings else "")
    if entry.counterexample is not None and entry.counterexample.curl and is_shown:
        yield from (f"    {line}" for line in entry.counterexample.curl.splitlines())
        response = entry.counterexample.response
        yield f"    answered {response.get('status')} {response.get('body')}"


def _to_do(rule: Rule, entry: RuleEntry | None, finding: FindingEntry | None, origin: str) -> Iterator[str]:
    replay = f"koncili-conformance replay {origin} {finding.id if finding is not None else rule.id}"
    recorded = entry is not None and any(one.recorded for one in entry.findings)
    if entry is not None and not recorded:
        yield "  " + _TO_DO[entry.verdict].format(replay=replay, rule=rule.id)
    elif entry is None and Kind.ENDPOINT in rule.applies:
        yield f"  an endpoint: {_expected(rule)}; see it tried: koncili-conformance certify --rule {rule.id}"
    if rule.instead:
        yield f"  an integration: {rule.instead}"


def _expected(rule: Rule) -> str:
    """What an endpoint is to answer."""
    parts = []
    if rule.refused.text:
        code = f" and code {' or '.join(rule.codes)}" if rule.codes else ""
        parts.append(f"refuse what breaks it with {rule.refused}{code}")
    if rule.accepted.text:
        parts.append(f"accept what does not with {rule.accepted}")
    return ", ".join(parts) or "answer as stated"


def _where(rule: Rule, code: Code) -> Iterator[str]:
    yield "  conformance/contract/rules.yaml, its row"
    yield from (f"  {place.file}:{place.line}" for place in code.scenarios)
    if code.faults:
        yield f'  strategies/faults.py, FAULTS["{rule.id}"]'
    if code.defects:
        yield f"  mocks that break it: {', '.join(code.defects)}"
