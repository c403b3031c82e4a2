"""How surely `replay` tells what is still there from what is fixed: `python -m benchmarks.replays [--only PART]`.

Each defect of the mock is certified until its first failing scenario; what was found is tried again on the same mock (it must be
still there) and on the plain one (it must be fixed). Prints every finding of which either is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.rules import catalogue
from conformance.mock.defects import DEFECTS
from conformance.mock.quirks import Defect
from conformance.proof.pool import Forks, Lost
from conformance.proof.prover import in_turn
from conformance.replay.replayer import replay
from conformance.replay.tries import Fate
from conformance.replay.wanted import Wanted
from conformance.run.certification import Certification
from conformance.run.launch import PLUGINS, closed_list, scenarios
from conformance.run.options import Task
from conformance.run.plugin import CERTIFICATION
from conformance.run.session import Options
from conformance.target.config import Target
from conformance.verdict.certificate import make_certificate
from conformance.verdict.verdicts import RuleVerdict, judge_rule

SECONDS_EACH = 600.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """A finding, and what became of it on either mock; the client errors that the tries took."""

    defect: str
    finding: str
    same: str
    plain: str
    client_errors: int


@dataclass(eq=False)
class Replays:
    """The pytest plugin that does it, a forked copy for each defect."""

    defects: tuple[Defect, ...]
    jobs: int
    tell: Callable[[list[Replayed]], None]
    results: list[Replayed] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    """Defects of which no finding came about, or whose copy was lost."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Certify the plain mock, so that the scenarios are collected."""
        _begin(config, Options())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the defects in place of the one run that pytest would make."""
        forks: Forks[Defect, list[Replayed]] = Forks(
            lambda defect: _in_a_copy(session, defect), jobs=self.jobs, seconds=SECONDS_EACH
        )
        for defect, result in forks.run(self.defects):
            if isinstance(result, Lost) or not result:
                self.without.append(f"{defect.name}: {result or 'nothing found'}")
            else:
                self.results += result
                self.tell(result)
        session.config.pluginmanager.unregister(session.config.stash[CERTIFICATION])
        return True


def _begin(config: pytest.Config, options: Options) -> Certification:
    if CERTIFICATION in config.stash:
        config.pluginmanager.unregister(config.stash[CERTIFICATION])
    certification = Certification(Task(options=options))
    config.stash[CERTIFICATION] = certification
    config.pluginmanager.register(certification, "koncili-certification")
    return certification


def _in_a_copy(session: pytest.Session, defect: Defect) -> list[Replayed]:
    findings = _found(session, defect)
    fates: list[dict[str, str]] = []
    client_errors = 0
    for names in ((defect.name,), ()):
        certification = _begin(session.config, Options(defects=names))
        certification.enter(session.items)
        tallies = replay(session, certification, findings)
        fates.append({one.id: tallies[one.id].words for one in findings})
        client_errors += certification.session.journal.traffic.client_errors
        session._setupstate.teardown_exact(None)
    same, plain = fates
    return [Replayed(defect.name, one.id, same[one.id], plain[one.id], client_errors) for one in findings]


def _found(session: pytest.Session, defect: Defect) -> tuple[Wanted, ...]:
    """What breaks the rules of the defect, as the first failing scenario shows it."""
    certification = _begin(session.config, Options(defects=(defect.name,)))
    certification.enter(session.items)
    opened = certification.session
    items = in_turn(session.items, defect)
    for item, following in zip(items, (*items[1:], None), strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        results = [judge_rule(catalogue()[rule], opened.evidence, opened.readings) for rule in sorted(defect.rules)]
        if any(result.verdict is RuleVerdict.FAIL for result in results):
            session._setupstate.teardown_exact(None)
            return tuple(_wanted(results, opened.target, opened.readings, opened.readings_from, opened.started_at))
    return ()


def _wanted(results: Any, target: Target, readings: Any, how: Any, at: Any) -> Iterator[Wanted]:
    """The findings as a certificate has them."""
    traffic = dict.fromkeys(("requests", "client_errors", "server_errors", "throttled"), 0)
    certificate = make_certificate(
        results=results, target=target, profile="certification", seed=0, readings=readings, readings_from=how,
        traffic=traffic, started_at=at, finished_at=at,
    )  # fmt: skip
    for entry in certificate.rules:
        for finding in entry.findings:
            yield Wanted(entry.id, finding)


def _rate(fates: list[str], wanted: Fate) -> str:
    right = sum(fate.startswith(wanted) for fate in fates)
    return f"{right} of {len(fates)} ({100 * right / len(fates):.2f} %)"


def main() -> int:
    """Do it, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="defects whose name contains this (repeatable)")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th defect")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="also write every finding there as it comes, a line of JSON each")
    chosen = parser.parse_args()
    defects = [one for one in DEFECTS.values() if not chosen.only or any(part in one.name for part in chosen.only)]
    lines = chosen.json.open("w", encoding="utf-8") if chosen.json else None

    def tell(results: list[Replayed]) -> None:
        for one in results if lines else ():
            print(json.dumps(asdict(one)), file=lines, flush=True)

    replays = Replays(tuple(defects[:: chosen.every]), chosen.jobs, tell)
    plugins = [name for name in PLUGINS if not name.startswith("allure")]
    started = time.perf_counter()
    with closed_list():
        pytest.main([*scenarios(plugins), "-p", "no:terminal", "--capture=no", "-n0"], plugins=[replays])
    seconds = time.perf_counter() - started
    for line in replays.without:
        print(f"no finding: {line}")
    for one in replays.results:
        if not (one.same.startswith(Fate.STILL_THERE) and one.plain.startswith(Fate.FIXED)):
            print(f"{one.defect}: {one.finding}: on the same mock {one.same}; on the plain one {one.plain}")
    if not replays.results:
        print("nothing was replayed")
        return 1
    print(f"{len(replays.defects)} defects, {len(replays.results)} findings, {seconds:.0f} s")
    print(f"still there on the same mock: {_rate([one.same for one in replays.results], Fate.STILL_THERE)}")
    print(f"fixed on the plain one: {_rate([one.plain for one in replays.results], Fate.FIXED)}")
    errors = Counter({one.defect: one.client_errors for one in replays.results})
    print(
        f"client errors: {sum(errors.values()) / len(errors):.1f} for a defect's findings on both, {max(errors.values())} at most"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
