"""Live runs with workers: what is put off is gone on with and reported, and a worker that breaks down hides nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from conformance.mock.faults import Plan, since
from conformance.run.session import Options
from conformance.run.spreading import MOST, processors, workers_of
from tests.suite.support.command_runs import Run, certify, kept_in, without_ci
from tests.suite.support.stage.fault_proxy import fault_proxy
from tests.suite.support.stage.mock import StagedMock, mock, target_file

ROOT: Final = Path(__file__).parents[3]

PUT_OFF: Final = ("QRY-03", "ORD-15", "DEL-01")
"""Rules of which something is put off where updates are consolidated."""

RULES: Final = ("ORD-02", "QRY-01", *PUT_OFF, "REC-01", "REL-01", "REL-08")

SCENARIOS: Final = 11
"""So many have these rules."""

PARTIAL_CODE: Final = 2
"""Rules were chosen, so that not all can be said to hold."""

BEFORE_THE_FIRST: Final = 3
"""So many calls a process makes before its first scenario, which belong to none."""

LIVE: Final = {"pace": "unlimited", "error_budget": 400}


@pytest.fixture
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StagedMock]:
    """A mock; the parameters are its variant and its defect."""
    variant, defect = getattr(request, "param", ("reconciles-at-once", None))
    with mock(tmp_path, variant=variant, defect=defect) as running:
        yield running


def live(tmp_path: Path, staged: StagedMock) -> Path:
    """The target file of that mock as of a live endpoint: nobody moves its clock."""
    return target_file(tmp_path / "live.toml", staged.base_url, **LIVE)


def chosen(option: str = "--rule", rules: tuple[str, ...] = RULES) -> list[str]:
    return [f"{option}={rule}" for rule in rules]


def plain(tmp_path: Path, *arguments: str, plugin: str = "") -> Run:
    """Plain pytest on the scenarios; `plugin` is the text of one more."""
    (tmp_path / "breaking.py").write_text(plugin)
    command = [sys.executable, "-m", "pytest", "tests/certification", "-q", "-p", "no:cacheprovider", "-p", "breaking"]
    options = [f"--koncili-reports={tmp_path / 'reports'}", "--koncili-profile=smoke", "--koncili-no-html"]
    own = {name: value for name, value in without_ci().items() if not name.startswith("PYTEST_")}
    environment = {**own, **kept_in(tmp_path / "state"), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [*command, *options, *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=300, env=environment,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, done.stderr, tmp_path / "reports")


def reasons(run: Run) -> set[str]:
    return {entry["reason"] for entry in run.certificate["rules"] if entry["id"] in RULES}


# -- what is put off -----------------------------------------------------------------------------------------------

# Not at full half hours: with the clock of the day one run may begin before, the other after it, and see more than the other.
CONSOLIDATING: Final = [("slow-consolidation", None), ("reconciles-at-once", "ord-02-not-enforced")]


def _wait_until_nothing_is_active(staged: StagedMock) -> None:
    """The mock with a defect takes two seconds to reconcile."""
    for _ in range(600):
        if not any(one["active"] for one in staged.state()["reconciliations"]):
            return
        time.sleep(0.05)  # it has a clock of its own: there is nothing to wait on
    raise AssertionError("a reconciliation stays active")


@pytest.mark.parametrize("staged", CONSOLIDATING, indirect=True, ids=lambda param: param[1] or param[0])
def test_a_live_run_with_workers_says_what_a_run_of_one_process_says(staged: StagedMock, tmp_path: Path) -> None:
    target = live(tmp_path, staged)
    runs = []
    for number in (1, 2):
        _wait_until_nothing_is_active(staged)  # its runs have a store each, and know nothing of one another
        before = staged.state()["counts"]
        options = [f"--target={target}", "--profile=smoke", f"--workers={number}", *chosen()]
        run = certify(tmp_path / str(number) / "reports", *options)
        if number == 1:  # a worker may have gone on with what it put off before another is through
            assert "put off" in run.output, run.output + run.errors
        counted, told = staged.state()["counts"], run.certificate["traffic"]
        assert told["clientErrors"] == counted["clientErrors"] - before["clientErrors"]
        assert 0 <= counted["requests"] - before["requests"] - told["requests"] <= BEFORE_THE_FIRST * (number + 1)
        runs.append(run)
    alone, spread = runs
    assert spread.code == alone.code, spread.output + spread.errors
    assert spread.by_rule == alone.by_rule, spread.entry("REL-08")["reason"] + spread.output
    assert [entry["counterexample"] is None for entry in spread.certificate["rules"]] == [
        entry["counterexample"] is None for entry in alone.certificate["rules"]
    ]


@pytest.mark.parametrize("distribution", ["load", "worksteal", "loadscope", "each"])
def test_plain_pytest_with_workers_reports_what_was_put_off(
    distribution: str, staged: StagedMock, tmp_path: Path
) -> None:
    results = tmp_path / "pytest.xml"
    options = ["-n2", f"--dist={distribution}", f"--koncili-target={live(tmp_path, staged)}", f"--junitxml={results}"]
    run = plain(tmp_path, *options, *chosen("--koncili-rule"))
    assert run.code == PARTIAL_CODE, run.output + run.errors
    assert run.verdicts("pass") == set(RULES)
    scenarios = SCENARIOS * (2 if distribution == "each" else 1)
    assert results.read_text(encoding="utf-8").count("<testcase ") == scenarios
    assert f"{scenarios} passed" in run.output


FAILS_LATE: Final = """
import pytest
from conformance.run.plugin import CERTIFICATION
from conformance.verdict.violation import Violation
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    yield
    if item.config.stash[CERTIFICATION].session.resuming:
        rule = item.get_closest_marker("rule").args[0]
        raise Violation(rule=rule, expected="it to be gone", actual="it is there", exchange=None)
