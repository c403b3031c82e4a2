"""A whole run against the mock, one against a mock with a defect, and a mock on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.suite.support.command_runs import Run, certify
from tests.suite.support.made_once import made_once
from tests.suite.support.stage.mock import mock


@pytest.fixture(scope="module")
def conformant(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run against the mock."""
    return made_once(tmp_path_factory, "conformant", lambda place: certify(place / "reports", html=True))


@pytest.fixture(scope="module")
def nonconformant(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run against a mock with a defect."""
    defect = ("--defect", "ord-04-not-enforced")
    return made_once(tmp_path_factory, "nonconformant", lambda place: certify(place / "reports", *defect, html=True))


@pytest.fixture
def mock_target(tmp_path: Path) -> Iterator[Path]:
    """The target file of a mock that is being served."""
    with mock(tmp_path) as staged:
        yield staged.target
