"""What Allure shows of a scenario: labels from the catalogue, Gherkin steps, one exchange of each side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import allure

from conformance.contract.rules import Level, Rule
from conformance.session import Session
from conformance.verdict.evidence import ScenarioEvidence


def describe(rule: Rule, session: Session, title: str) -> None:
    """Label the running scenario by its rule."""
    allure.dynamic.title(title)
    allure.dynamic.epic("Koncili")
    allure.dynamic.feature(", ".join(endpoint.label for endpoint in rule.endpoints))
    allure.dynamic.story(f"{rule.id} {rule.statement}")
    allure.dynamic.severity("critical" if rule.level is Level.REQUIRED else "minor")
    allure.dynamic.tag(rule.id, rule.level)
    reading = f"\n\nReading `{rule.reading}`: `{session.readings[rule.reading]}`." if rule.reading else ""
    allure.dynamic.description(f"{rule.statement}\n\nSource: {rule.source}. Level: {rule.level}.{reading}")


class Steps:
    """The Gherkin steps of the running scenario as Allure steps."""

    def __init__(self) -> None:
        self._open: AbstractContextManager[Any] | None = None

    def enter(self, title: str) -> None:
        """A step begins."""
        self._open = allure.step(title)
        self._open.__enter__()

    def leave(self, error: BaseException | None, counts: Mapping[str, int]) -> None:
        """A step ends; what it counted is told in a step of its own."""
        if counts:
            told = ", ".join(f"{number} {side}" for side, number in counts.items())
            with allure.step(told):
                pass
        if self._open is not None:
            self._open.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            self._open = None


def show_samples(scenario: ScenarioEvidence) -> None:
    """Attach one exchange of each side, and the counterexample of a failure."""
    for side, sample in scenario.samples.items():
        allure.attach(json.dumps(sample, indent=2), f"one {side}", allure.attachment_type.JSON)
    if scenario.finding is not None:
        allure.attach(scenario.finding.text(), "counterexample", allure.attachment_type.TEXT)
