"""What a pytest run is asked to certify, by its options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.rules import catalogue
from conformance.durations import seconds_of
from conformance.errors import CannotRun
from conformance.planning.shards import Shard, shard_of
from conformance.report.files import ALLURE_RESULTS, TRAFFIC, Reports
from conformance.report.screen import Screen
from conformance.run.session import Options, chosen_rules, chosen_seed, chosen_target, is_to_listen
from conformance.verdict.proven import own_proof
from conformance.verdict.verdicts import CANNOT_RUN
from conformance.verdict.waivers import Waiver, load_waivers

SEED: Final = "koncili_seed"
"""What workers are told of the seed: each would else choose one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one process of a run has to do."""

    options: Options
    rules: frozenset[str] = frozenset()
    """These only; none means all."""
    asked: frozenset[str] = frozenset()
    """Those of all shards, where this is one."""
    reports: Reports | None = None
    """Where results are left."""
    waivers: tuple[Waiver, ...] = ()
    worker: str | None = None
    """The name of this xdist worker."""
    run: str = ""
    """What all workers of a run have in common."""
    controls: bool = False
    """Whether this process only leads workers."""
    screen: Screen | None = None
    """What shows the run in place of pytest."""

    @property
    def traffic_file(self) -> Path | None:
        """Where this process writes its traffic."""
        if self.reports is None:
            return None
        return self.reports.traffic_of(self.worker) if self.worker else self.reports.path(TRAFFIC)


def task_of(config: pytest.Config, directory: Path | None) -> Task:
    """What the pytest options ask for, the results left in `directory`. A wrong option ends pytest with code 3."""
    worker = getattr(config, "workerinput", {}).get("workerid")
    option = config.getoption
    options = Options(
        target_file=Path(option("koncili_target")) if option("koncili_target") else None,
        profile=option("koncili_profile") or "certification",
        seed=getattr(config, "workerinput", {}).get(
            SEED, _seed(option("koncili_seed"), option(_HYPOTHESIS_SEED, None))
        ),
        defects=tuple(option("koncili_defect") or ()),
        variants=tuple(option("koncili_variant") or ()),
        production_host=option("koncili_allow_production"),
        patient=option("koncili_patient"),
        max_wait=_seconds("--koncili-max-wait", option("koncili_max_wait")),
        keep_going=option("koncili_keep_going"),
        complete=option("koncili_complete"),
        long_waivers=option("koncili_long_waivers"),
        contract=option("koncili_contract"),
        proof=Path(option("koncili_proof")) if option("koncili_proof") else None,
        shard=_shard(option("koncili_shard")),
        alone=worker is None,
    )
    reports = _reports(config, directory) if directory else None
    try:
        if reports and worker is None:
            reports.claim()  # before all else: nobody is to take the last run's certificate for this one's
            _leave_files(config, reports)
        rules = frozenset(rule.upper() for rule in option("koncili_rule") or ())
        check_known(rules)
        catalogue(version=options.contract)
        own_proof(options.proof, None)
        waivers = _waivers(option("koncili_waivers"), long=option("koncili_long_waivers"))
        target = chosen_target(options)
        asked, rules = rules, frozenset(chosen_rules(options, rules))
        options = replace(options, seed=chosen_seed(options), listens=is_to_listen(options, target, rules))
    except CannotRun as error:
        raise pytest.exit.Exception(str(error), CANNOT_RUN) from None
    return Task(
        options=options,
        rules=rules,
        asked=asked,
        reports=reports,
        waivers=waivers,
        worker=worker,
        run=getattr(config, "workerinput", {}).get("testrunuid", ""),
        controls=worker is None and getattr(config.option, "dist", "no") != "no",
        screen=next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Screen)), None),
    )


def _waivers(given: str | None, *, long: bool) -> tuple[Waiver, ...]:
    return load_waivers(Path(given), datetime.now(UTC), long=long) if given else ()


def _shard(given: str | None) -> Shard | None:
    """The shard that the option names. Where it names none, pytest ends with code 3."""
    try:
        return None if given is None else shard_of(given)
    except ValueError as error:
        raise pytest.exit.Exception(f"--koncili-shard: {error}", CANNOT_RUN) from None


_HYPOTHESIS_SEED: Final = "--hypothesis-seed"


def _seed(own: int | None, hypothesis: object) -> int | None:
    """The seed that is asked for: Hypothesis's own option means the same. Where it can't, pytest ends with code 3."""
    if hypothesis is None:
        return own
    try:
        seed = int(str(hypothesis))
    except ValueError:
        raise pytest.exit.Exception(
            f"{_HYPOTHESIS_SEED} {hypothesis}: a certificate tells its seed as a number; give one, or --koncili-seed",
            CANNOT_RUN,
        ) from None
    if own not in {None, seed}:
        raise pytest.exit.Exception(
            f"{_HYPOTHESIS_SEED} {seed} and --koncili-seed {own}: leave out one of them", CANNOT_RUN
        )
    return seed


def _seconds(option: str, given: str | None) -> float | None:
    """The seconds that an option names. Where it names none, pytest ends with code 3."""
    try:
        return None if given is None else seconds_of(given)
    except ValueError as error:
        raise pytest.exit.Exception(f"{option}: {error}", CANNOT_RUN) from None


def check_known(rules: Iterable[str]) -> None:
    """Raises CannotRun where one of them is no rule of the catalogue."""
    unknown = sorted(set(rules) - catalogue().rules.keys())
    if unknown:
        named = ", ".join(f"{rule}{catalogue().nearest(rule)}" for rule in unknown)
        raise CannotRun(f"{named}: no such rule; `koncili-conformance rules` lists them")


def certifies(config: pytest.Config) -> bool:
    """Whether pytest is to run tests at all, and not only to tell of them or of itself."""
    return not any(getattr(config.option, name, False) for name in _TELLS_ONLY)


_TELLS_ONLY: Final = (
    "collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setuponly", "setupplan",
)  # fmt: skip


def _reports(config: pytest.Config, directory: Path) -> Reports:
    """The directory of this run; where `certify` has claimed it, that one's."""
    claimed = (plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Reports))
    return next(claimed, None) or Reports(directory)


def _leave_files(config: pytest.Config, reports: Reports) -> None:
    """Allure writes beside the certificate, unless told otherwise."""
    if not config.option.allure_report_dir:
        config.option.allure_report_dir = str(reports.path(ALLURE_RESULTS))
