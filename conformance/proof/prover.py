"""The prover inside pytest: certifies the plain mock once, then forks a copy of this process for each mock of the fleets.

Collecting the scenarios and drawing the examples, which take longer than sending them, is thereby done once for all.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from conformance.compat.pytest import trace_no_failures
from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.mock.defects import DEFECTS, FAMILY_OF
from conformance.mock.quirks import Defect, Variant
from conformance.mock.variants import VARIANTS
from conformance.planning.shards import Shard
from conformance.proof.companies import Company, companies
from conformance.proof.pool import Forks, Lost
from conformance.proof.proof import Fate, Subject, fate_of_defect, held_up
from conformance.run.certification import Certification
from conformance.run.options import Task
from conformance.run.outcome import HARNESS_ERROR
from conformance.run.plugin import CERTIFICATION
from conformance.run.session import Options
from conformance.verdict.evidence import Evidence, Outcome
from conformance.verdict.verdicts import RuleVerdict, RunVerdict, judge_rule, judge_run

SECONDS_EACH: Final = 180.0
"""How long one mock may take; most take one second, or five."""

Mock = Defect | Variant | Company | None
"""A mock of a fleet, or one that is several variants at once; None is the plain one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be proved, and how."""

    profile: str
    seed: int | None
    jobs: int
    whole: bool
    """Whether a defect's run goes on to its end, so that every rule that it gets blamed is seen."""
    mocks: tuple[Defect | Variant, ...]
    together: bool = False
    """Whether variants share mocks; each of those that did not pass so is tried by itself."""


def chosen(*parts: str, shard: Shard | None = None) -> tuple[Defect | Variant, ...]:
    """The mocks whose name contains one of these parts (all, where none is given); of a shard the n-th of every so many of them.
    Raises CannotRun where a part is in none, or there are fewer mocks than shards."""
    # Variants first: they take longest, and no core is to be idle at the end.
    fleets: list[Defect | Variant] = []
    fleets.extend(VARIANTS.values())
    fleets.extend(DEFECTS.values())
    unknown = [part for part in parts if not any(part in mock.name for mock in fleets)]
    if unknown:
        raise CannotRun(
            f"no defect and no variant has {unknown[0]!r} in its name; `koncili-conformance mock --list` has all"
        )
    asked = tuple(mock for mock in fleets if not parts or any(part in mock.name for part in parts))
    if shard is None:
        return asked
    if shard.of > len(asked):
        raise CannotRun(f"--shard {shard}: there are only {len(asked)} mocks to share out; take fewer shards")
    return asked[shard.number - 1 :: shard.of]


