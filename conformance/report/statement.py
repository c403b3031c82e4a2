"""statement.intoto.json: an in-toto Statement of the test result, over the certificate and the traffic: what is to be signed.

https://github.com/in-toto/attestation: a Statement v1, with the predicate `test-result/v0.1`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.rules import Level
from conformance.verdict.certificate import Certificate, RuleEntry
from conformance.verdict.verdicts import RuleVerdict, RunVerdict

TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://in-toto.io/attestation/test-result/v0.1"

PASSED, WARNED, FAILED = "PASSED", "WARNED", "FAILED"

RESULTS: Final[Mapping[RunVerdict, str]] = MappingProxyType(
    {
        RunVerdict.CONFORMANT: PASSED,
        RunVerdict.PARTIAL: WARNED,
        RunVerdict.NONCONFORMANT: FAILED,
        RunVerdict.INCONCLUSIVE: FAILED,
    }
)
"""in-toto's result of each verdict: where nothing is decided nobody is to read a pass."""


def statement(certificate: Certificate, name: str, digest: str) -> str:
    """The Statement as text: of the certificate in the file of that name and digest, and of the files that it tells of."""
    results = {entry.id: _result(entry) for entry in certificate.rules}
    subjects = [_descriptor(name, digest), *(_descriptor(*one) for one in certificate.files.items())]
    document = {
        "_type": TYPE,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "result": _whole(certificate),
            "configuration": _configuration(certificate),
            "passedTests": [rule for rule, result in results.items() if result == PASSED],
            "warnedTests": [rule for rule, result in results.items() if result == WARNED],
            "failedTests": [rule for rule, result in results.items() if result == FAILED],
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _whole(certificate: Certificate) -> str:
    result = RESULTS[certificate.verdict]
    waived = any(entry.verdict is RuleVerdict.WAIVED for entry in certificate.rules)
    return WARNED if result == PASSED and waived else result


def _result(entry: RuleEntry) -> str:
    """A rule that may fail, or of which nothing is known, is neither passed nor failed."""
    if entry.verdict is RuleVerdict.PASS:
        return PASSED
    return FAILED if entry.verdict is RuleVerdict.FAIL and entry.level is Level.REQUIRED else WARNED


def _configuration(certificate: Certificate) -> list[dict[str, Any]]:
    """What was tested against what, by which suite, how."""
    target, suite, proof = certificate.target, certificate.suite, certificate.proof
    how = {"verdict": certificate.verdict, "profile": certificate.profile, "seed": str(certificate.seed)}
    told = [
        {"name": target.name, "uri": target.base_url, "annotations": {"environment": target.environment, **how}},
        {"name": f"contract {certificate.contract.version}", "digest": {"sha256": certificate.contract.sha256}},
        _descriptor(f"koncili-conformance {suite.version}", suite.code),
    ]
    return told + ([_descriptor("proof.json", proof.digest)] if proof else [])


def _descriptor(name: str, digest: str | None) -> dict[str, Any]:
    return {"name": name, **({"digest": {"sha256": digest.removeprefix("sha256:")}} if digest else {})}
