"""Orders beside an open reconciliation can be sent, updated and deleted; who makes them wait is told by the rule of the call."""

from __future__ import annotations

import pytest

from conformance.contract.rules import catalogue
from conformance.engine.succession import prove_whole
from tests.suite.support.in_succession import LAWS, bench_for


@pytest.mark.parametrize(
    ("defect", "blamed"),
    [
        ("", set()),
        ("del-01-not-while-one-is-open", {"DEL-01"}),
        ("ord-15-not-while-one-is-open", {"ORD-15"}),
        ("del-01-takes-neighbours", {"DEL-01"}),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in succession", "by itself"])
def test_what_is_refused_while_one_is_open_is_told(defect: str, blamed: set[str], *, together: bool) -> None:
    with bench_for("WFL-03", together=together, defects=(defect,) if defect else ()) as bench:
        bench.scenario = "WFL-03"
        prove_whole(bench, catalogue()["WFL-03"], LAWS["WFL-03"])
        assert set(bench.session.evidence.observed) == blamed
