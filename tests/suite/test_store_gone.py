"""A run whose shared store goes away in the middle sends nothing more, and ends in order."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from tests.suite.runs import COMMAND
from tests.suite.stage.mock import StagedMock, mock, target_file
from tests.suite.stage.redis import redis_server

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
        assert certificate["traffic"]["requests"] in {sent, sent - 1}  # a token was asked for before


def _wait_for_requests(staged: StagedMock, number: int) -> None:
    for _ in range(LONG_ENOUGH * 20):
        if staged.state()["counts"]["requests"] >= number:
            return
        time.sleep(0.05)  # the run is another process: there is nothing to wait on
    raise AssertionError(f"no {number} requests came")
