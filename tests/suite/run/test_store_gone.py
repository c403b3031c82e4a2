"""A run whose shared store goes away in the middle sends nothing more, and ends in order."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.suite.support.command_runs import COMMAND, certify, ended, start
from tests.suite.support.command_runs import run as run_to_end
from tests.suite.support.stage import losses
from tests.suite.support.stage.etiquette import active, deletable
from tests.suite.support.stage.hurry import hurried
from tests.suite.support.stage.mock import StagedMock, mock, target_file
from tests.suite.support.stage.redis import redis_server

LONG_ENOUGH = 60


def test_a_run_whose_redis_server_goes_away_could_not_run(tmp_path: Path) -> None:
    with mock(tmp_path) as staged, redis_server(tmp_path) as redis:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=redis.url)
        reports = tmp_path / "reports"
        command = [str(COMMAND), "certify", "--target", str(target), "--reports", str(reports), "--no-html"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        ) as run:
            _wait_for_requests(staged, 50)
            redis.stop()
            output, _ = run.communicate(timeout=LONG_ENOUGH)
        sent = staged.state()["counts"]["requests"]
        assert run.returncode == 3, output
        assert "Traceback" not in output
        assert "stopped: redis://" in output
        certificate = json.loads((reports / "certificate.json").read_text())
        assert certificate["verdict"] == "inconclusive"
        assert not [rule["id"] for rule in certificate["rules"] if rule["verdict"] == "fail"]
        assert certificate["traffic"]["requests"] in range(
            sent - 2, sent + 1
        )  # before it a token and the accounts were asked for


def _wait_for_requests(staged: StagedMock, number: int) -> None:
    for _ in range(LONG_ENOUGH * 20):
        if staged.state()["counts"]["requests"] >= number:
            return
        time.sleep(0.05)  # the run is another process: there is nothing to wait on
    raise AssertionError(f"no {number} requests came")


@pytest.mark.parametrize("lose", [losses.remove, losses.move, losses.empty], ids=lambda loss: str(loss.__name__))
def test_a_run_whose_file_is_lost_clears_away_and_says_so(lose: Callable[[Path], None], tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    with mock(tmp_path) as staged, hurried(staged):
        target = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{store}", readings=None)
        running = start(tmp_path / "reports", "--target", str(target))
        _wait_for_requests(staged, 150)
        lose(store)
        run = ended(running, tmp_path / "reports")
        assert run.code == 3, run.output
        assert "while this run was going on" in run.output
        assert "Traceback" not in run.output + run.errors
        assert "not cleared away" not in run.output
        assert not run.verdicts("fail")
        state = staged.state()
        assert (active(state), deletable(state)) == ([], [])
        planned = certify(tmp_path / "reports", "--target", str(target), "--dry-run")
        assert planned.code == 2
        assert "only taken for spent: the store is new, and what was spent before is not known" in planned.output
        cleaned = run_to_end("cleanup", "--target", str(target), reports=tmp_path, state=tmp_path / "state")
        assert cleaned.output == "nothing is left of any run that was killed\n"


@pytest.mark.parametrize("quiet", [False, True])
def test_a_run_says_before_it_begins_where_a_server_keeps_nothing(tmp_path: Path, *, quiet: bool) -> None:
    with mock(tmp_path) as staged, redis_server(tmp_path) as redis:
        target = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=redis.url)
        options = ("--target", str(target), "--profile", "smoke", "--rule", "ACC-01", *(["-q"] if quiet else []))
        run = certify(tmp_path / "reports", *options)
    assert run.verdicts("pass") == {"ACC-01"}
    assert run.output.count("keeps nothing on disk") == (0 if quiet else 1)
