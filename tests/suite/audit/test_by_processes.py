"""The whole way, by processes as people start them: the mock records, an integration works, the recording is audited."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.suite.support.command_runs import COMMAND

ROOT: Final = Path(__file__).parents[3]
PATIENCE_SECONDS: Final = 120


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [str(COMMAND), *map(str, words)], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


@contextmanager
def recording_mock(path: Path) -> Iterator[str]:
    """The mock, recording into that file; its base URL."""
    started = [str(COMMAND), "mock", "--port", "0", "--record", str(path)]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as mock:
        try:
            assert mock.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", mock.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            mock.terminate()


def test_the_mock_records_what_is_audited(tmp_path: Path) -> None:
    with recording_mock(tmp_path / "day.ndjson") as base_url:
        worked = subprocess.run(
            [sys.executable, "-m", "examples.integrator", "--base-url", base_url],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert worked.returncode == 0, worked.stderr
        assert worked.stdout.count("CONCILIED") == 3
    done = run("audit", tmp_path / "day.ndjson", "--reports", tmp_path / "reports")
    assert done.returncode == 0, done.stdout
    assert "3 notifications" in done.stdout
    assert "Ties out to 0.00" in (tmp_path / "reports" / "books.html").read_text(encoding="utf-8")


def test_the_traffic_of_a_certification_can_be_audited(tmp_path: Path) -> None:
    chosen = ("WFL-02", "ORD-04", "REL-08", "REC-05", "DEL-01", "AUTH-03", "CON-02")
    rules = [word for rule in chosen for word in ("--rule", rule)]
    certified = run("certify", "--profile", "smoke", *rules, "--no-html", "--reports", tmp_path / "run")
    assert certified.returncode == 2  # partial, as it was to be
    done = run("audit", tmp_path / "run" / "traffic.har", "--reports", tmp_path / "reports")
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 1  # it makes every mistake that it is to make
    summary = (tmp_path / "reports" / "summary.md").read_text(encoding="utf-8")
    assert all(f"## {rule}" in summary for rule in ("ORD-04", "CLI-03", "REC-05", "AUTH-03"))
    assert "the books tie out" in summary
