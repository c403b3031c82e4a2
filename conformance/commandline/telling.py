"""How the command line tells what was put in English words where nobody reads them: in the language spoken."""

from __future__ import annotations

import click

from conformance.i18n.sentences import said


def say(text: str) -> None:
    """Tell it on the standard output."""
    click.echo(said(text))


def complain(text: str) -> None:
    """Tell what went wrong, on the standard error stream."""
    click.echo(f"koncili-conformance: {said(text)}", err=True)
