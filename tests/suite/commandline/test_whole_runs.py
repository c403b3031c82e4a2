"""A certification as a user meets it: exit codes, what is told, files; and a part of one."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import jsonschema_rs

from conformance.contract.rules import catalogue
from conformance.mock.world import EMAIL, PASSWORD
from conformance.verdict.digest import digest_of_file
from tests.suite.support.command_runs import COMMAND, Run, certify

SCHEMA = Path(__file__).parents[3] / "conformance" / "verdict" / "certificate.schema.json"

SECRETS = (PASSWORD, EMAIL, "eyJhbGciOi")


def test_the_mock_is_conformant(conformant: Run) -> None:
    assert conformant.code == 0, conformant.output
    assert conformant.certificate["verdict"] == "conformant"
    assert conformant.verdicts("pass") == catalogue().rules.keys()
    assert "CONFORMANT" in conformant.output


def test_a_certification_stays_within_the_error_budget(conformant: Run) -> None:
    assert 0 < conformant.certificate["traffic"]["clientErrors"] < 400


def test_every_result_is_left(conformant: Run) -> None:
    left = {path.name for path in conformant.reports.iterdir()}
    assert left >= {
        "index.html", "certificate.json", "summary.md", "junit.xml", "traffic.har", "allure-results", "html",
        "statement.intoto.json", "ctrf.json", "cucumber.ndjson",
    }  # fmt: skip
    page = (conformant.reports / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name}"' in page for name in ("html/index.html", "summary.md", "junit.xml", "traffic.har"))
    assert len(page) < 400_000
    assert (conformant.reports / "html" / "index.html").stat().st_size > 1_000_000


def test_junit_says_what_failed(conformant: Run, nonconformant: Run) -> None:
    def failures(run: Run) -> list[str]:
        cases = ET.parse(run.reports / "junit.xml").getroot().iter("testcase")  # noqa: S314 - our own file
        return [str(case.get("name")) for case in cases if case.find("failure") is not None]

    assert failures(conformant) == []
    assert len(failures(nonconformant)) == 3
    assert all(name.startswith("ORD-04: A concluded order") for name in failures(nonconformant))


def test_every_exchange_says_what_it_was_for_and_the_certificate_which_traffic_is_its_own(conformant: Run) -> None:
    path = conformant.reports / "traffic.har"
    entries = json.loads(path.read_text(encoding="utf-8"))["log"]["entries"]
    said = Counter(entry.get("comment", "").partition(" ")[0] for entry in entries)
    assert said.keys() >= {rule.id for rule in catalogue().rules.values() if rule.area == "orders"}
    assert said[""] < 20  # tokens, and what finds out about the target
    assert conformant.certificate["files"] == {"traffic.har": digest_of_file(path)}


def test_traffic_is_told_whole(conformant: Run) -> None:
    entries = json.loads((conformant.reports / "traffic.har").read_text(encoding="utf-8"))["log"]["entries"]
    assert len(entries) == conformant.certificate["traffic"]["requests"]


def test_certificate_follows_its_schema(conformant: Run, nonconformant: Run) -> None:
    schema = jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")), validate_formats=True)
    for run in (conformant, nonconformant):
        schema.validate(run.certificate)
    broken = {**conformant.certificate, "verdict": "splendid"}
    assert not schema.is_valid(broken)


def test_a_defect_is_told_with_a_shrunk_counterexample(nonconformant: Run) -> None:
    assert nonconformant.code == 1
    assert nonconformant.verdicts("fail") == {"ORD-04"}
    example = nonconformant.entry("ORD-04")["counterexample"]
    order = json.loads(example["request"]["body"])
    assert order["status"] == "CONCLUDED"
    assert len(order["extracts"]) == 1
    assert example["response"]["status"] == 200
    shows_it, _, after = example["curl"].partition("\n# 2.")
    assert ", which shows it\n" in shows_it
    assert shows_it in nonconformant.output.replace("\n    ", "\n")
    assert ("1 step after, in index.html" in nonconformant.output) == bool(after)


def test_summary_has_failures_first(nonconformant: Run) -> None:
    rows = [
        line for line in (nonconformant.reports / "summary.md").read_text().splitlines() if line.startswith("| ORD-")
    ]
    assert rows[0].startswith("| ORD-04 | required | ✗ fail")


def test_no_secret_is_left_anywhere(conformant: Run, nonconformant: Run) -> None:
    for run in (conformant, nonconformant):
        texts = {str(path): path.read_text(errors="replace") for path in run.reports.rglob("*") if path.is_file()}
        texts |= {"stdout": run.output, "stderr": run.errors}
        assert [(name, secret) for name, text in texts.items() for secret in SECRETS if secret in text] == []


def test_workers_give_the_same_verdicts(conformant: Run, tmp_path: Path) -> None:
    spread = certify(tmp_path, "--workers", "2")
    assert spread.code == 0
    assert spread.verdicts("pass") == conformant.verdicts("pass")
    entries = json.loads((tmp_path / "traffic.har").read_text(encoding="utf-8"))["log"]["entries"]
    assert len(entries) == spread.certificate["traffic"]["requests"]
    assert not list(tmp_path.glob("traffic-*.har"))


def test_plain_pytest_does_the_same_work(conformant: Run, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [str(COMMAND.parent / "python"), "-m", "pytest", "tests/certification", "-q", "-p", "no:cacheprovider"]
    options = [f"--koncili-reports={tmp_path}", "--koncili-profile=certification", "--koncili-no-html"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=root, timeout=300)
    assert done.returncode == 0, done.stdout
    assert Run(0, "", "", tmp_path).certificate["rules"] == conformant.certificate["rules"]


def test_one_rule_is_partial_and_says_so(tmp_path: Path) -> None:
    run = certify(tmp_path, "--rule", "ORD-05")
    assert run.code == 2
    assert run.certificate["verdict"] == "partial"
    assert run.verdicts("pass") == {"ORD-05"}
    assert run.entry("ORD-04")["reason"] == "not selected"


def test_a_waived_failure_does_not_decide(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waivers]]\nrule = "ORD-04"\nreason = "ticket 7"\nuntil = 2999-12-31\nwhole = true\n')
    run = certify(
        tmp_path / "reports",
        "--defect",
        "ord-04-not-enforced",
        "--waivers",
        str(waivers),
        "--long-waivers",
        "--profile",
        "smoke",
    )
    assert run.verdicts("waived") == {"ORD-04"}
    assert run.code == 0


def test_one_seed_sends_the_same_whatever_is_loaded(conformant: Run, tmp_path: Path) -> None:
    """Hypothesis would also draw the literals of whichever local modules are loaded; laws.py sees to it that it does not."""
    run = certify(tmp_path, "--variant", "more-fields")
    assert run.certificate["rules"] == conformant.certificate["rules"]
    assert run.certificate["traffic"] == conformant.certificate["traffic"]
    sent = [
        [
            entry["request"].get("postData", {}).get("text")
            for entry in json.loads((reports / "traffic.har").read_text(encoding="utf-8"))["log"]["entries"]
        ]
        for reports in (run.reports, conformant.reports)
    ]
    assert sent[0] == sent[1]
