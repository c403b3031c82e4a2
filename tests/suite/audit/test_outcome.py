"""What an audit leaves: certificate, reports, no secret in any of them, and what the gate says of it."""

from __future__ import annotations

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from conformance.contract.rules import Kind, catalogue
from conformance.traffic.exchange import Exchange
from conformance.traffic.ndjson import line_of
from conformance.verdict.certificate import json_schema
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.gate import decide
from conformance.verdict.gate_case import Asked, Check
from tests.suite.support import forked
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.integrations import BASE_URL, record
from tests.suite.support.recorded_calls import HEADERS, HOST, QUERY, TOKEN, Recording

PATIENCE_SECONDS: Final = 120

SECRETS = (TOKEN, "password-4711", "me@example.com", "bWVAZXhhbXBsZS5jb206cGFzc3dvcmQtNDcxMQ", "refresh-of-")


def written(path: Path, exchanges: Sequence[Exchange]) -> Path:
    """The exchanges as a file of lines of JSON."""
    path.write_bytes(b"".join(map(line_of, exchanges)))
    return path


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return forked.run(*map(str, words), environment=dict(os.environ), patience=PATIENCE_SECONDS)


def audit(*files: Path, reports: Path) -> subprocess.CompletedProcess[str]:
    """Run the command `audit`."""
    return command("audit", *files, "--reports", reports)


def faulty() -> Recording:
    """A recording with a fault in every place where a secret may stand."""
    recording = Recording()
    recording.log_in(status=401, answer={"errorMessage": "wrong password-4711 of me@example.com", "errorCode": "401-0"})
    recording.log_in()
    recording.submit(
        order(status="SHIPPED", note=TOKEN), status=400, answer={"errorMessage": f"no {TOKEN}", "errorCode": "400-0"}
    )
    recording.look_up(f"{QUERY}&gumgaToken={TOKEN}", answer=order())
    recording.look_up(QUERY, host="https://me@example.com:password-4711@koncili.example", answer=order())
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning-77")
    recording.refresh(f"refresh-of-{TOKEN}", status=401, answer={"errorMessage": f"refresh-of-{TOKEN} is used"})
    recording.call("GET", f"/orders/{TOKEN}", status=404, headers=HEADERS)
    recording.submit(order(), host=f"{HOST}/{TOKEN}")
    recording.release(release(), status=400, headers={**HEADERS, "authorization": "Bearer password-4711"})
    return recording


def test_no_secret_of_a_recording_reaches_a_report(tmp_path: Path) -> None:
    done = audit(written(tmp_path / "day.ndjson", faulty().exchanges), reports=tmp_path / "reports")
    assert done.returncode == 1
    found = json.loads((tmp_path / "reports" / "certificate.json").read_text())
    broken = {rule["id"] for rule in found["rules"] if rule["verdict"] == "fail"}
    assert broken >= {"ORD-02", "CLI-15", "AUTH-02", "AUTH-07", "ERR-04"}
    for path in (tmp_path / "reports").iterdir():
        text = path.read_text(encoding="utf-8")
        for secret in SECRETS:
            assert secret not in text, (path.name, secret)
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr


def test_an_audit_leaves_what_it_found(tmp_path: Path) -> None:
    record(tmp_path / "day.ndjson", mistake="recalculated")
    done = audit(tmp_path / "day.ndjson", reports=tmp_path / "reports")
    assert done.returncode == 1
    assert {path.name for path in (tmp_path / "reports").iterdir() if not path.name.startswith(".")} == {
        "certificate.json", "statement.intoto.json", "summary.md", "junit.xml", "ctrf.json", "index.html",
            "index.pt-BR.html", "books.csv",
        "books.html",
    }  # fmt: skip
    found = json.loads((tmp_path / "reports" / "certificate.json").read_text())
    jsonschema_rs.validator_for(json.loads(json_schema())).validate(found)
    assert (found["kind"], found["verdict"], found["target"]["environment"]) == (
        "integration",
        "nonconformant",
        "recording",
    )
    assert found["target"]["baseUrl"] == BASE_URL
    (rule,) = [rule for rule in found["rules"] if rule["findings"]]
    (finding,) = rule["findings"]
    shown = finding["recorded"]
    lines = (tmp_path / "day.ndjson").read_text().splitlines()
    first = json.loads(lines[shown["entries"][0]["entry"]])
    assert first["request"]["url"].endswith("/reconciliation/release")
    assert datetime.fromisoformat(shown["entries"][0]["time"]).tzinfo is not None
    assert shown["times"] == len(shown["entries"]) > 1
    assert (rule["id"], shown["pointer"]) == ("CLI-03", "/releases/1/value")
    assert shown["value"] == "-24.4"
    told = [(tmp_path / "reports" / name).read_text() for name in ("summary.md", "junit.xml", "index.html")]
    for text in (done.stdout, *told):
        assert "CLI-03" in text
        assert "COMISSION is -24.4" in text
    root = ET.fromstring((tmp_path / "reports" / "junit.xml").read_text())  # noqa: S314 - ours
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == [
        f"CLI-03: {rule['statement']} [{finding['id']}]"
    ]
    assert len(list(root.iter("testcase"))) == len(catalogue(Kind.INTEGRATION).rules)


