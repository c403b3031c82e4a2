"""Measures what each scenario costs and writes it to conformance/planning/costs.json, from which runs are planned.

    python benchmarks/costs.py [--profile NAME]... [--to FILE]

Every profile is certified on a mock on a socket that is treated as a live endpoint: neither its clock nor its limits are
touched, every reading is found out by probing, and a callback URL tells when a reconciliation is finished. It reconciles at
once: what a target takes for that costs time, but no request.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Generator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import click
import httpx
import pytest
from speed import served

from conformance.mock.app import CONTROL_PATH
from conformance.mock.target import to_toml
from conformance.planning.costs import (
    CLEARING,
    COMPLETE,
    COSTS_FILE,
    PREFLIGHT,
    PROBING,
    RUNS,
    Stage,
    as_json,
    client_errors_of,
    measured,
    requests_of,
)
from conformance.run.certification import Certification
from conformance.run.launch import PLUGINS, closed_list, scenarios
from conformance.run.options import Task
from conformance.run.plugin import CERTIFICATION
from conformance.run.session import Options
from conformance.target.shared.budget import NoLimits
from conformance.target.wire.journal import Spent
from conformance.verdict.evidence import Outcome

SEED = 0
"""That of every smoke and certification. Those of deep vary: the table has what it costs with one of them."""

UNEXPECTED = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.NOT_RUN)


class Measuring:
    """A pytest plugin: certifies as `options` say, and keeps apart what is sent outside of scenarios."""

    def __init__(self, options: Options) -> None:
        self._certification = Certification(Task(options=options))
        self._preflight = self._before_clearing = Spent()
        self.stages: list[Stage] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Certify as told, not as pytest's options say."""
        config.stash[CERTIFICATION] = self._certification
        config.pluginmanager.register(self._certification, "koncili-certification")

    def pytest_collection_finish(self) -> None:
        """So far only a token and the accounts were asked for."""
        self._preflight = self._certification.session.journal.spent()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        """What is sent from here on clears away: the certification does so before all that is no wrapper."""
        self._before_clearing = self._certification.session.journal.spent()
        yield

    def pytest_unconfigure(self) -> None:
        """Put the stages together, the scenarios in the order in which they ran."""
        session = self._certification.session
        scenarios = session.evidence.scenarios.values()
        unexpected = [
            f"{one.rule} {one.name}: {one.outcome}: {one.reason}" for one in scenarios if one.outcome in UNEXPECTED
        ]
        if unexpected:
            raise click.ClickException("\n".join(["a lawful server did not pass:", *unexpected]))
        self.stages = [
            outside(PREFLIGHT, self._preflight + self._preflight),
            outside(PROBING, session.probed),
            # What others have shown for it costs a scenario nothing.
            *(
                Stage(one.rule, one.name, one.requests_to, one.client_errors, one.reconciliations)
                for one in scenarios
                if one.requests or one.outcome is Outcome.PASSED
            ),
            outside(CLEARING, session.journal.spent() - self._before_clearing),
        ]
        told = requests_of(self.stages) - self._preflight.requests
        if told != session.journal.by_endpoint:
            raise click.ClickException(f"{told} in the table is not {session.journal.by_endpoint} as sent")


def outside(name: str, spent: Spent) -> Stage:
    """A stage outside of all scenarios. `certify` makes sure of the target before pytest starts, and once more in the run."""
    return Stage("", name, spent.requests, spent.client_errors, spent.reconciliations)


def measure(profile: str) -> list[Stage]:
    """Certify in this process, which can do so once."""
    with tempfile.TemporaryDirectory() as directory, served("--variant", "reconciles-at-once") as mock:
        target = Path(directory) / "live.toml"
        callback = f"http://127.0.0.1:{_free_port()}/notifications"
        table = tomllib.loads(mock.read_text(encoding="utf-8"))
        httpx.post(table["base_url"] + CONTROL_PATH, json={"callbackUrl": callback}).raise_for_status()
        fixtures = {**table["fixtures"], "callback_url": callback}
        target.write_text(to_toml({**table, "environment": "sandbox", "fixtures": fixtures, "readings": {}}))
        complete = profile == COMPLETE
        plugin = Measuring(
            Options(target_file=target, profile="certification" if complete else profile, seed=SEED, complete=complete)
        )
        arguments = [
            *scenarios([name for name in PLUGINS if "allure" not in name]),
            "-q",
            "--no-header",
            "--tb=short",
            "-n0",
            "-rN",
        ]
        # A live endpoint's budget would end a deep run after a tenth of it.
        with (
            closed_list(),
            patch("conformance.run.live.budget_of", lambda *_, **__: NoLimits()),
            # Which scenarios a smoke test leaves out follows from what all cost.
            patch("conformance.run.certification.left_out", lambda *_, **__: frozenset()),
            patch.dict(
                os.environ, XDG_STATE_HOME=directory
            ),  # what earlier runs have tried changes what this one tries
            redirect_stdout(sys.stderr),
        ):
            pytest.main(arguments, plugins=[plugin])
    return plugin.stages


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure_all(profiles: tuple[str, ...]) -> Mapping[str, tuple[Stage, ...]]:
    """Certify by each of the profiles, in a process of its own; the others as they were measured before."""
    table = dict(measured()) if COSTS_FILE.exists() else {}
    with tempfile.TemporaryDirectory() as directory:
        places = {name: f"{directory}/{name}" for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
        own = {**os.environ, **places}  # what the runs share is not the user's
        for profile in profiles:
            found = Path(directory) / f"{profile}.json"
            subprocess.run([sys.executable, __file__, "--profile", profile, "--to", str(found)], check=True, env=own)
            table |= measured(found)
    return {profile: table[profile] for profile in RUNS if profile in table}


@click.command()
@click.option("--profile", "profiles", multiple=True, type=click.Choice(RUNS), help="This one only (repeatable).")
@click.option("--to", type=click.Path(path_type=Path), help="Write one profile's costs there, and no other's.")
def main(profiles: tuple[str, ...], to: Path | None) -> None:
    """Measure, and write the table anew."""
    if to is not None:
        (profile,) = profiles
        to.write_text(as_json({profile: measure(profile)}), encoding="utf-8")
        return
    table = measure_all(profiles or RUNS)
    COSTS_FILE.write_text(as_json(table), encoding="utf-8")
    for profile, stages in table.items():
        whole = requests_of(stages)
        print(
            f"{profile}: {whole.total()} requests, {client_errors_of(stages)} client errors: {dict(sorted(whole.items()))}"
        )


if __name__ == "__main__":
    main()
