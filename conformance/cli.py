"""The command line. Heavy things are imported when a command needs them, so that --help answers at once."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance import __version__
from conformance.commandline import completion
from conformance.commandline.asking import asker
from conformance.commandline.doctor_command import doctor
from conformance.commandline.exit_codes import CANNOT_RUN, INTERRUPTED, Rim
from conformance.commandline.explain_command import explain
from conformance.commandline.gate_command import gate
from conformance.commandline.init_command import init
from conformance.commandline.install_allure_command import install_allure
from conformance.commandline.mock_command import mock
from conformance.commandline.rejudge_command import rejudge
from conformance.commandline.replay_command import replay
from conformance.commandline.schema_command import schema
from conformance.commandline.telling import complain, say
from conformance.durations import Duration
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said

if TYPE_CHECKING:
    from conformance.planning.shards import Shard
    from conformance.report.waits import Waits

DOES_NOT_FIT = 2

FILE = click.Path(dir_okay=False, path_type=Path)
DIRECTORY = click.Path(file_okay=False, path_type=Path)

# click's own 2 would read as "partial" in a gate.
click.UsageError.exit_code = CANNOT_RUN

EXITS = "Exit codes: 0 conformant, 1 nonconformant, 2 partial or inconclusive, 3 could not run."


allow_production_option = click.option(
    "--allow-production",
    metavar="[HOST]",
    is_flag=False,
    flag_value="",
    help="Let the target be the production one on HOST.",
)


@click.group(cls=Rim, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="koncili-conformance")
def main() -> None:
    """Property-based conformance tests for Koncili's order, reconciliation and release API."""
    import os

    os.umask(0o077)  # what a command leaves is the user's alone: requests, answers, a target file


main.add_command(init)
main.add_command(doctor)
main.add_command(gate)
main.add_command(explain)
main.add_command(replay)
main.add_command(mock)
main.add_command(schema)
main.add_command(rejudge)
main.add_command(install_allure)