def test_the_page_can_be_made_again(tmp_path: Path) -> None:
    record(tmp_path / "day.ndjson")
    assert audit(tmp_path / "day.ndjson", reports=tmp_path / "reports").returncode == 0
    page = tmp_path / "reports" / "index.html"
    before = page.read_text()
    page.unlink()
    command("report", "--reports", tmp_path / "reports")
    assert page.read_text() == before


def test_the_same_cause_has_the_same_id_in_each_recording(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        record(tmp_path / f"{name}.ndjson", mistake="no-integrator")
        audit(tmp_path / f"{name}.ndjson", reports=tmp_path / name)
        found = json.loads((tmp_path / name / "certificate.json").read_text())
        ids |= {finding["id"] for rule in found["rules"] for finding in rule["findings"]}
    assert len(ids) == 1


def test_several_files_are_one_stream(tmp_path: Path) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release())
    one, two = recording.exchanges[::2], recording.exchanges[1::2]
    files = written(tmp_path / "a.ndjson", two), written(tmp_path / "b.ndjson", one)
    done = audit(*files, reports=tmp_path / "reports")
    assert "4 calls to Koncili among 4 recorded exchanges" in done.stdout
    assert "fail" not in (tmp_path / "reports" / "summary.md").read_text()


# -- what can't be judged ------------------------------------------------------------------------------------------


def test_a_recording_without_a_call_ends_with_2(tmp_path: Path) -> None:
    recording = Recording()
    recording.call("GET", "/index.html", host="https://shop.example", headers={})
    for name, exchanges in (("other", recording.exchanges), ("empty", [])):
        done = audit(written(tmp_path / f"{name}.ndjson", exchanges), reports=tmp_path / name)
        assert done.returncode == 2
        assert "no call to Koncili in this recording" in done.stdout


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02", b"{", b"[1, 2", b"hello", b'{"log": {"entries": [{"request": 5}, 7']
)
def test_a_file_that_is_no_recording_is_told_without_a_traceback(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.har").write_bytes(content)
    done = audit(tmp_path / "odd.har", reports=tmp_path / "reports")
    assert done.returncode in {2, 3}
    assert "Traceback" not in done.stdout + done.stderr
    assert "odd.har" in done.stdout + done.stderr


def test_a_file_that_is_not_there_ends_with_3(tmp_path: Path) -> None:
    done = audit(tmp_path / "none.har", reports=tmp_path / "reports")
    assert done.returncode == 3
    assert "none.har" in done.stderr


# -- the gate ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The certificates of a clean integration and of one that breaks a rule."""
    found = {}
    for name, mistake in (("clean", None), ("broken", "recalculated")):
        place = tmp_path_factory.mktemp(name)
        record(place / "day.ndjson", mistake=mistake)
        audit(place / "day.ndjson", reports=place)
        found[name] = place / "certificate.json"
    return found


@pytest.mark.parametrize(
    ("name", "options", "code", "said"),
    [
        ("clean", ["--kind", "integration"], 0, "conformant"),
        ("clean", [], 3, "it is of an integration's recorded calls"),
        ("clean", ["--accept-partial"], 3, "it is of an integration's recorded calls"),
        ("clean", ["--kind", "integration", "--base-url", "https://another.example"], 3, "base_url"),
        ("clean", ["--kind", "integration", "--environment", "sandbox"], 3, "environment"),
        ("broken", ["--kind", "integration"], 1, "nonconformant"),
    ],
)
def test_the_gate_takes_it_only_where_it_is_asked_for(
    name: str, options: list[str], code: int, said: str, certificates: dict[str, Path]
) -> None:
    done = command("gate", certificates[name], *options)
    assert said in done.stdout
    assert done.returncode == code


def test_an_edited_one_is_refused(certificates: dict[str, Path], tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(certificates["broken"].read_text())
    document["kind"], document["verdict"] = "endpoint", "conformant"
    (tmp_path / "edited.json").write_text(json.dumps(document))
    file = load_certificate(tmp_path / "edited.json")
    decision = decide(file, Asked(now=datetime.now(UTC), max_age=1e9), catalogue(), {})
    refused = {found.check for found in decision.refusals}
    assert refused >= {Check.DIGEST, Check.RULES}
    assert decision.exit_code == 3
