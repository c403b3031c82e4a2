"""Whether a run's verdict stands before its end: once a required rule has failed, nothing that is still to come changes it, so
nothing more is to be waited for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from conformance.contract.rules import Level, catalogue
from conformance.errors import WaitTooLong
from conformance.run.options import Task
from conformance.run.session import Session
from conformance.verdict.verdicts import RuleVerdict, judge_rule
from conformance.verdict.waivers import waive

_FAILED: Final = "failed/"
"""Records of what workers tell each other: by the run that they belong to, the rule that failed, and when."""

_KEPT_SECONDS: Final = 24 * 3600
"""How long such a record may be of use: no run lasts longer than that without one of its own."""


@dataclass(slots=True)
class EarlyEnd:
    """What is known of the verdict so far. `run` is the same for all workers of a run; "" where there are none."""

    task: Task
    session: Session
    run: str = ""
    _is_told: bool = False

    @property
    def failed(self) -> str:
        """A required rule that this process saw broken, waived ones aside; "" where there is none."""
        evidence, readings = self.session.evidence, self.session.readings
        rules = catalogue(version=self.session.options.contract).rules.values()
        results = [judge_rule(rule, evidence, readings) for rule in rules if rule.level is Level.REQUIRED]
        waived = waive(results, self.task.waivers, self.session.started_at)
        return next((result.rule.id for result in waived if result.verdict is RuleVerdict.FAIL), "")

    def tell(self) -> None:
        """After a scenario: let the other workers know. Raises CannotRun where the store is gone."""
        if not self.run or self._is_told or self.session.live is None or not (failed := self.failed):
            return
        store, now = self.session.live.store, self.session.live.store.now()
        old = [key for key, text in store.records(_FAILED).items() if json.loads(text)["at"] < now - _KEPT_SECONDS]
        store.drop(*old)
        store.put(_FAILED + self.run, json.dumps({"rule": failed, "at": now}))
        self._is_told = True

    def is_worth_waiting(self) -> None:
        """Raises WaitTooLong where the budget is not to be waited for."""
        if not self.session.options.keep_going and (failed := self.failed or self._failed_elsewhere()):
            raise WaitTooLong(f"the budget of this hour was spent after {failed} had failed; --keep-going waits")

    def _failed_elsewhere(self) -> str:
        if not self.run or self.session.live is None:
            return ""
        told = self.session.live.store.records(_FAILED + self.run).get(_FAILED + self.run)
        return str(json.loads(told)["rule"]) if told is not None else ""
