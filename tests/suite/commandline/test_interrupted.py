"""Ctrl-C, SIGTERM and a terminal that hangs up in the middle of a run: what it saw is certified."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from conformance.run.launch import NOT_WHOLE
from tests.suite.support.command_runs import COMMAND, Run, certify, command, ended

_heard: Final = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
"""Called in a run's own process before it begins: one that is begun by `nohup`, as these tests may be, hears no SIGHUP."""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_certifies_what_it_saw_and_keeps_others_out(
    sent: signal.Signals, mock_target: Path, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    arguments = [str(COMMAND), "certify", "--target", str(mock_target), "--profile", "deep", "--no-html", "-v"]
    with subprocess.Popen(
        [*arguments, "--reports", str(reports)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heard,  # noqa: PLW1509 - no other thread has anything to do with signals
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("✓"):
                break
        second = certify(reports)
        assert second.code == 3
        assert "another run is writing to" in second.errors
        process.send_signal(sent)
        if sent == signal.SIGHUP:  # the kernel sends one, and the shell another
            process.send_signal(sent)
        output = process.stdout.read()
        assert process.wait(timeout=60) == 2, output
    if NOT_WHOLE in output:  # seldom the signal comes where pytest itself stumbles over it
        return
    run = Run(2, output, "", reports)
    assert run.certificate["verdict"] == "inconclusive"
    assert "interrupted" in run.entry("ORD-18")["reason"]
    assert run.entry("AUTH-01")["verdict"] != "fail"


@pytest.mark.parametrize(
    ("sent", "to_all"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGHUP, True)],
)
def test_interrupted_workers_hand_over_what_they_saw(
    sent: signal.Signals, *, to_all: bool, mock_target: Path, tmp_path: Path
) -> None:
    """A terminal's Ctrl-C reaches every process; some CI systems send SIGTERM to all, some to the first."""
    reports = tmp_path / "reports"
    arguments = [
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
        [*arguments, "--reports", str(reports)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heard,  # noqa: PLW1509 - no other thread has anything to do with signals
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


IN_A_PLUGIN: Final = """
import pytest
from allure_pytest.listener import AllureListener
from conformance.commandline.entry import main

@pytest.hookimpl(hookwrapper=True)
def interrupted(self, nodeid, location):
    yield
    raise KeyboardInterrupt

AllureListener.pytest_runtest_logfinish = interrupted
main()
"""


def test_an_interruption_within_another_plugin_is_no_breakdown(mock_target: Path, tmp_path: Path) -> None:
    """Of a hook of its old style pluggy warns, at a live endpoint in our name: as an error that took the interruption's place."""
    mock_target.write_text(mock_target.read_text().replace('environment = "mock"', 'environment = "sandbox"'))
    reports, rules = tmp_path / "reports", ("--rule", "ORD-05", "--rule", "ORD-18")
    arguments = (
        "certify",
        "--target",
        str(mock_target),
        "--no-html",
        "--profile",
        "smoke",
        *rules,
        "--reports",
        str(reports),
    )
    run = ended(command(*arguments, state=tmp_path / "state", program=IN_A_PLUGIN), reports)
    assert run.code == 2, run.output + run.errors
    assert "interrupted" in run.entry("ORD-18")["reason"]
