"""Every kind of what a lenient reader takes is sent by a run, and none of them breaks down on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.suite.support.command_runs import certify

RULES: Final = ("ORD-08", "ORD-13", "ORD-14", "ORD-21", "ORD-22", "REC-07", "REC-08", "REL-17")


def test_every_kind_of_a_malformed_body_is_tried_on_the_mock_and_refused(tmp_path: Path) -> None:
    asked = [part for rule in RULES for part in ("--rule", rule)]
    run = certify(tmp_path / "reports", "--complete", *asked)
    assert {rule: run.by_rule[rule] for rule in RULES} == dict.fromkeys(RULES, "pass"), run.output
    assert {rule: run.entry(rule)["kinds"]["left"] for rule in RULES} == {rule: [] for rule in RULES}
