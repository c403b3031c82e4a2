"""The command line in processes in which no wait takes long: a run with faults on its way would else wait for minutes. It makes
no pages and no results for Allure, a fifth of its time: what is asked of such a run stands in its certificate and its words."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Final, SupportsFloat, SupportsIndex

from tests.suite.support import forked
from tests.suite.support.command_runs import Run, kept_in, without_ci

ENDS_WITHIN_SECONDS: Final = 400
NAP_SECONDS: Final = 0.001
"""How long any wait is at most."""

PATIENT: Final = 20.0

_real_sleep: Final = time.sleep


def command(directory: Path, *arguments: str, patience: float = PATIENT, **environment: str) -> Run:
    """`koncili-conformance` with those arguments; its state is kept in `directory`. The client waits `patience` seconds for an
    answer."""
    done = forked.run(
        *arguments,
        environment={**without_ci(), **kept_in(directory / "state"), **environment},
        patience=ENDS_WITHIN_SECONDS,
        first=partial(_be_quick, patience),
    )
    return Run(done.returncode, done.stdout, done.stderr, directory / "reports")


def certify(directory: Path, *arguments: str, patience: float = PATIENT, **environment: str) -> Run:
    """`koncili-conformance certify` with those arguments, its results in `directory`."""
    options = ("certify", "--reports", str(directory / "reports"), "--no-html")
    return command(directory, *options, *arguments, patience=patience, **environment)


def _nap(seconds: SupportsIndex | SupportsFloat) -> None:
    _real_sleep(min(float(seconds), NAP_SECONDS))


def _leave_nothing(*_: object, **__: object) -> None:
    """What nobody looks at."""


def _be_quick(patience: float) -> None:
    from conformance.run.outcome import Ending
    from conformance.target.wire.http import network

    Ending.make_pages = Ending.finish_results = _leave_nothing  # type: ignore[method-assign]
    time.sleep = _nap
    network.READ_SECONDS, network.ANSWER_SECONDS = patience, 1.5 * patience
