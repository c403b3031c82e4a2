"""Puts the shards of one certification together: one certificate, on which one gate decides."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from conformance.contract.rules import catalogue
from conformance.errors import CannotRun
from conformance.planning.costs import COMPLETE
from conformance.planning.shards import Shard, rules_of
from conformance.report.files import ALLURE_RESULTS, TRAFFIC, Reports
from conformance.run.options import Task
from conformance.run.outcome import Ending
from conformance.run.session import Options
from conformance.run.shard_file import ShardFile, read_shard
from conformance.target.wire.redaction import Redactor
from conformance.verdict.evidence import Evidence, Outcome

APART_AT_MOST: Final = timedelta(days=1)
"""So long after the first of them the last shard may have ended: what was seen of a target's parts on different days says
nothing of the whole."""

_THE_SAME: Final[dict[str, Callable[[ShardFile], Any]]] = {
    "number of shards": lambda one: one.shard.of,
    "suite": lambda one: one.certificate.suite,
    "contract": lambda one: one.certificate.contract,
    "target": lambda one: one.certificate.target,
    "profile": lambda one: one.certificate.profile,
    "seed": lambda one: one.certificate.seed,
    "--complete": lambda one: one.complete,
    "--rule": lambda one: one.rules,
    "--waivers": lambda one: one.waivers,
}


def merge(directories: Sequence[Path], reports: Reports, *, html: bool) -> Ending:
    """Merge what the shards left; the certificate and its reports lie in `reports` then. Raises CannotRun."""
    shards = sorted((read_shard(directory) for directory in directories), key=lambda one: one.shard)
    for problem in problems(shards):
        raise CannotRun(problem)
    reports.claim()
    first = shards[0].certificate
    ending = Ending(
        Task(
            options=Options(profile=first.profile, seed=first.seed, contract=first.contract.version),
            reports=reports,
            waivers=shards[0].waivers,
        ),
        min(one.certificate.started_at for one in shards),
    )
    for one in shards:
        ending.take(one.ended)
        _copy(one, reports)
    ending.certify(
        whole(shards),
        _sum([one.certificate.traffic.model_dump() for one in shards]),
        Redactor(),
        part=first,
        finished_at=max(one.certificate.finished_at for one in shards),
    )
    results = reports.path(ALLURE_RESULTS)
    if results.is_dir():
        ending.finish_results(results)
        ending.make_pages(reports, results, html=html)
    return ending


def problems(shards: Sequence[ShardFile]) -> Iterator[str]:
    """Why they are no shards of one certification, with the remedy."""
    first = shards[0]
    for other in shards[1:]:
        for name, told in _THE_SAME.items():
            if told(other) != told(first):
                yield (
                    f"{first.directory} and {other.directory} are of different certifications: {name}; run every shard with "
                    "the same suite, target file and options"
                )
        if other.shard in {one.shard for one in shards if one is not other}:
            yield f"shard {other.shard} is there twice; give each directory once, and one of each shard"
    ends = [one.certificate.finished_at for one in shards]
    if max(ends) - min(ends) > APART_AT_MOST:
        yield f"the shards ended more than {APART_AT_MOST.days * 24} hours apart; run them all again"
    probed: dict[str, tuple[str, Path]] = {}
    for one in shards:
        for reading, how in one.certificate.readings_from.items():
            value = one.certificate.readings[reading]
            before = probed.setdefault(reading, (value, one.directory)) if how == "probed" else (value, one.directory)
            if before[0] != value:
                yield (
                    f"{before[1]} and {one.directory} have found the target to follow {reading} = {before[0]} and {value}; "
                    "state the reading in the target file, and run all shards again"
                )


def whole(shards: Sequence[ShardFile]) -> Evidence:
    """All that they saw. What a shard was to do that is missing is undecided: it is never taken for shown."""
    evidence = Evidence.merged([one.evidence for one in shards])
    for one in shards:  # a shard that had no need to ask has the default
        for reading, how in one.certificate.readings_from.items():
            if how != "default":
                evidence.readings[reading] = one.certificate.readings[reading]
                evidence.readings_from[reading] = how
    for shard, rules in _missing(shards):
        for scenario in evidence.scenarios.values():
            if scenario.rule in rules and scenario.outcome is Outcome.NOT_RUN:
                evidence.finish(scenario.id, Outcome.INCONCLUSIVE, f"shard {shard} is missing")
    return evidence


def _missing(shards: Sequence[ShardFile]) -> Iterator[tuple[Shard, frozenset[str]]]:
    first = shards[0]
    asked = [rule for rule in catalogue().rules if not first.rules or rule in first.rules]
    profile = COMPLETE if first.complete else first.certificate.profile
    for number in range(1, first.shard.of + 1):
        shard = Shard(number, first.shard.of)
        if shard not in {one.shard for one in shards}:
            yield shard, frozenset(rules_of(shard, asked, profile))


def _copy(shard: ShardFile, reports: Reports) -> None:
    """Put its traffic and Allure's results to those of the others. Raises CannotRun."""
    try:
        if (traffic := shard.directory / TRAFFIC).is_file():
            shutil.copyfile(traffic, reports.traffic_of(f"shard-{shard.shard.number:02}"))
        if (results := shard.directory / ALLURE_RESULTS).is_dir():
            shutil.copytree(results, reports.path(ALLURE_RESULTS), dirs_exist_ok=True)
    except OSError as error:
        raise CannotRun(f"{reports.directory}: what shards left cannot be copied there: {error}") from None


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(one[name] for one in counts) for name in counts[0]}
