"""cucumber.ndjson: the features as they were run, as Cucumber Messages, which Cucumber's own reporters read, a line each.

A scenario ends as in junit.xml. Of what it saw the messages hold no steps, only its end: the steps before the last are shown as
passed where it came to an end, and the last one, which states what must happen, has the outcome.
"""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from gherkin.stream.gherkin_events import GherkinEvents

from conformance.escaping import visible
from conformance.report.junit import ERROR, FAILURE, PASSED, SKIPPED, Case, cases
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence
from conformance.verdict.verdicts import RunVerdict

PROTOCOL: Final = "34.2.0"
"""The version of the messages."""

_GHERKIN: Final = "text/x.cucumber.gherkin+plain"
_SKIPPED: Final = "SKIPPED"

STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    {PASSED: "PASSED", FAILURE: "FAILED", ERROR: "UNKNOWN", SKIPPED: _SKIPPED}
)
"""Cucumber's status of the last step, by how the case ended in junit.xml."""

Envelope = dict[str, Any]


def messages(certificate: Certificate, evidence: Evidence, features: Mapping[str, str]) -> str:
    """The messages as lines of JSON. `features` are the feature files of the suite, by their paths."""
    return "".join(json.dumps(one) + "\n" for one in _envelopes(certificate, evidence, features))


def _envelopes(certificate: Certificate, evidence: Evidence, features: Mapping[str, str]) -> Iterator[Envelope]:
    product = {"name": "koncili-conformance", "version": certificate.suite.version}
    system = {"os": {"name": platform.system()}, "cpu": {"name": platform.machine()}}
    yield {
        "meta": {
            "protocolVersion": PROTOCOL, "implementation": product,
            "runtime": {"name": platform.python_implementation(), "version": platform.python_version()}, **system,
        }
    }  # fmt: skip
    of_features = known_features(tuple(features.items()))
    pickles = [envelope["pickle"] for envelope in of_features if "pickle" in envelope]
    yield from of_features
    yield {"testRunStarted": {"id": "run", "timestamp": _instant(certificate.started_at)}}
    ends = _ends(cases(certificate, evidence), pickles)
    for pickle in pickles:
        yield _test_case(pickle)
    at, failed = certificate.started_at, False
    for pickle in pickles:
        status, message, seconds = ends[pickle["id"]]
        failed = failed or status in {"FAILED", "UNKNOWN"}
        yield from _run(pickle, status, message, at, seconds)
        at += timedelta(seconds=seconds)
    success = certificate.verdict is RunVerdict.CONFORMANT and not failed
    yield {
        "testRunFinished": {
            "testRunStartedId": "run", "success": success, "timestamp": _instant(certificate.finished_at),
            "message": f"{certificate.verdict}: the certificate decides",
        }
    }  # fmt: skip


@lru_cache(maxsize=1)
def known_features(features: tuple[tuple[str, str], ...]) -> Sequence[Envelope]:
    """Of features, path and text of each: source, document and pickles. Read once, since all runs have the same."""
    reader = GherkinEvents(GherkinEvents.Options(print_source=True, print_ast=True, print_pickles=True))
    return [
        dict(event)
        for uri, data in features
        for event in reader.enum({"source": {"uri": uri, "data": data, "mediaType": _GHERKIN}})
    ]


def _rule_of(pickle: Mapping[str, Any]) -> str:
    return str(pickle["tags"][0]["name"]).removeprefix("@") if pickle["tags"] else ""


def _ends(found: Sequence[Case], pickles: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str, float]]:
    """How each scenario ended, why, and after how many seconds. What none of a rule's own scenarios shows (it was seen broken
    while others ran) the last of them does."""
    by_name = {case.name: case for case in found}
    ends = {}
    of_rule = defaultdict[str, list[str]](list)
    for pickle in pickles:
        rule = _rule_of(pickle)
        case = by_name.pop(f"{rule}: {pickle['name']}", None)
        ends[pickle["id"]] = (STATUSES[case.status], case.message, case.seconds) if case else (_SKIPPED, "", 0.0)
        of_rule[rule].append(pickle["id"])
    for case in by_name.values():
        own = of_rule[dict(case.properties).get("rule", "")]
        if own and case.status in {FAILURE, ERROR}:
            ends[own[-1]] = (STATUSES[case.status], f"{case.name}: {case.message}", ends[own[-1]][2])
    return ends


def _test_case(pickle: Mapping[str, Any]) -> Envelope:
    steps = [{"id": f"{pickle['id']}-{step['id']}", "pickleStepId": step["id"]} for step in pickle["steps"]]
    return {
        "testCase": {
            "id": f"case-{pickle['id']}",
            "pickleId": pickle["id"],
            "testRunStartedId": "run",
            "testSteps": steps,
        }
    }


def _run(pickle: Mapping[str, Any], status: str, message: str, at: datetime, seconds: float) -> Iterator[Envelope]:
    began, ended = _instant(at), _instant(at + timedelta(seconds=seconds))
    attempt = f"attempt-{pickle['id']}"
    yield {"testCaseStarted": {"id": attempt, "attempt": 0, "testCaseId": f"case-{pickle['id']}", "timestamp": began}}
    steps = pickle["steps"]
    for number, step in enumerate(steps, 1):
        is_last = number == len(steps)
        of_step = status if is_last or status == _SKIPPED else "PASSED"
        result = {"status": of_step, "duration": _span(seconds if is_last else 0.0)}
        result |= {"message": visible(message)} if is_last and message and status != "PASSED" else {}
        about = {"testCaseStartedId": attempt, "testStepId": f"{pickle['id']}-{step['id']}"}
        yield {"testStepStarted": {**about, "timestamp": began}}
        yield {"testStepFinished": {**about, "testStepResult": result, "timestamp": ended if is_last else began}}
    yield {"testCaseFinished": {"testCaseStartedId": attempt, "willBeRetried": False, "timestamp": ended}}


def _instant(at: datetime) -> dict[str, int]:
    return {"seconds": int(at.timestamp()), "nanos": at.microsecond * 1000}


def _span(seconds: float) -> dict[str, int]:
    nanos = round(seconds * 1e9)
    return {"seconds": nanos // 10**9, "nanos": nanos % 10**9}
