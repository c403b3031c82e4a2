"""`koncili-conformance mock`: its options, and how it ends."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commandline import completion
from conformance.commandline.exit_codes import CANNOT_RUN
from conformance.commandline.telling import complain

if TYPE_CHECKING:
    from conformance.mock.quirks import Quirk

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog="Exit codes: 0 it was ended, 3 could not run. With --certify-client: 0 exactly once, 1 not, 2 undecided."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen at; beyond loopback others command it."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free one.")
@click.option(
    "--defect", "defects", metavar="NAME", multiple=True, help="Do this one thing wrong (repeatable).",
    shell_complete=completion.defects,
)  # fmt: skip
@click.option(
    "--variant",
    "variants",
    metavar="NAME",
    multiple=True,
    help="Do what the documents allow in this other way (repeatable).",
    shell_complete=completion.variants,
)
@click.option("--limits", is_flag=True, help="Hold clients to the documented rates and the blacklist from the start.")
@click.option(
    "--scenario", type=FILE, help="Variants, defects and limits from this file, and faults for clients (TOML)."
)
@click.option("--like", type=FILE, help="Answer as the endpoint of this certificate was seen to.")
@click.option("--target-file", type=FILE, help="Also write a target file for this mock.")
@click.option("--ready-file", type=FILE, help="Write the base URL here once it listens; removed at the end.")
@click.option(
    "--state", type=FILE, help="Begin with the state in this file, where it is there, and leave it there at the end."
)
@click.option("--tls-certificate", type=FILE, help="Speak https, with this certificate (PEM).")
@click.option("--tls-key", type=FILE, help="Its key (PEM), where that is a file of its own.")
@click.option("--record", type=FILE, help="Also write down every call and its answer, as `audit` reads it.")
@click.option(
    "--log-format",
    type=click.Choice(["human", "json", "none"]),
    help="Print each call with what was wrong with it (default: human on a terminal, else none).",
)
@click.option(
    "--certify-client",
    is_flag=True,
    help="Let answers on POST /order and /release be lost, cut, wrong and late, and judge at the end: was each order paid once?",
)
@click.option("--list", "list_", is_flag=True, help="Name the defects and variants, and serve nothing.")
def mock(
    host: str,
    port: int,
    defects: tuple[str, ...],
    variants: tuple[str, ...],
    limits: bool,  # noqa: FBT001
    scenario: Path | None,
    like: Path | None,
    target_file: Path | None,
    ready_file: Path | None,
    state: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    record: Path | None,
    log_format: str | None,
    certify_client: bool,  # noqa: FBT001
    list_: bool,  # noqa: FBT001
) -> None:
    """Serve the mock on a socket of this machine."""
    from conformance.errors import CannotRun
    from conformance.mock.serve import Settings, list_quirks, serve

    if list_:
        click.echo(list_quirks())
        return
    try:
        with ExitStack() as closing:
            recorder = None
            if record:
                from conformance.commandline.recording import recorder_of

                recorder = closing.enter_context(recorder_of(record))
            quirks: tuple[Quirk, ...] = ()
            if like:
                from conformance.commandline.likeness import quirks_like

                quirks, left = quirks_like(like)
                for problem in left:
                    complain(problem)
            code = serve(
                Settings(
                    host=host,
                    port=port,
                    defects=defects,
                    variants=variants,
                    limits=limits,
                    scenario=scenario,
                    like=quirks,
                    certificate=tls_certificate,
                    key=tls_key,
                    target_file=target_file,
                    ready_file=ready_file,
                    state_file=state,
                    certify_client=certify_client,
                    log_format=log_format or ("human" if sys.stdout.isatty() else "none"),
                    witness=recorder.call if recorder else None,
                    overhears=recorder.notification if recorder else None,
                )
            )
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    sys.exit(code)
