"""The command `doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import sys

import click

from conformance.commandline.exit_codes import CANNOT_RUN
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said


@click.command(epilog="Exit codes: 0 endpoints can be certified here (something else may be missing), 3 they can't.")
def doctor() -> None:
    """Say what is missing on this machine, what it would be for, and how to get it. Sends nothing."""
    from conformance.escaping import line
    from conformance.run.machine import parts

    lacks = False
    for part in parts():
        lacks |= part.is_needed and not part.found
        mark = "✓" if part.found else "✗" if part.is_needed else "○"
        click.echo(line(f"{mark} {tr(part.name):16} {part.found or tr('missing: for {what}', what=tr(part.used_for))}"))
        if not part.found:
            click.echo(line(f"  {'':16} {said(part.remedy)}"))
    sys.exit(CANNOT_RUN if lacks else 0)
