"""How a run ended: the certificate of what was seen, where that is written, and what is said of it."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun, NotTried, TargetUnavailable, WaitTooLong, Wiped
from conformance.i18n.messages import tr
from conformance.i18n.sentences import said
from conformance.report.allure_page import finish_results, make_page
from conformance.report.ci import tell_ci
from conformance.report.ctrf import ctrf
from conformance.report.cucumber import messages
from conformance.report.files import CERTIFICATE, CTRF, JUNIT, MESSAGES, SHARD, Reports
from conformance.report.junit import junit
from conformance.report.lines import Line, Tone
from conformance.report.page.render import page_told
from conformance.report.summary import brief, terminal
from conformance.run.options import Task
from conformance.run.scenario import feature_files
from conformance.run.session import chosen_profile, chosen_seed, chosen_target
from conformance.run.shard_file import written
from conformance.target.config import Target
from conformance.target.shared.uptime import since_boot
from conformance.target.wire.redaction import Redactor
from conformance.verdict.certificate import AboutEntry, Certificate, make_certificate
from conformance.verdict.digest import digest_of_file
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.observed import ObservedEntry
from conformance.verdict.proven import PROOF, ProofEntry, own_proof
from conformance.verdict.verdicts import CANNOT_RUN, EXIT_CODES, RuleVerdict, RunVerdict, judge_rule
from conformance.verdict.waivers import waive

HARNESS_ERROR: Final = "harness error"
"""So begins the reason of a scenario in which the suite itself broke down."""

CLOCKS_AGREE: Final = 1.0
"""Seconds by which the time of day may have gone on otherwise than the time since the boot: clocks are corrected bit by bit."""

_WHY: Final = ("stopped", "cut_short")
_LISTS: Final = ("left_undone", "kept", "stories", "warnings")


@dataclass(slots=True)
class Ending:
    """The end of a run, as it is known so far."""

    task: Task
    started_at: datetime
    since: float | None = None
    """The same in seconds since the machine was booted."""
    certificate: Certificate | None = None
    evidence: Evidence | None = None
    """What it rests on."""
    stopped: str = ""
    """Why the run could not go on."""
    cut_short: str = ""
    """Why it ended before its time, though it could have gone on: the user did not want to wait."""
    left_undone: list[str] = field(default_factory=list)
    """What was not cleared away."""
    kept: list[str] = field(default_factory=list)
    """What nobody can clear away."""
    warnings: list[str] = field(default_factory=list)
    """What is to be said about how well it is kept what runs spend and leave."""
    places: list[str] = field(default_factory=list)
    """Where the results are, a line each."""
    stories: list[str] = field(default_factory=list)
    """Tracebacks of errors of the suite itself, outside of scenarios."""

    @property
    def handed_over(self) -> dict[str, Any]:
        """What a worker tells the process that leads it. (JSON)"""
        return {name: getattr(self, name) for name in (*_WHY, *_LISTS)}

    def take(self, ended: Mapping[str, Any]) -> None:
        """Add how a worker ended: the first reason stays."""
        for name in _WHY:
            setattr(self, name, getattr(self, name) or ended.get(name, ""))
        for name in _LISTS:
            getattr(self, name).extend(ended.get(name, ()))

    def _times(self) -> tuple[datetime, datetime]:
        """When the run began and ended, both by the clock as it is at its end: somebody may have set that meanwhile."""
        now = datetime.now(UTC)
        began = self.started_at if self.since is None else now - timedelta(seconds=since_boot() - self.since)
        was_set = abs((began - self.started_at).total_seconds()) > CLOCKS_AGREE
        return began if was_set else self.started_at, now

    def certify(
        self,
        evidence: Evidence,
        traffic: Mapping[str, int],
        redactor: Redactor,
        *,
        part: Certificate | None = None,
        finished_at: datetime | None = None,
    ) -> Certificate:
        """Judge what was seen, and leave certificate, summary, JUnit and traffic. `part` is the certificate that says what was
        tested, and `finished_at` when, where that is not this run's own target and now."""
        options = self.task.options
        profile = chosen_profile(options)
        contract = catalogue(version=options.contract)
        results = [judge_rule(rule, evidence, evidence.readings) for rule in contract.rules.values()]
        files: Mapping[str, str] = {}
        seen: ObservedEntry | None = None
        if self.task.reports:
            try:
                traffic_digest, seen = self.task.reports.merge_traffic(redactor, evidence.marks)
                files = {**traffic_digest, **self._leave_shard(evidence, redactor)}
            except OSError as error:
                self.stopped = redactor.text(str(error))
        began, ended = self._times() if finished_at is None else (self.started_at, finished_at)
        self.certificate = make_certificate(
            results=waive(results, self.task.waivers, self.started_at),
            target=part.target if part else self._target(redactor),
            profile=profile.name,
            seed=chosen_seed(options),
            readings=evidence.readings,
            readings_from=evidence.readings_from,
            traffic=traffic,
            started_at=began,
            finished_at=ended,
            files=files,
            contract=contract,
            about=part.about if part else self._about(redactor),
            proof=part.proof if part else self._proof(redactor),
            observed=seen,
        )
        self.evidence = evidence
        if self.task.reports:
            try:
                self.task.reports.write(self.certificate)
                self.task.reports.write_whole(JUNIT, junit(self.certificate, evidence))
                self.task.reports.write_whole(CTRF, ctrf(self.certificate, evidence))
                self.task.reports.write_whole(MESSAGES, messages(self.certificate, evidence, feature_files()))
            except (CannotRun, OSError) as error:
                self.stopped = redactor.text(str(error))
        return self.certificate

    def _target(self, redactor: Redactor) -> Target:
        target = chosen_target(self.task.options)
        return target.model_copy(update={"name": redactor.text(target.name)})

    def _about(self, redactor: Redactor) -> AboutEntry | None:
        told = {name: redactor.text(text) for name, text in chosen_target(self.task.options).about.model_dump().items()}
        return AboutEntry(**told) if any(told.values()) else None

    def _proof(self, redactor: Redactor) -> ProofEntry | None:
        """The proof of this suite, where there is one."""
        try:
            return own_proof(self.task.options.proof, self.task.reports.path(PROOF) if self.task.reports else None)
        except CannotRun as error:  # the one that was given was there when the run began
            self.stopped = redactor.text(str(error))
            return None

    def _leave_shard(self, evidence: Evidence, redactor: Redactor) -> Mapping[str, str]:
        """Leave what `merge` needs, where this is but a shard; its digest, by its name. Raises OSError."""
        task, shard, reports = self.task, self.task.options.shard, self.task.reports
        if shard is None or reports is None:
            return {}
        text = written(
            shard,
            rules=sorted(task.asked),
            complete=task.options.complete,
            waivers=task.waivers,
            evidence=evidence,
            ended=self.handed_over,
        )
        reports.write_whole(SHARD, redactor.text(text))
        return {SHARD: digest_of_file(reports.path(SHARD))}

    def finish_results(self, allure_results: Path) -> None:
        """Make Allure's results anew from what was seen, where anything was certified."""
        if self.certificate is not None and self.evidence is not None:
            finish_results(allure_results, self.evidence, self.certificate)

    def make_pages(self, reports: Reports, allure_results: Path, *, html: bool) -> None:
        """Make what people open, now that Allure's results are complete. `html` is whether they want the Allure report."""
        if self.certificate is None:
            return
        report = make_page(reports, allure_results, self.certificate) if html else tr("no HTML report, as asked")
        page = page_told(reports, self.certificate)  # last: it links to what is there
        certificate = reports.path(CERTIFICATE)  # not there where it could not be written
        told = [tr("certificate: {path}", path=certificate)] if certificate.exists() else []
        self.places = [page, *told, report]

    def told(self, *, quiet: bool = False) -> Iterator[Line]:
        """What is to be said, failures first; `quiet` is the least of it. To be called once: it also tells the CI system."""
        if self.certificate is not None:
            yield from brief(self.certificate) if quiet else terminal(self.certificate, self._replay_command)
            for text in tell_ci(self.certificate, os.environ):
                yield Line(text, is_command=text.startswith("::"))
        if not quiet:
            yield from (Line(tr("stays for good: {what}", what=said(text)), Tone.FAINT) for text in self.kept)
        yield from self.left_words()
        yield from (Line(tr("warning: {what}", what=said(text)), Tone.DOUBT) for text in dict.fromkeys(self.warnings))
        if self.stopped or self.cut_short:
            yield Line(tr("stopped: {why}", why=said(self.stopped or self.cut_short)), Tone.DOUBT)

    def left_words(self) -> Iterator[Line]:
        """What is left at the target, and what clears it away."""
        yield from (Line(tr("not cleared away: {what}", what=said(text)), Tone.DOUBT) for text in self.left_undone)
        if self.left_undone:
            command = f"`koncili-conformance cleanup --target {self.task.options.target_file}`"
            yield Line(tr("{command} tries again", command=command))

    def _replay_command(self, finding: str) -> str:
        """What tries a finding again; "" where no certificate was left to take it from."""
        if self.task.reports is None:
            return ""
        options = self.task.options
        words = ["koncili-conformance", "replay", str(self.task.reports.path(CERTIFICATE)), finding]
        words += ["--target", str(options.target_file)] if options.target_file is not None else []
        words += [word for defect in options.defects for word in ("--defect", defect)]
        words += [word for variant in options.variants for word in ("--variant", variant)]
        words += ["--patient"] if options.patient else []
        words += [f"--allow-production={options.production_host}"] if options.production_host else []
        return shlex.join(words)

    @property
    def has_harness_error(self) -> bool:
        """Whether the suite itself broke down in a scenario."""
        scenarios = self.evidence.scenarios.values() if self.evidence else ()
        return any(one.outcome is Outcome.INCONCLUSIVE and one.reason.startswith(HARNESS_ERROR) for one in scenarios)

    @property
    def has_failure(self) -> bool:
        """Whether any rule fails, required or not."""
        entries = self.certificate.rules if self.certificate else ()
        return any(entry.verdict is RuleVerdict.FAIL for entry in entries)

    @property
    def exit_code(self) -> int:
        """The exit code of `certify`."""
        if self.stopped or self.certificate is None:
            return CANNOT_RUN
        code = EXIT_CODES[self.certificate.verdict]
        # What was seen broken stays broken; nothing else can be said where the suite itself broke down.
        return CANNOT_RUN if self.has_harness_error and code != EXIT_CODES[RunVerdict.NONCONFORMANT] else code


def in_words(error: BaseException) -> str:
    """Why a scenario showed nothing, or a run ends, and what to do about it."""
    if isinstance(error, WaitTooLong | NotTried | Wiped | CannotRun | pytest.exit.Exception):
        return str(error)
    if isinstance(error, TargetUnavailable):
        return f"{error}; run again when the way to the target is clear"
    if is_full(error):
        return f"the results cannot be written: {error}; make room, run again"
    return f"{HARNESS_ERROR}: {type(error).__name__}: {error}"


def is_full(error: BaseException) -> bool:
    """Whether it says that a disk takes nothing more. Allure and the journal write while a scenario runs."""
    return isinstance(error, OSError) and error.errno in _TAKES_NOTHING


_TAKES_NOTHING: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
