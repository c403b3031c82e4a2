"""A field that every order shows otherwise than it was sent is QRY-01's business: what else it shows decides other rules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.engine.bench import Bench
from conformance.engine.properties import prove
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation
from tests.suite.support.command_runs import certify

COMPARING: Final = ("ORD-15", "ORD-17", "QRY-04", "QRY-05", "DEL-01", "DEL-04", "DEL-06", "WFL-04")
"""Rules that are seen broken by what an order shows."""


def _verdicts(reports: Path, *defects: str) -> dict[str, str]:
    rules = [argument for rule in ("QRY-01", *COMPARING) for argument in ("--rule", rule)]
    given = [argument for defect in defects for argument in ("--defect", defect)]
    found = certify(reports, "--keep-going", *rules, *given).by_rule
    return {rule: found[rule] for rule in ("QRY-01", *COMPARING)}


@pytest.mark.parametrize(
    "defect",
    ["qry-01-expected-date-to-the-day", "qry-01-a-second-early", "qry-01-as-text", "qry-01-status-of-its-own"],
)
def test_other_rules_are_decided_all_the_same(tmp_path: Path, defect: str) -> None:
    """They were left undecided, all of them."""
    assert _verdicts(tmp_path / "reports", defect) == {"QRY-01": "fail", **dict.fromkeys(COMPARING, "pass")}


@pytest.mark.parametrize(("other", "rule"), [("ord-15-keeps-total", "ORD-15"), ("del-04-not-enforced", "DEL-04")])
def test_another_fault_beside_it_is_found(tmp_path: Path, other: str, rule: str) -> None:
    found = _verdicts(tmp_path / "reports", "qry-01-expected-date-to-the-day", other)
    assert (found["QRY-01"], found[rule]) == ("fail", "fail")


def test_what_shows_otherwise_after_a_reconciliation_only_is_told(tmp_path: Path) -> None:
    """It was known from what is tried ahead, where it is not told, and so nobody told it."""
    assert _verdicts(tmp_path / "reports", "qry-01-concluded-when-reconciled")["QRY-01"] == "fail"


def test_what_many_scenarios_meet_is_made_small_once() -> None:
    """Eleven spellings of an order met it, and each tried two hundred orders for the smallest one."""
    tried = dict[str, int]()

    def broken(scenario: str) -> Callable[[int], None]:
        def law(_: int) -> None:
            tried[scenario] = tried.get(scenario, 0) + 1
            raise Violation(rule="QRY-01", expected="the order as it was sent", actual="it was another", exchange=None)

        return law

    with closing(open_session(Options())) as session:
        for scenario, rule in (("one", "ORD-19"), ("another", "ORD-19"), ("its own", "QRY-01")):
            session.evidence.expect(scenario, rule, scenario)
            with pytest.raises(Violation) as found:
                prove(Bench(session, scenario), scenario, st.integers(), broken(scenario), 1)
            session.evidence.observe(found.value, session.redactor)
    assert tried["another"] < tried["one"]
    assert tried["another"] < tried["its own"]
