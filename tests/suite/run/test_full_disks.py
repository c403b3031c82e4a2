"""The disk is full in the middle of a run: nothing can be written any more, and what the run has at the target is cleared away
all the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.run.certification import Certification
from conformance.run.options import Task
from conformance.run.session import Options, Session
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
ASKED = Exchange(
    datetime(2026, 6, 1, tzinfo=UTC), "GET", "https://h/order", {}, b"", 404, {}, b"", 0.0, Endpoint.GET_ORDER
)


def test_that_traffic_finds_no_room_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No order could be deleted any more."""

    def write(*_: object) -> None:
        raise FULL

    monkeypatch.setattr("conformance.target.wire.journal._write", write)
    with Journal(Redactor(), tmp_path / "traffic.har") as journal:
        with pytest.raises(OSError, match="No space left"):
            journal.record(ASKED)
        journal.record(ASKED)
        assert journal.traffic.client_errors == 2


@dataclass
class Left:
    """What a run has at the target, of which nothing is cleared away while the disk takes what is written of it."""

    errors: list[Exception]
    undone: list[str] = field(default_factory=lambda: ["2 orders of this run"])
    kept: list[str] = field(default_factory=list)

    def finish(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.undone.clear()


def ended(left: Left) -> Certification:
    """A certification at whose end this is left."""
    certification = Certification(Task(options=Options()))
    recovery = SimpleNamespace(report=left)
    live = SimpleNamespace(finish=left.finish, recovery=recovery, store=SimpleNamespace(unkept=list))
    certification._clear_away(cast("Session", SimpleNamespace(live=live)))
    return certification


def test_what_is_left_is_cleared_away_all_the_same() -> None:
    ending = ended(Left([FULL])).ending
    assert (ending.left_undone, "No space left" in ending.stopped) == ([], True)


def test_it_is_cleared_away_before_whoever_breaks_down_while_pytest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allure writes for itself: where it found no room nobody was told what was left."""
    certification, done = Certification(Task(options=Options())), list[str]()
    certification._session = cast("Session", SimpleNamespace(live=None))
    monkeypatch.setattr(certification, "_clear_away", lambda _: done.append("cleared away"))
    monkeypatch.setattr(certification, "_finish", lambda *_: done.append("told"))
    ending: Iterator[Any] = certification.pytest_sessionfinish(cast("Any", None), 0)
    next(ending)
    assert done == ["cleared away"]
    assert next(ending, None) is None
    assert done == ["cleared away", "told"]
