"""Runs the command line as a user does, in a process of its own, and reads back what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "koncili-conformance"


@dataclass(frozen=True)
class Run:
    """How a run ended, and its certificate where it left one."""

    code: int
    output: str
    errors: str
    reports: Path

    @property
    def certificate(self) -> dict[str, Any]:
        """The certificate, parsed."""
        document: dict[str, Any] = json.loads((self.reports / "certificate.json").read_text(encoding="utf-8"))
        return document

    def verdicts(self, *wanted: str) -> set[str]:
        """The ids of the rules that have one of those verdicts."""
        return {entry["id"] for entry in self.certificate["rules"] if entry["verdict"] in wanted}

    def entry(self, rule: str) -> dict[str, Any]:
        """What the certificate says of a rule."""
        (entry,) = [entry for entry in self.certificate["rules"] if entry["id"] == rule]
        return dict(entry)


def certify(reports: Path, *arguments: str, html: bool = False, **environment: str) -> Run:
    """`koncili-conformance certify` with those arguments, its results in `reports`."""
    options = ["--reports", str(reports), *([] if html else ["--no-html"])]
    done = subprocess.run(
        [str(COMMAND), "certify", *options, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        # Budgets of client errors belong to the test, not to whoever runs it.
        env={**os.environ, "XDG_STATE_HOME": str(reports.parent / "state"), **environment},
    )
    return Run(done.returncode, done.stdout, done.stderr, reports)
