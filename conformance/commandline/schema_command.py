"""`koncili-conformance schema`: the JSON Schema of a file, for editors and for whoever checks one without this suite."""

from __future__ import annotations

import click

NAMES = ("target", "waivers", "scenario", "certificate", "openapi", "openapi-without-webhooks")


@click.command(
    epilog="In an editor: save it as koncili-target.schema.json, and begin the file with `#:schema ./koncili-target.schema.json`."
)
@click.argument("name", type=click.Choice(NAMES))
def schema(name: str) -> None:
    """Print the JSON Schema of a target file, of waivers, of a scenario of the mock, or of a certificate; or Koncili's API as an
    OpenAPI document, for generators of clients that know no webhooks without these."""
    if name.startswith("openapi"):
        import json

        from conformance.contract import openapi

        document = openapi.load() if name == "openapi" else openapi.without_webhooks()
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from conformance.commandline.schemas import schema_text

    click.echo(schema_text(name), nl=False)
