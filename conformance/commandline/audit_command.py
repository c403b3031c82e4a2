"""What the command `audit` takes and tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from conformance.audit.run import Work, by_cluster, by_workers, in_one_process
from conformance.contract.readings import resolve
from conformance.errors import CannotRun
from conformance.report.lines import Line
from conformance.report.screen import styled
from conformance.traffic.remote import Remote, matching


def chosen_readings(given: Iterable[str]) -> dict[str, str]:
    """The readings of `--reading ID=VALUE`. Raises CannotRun for one that there is not."""
    chosen = {}
    for text in given:
        reading, equals, value = text.partition("=")
        if not equals:
            raise CannotRun(f"--reading {text}: write it as ID=VALUE, such as extract-types=portal")
        chosen[reading] = value
    try:
        resolve(chosen)
    except ValueError as error:
        raise CannotRun(f"--reading: {error}") from None
    return chosen


def recordings(named: Iterable[str]) -> list[Path | Remote]:
    """What the words of a command line name: files, and URLs, with `*` for any part of a name. Raises CannotRun."""
    return [one for word in named for one in (matching(word) if "://" in word else [Path(word)])]


def working(workers: int, dask: str | None) -> Work:
    """Who works: this process, so many of them, or a Dask cluster. Raises CannotRun where two are asked for."""
    if dask is not None and workers > 1:
        raise CannotRun("--workers and --dask: give one of them; a Dask cluster has workers of its own")
    if dask is not None:
        return by_cluster(dask)
    return by_workers(workers) if workers > 1 else in_one_process


def shown(line: Line) -> None:
    """Print a line, in its colour on a terminal."""
    click.echo(styled(line, lively=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
