"""Somebody sets the time of day while a run lasts: what it took is told as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conformance.report.files import Reports
from conformance.run.options import Task
from conformance.run.outcome import Ending
from conformance.run.session import Options
from conformance.target.shared.uptime import since_boot
from conformance.target.wire.journal import Traffic
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence

TOOK = timedelta(minutes=5)


@pytest.mark.parametrize("set_by", [0, 600, -600, 7200, -7200], ids=lambda seconds: f"by {seconds} s")
def test_a_run_takes_as_long_as_it_took(tmp_path: Path, set_by: int) -> None:
    """A page and JUnit told of -593 s."""
    now = datetime.now(UTC)
    began = now - TOOK - timedelta(seconds=set_by)
    ending = Ending(Task(options=Options(), reports=Reports(tmp_path)), began, since_boot() - TOOK.total_seconds())
    certificate = ending.certify(Evidence(), Traffic().as_dict(), Redactor())
    assert abs(certificate.finished_at - certificate.started_at - TOOK) < timedelta(seconds=5)
    assert abs(certificate.finished_at - now) < timedelta(seconds=60)
    assert (certificate.started_at == began) is (set_by == 0)
