"""The command `gate`: may a deployment go on with this certificate?"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conformance.durations import Duration
from conformance.i18n.sentences import said
from conformance.profiles import PROFILES

if TYPE_CHECKING:
    from conformance.verdict.certificate import Certificate
    from conformance.verdict.changes import Changes
    from conformance.verdict.gate_case import Check, Wanted
    from conformance.verdict.signature import Signature

T = TypeVar("T")

PERCENT_MOST = 100

FILE = click.Path(dir_okay=False, path_type=Path)


class Percent(click.ParamType[Decimal]):
    """A part of a hundred: 80, 99.5, 100%."""

    name = "PERCENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The number. Ends with a usage error where it is none from 0 to 100."""
        number = Decimal("nan")
        with suppress(InvalidOperation):
            number = Decimal(str(value).removesuffix("%"))
        if number.is_finite() and 0 <= number <= PERCENT_MOST:
            return number
        raise click.BadParameter(said(f"{value!r} is no percentage from 0 to 100"), ctx, param)


@click.command(epilog="Exit codes: 0 go on, 1 nonconformant, 2 partial or inconclusive, 3 nothing can be decided.")
@click.argument("certificate", type=FILE)
@click.option("--max-age", type=Duration(), default="7d", show_default=True, help="Refuse an older one: 12h, 7d.")
@click.option(
    "--kind", type=click.Choice(["endpoint", "integration"]), default="endpoint", show_default=True,
    help="What it must be of: an endpoint (certify), or an integration's calls (audit).",
)  # fmt: skip
@click.option("--alone", is_flag=True, help="Go on although what its run left beside the certificate is not here.")
@click.option("--accept-partial", is_flag=True, help="Go on although the target could not show every required rule.")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="certification", show_default=True,
    help="The least that must have been tried.",
)  # fmt: skip
@click.option(
    "--min-coverage", type=Percent(),
    help="The least part of the kinds of faults that must have been tried.",
)  # fmt: skip
@click.option(
    "--target", type=FILE,
    help="The target file whose name, environment, base_url, integrator, accounts and readings must be those tested.",
)  # fmt: skip
@click.option("--target-name", metavar="NAME", help="The name that the target must have.")
@click.option("--base-url", metavar="URL", help="The base URL that must have been tested.")
@click.option(
    "--environment",
    type=click.Choice(["mock", "sandbox", "production", "recording"]),
    help="What must have been tested.",
)
@click.option(
    "--readings",
    type=click.Choice(["strict"]),
    help="strict: refuse readings that the target file chose, other than by default.",
)
@click.option(
    "--contract", metavar="VERSION", help="The version of the contract to decide by (2026.11); else the newest."
)
@click.option(
    "--require-proof", is_flag=True, help="Demand that the suite that made it was proved (`prove`), by its own code."
)
@click.option(
    "--max-proof-age", type=Duration(), default="30d", show_default=True, help="Refuse an older proof: 12h, 30d."
)
@click.option(
    "--expect",
    type=FILE,
    help="Rules that need not be exercised, and why (TOML), in place of what the target file says.",
)
@click.option("--waivers", type=FILE, help="Failures that are known and accepted for a time (TOML).")
@click.option("--long-waivers", is_flag=True, help="Let waivers last longer than half a year from today.")
@click.option("--allowed-signers", type=FILE, help="Demand an SSH signature by somebody in this file (OpenSSH's).")
@click.option("--signer", metavar="IDENTITY", help="Demand that signer's.")
@click.option("--baseline", type=FILE, help="Say what changed since this certificate; decides nothing.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def gate(
    certificate: Path,
    max_age: float,
    kind: str,
    alone: bool,  # noqa: FBT001
    accept_partial: bool,  # noqa: FBT001
    profile: str,
    min_coverage: Decimal | None,
    target: Path | None,
    target_name: str | None,
    base_url: str | None,
    environment: str | None,
    readings: str | None,
    contract: str | None,
    require_proof: bool,  # noqa: FBT001
    max_proof_age: float,
    expect: Path | None,
    waivers: Path | None,
    long_waivers: bool,  # noqa: FBT001
    allowed_signers: Path | None,
    signer: str | None,
    baseline: Path | None,
    format_: str,
) -> None:
    """Decide by a certificate whether a deployment may go on: untampered, fresh, of this contract and target, conformant."""
    from datetime import UTC, datetime

    from conformance.contract.rules import Kind, catalogue
    from conformance.report.gate_words import as_json, text
    from conformance.target.config import load_target
    from conformance.verdict.certificate_file import load_certificate
    from conformance.verdict.gate import decide
    from conformance.verdict.gate_case import Asked, Check
    from conformance.verdict.proven import PROOF
    from conformance.verdict.waivers import load_waivers

    if signer is not None and allowed_signers is None:
        raise click.UsageError(said("--signer needs --allowed-signers FILE, which says whose key is whose"))
    if signer == "":  # a variable of a CI system that is not set would let everybody in the file sign
        raise click.UsageError(said("--signer is empty; name one, or leave it out"))
    unread: dict[Check, str] = {}
    file = _read(lambda: load_certificate(certificate), Check.CERTIFICATE, unread)
    now = datetime.now(UTC)
    asked = Asked(
        now=now,
        max_age=max_age,
        kind=Kind(kind),
        profile=profile,
        min_coverage=min_coverage,
        accept_partial=accept_partial,
        target=_read(lambda: _wanted(target, target_name, base_url, environment), Check.TARGET, unread) or (),
        alone=alone,
        files=_beside(certificate, file.certificate.files if file else ()),
        readings=_read(lambda: load_target(target).readings, Check.TARGET, unread) if target else None,
        strict_readings=readings == "strict",
        require_proof=require_proof,
        max_proof_age=max_proof_age,
        proof_beside=_beside(certificate, [PROOF])[PROOF],
        not_exercised=_read(lambda: _expected(expect, target), Check.SKIPS if expect else Check.TARGET, unread),
        waivers=(
            _read(lambda: load_waivers(waivers, now, long=long_waivers), Check.WAIVERS, unread) if waivers else None
        )
        or (),
        signature=_signature(file.raw if file else b"", certificate, allowed_signers, signer),
    )
    of_then = _read(lambda: catalogue(Kind(kind), contract), Check.CONTRACT, unread) or catalogue(Kind(kind))
    decision = decide(file, asked, of_then, unread)
    changes = _changes(baseline, file.certificate) if baseline and file else None
    if format_ == "json":
        click.echo(as_json(str(certificate), decision, changes))
    else:
        colour = False if os.environ.get("NO_COLOR") else None  # None: as the terminal is
        for line in text(decision, changes):
            click.echo(line, color=colour)
    sys.exit(decision.exit_code)


