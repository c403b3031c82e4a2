"""The results that pytest left for Allure, finished when all have run: every rule, whatever became of it, by the catalogue."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import md5
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from conformance.contract.rules import Level, Rule, catalogue
from conformance.report.allure import SCENARIO
from conformance.report.allure_categories import (
    STATUSES,
    Kind,
    as_what_it_may_fail,
    for_allure_2,
    kind_of_doubt,
    kind_of_finding,
    kind_of_scenario,
    message_of,
)
from conformance.report.allure_environment import environment, properties
from conformance.report.allure_executor import executor
from conformance.report.allure_words import call_that_showed_it, description, exchange, is_story, source_of
from conformance.verdict.certificate import Certificate, Counterexample, RuleEntry
from conformance.verdict.evidence import Evidence, Outcome, ScenarioEvidence
from conformance.verdict.verdicts import NOT_SELECTED, RuleVerdict
from conformance.verdict.violation import Finding

INDEX: Final = "../index.html"
"""Our own page, from where the Allure report is."""

_EXCHANGE: Final = ("application/vnd.allure.http+json", ".json")
_TEXT: Final = ("text/plain", ".txt")

SEEN_ELSEWHERE: Final = "Seen broken in the scenario of another rule"
NOT_ENOUGH: Final = "What its scenarios saw is not enough"
NO_SCENARIO: Final = "None of its scenarios was selected"
"""The names of results that stand for a rule and not for a scenario."""

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a result shows besides: its name, its content type with the ending of its file, its text."""

    name: str
    kind: tuple[str, str]
    text: str


