"""statement.intoto.json as in-toto's own library reads it, and as OpenSSH signs it."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as ResultMessage
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from conformance.contract.rules import Level, catalogue
from conformance.report.files import CERTIFICATE, STATEMENT, TRAFFIC, Reports
from conformance.report.statement import PREDICATE, TYPE
from conformance.verdict.certificate import Certificate
from conformance.verdict.evidence import Outcome
from conformance.verdict.signature import NAMESPACE, SignatureState, signature_path, verify
from conformance.verdict.suite_code import code_digest
from tests.suite.support.made_up_certificates import certified
from tests.suite.support.made_up_evidence import all_pass, scenario, waiver

HAR: Final = b'{"log": {}}'


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def left(certificate: Certificate, place: Path) -> bytes:
    """What a run with that certificate leaves for a statement; its traffic lies beside."""
    (place / TRAFFIC).write_bytes(HAR)
    Reports(place).write(certificate.model_copy(update={"files": {TRAFFIC: f"sha256:{digest(HAR)}"}}).sealed)
    return (place / STATEMENT).read_bytes()


def read(raw: bytes) -> tuple[Any, Any]:
    """Statement and predicate, as the reference library reads them: it refuses what it does not know."""
    message = json_format.Parse(raw, StatementMessage())
    Statement.copy_from_pb(message).validate()
    predicate = json_format.ParseDict(json.loads(raw)["predicate"], ResultMessage())
    for one in (*message.subject, *predicate.configuration):
        ResourceDescriptor.copy_from_pb(one).validate()
    return message, predicate


def test_it_is_over_the_certificate_and_the_traffic(tmp_path: Path) -> None:
    message, predicate = read(left(certified(all_pass()), tmp_path))
    assert (message.type, message.predicate_type) == (TYPE, PREDICATE)
    assert {one.name: dict(one.digest) for one in message.subject} == {
        CERTIFICATE: {"sha256": digest((tmp_path / CERTIFICATE).read_bytes())},
        TRAFFIC: {"sha256": digest(HAR)},
    }
    assert predicate.result == "PASSED"
    assert list(predicate.passed_tests) == list(catalogue().rules)


def test_it_says_by_what_it_was_tested(tmp_path: Path) -> None:
    _, predicate = read(left(certified(all_pass()), tmp_path))
    told = {one.name: one for one in predicate.configuration}
    assert told["ours"].uri == "http://127.0.0.1:8765"
    assert dict(told["ours"].annotations)["profile"] == "certification"
    assert dict(told[f"contract {catalogue().version}"].digest) == {"sha256": catalogue().sha256}
    assert {one.digest["sha256"] for one in predicate.configuration} >= {code_digest().removeprefix("sha256:")}


RECOMMENDED: Final = next(rule.id for rule in catalogue().rules.values() if rule.level is Level.RECOMMENDED)


@pytest.mark.parametrize(
    ("rule", "outcome", "waived", "result", "place"),
    [
        ("ORD-04", Outcome.FAILED, False, "FAILED", "failed_tests"),
        ("ORD-04", Outcome.FAILED, True, "WARNED", "warned_tests"),
        ("ORD-04", Outcome.INCONCLUSIVE, False, "FAILED", "warned_tests"),
        ("ORD-04", Outcome.NOT_EXERCISED, False, "WARNED", "warned_tests"),
        (RECOMMENDED, Outcome.FAILED, False, "PASSED", "warned_tests"),
    ],
)
def test_nothing_but_what_was_seen_to_hold_has_passed(
    tmp_path: Path, rule: str, outcome: Outcome, waived: bool, result: str, place: str
) -> None:
    evidence = all_pass(rule)
    scenario(evidence, rule, "one", outcome, "why")
    certificate = certified(evidence, [waiver(rule)] if waived else [])
    _, predicate = read(left(certificate, tmp_path))
    assert predicate.result == result
    assert list(getattr(predicate, place)) == [rule]
    assert rule not in predicate.passed_tests


def test_openssh_signs_it_and_the_signature_is_looked_at_as_a_certificates_is(tmp_path: Path) -> None:
    raw = left(certified(all_pass()), tmp_path)
    key, path = tmp_path / "key", tmp_path / STATEMENT
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)], check=True, capture_output=True
    )
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(f"ci@koncili.example {key.with_suffix('.pub').read_text()}", encoding="utf-8")
    assert verify(raw, signature_path(path), allowed, None).state is SignatureState.GOOD
    assert verify(raw + b" ", signature_path(path), allowed, None).state is SignatureState.BAD
