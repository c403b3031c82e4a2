"""Scenarios of which a part is put off to the end of the run, since it takes time that passes by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.compat.pytest import run_phases


@dataclass(slots=True)
class DeferredScenarios:
    """Runs scenarios, and those that left something once more at the end; each is reported when it is whole.

    A pytest-xdist worker may report a scenario only while that has its turn (the worker's own `assert` sees to it). `keeps` is
    whether the reports of those that left something are therefore kept, for the worker to hand over at its end.
    """

    keeps: bool = False
    scenarios: list[pytest.Item] = field(default_factory=list)
    """Those that left something."""
    reports: list[tuple[int, pytest.TestReport]] = field(default_factory=list)
    """What is to be handed over, each with the number of its scenario."""

    def run(self, item: pytest.Item, following: pytest.Item | None, leaves: Collection[str]) -> None:
        """Run a scenario; `leaves` has its id afterwards where it left something."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        # Nothing of the session is torn down after the last: some scenarios are still to go on.
        until: Any = following or item.session
        reports = run_phases(item, until)
        if item.nodeid in leaves:
            self.scenarios.append(item)
        else:
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def go_on(self, session: pytest.Session) -> None:
        """Run those that left something to their end, unless the run is to end before."""
        for item, following in zip(self.scenarios, [*self.scenarios[1:], session], strict=True):
            if session.shouldstop or session.shouldfail:
                return
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def finish(self, item: pytest.Item, following: pytest.Item | None) -> bool | None:
        """Run the rest of one; None where pytest itself is to do it, and to report it."""
        if not self.keeps:
            return None
        number = item.session.items.index(item)
        self.reports += [(number, report) for report in run_phases(item, following)]
        return True
