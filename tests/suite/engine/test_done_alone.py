"""Where no clock moves, several things are done to an order before it is asked for: what one of them does alone is no matter of
the sequence of calls."""

from __future__ import annotations

from contextlib import closing

import pytest

from conformance.engine.bench import Bench
from conformance.engine.machine import prove_machine
from conformance.run.session import Options, open_session
from conformance.verdict.violation import Violation


def _blamed(defect: str, seed: int) -> str:
    """The rule that the machine sees broken; "" for none."""
    with closing(open_session(Options(defects=(defect,), seed=seed))) as session:
        bench = Bench(session, "machine")
        session.evidence.expect("machine", "WFL-04", "a scenario")
        assert bench.reconciliations.scope
        try:
            prove_machine(bench)
        except Violation as violation:
            return violation.rule
        return ""


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    ("defect", "seed", "rule"),
    [
        ("ord-15-keeps-extracts", 0, "ORD-15"),
        ("ord-15-keeps-total", 1, "ORD-15"),
        ("ord-15-merges", 2, "ORD-15"),
        ("ord-15-adds-new-types-only", 3, "ORD-15"),
        ("ord-17-extracts-pile-up", 0, "ORD-15"),
        ("ord-16-refused-but-stored", 1, "ORD-16"),
        ("ord-16-refused-status-stored", 2, "ORD-16"),
        ("ord-16-refused-and-wiped", 3, "ORD-16"),
        ("del-01-last-version-only", 3, "DEL-01"),
        ("del-01-takes-neighbours", 0, "DEL-01"),
        ("del-01-takes-the-last", 1, "DEL-01"),
        ("del-01-takes-the-last", 0, "DEL-01"),
        ("del-01-takes-the-last", 3, "DEL-01"),
        ("ord-16-refused-and-wiped", 2, "ORD-16"),
        ("wfl-04-touches-the-last", 0, "WFL-04"),
        ("wfl-04-shared-between-accounts", 1, "WFL-04"),
    ],
)
def test_what_one_thing_does_alone_is_blamed_on_its_rule(defect: str, seed: int, rule: str) -> None:
    """WFL-04 failed beside ORD-15, ORD-16 and DEL-01; and REL-01 or WFL-02 where the release of what was gone got 400."""
    assert _blamed(defect, seed) == rule
