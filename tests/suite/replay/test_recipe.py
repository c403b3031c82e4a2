"""A finding as a test or a request collection of its own: what is new in each run is a variable, the last answer is judged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.replay.as_bruno import as_bruno
from conformance.replay.as_pytest import as_pytest
from conformance.replay.recipe import Recipe, recipe
from conformance.verdict.certificate import Counterexample
from tests.suite.support.command_runs import certify
from tests.suite.support.command_runs import run as run_to_end
from tests.suite.support.stage.mock import mock

BASE: Final = "https://koncili.example/api"
CODE: Final = "701-0000000-0000069"
PERIOD: Final = {"periodInitDate": "2024-01-01T00:00:00Z", "periodEndDate": "2024-01-02T00:00:00Z"}


def curl(method: str, path: str, body: object = None) -> str:
    sent = f" --data-raw '{json.dumps(body)}'" if body is not None else ""
    return f"curl -i -X {method} -H 'integrator: i' -H \"gumgaToken: $KONCILI_TOKEN\"{sent} '{BASE}{path}'"


STORY: Final = "\n".join(
    [
        "# 1. POST /order: 200",
        curl("POST", "/order", {"marketplaceCode": CODE, "status": "INVOICED"}),
        "# 2. POST /reconciliation: 201",
        curl("POST", "/reconciliation", {"releasesQtd": 1, **PERIOD}),
        "# 3. the release with a fault: 200, which shows it",
        curl("POST", "/reconciliation/release", {"reconciliationId": 237, "marketplaceCode": CODE}),
        "# 4. POST /order: 200",
        curl("POST", "/order", {"marketplaceCode": "another-1"}),
    ]
)
REASON: Final = "REL-08: expected it to be refused with 4xx, but it answered 200"


def made(story: str = STORY, reason: str = REASON, rule: str = "REL-08") -> Recipe:
    example = Counterexample(request={}, response={"status": 200, "body": "{}"}, curl=story)
    return recipe(catalogue()[rule], f"{rule}-0123abcd", reason, example)


def test_it_ends_with_what_shows_the_finding() -> None:
    found = made()
    assert [step.path for step in found.steps] == ["/order", "/reconciliation", "/reconciliation/release"]
    assert found.base_url == BASE
    assert all(step.has_token and step.headers == {"integrator": "i"} for step in found.steps)
    assert found.statuses == "4xx"


def test_what_is_used_up_is_known() -> None:
    found = made()
    assert found.codes == (CODE,)
    assert set(found.instants) == set(PERIOD.values())
    assert found.ids == {"237": 1}


def test_a_body_that_no_argument_can_hold_is_read_back() -> None:
    command = rf"""printf '{{"a": "\000%%\134"}}\n' | curl -i -X POST --data-binary @- {BASE}/order"""
    (step,) = made(command).steps
    assert step.body == '{"a": "\0%\\"}\n'


def test_calls_at_once_are_not_written_as_calls_in_turn() -> None:
    with pytest.raises(CannotRun, match="calls at once"):
        made(STORY.replace("# 2. POST", "# 2. at once: POST"))


@pytest.mark.parametrize(
    ("reason", "rule", "asserted"),
    [
        (REASON, "REL-08", "(answer.status_code // 100 == 4)"),
        ("ORD-07: expected it to be refused with 400 and code 400-3, but x", "ORD-07", "in ['400-3']"),
        (
            "ORD-01: expected it to be accepted with 200, but it answered 400",
            "ORD-01",
            "answer.status_code == 200",
        ),
        ("ORD-15: expected the order as it was, but it was not", "ORD-15", "!= (200, filled('{}', values))"),
    ],
)
def test_what_the_last_must_be_answered_follows_from_rule_and_finding(reason: str, rule: str, asserted: str) -> None:
    text = as_pytest(made(reason=reason, rule=rule), "test_it.py")
    compile(text, "test_it.py", "exec")
    assert asserted.strip("()") in text


def test_a_collection_has_variables_for_all_that_is_used_up() -> None:
    files = as_bruno(made())
    assert list(files) == [
        "bruno.json", "environments/target.bru", "01 POST order.bru", "02 POST reconciliation.bru",
        "03 POST reconciliation-release.bru",
    ]  # fmt: skip
    requests = "".join(text for name, text in files.items() if name[0].isdigit())
    assert '"reconciliationId": {{id2}}' in requests
    assert requests.count('"marketplaceCode": "{{code1}}"') == 2
    assert '"periodInitDate": "{{instant' in requests
    assert 'bru.setVar("id2", res.getBody().id);' in requests
    assert "expect(Math.floor(res.getStatus() / 100)).to.equal(4);" in files["03 POST reconciliation-release.bru"]
    body = re.sub(r"(?s)script:pre-request \{.*?\n\}\n", "", requests)
    assert CODE not in body
    assert all(instant not in body for instant in PERIOD.values())


def test_a_written_test_fails_on_the_same_server_and_passes_on_a_right_one(tmp_path: Path) -> None:
    defect = "ord-04-not-enforced"
    run = certify(tmp_path / "reports", "--defect", defect, "--rule", "ORD-04")
    findings = [finding["id"] for finding in run.entry("ORD-04")["findings"]]
    certificate = str(run.reports / "certificate.json")
    writing = ("replay", certificate, "--as", "pytest", "--out", str(tmp_path / "own"))
    written = run_to_end(*writing, reports=run.reports, state=tmp_path / "state")
    assert written.code == 0, written.errors
    assert len(list((tmp_path / "own").glob("test_*.py"))) == len(findings) > 1
    for there, told in ((defect, f"{len(findings)} failed"), (None, f"{len(findings)} passed")):
        with mock(tmp_path, defect=there) as staged:
            assert told in own_tests(tmp_path / "own", staged.base_url)


RUN: Final = """
import base64, os, sys
import httpx, pytest
text = base64.b64encode(b"integrator@mock.koncili.example:mock-password").decode()
answer = httpx.post(sys.argv[1] + "/public/api/auth/token", json={"credentials": text})
os.environ.update(KONCILI_BASE_URL=sys.argv[1], KONCILI_TOKEN=answer.json()["accessToken"])
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=line", sys.argv[2]]))
"""


def own_tests(directory: Path, base_url: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", RUN, base_url, str(directory)],
        capture_output=True, text=True, check=False, timeout=300, cwd=directory,
    )  # fmt: skip
    return done.stdout + done.stderr