"""


def test_what_fails_when_it_is_gone_on_with_fails_plain_pytest(staged: StagedMock, tmp_path: Path) -> None:
    options = ["-n2", f"--koncili-target={live(tmp_path, staged)}", *chosen("--koncili-rule")]
    run = plain(tmp_path, *options, plugin=FAILS_LATE)
    assert run.code == 1, run.output + run.errors
    assert run.verdicts("fail") == {"DEL-01"}
    assert f"1 failed, {SCENARIOS - 1} passed" in run.output


# -- what breaks down ----------------------------------------------------------------------------------------------

KILLS: Final = """
import os, signal, time
from pathlib import Path
SEEN = Path(__file__).with_name("seen")
WORKER = os.environ.get("PYTEST_XDIST_WORKER")
def pytest_runtest_logreport(report):
    if WORKER == "gw0" and report.failed:
        SEEN.touch()
def pytest_runtest_logstart(nodeid):
    if WORKER == "gw1":
        while not SEEN.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("staged", [("reconciles-at-once", "ord-02-not-enforced")], indirect=True)
def test_a_worker_that_is_killed_hides_nothing(staged: StagedMock, tmp_path: Path) -> None:
    """What another saw broken is named; what nobody reported is not passed for something that was left out."""
    options = ["-n2", "--dist=each", f"--koncili-target={live(tmp_path, staged)}", *chosen("--koncili-rule")]
    run = plain(tmp_path, *options, plugin=KILLS)
    assert run.code == 3, run.output + run.errors
    assert "stopped: worker gw1 broke down" in run.output
    assert run.certificate["verdict"] == "nonconformant"
    assert run.verdicts("fail") == {"ORD-02"}
    assert "not selected" not in reasons(run)


BREAKS: Final = """
import os
def pytest_runtest_logfinish(nodeid):
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        raise RuntimeError("this plugin is broken")
"""


def test_a_worker_that_breaks_down_is_never_partial(staged: StagedMock, tmp_path: Path) -> None:
    run = plain(tmp_path, "-n2", f"--koncili-target={live(tmp_path, staged)}", *chosen("--koncili-rule"), plugin=BREAKS)
    assert run.code == 3, run.output + run.errors
    assert "stopped: harness error: RuntimeError: this plugin is broken" in run.output
    assert run.certificate["verdict"] == "inconclusive"
    assert "not selected" not in reasons(run)


def test_a_blocked_run_with_workers_could_not_run(staged: StagedMock, tmp_path: Path) -> None:
    with fault_proxy(staged.base_url, Plan("423", since(30))) as layer:
        target = target_file(tmp_path / "live.toml", layer.base_url, **LIVE)
        run = certify(tmp_path / "reports", f"--target={target}", "--workers=2", "--profile=smoke", *chosen())
    assert run.code == 3, run.output + run.errors
    assert "stopped: Koncili has blocked this integrator (423)" in run.output
    assert run.verdicts("fail") == set()
    assert "not selected" not in reasons(run)


def test_a_run_that_ends_at_the_first_failure_says_so_of_the_rest(tmp_path: Path) -> None:
    run = plain(tmp_path, "-x", "--koncili-defect=ord-02-not-enforced", *chosen("--koncili-rule"))
    assert run.code == 1, run.output + run.errors
    assert run.certificate["verdict"] == "nonconformant"
    assert "stopping after 1 failures" in reasons(run)
    assert "not selected" not in reasons(run)


SEED: Final = """
import os
from pathlib import Path
from conformance.run.plugin import CERTIFICATION
def pytest_collection_finish(session):
    if "PYTEST_XDIST_WORKER" in os.environ:
        seed = session.config.stash[CERTIFICATION].session.seed
        Path(__file__).with_name(os.environ["PYTEST_XDIST_WORKER"]).write_text(str(seed))
"""


def test_workers_draw_the_same_cases(tmp_path: Path) -> None:
    """Also where the seed is a new one each time."""
    run = plain(tmp_path, "-n2", "--koncili-profile=deep", "--koncili-rule=AUTH-03", plugin=SEED)
    assert run.code == 0, run.output + run.errors
    assert {(tmp_path / worker).read_text() for worker in ("gw0", "gw1")} == {str(run.certificate["seed"])}


@pytest.mark.parametrize(
    ("options", "all_rules", "spread"),
    [
        (Options(profile="deep"), True, True),
        (Options(profile="deep"), False, False),
        (Options(profile="deep", target_file=Path("sandbox.toml")), True, False),
        (Options(profile="certification"), True, False),
        (Options(profile="no-such"), True, False),
    ],
)
def test_a_deep_run_in_process_takes_all_processors(options: Options, all_rules: bool, spread: bool) -> None:
    assert (workers_of(options, all_rules=all_rules) > 1) is (spread and processors() > 1)


def test_it_takes_no_more_than_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.run.spreading.processors", lambda: 64)
    assert workers_of(Options(profile="deep"), all_rules=True) == MOST
