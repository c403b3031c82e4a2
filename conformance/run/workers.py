"""A run that is spread over workers (pytest-xdist): what the process that leads them learns of each, and how one ends that
breaks down."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import pytest

from conformance.run.handover import Handover
from conformance.run.interruption import end_workers
from conformance.run.options import SEED
from conformance.run.outcome import Ending
from conformance.target.wire.redaction import Redactor

ENDED_WELL: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class ControllerPlugin:
    """The plugin of the process that leads the workers. `tell_deferred` is given how many scenarios are still to be gone on with,
    when all others are over."""

    def __init__(
        self, ending: Ending, redactor: Callable[[], Redactor], seed: int | None, tell_deferred: Callable[[int], None]
    ) -> None:
        self.handover = Handover()
        self.collected: set[str] = set()
        """Every scenario that a worker has before it: each must be reported by one."""
        self._ending = ending
        self._redactor = redactor
        self._seed = seed
        self._tell_deferred = tell_deferred
        self._over: set[str] = set()
        self._reported: set[str] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """All workers draw the same cases."""
        node.workerinput[SEED] = self._seed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A worker, or this process for it, reports a scenario."""
        self._reported.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A scenario whose turn is over and of which nothing was reported is put off."""
        before = len(self._over)
        self._over.add(nodeid)
        if before < len(self._over) == len(self.collected) and self._over - self._reported:
            self._tell_deferred(len(self._over - self._reported))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker saw, and report for it what it went on with at its end, since xdist lets none do that itself.

        One that left nothing ends the run: what it saw is lost.
        """
        config: pytest.Config = node.config
        left = self.handover.take(node, self._redactor())
        if left is None:
            if error:
                lost = f"worker {node.gateway.id} broke down ({error}), and what it saw is lost; run again"
                self._ending.stopped = self._ending.stopped or self._redactor().text(lost)
                end_workers(config, self._ending.stopped, lost=node)
            return
        self._ending.take(left.ended)
        for data in left.reports:
            report = config.hook.pytest_report_from_serializable(config=config, data=data)
            report.node = node
            config.hook.pytest_runtest_logreport(report=report)


class WorkerPlugin:
    """The plugin of a worker: whatever happens in it ends its session in order, else what the others saw would be lost too."""

    def __init__(self, ending: Ending, break_down: Callable[[pytest.ExceptionInfo[BaseException]], None]) -> None:
        """`break_down` notes an error of the suite itself."""
        self._ending = ending
        self._break_down = break_down

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """An error outside of scenarios ends the loop; xdist would lead home none of the workers after one."""
        try:
            return (yield)
        except Exception:
            self._break_down(pytest.ExceptionInfo.from_current())
            session.shouldstop = self._ending.stopped
            return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """The others are not to wait for one that could not begin. Before xdist's own, which sends this on."""
        if exitstatus not in (*ENDED_WELL, pytest.ExitCode.INTERRUPTED) and not session.shouldstop:
            session.shouldstop = self._ending.stopped or f"ended with {exitstatus}"
        return (yield)
