"""Runs the scenarios that showed findings again, inside pytest: the same law, with the same seed, on the same kinds of faults.

The law that found it says whether it is still there; so nothing is judged in two ways. Codes are new, periods free, ids those
that the server gives now. Findings of one scenario and the same kinds share their tries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from conformance.compat.pytest import trace_no_failures
from conformance.contract.rules import catalogue
from conformance.i18n.messages import mark
from conformance.replay.tries import TRIES, Tally, Tried
from conformance.replay.wanted import Wanted
from conformance.report.waits import Waits
from conformance.run.certification import Certification
from conformance.run.options import Task
from conformance.run.plugin import CERTIFICATION
from conformance.run.scenario import rule_of, scenario_name
from conformance.run.session import Options, Session
from conformance.verdict.evidence import Outcome, ScenarioEvidence
from conformance.verdict.verdicts import unseen


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that the same try shows."""

    item: pytest.Item
    kinds: tuple[str, ...]
    findings: tuple[Wanted, ...]


@dataclass(eq=False)  # pytest keeps plugins in sets
class Replayer:
    """A pytest plugin. `tell` is called with every finding when it is clear what became of it."""

    options: Options
    findings: Sequence[Wanted]
    tell: Callable[[Wanted, Tally], None]
    waits: Waits
    tries: int = TRIES
    tallies: dict[str, Tally] = field(default_factory=dict)
    """By the id of the finding."""
    failure: str = ""
    """Why nothing could be run."""
    certification: Certification | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Run as the certificate's run did, not as pytest's options say."""
        self.certification = Certification(Task(options=self.options), waits=self.waits)
        config.stash[CERTIFICATION] = self.certification
        config.pluginmanager.register(self.certification, "koncili-certification")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Scenarios that can't be collected show nothing."""
        if report.failed:
            self.failure = f"{report.nodeid}: {report.longreprtext}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Make the tries in place of the one run that pytest would make."""
        trace_no_failures(session.config)
        if not self.failure and self.certification is not None:
            self.tallies.update(replay(session, self.certification, self.findings, tries=self.tries, tell=self.tell))
        return True


def replay(
    session: pytest.Session,
    certification: Certification,
    findings: Sequence[Wanted],
    *,
    tries: int = TRIES,
    tell: Callable[[Wanted, Tally], None] = lambda _, __: None,
) -> dict[str, Tally]:
    """Try the findings again until each is clear; round by round, so that what comes and goes has time to."""
    tallies = {one.id: Tally(tries) for one in findings}
    groups, lost = _groups(session.items, findings)
    for one, why_not in lost.items():
        tallies[one.id] = Tally(tries, (Tried(why_not=why_not),))
        tell(one, tallies[one.id])
    while open_ := [group for group in groups if not all(tallies[one.id].is_clear for one in group.findings)]:
        for group in open_:
            opened = certification.session
            # The smallest example is wanted once; every further try only says whether there is one.
            opened.options = replace(opened.options, shrink=not any(tallies[one.id].shown for one in group.findings))
            results = _try(session, certification, group)
            for one in group.findings:
                was_clear = tallies[one.id].is_clear
                tallies[one.id] = tallies[one.id].having(results[one.id])
                if tallies[one.id].is_clear and not was_clear:
                    tell(one, tallies[one.id])
            if session.shouldstop:
                return tallies
    return tallies


def _groups(items: Iterable[pytest.Item], findings: Sequence[Wanted]) -> tuple[tuple[Group, ...], dict[Wanted, str]]:
    """The findings by what shows them, and those that nothing shows, with the reason."""
    by_name = {(rule.id, scenario_name(item)): item for item in items if (rule := rule_of(item)) is not None}
    found: dict[tuple[pytest.Item, tuple[str, ...]], list[Wanted]] = {}
    lost: dict[Wanted, str] = {}
    for one in findings:
        during = one.finding.during
        item = by_name.get((during.rule, during.scenario)) if during else None
        if during is None:
            lost[one] = mark("the certificate does not say which scenario showed it; certify again")
        elif item is None:
            lost[one] = mark(f"this suite has no scenario {during.scenario!r} of {during.rule}; certify again")
        else:
            found.setdefault((item, tuple(during.kinds)), []).append(one)
    return tuple(Group(item, kinds, tuple(those)) for (item, kinds), those in found.items()), lost


def _try(session: pytest.Session, certification: Certification, group: Group) -> Mapping[str, Tried]:
    """One try of all findings of a group; where another kind stood before one, that one by itself."""
    scenario = _run(session, certification, group.item, group.kinds)
    results = {one.id: _seen(certification.session, scenario, one) for one in group.findings}
    for one in group.findings:
        if not results[one.id].why_not or scenario.outcome is not Outcome.FAILED or not one.finding.kind:
            continue
        alone = _run(session, certification, group.item, (one.finding.kind,))
        results[one.id] = _seen(certification.session, alone, one)
    return results


def _run(
    session: pytest.Session, certification: Certification, item: pytest.Item, kinds: tuple[str, ...]
) -> ScenarioEvidence:
    opened = certification.session
    opened.evidence.forget(item.nodeid)
    opened.forget_ahead()
    opened.replayed = kinds or None  # none: it was seen while several scenarios were tried together, and so it is again
    try:
        certification.run_whole(item, session)
    finally:
        opened.replayed = None
    return opened.evidence.scenarios[item.nodeid]


def _seen(opened: Session, scenario: ScenarioEvidence, one: Wanted) -> Tried:
    """Whether a try showed the finding. It did not only where the scenario saw all that it is to see."""
    own = scenario.finding if scenario.outcome is Outcome.FAILED and scenario.rule == one.rule else None
    beside = opened.evidence.observed.get(one.rule)
    if own is not None and (not one.finding.kind or own.kind == one.finding.kind):
        return Tried(shown=True, told=own.text())
    if beside is not None:
        return Tried(shown=True, told=beside.text())
    if scenario.outcome is Outcome.FAILED:
        return Tried(why_not=mark(f"{scenario.rule} is broken in another way: {scenario.reason}"))
    if scenario.outcome is not Outcome.PASSED:
        return Tried(why_not=scenario.reason or mark("the run was ended before"))
    return Tried(why_not=unseen(catalogue()[scenario.rule], scenario, opened.readings))
