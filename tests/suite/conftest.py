"""What holds for all of the suite's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suite.support.command_runs import kept_in


@pytest.fixture(autouse=True)
def _state_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs share belongs to the test, not to whoever runs it, nor to the other tests."""
    for name, value in kept_in(tmp_path / "own-state").items():
        monkeypatch.setenv(name, value)
