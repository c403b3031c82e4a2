"""What holds for all of the suite's own tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.suite.support.command_runs import kept_in

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # begun with & by a script: whatever the tests start would ignore it, too
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _state_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs share belongs to the test, not to whoever runs it, nor to the other tests."""
    for name, value in kept_in(tmp_path / "own-state").items():
        monkeypatch.setenv(name, value)
