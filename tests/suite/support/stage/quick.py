"""The command line in processes that are forked when everything is loaded, and in which no wait takes long: a run with
faults on its way would else wait for minutes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, SupportsFloat, SupportsIndex

from tests.suite.support.command_runs import Run, kept_in

LOADED: Final = [
    "conformance.cli",
    "conformance.run.launch",
    "tests.certification.conftest",
    "conformance.engine.schema_layer",
]
"""What the process has loaded from which all others are forked."""

ENDS_WITHIN_SECONDS: Final = 400
NAP_SECONDS: Final = 0.001
"""How long any wait is at most."""

PATIENT: Final = 20.0

_real_sleep: Final = time.sleep
_forks: Final = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Task:
    """A call of the command line."""

    arguments: tuple[str, ...]
    output: Path
    errors: Path
    environment: Mapping[str, str]
    patience: float
    """Seconds that the client waits for an answer."""


def command(directory: Path, *arguments: str, patience: float = PATIENT, **environment: str) -> Run:
    """`koncili-conformance` with those arguments; what it says is left in `directory`, and its state is kept there."""
    task = Task(
        arguments,
        directory / "output.txt",
        directory / "errors.txt",
        {**kept_in(directory / "state"), **environment},
        patience,
    )
    _forks.set_forkserver_preload(LOADED)
    process = _forks.Process(target=_carry_out, args=(task,))
    process.start()
    process.join(ENDS_WITHIN_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"it does not end: {task.output.read_text(encoding='utf-8')}")
    output, errors = (path.read_text(encoding="utf-8") for path in (task.output, task.errors))
    return Run(process.exitcode, output, errors, directory / "reports")


def certify(directory: Path, *arguments: str, patience: float = PATIENT, **environment: str) -> Run:
    """`koncili-conformance certify` with those arguments, its results in `directory`."""
    options = ("certify", "--reports", str(directory / "reports"), "--no-html")
    return command(directory, *options, *arguments, patience=patience, **environment)


def _nap(seconds: SupportsIndex | SupportsFloat) -> None:
    _real_sleep(min(float(seconds), NAP_SECONDS))


def _carry_out(task: Task) -> None:
    """In the forked process: be the command line."""
    for number, path in ((1, task.output), (2, task.errors)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    os.environ.update(task.environment)
    sys.argv = ["koncili-conformance", *task.arguments]

    from conformance.cli import main
    from conformance.target.wire.http import network

    time.sleep = _nap
    network.READ_SECONDS, network.ANSWER_SECONDS = task.patience, 1.5 * task.patience
    main()
