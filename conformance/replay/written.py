"""Writes findings of a certificate as tests or request collections of their own, for the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.replay.as_bruno import as_bruno
from conformance.replay.as_pytest import as_pytest
from conformance.replay.recipe import recipe
from conformance.replay.wanted import load_sound, wanted

NOT_ALL = 2


def write_findings(path: Path, named: Sequence[str], form: str, out: Path, tell: Callable[[str], None]) -> int:
    """Write the findings of those names there, each by itself; the exit code: 0, or 2 where one can't be written so. Raises
    CannotRun."""
    certificate = load_sound(path)
    by_rule = {entry.id: entry for entry in certificate.rules}
    code = 0
    for one in wanted(certificate, named, str(path)):
        entry = by_rule[one.rule]
        example = one.finding.counterexample or (entry.counterexample if one.id == entry.findings[0].id else None)
        if example is None or not example.curl:
            tell(f"{one.id}: not written: the certificate holds no requests that show it")
            code = NOT_ALL
            continue
        try:
            made = recipe(catalogue()[one.rule], one.id, one.finding.reason, example)
        except CannotRun as error:
            tell(f"{one.id}: not written: {error}")
            code = NOT_ALL
            continue
        name = f"test_{one.id.lower().replace('-', '_')}.py"
        files = {name: as_pytest(made, name)}
        if form == "bruno":
            files = {f"{one.id}/{file}": text for file, text in as_bruno(made).items()}
        for file, text in files.items():
            try:
                (out / file).parent.mkdir(parents=True, exist_ok=True)
                (out / file).write_text(text, encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise CannotRun(f"{out / file}: cannot be written: {error.strerror}") from None
        tell(f"{one.id}: {out / (name if form == 'pytest' else one.id)}")
    return code
