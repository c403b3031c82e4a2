"""The table that runs are planned from is what a run really costs, and a budget says how it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from conformance.planning.costs import Stage, client_errors_of, measured, requests_of
from conformance.target.shared.budget_status import BudgetStatus
from tests.suite.support.made_once import made_once

MEASURE: Final = Path(__file__).parents[3] / "benchmarks" / "costs.py"

REQUESTS_OFF, FEW = 0.1, 5
"""By how much an endpoint's requests may be off: a tenth changes no plan by more than a minute. Of few it may be a few."""

CLIENT_ERRORS_OFF: Final = 8
"""Of a budget of 400 a certification leaves some 20: the table must not be wrong about whether it fits."""


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, ...]:
    """What a certification costs as things are."""
    return measured(made_once(tmp_path_factory, "costs", _measured_now))["certification"]


def _measured_now(directory: Path) -> Path:
    """Where it is written."""
    found = directory / "certification.json"
    command = [sys.executable, str(MEASURE), "--profile", "certification", "--to", str(found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return found


def test_the_table_says_what_a_certification_costs(now: tuple[Stage, ...]) -> None:
    real, told = requests_of(now), requests_of(measured()["certification"])
    off = {
        label: (told[label], real[label])
        for label in real | told
        if abs(real[label] - told[label]) > max(FEW, REQUESTS_OFF * told[label])
    }
    assert not off, f"requests as told and as sent: {off}; `make costs`, if the scenarios were meant to change"
    errors = client_errors_of(measured()["certification"]), client_errors_of(now)
    assert abs(errors[0] - errors[1]) <= CLIENT_ERRORS_OFF, (
        f"client errors as told and as spent: {errors}; `make costs`"
    )


def test_the_table_has_every_scenario_in_the_order_in_which_they_run(now: tuple[Stage, ...]) -> None:
    told, real = ([(stage.rule, stage.name) for stage in table] for table in (measured()["certification"], now))
    assert told == real, "`make costs`"


# -- how a budget stands -------------------------------------------------------------------------------------------


def test_a_budget_that_is_overspent_has_nothing_left() -> None:
    assert BudgetStatus(1, 2, (1.0, 2.0)).left == 0
