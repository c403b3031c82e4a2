"""What we use of click although it promises none of it: its own words go through gettext's default catalogue, which no library
can fill without asking the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.types

_MODULES: Final = (click.core, click.decorators, click.exceptions, click.formatting, click.types)

_GETTEXT: Final = "_"
"""The name under which each of them has gettext."""

WORDS: Final = (
    "Usage:",
    "Options",
    "Commands",
    "Positional arguments",
    "Show this message and exit.",
    "default: {default}",
    "Aborted!",
    "Error: {message}",
    "Try '{command} {option}' for help.",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing command.",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "No such option {name!r}.",
    "No such command {name!r}.",
    "Option {name!r} does not take a value.",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is not readable.",
    "file",
    "directory",
    "path",
)
"""Those of its messages that users of ours meet."""


@contextmanager
def words_by(translate: Callable[[str], str]) -> Iterator[None]:
    """Have click's words go through that, until the block ends."""
    with ExitStack() as changed:
        for module in _MODULES:
            if hasattr(module, _GETTEXT):
                changed.callback(setattr, module, _GETTEXT, getattr(module, _GETTEXT))
                setattr(module, _GETTEXT, translate)
        yield


def forget_help_option(command: click.Command) -> None:
    """Have click make the option --help of a command anew: it keeps it, with its words."""
    if hasattr(command, "_help_option"):
        command._help_option = None
