"""`koncili-conformance replay` as a user runs it: what is still there is told from what is fixed, and from what is neither."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.verdict.digest import digest_of
from tests.suite.support.command_runs import Run, certify, command, ended, run
from tests.suite.support.stage.mock import mock, target_file

DEFECT: Final = "ord-04-not-enforced"

FLAKY: Final = """
import sys
from conformance.cli import main
from conformance.mock.defects import DEFECTS
from conformance.mock.quirks import Defect

seen = []

def overlooks(breach, request):
    if breach.rule != "ORD-04":
        return False
    if request not in seen:
        seen.append(request)
    return seen.index(request) % 8 == 0  # each try is of an order in every status

DEFECTS["now-and-then"] = Defect(
    name="now-and-then", statement="Overlooks one in eight.", rules=frozenset({"ORD-04"}), overlooks=overlooks
)
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run against the mock in process that does not enforce ORD-04."""
    run = certify(tmp_path_factory.mktemp("failed") / "reports", "--defect", DEFECT, "--rule", "ORD-04")
    assert run.code == 1, run.output
    return run


def replay(failed: Run, tmp_path: Path, *arguments: str, program: str | None = None, at: Path | None = None) -> Run:
    certificate = str(at or failed.reports / "certificate.json")
    state = tmp_path / "state"
    if program is None:
        return run("replay", certificate, *arguments, reports=failed.reports, state=state)
    return ended(command("replay", certificate, *arguments, state=state, program=program), failed.reports)


def ids(failed: Run) -> list[str]:
    return [finding["id"] for finding in failed.entry("ORD-04")["findings"]]


def test_on_the_same_server_it_is_still_there_and_on_a_right_one_fixed(failed: Run, tmp_path: Path) -> None:
    same = replay(failed, tmp_path, "--defect", DEFECT)
    assert (same.code, same.errors) == (1, ""), same.output
    assert [line for line in same.output.splitlines() if line.startswith("ORD-04-")] == [
        f"{one}: still there (3 of 3)" for one in ids(failed)
    ]
    right = replay(failed, tmp_path)
    assert (right.code, right.errors) == (0, ""), right.output
    assert [line for line in right.output.splitlines() if line.startswith("ORD-04-")] == [
        f"{one}: fixed (not seen in 5)" for one in ids(failed)
    ]


def test_what_shows_now_and_then_is_flaky(failed: Run, tmp_path: Path) -> None:
    run = replay(failed, tmp_path, ids(failed)[0], "--defect", "now-and-then", program=FLAKY)
    assert run.code == 2, run.output + run.errors
    assert re.search(rf"^{ids(failed)[0]}: flaky \([1-4] of 5\)$", run.output, re.MULTILINE)


def test_the_terminal_prints_the_command_that_tries_it_again(failed: Run, tmp_path: Path) -> None:
    (line,) = [line for line in failed.output.splitlines() if "again, with new codes" in line]
    name, _, arguments = line.partition(": ")[2].split(" ", 2)
    assert name == "koncili-conformance"
    certificate, *others = arguments.split()
    assert others == [ids(failed)[0], "--defect", DEFECT]
    assert replay(failed, tmp_path, *others, at=Path(certificate)).code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ORD-04-00000000",), "has no finding ORD-04-00000000; there are ORD-04-"),
        (("--all", "ORD-04"), "--all tries every finding; leave it out, or name none"),
        (("--defect", "nothing-such"), "no defect 'nothing-such'"),
    ],
)
def test_what_can_t_be_meant_is_said(failed: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    run = replay(failed, tmp_path, *arguments)
    assert run.code == 3
    assert said in run.errors


def changed(failed: Run, path: Path, *, sealed: bool, **target: Any) -> Path:
    document = failed.certificate
    document["target"] |= target
    if sealed:
        document["digest"] = digest_of(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_certificate_that_was_changed_is_refused(failed: Run, tmp_path: Path) -> None:
    run = replay(failed, tmp_path, at=changed(failed, tmp_path / "c.json", sealed=False, name="another"))
    assert run.code == 3
    assert "was changed since a run wrote it" in run.errors


def test_a_live_target_s_findings_are_not_said_to_be_fixed_since_the_mock_does_not_show_them(
    failed: Run, tmp_path: Path
) -> None:
    live = changed(
        failed, tmp_path / "c.json", sealed=True, environment="sandbox", baseUrl="https://koncili.example", name="box"
    )
    run = replay(failed, tmp_path, at=live)
    assert run.code == 3
    assert "the certificate is of box (https://koncili.example); name its target file with --target" in run.errors
    seen = replay(failed, tmp_path, "--defect", DEFECT, at=live)
    assert seen.code == 1
    assert seen.output.startswith("found on box (https://koncili.example), tried on mock (")


def test_on_a_live_endpoint_it_is_sent_anew_and_nothing_is_left(tmp_path: Path) -> None:
    with mock(tmp_path, defect=DEFECT) as there:
        target = str(target_file(tmp_path / "sandbox.toml", there.base_url))
        found = certify(tmp_path / "reports", "--target", target, "--rule", "ORD-04")
        code = json.loads(found.entry("ORD-04")["counterexample"]["request"]["body"])["marketplaceCode"]
        run = replay(found, tmp_path, ids(found)[0], "--target", target)
        assert run.code == 1, run.output + run.errors
        assert re.search(r'"marketplaceCode": "[^"]+"', run.output)
        assert code not in run.output
        assert there.state()["orders"] == []
    with mock(tmp_path) as mended:
        target = str(target_file(tmp_path / "sandbox.toml", mended.base_url))
        run = replay(found, tmp_path, ids(found)[0], "--target", target)
        assert run.code == 0, run.output + run.errors
        assert mended.state()["orders"] == []


# -- over the fleet ------------------------------------------------------------------------------------------------

SAMPLE: Final = (
    "ord-16-refused-but-stored", "rec-05-every-period", "rel-08-not-enforced", "rec-09-period-kept", "ntf-01-none",
    "err-01-no-code", "qry-03-cached",
)  # fmt: skip
"""Of the kinds of laws: with a twin, batches, notifications, what is seen beside other rules, what needs time."""


def test_over_a_sample_of_the_fleet_it_is_never_wrong(tmp_path: Path) -> None:
    only = [word for part in SAMPLE for word in ("--only", part)]
    found = tmp_path / "replays.json"
    run = command(
        "--json", str(found), "--jobs", "1", *only, state=tmp_path / "state",
        program="import sys\nfrom benchmarks.replays import main\nsys.exit(main())",
    )  # fmt: skip
    output, errors = run.communicate(timeout=300)
    assert run.returncode == 0, output + errors
    results = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
    assert len(results) >= len(SAMPLE)
    assert [one for one in results if not one["same"].startswith("still there")] == []
    assert [one for one in results if not one["plain"].startswith("fixed")] == []


def test_what_was_seen_while_several_scenarios_were_tried_together_is_still_there(tmp_path: Path) -> None:
    rules = ("--rule", "ACC-02", "--rule", "REC-03", "--rule", "REC-08")
    defect = ("--defect", "rec-03-to-the-day")
    found = certify(tmp_path / "reports", *rules, *defect)
    beside = [one for entry in found.certificate["rules"] for one in entry["findings"] if not one["scenario"]]
    assert beside, found.output
    same = replay(found, tmp_path, *(one["id"] for one in beside), *defect)
    assert same.code == 1, same.output
    told = [line for line in same.output.splitlines() if line.startswith(beside[0]["id"])]
    assert [line.partition(" (")[0] for line in told] == [f"{beside[0]['id']}: still there"]
