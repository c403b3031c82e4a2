"""A certification in shards: merged they are what one run is, and nothing that is missing passes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import pytest

from conformance.errors import CannotRun
from conformance.report.files import CERTIFICATE, JUNIT, PAGE, SHARD, SUMMARY, TRAFFIC, Reports
from conformance.run.merging import merge
from tests.suite.support.command_runs import Run, certify, run
from tests.suite.support.made_once import made_once

RULES: Final = ("ORD-02", "ORD-04", "ORD-15", "QRY-02", "REC-03", "REL-04")
OPTIONS: Final = ("--profile", "smoke", *(part for rule in RULES for part in ("--rule", rule)))
DEFECT: Final = "ord-04-not-enforced"
_BY_RULE: Final = ("id", "verdict", "accepted", "refused", "kinds", "endpoints", "clientErrors")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A run of these rules, and the same in two shards; one of a shard at a mock with a defect."""
    return made_once(tmp_path_factory, "shards", _in_shards)


def _in_shards(place: Path) -> dict[str, Run]:
    wanted = {"whole": (), "1": ("--shard", "1/2"), "2": ("--shard", "2/2")}
    found = {name: certify(place / name, *OPTIONS, *more) for name, more in wanted.items()}
    broken = next(name for name in ("1", "2") if found[name].by_rule["ORD-04"] == "pass")
    found["broken"] = certify(place / "broken", *OPTIONS, *wanted[broken], "--defect", DEFECT)
    found["sound"] = found["1" if broken == "2" else "2"]
    return found


def merged(place: Path, *runs: Run) -> Run:
    """`koncili-conformance merge` of what these runs left."""
    directories = [str(run.reports) for run in runs]
    return run("merge", *directories, "--reports", str(place), "--no-html", reports=place, state=place / "state")


def test_merged_shards_say_what_one_run_says(runs: dict[str, Run], tmp_path: Path) -> None:
    run, whole = merged(tmp_path / "merged", runs["2"], runs["1"]), runs["whole"]
    told = [{name: entry.get(name) for name in _BY_RULE} for entry in run.certificate["rules"]]
    assert told == [{name: entry.get(name) for name in _BY_RULE} for entry in whole.certificate["rules"]]
    assert run.code == whole.code
    parts = [runs[name].certificate for name in ("1", "2")]
    assert run.certificate["traffic"]["clientErrors"] == sum(part["traffic"]["clientErrors"] for part in parts)
    assert run.certificate["startedAt"] == min(part["startedAt"] for part in parts)
    assert run.certificate["finishedAt"] == max(part["finishedAt"] for part in parts)
    assert (run.certificate["target"], run.certificate["seed"]) == (
        whole.certificate["target"],
        whole.certificate["seed"],
    )


def test_merged_shards_leave_what_a_run_leaves(runs: dict[str, Run], tmp_path: Path) -> None:
    run = merged(tmp_path / "merged", runs["1"], runs["2"])
    assert all((run.reports / name).is_file() for name in (CERTIFICATE, SUMMARY, JUNIT, PAGE, TRAFFIC))
    assert not (run.reports / SHARD).exists()
    exchanges = json.loads((run.reports / TRAFFIC).read_text(encoding="utf-8"))["log"]["entries"]
    assert len(exchanges) == run.certificate["traffic"]["requests"]
    assert [one["startedDateTime"] for one in exchanges] == sorted(one["startedDateTime"] for one in exchanges)


def test_what_a_missing_shard_was_to_do_is_undecided(runs: dict[str, Run], tmp_path: Path) -> None:
    run = merged(tmp_path / "merged", runs["1"])
    lacking = runs["2"].verdicts("pass")
    assert lacking
    assert run.verdicts("inconclusive") == lacking
    assert {run.entry(rule)["reason"] for rule in lacking} == {"shard 2/2 is missing"}
    assert run.code == 2


def test_a_shard_that_fails_fails_the_whole(runs: dict[str, Run], tmp_path: Path) -> None:
    run = merged(tmp_path / "merged", runs["broken"], runs["sound"])
    assert (run.code, run.verdicts("fail")) == (1, {"ORD-04"}), run.output[-1500:] + run.errors


def test_a_failure_outweighs_a_shard_that_is_missing(runs: dict[str, Run], tmp_path: Path) -> None:
    assert merged(tmp_path / "merged", runs["broken"]).code == 1


def test_a_shard_by_itself_is_no_certification(runs: dict[str, Run]) -> None:
    assert {runs[name].certificate["verdict"] for name in ("1", "2")} == {"partial"}
    assert not runs["1"].verdicts("pass") & runs["2"].verdicts("pass")


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [("twice", "is there twice"), ("changed", "is not what the run wrote"), ("none", "cannot be read")],
)
def test_what_does_not_belong_together_is_refused(spoilt: str, told: str, runs: dict[str, Run], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(runs["1"].reports, copy)
    if spoilt == "changed":
        text = (copy / SHARD).read_text(encoding="utf-8")
        (copy / SHARD).write_text(text.replace('"accepted": ', '"accepted": 1'), encoding="utf-8")
    elif spoilt == "none":
        (copy / SHARD).unlink()
    with pytest.raises(CannotRun, match=told):
        merge([copy, runs["1" if spoilt == "twice" else "2"].reports], Reports(tmp_path / "merged"), html=False)
    assert not (tmp_path / "merged").exists()


def test_shards_of_different_runs_are_refused(runs: dict[str, Run], tmp_path: Path) -> None:
    other = certify(tmp_path / "other", *OPTIONS, "--shard", "2/2", "--seed", "7")
    with pytest.raises(CannotRun, match="different certifications: seed"):
        merge([runs["1"].reports, other.reports], Reports(tmp_path / "merged"), html=False)


def test_more_shards_than_rules_are_refused(tmp_path: Path) -> None:
    run = certify(tmp_path / "reports", "--rule", "ORD-02", "--shard", "1/2")
    assert (run.code, "there are only 1 rules to share out" in run.errors) == (3, True)
