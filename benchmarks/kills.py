"""Measures which kind of fault catches which defect of the mock, and writes it to conformance/engine/kills.json: by that the
certification spends its client errors.

    python benchmarks/kills.py [--jobs N] [--only PART]

Every kind is tried by itself, at several seeds; those of reconciliations and releases on a mock that has seen nothing else, since
what one kind leaves there may be what the next one shows. One counts that catches a defect at each seed; where none does, those
that catch it most often. Defects that other scenarios catch at each seed need no kind, and are left out.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar
from unittest.mock import patch

import click
import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, catalogue
from conformance.engine import economy, laws
from conformance.engine.batch_laws import refuse_in_batches
from conformance.engine.bench import Bench
from conformance.engine.kill_matrix import KILLS_FILE, KillMatrix, KindOf, Refusal, as_json, measured
from conformance.mock.quirks import Defect, Variant
from conformance.proof.pool import Forks, Lost
from conformance.proof.prover import Mock, Plan, Prover, chosen
from conformance.run.launch import PLUGINS, closed_list, scenarios
from conformance.run.plugin import CERTIFICATION
from conformance.run.scenario import rule_of
from conformance.verdict.evidence import Outcome
from conformance.verdict.violation import Violation
from strategies.fault_parts import OF_BATCHES
from strategies.faults import FAULTS, Kind

SEEDS: Final = (0, 1, 2)

SECONDS_EACH: Final = 900.0
"""How long one mock may take with every kind of its rules, on a machine that does something else besides."""

T = TypeVar("T")

Catcher = KindOf | None
"""What caught a defect: a kind, or (None) a scenario that tries none."""

Caught = set[Catcher]


@dataclass(eq=False)  # pytest keeps plugins in sets
class Measuring(Prover):
    """Tries every kind of the rules that a defect breaks, whatever the first of them shows."""

    found: dict[str, Caught] = field(default_factory=dict)
    """By the name of the defect, the kinds that caught it."""
    _now: Caught = field(default_factory=set)
    _mock: Mock = None
    _tries_kinds: bool = False
    """Whether the running scenario does."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Draw on the plain mock, then try the defects."""
        config = session.config
        try:
            if self.failure:
                raise click.ClickException(self.failure)
            with patch.object(laws, "refuse", self._try_all):
                if alarms := self._kinds_that_catch(session, None):
                    raise click.ClickException(f"the plain mock is no defect: {sorted(alarms)}")
                forks: Forks[Defect | Variant, Caught] = Forks(
                    lambda mock: self._measure_copy(session, mock), jobs=self.plan.jobs, seconds=SECONDS_EACH
                )
                for number, (mock, result) in enumerate(forks.run(self.plan.mocks), 1):
                    if isinstance(result, Lost):
                        raise click.ClickException(f"{mock.name}: {result}")
                    self.found[mock.name] = result
                    if number % 25 == 0:
                        print(f"seed {self.plan.seed}: {number} of {len(self.plan.mocks)} defects", flush=True)
        finally:
            config.pluginmanager.unregister(config.stash[CERTIFICATION])
        return True

    def _measure_copy(self, session: pytest.Session, mock: Defect | Variant) -> Caught:
        config = session.config
        config.pluginmanager.unregister(config.stash[CERTIFICATION])
        self._begin(config, mock).enter(session.items)
        return self._kinds_that_catch(session, mock)

    def _kinds_that_catch(self, session: pytest.Session, mock: Mock) -> Caught:
        self._now, self._mock = set(), mock
        items = [
            item
            for item in session.items
            if (rule := rule_of(item)) and (not isinstance(mock, Defect) or rule.id in mock.rules)
        ]
        for item, following in zip(items, [*items[1:], None], strict=True):
            run = partial(self._run_one, item, following)
            self._now |= run() if mock is None else in_a_fork(run)
        return self._now

    def _run_one(self, item: pytest.Item, following: pytest.Item | None) -> Caught:
        evidence = item.config.stash[CERTIFICATION].session.evidence
        self._now, self._tries_kinds = set(), False
        evidence.observed.clear()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if not self._tries_kinds:
            failed = evidence.scenarios[item.nodeid].outcome is Outcome.FAILED
            for broken in (*evidence.observed, *([evidence.scenarios[item.nodeid].rule] if failed else [])):
                self._take_note(None, broken)
        return self._now

    def _try_all(self, bench: Bench, rule: Rule, endpoint: Endpoint, fault: str, statuses: tuple[str, ...]) -> int:
        """In place of `laws.refuse`."""
        self._tries_kinds = True
        refusal = Refusal(rule.id, endpoint, fault)
        kinds = economy.makeable(bench.scope).get(refusal, ())
        for kind in kinds:
            if endpoint in OF_BATCHES:
                broken = partial(_broken, bench, partial(_in_a_batch, bench, rule, endpoint, kind))
                found = broken() if self._mock is None else in_a_fork(broken)
            else:
                found = _broken(bench, partial(laws.refuse_one, bench, rule, endpoint, kind, statuses, fault))
            for rule_id in found:
                self._take_note(KindOf(refusal, kind.name), rule_id)
        return len(kinds)

    def _take_note(self, catcher: Catcher, broken: str) -> None:
        if not isinstance(self._mock, Defect) or broken in self._mock.rules:
            self._now.add(catcher)


