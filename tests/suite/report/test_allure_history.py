"""What the Allure report remembers of earlier runs: kept between runs, of one target, bounded, whole."""

from __future__ import annotations

import json
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.report import allure_history
from conformance.report.allure_history import HANDED_OVER, MOST_RUNS, History, HistoryUnavailable
from conformance.report.files import Reports
from tests.suite.support.made_up_certificates import STARTED, certified


def history(directory: Path, number: int = 0, **target: Any) -> History:
    """The history of the run of that number."""
    return History.of(directory, certified(started_at=STARTED + timedelta(hours=number), **target))


def line(number: int, **changed: Any) -> str:
    """What Allure remembers of the run of that number."""
    result = {"id": f"{number}", "historyId": "one", "status": "failed", "labels": [{"name": "tag"}], "trace": "long"}
    point = {"uuid": f"run-{number}", "testResults": {"one": {**result, "message": "m" * 999}}, "metrics": {}}
    return json.dumps(point | changed)


def shown(directory: Path, number: int, **target: Any) -> list[str]:
    """The earlier runs that the report of this run shows."""
    results = directory / "results"
    results.mkdir(exist_ok=True)
    history(directory, number, **target).hand_over(results)
    return [json.loads(each)["uuid"] for each in (results / HANDED_OVER).read_text().splitlines()]


def test_a_run_is_remembered_by_the_next_and_not_by_itself(tmp_path: Path) -> None:
    assert shown(tmp_path, 0) == []
    history(tmp_path, 0).add(line(0))
    assert shown(tmp_path, 0) == []
    assert shown(tmp_path, 1) == ["run-0"]


def test_a_run_whose_report_is_made_again_is_remembered_once(tmp_path: Path) -> None:
    for again in ("a", "b"):
        history(tmp_path, 0).add(line(0, uuid=again))
    assert shown(tmp_path, 1) == ["b"]


def test_runs_against_other_targets_do_not_mix(tmp_path: Path) -> None:
    history(tmp_path, 0).add(line(0))
    history(tmp_path, 0, name="other").add(line(7))
    assert shown(tmp_path, 1) == ["run-0"]
    assert shown(tmp_path, 1, name="other") == ["run-7"]
    elsewhere = certified().target.model_copy(update={"base_url": "http://127.0.0.1:1"})
    assert shown(tmp_path, 1, target=elsewhere) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "são / paulo", "", "x" * 300, "."])
def test_whatever_a_target_is_called_its_file_is_in_the_directory(name: str, tmp_path: Path) -> None:
    path = history(tmp_path, target=certified().target.model_copy(update={"name": name})).path
    assert path.parent == tmp_path / "history"
    assert len(path.name) < 70
    history(tmp_path, name="x").add(line(0))


def test_only_so_many_runs_are_kept(tmp_path: Path) -> None:
    for number in range(MOST_RUNS + 3):
        history(tmp_path, number).add(line(number))
    assert shown(tmp_path, 99) == [f"run-{number}" for number in range(3, MOST_RUNS + 3)]


def test_what_only_the_report_of_a_run_needs_is_not_kept(tmp_path: Path) -> None:
    history(tmp_path).add(line(0))
    kept = json.loads(history(tmp_path).path.read_text())["testResults"]["one"]
    assert kept == {
        "id": "0",
        "historyId": "one",
        "status": "failed",
        "message": "m" * 200,
        "labels": [],
        "reportLinks": [],
    }


@pytest.mark.parametrize(
    "damage",
    ["half a li", "[]", "{}", '{"uuid": 1, "testResults": {}}', '{"uuid": "x", "testResults": {"one": 1}}', "\udcff"],
)
def test_a_damaged_file_is_put_aside_and_the_rest_of_it_goes_on(damage: str, tmp_path: Path) -> None:
    history(tmp_path, 0).add(line(0))
    path = history(tmp_path).path
    with path.open("ab") as stream:
        stream.write(damage.encode(errors="surrogateescape"))
    whole = path.read_bytes()
    told = history(tmp_path, 1).hand_over(tmp_path)
    assert f"{path} was damaged: it is now {path.stem}.damaged, and 1 of its runs could be kept" in told
    assert path.with_suffix(".damaged").read_bytes() == whole
    assert shown(tmp_path, 1) == ["run-0"]
    assert history(tmp_path, 1).hand_over(tmp_path) == ""


def test_what_is_no_run_is_not_remembered(tmp_path: Path) -> None:
    for nothing in ("", "{}", "nonsense"):
        with pytest.raises(HistoryUnavailable, match="remembered nothing"):
            history(tmp_path).add(nothing)
    assert not history(tmp_path).path.exists()


def test_an_interruption_while_writing_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(tmp_path, 0).add(line(0))

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            history(tmp_path, 1).add(line(1))
    assert shown(tmp_path, 2) == ["run-0"]
    assert {path.name for path in (tmp_path / "history").iterdir()} == {".lock", history(tmp_path).path.name}


def test_runs_that_end_at_once_are_all_remembered(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def end(number: int) -> None:
        start.wait()
        history(tmp_path, number).add(line(number))

    threads = [threading.Thread(target=end, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shown(tmp_path, 99)) == [f"run-{number}" for number in range(8)]


def test_a_file_that_another_run_does_not_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allure_history, "LOCK_SECONDS", 0)
    mine = history(tmp_path)
    with mine._locked(), pytest.raises(HistoryUnavailable, match="another run has been writing it"):
        mine.add(line(0))


def test_a_new_run_does_not_clear_it_away(tmp_path: Path) -> None:
    history(tmp_path, 0).add(line(0))
    reports = Reports(tmp_path)
    reports.claim()
    reports.release()
    assert shown(tmp_path, 1) == ["run-0"]
