"""The command `explain`: a rule, or a finding of a certificate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from conformance.commandline import completion

if TYPE_CHECKING:
    from conformance.report.explain import Code, Place
    from conformance.verdict.certificate import Certificate, FindingEntry, RuleEntry

CERTIFICATE: Final = Path("reports", "certificate.json")

_SCENARIO: Final = re.compile(r"\s*Scenario(?: Outline)?:\s*(.+)")
_TAGS: Final = re.compile(r"\s*@")


@click.command(epilog="Exit codes: 0 explained, 3 no such rule or finding.")
@click.argument("name", metavar="RULE|FINDING", shell_complete=completion.rules)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What a run saw of it (default: reports/certificate.json, where it is there).",
)
def explain(name: str, certificate: Path | None) -> None:
    """Explain a rule (ORD-07) or a finding (ORD-07-1c9f2a3b).

    What the documents say, what was tried and seen, what to do, where the code is.
    """
    from conformance.contract.rules import every_rule
    from conformance.errors import CannotRun
    from conformance.escaping import line
    from conformance.report.explain import explained
    from conformance.verdict.certificate_file import load_certificate

    wanted = name.upper()
    path = certificate or (CERTIFICATE if CERTIFICATE.exists() else None)
    read = load_certificate(path).certificate if path is not None else None
    finding, known = None, every_rule()
    if wanted not in known.rules:
        finding = _finding(read, wanted)
        if finding is None and re.fullmatch(r"[A-Z]+-\d+-[0-9A-F]{8}", wanted):
            where = f"{path} has no finding {name}" if path is not None else f"{name} is a finding's id"
            raise CannotRun(f"{where}; name the certificate that has it: --certificate FILE")
        if finding is None:
            raise CannotRun(f"no rule {name!r}{known.nearest(name)}; `koncili-conformance rules` lists them")
    rule = known[finding[0].id if finding is not None else wanted]
    entry = finding[0] if finding is not None else _entry(read, rule.id)
    one = finding[1] if finding is not None else None
    for text in explained(rule, _code(rule.id), entry, one, str(path or "")):
        click.echo(line(text))


def _entry(certificate: Certificate | None, rule: str) -> RuleEntry | None:
    entries = certificate.rules if certificate is not None else ()
    return next((entry for entry in entries if entry.id == rule), None)


def _finding(certificate: Certificate | None, wanted: str) -> tuple[RuleEntry, FindingEntry] | None:
    for entry in certificate.rules if certificate is not None else ():
        for finding in entry.findings:
            if finding.id.upper() == wanted:
                return entry, finding
    return None


def _code(rule: str) -> Code:
    from conformance.mock.defects import DEFECTS
    from conformance.report.explain import Code
    from strategies.faults import FAULTS

    faults = {fault: [kind.name for kind in kinds] for fault, kinds in FAULTS.get(rule, {}).items()}
    defects = [name for name, defect in DEFECTS.items() if name.upper().startswith(rule) and rule in defect.rules]
    return Code(tuple(_scenarios(rule)), faults, defects)


def _scenarios(rule: str) -> Iterator[Place]:
    """The scenarios that are tagged with the rule, where they stand."""
    from conformance.report.explain import Place
    from conformance.run.scenario import suite_root

    root = suite_root()
    for path in sorted((root / "features").glob("*.feature")):
        tags: list[str] = []
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _TAGS.match(text):
                tags += text.split()
            elif found := _SCENARIO.match(text):
                if f"@{rule}" in tags:
                    yield Place(str(path.relative_to(root)), number, found[1])
                tags = []
