"""Runs the command line as a user does, in a process of its own, and reads back what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.suite.support import forked

COMMAND = Path(sys.executable).parent / "koncili-conformance"

PATIENCE_SECONDS: Final = 300


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

    @property
    def by_rule(self) -> dict[str, str]:
        """The verdict on each rule."""
        return {entry["id"]: entry["verdict"] for entry in self.certificate["rules"]}

    def entry(self, rule: str) -> dict[str, Any]:
        """What the certificate says of a rule."""
        (entry,) = [entry for entry in self.certificate["rules"] if entry["id"] == rule]
        return dict(entry)


def certify(reports: Path, *arguments: str, html: bool = False, **environment: str) -> Run:
    """`koncili-conformance certify` with those arguments, its results in `reports`."""
    options = _results(reports, html=html)
    return run("certify", *options, *arguments, reports=reports, state=reports.parent / "state", **environment)


def run(*arguments: str, reports: Path, state: Path, **environment: str) -> Run:
    """`koncili-conformance` with those arguments, to its end; forked from a process in which it is loaded, where that can be."""
    variables = {**without_ci(), **kept_in(state), **environment}
    if not forked.can_be_forked(variables):
        return ended(command(*arguments, state=state, **environment), reports)
    done = forked.run(*arguments, environment=variables, patience=PATIENCE_SECONDS)
    return Run(done.returncode, done.stdout, done.stderr, reports)


def start(reports: Path, *arguments: str, html: bool = False, **environment: str) -> subprocess.Popen[str]:
    """The same in a process that begins anew, going on: in a session of its own, so that all its processes can be killed."""
    return command("certify", *_results(reports, html=html), *arguments, state=reports.parent / "state", **environment)


def _results(reports: Path, *, html: bool) -> list[str]:
    return ["--reports", str(reports), *([] if html else ["--no-html"])]


def command(*arguments: str, state: Path, program: str | None = None, **environment: str) -> subprocess.Popen[str]:
    """`koncili-conformance` with those arguments, going on; or a `program` in Python in its place."""
    return subprocess.Popen(
        [str(COMMAND), *arguments] if program is None else [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Budgets of client errors belong to the test, not to whoever runs it; what is told to a CI system too.
        env={**without_ci(), **kept_in(state), **environment},
    )


def kept_in(state: Path) -> dict[str, str]:
    """The variables by which a command keeps what runs share in places of its own: there, and beside it what belongs into the
    user's cache directory."""
    return {"XDG_STATE_HOME": str(state), "XDG_CACHE_HOME": f"{state}-cache"}


def without_ci() -> dict[str, str]:
    """The environment without what GitHub sets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}


def ended(process: subprocess.Popen[str], reports: Path, patience: float = PATIENCE_SECONDS) -> Run:
    """Wait for the end of a command that was started."""
    with process:
        try:
            output, errors = process.communicate(timeout=patience)
        except BaseException:
            kill(process)
            raise
    return Run(process.returncode, output, errors, reports)


def kill(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Send a signal to the command and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
