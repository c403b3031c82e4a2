"""A live endpoint that reconciles at once, the way to it on which things happen, and runs against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from conformance.mock.faults import Plan, When
from conformance.target.config import load_target
from conformance.target.shared.calendar import LONG, SHORT
from conformance.target.shared.store import open_store
from tests.suite.support.command_runs import Run
from tests.suite.support.stage import quick
from tests.suite.support.stage.fault_proxy import FaultProxy, fault_proxy
from tests.suite.support.stage.mock import StagedMock, mock, target_file

DAY: Final = 86_400
LONG_DAYS: Final = 50
"""What the long periods of one run take at most, where every rule is certified once."""

TOKEN, GET, POST, DELETE = "POST /public/api/auth/token", "GET /order", "POST /order", "DELETE /order"
CREATE, RELEASE = "POST /reconciliation", "POST /reconciliation/release"


@dataclass
class Stage:
    """A mock, and runs against it that each have a state and a day of periods of their own."""

    mock: StagedMock
    directory: Path
    targets: int = 0
    """How many there were."""
    _runs: Iterator[int] = field(default_factory=lambda: count(1))

    def target(self, base_url: str, *, long_of: int | None = None) -> Path:
        """The file of a target that no run has met before. Its periods are its own; where it is given the long ones are those of
        the n-th target all over again: its store knows nothing of that one's."""
        number = next(self._runs)
        directory = self.directory / str(number)
        directory.mkdir()
        path = target_file(directory / "target.toml", base_url, coordination=f"sqlite:{directory / 'state.sqlite'}")
        store = open_store(load_target(path))
        for track, days in ((SHORT, 1), (LONG, LONG_DAYS)):
            for counter in (track.name, f"{track.name} begun"):
                store.claim(counter, (long_of or number if track is LONG else number) * days * DAY, 0)
        store.close()
        self.targets = number
        return path

    def certify(self, target: Path, *rules: str, patience: float = quick.PATIENT, **environment: str) -> Run:
        """Certify it by a smoke test of these rules, of all that it has client errors for where none is named."""
        options = [option for rule in rules for option in ("--rule", rule)]
        return quick.certify(
            target.parent, "--target", str(target), "--profile", "smoke", *options, patience=patience, **environment
        )

    def left(self) -> list[Any]:
        """What was not cleared away, of what can be."""
        state = self.mock.state()
        orders = [order for order in state["orders"] if not order["reconciled"]]
        return orders + [opened for opened in state["reconciliations"] if opened["active"]]


def staged(directory: Path) -> Iterator[Stage]:
    """What a test has of such a mock."""
    with mock(directory, variant="reconciles-at-once") as running:
        yield Stage(running, directory)


def layered(stage: Stage) -> Iterator[FaultProxy]:
    """Such a way, and what is asked of it in the end."""
    before = stage.left()
    with fault_proxy(stage.mock.base_url) as running:
        yield running
    assert running.visits == []
    assert [one for one in stage.left() if one not in before] == []


def plans(fault: str, *whens: When) -> list[Plan]:
    """The fault at each of these."""
    return [Plan(fault, when, seconds=0.05) for when in whens]