def _broken(bench: Bench, send: Callable[[], None]) -> set[str]:
    """The rules that were seen broken while this was sent."""
    observed = bench.session.evidence.observed
    observed.clear()
    try:
        send()
    except Violation as violation:
        return {violation.rule, *observed}
    return set(observed)


def _in_a_batch(bench: Bench, rule: Rule, endpoint: Endpoint, kind: Kind) -> None:
    refuse_in_batches(bench, rule, endpoint, (kind,), which=f" {kind.name}")


def in_a_fork(work: Callable[[], set[T]]) -> set[T]:
    """What the work finds in a copy of this process, which is gone with all that it did."""
    ((_, found),) = Forks[None, set[T]](lambda _: work(), jobs=1, seconds=SECONDS_EACH).run([None])
    if isinstance(found, Lost):
        raise ChildProcessError(f"a copy of the process broke down: {found}")
    return found


def measure(seed: int, jobs: int, mocks: Sequence[Defect | Variant]) -> Mapping[str, Caught]:
    """The kinds that caught each defect at this seed."""
    plan = Plan(profile="certification", seed=seed, jobs=jobs, whole=True, mocks=tuple(mocks))
    measuring = Measuring(plan, lambda _: None)
    plugins = [name for name in PLUGINS if not name.startswith("allure")]
    with closed_list():
        pytest.main([*scenarios(plugins), "-p", "no:terminal", "--capture=no", "-n0"], plugins=[measuring])
    if len(measuring.found) < len(mocks):
        raise click.ClickException("interrupted, or the scenarios cannot be run")
    return measuring.found


def reliable(seeds: Sequence[Mapping[str, Caught]]) -> Iterator[tuple[KindOf, str]]:
    """The kinds that caught a defect at each of the seeds; where none did, those that did so most often. Defects that scenarios
    without kinds caught at each seed are left out."""
    times: dict[str, Counter[Catcher]] = defaultdict(Counter)
    for found in seeds:
        for defect, catchers in found.items():
            times[defect].update(catchers)
    for defect, counts in times.items():
        if counts.pop(None, 0) < len(seeds):
            most = max(counts.values(), default=0)
            yield from ((kind, defect) for kind, number in counts.items() if kind and number == most)


def matrix_of(seeds: Sequence[Mapping[str, Caught]]) -> KillMatrix:
    """The matrix, with every kind that there is, in the sequence of the faults' table."""
    caught: dict[KindOf, set[str]] = defaultdict(set)
    for kind, defect in reliable(seeds):
        caught[kind].add(defect)
    return {
        (kind_of := KindOf(Refusal(rule_id, endpoint, fault), kind.name)): frozenset(caught[kind_of])
        for rule_id, faults in FAULTS.items()
        for fault, kinds in faults.items()
        for endpoint in catalogue()[rule_id].endpoints
        for kind in kinds
        if endpoint in kind.endpoints
    }


def updated(before: KillMatrix, now: KillMatrix, defects: Collection[str]) -> KillMatrix:
    """The matrix with these defects measured anew. A newer kind that this shows nothing of stays unknown."""
    return {
        kind: (before.get(kind, frozenset()) - set(defects)) | caught
        for kind, caught in now.items()
        if kind in before or caught
    }


@click.command()
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="Mocks at a time.")
@click.option("--only", help="Only defects whose name contains this; what is known of the others stays.")
def main(jobs: int, only: str | None) -> None:
    """Measure, and write the matrix anew."""
    mocks = [mock for mock in (chosen(only) if only else chosen()) if isinstance(mock, Defect)]
    seeds = [measure(seed, jobs, mocks) for seed in SEEDS]
    matrix = matrix_of(seeds) if only is None else updated(measured(), matrix_of(seeds), {mock.name for mock in mocks})
    for mock in mocks if only is not None else ():
        print(f"{mock.name}: {sum(mock.name in defects for defects in matrix.values())} kinds")
    KILLS_FILE.write_text(as_json(matrix), encoding="utf-8")


if __name__ == "__main__":
    main()
