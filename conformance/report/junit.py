"""junit.xml: every scenario as a test case, as the certificate judges it. CI systems show it; the certificate decides.

Pytest's own would call a scenario passed that showed nothing, and would not know of a rule that another scenario saw broken.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract.rules import Kind, Level, catalogue, every_rule
from conformance.escaping import visible
from conformance.report import recorded
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.evidence import Evidence, Outcome, ScenarioEvidence
from conformance.verdict.verdicts import NOT_SELECTED, RuleVerdict, RunVerdict, unseen

PASSED: Final = "passed"
FAILURE: Final = "failure"
ERROR: Final = "error"
SKIPPED: Final = "skipped"

_BY_OUTCOME = {
    Outcome.PASSED: PASSED,
    Outcome.FAILED: FAILURE,
    Outcome.INCONCLUSIVE: ERROR,
    Outcome.NOT_EXERCISED: SKIPPED,
    Outcome.NOT_RUN: SKIPPED,
}

BY_VERDICT: Final[Mapping[RuleVerdict, str]] = {
    RuleVerdict.PASS: PASSED,
    RuleVerdict.FAIL: FAILURE,
    RuleVerdict.INCONCLUSIVE: ERROR,
    RuleVerdict.NOT_EXERCISED: SKIPPED,
    RuleVerdict.WAIVED: SKIPPED,
}
"""How at least one case of a rule ends."""

NOT_SCORED: Final = "not scored, since it came after the version of the contract that was asked for"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: its area, its name (unique in the file), how it ended and why."""

    area: str
    name: str
    status: str
    message: str = ""
    text: str = ""
    seconds: float = 0.0
    properties: tuple[tuple[str, str], ...] = ()


def junit(certificate: Certificate, evidence: Evidence) -> str:
    """The XML file as text.

    Inputs: the certificate of a run and what it rests on, both without secrets. A failure is a scenario that saw its rule
    broken, an error one that decided nothing, skipped is what was not exercised, or waived: never passed. Of a rule that
    does not pass at least one case says so, and of a run without a verdict too.
    """
    found = cases(certificate, evidence)
    seconds = (certificate.finished_at - certificate.started_at).total_seconds()
    name = f"Koncili conformance: {certificate.target.name}"
    root = ET.Element("testsuites", {"name": name, **_counted(found, seconds)})
    for area in dict.fromkeys(case.area for case in found):
        there = [case for case in found if case.area == area]
        counted = _counted(there, sum(case.seconds for case in there))
        begun = certificate.started_at.isoformat(timespec="seconds")
        suite = ET.SubElement(root, "testsuite", {"name": area, **counted, "timestamp": begun})
        _add_properties(suite, _about(certificate))
        for case in there:
            _add_case(suite, case)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + _as_text(root) + "\n"


def cases(certificate: Certificate, evidence: Evidence) -> list[Case]:
    """All test cases, in the order of the rules."""
    if certificate.kind is Kind.INTEGRATION:
        return recorded_cases(certificate)
    found: list[Case] = []
    scenarios = defaultdict[str, list[ScenarioEvidence]](list)
    for scenario in evidence.scenarios.values():
        scenarios[scenario.rule].append(scenario)
    for entry in certificate.rules:
        of_rule = [_of_scenario(entry, scenario, certificate.readings) for scenario in scenarios[entry.id]]
        if _scored(entry, BY_VERDICT[entry.verdict], "")[0] not in {case.status for case in of_rule}:
            of_rule.append(_of_rule(entry))
        found += of_rule
    if certificate.verdict is RunVerdict.INCONCLUSIVE and not any(case.status == ERROR for case in found):
        found.append(Case("run", "the run decides something", ERROR, "no required rule was seen to hold"))
    return found


def recorded_cases(certificate: Certificate) -> list[Case]:
    """The test cases of an audit: one for each rule, and one for each cause for which a rule is broken."""
    found: list[Case] = []
    for entry in certificate.rules:
        for finding in entry.findings:
            spots = "\n".join(recorded.spot_told(spot) for spot in recorded.detail(finding).entries)
            parts = (
                finding.reason,
                recorded.place_told(finding),
                spots,
                recorded.source_of(entry.id),
                recorded.detail(finding).instead,
            )
            status = SKIPPED if entry.verdict is RuleVerdict.WAIVED else FAILURE
            name = f"{entry.id}: {entry.statement} [{finding.id}]"
            found.append(Case(_area(entry), name, status, finding.reason, "\n\n".join(part for part in parts if part)))
        if not entry.findings:
            name = f"{entry.id}: {entry.statement}"
            found.append(Case(_area(entry), name, BY_VERDICT[entry.verdict], entry.reason, "", 0.0, _of_entry(entry)))
    if certificate.verdict is RunVerdict.INCONCLUSIVE:
        why = recorded.next_step(certificate)
        found.append(Case("integration", "the recording decides something", ERROR, why))
    return found


