"""The command `replay`: the findings of a certificate are tried again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.commandline.telling import say
from conformance.durations import Duration

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Exit codes: 0 fixed, 1 still there, 2 flaky or can't be tried, 3 could not run.")
@click.argument("certificate", type=FILE)
@click.argument("findings", nargs=-1, metavar="[FINDING]...")
@click.option("--target", type=FILE, help="Target file (TOML). Without one: the mock, in process.")
@click.option("--all", "everything", is_flag=True, help="Try all findings of the certificate (so without any FINDING).")
@click.option(
    "--tries",
    type=click.IntRange(min=1, max=100),
    default=5,
    show_default=True,
    help="How often a finding is tried until it counts as fixed.",
)
@click.option(
    "--defect", "defects", multiple=True, metavar="NAME", help="Give the mock in process this defect (repeatable)."
)
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="Let the mock in process be this variant (repeatable)."
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["pytest", "bruno"]),
    help="Send nothing: write each finding as a test, or as a Bruno collection, of its own.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where --as writes (default: here).",
)
@click.option("--patient", is_flag=True, help="Wait for what takes time: updates that show within 30 minutes.")
@click.option("--max-wait", type=Duration(), help="Give up rather than wait longer for anything: 90s, 10m, 1h.")
@click.option(
    "--allow-production",
    metavar="[HOST]",
    is_flag=False,
    flag_value="",
    help="Let the target be the production one on HOST.",
)
def replay(
    certificate: Path,
    findings: tuple[str, ...],
    target: Path | None,
    everything: bool,  # noqa: FBT001
    tries: int,
    defects: tuple[str, ...],
    variants: tuple[str, ...],
    form: str | None,
    out: Path,
    patient: bool,  # noqa: FBT001
    max_wait: float | None,
    allow_production: str | None,
) -> None:
    """Try findings of a CERTIFICATE again, each by its id or by its rule's: still there, fixed, or flaky.

    What showed it is sent anew, with new codes, free periods and the ids that the server gives now, within budget and ledger.
    """
    from conformance.commandline.asking import asker
    from conformance.errors import CannotRun
    from conformance.replay.replaying import run_replay, shown
    from conformance.run.production import named_host
    from conformance.run.session import Options

    if everything and findings:
        raise CannotRun("--all tries every finding; leave it out, or name none")
    if form is not None:
        from conformance.replay.written import write_findings

        sys.exit(write_findings(certificate, findings, form, out, tell=say))
    options = Options(
        target_file=target,
        defects=defects,
        variants=variants,
        production_host=named_host(target, allow_production, asker()),
        patient=patient,
        max_wait=max_wait,
    )
    sys.exit(run_replay(certificate, findings, options, tries=tries, say=shown))
