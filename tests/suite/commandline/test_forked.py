"""Most tests run the command line in processes that are forked when it is loaded: these say as much as those that begin anew."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.suite.support import forked
from tests.suite.support.command_runs import Run, certify, ended, run, start
from tests.suite.support.forked import can_be_forked

NONCONFORMANT, CANNOT_RUN = 1, 3


def said(ran: Run) -> tuple[Any, ...]:
    """What a run says, but for times, places and the codes that it made up."""
    rules = [
        {name: entry.get(name) for name in ("id", "verdict", "reason", "accepted", "refused", "kinds")}
        for entry in ran.certificate["rules"]
    ]
    files = {str(path.relative_to(ran.reports)) for path in ran.reports.iterdir()}
    return ran.code, ran.output.splitlines()[0], ran.errors, ran.certificate["traffic"], rules, files


def test_a_forked_run_is_no_other_than_one_that_begins_anew(tmp_path: Path) -> None:
    wanted = ("--defect", "ord-04-not-enforced", "--rule", "ORD-04", "--rule", "REL-01")
    for number in ("first", "second"):  # neither does one leave anything for the next
        one = certify(tmp_path / number / "reports", *wanted)
        assert one.code == NONCONFORMANT
        other = ended(start(tmp_path / f"anew-{number}" / "reports", *wanted), tmp_path / f"anew-{number}" / "reports")
        assert said(one) == said(other)


def test_errors_and_exit_codes_are_told_alike(tmp_path: Path) -> None:
    one = certify(tmp_path / "reports", "--nope")
    other = ended(start(tmp_path / "reports", "--nope"), tmp_path / "reports")
    assert (one.code, one.output, one.errors) == (CANNOT_RUN, other.output, other.errors)


def test_nothing_but_its_environment_is_told_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "pt_BR.UTF-8")
    assert "não há regra" in run("rules", "ORD-99", reports=tmp_path, state=tmp_path).errors
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "não há regra" not in run("rules", "ORD-99", reports=tmp_path, state=tmp_path).errors


def test_where_python_is_to_begin_in_another_way_nothing_is_forked() -> None:
    assert can_be_forked(os.environ)
    assert not can_be_forked({**os.environ, "PYTHONOPTIMIZE": "2"})


def test_one_that_does_not_end_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run("rules", environment=dict(os.environ), patience=0.5, first=_never)


def _never() -> None:
    time.sleep(60)
