"""Runs at one mock in process that share a store: one that a test kills, and one that comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import OneRun, one_run


@pytest.fixture
def koncili() -> Koncili:
    return Koncili()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """The file of the store."""
    return tmp_path / "store.sqlite"


@pytest.fixture
def dead(koncili: Koncili, shared: Path) -> Iterator[OneRun]:
    """A run that a test kills."""
    with one_run(koncili, shared) as run:
        yield run


@pytest.fixture
def rescuer(koncili: Koncili, shared: Path) -> Iterator[OneRun]:
    """A run that comes after it."""
    with one_run(koncili, shared) as run:
        yield run
