"""Durations as people write them on a command line: 90, 90s, 10m, 2h, 7d."""

from __future__ import annotations

import re
from typing import Final

import click

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[float]):
    """A duration in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; fails for what is no duration."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is no duration such as 90s, 10m, 2h or 7d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]
