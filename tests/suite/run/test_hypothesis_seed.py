"""Hypothesis's own option for a seed, in plain pytest: it means the certification's seed, or is refused; it is never ignored."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.suite.support.command_runs import kept_in, without_ci


@pytest.mark.parametrize(
    ("options", "seed", "said"),
    [
        (["--hypothesis-seed=7"], 7, ""),
        (["--hypothesis-seed=7", "--koncili-seed=7"], 7, ""),
        (["--hypothesis-seed=7", "--koncili-seed=8"], None, "leave out one of them"),
        (["--hypothesis-seed=monday"], None, "a certificate tells its seed as a number"),
    ],
)
def test_a_seed_is_taken_or_refused_aloud(options: list[str], seed: int | None, said: str, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    command = [sys.executable, "-m", "pytest", "tests/certification/test_orders.py", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--koncili-reports={reports}", "--koncili-no-html", "--koncili-rule=ORD-05", *options],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3], timeout=300,
        env={**without_ci(), **kept_in(tmp_path / "state")},
    )  # fmt: skip
    assert said in done.stdout + done.stderr
    if seed is None:
        assert done.returncode == 3, done.stdout
        assert not (reports / "certificate.json").exists()
    else:
        assert json.loads((reports / "certificate.json").read_text(encoding="utf-8"))["seed"] == seed
