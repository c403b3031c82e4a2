"""The command line in processes that are forked when everything is loaded: to load it takes most commands longer than what a test
asks of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOADED: Final = ["tests.suite.support.loaded"]
"""What the process has loaded from which all others are forked."""

_forks: Final = multiprocessing.get_context("forkserver")


def _of_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


_BEGUN_WITH: Final = _of_python(os.environ)


def can_be_forked(environment: Mapping[str, str]) -> bool:
    """Not where Python itself is to begin in another way: it looks at its variables only once."""
    return _of_python(environment) == _BEGUN_WITH


@dataclass(frozen=True)
class _Task:
    """A call of the command line."""

    arguments: tuple[str, ...]
    output: Path
    errors: Path
    environment: Mapping[str, str]
    cwd: Path | None
    first: Callable[[], None] | None


def run(
    *arguments: str,
    environment: Mapping[str, str],
    patience: float,
    cwd: Path | None = None,
    first: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`koncili-conformance` with those arguments, in the environment as it is given, to its end. `first` is called in its process
    before it. Raises subprocess.TimeoutExpired after `patience` seconds, when it and all that it has started is killed."""
    _forks.set_forkserver_preload(LOADED)
    with tempfile.TemporaryDirectory() as directory:
        output, errors = Path(directory) / "output", Path(directory) / "errors"
        output.touch()
        errors.touch()
        task = _Task(arguments, output, errors, environment, cwd, first)
        process = _forks.Process(target=_carry_out, args=(task,))
        process.start()
        try:
            process.join(patience)
        finally:
            if process.exitcode is None:
                _kill(process.pid)
                process.join()
                raise subprocess.TimeoutExpired(arguments, patience, output.read_bytes(), errors.read_bytes())
        return subprocess.CompletedProcess(
            arguments, process.exitcode, output.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8")
        )


def _kill(session: int | None) -> None:
    with suppress(ProcessLookupError):
        os.killpg(session or 0, signal.SIGKILL)


def _carry_out(task: _Task) -> None:
    """In the forked process: be the command line."""
    os.setsid()
    for number, path in ((1, task.output), (2, task.errors)):
        opened = os.open(path, os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    os.environ.clear()
    os.environ.update(task.environment)
    tempfile.tempdir = None
    if task.cwd is not None:
        os.chdir(task.cwd)
    sys.argv = ["koncili-conformance", *task.arguments]

    from conformance.commandline.entry import main

    if task.first is not None:
        task.first()
    main()
