"""ctrf.json: what junit.xml says, in the Common Test Report Format, which many CI tools read (https://ctrf.io)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from conformance.escaping import visible
from conformance.report.junit import ERROR, FAILURE, PASSED, SKIPPED, Case, cases
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Evidence

SPEC: Final = "0.0.0"
STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    {PASSED: "passed", FAILURE: "failed", ERROR: "other", SKIPPED: "skipped"}
)
"""CTRF's status of each of JUnit's: what decided nothing is neither passed nor skipped."""

ALL: Final = ("passed", "failed", "skipped", "pending", "other")


def ctrf(certificate: Certificate, evidence: Evidence) -> str:
    """The file as text, of the certificate of a run and what it rests on, both without secrets."""
    found = cases(certificate, evidence)
    counts = Counter(STATUSES[case.status] for case in found)
    document: dict[str, Any] = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "timestamp": certificate.finished_at.isoformat(),
        "generatedBy": "koncili-conformance",
        "results": {
            "tool": {"name": "koncili-conformance", "version": certificate.suite.version},
            "summary": {
                "tests": len(found),
                **{status: counts[status] for status in ALL},
                "start": _milliseconds(certificate.started_at),
                "stop": _milliseconds(certificate.finished_at),
                "extra": {"verdict": certificate.verdict, "profile": certificate.profile},
            },
            "tests": [_test(case) for case in found],
            "environment": {
                "appName": visible(certificate.target.name),
                "testEnvironment": certificate.target.environment,
                **({"appVersion": visible(certificate.about.version)} if certificate.about else {}),
            },
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _test(case: Case) -> dict[str, Any]:
    facts = dict(case.properties)
    told = {"message": visible(case.message), "trace": visible(case.text), "rawStatus": case.status}
    return {
        "name": visible(case.name),
        "status": STATUSES[case.status],
        "duration": round(case.seconds * 1000),
        "suite": [case.area],
        **{name: text for name, text in told.items() if text},
        **({"tags": [facts["rule"], facts["level"]]} if "rule" in facts else {}),
        **({"extra": facts} if facts else {}),
    }


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
