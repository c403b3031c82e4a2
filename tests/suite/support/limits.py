"""Documented limits with a store of their own, and a time that passes only where they wait."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract.endpoints import Endpoint
from conformance.mock.target import mock_target_table
from conformance.target.config import Target, parse_target
from conformance.target.shared.budget import DocumentedLimits
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting

MINUTE, HOUR = 60.0, 3600.0


@dataclass
class Time:
    """Seconds that pass only where the budget waits, or where a test lets them."""

    now: float = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Limits(DocumentedLimits):
    """Limits with a store of their own, as a run has them."""

    def __init__(
        self, path: Path, errors: int, time: Time | None = None, *, paced: bool = True, at_most: float | None = 0.0
    ) -> None:
        self.kept = SQLiteStore(path)
        waiting = Waiting(at_most=at_most, sleep=time.sleep) if time else Waiting(at_most=at_most)
        super().__init__(self.kept, errors, waiting, paced=paced)

    def answer(self, endpoint: Endpoint | None, status: int) -> None:
        self.after(self.before(endpoint), status)

    def spent(self) -> int:
        return self.status().spent

    def close(self) -> None:
        super().close()
        self.kept.close()


def target(**changes: Any) -> Target:
    table = mock_target_table("https://koncili.example") | {"pace": "documented"} | changes
    return parse_target(table, "target.toml")
