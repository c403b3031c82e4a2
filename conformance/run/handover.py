"""What the processes of a run hand over to the one that certifies: what was seen, the traffic, the secrets they met, how they
ended, and the reports that pytest-xdist would not send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from conformance.run.session import Session
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence

EVIDENCE: Final = "koncili_evidence"
TRAFFIC: Final = "koncili_traffic"
SECRETS: Final = "koncili_secrets"
ENDED: Final = "koncili_ending"
REPORTS: Final = "koncili_reports"


@dataclass(frozen=True, slots=True)
class WorkerOutput:
    """What a worker left besides its evidence."""

    ended: Mapping[str, Any] = field(default_factory=dict)
    """How it ended, as `Ending.handed_over` has it."""
    reports: tuple[dict[str, Any], ...] = ()
    """What it reports of scenarios after their turn, as pytest serialises it."""


@dataclass(slots=True)
class Handover:
    """The parts of a run: this process's own, or those of its workers. (pytest-xdist)"""

    _own: list[Evidence] = field(default_factory=list)
    _told: list[str] = field(default_factory=list)
    """The evidence of workers, read when the secrets of all are known: a server may tell one those of another."""
    _traffic: list[dict[str, int]] = field(default_factory=list)
    _from: set[str] = field(default_factory=set)

    def take(self, worker: Any, redactor: Redactor) -> WorkerOutput | None:
        """Take what a worker left; None where that is nothing."""
        output: dict[str, Any] = getattr(worker, "workeroutput", {})
        if ENDED not in output:
            return None
        if worker.gateway.id in self._from:  # xdist tells twice of a worker that was interrupted
            return WorkerOutput()
        self._from.add(worker.gateway.id)
        redactor.learn_all(output.get(SECRETS, ()))
        if EVIDENCE in output:
            self._told.append(output[EVIDENCE])
            self._traffic.append(output[TRAFFIC])
        ended: dict[str, Any] = json.loads(redactor.text(output[ENDED]))
        return WorkerOutput(ended, tuple(output[REPORTS]))

    def keep(self, session: Session) -> None:
        """Keep what this process saw."""
        self._own.append(session.evidence)
        self._traffic.append(session.journal.traffic.as_dict())

    def evidence(self, redactor: Redactor) -> Evidence | None:
        """All that was seen; None where no scenario was begun."""
        if len(self._own) == 1 and not self._told:
            return self._own[0] if self._own[0].scenarios else None
        parts = [own.as_dict() for own in self._own] + [json.loads(redactor.text(told)) for told in self._told]
        return Evidence.merged(parts) if any(part["scenarios"] for part in parts) else None

    @property
    def traffic(self) -> dict[str, int]:
        """All that was sent, counted."""
        return {name: sum(part[name] for part in self._traffic) for name in self._traffic[0]}


def hand_over(
    config: pytest.Config,
    session: Session | None,
    ended: Mapping[str, Any],
    reports: Iterable[tuple[int, pytest.TestReport]],
) -> None:
    """Leave what this worker saw for the process that leads it: nothing where it opened no `session`. `reports` are of scenarios
    whose turn is over, each with the scenario's number."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
    output[ENDED] = json.dumps(ended)
    output[REPORTS] = [_serialized(config, number, report) for number, report in reports]
    if session is not None:
        output[EVIDENCE] = json.dumps(session.evidence.as_dict())
        output[TRAFFIC] = session.journal.traffic.as_dict()
        output[SECRETS] = session.redactor.known


def _serialized(config: pytest.Config, number: int, report: pytest.TestReport) -> dict[str, Any]:
    """The report as pytest-xdist sends it."""
    data: dict[str, Any] = config.hook.pytest_report_to_serializable(config=config, report=report)
    told: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
    return {**data, "item_index": number, "worker_id": told["workerid"], "testrun_uid": told["testrunuid"]}
