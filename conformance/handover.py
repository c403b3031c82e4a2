"""What the processes of a run hand over to the one that certifies: what was seen, the traffic, and the secrets that they met."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from conformance.session import Session
from conformance.target.redaction import Redactor
from conformance.verdict.evidence import Evidence

EVIDENCE: Final = "koncili_evidence"
TRAFFIC: Final = "koncili_traffic"
SECRETS: Final = "koncili_secrets"


@dataclass(slots=True)
class Handover:
    """The parts of a run: this process's own, or those of its workers. (pytest-xdist)"""

    _parts: list[dict[str, Any]] = field(default_factory=list)
    _told: list[str] = field(default_factory=list)
    """The evidence of workers, read when the secrets of all are known: a server may tell one those of another."""
    _traffic: list[dict[str, int]] = field(default_factory=list)

    def take(self, worker: object, redactor: Redactor) -> bool:
        """Take what a worker saw; False where it left nothing."""
        output: dict[str, Any] = getattr(worker, "workeroutput", {})
        if EVIDENCE not in output:
            return False
        if output[EVIDENCE] in self._told:  # xdist tells twice of a worker that was interrupted
            return True
        redactor.learn_all(output[SECRETS])
        self._told.append(output[EVIDENCE])
        self._traffic.append(output[TRAFFIC])
        return True

    def keep(self, session: Session) -> None:
        """Keep what this process saw."""
        self._parts.append(session.evidence.as_dict())
        self._traffic.append(session.journal.traffic.as_dict())

    def evidence(self, redactor: Redactor) -> Evidence | None:
        """All that was seen; None where no scenario was begun."""
        parts = self._parts + [json.loads(redactor.text(told)) for told in self._told]
        return Evidence.merged(parts) if any(part["scenarios"] for part in parts) else None

    @property
    def traffic(self) -> dict[str, int]:
        """All that was sent, counted."""
        return {name: sum(part[name] for part in self._traffic) for name in self._traffic[0]}


def hand_over(config: pytest.Config, session: Session) -> None:
    """Leave what this worker saw for the process that leads it."""
    config.workeroutput.update(  # type: ignore[attr-defined]
        {
            EVIDENCE: json.dumps(session.evidence.as_dict()),
            TRAFFIC: session.journal.traffic.as_dict(),
            SECRETS: session.redactor.known,
        }
    )
