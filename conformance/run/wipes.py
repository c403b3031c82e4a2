"""What becomes of a scenario that went wrong since all that the target had was gone at once: nothing is told of what it saw, it
is run anew, and what it finds then stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule
from conformance.errors import CannotRun, TargetUnavailable, Wiped
from conformance.run.witnesses import Witnesses
from conformance.verdict.evidence import Evidence, Kept, Outcome
from conformance.verdict.violation import Finding, Violation

if TYPE_CHECKING:
    from conformance.run.session import Session

_OF_ORDERS: Final = frozenset(Endpoint) - {Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN, Endpoint.LIST_ACCOUNTS}
"""For rules about these a run sends orders anyway."""


@dataclass(slots=True)
class _TakenBack:
    """What was seen in a scenario, and does not count since the witnesses were gone."""

    scenario: str
    finding: Finding | None
    is_its_own: bool
    observed: dict[str, Finding]


@dataclass(slots=True)
class Wipes:
    """Looks after the scenarios of one process."""

    session: Session
    witnesses: Witnesses
    _stand: bool = False
    _told: Wiped | None = None
    _put_off: set[str] = field(default_factory=set)
    """The scenarios that had left something for the end of the run when all was gone."""
    _taken_back: list[_TakenBack] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session) -> Wipes | None:
        """For the runs that nobody else leaves alone: those at a live endpoint. None for others."""
        live = session.live
        if live is None or session.control is not None or session.replayed is not None:
            return None
        client = live.recovery.client
        witnesses = Witnesses(session.client.call, client.places, client.new_code, live.spared.add)
        return cls(session, witnesses)

    def begin(self, scenario: str, rule: Rule) -> Kept:
        """A scenario begins: witnesses stand from the first on that sends orders itself. How the evidence stands."""
        if not self.session.resuming and _OF_ORDERS & set(rule.endpoints):
            with self.session.probing():
                try:
                    if not self._stand:
                        self._stand = True
                        self.witnesses.as_text = self.session.readings["account-id-type"] == "string"
                        self.witnesses.stand()
                    self.witnesses.look()
                except (TargetUnavailable, CannotRun):
                    self.witnesses.orders = []  # the scenario meets the same, and says so
        return self.session.evidence.kept(scenario)

    def wiped(self, before: Kept, error: Violation | TargetUnavailable | None) -> Wiped | None:
        """What to say of a scenario that went wrong since all was gone; None where that is not so. From then on nothing of what
        it saw counts."""
        evidence, scenario = self.session.evidence, before.scenario.id
        if not self._went_wrong(before, error):
            return None
        if scenario in self._put_off:
            self._take_back(before, error)
            return self._told
        with self.session.probing():
            try:
                if not self.witnesses.may_be_wiped:
                    return None
            except (TargetUnavailable, CannotRun):
                return None  # what keeps the run from going on it meets again with the next call
            self._take_back(before, error)
            self._put_off = set(self.session.deferred) - {scenario}
            self.session.deferred.discard(scenario)
            self._told = self.witnesses.renew()
        self.session.forget_world()
        evidence.begin(scenario)
        return self._told

    def is_run_anew(self, scenario: str) -> bool:
        """Whether it is to be run anew, so that what makes all be gone can't hide; not what was put off."""
        return scenario not in self._put_off

    def end(self) -> None:
        """Before all is cleared away: where what was sent since is gone too, the target loses what it has, and what was taken
        back stands."""
        if not self._taken_back:
            return
        try:
            if not self.witnesses.are_lost_again:
                return
        except (TargetUnavailable, CannotRun):
            return
        for one in self._taken_back:
            self._put_back(self.session.evidence, one)

    def _went_wrong(self, before: Kept, error: Violation | TargetUnavailable | None) -> bool:
        evidence = self.session.evidence
        if isinstance(error, Violation):
            return not _is_of_errors(error.rule)
        observed = (rule for rule, found in evidence.observed.items() if before.observed.get(rule) is not found)
        is_hindered = bool(evidence.scenarios[before.scenario.id].hindrance)
        return is_hindered or error is not None or not all(map(_is_of_errors, observed))

    def _take_back(self, before: Kept, error: Violation | TargetUnavailable | None) -> None:
        evidence, scenario = self.session.evidence, before.scenario
        finding = evidence.found(error, self.session.redactor) if isinstance(error, Violation) else None
        observed = evidence.take_back(before)
        evidence.observed |= {rule: found for rule, found in observed.items() if _is_of_errors(rule)}
        is_its_own = isinstance(error, Violation) and error.rule == scenario.rule
        self._taken_back.append(_TakenBack(scenario.id, finding, is_its_own, observed))

    @staticmethod
    def _put_back(evidence: Evidence, one: _TakenBack) -> None:
        for rule, found in one.observed.items():
            evidence.observed.setdefault(rule, found)
        if one.finding is None:
            return
        if one.is_its_own:
            evidence.finish(one.scenario, Outcome.FAILED, one.finding.reason, one.finding)
        else:
            evidence.observed.setdefault(one.finding.rule, one.finding)


def _is_of_errors(rule: str) -> bool:
    """Whether a rule is about how errors are answered: that is wrong whatever the target has."""
    return rule.startswith("ERR-")
