"""Tries the findings of a certificate again, for the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from conformance.errors import CannotRun
from conformance.i18n.messages import tr
from conformance.planning.show import counted
from conformance.replay.replayer import Replayer
from conformance.replay.tries import TRIES, Fate, Tally
from conformance.replay.wanted import Wanted, load_sound, wanted
from conformance.report.lines import Line, Tone
from conformance.report.screen import styled
from conformance.report.waits import Waits
from conformance.run.launch import PLUGINS, closed_list, scenarios
from conformance.run.outcome import HARNESS_ERROR
from conformance.run.session import Options, chosen_profile, chosen_target
from conformance.verdict.certificate import Certificate
from conformance.verdict.verdicts import CANNOT_RUN

EXIT_CODES: Final = {Fate.STILL_THERE: 1, Fate.FLAKY: 2, Fate.NOT_TRIED: 2, Fate.FIXED: 0}

_TONES: Final = {
    Fate.STILL_THERE: Tone.BAD, Fate.FLAKY: Tone.DOUBT, Fate.NOT_TRIED: Tone.DOUBT, Fate.FIXED: Tone.GOOD,
}  # fmt: skip


def run_replay(
    path: Path, named: Sequence[str], options: Options, *, tries: int = TRIES, say: Callable[[Line], None]
) -> int:
    """Try the findings of the certificate in that file again; the exit code of `replay`. Raises CannotRun."""
    certificate = load_sound(path)
    findings = wanted(certificate, named, str(path))
    options = replace(options, profile=certificate.profile, seed=certificate.seed, keep_going=True)
    chosen_profile(options)
    for line in _where(certificate, options):
        say(line)

    def tell(one: Wanted, tally: Tally) -> None:
        say(Line(f"{one.id}: {tally.words}", _TONES[tally.fate]))
        if tally.shown:
            for text in tally.told.splitlines():
                say(Line(f"  {text}" if text else ""))

    replayer = Replayer(
        options, findings, tell, Waits(lambda text: print(text, end="", flush=True), is_lively()), tries
    )
    plugins = [name for name in PLUGINS if not name.startswith("allure")]
    arguments = [*scenarios(plugins), "-p", "no:terminal", "--capture=no", "-n0"]
    with closed_list():
        code = pytest.main(arguments, plugins=[replayer])
    return _ended(replayer, code, say)


def is_lively() -> bool:
    """Whether standard output is a terminal on which lines may be drawn anew."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def shown(line: Line) -> None:
    """Print a line, in its colour on a terminal."""
    print(styled(line, lively=is_lively() and not os.environ.get("NO_COLOR")), flush=True)


def _where(certificate: Certificate, options: Options) -> list[Line]:
    """What is to be said first: on what is tried what was found elsewhere. Raises CannotRun where a live target's findings would
    be tried on the mock: that it does not show them says nothing."""
    found, target = certificate.target, chosen_target(options)
    if options.target_file is None and found.environment != "mock" and not (options.defects or options.variants):
        raise CannotRun(
            f"the certificate is of {found.name} ({found.base_url}); name its target file with --target. To see its findings on "
            "the mock, name a --defect"
        )
    if found.base_url == target.base_url:
        return []
    return [Line(f"found on {found.name} ({found.base_url}), tried on {target.name} ({target.base_url})")]


def _ended(replayer: Replayer, code: int, say: Callable[[Line], None]) -> int:
    ending = replayer.certification.ending if replayer.certification is not None else None
    for text in ending.left_undone if ending is not None else ():
        say(Line(tr("not cleared away: {what}", what=text), Tone.DOUBT))
    if ending is not None and ending.stopped:
        raise CannotRun(ending.stopped)
    if replayer.failure or len(replayer.tallies) < len(replayer.findings):
        why = replayer.failure or f"pytest ended with {code!r} before anything was tried"
        raise CannotRun(f"the scenarios cannot be run: {why}")
    fates = [tally.fate for tally in replayer.tallies.values()]
    if len(fates) > 1:
        say(Line(", ".join(f"{fates.count(fate)} {tr(fate)}" for fate in Fate if fate in fates)))
    if replayer.certification is not None and ending is not None:
        traffic = replayer.certification.session.journal.traffic
        sent = (counted(traffic.requests, "request"), counted(traffic.client_errors, "client error"))
        say(Line(tr("sent: {what}", what=", ".join(sent)), Tone.FAINT))
    if any(tally.why_not.startswith(HARNESS_ERROR) for tally in replayer.tallies.values()):
        return CANNOT_RUN
    codes = [EXIT_CODES[fate] for fate in fates]
    return 1 if 1 in codes else max(codes)
