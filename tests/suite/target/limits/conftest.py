"""Limits of two runs of one integrator, and a time that passes only where they wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.suite.support.limits import Limits, Time


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr("conformance.target.shared.store_sqlite.since_boot", time.time)
    return time


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "budget.sqlite"


@pytest.fixture
def limits(store: Path, time: Time) -> Iterator[Limits]:
    with closing(Limits(store, 400, time, at_most=62.0)) as limits:
        yield limits


@pytest.fixture
def others(store: Path, time: Time) -> Iterator[Limits]:
    """Those of another run of the same integrator."""
    with closing(Limits(store, 400, time, at_most=62.0)) as limits:
        yield limits