@main.command(epilog=EXITS)
@click.option("--target", type=FILE, help="Target file (TOML). Without one: the mock, in process.")
@click.option(
    "--profile", help="smoke, certification or deep.", default="certification", show_default=True,
    shell_complete=completion.profiles,
)  # fmt: skip
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="ID",
    help="Certify this rule only (repeatable).",
    shell_complete=completion.rules,
)
@click.option("--seed", type=int, help="Seed of the generated cases.")
@click.option(
    "--workers", type=click.IntRange(min=1),
    help="Processes to spread over. Without it: one; as many as there are processors for the deep profile in the suite's own "
    "mock.",
)  # fmt: skip
@click.option("--reports", type=DIRECTORY, default=Path("reports"), show_default=True, help="Where results are left.")
@click.option("--waivers", type=FILE, help="Failures that are known and accepted for a time (TOML).")
@click.option("--long-waivers", is_flag=True, help="Let waivers last longer than half a year from today.")
@click.option(
    "--contract", metavar="VERSION",
    help="Score the rules of that version of the contract (2026.11); what was added later is shown. Without it: the newest.",
)  # fmt: skip
@click.option(
    "--proof", type=FILE,
    help="The proof of this suite (`prove` writes it), told by the certificate. Without it: proof.json in --reports, if there.",
)  # fmt: skip
@click.option(
    "--defect",
    "defects",
    multiple=True,
    metavar="NAME",
    help="Give the mock in process this defect (repeatable).",
    shell_complete=completion.defects,
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Let the mock in process be this variant (repeatable).",
    shell_complete=completion.variants,
)
@click.option("--no-html", is_flag=True, help="Make no HTML report (it takes a second or two).")
@click.option("--patient", is_flag=True, help="Wait for what takes time: updates that show within 30 minutes.")
@click.option(
    "--max-wait",
    type=Duration(),
    help="End, inconclusive, rather than wait longer for anything: 90s, 10m, 1h.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Wait for the budget also when a required rule has failed, to decide every other.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="Try every kind of fault that the runs of the last day have left, over as many hours of the budget as that takes.",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Do the I-th of N parts only, as each of N jobs does; `merge` makes one certificate of them.",
)
@click.option(
    "--compare",
    type=click.Choice(["mock"]),
    help="Then send the same drawn calls to the mock, and tell by rule in what it answers otherwise.",
)
@allow_production_option
@click.option(
    "--dry-run", is_flag=True, help="Print what the run will spend, and send nothing. Exit code 2: it does not fit."
)
@click.option("-v", "--verbose", "loudness", flag_value="VERBOSE", help="Name each scenario when it is over.")
@click.option("-q", "--quiet", "loudness", flag_value="QUIET", help="Print the verdict and the failing rules, no more.")
def certify(
    target: Path | None,
    profile: str,
    rules: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    reports: Path,
    waivers: Path | None,
    long_waivers: bool,  # noqa: FBT001
    contract: str | None,
    proof: Path | None,
    defects: tuple[str, ...],
    variants: tuple[str, ...],
    loudness: str | None,
    no_html: bool,  # noqa: FBT001
    patient: bool,  # noqa: FBT001
    max_wait: float | None,
    keep_going: bool,  # noqa: FBT001
    complete: bool,  # noqa: FBT001
    shard: str | None,
    compare: str | None,
    allow_production: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Certify a target against every documented rule, and leave a certificate and reports."""
    from conformance.errors import CannotRun
    from conformance.planning.show import full, refusal, short, warnings
    from conformance.report.files import Reports
    from conformance.report.screen import Loudness
    from conformance.run.launch import check_worth_it, plan_run, preflight, run_certification
    from conformance.run.production import named_host
    from conformance.run.session import Options
    from conformance.run.spreading import workers_of

    loud, place = Loudness[loudness or "NORMAL"], Reports(reports)
    try:
        if not dry_run:
            place.claim()  # at once: nobody is to take the last run's certificate for this one's
        options = Options(
            target_file=target,
            profile=profile,
            seed=seed,
            defects=defects,
            variants=variants,
            production_host=named_host(target, allow_production, asker()),
            patient=patient,
            max_wait=max_wait,
            keep_going=keep_going,
            complete=complete,
            long_waivers=long_waivers,
            contract=contract,
            proof=proof,
            shard=_shard(shard),
        )
        rules = tuple(rule.upper() for rule in rules)
        workers = workers or workers_of(options, all_rules=not rules)
        options = replace(options, alone=workers == 1)
        plan, planned = plan_run(options, rules, waivers)
        if dry_run:
            click.echo("\n".join(full(plan, planned)))
            if why := refusal(plan, max_wait):
                click.echo(why.splitlines()[0])
            sys.exit(0 if plan.fits and plan.rules else DOES_NOT_FIT)
        check_worth_it(plan, max_wait)
        if loud is not Loudness.QUIET:
            for line in [*(short(plan, planned) if plan.is_limited else ()), *warnings(plan)]:
                say(line)
        for note in preflight(options, _waits().tell):
            complain(note)
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    except KeyboardInterrupt:  # click's own 1 would read as "nonconformant"
        complain("interrupted before anything was certified")
        sys.exit(INTERRUPTED)
    code = run_certification(
        options,
        rules=rules,
        reports=place,
        waivers=waivers,
        workers=workers,
        loudness=loud,
        html=not no_html,
        plan=plan,
    )
    if compare is not None and code != CANNOT_RUN:
        _compare(reports, rules)
    sys.exit(code)


def _compare(reports: Path, rules: tuple[str, ...]) -> None:
    """Tell in what the mock differs from what the certificate there is of; the exit code is the certification's."""
    from conformance.commandline.compare import compare_with_mock
    from conformance.errors import CannotRun

    try:
        for line in compare_with_mock(reports, rules):
            click.echo(line)
    except CannotRun as error:
        complain(f"not compared with the mock: {error}")


def _shard(given: str | None) -> Shard | None:
    """The shard that the option names. Raises click's own error where it names none."""
    from conformance.planning.shards import shard_of

    try:
        return None if given is None else shard_of(given)
    except ValueError as error:
        raise click.BadParameter(said(str(error)), param_hint="--shard") from None


def _waits() -> Waits:
    from conformance.report.waits import Waits

    return Waits(lambda text: click.echo(text, nl=False), sys.stdout.isatty())


@main.command(epilog="Exit codes: 0 nothing is left that can be removed, 2 something is, 3 could not run.")
@click.option("--target", type=FILE, required=True, help="Target file (TOML).")
@click.option("--max-wait", type=Duration(), help="Give up rather than wait longer: 90s, 10m, 1h.")
@allow_production_option
def cleanup(target: Path, max_wait: float | None, allow_production: str | None) -> None:
    """Finish what killed runs have left: complete their reconciliations, delete their orders."""
    from conformance.errors import CannotRun
    from conformance.run.cleanup import clean_up
    from conformance.run.production import named_host
    from conformance.run.session import Options

    try:
        host = named_host(target, allow_production, asker())
        options = Options(target_file=target, production_host=host, max_wait=max_wait)
        code = clean_up(options, say, _waits().tell)
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    except KeyboardInterrupt:
        complain("interrupted; run cleanup again")
        sys.exit(INTERRUPTED)
    sys.exit(code)


@main.command()
@click.option("--reports", type=DIRECTORY, default=Path("reports"), show_default=True, help="Where the last run's are.")
def report(reports: Path) -> None:
    """Make the page and the Allure report anew from the certificate and the results that a run left."""
    from conformance.errors import CannotRun
    from conformance.report.files import ALLURE_RESULTS, CERTIFICATE, HTML, Reports
    from conformance.report.html import HtmlUnavailable, tool_directory, write_html
    from conformance.report.page.render import page_again

    results, problems = reports / ALLURE_RESULTS, []
    if not results.is_dir():
        problems.append(f"{results}: no results there; run `koncili-conformance certify` first")
    else:
        try:
            tool_dir = tool_directory()
            page = write_html(results, reports / HTML, title="Koncili conformance", tool_dir=tool_dir)
            click.echo(tr("report: {path}", path=page))
        except HtmlUnavailable as error:
            problems.append(str(error))
    if (reports / CERTIFICATE).is_file():
        try:
            click.echo(tr("page: {path}", path=page_again(Reports(reports))))
        except CannotRun as error:
            problems.append(str(error))
    for problem in problems:
        complain(problem)
    if problems:
        sys.exit(CANNOT_RUN)


@main.command(epilog=EXITS)
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", type=DIRECTORY)
@click.option("--reports", type=DIRECTORY, default=Path("reports"), show_default=True, help="Where the whole is left.")
@click.option("--no-html", is_flag=True, help="Make no HTML report (it takes a second or two).")
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict and the failing rules, no more.")
def merge(
    directories: tuple[Path, ...],
    reports: Path,
    no_html: bool,  # noqa: FBT001
    quiet: bool,  # noqa: FBT001
) -> None:
    """Make one certificate of what the jobs of `certify --shard` have left; what a missing one was to do is inconclusive."""
    from conformance.errors import CannotRun
    from conformance.report.files import Reports
    from conformance.report.lines import Line
    from conformance.report.screen import own_stream, tell
    from conformance.run.merging import merge as merged

    place = Reports(reports)
    try:
        ending = merged(directories, place, html=not no_html)
        tell([*ending.told(quiet=quiet), *([] if quiet else map(Line, ending.places))], own_stream())
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    finally:
        place.release()
    sys.exit(ending.exit_code)


@main.command(epilog="Exit codes: 0 both ratios are whole, 1 they are not, 2 not all was run, 3 could not run.")
@click.option(
    "--only",
    metavar="PART",
    multiple=True,
    help="Only defects and variants whose name contains this (repeatable; the proof is then partial).",
)
@click.option(
    "--profile", help="smoke, certification or deep.", default="certification", show_default=True,
    shell_complete=completion.profiles,
)  # fmt: skip
@click.option("--seed", type=int, help="Seed of the generated cases.")
@click.option("--whole", is_flag=True, help="Run every defect to its end, to see all rules that it gets blamed.")
@click.option(
    "--together",
    is_flag=True,
    help="Let variants that have nothing to do with each other share mocks; less than half the time.",
)
@click.option("--shard", metavar="I/N", help="Prove the I-th of N parts only; the proof is then partial.")
@click.option("--jobs", type=click.IntRange(min=1), help="Mocks at a time (default: as many as there are cores).")
@click.option("--reports", type=DIRECTORY, default=Path("reports"), show_default=True, help="Where results are left.")
@click.option("--no-html", is_flag=True, help="Make no HTML report.")
def prove(
    only: tuple[str, ...],
    profile: str,
    seed: int | None,
    whole: bool,  # noqa: FBT001
    together: bool,  # noqa: FBT001
    shard: str | None,
    jobs: int | None,
    reports: Path,
    no_html: bool,  # noqa: FBT001
) -> None:
    """Prove the suite: it must catch every defect of the mock and blame it rightly, and pass every variant."""
    import os

    from conformance.errors import CannotRun
    from conformance.proof.prover import Plan, chosen
    from conformance.proof.proving import run_proof
    from conformance.run.session import Options, chosen_profile

    try:
        chosen_profile(Options(profile=profile))
        part = _shard(shard)
        plan = Plan(
            profile=profile, seed=seed, jobs=jobs or os.cpu_count() or 1, whole=whole, mocks=chosen(*only, shard=part),
            together=together,
        )  # fmt: skip
        selected = ", ".join([*only, *([f"shard {part}"] if part else [])]) or None
        code = run_proof(plan, selected=selected, reports=reports, html=not no_html, tell=say)
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    sys.exit(code)


@main.command(epilog=EXITS)
@click.argument("traffic", nargs=-1, required=True, type=str)
@click.option("--reports", type=DIRECTORY, default=Path("reports"), show_default=True, help="Where results are left.")
@click.option("--base-url", metavar="URL", help="Where Koncili is, in the recording: calls elsewhere are left out.")
@click.option(
    "--reading",
    "readings",
    multiple=True,
    metavar="ID=VALUE",
    help="A reading that the endpoint is known to follow (repeatable); see `koncili-conformance rules`.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="How many processes work; more than one pay from 100 MB on.",
)  # fmt: skip
@click.option("--dask", metavar="ADDRESS", help="Let the workers of this Dask scheduler work (tcp://scheduler:8786).")
def audit(
    traffic: tuple[str, ...],
    reports: Path,
    base_url: str | None,
    readings: tuple[str, ...],
    workers: int,
    dask: str | None,
) -> None:
    """Judge an integration by recordings of its calls, all of them one stream, and leave a certificate and reports."""
    from conformance.audit.run import run_audit
    from conformance.commandline.audit_command import chosen_readings, recordings, shown, working
    from conformance.errors import CannotRun
    from conformance.report.files import Reports

    try:
        code = run_audit(
            recordings(traffic),
            reports=Reports(reports),
            say=shown,
            readings=chosen_readings(readings),
            base_url=base_url,
            work=working(workers, dask),
        )
    except CannotRun as error:
        complain(str(error))
        sys.exit(CANNOT_RUN)
    except KeyboardInterrupt:
        complain("interrupted before the recording was judged")
        sys.exit(INTERRUPTED)
    sys.exit(code)


@main.command()
@click.argument("rule_id", metavar="[ID]", required=False, shell_complete=completion.rules)
@click.option(
    "--format", "format_", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True
)
def rules(rule_id: str | None, format_: str) -> None:
    """List the documented rules, or show one whole."""
    from conformance.contract.rules import every_rule
    from conformance.report.rulebook import render

    known = every_rule().rules
    if rule_id is not None and rule_id.upper() not in known:
        hint = every_rule().nearest(rule_id)
        complain(f"no rule {rule_id!r}{hint}; `koncili-conformance rules` lists them")
        sys.exit(CANNOT_RUN)
    chosen = list(known.values()) if rule_id is None else [known[rule_id.upper()]]
    click.echo(render(chosen, format_, single=rule_id is not None))
