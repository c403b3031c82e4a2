"""Runs at one mock in process that share a store: one that a test kills, and one that comes after it; and the way to a live
endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import OneRun, one_run
from tests.suite.support.stage.fault_proxy import FaultProxy
from tests.suite.support.stage.way import Stage, layered, staged


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


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A mock that reconciles at once, since nobody can move the clock of a live endpoint."""
    yield from staged(tmp_path_factory.mktemp("way"))


@pytest.fixture
def unused_stage(tmp_path: Path) -> Iterator[Stage]:
    """Another, on which no run has taken a period yet: of long ones there are few."""
    yield from staged(tmp_path)


@pytest.fixture
def layer(stage: Stage) -> Iterator[FaultProxy]:
    """A way to it on which nothing happens yet; no token ever leaves it for another host, and nothing stays behind."""
    yield from layered(stage)


@pytest.fixture
def unused_layer(unused_stage: Stage) -> Iterator[FaultProxy]:
    """The same to the other."""
    yield from layered(unused_stage)
