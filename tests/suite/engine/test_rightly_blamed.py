"""What makes an order another than it was sent is blamed, and not what was done to it besides."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.suite.support.command_runs import certify

CASES: Final = {
    "asking changes an order": ("qry-04-asking-changes", "QRY-04", ("DEL-01", "DEL-04", "ORD-16", "WFL-04")),
    "asking loses an extract": ("qry-04-asking-loses-an-extract", "QRY-04", ("DEL-01", "DEL-04", "ORD-16", "WFL-04")),
    "codes without case": ("qry-05-without-case", "QRY-05", ("REL-13",)),
    "codes that begin alike": ("qry-05-cut-at-thirty", "QRY-05", ("DEL-01",)),
    "cents that are cut": ("qry-01-cents-cut", "QRY-01", ("ERR-06",)),
    "a dead token opens a reconciliation": ("auth-05-a-day", "AUTH-05", ("REC-01",)),
    "refused periods are kept": ("rec-09-period-kept", "REC-09", ("ACC-03", "REC-01", "REC-04", "REC-05", "REC-12")),
    "no reconciliation ends": ("wfl-03-never-completes", "WFL-02", ("CON-03",)),
}
SEEDS: Final = {"a dead token opens a reconciliation": 71, "refused periods are kept": 0, "no reconciliation ends": 0}


@pytest.mark.parametrize("what", CASES)
def test_no_other_rule_is_blamed(tmp_path: Path, what: str) -> None:
    """As with the cases of that seed these others were."""
    defect, right, others = CASES[what]
    rules = [argument for rule in (right, *others) for argument in ("--rule", rule)]
    run = certify(tmp_path / "reports", "--defect", defect, "--seed", str(SEEDS.get(what, 7)), "--keep-going", *rules)
    assert run.verdicts("fail") == {right}