@dataclass(eq=False)  # pytest keeps plugins in sets
class Prover:
    """A pytest plugin. `tell` is called with every subject as it comes, the plain mock first."""

    plan: Plan
    tell: Callable[[Subject], None]
    subjects: list[Subject] = field(default_factory=list)
    failure: str = ""
    """Why the scenarios could not be run at all."""
    seed: int = 0
    _drawn: dict[Hashable, list[Any]] = field(default_factory=dict)

    # -- pytest's hooks --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Certify as the plan says, not as pytest's options do."""
        self._begin(config, None)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Scenarios that can't be collected can prove nothing."""
        if report.failed:
            self.failure = f"{report.nodeid}: {report.longreprtext}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the fleets in place of the one run that pytest would make."""
        config, items = session.config, session.items
        trace_no_failures(config)  # a proof has its counterexamples from the evidence
        try:
            if not self.failure:
                self._take(self._subject(session, None, items))
                gc.freeze()  # what was drawn is no garbage, in no copy
                forks: Forks[Defect | Variant | Company, Subject] = Forks(
                    lambda mock: self._in_a_copy(session, mock), jobs=self.plan.jobs, seconds=SECONDS_EACH
                )
                self._run(forks)
        finally:
            config.pluginmanager.unregister(config.stash[CERTIFICATION])
        return True

    def _run(self, forks: Forks[Defect | Variant | Company, Subject]) -> None:
        """Every mock. Of a company that did not pass each is tried alone; where all pass so, what it showed stands."""
        doubtful: list[dict[str, Subject]] = []
        for mock, result in forks.run(_shared(self.plan.mocks) if self.plan.together else self.plan.mocks):
            subject = self._measured(mock, result)
            if isinstance(mock, Company):
                members = {one.name: one for one in _of_company(mock, subject)}
                if not subject.is_as_it_should_be:
                    doubtful.append(members)
                    continue
                for one in members.values():
                    self._take(one)
            else:
                self._take(subject)
        names = {name for members in doubtful for name in members}
        tried = forks.run(mock for mock in self.plan.mocks if mock.name in names)
        alone = {mock.name: self._measured(mock, result) for mock, result in tried}
        for members in doubtful:
            by_themselves = {name: alone[name] for name in members}
            explained = not all(one.is_as_it_should_be for one in by_themselves.values())
            for one in (by_themselves if explained else members).values():
                self._take(one)

    def _measured(self, mock: Defect | Variant | Company, result: Subject | Lost) -> Subject:
        return held_up(_lost(mock, result) if isinstance(result, Lost) else result, self.subjects[0])

    def _take(self, subject: Subject) -> None:
        self.subjects.append(subject)
        self.tell(subject)

    # -- one mock --------------------------------------------------------------------------------------------------

    def _begin(self, config: pytest.Config, mock: Mock) -> Certification:
        options = Options(
            profile=self.plan.profile,
            seed=self.plan.seed,
            defects=(mock.name,) if isinstance(mock, Defect) else (),
            variants=_names(mock),
            shrink=False,
        )
        certification = Certification(Task(options=options), drawn=self._drawn)
        config.stash[CERTIFICATION] = certification
        config.pluginmanager.register(certification, "koncili-certification")
        return certification

    def _in_a_copy(self, session: pytest.Session, mock: Defect | Variant | Company) -> Subject:
        config = session.config
        config.pluginmanager.unregister(config.stash[CERTIFICATION])
        self._begin(config, mock).enter(session.items)
        return self._subject(session, mock, session.items)

    def _subject(self, session: pytest.Session, mock: Mock, items: Sequence[pytest.Item]) -> Subject:
        """Certify a mock, and say what became of it."""
        started = time.perf_counter()
        certification: Certification = session.config.stash[CERTIFICATION]
        opened = certification.session
        self.seed = opened.seed
        for item, following in _pairs(in_turn(items, mock)):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if isinstance(mock, Defect) and not self.plan.whole and mock.rules & _blamed(opened.evidence).keys():
                break
        traffic = opened.journal.traffic
        return judged(
            mock, opened.evidence, opened.readings,
            requests=traffic.requests, client_errors=traffic.client_errors, seconds=time.perf_counter() - started,
        )  # fmt: skip


def in_turn(items: Sequence[pytest.Item], mock: Mock) -> list[pytest.Item]:
    """The scenarios, those first whose rule a defect breaks: the one that its name begins with before all."""
    if not isinstance(mock, Defect):
        return list(items)
    own = mock.name[:6].upper()
    return sorted(items, key=lambda item: (_rule_of(item) not in mock.rules, _rule_of(item) != own))


def _rule_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("rule")
    return str(marker.args[0]) if marker else ""


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, (*items[1:], None), strict=True)


def _blamed(evidence: Evidence) -> dict[str, str]:
    """Every rule seen broken, with the reason."""
    failed = {
        scenario.rule: scenario.reason
        for scenario in evidence.scenarios.values()
        if scenario.outcome is Outcome.FAILED and scenario.finding
    }
    return {**{rule: finding.reason for rule, finding in evidence.observed.items()}, **failed}