def _read(load: Callable[[], T], check: Check, unread: dict[Check, str]) -> T | None:
    """What is loaded; where it can't be, the check is told why, and the others go on."""
    from conformance.errors import CannotRun

    try:
        return load()
    except CannotRun as error:
        unread[check] = "; ".join(str(error).splitlines())
        return None


def _beside(certificate: Path, names: Iterable[str]) -> dict[str, str | None]:
    """The digests of the files with these names beside the certificate; None for one that is not there or can't be read."""
    from conformance.verdict.digest import digest_of_file

    found: dict[str, str | None] = dict.fromkeys(names)
    for name in found:
        with suppress(OSError):
            if Path(name).name == name:
                found[name] = digest_of_file(certificate.parent / name)
    return found


def _expected(expect: Path | None, target: Path | None) -> Mapping[str, str] | None:
    """What need not be exercised: as that file says, or else the target file. Raises CannotRun."""
    from conformance.target.config import load_target
    from conformance.verdict.skips import load_skips

    if expect is not None:
        return load_skips(expect)
    return load_target(target).not_exercised if target is not None else None


def _wanted(file: Path | None, name: str | None, base_url: str | None, environment: str | None) -> tuple[Wanted, ...]:
    """What the target must be. Raises CannotRun for a target file or a base URL that is none."""
    from conformance.errors import CannotRun
    from conformance.target.config import load_target, one_spelling
    from conformance.verdict.certificate import accounts_of
    from conformance.verdict.gate_case import Wanted

    wanted = []
    if file is not None:
        target = load_target(file)
        option = f"--target {file}"
        wanted += [
            Wanted("name", target.name, option),
            Wanted("environment", target.environment, option),
            Wanted("base_url", target.base_url, option),
            Wanted("integrator", str(target.integrator), option),
            Wanted("accounts", ", ".join(accounts_of(target)), option),
        ]
        wanted += [Wanted("owner", target.about.owner, option)] if target.about.owner else []
        wanted += [Wanted("version", target.about.version, option)] if target.about.version else []
    if name is not None:
        wanted.append(Wanted("name", name, "--target-name"))
    if environment is not None:
        wanted.append(Wanted("environment", environment, "--environment"))
    if base_url is not None:
        try:
            wanted.append(Wanted("base_url", one_spelling(base_url), "--base-url"))
        except ValueError as error:
            raise CannotRun(f"--base-url: {error}") from None
    return tuple(wanted)


def _signature(content: bytes, certificate: Path, allowed_signers: Path | None, signer: str | None) -> Signature:
    from conformance.verdict.signature import not_asked, signature_path, verify

    if allowed_signers is None:
        return not_asked(certificate)
    return verify(content, signature_path(certificate), allowed_signers, signer)


def _changes(baseline: Path, certificate: Certificate) -> Changes | str:
    """What changed since the baseline, or why it can't be read."""
    from conformance.errors import CannotRun
    from conformance.verdict.certificate_file import load_certificate
    from conformance.verdict.changes import changes_since

    try:
        return changes_since(load_certificate(baseline), certificate)
    except CannotRun as error:
        return str(error)
