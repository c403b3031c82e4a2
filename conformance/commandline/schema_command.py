"""`koncili-conformance schema`: the JSON Schema of a file, for editors and for whoever checks one without this suite."""

from __future__ import annotations

import click

NAMES = ("target", "waivers", "scenario", "certificate")


@click.command(
    epilog="In an editor: save it as koncili-target.schema.json, and begin the file with `#:schema ./koncili-target.schema.json`."
)
@click.argument("name", type=click.Choice(NAMES))
def schema(name: str) -> None:
    """Print the JSON Schema of a target file, of waivers, of a scenario of the mock, or of a certificate."""
    from conformance.commandline.schemas import schema_text

    click.echo(schema_text(name), nl=False)
