"""`certify --compare mock`: the same drawn calls to the suite's own mock, and in what the target answers otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from conformance.commandline import entry
from conformance.i18n.messages import ntr, tr
from conformance.i18n.sentences import said
from conformance.mock.serve import ticked, ticking_koncili
from conformance.mock.target import mock_target_table, to_toml
from conformance.mock.wire import PLAIN, listening
from conformance.report.files import CERTIFICATE, COMPARED
from conformance.verdict.certificate import Certificate
from conformance.verdict.certificate_file import load_certificate
from conformance.verdict.compared import Comparison, compared

MOST_TOLD: Final = 20


def compare_with_mock(reports: Path, rules: Sequence[str]) -> Iterator[str]:
    """Certify a mock that follows the readings of the certificate there, with its profile and seed, and tell the differences, a
    line each. Its own reports are left in `compared/`. Raises CannotRun where either certificate can't be read."""
    target = load_certificate(reports / CERTIFICATE).certificate
    koncili = ticking_koncili([], readings=target.readings)
    with (
        TemporaryDirectory(prefix="koncili-compared-") as folder,
        listening(koncili, PLAIN) as base_url,
        ticked(koncili),
    ):
        file = Path(folder) / "mock.toml"
        file.write_text(to_toml(mock_target_table(base_url, koncili.readings)), encoding="utf-8")
        _certify(file, target, rules, reports / COMPARED)
    beside = load_certificate(reports / COMPARED / CERTIFICATE).certificate
    yield from _told(compared(target, beside), reports / COMPARED)


def _certify(file: Path, target: Certificate, rules: Sequence[str], reports: Path) -> None:
    """In a process of its own: pytest and Hypothesis keep what they have seen."""
    command = [
        sys.executable, "-c", f"from {entry.__name__} import main; main()",
        "certify", "--target", str(file), "--profile", target.profile, "--seed", str(target.seed),
        "--reports", str(reports), "--no-html", "--quiet", *(word for rule in rules for word in ("--rule", rule)),
    ]  # fmt: skip
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - this interpreter, no shell


def _told(comparison: Comparison, reports: Path) -> Iterator[str]:
    found = comparison.differences
    count = ntr("{number} difference", "{number} differences", len(found)) if found else tr("no differences")
    yield tr("compared with the mock by {rules} rules: {count}", rules=comparison.compared, count=count)
    for one in found[:MOST_TOLD]:
        yield f"  {one.rule} {said(one.what)}: {one.target}; " + tr("the mock: {answer}", answer=one.mock)
    if len(found) > MOST_TOLD:
        yield "  " + tr("and {number} more", number=len(found) - MOST_TOLD)
    if comparison.undecided:
        yield "  " + tr("not compared, undecided by one of the two: {rules}", rules=_some(comparison.undecided))
    yield tr("the mock's own reports: {path}", path=reports)


def _some(rules: Sequence[str]) -> str:
    more = len(rules) - MOST_TOLD
    return ", ".join(rules[:MOST_TOLD]) + (" " + tr("and {number} more", number=more) if more > 0 else "")