def finish(directory: Path, evidence: Evidence, certificate: Certificate, variables: Mapping[str, str]) -> None:
    """Finish the results of a run in Allure's directory, and add what ran in no scenario, categories, environment and executor.

    Inputs: the directory, where other results (a user's own tests) are left alone; what the run saw, and its certificate; the
    environment variables, of which only those of known CI systems are told. Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    found = _results(directory)
    of_rules = defaultdict[str, list[ScenarioEvidence]](list)
    for scenario in evidence.scenarios.values():
        of_rules[scenario.rule].append(scenario)
        parts = found.get(scenario.id, [])
        raw = merged([result for _, result in parts])
        for path, _ in parts:
            path.unlink()
        write_result(directory, *of_scenario(raw, scenario, certificate))
    for entry in certificate.rules:
        own = of_rule(entry, of_rules[entry.id], certificate)
        if own is not None:
            write_result(directory, *own)
    ours = {result["uuid"] for parts in found.values() for _, result in parts}
    for path in _containers(directory, ours):  # the harness's own fixtures: nothing that a reader looks for
        path.unlink()
    _write_json(directory / "categories.json", for_allure_2())
    (directory / "environment.properties").write_text(properties(environment(certificate)), encoding="ascii")
    who = executor(variables)
    if who is not None:
        _write_json(directory / "executor.json", who)


def write_result(directory: Path, result: Result, attachments: Sequence[Attachment]) -> None:
    """Write a result with its attachments. Raises OSError."""
    shown = list(result["attachments"])
    for attachment in attachments:
        content_type, ending = attachment.kind
        name = f"{uuid4()}-attachment{ending}"
        (directory / name).write_text(attachment.text, encoding="utf-8", errors="backslashreplace")
        shown.append({"name": attachment.name, "source": name, "type": content_type})
    _write_json(directory / f"{result['uuid']}-result.json", {**result, "attachments": shown})


# -- pure ----------------------------------------------------------------------------------------------------------


def merged(parts: Sequence[Result]) -> Result:
    """The results of a scenario that ran in several parts, the rest of it at the end of the run, as one; empty for none.

    Each part went through the same steps, and what they counted is told of all.
    """
    if not parts:
        return {}
    *earlier, last = sorted(parts, key=lambda part: int(part.get("stop") or 0))
    steps = [dict(step) for step in last.get("steps", [])]
    for part in reversed(earlier):
        for step, before in zip(steps, part.get("steps", []), strict=False):
            if step["name"] == before["name"]:
                step["steps"] = [*before.get("steps", []), *step.get("steps", [])]
    attachments = [each for part in (*earlier, last) for each in part.get("attachments", [])]
    start = min(int(part.get("start") or 0) for part in parts)
    return {**last, "start": start, "steps": steps, "attachments": attachments}


def of_scenario(
    raw: Result, scenario: ScenarioEvidence, certificate: Certificate
) -> tuple[Result, tuple[Attachment, ...]]:
    """The result of a scenario, with its attachments.

    Inputs: what pytest left, empty where the scenario did not run; what it saw; the certificate.
    """
    entry = _entry(certificate, scenario.rule)
    kind = kind_of_scenario(scenario, may_fail=as_what_it_may_fail(entry))
    reason = scenario.reason or (NOT_SELECTED if kind is Kind.NOT_EXERCISED else "")
    if kind is Kind.WAIVED:
        reason = f"{entry.reason}\n{reason}"
    trace = raw.get("statusDetails", {}).get("trace", "") if kind is Kind.HARNESS else ""
    result = _result(entry, certificate, scenario.id, scenario.name, kind, reason, trace)
    stopped = result["stop"]
    result |= {"start": raw.get("start") or stopped, "stop": raw.get("stop") or stopped}
    result["steps"] = [_told(step, result["statusDetails"]) for step in raw.get("steps", [])]
    result["attachments"] = raw.get("attachments", [])  # what was captured
    return result, (*_counterexample(scenario.finding), *_samples(scenario))


def of_rule(
    entry: RuleEntry, scenarios: Sequence[ScenarioEvidence], certificate: Certificate
) -> tuple[Result, tuple[Attachment, ...]] | None:
    """The result of a rule whose verdict none of its scenarios shows, with its attachments; None where one does."""
    outcomes = {scenario.outcome for scenario in scenarios}
    example = entry.counterexample
    if entry.verdict in {RuleVerdict.FAIL, RuleVerdict.WAIVED} and Outcome.FAILED not in outcomes:
        status = example.response.get("status") if example else None
        kind = as_what_it_may_fail(entry) or kind_of_finding(entry.reason, status)
        return _result(entry, certificate, entry.id, SEEN_ELSEWHERE, kind, entry.reason), _counterexample(example)
    if entry.verdict is RuleVerdict.INCONCLUSIVE and not outcomes & {Outcome.INCONCLUSIVE, Outcome.FAILED}:
        kind = kind_of_doubt(entry.reason)
        return _result(entry, certificate, entry.id, NOT_ENOUGH, kind, entry.reason), ()
    if entry.verdict is RuleVerdict.NOT_EXERCISED and not outcomes:
        return _result(entry, certificate, entry.id, NO_SCENARIO, Kind.NOT_EXERCISED, entry.reason), ()
    return None


def _result(
    entry: RuleEntry,
    certificate: Certificate,
    identity: str,
    name: str,
    kind: Kind | None,
    reason: str,
    trace: str = "",
) -> Result:
    """A result by the catalogue. By its identity Allure knows it again in other runs, whatever their seeds and targets."""
    rule = replace(catalogue()[entry.id], level=entry.level)
    stopped = int(certificate.finished_at.timestamp() * 1000)
    return {
        "uuid": str(uuid4()),
        "name": name,
        "fullName": identity,
        "testCaseId": _digest(identity),
        "historyId": _digest(identity),
        "status": STATUSES[kind] if kind else "passed",
        "statusDetails": {"message": message_of(kind, reason), "trace": trace} if kind else {},
        "stage": "finished",
        "start": stopped,
        "stop": stopped,
        "description": description(rule, certificate.readings, certificate.readings_from),
        "labels": [{"name": label, "value": value} for label, value in _labels(rule, entry)],
        "links": [{"type": "link", "name": f"{rule.id}: {source_of(rule)}", "url": f"{INDEX}#{rule.id}"}],
        # Excluded from what a result is known by, not from what is shown.
        "parameters": [
            {"name": parameter, "value": value, "excluded": True} for parameter, value in _parameters(rule, certificate)
        ],
        "steps": [],
        "attachments": [],
    }


def _labels(rule: Rule, entry: RuleEntry) -> Iterable[tuple[str, str]]:
    yield "epic", "Koncili"
    yield "feature", ", ".join(endpoint.label for endpoint in rule.endpoints)
    yield "story", f"{rule.id} {rule.statement}"
    yield "severity", "critical" if rule.level is Level.REQUIRED else "minor"
    yield from (("tag", tag) for tag in (rule.id, rule.area, rule.level))
    if entry.verdict is RuleVerdict.WAIVED:
        yield "tag", entry.verdict


def _parameters(rule: Rule, certificate: Certificate) -> Iterable[tuple[str, str]]:
    if rule.reading:
        how = certificate.readings_from.get(rule.reading, "default")
        yield f"reading {rule.reading}", f"{certificate.readings.get(rule.reading, 'unknown')} ({how})"
    yield "profile", certificate.profile
    yield "seed", str(certificate.seed)
    yield "target", f"{certificate.target.name} ({certificate.target.base_url})"


def _told(step: Result, details: Mapping[str, str]) -> Result:
    """A step with what it counted in its name, and with the message of its scenario where it did not pass."""
    children = step.get("steps", [])
    name = ": ".join([step.get("name", ""), *(child.get("name", "") for child in children)])
    passed = step.get("status") == "passed"
    return {
        **{key: step[key] for key in ("status", "start", "stop") if key in step},
        "name": name,
        "statusDetails": {} if passed else dict(details),
    }


def _counterexample(finding: Finding | Counterexample | None) -> tuple[Attachment, ...]:
    if finding is None or not finding.request:
        return ()
    shown = json.dumps(exchange(finding.request, finding.response))
    attachments = [
        Attachment("counterexample: request and answer", _EXCHANGE, shown),
        Attachment("counterexample: curl", _TEXT, call_that_showed_it(finding.curl, finding.request)),
    ]
    if finding.lanes:
        attachments.insert(
            0, Attachment("counterexample: calls at once, lane by lane", _TEXT, "\n".join(finding.lanes))
        )
    if is_story(finding.curl):
        attachments.append(Attachment("counterexample: the whole story, call by call", _TEXT, finding.curl))
    return tuple(attachments)


def _samples(scenario: ScenarioEvidence) -> Iterable[Attachment]:
    for side, sample in scenario.samples.items():
        yield Attachment(f"one {side}", _EXCHANGE, json.dumps(exchange(sample["request"], sample["response"])))


# -- files ---------------------------------------------------------------------------------------------------------


def _entry(certificate: Certificate, rule: str) -> RuleEntry:
    return next(entry for entry in certificate.rules if entry.id == rule)


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _results(directory: Path) -> dict[str, list[tuple[Path, Result]]]:
    """The results of scenarios, by scenario. What a killed worker left half written is none."""
    found: dict[str, list[tuple[Path, Result]]] = {}
    for path in sorted(directory.glob("*-result.json")):
        try:
            result: Result = json.loads(path.read_bytes())
        except ValueError:
            continue
        for label in result.get("labels", []):
            if label["name"] == SCENARIO:
                found.setdefault(label["value"], []).append((path, result))
    return found


def _containers(directory: Path, results: set[str]) -> Iterable[Path]:
    """The files about fixtures of these results and of no others."""
    for path in directory.glob("*-container.json"):
        try:
            container: Result = json.loads(path.read_bytes())
        except ValueError:
            continue
        if set(container.get("children", [])) <= results:
            yield path


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
