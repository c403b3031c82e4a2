"""The command line as a user meets it: exit codes, messages, files, interruption, a second run."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema_rs
import pytest

from conformance.contract.rules import catalogue, every_rule
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.world import EMAIL, PASSWORD
from conformance.planning.smoke import LEFT_OUT
from conformance.run.launch import NOT_WHOLE
from conformance.target.shared.budget import KEPT_BACK
from conformance.verdict.digest import digest_of_file
from tests.suite.support.command_runs import COMMAND, Run, certify
from tests.suite.support.made_once import made_once

SCHEMA = Path(__file__).parents[3] / "conformance" / "verdict" / "certificate.schema.json"

SECRETS = (PASSWORD, EMAIL, "eyJhbGciOi")


@pytest.fixture(scope="module")
def conformant(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run against the mock."""
    return made_once(tmp_path_factory, "conformant", lambda place: certify(place / "reports", html=True))


@pytest.fixture(scope="module")
def nonconformant(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run against a mock with a defect."""
    defect = ("--defect", "ord-04-not-enforced")
    return made_once(tmp_path_factory, "nonconformant", lambda place: certify(place / "reports", *defect, html=True))


# -- a whole run ---------------------------------------------------------------------------------------------------


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


# -- part of a run -------------------------------------------------------------------------------------------------


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


# -- what can't run ------------------------------------------------------------------------------------------------


@pytest.fixture
def target_file(tmp_path: Path) -> Path:
    """A target file for a mock on a port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "target.toml"
    path.write_text(to_toml(mock_target_table(f"http://127.0.0.1:{port}")))
    return path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "/nowhere/target.toml"], "/nowhere/target.toml: there is no such target file"),
        (["--profile", "nope"], "there are smoke, certification, deep"),
        (["--rule", "ORD-99"], "no such rule"),
        (["--defect", "ord-4-not-enforced"], "did you mean ord-"),
        (["--variant", "slow"], "no variant 'slow'"),
        (["--waivers", "/nowhere/waivers.toml"], "/nowhere/waivers.toml"),
    ],
)
def test_what_can_not_run_is_named(arguments: list[str], told: str, tmp_path: Path) -> None:
    run = certify(tmp_path, *arguments)
    assert run.code == 3
    assert told in run.errors
    assert "Traceback" not in run.errors + run.output
    assert not (tmp_path / "certificate.json").exists()


def test_a_wrong_option_is_not_mistaken_for_partial(tmp_path: Path) -> None:
    assert certify(tmp_path, "--nope").code == 3


def test_a_target_that_is_not_there(target_file: Path, tmp_path: Path) -> None:
    run = certify(tmp_path, "--target", str(target_file))
    assert run.code == 3
    assert "is the target up?" in run.errors


def test_production_takes_a_word_of_consent(target_file: Path, tmp_path: Path) -> None:
    target_file.write_text(target_file.read_text().replace('environment = "mock"', 'environment = "production"'))
    for consent, told in (
        ([], "name its host: --allow-production=HOST"),
        (["--allow-production"], "no terminal to ask on; name its host: --allow-production=HOST"),
        (["--allow-production=koncili.example"], "is not 'koncili.example'; nothing was sent"),
        (["--allow-production=127.0.0.1"], "is the target up?"),
    ):
        run = certify(tmp_path, "--target", str(target_file), *consent)
        assert run.code == 3
        assert told in run.errors


@pytest.mark.parametrize(
    ("typed", "told"), [("koncili.example", "nothing was sent"), ("127.0.0.1", "is the target up?")]
)
def test_on_a_terminal_consent_is_typed(typed: str, told: str, target_file: Path, tmp_path: Path) -> None:
    target_file.write_text(target_file.read_text().replace('environment = "mock"', 'environment = "production"'))
    ours, theirs = pty.openpty()
    command = [
        str(COMMAND),
        "certify",
        "--reports",
        str(tmp_path / "r"),
        "--target",
        str(target_file),
        "--allow-production",
    ]
    with os.fdopen(ours, "wb", buffering=0) as keyboard:
        run = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        os.close(theirs)
        keyboard.write(f"{typed}\n".encode())
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "Type the name of its host" in output
    assert told in output


def test_reports_that_can_not_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "reports"
    in_the_way.write_text("a file")
    run = certify(in_the_way / "below")
    assert run.code == 3
    assert "choose another place with --reports" in run.errors


# -- a mock on a socket --------------------------------------------------------------------------------------------


