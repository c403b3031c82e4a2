"""Asks the user on the terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click


def asker() -> Callable[[str], str] | None:
    """What asks the user, if there is a terminal to ask on."""
    if not sys.stdin.isatty():
        return None
    return lambda question: str(click.prompt(question, default="", show_default=False))
