"""What the command `audit` takes and tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from conformance.contract.readings import resolve
from conformance.errors import CannotRun
from conformance.report.lines import Line
from conformance.report.screen import styled


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


def shown(line: Line) -> None:
    """Print a line, in its colour on a terminal."""
    click.echo(styled(line, lively=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
