"""What Allure is told of a scenario while it runs: which one it is, and its Gherkin steps. The rest is told when all have run."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from typing import Any, Final

import allure

from conformance.contract.rules import catalogue
from conformance.report.allure_words import counted
from conformance.verdict.evidence import ScenarioEvidence

SCENARIO: Final = "scenario"
"""The label by which the result of a scenario is found again."""


def mark(scenario_id: str) -> None:
    """Mark the result of the running scenario."""
    allure.dynamic.label(SCENARIO, scenario_id)


class Steps:
    """The Gherkin steps of the running scenario as Allure steps."""

    def __init__(self) -> None:
        self._open: AbstractContextManager[Any] | None = None
        self._before: Counter[str] = Counter()

    def enter(self, title: str, scenario: ScenarioEvidence) -> None:
        """A step begins."""
        self._before = Counter(scenario.counts)
        self._open = allure.step(title)
        self._open.__enter__()

    def leave(self, error: BaseException | None, scenario: ScenarioEvidence) -> None:
        """A step ends; what it counted, if it passed, is told in a step of its own, later put to its name."""
        told = counted(catalogue()[scenario.rule], Counter(scenario.counts) - self._before, scenario.endpoints)
        if told and error is None:
            with allure.step(told):
                pass
        if self._open is not None:
            self._open.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            self._open = None