def judged(mock: Mock, evidence: Evidence, readings: dict[str, str], **figures: Any) -> Subject:
    """What became of a mock, by what was seen of it; the `figures` are those of its subject. Where the suite itself broke down
    in a scenario nothing can be said: it would have blamed nothing there, however wrong it is."""
    blamed = _blamed(evidence)
    if broke_down := [why for why in _stood_in_the_way(evidence) if HARNESS_ERROR in why]:
        verdict, reason = Fate.UNDECIDED, "; ".join(broke_down)
    elif isinstance(mock, Defect):
        verdict, reason = fate_of_defect(blamed, mock.rules), ""
        if verdict is Fate.MISSED:
            reason = "; ".join(_stood_in_the_way(evidence))
    else:
        disregards = mock.disregards if isinstance(mock, Variant) else frozenset[str]()
        verdict, reason = _fate_of_variant(evidence, readings, frozenset(blamed), disregards)
    return Subject(
        **_who(mock), verdict=verdict, blamed=blamed, reason=reason, counterexample=_counterexample(evidence),
        scenarios=sum(scenario.outcome is not Outcome.NOT_RUN for scenario in evidence.scenarios.values()), **figures,
    )  # fmt: skip


def _fate_of_variant(
    evidence: Evidence, readings: dict[str, str], blamed: frozenset[str], disregards: frozenset[str]
) -> tuple[Fate, str]:
    if blamed - disregards:
        return Fate.FALSE_ALARM, ""
    if disregards - blamed:
        return Fate.UNDECIDED, f"it was to fail {', '.join(sorted(disregards - blamed))}"
    results = [judge_rule(rule, evidence, readings) for rule in catalogue().rules.values() if rule.id not in disregards]
    open_ = [f"{result.rule.id}: {result.reason}" for result in results if result.verdict is not RuleVerdict.PASS]
    decided = not open_ and judge_run(results) is RunVerdict.CONFORMANT
    return (Fate.PASSED, "") if decided else (Fate.UNDECIDED, "; ".join(open_))


def _stood_in_the_way(evidence: Evidence) -> Iterable[str]:
    """Why scenarios came to nothing."""
    for scenario in evidence.scenarios.values():
        if scenario.outcome is Outcome.INCONCLUSIVE:
            yield f"{scenario.rule} {scenario.name}: {scenario.reason}"


def _counterexample(evidence: Evidence) -> str:
    findings = [scenario.finding for scenario in evidence.scenarios.values() if scenario.finding]
    return next((finding.text() for finding in (*findings, *evidence.observed.values())), "")


def _shared(mocks: Iterable[Defect | Variant]) -> list[Defect | Variant | Company]:
    """These mocks, variants in companies. They come first, as in `chosen`."""
    fleet = list(mocks)
    return [
        *companies(mock for mock in fleet if isinstance(mock, Variant)),
        *(mock for mock in fleet if isinstance(mock, Defect)),
    ]


def _of_company(company: Company, subject: Subject) -> Iterator[Subject]:
    """What became of the company as what became of each of its variants."""
    for variant in company.variants:
        beside = tuple(other.name for other in company.variants if other is not variant)
        yield subject.model_copy(update={"name": variant.name, "statement": variant.statement, "beside": beside})


def _names(mock: Mock) -> tuple[str, ...]:
    """The names of the variants that it is."""
    if isinstance(mock, Company):
        return tuple(variant.name for variant in mock.variants)
    return (mock.name,) if isinstance(mock, Variant) else ()


def _lost(mock: Defect | Variant | Company, lost: Lost) -> Subject:
    return Subject(
        **_who(mock), verdict=Fate.UNDECIDED, reason=str(lost), scenarios=0, requests=0, client_errors=0, seconds=0
    )


def _who(mock: Mock) -> dict[str, Any]:
    if mock is None:
        return {"name": "the plain mock", "family": "plain", "statement": "Does what is documented."}
    if isinstance(mock, Defect):
        rules = tuple(sorted(mock.rules))
        return {"name": mock.name, "family": FAMILY_OF[mock.name], "statement": mock.statement, "rules": rules}
    return {"name": mock.name, "family": "variant", "statement": "" if isinstance(mock, Company) else mock.statement}
