"""The smaller commands: rules, mock, report."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

from conformance.contract.rules import every_rule
from tests.suite.support.command_runs import COMMAND


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
