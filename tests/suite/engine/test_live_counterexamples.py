"""Counterexamples of live endpoints: small where that spends no client error, without orders that have nothing to do with it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.engine.bench import Bench
from conformance.engine.frugal import LEFT_AT_LEAST, REQUESTS, Frugal
from conformance.mock.defects import DEFECTS
from conformance.mock.koncili import Koncili
from conformance.target.shared.budget_status import BudgetStatus
from conformance.target.wire.journal import Spent
from tests.suite.run.test_kinds_over_runs import listening, served
from tests.suite.support.command_runs import Run, certify
from tests.suite.support.stage.mock import target_file


def certified(directory: Path, defect: str, rule: str, seed: int = 0) -> Run:
    """A certification of one rule on a mock that is taken for a live endpoint."""
    target = directory / "live.toml"
    with served(DEFECTS[defect]) as base_url:
        target_file(target, base_url, pace="unlimited")
        run = certify(directory / "reports", "--target", str(target), "--rule", rule, "--seed", str(seed))
    assert run.by_rule[rule] == "fail", run.output
    return run


def story(run: Run, rule: str) -> list[str]:
    """The curl commands of the counterexample."""
    told = run.entry(rule)["counterexample"]["curl"]
    return [line for line in told.splitlines() if line.startswith("curl ")]


def bodies(lines: list[str]) -> list[dict[str, Any]]:
    """What the commands send."""
    return [json.loads(found[1]) for line in lines if (found := re.search(r"--data-raw '(.*)' http", line))]


def test_an_update_that_leaves_something_is_shown_by_three_requests_about_one_order(tmp_path: Path) -> None:
    run = certified(tmp_path, "ord-15-merges", "ORD-15")
    assert run.certificate["traffic"]["clientErrors"] == 0
    lines = story(run, "ORD-15")
    assert len(lines) == 3, "a submission, its update, a query"
    assert len({code for body in bodies(lines) for code in [body["marketplaceCode"]]}) == 1
    assert all(len(body["extracts"]) <= 2 for body in bodies(lines)), "an update may have one more than what it updates"
    rejudged = CliRunner().invoke(main.commands["rejudge"], [str(run.reports)])
    assert rejudged.exit_code == 0, rejudged.output


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_orders_that_are_not_shown_as_they_were_sent_the_smallest_is_told(seed: int, tmp_path: Path) -> None:
    """A hundred requests do not make a small one of forty extracts, but another scenario's example is small."""
    run = certified(tmp_path, "qry-01-cents-cut", "QRY-01", seed)
    assert run.certificate["traffic"]["clientErrors"] == 0
    (sent,) = bodies(story(run, "QRY-01"))
    assert len(sent["extracts"]) == 1


def test_what_spends_a_client_error_is_not_shrunk(tmp_path: Path) -> None:
    run = certified(tmp_path, "ord-05-not-enforced", "ORD-05")
    assert run.certificate["traffic"]["requests"] < REQUESTS


class Blocks(Koncili):
    """Blocks the integrator from its thirtieth call on."""

    calls = 0

    def handle(self, request: Any) -> Any:
        self.calls += 1
        answer = super().handle(request)
        return replace(answer, status=423) if self.calls >= 30 else answer


def test_what_ends_the_run_while_it_shrinks_loses_no_failure(tmp_path: Path) -> None:
    koncili = Blocks(quirks=[DEFECTS["qry-01-cents-cut"]])
    with listening(koncili) as base_url:
        target_file(tmp_path / "live.toml", base_url, pace="unlimited")
        run = certify(tmp_path / "reports", "--target", str(tmp_path / "live.toml"), "--rule", "QRY-01")
    assert koncili.calls >= 30
    assert run.by_rule["QRY-01"] == "fail", run.output


def frugal(*, client_errors: int = 0, requests: int = 0, left: int = 100) -> Frugal:
    """After so much was spent."""
    spent = Spent(Counter({"POST /order": requests}), client_errors)
    session = SimpleNamespace(
        journal=SimpleNamespace(spent=lambda: spent),
        budget=SimpleNamespace(status=lambda: BudgetStatus(left)),
        options=SimpleNamespace(shrink=True),
        in_process=False,
    )
    return Frugal(cast("Bench", SimpleNamespace(session=session, slow=False)), Spent())


@pytest.mark.parametrize(
    ("spent", "is_over"),
    [
        ({}, False),
        ({"requests": REQUESTS - 1}, False),
        ({"requests": REQUESTS}, True),
        ({"client_errors": 1}, True),
        ({"left": LEFT_AT_LEAST - 1}, True),
        ({"left": LEFT_AT_LEAST}, False),
    ],
)
def test_it_ends_where_it_would_cost(spent: dict[str, int], *, is_over: bool) -> None:
    assert frugal(**spent).is_over() is is_over
