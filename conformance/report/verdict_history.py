"""The verdicts of earlier runs against the same target, rule by rule: a file of one line a run, kept beside Allure's history."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from filelock import FileLock, Timeout

from conformance.report.allure_history import LOCK_SECONDS, MOST_RUNS, History
from conformance.verdict.certificate import Certificate
from conformance.verdict.verdicts import RuleVerdict

SUFFIX: Final = ".verdicts"

_VERDICTS: Final = frozenset(map(str, RuleVerdict))


def remembered(reports: Path, certificate: Certificate) -> Mapping[str, Sequence[str]]:
    """Keep the verdicts of this run, once however often it is told; by rule those of the last runs, the oldest first, this one's
    last. Where nothing can be kept there are none of earlier runs. Raises OSError."""
    path = History.of(reports, certificate).path.with_suffix(SUFFIX)
    run = certificate.started_at.isoformat()
    line = {"run": run, "verdicts": {entry.id: str(entry.verdict) for entry in certificate.rules}}
    path.parent.mkdir(exist_ok=True)
    try:
        with FileLock(path.parent / ".lock").acquire(timeout=LOCK_SECONDS):
            runs = [*(one for one in _read(path) if one["run"] != run), line][-MOST_RUNS:]
            _write(path, runs)
    except Timeout:
        runs = [line]
    runs.sort(key=lambda one: one["run"])
    return {
        entry.id: [one["verdicts"][entry.id] for one in runs if one["verdicts"].get(entry.id) in _VERDICTS]
        for entry in certificate.rules
    }


def _read(path: Path) -> list[dict[str, Any]]:
    """The runs of a file; lines that hold none are left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [run for line in lines if (run := _run(line)) is not None]


def _run(line: str) -> dict[str, Any] | None:
    try:
        run = json.loads(line)
    except ValueError:
        return None
    is_whole = isinstance(run, dict) and isinstance(run.get("run"), str) and isinstance(run.get("verdicts"), dict)
    return run if is_whole else None


def _write(path: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    """So that a reader sees the old file or the new one, never a part."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".verdicts.", delete=False) as stream:
        try:
            stream.write("".join(f"{json.dumps(run)}\n" for run in runs))
            stream.flush()
            os.fsync(stream.fileno())
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise
