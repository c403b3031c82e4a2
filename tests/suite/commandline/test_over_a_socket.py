"""A certification of a mock that is served, with its clock and as a live endpoint."""

from __future__ import annotations

from pathlib import Path

from conformance.planning.smoke import LEFT_OUT
from tests.suite.support.command_runs import Run, certify
from tests.suite.support.stage.mock import mock


def test_over_a_socket_the_verdicts_are_the_same(mock_target: Path, conformant: Run, tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", "--target", str(mock_target), "--profile", "smoke")
    assert run.code == 0, run.output + run.errors
    assert run.verdicts("pass") == conformant.verdicts("pass")


MOCK_ONLY = {"AUTH-05", "LIM-01", "LIM-02", "LIM-03", "NTF-01", "NTF-02", "NTF-03"}
"""Rules that take a clock, limits or notifications which only the suite's own mock has."""


def test_without_a_clock_what_needs_one_is_not_exercised(tmp_path: Path) -> None:
    with mock(tmp_path, variant="reconciles-at-once") as staged:
        target = staged.target
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
    with mock(tmp_path, variant="reconciles-at-once", defect="strict-reconciliation-short-period") as staged:
        target = staged.target
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
    rules = ("ORD-09", "ORD-18", "REL-08", "REC-11", "REL-20")
    with mock(tmp_path, variant="discrepancies-taken") as staged:
        target = staged.target
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
    with mock(tmp_path, variant="slow-consolidation") as staged:
        target = staged.target
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
