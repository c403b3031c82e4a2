"""A rule, or a finding of a certificate, explained: what the documents say, what was tried, what to do, where it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract.readings import READINGS
from conformance.contract.rules import Kind, Level, Rule
from conformance.contract.traceability import tied_to
from conformance.i18n.messages import mark, tr
from conformance.i18n.sentences import said
from conformance.planning.show import counted
from conformance.report.rulebook import render
from conformance.report.summary import told_step
from conformance.report.traceability import told
from conformance.verdict.certificate import FindingEntry, RuleEntry
from conformance.verdict.verdicts import RuleVerdict

_TO_DO: Final[Mapping[RuleVerdict, str]] = {
    RuleVerdict.FAIL: mark("mend the endpoint, then try the findings again: {replay}"),
    RuleVerdict.WAIVED: mark("it fails, and may until its waiver ends; try the findings again: {replay}"),
    RuleVerdict.INCONCLUSIVE: mark("remove what stood in the way, then certify again: certify --rule {rule}"),
    RuleVerdict.NOT_EXERCISED: mark("give the target file what it needs, then certify again: certify --rule {rule}"),
    RuleVerdict.PASS: mark("nothing: it was seen to hold"),
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
    lines += ["", tr("What the documents say"), *_said(rule)]
    lines += ["", tr("What is tried"), *_tried(code, entry)]
    if entry is not None:
        lines += ["", tr("What was seen ({origin})", origin=origin), *_seen(entry, finding)]
    lines += ["", tr("What to do"), *_to_do(rule, entry, finding, origin)]
    return [*lines, "", tr("Where it is"), *_where(rule, code)]


def _said(rule: Rule) -> Iterator[str]:
    yield f"  {tr(rule.statement)} ({rule.source})"
    yield from (f"  {line}" for line in told(tied_to(rule.id)))
    if rule.reading:
        yield "  " + tr("where they disagree: {what}", what=tr(READINGS[rule.reading].disagreement))
    if rule.level is Level.RECOMMENDED:
        yield "  " + tr("inferred, and stated by no document: it is reported and decides nothing")


def _tried(code: Code, entry: RuleEntry | None) -> Iterator[str]:
    for place in code.scenarios:
        yield f"  {tr(place.title)}"
    tried, left = (entry.kinds.tried, entry.kinds.left) if entry is not None and entry.kinds is not None else ([], [])
    for fault, kinds in code.faults.items():
        yield f"  {fault}: {', '.join(kinds)}"
    if tried or left:
        kinds, every = counted(len(tried), "kind"), len(tried) + len(left)
        yield "  " + tr("by this certificate's run {kinds} of {all}", kinds=kinds, all=every)


def _seen(entry: RuleEntry, finding: FindingEntry | None) -> Iterator[str]:
    yield "  " + tr(
        "{verdict}: {accepted} accepted, {refused} refused, {checked} checked",
        verdict=tr(entry.verdict),
        accepted=entry.accepted,
        refused=entry.refused,
        checked=entry.checked,
    )
    if entry.reason:
        yield f"  {said(entry.reason)}"
    for one in [finding] if finding is not None else entry.findings:
        where = one.kind or said(one.scenario) or tr("seen beside other rules")
        yield f"  {one.id}: {one.endpoint or tr('no call')}, {where}"
        yield f"    {said(one.reason)}"
        if one.during is not None:
            kinds = tr(", trying: {kinds}", kinds=", ".join(one.during.kinds)) if one.during.kinds else ""
            shown_by = f"{one.during.rule} {said(one.during.scenario)}"
            yield "    " + tr("shown by {scenario}", scenario=shown_by) + kinds
    is_shown = finding is None or finding.id == (entry.findings[0].id if entry.findings else "")
    if entry.counterexample is not None and entry.counterexample.curl and is_shown:
        yield from (f"    {told_step(line)}" for line in entry.counterexample.curl.splitlines())
        response = entry.counterexample.response
        yield "    " + tr("answered {answer}", answer=f"{response.get('status')} {response.get('body')}")


def _to_do(rule: Rule, entry: RuleEntry | None, finding: FindingEntry | None, origin: str) -> Iterator[str]:
    replay = f"koncili-conformance replay {origin} {finding.id if finding is not None else rule.id}"
    recorded = entry is not None and any(one.recorded for one in entry.findings)
    if entry is not None and not recorded:
        yield "  " + tr(_TO_DO[entry.verdict], replay=replay, rule=rule.id)
    elif entry is None and Kind.ENDPOINT in rule.applies:
        command = f"koncili-conformance certify --rule {rule.id}"
        yield "  " + tr("an endpoint: {expected}; see it tried: {command}", expected=_expected(rule), command=command)
    if rule.instead:
        yield "  " + tr("an integration: {instead}", instead=tr(rule.instead))


def _expected(rule: Rule) -> str:
    """What an endpoint is to answer."""
    parts = []
    if rule.refused.text:
        code = tr(" and code {codes}", codes=tr(" or ").join(rule.codes)) if rule.codes else ""
        parts.append(tr("refuse what breaks it with {status}", status=rule.refused) + code)
    if rule.accepted.text:
        parts.append(tr("accept what does not with {status}", status=rule.accepted))
    return ", ".join(parts) or tr("answer as stated")


def _where(rule: Rule, code: Code) -> Iterator[str]:
    yield "  " + tr("conformance/contract/rules.yaml, its row")
    yield from (f"  {place.file}:{place.line}" for place in code.scenarios)
    if code.faults:
        yield f'  strategies/faults.py, FAULTS["{rule.id}"]'
    if code.defects:
        yield "  " + tr("mocks that break it: {names}", names=", ".join(code.defects))
