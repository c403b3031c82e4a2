"""A certification run inside pytest: opens the session, follows the scenarios, writes what they showed."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Collection, Generator, Hashable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from conformance.contract.readings import NEVER_PROBED, READINGS
from conformance.contract.rules import Rule
from conformance.errors import CannotRun, TargetUnavailable, WaitTooLong
from conformance.i18n.messages import tr
from conformance.planning.plan import Plan, make_plan
from conformance.planning.show import counted, refusal
from conformance.planning.smoke import LEFT_OUT, SMOKE, WITHOUT_CALLBACK, left_out
from conformance.planning.turns import costs_of, in_turn
from conformance.report.allure import Steps, mark
from conformance.report.lines import Line
from conformance.report.progress import Ended
from conformance.report.screen import ENDED, styled
from conformance.report.waits import Waits
from conformance.run.deferred import DeferredScenarios
from conformance.run.early_end import EarlyEnd
from conformance.run.handover import Handover, hand_over
from conformance.run.interruption import INTERRUPTED as STOPPED_BY_SIGNAL
from conformance.run.interruption import InterruptedWorker, InterruptionGuard, end_workers_on_signal
from conformance.run.options import Task
from conformance.run.outcome import HARNESS_ERROR, Ending, in_words, is_full
from conformance.run.scenario import leave_out, rule_of, scenario_name
from conformance.run.session import Session, may_leave_kinds, open_session, planned_as
from conformance.run.wipes import Wipes
from conformance.run.workers import ControllerPlugin, WorkerPlugin
from conformance.target.shared.uptime import since_boot
from conformance.target.wire.exchange import SERVER_ERROR, Exchange
from conformance.target.wire.journal import Spent, Traffic
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.verdicts import CANNOT_RUN, EXIT_CODES, RunVerdict
from conformance.verdict.violation import Violation

PENDING = "an update may take 30 minutes to show, and so long this run did not last; --patient waits for it"
BROKE_DOWN = f"{HARNESS_ERROR}: the suite itself broke down before this scenario ended"
INTERRUPTED = "the run was interrupted before this scenario ended"
FORGOTTEN = f"{HARNESS_ERROR}: this scenario was not run, for no reason that the suite knows"


class Certification:
    """The plugin of one certification run; in a pytest-xdist run the controller's merges what the workers saw."""

    def __init__(
        self, task: Task, *, drawn: dict[Hashable, list[Any]] | None = None, waits: Waits | None = None
    ) -> None:
        """`drawn` is the session's; `waits` shows what is waited for, where pytest's terminal does not."""
        self.task = task
        self.drawn = drawn
        self.ending = Ending(task, datetime.now(UTC), since_boot())
        self.steps = Steps()
        self._session: Session | None = None
        self._early_end: EarlyEnd | None = None
        self._wipes: Wipes | None = None
        self._redactor = Redactor()
        self.controller = (
            ControllerPlugin(self.ending, lambda: self.redactor, task.options.seed, self._tell)
            if task.controls
            else None
        )
        """Follows the workers, where this process leads any."""
        self._selected: set[str] = set()
        self._begun: set[str] = set()
        self._waits = waits or Waits(self._write, sys.stdout.isatty(), before="\n")
        self._terminal: Any = None
        self._deferred = DeferredScenarios(keeps=task.worker is not None)
        self._started = 0.0
        self._guard: InterruptionGuard | None = None
        self._before = Spent()
        """What was spent before the running scenario."""

    @property
    def session(self) -> Session:
        """The open session of this process. Ends pytest with code 3 where it can't be opened."""
        if self._session is None:
            screen = self.task.screen
            try:
                tell = screen.wait if screen else self._waits.tell
                self._session = open_session(self.task.options, self.task.traffic_file, tell)
                self._session.drawn = self.drawn
                self._session.common_id = self.task.run
                if screen is not None:
                    screen.traffic = self._traffic
                if self._session.live is not None:
                    self._session.live.recovery.client.saw = self._saw_when_clearing_away
                self._wipes = Wipes.of(self._session)
                self._early_end = EarlyEnd(self.task, self._session, self.task.run)
                self._session.budget.wait_only_if(self._early_end.is_worth_waiting)
                self._session.preflight()
                if self._session.live is not None and screen is None:  # else they were told with the plan
                    self.ending.warnings += self._session.live.store.warnings()
            except (CannotRun, OSError) as error:
                self.ending.stopped = self.redactor.text(str(error))
                raise pytest.exit.Exception(self.ending.stopped, CANNOT_RUN) from None
        return self._session

    @property
    def redactor(self) -> Redactor:
        """What knows the run's secrets, as far as this process has met them."""
        return self._session.redactor if self._session else self._redactor

    def join(self, config: pytest.Config) -> None:
        """Take part in a pytest run, alone or beside workers."""
        config.pluginmanager.register(self, "koncili-certification")
        if self.controller is not None:
            config.pluginmanager.register(self.controller, "koncili-controller")
            # What a worker saw that broke down is lost, so that nothing can come of going on without it.
            config.option.maxworkerrestart = config.option.maxworkerrestart or "0"
        elif self.task.worker:
            config.pluginmanager.register(WorkerPlugin(self.ending, self._break_down), "koncili-worker")

    # -- collection ------------------------------------------------------------------------------------------------

    def enter(self, items: list[pytest.Item]) -> None:
        """Enter every scenario into the evidence, those that are not selected too; keep the selected ones."""
        if self.task.controls:
            return
        if items:
            self._terminal = items[0].config.pluginmanager.get_plugin("terminalreporter")
        for item in items:
            if (rule := rule_of(item)) is not None:
                self.session.evidence.expect(item.nodeid, rule.id, scenario_name(item))
        leave_out(items, self.task.rules)
        if not self.session.in_process:
            self.session.left_out = self._left_out_by_smoke(items)
            items[:] = self._in_turn(items)
            if self.session.replayed is None and (plan := self._plan(self.session, items)) is not None:
                self.session.kinds_left = plan.kinds_left

    def _left_out_by_smoke(self, items: list[pytest.Item]) -> frozenset[str]:
        """The scenarios that a smoke test of this target has no client errors for."""
        session, shard = self.session, self.task.options.shard
        if planned_as(self.task.options) != SMOKE or not session.target.has_budget or session.replayed is not None:
            return frozenset()
        spare = 0 if session.target.fixtures.has("callback_url") else WITHOUT_CALLBACK
        found = {
            (rule.id, scenario_name(item)): item.nodeid
            for item in items
            if (rule := rule_of(item)) is not None and session.missing_need(rule) is None
        }
        return frozenset(found[scenario] for scenario in left_out(found.keys(), shard.of if shard else 1, spare))

    def _in_turn(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """The scenarios in the order that shows most should the budget not suffice, and that keeps every documented rate busy."""
        scenarios = [(rule.id if (rule := rule_of(item)) else "", scenario_name(item)) for item in items]
        rules, costs = [rule for rule, _ in scenarios], costs_of(planned_as(self.task.options), scenarios)
        return [items[number] for number in in_turn(rules, costs, paced=self.session.target.pace == "documented")]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """End a run that would only spend and wait. All that stays has been made by now: looking through it for garbage again
        and again takes 5 % of a run."""
        self._selected = {item.nodeid for item in session.items if rule_of(item) is not None}
        if self._session is not None and (why := self._why_not(self._session, session.items)):
            self.ending.stopped = why
            raise pytest.exit.Exception(why, CANNOT_RUN)
        gc.freeze()

    def _why_not(self, opened: Session, items: list[pytest.Item]) -> str:
        """Why the selected scenarios are not begun: they would wait longer for the budget than the user wants to wait."""
        if opened.options.max_wait is None or (plan := self._plan(opened, items)) is None:
            return ""
        return refusal(plan, opened.options.max_wait)

    def _plan(self, opened: Session, items: list[pytest.Item]) -> Plan | None:
        """The plan of these scenarios; None where nothing is counted."""
        if (budget_status := opened.budget.status()) is None:
            return None
        rules = {rule.id: rule for item in items if (rule := rule_of(item)) is not None}
        reasons = {rule.id: reason for rule in rules.values() if (reason := opened.missing_need(rule)) is not None}
        return make_plan(
            planned_as(opened.options), list(rules), reasons, paced=opened.target.pace == "documented",
            budget_status=budget_status,
            probing=any(map(opened.is_open, READINGS.keys() - NEVER_PROBED)),
            names={(rule.id, scenario_name(item)) for item in items if (rule := rule_of(item)) is not None},
            seen_by_smoke=opened.seen_by_smoke(),
            has_callback=opened.target.fixtures.has("callback_url"),
            may_leave_kinds=may_leave_kinds(opened.options, all_rules=not self.task.rules),
        )  # fmt: skip

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What cannot be collected cannot be certified."""
        if report.failed:
            last = report.longreprtext.strip().splitlines()[-1:]
            why = f"{report.nodeid}: the scenarios cannot be collected: {''.join(last)}"
            self.ending.stopped = self.ending.stopped or self.redactor.text(why)

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
        if opened is None or opened.control is not None or rule_of(item) is None:
            return None
        if opened.resuming:
            return self._deferred.finish(item, nextitem)
        self._deferred.run(item, nextitem, opened.deferred)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """When all scenarios have run, go on with those that left something to time."""
        result = yield
        if self._session is not None and self._deferred.scenarios:
            self._session.resuming = True
            if not self.task.worker:  # else the process that leads it tells of all workers
                self._tell(len(self._deferred.scenarios))
            self._deferred.go_on(session)
        return result

    def run_whole(self, item: pytest.Item, session: pytest.Session) -> None:
        """Run one scenario alone, with what it leaves to time; nothing of pytest's session is torn down after it."""
        opened, following = self.session, cast("Any", session)
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if self._deferred.scenarios:
            opened.resuming = True
            self._deferred.go_on(session)
            opened.resuming = False
            self._deferred.scenarios.clear()

    def _tell(self, scenarios: int) -> None:
        patient = self.task.options.patient
        wait = tr("waiting up to half an hour for updates") if patient else tr("looking once more for updates")
        text = tr("{scenarios} put off: {wait}", scenarios=counted(scenarios, "scenario"), wait=wait)
        if self.task.screen is not None:
            self.task.screen.say(Line(text))
        elif self._terminal is not None:
            self._terminal.ensure_newline()
            self._terminal.write_line(text)

    def _traffic(self) -> Traffic | None:
        """What this process has sent so far."""
        return self._session.journal.traffic if self._session else None

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
        rule = rule_of(item)
        if self._wipes is None or rule is None:
            yield
        else:
            yield from self._watched(item, rule, self._wipes)
        scenario = self.session.evidence.scenarios.get(item.nodeid) if rule_of(item) else None
        if scenario is not None and scenario.pending:  # one update never seen is enough to say nothing
            pytest.skip(f"not exercised: {PENDING}")

    def _watched(self, item: pytest.Item, rule: Rule, wipes: Wipes) -> Generator[None, None, None]:
        """Run a scenario; where it goes wrong since somebody wiped what the target had, that is told, and it is run anew."""
        before, error = wipes.begin(item.nodeid, rule), None
        try:
            yield
        except WaitTooLong:
            raise
        except (Violation, TargetUnavailable) as went_wrong:
            error = went_wrong
        wiped = wipes.wiped(before, error)
        if wiped is not None:
            if wipes.is_run_anew(item.nodeid):
                item.runtest()
            raise wiped
        if error is not None:
            raise error

    def _begin(self, item: pytest.Item) -> None:
        rule = rule_of(item)
        if rule is None:
            return
        self._begun.add(item.nodeid)
        if self.session.resuming:
            self.session.deferred.discard(item.nodeid)
        self.session.evidence.begin(item.nodeid)
        self.session.journal.about = f"{rule.id} {self.session.evidence.scenarios[item.nodeid].name}"
        self.session.journal.kind = ""
        self._started, self._before = time.perf_counter(), self.session.spent_on_rules
        reason = self.session.missing_need(rule) or (LEFT_OUT if item.nodeid in self.session.left_out else None)
        if reason is not None:
            pytest.skip(f"not exercised: {reason}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of a scenario into evidence, while what it shows can still be attached to it."""
        if rule_of(item) is not None:
            self._conclude(item, call)
        report = yield
        scenario = self.session.evidence.scenarios.get(item.nodeid)
        if scenario is not None and call.when != "teardown" and scenario.outcome is not Outcome.NOT_RUN:
            setattr(report, ENDED, Ended.of(scenario, self._errors_left()).to_json())
        return report

    def _errors_left(self) -> int | None:
        """How many client errors the budget has left, where there is one."""
        try:
            budget_status = self.session.budget.status()
        except CannotRun:  # the store is gone: whoever sends next ends the run for it
            return None
        return budget_status.left if budget_status else None

    def _conclude(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        evidence, error = self.session.evidence, call.excinfo.value if call.excinfo else None
        scenario = evidence.scenarios[item.nodeid]
        if isinstance(error, pytest.skip.Exception):
            evidence.finish(item.nodeid, Outcome.NOT_EXERCISED, str(error.msg).removeprefix("not exercised: "))
        elif isinstance(error, Violation):
            finding = evidence.found(error, self.session.redactor)
            if error.rule == scenario.rule:
                evidence.finish(item.nodeid, Outcome.FAILED, finding.reason, finding)
            else:
                evidence.observe(error, self.session.redactor)
                reason = f"{error.rule} stood in the way: {finding.reason}"
                evidence.finish(item.nodeid, Outcome.INCONCLUSIVE, reason, hindered_by=error.rule)
        elif isinstance(error, KeyboardInterrupt) or (error is not None and self._is_interrupted(item.session, error)):
            pass  # the session's end marks what was interrupted
        elif error is not None:
            evidence.finish(item.nodeid, Outcome.INCONCLUSIVE, self.redactor.text(in_words(error)))
            if isinstance(error, CannotRun) or is_full(error):
                self.ending.stopped = self.redactor.text(in_words(error))
                item.session.shouldstop = self.ending.stopped
            elif isinstance(error, WaitTooLong):
                self.ending.cut_short = self.redactor.text(str(error))
                item.session.shouldstop = self.ending.cut_short
        elif call.when == "call" and item.nodeid not in self.session.deferred:
            evidence.finish(item.nodeid, Outcome.PASSED)
        if call.when == "call":
            if self.drawn is None:  # a proof shows no samples
                evidence.keep_samples(item.nodeid, self.session.redactor)
            self.session.journal.about, self.session.journal.kind = "clearing away", ""
            self._tidy(item)
            scenario.seconds += time.perf_counter() - self._started
            scenario.took(self.session.spent_on_rules - self._before)

    def _is_interrupted(self, session: pytest.Session, error: BaseException) -> bool:
        """Whether an error is but what became of an interruption in the library that was interrupted."""
        interrupted = session.shouldstop == STOPPED_BY_SIGNAL or (self._guard is not None and self._guard.interrupted)
        return interrupted and not isinstance(error, CannotRun | TargetUnavailable)

    def _tidy(self, item: pytest.Item) -> None:
        """Leave nothing active and no order behind, but what the scenario still needs at the end of the run."""
        live = self.session.live
        if live is None:
            return
        if item.nodeid in self.session.deferred and not self.session.resuming:
            live.spare()
        try:
            if self._early_end is not None:
                self._early_end.tell()
            live.tidy()
        except TargetUnavailable:
            pass  # tried again at the end of the run, which tells what is left
        except CannotRun as error:
            self.ending.stopped = self.redactor.text(str(error))
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
        self._terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if self.task.worker:
            session.config.pluginmanager.register(InterruptedWorker(session))
        elif not self.task.controls:
            self._guard = InterruptionGuard()
            session.config.pluginmanager.register(self._guard)
        if self.task.controls:
            end_workers_on_signal(session.config, self.task.screen.interrupted if self.task.screen else lambda: None)
            try:
                opened = open_session(self.task.options)
                self._redactor = opened.redactor
                try:
                    opened.preflight()
                finally:
                    opened.close()
            except CannotRun as error:
                self.ending.stopped = self.redactor.text(str(error))
                raise pytest.exit.Exception(self.ending.stopped, CANNOT_RUN) from None

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The suite itself, pytest or a plugin of it broke down outside of scenarios."""
        self.ending.stopped = self.ending.stopped or self.redactor.text(in_words(excinfo.value))

    def _break_down(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The same in a worker, whose traceback the process that leads it shows."""
        self.ending.stopped = self.ending.stopped or self.redactor.text(in_words(excinfo.value))
        if not isinstance(excinfo.value, OSError | pytest.exit.Exception):
            self.ending.stories.append(self.redactor.text(str(excinfo.getrepr(style="native"))))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        """Clear away what is left, whoever breaks down while pytest ends; then write the certificate, or hand the evidence to the
        controller."""
        if self._session is not None:
            self._clear_away(self._session)
        yield
        self._finish(session, exitstatus)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        handover, selected = (
            (self.controller.handover, self.controller.collected) if self.controller else (Handover(), self._selected)
        )
        if self._session is not None:
            for end in (self._session.enter_kinds, self._session.close):
                try:
                    end()
                except (
                    CannotRun,
                    OSError,
                ) as error:  # the store is gone: its ledger has what is left; or the disk is full
                    self.ending.stopped = self.ending.stopped or self.redactor.text(in_words(error))
            self._session.evidence.readings = self._session.readings
            self._session.evidence.readings_from = self._session.readings_from
            handover.keep(self._session)
        why = self._why_unfinished(session, exitstatus)
        if self.task.worker:
            if self._session is not None:
                self._mark_unfinished(self._session.evidence, self._begun, why)
            hand_over(session.config, self._session, self.ending.handed_over, self._deferred.reports)
            return
        evidence = handover.evidence(self.redactor)
        if evidence is not None:
            self._mark_unfinished(evidence, selected, why)
            self.ending.certify(evidence, handover.traffic, self.redactor)
        session.exitstatus = self._exit_status(session.exitstatus)

    def _why_unfinished(self, session: pytest.Session, exitstatus: int) -> str:
        """Why scenarios may not have been run."""
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return self.ending.stopped or BROKE_DOWN
        if exitstatus == pytest.ExitCode.INTERRUPTED or session.shouldstop:
            return self.ending.stopped or self.ending.cut_short or INTERRUPTED
        return self.ending.stopped or self.ending.cut_short or str(session.shouldfail or FORGOTTEN)

    def _exit_status(self, status: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """How pytest ends: as its tests did, unless the run says something else."""
        if self.ending.exit_code == CANNOT_RUN and (self.ending.stopped or self.ending.certificate is not None):
            return pytest.ExitCode.INTERNAL_ERROR  # which is 3
        if status != pytest.ExitCode.OK or self.ending.certificate is None:
            return status
        if self.ending.has_failure:
            return pytest.ExitCode.TESTS_FAILED
        if self.task.options.target_file is not None and self.ending.exit_code == EXIT_CODES[RunVerdict.PARTIAL]:
            return (
                pytest.ExitCode.INTERRUPTED
            )  # which is 2, as of certify: nobody is to take what was not shown for conformant
        return status

    def _clear_away(self, opened: Session) -> None:
        """At the end of the run nothing is left that can be taken away."""
        live = opened.live
        if live is None:
            return
        if self._wipes is not None:
            self._wipes.end()
        try:
            try:
                live.finish()
            except OSError as error:  # the disk is full: from now on nothing is written of what is sent
                self.ending.stopped = self.ending.stopped or self.redactor.text(in_words(error))
                live.finish()
        except (TargetUnavailable, CannotRun) as error:
            self.ending.left_undone.append(self.redactor.text(str(error)))
            if isinstance(error, CannotRun):  # such as a block
                self.ending.stopped = self.ending.stopped or self.redactor.text(str(error))
        except KeyboardInterrupt:
            self.ending.left_undone.append("interrupted while clearing away")
        self.ending.left_undone += live.recovery.report.undone
        self.ending.kept = live.recovery.report.kept
        self.ending.warnings += live.store.unkept()

    def _mark_unfinished(self, evidence: Evidence, selected: Collection[str], why: str) -> None:
        """None that was to be run may pass for one that the user left out."""
        for scenario in evidence.scenarios.values():
            if scenario.outcome is Outcome.NOT_RUN and scenario.id in selected:
                evidence.finish(scenario.id, Outcome.INCONCLUSIVE, why)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the verdict, failures first, unless `certify` does."""
        if self.task.screen is not None:
            return
        if self.ending.certificate is not None:
            terminalreporter.section("koncili conformance")
        for story in self.ending.stories:
            terminalreporter.write_line(f"{HARNESS_ERROR}\n{story}")
        for line in self.ending.told():
            terminalreporter.write_line(styled(line, lively=False))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Complete Allure's results, make the pages, and let the next run have the directory."""
        results, reports = config.getoption("allure_report_dir", None), self.task.reports
        if results:
            self.ending.finish_results(Path(results))
        if reports is None or self.task.worker:
            return
        if results:
            self.ending.make_pages(reports, Path(results), html=not config.getoption("koncili_no_html"))
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for place in self.ending.places:
                reporter.write_line(styled(Line(place), lively=False))
        reports.release()
