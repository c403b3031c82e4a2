"""Proves the suite for the command line: runs the fleets, tells how it goes, leaves proof.json and a page of the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.errors import CannotRun
from conformance.mock.defects import DEFECTS
from conformance.mock.quirks import Defect
from conformance.mock.variants import VARIANTS
from conformance.proof.matrix import markdown, matrix
from conformance.proof.page import write_results
from conformance.proof.proof import Fate, Proof, Subject, judge_proof, ratio
from conformance.proof.prover import Plan, Prover
from conformance.report.files import ALLURE_RESULTS, HTML, Reports
from conformance.report.html import HtmlUnavailable, tool_directory, write_html
from conformance.run.launch import PLUGINS, closed_list, scenarios
from conformance.verdict.certificate import Suite
from conformance.verdict.proven import PROOF

PROOF_TEXT = "proof.md"

EXIT_CODES = {"whole": 0, "not-whole": 1, "partial": 2}


def run_proof(plan: Plan, *, selected: str | None, reports: Path, html: bool, tell: Callable[[str], None]) -> int:
    """Prove, and write what came of it; the exit code of `prove`. Raises CannotRun."""
    place = Reports(reports)
    place.share()
    try:
        proof = _prove(plan, selected, tell)
        for text in matrix(proof):
            tell(text)
        try:
            place.write_whole(PROOF, proof.to_json())
            place.write_whole(PROOF_TEXT, markdown(proof))
            write_results(proof, place.path(ALLURE_RESULTS))
        except OSError as error:
            raise CannotRun(f"{reports}: the proof cannot be written: {error}; make room, run again") from None
        tell(f"proof: {place.path(PROOF)}")
        tell(_page(place) if html else "no HTML report, as asked")
    finally:
        place.release()
    return EXIT_CODES[proof.verdict]


def _prove(plan: Plan, selected: str | None, tell: Callable[[str], None]) -> Proof:
    started_at, start = datetime.now(UTC), time.perf_counter()
    progress = _Progress(len(plan.mocks) + 1, tell)
    prover = Prover(plan, progress.take)
    interrupted = False
    plugins = [name for name in PLUGINS if not name.startswith("allure")]
    arguments = [*scenarios(plugins), "-p", "no:terminal", "--capture=no", "-n0"]
    try:
        with closed_list():
            code = pytest.main(arguments, plugins=[prover])
        interrupted = code == pytest.ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        interrupted = True
    if not prover.subjects:
        raise CannotRun(f"the scenarios cannot be run: {prover.failure or 'interrupted before the first'}")
    return _proof(prover, plan, selected, interrupted=interrupted, started_at=started_at, start=start)


def _proof(
    prover: Prover, plan: Plan, selected: str | None, *, interrupted: bool, started_at: datetime, start: float
) -> Proof:
    clean, *others = prover.subjects
    by_name = {subject.name: subject for subject in others}
    defects = tuple(by_name[name] for name in DEFECTS if name in by_name)
    variants = tuple(by_name[name] for name in VARIANTS if name in by_name)
    of_defects = len(defects) if interrupted else sum(isinstance(mock, Defect) for mock in plan.mocks)
    of_variants = len(variants) if interrupted else len(plan.mocks) - of_defects
    sensitivity, specificity = ratio(defects, of_defects), ratio(variants, of_variants)
    everything = selected is None and not interrupted
    return Proof(
        verdict=judge_proof(clean=clean, sensitivity=sensitivity, specificity=specificity, everything=everything),
        suite=Suite.own(),
        profile=plan.profile,
        seed=prover.seed,
        mode="whole" if plan.whole else "first-blame",
        together=plan.together,
        selected=selected,
        interrupted=interrupted,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        seconds=time.perf_counter() - start,
        sensitivity=sensitivity,
        specificity=specificity,
        clean=clean,
        defects=defects,
        variants=variants,
    )


_EVERY = 25


class _Progress:
    """Tells how far it is: a line that is written over on a terminal, else one for every so many mocks."""

    def __init__(self, of: int, tell: Callable[[str], None]) -> None:
        self._of = of
        self._tell = tell
        self._done = 0
        self._wrong = 0
        self._is_terminal = sys.stderr.isatty()

    def take(self, subject: Subject) -> None:
        """One more is done."""
        self._done += 1
        self._wrong += not subject.is_as_it_should_be
        text = f"{self._done}/{self._of} mocks, {self._wrong} not as they should be"
        if self._is_terminal:
            end = "\n" if self._done == self._of else ""
            print(f"\r\x1b[K{text}: {subject.name}", end=end, file=sys.stderr, flush=True)
        elif self._done % _EVERY == 0 or self._done == self._of:
            self._tell(text)
        if self._done == 1 and subject.verdict is not Fate.PASSED:
            self._tell(f"the plain mock itself is {subject.verdict}: {subject.blamed or subject.reason}")


def _page(place: Reports) -> str:
    tool_dir = tool_directory()
    try:
        page = write_html(
            place.path(ALLURE_RESULTS), place.path(HTML), title="Koncili conformance: proof", tool_dir=tool_dir
        )
    except HtmlUnavailable as error:
        return f"no HTML report: {error}"
    return f"report: {page}"
