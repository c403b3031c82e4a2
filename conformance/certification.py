"""A certification run inside pytest: opens the session, follows the scenarios, writes what they showed."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Generator, Hashable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.handover import Handover, hand_over
from conformance.interruption import InterruptedWorker, lead_workers_home
from conformance.planning.turns import costs_of, in_turn
from conformance.put_off import PutOff
from conformance.report.allure import Steps, mark
from conformance.report.allure_page import finish_results, make_page
from conformance.report.files import ALLURE_RESULTS, CERTIFICATE, JUNIT, TRAFFIC, Reports
from conformance.report.summary import terminal
from conformance.report.waits import Waits
from conformance.scenario import rule_of, scenario_name
from conformance.session import Options, Session, chosen_profile, chosen_seed, chosen_target, open_session
from conformance.target.client import SERVER_ERROR
from conformance.target.exchange import Exchange
from conformance.target.journal import Spent
from conformance.target.redaction import Redactor
from conformance.verdict.certificate import Certificate, make_certificate
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.verdicts import CANNOT_RUN, EXIT_CODES, RuleVerdict, RunVerdict, judge_rule
from conformance.verdict.violation import Finding, Violation
from conformance.verdict.waivers import Waiver, load_waivers, waive

PENDING = "an update may take 30 minutes to show, and so long this run did not last; --patient waits for it"
INTERRUPTED = "the run was interrupted before this scenario ended"


class Certification:
    """The plugin of one certification run; in a pytest-xdist run the controller's merges what the workers saw."""

    def __init__(
        self,
        options: Options,
        *,
        rules: frozenset[str],
        reports: Reports | None,
        waivers: tuple[Waiver, ...],
        worker: str | None,
        controls: bool,
        drawn: dict[Hashable, list[Any]] | None = None,
    ) -> None:
        """`worker` is the name of this xdist worker, `controls` whether this process only leads workers; `drawn` is the
        session's."""
        self.options = options
        self.rules = rules
        self.reports = reports
        self.waivers = waivers
        self.worker = worker
        self.controls = controls
        self.drawn = drawn
        self.started_at = datetime.now(UTC)
        self.steps = Steps()
        self.certificate: Certificate | None = None
        self._evidence: Evidence | None = None
        self._session: Session | None = None
        self._redactor = Redactor()
        self._handover = Handover()
        self._deselected: set[str] = set()
        self._stopped = ""
        self._cut_short = ""
        """Why the run ended before its time, though it could have gone on: the user did not want to wait."""
        self._waits = Waits(self._write, sys.stdout.isatty(), before="\n")
        self._terminal: Any = None
        self._put_off = PutOff()
        self._left_undone: list[str] = []
        self._kept: list[str] = []
        """What nobody can clear away."""
        self._started = 0.0
        self._before = Spent()
        """What was spent before the running scenario."""

    @classmethod
    def of(cls, config: pytest.Config, directory: Path | None) -> Certification:
        """The certification that the pytest options ask for, its results left in `directory`.

        A wrong option ends pytest with code 3.
        """
        worker = getattr(config, "workerinput", {}).get("workerid")
        option = config.getoption
        options = Options(
            target_file=Path(option("koncili_target")) if option("koncili_target") else None,
            profile=option("koncili_profile") or "certification",
            seed=option("koncili_seed"),
            defect=option("koncili_defect"),
            variant=option("koncili_variant"),
            production_host=option("koncili_allow_production"),
            patient=option("koncili_patient"),
            max_wait=option("koncili_max_wait"),
            alone=worker is None,
        )
        reports = Reports(directory) if directory else None
        try:
            rules = frozenset(option("koncili_rule") or ())
            check_known(rules)
            waivers = load_waivers(Path(option("koncili_waivers"))) if option("koncili_waivers") else ()
            chosen_target(options)
            options = replace(options, seed=chosen_seed(options))
            config.option.koncili_seed = options.seed  # the workers' too
            if reports and worker is None:
                reports.claim()
                _leave_files(config, reports)
        except CannotRun as error:
            raise pytest.exit.Exception(str(error), CANNOT_RUN) from None
        controls = worker is None and bool(getattr(config.option, "numprocesses", 0))
        return cls(options, rules=rules, reports=reports, waivers=waivers, worker=worker, controls=controls)

    @property
    def session(self) -> Session:
        """The open session of this process. Ends pytest with code 3 where it can't be opened."""
        if self._session is None:
            har = None
            if self.reports:
                har = self.reports.traffic_of(self.worker) if self.worker else self.reports.path(TRAFFIC)
            try:
                self._session = open_session(self.options, har, self._waits.tell)
                self._session.drawn = self.drawn
                if self._session.live is not None:
                    self._session.live.recovery.saw = self._saw_when_clearing_away
                self._session.preflight()
            except (CannotRun, OSError) as error:
                self._stopped = self.redactor.text(str(error))
                raise pytest.exit.Exception(self._stopped, CANNOT_RUN) from None
        return self._session

    @property
    def redactor(self) -> Redactor:
        """What knows the run's secrets, as far as this process has met them."""
        return self._session.redactor if self._session else self._redactor

    # -- collection ------------------------------------------------------------------------------------------------

    def enter(self, items: list[pytest.Item]) -> None:
        """Enter every scenario into the evidence, those that are not selected too; keep the selected ones."""
        if self.controls:
            return
        if items:
            self._terminal = items[0].config.pluginmanager.get_plugin("terminalreporter")
        evidence = self.session.evidence
        kept = []
        for item in items:
            rule = rule_of(item)
            if rule is not None:
                evidence.expect(item.nodeid, rule.id, scenario_name(item))
                if self.rules and rule.id not in self.rules:
                    self._deselected.add(item.nodeid)
                    continue
            elif self.rules:
                continue
            kept.append(item)
        if len(kept) < len(items):
            dropped = [item for item in items if item not in kept]
            items[0].config.hook.pytest_deselected(items=dropped)
            items[:] = kept
        if not self.session.in_process and self.session.target.pace == "documented":
            items[:] = self._in_turn(items)

    def _in_turn(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """The scenarios in the order that keeps every documented rate busy."""
        scenarios = [(rule.id if (rule := rule_of(item)) else "", scenario_name(item)) for item in items]
        return [items[number] for number in in_turn(costs_of(self.session.profile.name, scenarios))]

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember what -k or -m left out."""
        self._deselected.update(item.nodeid for item in items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """All that stays has been made by now: looking through it for garbage again and again takes 5 % of a run."""
        gc.freeze()

    def _write(self, text: str) -> None:
        """Write past pytest's capturing."""
        if self._terminal is not None:
            capturing: Any = self._terminal.config.pluginmanager.get_plugin("capturemanager")
            with capturing.global_and_fixture_disabled() if capturing else nullcontext():
                self._terminal.write(text, flush=True)

    # -- what is put off to the end of the run ---------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Where no clock can be moved, report a scenario that leaves something to time only when that is done."""
        opened = self._session
        if opened is None or opened.control is not None or opened.resuming or rule_of(item) is None:
            return None
        self._put_off.run(item, nextitem, opened.deferred)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """When all scenarios have run, go on with those that left something to time."""
        result = yield
        if self._session is not None and self._put_off.scenarios and not session.shouldstop:
            self._session.resuming = True
            self._tell(session.config, self._session)
            self._put_off.go_on(session)
        return result

    def _tell(self, config: pytest.Config, opened: Session) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self.worker:
            reporter.ensure_newline()
            wait = "waiting up to half an hour for updates" if opened.patient else "looking once more for updates"
            reporter.write_line(f"{len(self._put_off.scenarios)} scenarios go on: {wait}")

    # -- scenarios -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Mark Allure's result of the scenario, so that it is found again."""
        if rule_of(item) is not None:
            mark(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Skip, with its reason, what can't be shown."""
        self._begin(item)
        yield
        scenario = self.session.evidence.scenarios.get(item.nodeid) if rule_of(item) else None
        if scenario is not None and scenario.pending:  # one update never seen is enough to say nothing
            pytest.skip(f"not exercised: {PENDING}")

    def _begin(self, item: pytest.Item) -> None:
        rule = rule_of(item)
        if rule is None:
            return
        self._started, self._before = time.perf_counter(), self.session.spent_on_rules
        reason = self.session.missing_need(rule)
        if reason is not None:
            pytest.skip(f"not exercised: {reason}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of a scenario into evidence, while what it shows can still be attached to it."""
        if rule_of(item) is not None:
            self._conclude(item, call)
        return (yield)

    def _conclude(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        evidence, error = self.session.evidence, call.excinfo.value if call.excinfo else None
        scenario = evidence.scenarios[item.nodeid]
        if isinstance(error, pytest.skip.Exception):
            evidence.finish(item.nodeid, Outcome.NOT_EXERCISED, str(error.msg).removeprefix("not exercised: "))
        elif isinstance(error, Violation):
            finding = Finding.of(error, self.session.redactor)
            if error.rule == scenario.rule:
                evidence.finish(item.nodeid, Outcome.FAILED, finding.reason, finding)
            else:
                evidence.observe(error, self.session.redactor)
                evidence.finish(item.nodeid, Outcome.INCONCLUSIVE, f"{error.rule} stood in the way: {finding.reason}")
        elif isinstance(error, KeyboardInterrupt):
            pass  # the session's end marks what was interrupted
        elif error is not None:
            evidence.finish(item.nodeid, Outcome.INCONCLUSIVE, self.redactor.text(_in_words(error)))
            if isinstance(error, CannotRun):
                self._stopped = self.redactor.text(str(error))
                item.session.shouldstop = self._stopped
            elif isinstance(error, WaitTooLong):
                self._cut_short = self.redactor.text(str(error))
                item.session.shouldstop = self._cut_short
        elif call.when == "call" and item.nodeid not in self.session.deferred:
            evidence.finish(item.nodeid, Outcome.PASSED)
        if call.when == "call":
            evidence.keep_samples(item.nodeid, self.session.redactor)
            self._tidy(item)
            scenario.seconds += time.perf_counter() - self._started
            scenario.took(self.session.spent_on_rules - self._before)

    def _tidy(self, item: pytest.Item) -> None:
        """Leave nothing active and no order behind, but what the scenario still needs at the end of the run."""
        live = self.session.live
        if live is None:
            return
        if item.nodeid in self.session.deferred and not self.session.resuming:
            live.spare()
        try:
            live.tidy()
        except TargetUnavailable:
            pass  # tried again at the end of the run, which tells what is left
        except CannotRun as error:
            self._stopped = self.redactor.text(str(error))
            item.session.shouldstop = str(error)

    def _saw_when_clearing_away(self, exchange: Exchange) -> None:
        """A server error is one whatever the call was for."""
        if exchange.status >= SERVER_ERROR:
            actual = f"it answered {exchange.status}"
            violation = Violation(rule="ERR-02", expected="no server error", actual=actual, exchange=exchange)
            self.session.evidence.observe(violation, self.session.redactor)

    def pytest_bdd_before_step_call(self, request: pytest.FixtureRequest, step: Any) -> None:
        """Show the step in Allure."""
        if rule_of(request.node) is not None:
            self.steps.enter(f"{step.keyword} {step.name}", self.session.evidence.scenarios[request.node.nodeid])

    def pytest_bdd_after_step(self, request: pytest.FixtureRequest) -> None:
        """The step passed."""
        if rule_of(request.node) is not None:
            self.steps.leave(None, self.session.evidence.scenarios[request.node.nodeid])

    def pytest_bdd_step_error(self, request: pytest.FixtureRequest, exception: BaseException) -> None:
        """The step failed."""
        if rule_of(request.node) is not None:
            self.steps.leave(exception, self.session.evidence.scenarios[request.node.nodeid])

    # -- the end ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Make sure of the target before any worker starts."""
        if self.worker:
            session.config.pluginmanager.register(InterruptedWorker(session))
        if self.controls:
            lead_workers_home(session.config)
            try:
                opened = open_session(self.options)
                self._redactor = opened.redactor
                try:
                    opened.preflight()
                finally:
                    opened.close()
            except CannotRun as error:
                raise pytest.exit.Exception(str(error), CANNOT_RUN) from None

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker saw. (pytest-xdist)"""
        if not self._handover.take(node, self._redactor) and error:
            self._stopped = self.redactor.text(f"a worker ended without its evidence: {error}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the certificate, or hand the evidence to the controller."""
        if self._session is not None:
            cut_off = exitstatus in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR} or bool(
                session.shouldstop
            )
            self._mark_unfinished(self._session.evidence, interrupted=cut_off)
            self._clear_away(self._session)
            try:
                self._session.close()
            except CannotRun as error:  # the store is gone: what is left stays on its ledger
                self._stopped = self._stopped or self.redactor.text(str(error))
            self._session.evidence.readings = self._session.readings
            self._session.evidence.readings_from = self._session.readings_from
            if self.worker:
                hand_over(session.config, self._session)
                return
            self._handover.keep(self._session)
        evidence = self._handover.evidence(self.redactor)
        if evidence is not None:
            self._certify(session, evidence)

    def _clear_away(self, opened: Session) -> None:
        """At the end of the run nothing is left that can be taken away."""
        live = opened.live
        if live is None:
            return
        try:
            live.finish()
        except (TargetUnavailable, CannotRun) as error:
            self._left_undone.append(self.redactor.text(str(error)))
        except KeyboardInterrupt:
            self._left_undone.append("interrupted while clearing away")
        self._left_undone += live.recovery.report.undone
        self._kept = live.recovery.report.kept

    def _mark_unfinished(self, evidence: Evidence, *, interrupted: bool) -> None:
        reason = self._stopped or self._cut_short or (INTERRUPTED if interrupted else "")
        for scenario in evidence.scenarios.values():
            if scenario.outcome is Outcome.NOT_RUN and reason and scenario.id not in self._deselected:
                evidence.finish(scenario.id, Outcome.INCONCLUSIVE, reason)

    def _certify(self, session: pytest.Session, evidence: Evidence) -> None:
        target, profile = chosen_target(self.options), chosen_profile(self.options)
        results = [judge_rule(rule, evidence, evidence.readings) for rule in catalogue().rules.values()]
        results = waive(results, self.waivers, self.started_at.date())
        self.certificate = make_certificate(
            results=results,
            target=target.model_copy(update={"name": self.redactor.text(target.name)}),
            profile=profile.name,
            seed=chosen_seed(self.options),
            readings=evidence.readings,
            readings_from=evidence.readings_from,
            traffic=self._handover.traffic,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
        )
        self._evidence = evidence
        failed = any(result.verdict is RuleVerdict.FAIL for result in results)
        if session.exitstatus == pytest.ExitCode.OK and failed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.reports:
            try:
                self.reports.merge_traffic(self.redactor)
                self.reports.write(self.certificate)
            except (CannotRun, OSError) as error:
                self._stopped = self.redactor.text(str(error))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdict, failures first."""
        if self.certificate is not None:
            terminalreporter.section("koncili conformance")
            for line in terminal(self.certificate):
                terminalreporter.write_line(line)
        for line in self._kept:
            terminalreporter.write_line(f"stays for good: {line}")
        for line in self._left_undone:
            terminalreporter.write_line(f"not cleared away: {line}")
        if self._left_undone:
            terminalreporter.write_line(
                f"`koncili-conformance cleanup --target {self.options.target_file}` tries again"
            )
        if self._stopped or self._cut_short:
            terminalreporter.write_line(f"stopped: {self._stopped or self._cut_short}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Make the HTML report, now that Allure's results are complete, and let the next run have the directory."""
        results = getattr(config.option, "allure_report_dir", None)
        if self.certificate is not None and self._evidence is not None and results:
            finish_results(Path(results), self._evidence, self.certificate)
        if self.reports is None or self.worker:
            return
        if self.certificate is not None:
            reporter = config.pluginmanager.get_plugin("terminalreporter")
            for line in (f"certificate: {self.reports.path(CERTIFICATE)}", self._write_html(config, self.reports)):
                if reporter is not None:
                    reporter.write_line(line)
        self.reports.release()

    def _write_html(self, config: pytest.Config, reports: Reports) -> str:
        """Make the HTML report; returns what to tell about it."""
        if config.getoption("koncili_no_html"):
            return "no HTML report, as asked"
        assert self.certificate is not None
        return make_page(reports, Path(config.option.allure_report_dir), self.certificate)

    @property
    def exit_code(self) -> int:
        """The exit code of `certify`."""
        if self._stopped or self.certificate is None:
            return CANNOT_RUN
        return EXIT_CODES[RunVerdict(self.certificate.verdict)]


def check_known(rules: Iterable[str]) -> None:
    """Raises CannotRun where one of them is no rule of the catalogue."""
    unknown = sorted(set(rules) - catalogue().rules.keys())
    if unknown:
        raise CannotRun(f"{', '.join(unknown)}: no such rule; `koncili-conformance rules` lists them")


def _leave_files(config: pytest.Config, reports: Reports) -> None:
    """JUnit and Allure write beside the certificate, unless told otherwise."""
    if not config.option.xmlpath:
        config.option.xmlpath = str(reports.path(JUNIT))
    if not config.option.allure_report_dir:
        config.option.allure_report_dir = str(reports.path(ALLURE_RESULTS))


def _in_words(error: BaseException) -> str:
    """Why a scenario showed nothing, and what to do about it."""
    if isinstance(error, TargetUnavailable) and not isinstance(error, WaitTooLong):
        return f"{error}; run again when the way to the target is clear"
    kind = "" if isinstance(error, TargetUnavailable | CannotRun) else f"harness error: {type(error).__name__}: "
    return f"{kind}{error}"
