"""`certify --dry-run` says what a run will spend and sends nothing; a run that is held to limits says it first."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.mock.target import mock_target_table, to_toml
from conformance.target.config import load_target
from conformance.target.shared.budget import KEPT_BACK
from conformance.target.shared.reconciling import note_reconciling, seen_reconciling
from conformance.target.shared.store import open_store
from conformance.target.shared.store_base import ERRORS
from conformance.target.shared.store_sqlite import SQLiteStore
from tests.suite.support.command_runs import Run, certify, kept_in, without_ci
from tests.suite.support.stage.mock import mock, target_file

PARTIAL: Final = 2


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What would notice that something was sent."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0)  # an answer at once: whether somebody came
        yield listening


def target(directory: Path, listener: socket.socket, **changes: Any) -> str:
    """A target file for whoever listens."""
    table = mock_target_table(f"http://127.0.0.1:{listener.getsockname()[1]}")
    live = {"environment": "sandbox", "pace": "documented", "coordination": f"sqlite:{directory / 'budget.sqlite'}"}
    path = directory / "target.toml"
    path.write_text(to_toml(table | live | changes))
    return str(path)


def dry_run(directory: Path, *arguments: str) -> Run:
    """Nothing is left by it."""
    run = certify(directory / "reports", "--dry-run", *arguments)
    assert not (directory / "reports" / "certificate.json").exists()
    assert "Traceback" not in run.errors
    return run


def nothing_came(listener: socket.socket) -> bool:
    """Whether nobody connected."""
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("environment", ["sandbox", "mock"])
@pytest.mark.parametrize("pace", ["documented", "unlimited"])
def test_nothing_is_sent(environment: str, pace: str, listener: socket.socket, tmp_path: Path) -> None:
    run = dry_run(tmp_path, "--target", target(tmp_path, listener, environment=environment, pace=pace))
    assert run.code == 0, run.output + run.errors
    assert "POST /order" in run.output
    assert "It fits" in run.output
    assert nothing_came(listener)


def test_what_earlier_runs_spent_is_told(listener: socket.socket, tmp_path: Path) -> None:
    file = target(tmp_path, listener)
    with closing(open_store(load_target(Path(file)))) as store:
        for number in range(120):
            store.renew(ERRORS, str(number))
    run = dry_run(tmp_path, "--target", file)
    assert run.code == 2
    assert "272 of 392 are left in this hour" in run.output
    assert "This fits now: --profile smoke" in run.output
    assert dry_run(tmp_path, "--target", file, "--profile", "smoke").code == 0
    assert nothing_came(listener)


@pytest.mark.parametrize("pace", ["documented", "unlimited"])
def test_a_run_that_would_end_waiting_is_not_begun(pace: str, listener: socket.socket, tmp_path: Path) -> None:
    file = target(tmp_path, listener, pace=pace)
    with closing(open_store(load_target(Path(file)))) as store:
        for number in range(120):
            store.renew(ERRORS, str(number))
    run = certify(tmp_path / "reports", "--target", file, "--max-wait", "10m")
    assert run.code == 3
    assert "--max-wait 10 min does not suffice, so nothing is sent: " in run.errors
    assert "This fits now: --profile smoke" in run.errors
    assert "--max-wait 10 min does not suffice" in dry_run(tmp_path, "--target", file, "--max-wait", "10m").output
    assert nothing_came(listener)


@pytest.mark.parametrize(
    ("max_wait", "left", "told"),
    [
        ("10m", 0, "--max-wait 10 min does not suffice, so nothing is sent: "),
        ("10m", 100, "1 passed"),
        ("soon", 100, "--koncili-max-wait: 'soon' is no duration such as 90s, 10m, 2h or 7d"),
    ],
)
def test_plain_pytest_is_no_other(max_wait: str, left: int, told: str, tmp_path: Path) -> None:
    options = [f"--koncili-reports={tmp_path / 'reports'}", "--koncili-no-html", f"--koncili-max-wait={max_wait}"]
    command = [sys.executable, "-m", "pytest", "tests/certification", "-q", "-p", "no:cacheprovider"]
    with mock(tmp_path) as staged:
        file = staged.target
        kept = f'environment = "sandbox"\nerror_budget = {1 + left + KEPT_BACK}'
        file.write_text(file.read_text().replace('environment = "mock"', kept))
        done = subprocess.run(
            [*command, *options, f"--koncili-target={file}", "--koncili-rule=ORD-14"],
            capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3], timeout=300,
            env={**without_ci(), **kept_in(tmp_path / "state")},
        )  # fmt: skip
    assert told in done.stdout + done.stderr
    assert done.returncode == (2 if told == "1 passed" else 3), done.stdout  # 2: only one rule was chosen


def test_deep_never_fits(listener: socket.socket, tmp_path: Path) -> None:
    run = dry_run(tmp_path, "--target", target(tmp_path, listener), "--profile", "deep")
    assert run.code == 2
    assert "It never fits" in run.output
    assert "This fits now: --profile certification" in run.output


def test_rules_that_are_selected_are_planned(listener: socket.socket, tmp_path: Path) -> None:
    run = dry_run(tmp_path, "--target", target(tmp_path, listener, fixtures={}), "--rule", "ORD-04", "--rule", "ACC-04")
    assert run.code == 0
    assert "1 of 2 rules" in run.output
    assert "○ 1 rule not-exercised: needs fixtures.disabled_account in the target file" in run.output


def test_a_run_that_would_exercise_nothing_does_not_fit(listener: socket.socket, tmp_path: Path) -> None:
    run = dry_run(tmp_path, "--target", target(tmp_path, listener), "--rule", "AUTH-05")
    assert run.code == 2
    assert run.output.endswith("\nNothing would be exercised.\n")
    assert "fits" not in run.output


def test_the_mock_in_process_has_no_limits(tmp_path: Path) -> None:
    run = dry_run(tmp_path)
    assert run.code == 0
    assert "no limits hold here" in run.output


@pytest.mark.parametrize(
    ("changes", "arguments", "told"),
    [
        ({"error_budget": 900}, [], "error_budget is more than 450"),
        ({"credentials": {"email_env": "KONCILI_NOT_SET", "password": "x"}}, [], "KONCILI_NOT_SET, which is not set"),
        ({"environment": "production"}, [], "--allow-production"),
        ({"coordination": "sqlite:/dev/null/budget"}, [], "coordination"),
        ({}, ["--profile", "nope"], "there are smoke, certification, deep"),
        ({}, ["--rule", "ORD-99"], "no such rule"),
        ({}, ["--waivers", "/nowhere/waivers.toml"], "/nowhere/waivers.toml"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_what_can_not_run_can_not_be_planned(
    changes: dict[str, Any], arguments: list[str], told: str, listener: socket.socket, tmp_path: Path
) -> None:
    run = dry_run(tmp_path, "--target", target(tmp_path, listener, **changes), *arguments)
    assert run.code == 3
    assert told in run.errors
    assert nothing_came(listener)


@pytest.mark.parametrize(("pace", "is_told"), [("documented", True), ("unlimited", False)])
def test_a_run_that_is_held_to_limits_says_first_what_it_will_spend(pace: str, is_told: bool, tmp_path: Path) -> None:
    with mock(tmp_path) as staged:
        file = staged.target
        live = file.read_text().replace('environment = "mock"', 'environment = "sandbox"')
        file.write_text(live.replace('pace = "unlimited"', f'pace = "{pace}"'))
        run = certify(tmp_path / "reports", "--target", str(file), "--profile", "smoke", "--rule", "ACC-01")
    assert run.verdicts("pass") == {"ACC-01"}
    assert run.output.startswith("plan for mock: profile smoke, 1 rule, 1 scenario\nrequests: ") is is_told
    assert ("plan for" in run.output) is is_told


# -- how long the target takes to reconcile ------------------------------------------------------------------------


def test_how_long_it_takes_to_reconcile_is_what_an_earlier_run_has_seen(tmp_path: Path) -> None:
    with mock(tmp_path) as staged:
        file = target_file(tmp_path / "sandbox.toml", staged.base_url, coordination=f"sqlite:{tmp_path / 's.sqlite'}")
        rules = ("--target", str(file), "--rule", "WFL-01")
        before = dry_run(tmp_path, *rules)
        assert "one after the other" not in before.output
        assert certify(tmp_path / "reports", *rules).code == PARTIAL
        (tmp_path / "reports" / "certificate.json").unlink()
        after = dry_run(tmp_path, *rules)
        assert "one after the other" in after.output
        stated = tmp_path / "stated.toml"
        stated.write_text(f'reconciles_in = "1h"\n{file.read_text()}')
        told = dry_run(tmp_path, "--target", str(stated), *rules[2:]).output
        assert re.search("of which [0-9]+ h .*one after the other", told)


def test_how_long_one_target_takes_says_nothing_of_another(tmp_path: Path) -> None:
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        note_reconciling(store, "https://one.example", 61.25)
        note_reconciling(store, "https://one.example", 20.0)
        assert seen_reconciling(store, "https://one.example") == 20.0
        assert seen_reconciling(store, "https://other.example") is None
