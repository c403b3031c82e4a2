"""The command `rejudge`: the verdicts again, from the exchanges alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.i18n.messages import tr
from conformance.i18n.sentences import said


@click.command(
    epilog="Exit codes: 0 the certificate follows from the exchanges, 1 it does not or they are altered, 3 could not run."
)
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def rejudge(directory: Path) -> None:
    """Derive the verdicts of the certificate in DIR from the exchanges recorded beside it (traffic.har), and compare.

    Entries that were altered, dropped, doubled or moved are found. Nothing is sent.
    """
    from conformance.contract.rules import catalogue
    from conformance.errors import CannotRun
    from conformance.report.files import CERTIFICATE, TRAFFIC
    from conformance.verdict import rejudge as judging
    from conformance.verdict.certificate_file import load_certificate
    from conformance.verdict.gate import unsound

    file = load_certificate(directory / CERTIFICATE)
    if unsound(file):
        raise CannotRun(
            f"{directory / CERTIFICATE}: was changed since a run wrote it; `koncili-conformance gate` says where"
        )
    stated, newest = file.certificate.contract, catalogue()
    contract = catalogue(version=stated.version) if stated.version in newest.versions else newest
    if stated.sha256 != contract.sha256:
        raise CannotRun(
            f"{directory / CERTIFICATE}: is by other rules (contract {stated.version}) than this suite has; "
            f"use the suite that wrote it, {file.certificate.suite.version}"
        )
    try:
        raw = (directory / TRAFFIC).read_bytes()
    except OSError as error:
        raise CannotRun(
            f"{directory / TRAFFIC}: cannot be read: {error.strerror}; it lies beside the certificate of a run"
        ) from None
    found = judging.rejudge(file.certificate, TRAFFIC, raw, contract)
    for line in found.altered:
        click.echo(tr("not the run's: {what}", what=said(line)))
    for line in found.differs:
        click.echo(tr("does not follow: {what}", what=said(line)))
    if found.elsewhere:
        told = ", ".join(f"{rule} ({count})" for rule, count in found.elsewhere.items())
        click.echo(tr("in no recorded exchange, and so taken as the run counted it: {rules}", rules=told))
    click.echo(
        tr(
            "{entries} exchanges, evidence {evidence} times ({anew} of them judged anew by what their bodies break), of {rules} "
            "rules: ",
            entries=found.entries,
            evidence=found.evidence,
            anew=found.by_itself,
            rules=found.rules,
        )
        + (tr("the certificate follows from them") if found.holds else tr("the certificate does not stand on them"))
    )
    sys.exit(0 if found.holds else 1)
