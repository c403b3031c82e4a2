"""`koncili-conformance install-allure`: what the Allure report is made with, which is no Python package."""

from __future__ import annotations

import sys

import click

from conformance.commandline.exit_codes import CANNOT_RUN
from conformance.commandline.telling import complain


@click.command("install-allure", epilog="Exit codes: 0 it is there, 3 it could not be installed.")
def install_allure() -> None:
    """Fetch the Allure command line, pinned, into this environment, by npm. Everything else works without it."""
    from conformance.report.allure_install import install
    from conformance.report.html import HtmlUnavailable, tool_directory

    try:
        click.echo(install(tool_directory()))
    except (HtmlUnavailable, OSError) as error:
        complain(f"no HTML report will be made: {error}")
        sys.exit(CANNOT_RUN)
