"""Asks the user on the terminal, where there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def asker() -> Callable[[str], str] | None:
    """What asks the user, if there is a terminal to ask on."""
    if not has_terminal():
        return None
    return lambda question: str(click.prompt(question, default="", show_default=False))
