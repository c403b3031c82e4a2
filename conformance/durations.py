"""Durations as people write them on a command line: 90, 90s, 10m, 2h, 7d."""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

import click

from conformance.i18n.sentences import said

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> float:
    """The seconds of a duration. Raises ValueError for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip().lower(), re.ASCII)
    seconds = float(found[1]) * _UNITS[found[2]] if found else float("nan")
    if not isfinite(seconds):
        raise ValueError(f"{text!r} is no duration such as 90s, 10m, 2h or 7d")
    return seconds


class Duration(click.ParamType[float]):
    """A duration in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; fails for what is no duration."""
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(said(str(error)), param, ctx)