@contextmanager
def served(target: Path, *options: str) -> Iterator[None]:
    """A mock on a socket; its target file is written."""
    command = [str(COMMAND), "mock", "--port", "0", "--target-file", str(target), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "mock Koncili at http://127.0.0.1:" in process.stdout.readline()
            _await_answer(target)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


@pytest.fixture
def mock_target(tmp_path: Path) -> Iterator[Path]:
    """The target file of a mock that is being served."""
    path = tmp_path / "mock.toml"
    with served(path):
        yield path


def _await_answer(target: Path) -> None:
    port = int(target.read_text().split("127.0.0.1:")[1].split('"')[0])
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the mock does not answer")


def test_over_a_socket_the_verdicts_are_the_same(mock_target: Path, conformant: Run, tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", "--target", str(mock_target), "--profile", "smoke")
    assert run.code == 0, run.output + run.errors
    assert run.verdicts("pass") == conformant.verdicts("pass")


MOCK_ONLY = {"AUTH-05", "LIM-01", "LIM-02", "LIM-03", "NTF-01", "NTF-02", "NTF-03"}
"""Rules that take a clock, limits or notifications which only the suite's own mock has."""


def test_without_a_clock_what_needs_one_is_not_exercised(tmp_path: Path) -> None:
    target = tmp_path / "live.toml"
    with served(target, "--variant", "reconciles-at-once"):
        as_sandbox(target)
        run = certify(tmp_path / "reports", "--target", str(target), "--profile", "smoke")
    assert run.code == 2, run.output + run.errors
    assert run.verdicts("fail", "inconclusive") == set(), run.output
    left = {entry["id"] for entry in run.certificate["rules"] if LEFT_OUT in entry["reason"]}
    assert run.verdicts("not-exercised") - left == MOCK_ONLY
    assert run.certificate["traffic"]["clientErrors"] <= 60
    assert "clock" in run.entry("AUTH-05")["reason"]
    assert "scenarios put off" in run.output


def test_what_is_refused_before_anything_was_opened_is_tried_again_after(tmp_path: Path) -> None:
    """On a live endpoint what others left active may have been in its way, so that nothing of it stood in the verdict."""
    target = tmp_path / "live.toml"
    with served(target, "--variant", "reconciles-at-once", "--defect", "strict-reconciliation-short-period"):
        as_sandbox(target)
        run = certify(tmp_path / "reports", "--target", str(target), "--rule", "REC-01", "--max-wait", "14s")
    assert run.verdicts("fail") == {"REC-01"}, run.output + run.errors
    # Once that is known of one place, no other is waited for: else each look costs a client error, and the wait adds up.
    assert run.certificate["traffic"]["clientErrors"] <= 40


def test_what_is_shown_otherwise_however_often_it_is_sent_is_not_blamed_on_sending_twice(tmp_path: Path) -> None:
    run = certify(tmp_path, "--defect", "qry-01-one-decimal", "--rule", "ORD-17")
    assert run.verdicts("fail") == {"QRY-01"}, run.output + run.errors
    assert "ORD-17" in run.verdicts("pass"), "what else an order shows tells whether it is there once"


def as_sandbox(target: Path) -> None:
    """Let the target file of a mock be that of a live endpoint: nothing moves its clock."""
    target.write_text(target.read_text().replace('environment = "mock"', 'environment = "sandbox"'))


READINGS_STATED = "[readings]"


def test_readings_that_are_not_stated_are_found_out(tmp_path: Path) -> None:
    target = tmp_path / "unstated.toml"
    rules = ("ORD-09", "ORD-18", "REL-08", "REC-11", "REL-20")
    with served(target, "--variant", "discrepancies-taken"):
        text = target.read_text()
        target.write_text(text[: text.index(READINGS_STATED)])
        run = certify(
            tmp_path / "reports", "--target", str(target), "--profile", "smoke", *(f"--rule={r}" for r in rules)
        )
    assert run.verdicts("pass") == set(rules), run.output + run.errors
    readings, known = run.certificate["readings"], run.certificate["readingsFrom"]
    assert readings["value-mismatch"] == "discrepancy"
    assert {reading for reading, how in known.items() if how == "default"} == {
        "consolidation", "scalar-coercion", "total-net-value", "whole-as-decimal",
    }  # fmt: skip
    assert {readings[name] for name in ("extract-types", "adjacent-periods", "period-bounds")} == {
        "workflow", "allowed", "inclusive",
    }  # fmt: skip


def test_what_a_live_endpoint_does_not_show_at_once_is_not_exercised(tmp_path: Path) -> None:
    target = tmp_path / "slow.toml"
    with served(target, "--variant", "slow-consolidation"):
        as_sandbox(target)
        rules = ("QRY-01", "QRY-03", "QRY-04", "ORD-15", "DEL-01")
        chosen = [f"--rule={rule}" for rule in (*rules, "ORD-02")]
        run = certify(tmp_path / "reports", "--target", str(target), "--profile", "smoke", *chosen)
    assert run.code == 2
    assert run.certificate["verdict"] == "partial"
    assert run.verdicts("fail", "inconclusive") == set(), run.output
    for rule in rules:
        assert "30 minutes" in run.entry(rule)["reason"]


def test_without_fixtures_what_needs_them_is_not_exercised(mock_target: Path, tmp_path: Path) -> None:
    text = mock_target.read_text()
    mock_target.write_text(text[: text.index("[fixtures]")])
    run = certify(tmp_path / "reports", "--target", str(mock_target), "--profile", "smoke")
    assert run.verdicts("not-exercised") == {"ACC-04", "ACC-05", "ACC-06", "DEL-03"}
    assert "fixtures.inactive_account" in run.entry("ACC-05")["reason"]


def test_wrong_credentials(mock_target: Path, tmp_path: Path) -> None:
    mock_target.write_text(mock_target.read_text().replace(PASSWORD, "another-password"))
    run = certify(tmp_path / "reports", "--target", str(mock_target))
    assert run.code == 3
    assert "check email, password and base_url" in run.errors
    assert "another-password" not in run.errors


def test_off_the_mock_the_budget_is_kept_at_any_pace(mock_target: Path, tmp_path: Path) -> None:
    text = mock_target.read_text().replace('environment = "mock"', 'environment = "sandbox"\nerror_budget = 20')
    mock_target.write_text(text)
    run = certify(tmp_path / "reports", "--target", str(mock_target), "--max-wait", "0")
    assert run.code == 3
    assert f"; {20 - KEPT_BACK} of {20 - KEPT_BACK} are left in this hour" in run.errors
    assert not (tmp_path / "reports" / "certificate.json").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_certifies_what_it_saw_and_keeps_others_out(
    sent: signal.Signals, mock_target: Path, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    command = [str(COMMAND), "certify", "--target", str(mock_target), "--profile", "deep", "--no-html", "-v"]
    with subprocess.Popen(
        [*command, "--reports", str(reports)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("✓"):
                break
        second = certify(reports)
        assert second.code == 3
        assert "another run is writing to" in second.errors
        process.send_signal(sent)
        output = process.stdout.read()
        assert process.wait(timeout=60) == 2, output
    if NOT_WHOLE in output:  # seldom the signal comes where pytest itself stumbles over it
        return
    run = Run(2, output, "", reports)
    assert run.certificate["verdict"] == "inconclusive"
    assert "interrupted" in run.entry("ORD-18")["reason"]
    assert run.entry("AUTH-01")["verdict"] != "fail"


@pytest.mark.parametrize(("sent", "to_all"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True)])
def test_interrupted_workers_hand_over_what_they_saw(
    sent: signal.Signals, *, to_all: bool, mock_target: Path, tmp_path: Path
) -> None:
    """A terminal's Ctrl-C reaches every process; some CI systems send SIGTERM to all, some to the first."""
    reports = tmp_path / "reports"
    command = [
        str(COMMAND),
        "certify",
        "--target",
        str(mock_target),
        "--profile",
        "deep",
        "--workers",
        "2",
        "--no-html",
        "-v",
    ]
    with subprocess.Popen(
        [*command, "--reports", str(reports)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("✓"):
                break
        if to_all:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        output = process.stdout.read()
        assert process.wait(timeout=60) == 2, output
    run = Run(2, output, "", reports)
    assert run.certificate["verdict"] == "inconclusive"
    assert run.certificate["traffic"]["requests"] > 0
    assert "interrupted" in run.entry("ORD-18")["reason"]


# -- the other commands --------------------------------------------------------------------------------------------


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(COMMAND), *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_rules_lists_all_of_them() -> None:
    assert len(_run("rules").stdout.splitlines()) == len(every_rule().rules)
    rows = json.loads(_run("rules", "--format", "json").stdout)
    assert [row["id"] for row in rows] == list(every_rule().rules)
    assert "### ORD-04\n" in _run("rules", "--format", "markdown").stdout


def test_rules_shows_one_whole() -> None:
    shown = _run("rules", "ord-07").stdout
    assert "refused with 400 and code 400-3" in shown
    assert "S1, Date Validation" in shown


def test_an_unknown_rule_is_named() -> None:
    done = _run("rules", "ord-4")
    assert done.returncode == 3
    assert "no rule 'ord-4' (did you mean ORD-04?)" in done.stderr


def test_mock_lists_its_defects_and_variants() -> None:
    listed = _run("mock", "--list").stdout
    assert "ord-04-not-enforced" in listed
    assert "half-hour-consolidation" in listed


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _run("mock", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 3
    assert "choose another with --port" in done.stderr


def test_report_without_results_says_what_to_do(tmp_path: Path) -> None:
    done = _run("report", "--reports", str(tmp_path))
    assert done.returncode == 3
    assert "certify" in done.stderr


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
