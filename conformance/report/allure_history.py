"""What Allure showed of earlier runs against the same target: a file of one line a run, kept between runs."""

from __future__ import annotations

import json
import os
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from filelock import FileLock, Timeout

from conformance.i18n.messages import tr
from conformance.verdict.certificate import Certificate

DIRECTORY: Final = "history"
"""Where it is kept, in the reports directory; no run clears it away."""

HANDED_OVER: Final = "history.jsonl"
"""What a report is made with, beside the results."""

MOST_RUNS: Final = 20
"""How many runs are kept."""

LOCK_SECONDS: Final = 10

_MOST_MESSAGE: Final = 200
"""How much of a message is kept: the rest is in the report of its own run."""

_KEPT: Final = ("id", "historyId", "status", "start", "stop", "duration", "url")


class HistoryUnavailable(Exception):
    """The history cannot be read or written; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of one target. Runs against different targets have files of their own."""

    path: Path
    run: str
    """What tells this run from others: when it started."""

    @classmethod
    def of(cls, reports: Path, certificate: Certificate) -> History:
        """The history that the run of a certificate belongs to."""
        target = certificate.target
        digest = sha256(f"{target.name}\n{target.base_url}".encode()).hexdigest()[:8]
        words = re.sub(r"[^a-z0-9]+", "-", target.name.lower()).strip("-")[:40]
        return cls(reports / DIRECTORY / f"{words or 'target'}-{digest}.jsonl", certificate.started_at.isoformat())

    def hand_over(self, results: Path) -> str:
        """Put the earlier runs beside the results, for the report to show. Returns what to tell the user, or nothing.

        A damaged file is put aside and what is whole in it goes on. Raises HistoryUnavailable, OSError.
        """
        told = ""
        with self._locked():
            points, is_damaged = self._read()
            if is_damaged:
                aside = self.path.with_suffix(".damaged")
                self.path.replace(aside)
                told = tr(
                    "{path} was damaged: it is now {name}, and {number} of its runs could be kept",
                    path=self.path,
                    name=aside.name,
                    number=len(points),
                )
                self._write(points)
        (results / HANDED_OVER).write_text(_lines(points), encoding="utf-8")
        return told

    def add(self, line: str) -> None:
        """Keep what Allure remembers of this run, as one more line, once however often it is told. Raises HistoryUnavailable,
        OSError."""
        point = _point(line)
        if point is None:
            raise HistoryUnavailable("Allure remembered nothing of this run that its next report could show")
        with self._locked():
            self._write([*self._read()[0], {**_slim(point), "run": self.run}])

    def _read(self) -> tuple[list[dict[str, Any]], bool]:
        """The runs but this one, the oldest first, and whether there is something else in the file."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return [], False
        points = [_point(line) for line in lines if line.strip()]
        whole = [point for point in points if point is not None]
        return [point for point in whole if point.get("run") != self.run], len(whole) < len(points)

    def _write(self, points: list[dict[str, Any]]) -> None:
        """Write the newest of them so that a reader sees the old file or the new one, never a part."""
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=self.path.parent, prefix=".history.", delete=False
        ) as stream:
            try:
                stream.write(_lines(points[-MOST_RUNS:]))
                stream.flush()
                os.fsync(stream.fileno())
                Path(stream.name).replace(self.path)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise

    def _locked(self) -> AbstractContextManager[object]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(self.path.parent / ".lock").acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise HistoryUnavailable(f"{self.path}: another run has been writing it for {LOCK_SECONDS} s") from None


def _point(line: str | bytes) -> dict[str, Any] | None:
    """A run as Allure remembers it, None where the line holds none."""
    try:
        point = json.loads(line)
    except ValueError:
        return None
    is_whole = isinstance(point, dict) and isinstance(point.get("uuid"), str)
    if not is_whole or not isinstance(point.get("testResults"), dict):
        return None
    results = point["testResults"].values()
    return point if all(isinstance(result, dict) and "status" in result for result in results) else None


def _slim(point: dict[str, Any]) -> dict[str, Any]:
    """A run without what only its own report needs: labels and traces are most of it."""
    results = {
        identity: {
            **{key: result[key] for key in _KEPT if key in result},
            **({"message": result["message"][:_MOST_MESSAGE]} if result.get("message") else {}),
            "labels": [],
            "reportLinks": [],
        }
        for identity, result in point["testResults"].items()
    }
    return {**point, "testResults": results}


def _lines(points: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(point)}\n" for point in points)
