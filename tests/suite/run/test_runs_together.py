"""Several runs at once on one integrator: together within the budget, on no channel at once, with the verdicts of a run alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from conformance.target.config import load_target
from conformance.target.shared.budget import KEPT_BACK
from conformance.target.shared.store import open_store
from conformance.target.shared.store_base import ERRORS
from tests.suite.support.command_runs import Run, certify, ended, start
from tests.suite.support.stage.etiquette import active, deletable, overlaps
from tests.suite.support.stage.hurry import hurried
from tests.suite.support.stage.mock import StagedMock, mock, target_file
from tests.suite.support.stage.redis import redis_server

AT_ONCE: Final = 3

RULES: Final = ("ORD-01", "DEL-01", "REC-01", "REC-05", "REC-10", "REL-01", "REL-04")
"""Orders that are deleted, reconciliations on every channel, refusals of all kinds."""

REFUSALS: Final = ("ORD-04", "ORD-07", "ORD-12")
"""Client errors, and no reconciliation."""

ALONE: Final = 12
"""So many of them."""


NOT_BEGUN: Final = "--max-wait 0 s does not suffice, so nothing is sent"


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[StagedMock]:
    with mock(tmp_path) as running, hurried(running):
        yield running


@pytest.fixture(params=["sqlite", "redis"])
def coordination(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store that nobody has used."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'shared.sqlite'}"
    else:
        with redis_server(tmp_path) as server:
            yield server.url


def at_once(target: Path, rules: tuple[str, ...], *arguments: str, count: int = AT_ONCE) -> list[Run]:
    """So many runs at once, each in a process of its own."""
    chosen = [part for rule in rules for part in ("--rule", rule)]
    places = [target.parent / f"run-{number}" / "reports" for number in range(count)]
    processes = [start(place, "--target", str(target), "--profile", "smoke", *chosen, *arguments) for place in places]
    return [ended(process, place) for process, place in zip(processes, places, strict=True)]


def of(rules: tuple[str, ...], verdicts: Mapping[str, str]) -> dict[str, str]:
    return {rule: verdicts[rule] for rule in rules}


def test_runs_at_once_say_what_a_run_alone_says(staged: StagedMock, coordination: str, tmp_path: Path) -> None:
    target = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=coordination)
    runs = at_once(target, RULES)
    assert [of(RULES, run.by_rule) for run in runs] == [dict.fromkeys(RULES, "pass")] * AT_ONCE, runs
    state = staged.state()
    assert (overlaps(state), active(state), deletable(state)) == ([], [], [])
    assert [run.output for run in runs if "not cleared away" in run.output] == []
    assert state["counts"]["423"] == 0


def test_runs_at_once_share_one_budget(staged: StagedMock, coordination: str, tmp_path: Path) -> None:
    """Two thirds of what they would spend: those that find it used up end at once."""
    budget = 24
    target = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=coordination, error_budget=budget)
    runs = at_once(target, REFUSALS, "--max-wait", "0s")
    spent = f"the budget of client errors: {budget - KEPT_BACK} an hour are spent"
    begun = [run for run in runs if run.code != 3]  # one that comes late finds nothing left, not even for its token
    late = [run.output + run.errors for run in runs if run.code == 3]
    assert all((spent in said or NOT_BEGUN in said) and "base_url" not in said for said in late), runs
    verdicts = [of(REFUSALS, run.by_rule) for run in begun]
    found = {verdict for each in verdicts for verdict in each.values()}
    assert "pass" in found <= {"pass", "inconclusive"}, runs
    assert late or "inconclusive" in found, runs
    assert all(spent in run.output for run in begun if run.verdicts("inconclusive"))
    with closing(open_store(load_target(target))) as store:  # what runs left that were not begun
        for number in range(budget - KEPT_BACK):
            store.renew(ERRORS, str(number))
    later = certify(tmp_path / "late", "--target", str(target), "--rule", "ORD-01", "--max-wait", "0s")
    assert later.code == 3
    assert NOT_BEGUN in later.errors
    assert "base_url" not in later.errors
    state = staged.state()
    least = ALONE if late else budget - KEPT_BACK - AT_ONCE  # of those that began, one is whole
    assert least <= state["counts"]["clientErrors"] <= budget
    assert deletable(state) == []