def _of_scenario(entry: RuleEntry, scenario: ScenarioEvidence, readings: Mapping[str, str]) -> Case:
    status, message = _BY_OUTCOME[scenario.outcome], scenario.reason
    if scenario.outcome is Outcome.NOT_RUN:
        message = scenario.reason or NOT_SELECTED
    elif scenario.outcome is Outcome.PASSED and (missing := unseen(catalogue()[entry.id], scenario, readings)):
        status, message = (ERROR if entry.verdict is RuleVerdict.INCONCLUSIVE else SKIPPED), missing
    if entry.verdict is RuleVerdict.WAIVED and status in {FAILURE, ERROR}:
        status, message = SKIPPED, entry.reason
    status, message = _scored(entry, status, message)
    shown = scenario.finding
    text = _told(entry, shown.reason, shown.curl, shown.response) if shown else ""
    counts = tuple((side, str(number)) for side, number in scenario.counts.items())
    name = f"{entry.id}: {scenario.name}"
    return Case(_area(entry), name, status, message, text, scenario.seconds, (*_of_entry(entry), *counts))


def _of_rule(entry: RuleEntry) -> Case:
    """What none of the rule's own scenarios shows: above all that it was seen broken while others ran."""
    shown = entry.counterexample
    text = _told(entry, entry.reason, shown.curl if shown else "", shown.response if shown else {})
    name = f"{entry.id}: what was seen of it besides its own scenarios"
    return Case(
        _area(entry), name, *_scored(entry, BY_VERDICT[entry.verdict], entry.reason), text, 0.0, _of_entry(entry)
    )


def _scored(entry: RuleEntry, status: str, message: str) -> tuple[str, str]:
    """A status, and why: none that stops a pipeline of a rule that is not in the contract that was asked for."""
    if entry.level is Level.LATER and status in {FAILURE, ERROR}:
        return SKIPPED, f"{NOT_SCORED}: {message}"
    return status, message


def _told(entry: RuleEntry, reason: str, curl: str, response: Mapping[str, object]) -> str:
    """What a person reads who opens the case."""
    answered = f"answered {response.get('status')}: {response.get('body')}" if response else ""
    return "\n\n".join(part for part in (entry.statement, reason, curl, answered) if part)


def _area(entry: RuleEntry) -> str:
    return every_rule()[entry.id].area


def _of_entry(entry: RuleEntry) -> tuple[tuple[str, str], ...]:
    return (("rule", entry.id), ("level", entry.level), ("verdict", entry.verdict))


def _about(certificate: Certificate) -> tuple[tuple[str, str], ...]:
    return (
        ("target", certificate.target.base_url),
        ("verdict", certificate.verdict),
        ("profile", certificate.profile),
        ("seed", str(certificate.seed)),
        ("contract", certificate.contract.version),
    )


# -- as XML --------------------------------------------------------------------------------------------------------


def _counted(found: Sequence[Case], seconds: float) -> dict[str, str]:
    ended = [case.status for case in found]
    return {
        "tests": str(len(found)),
        "failures": str(ended.count(FAILURE)),
        "errors": str(ended.count(ERROR)),
        "skipped": str(ended.count(SKIPPED)),
        "time": f"{seconds:.3f}",
    }


def _add_properties(parent: ET.Element, properties: Iterable[tuple[str, str]]) -> None:
    within = ET.SubElement(parent, "properties")
    for name, value in properties:
        ET.SubElement(within, "property", name=name, value=value)


def _add_case(suite: ET.Element, case: Case) -> None:
    written = ET.SubElement(
        suite, "testcase", classname=f"koncili.{case.area}", name=case.name, time=f"{case.seconds:.3f}"
    )
    _add_properties(written, case.properties)
    if case.status != PASSED:
        ET.SubElement(written, case.status, message=case.message).text = case.text or None


def _as_text(root: ET.Element) -> str:
    """The XML, with what people would not see made visible: much of it XML 1.0 cannot hold, not even escaped."""
    return visible(ET.tostring(root, encoding="unicode"), keep="\n")
