"""What single checks of the gate found in a certificate."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from conformance.verdict.gate_case import Check, Result
from conformance.verdict.verdicts import Kinds, RuleVerdict
from tests.suite.support.gate_cases import NOW, RECOMMENDED, REQUIRED
from tests.suite.support.made_up_certificates import FINISHED

PASS, FAIL, SKIP, UNKNOWN = RuleVerdict.PASS, RuleVerdict.FAIL, RuleVerdict.NOT_EXERCISED, RuleVerdict.INCONCLUSIVE

TODAY = NOW.date()

LATER, YESTERDAY = date(2026, 12, 31), TODAY - timedelta(days=1)

ONE, TWO, THREE = REQUIRED[:3]

LESSER = RECOMMENDED[0]


def told(decision: Any, check: Check) -> list[tuple[str, Result, dict[str, object]]]:
    """What one check found: kinds, results and facts."""
    return [(found.kind, found.result, dict(found.facts)) for found in decision.checks if found.check is check]


def kinds(*, tried: int, left: int, earlier: int = 0, age: timedelta = timedelta()) -> Kinds:
    """So many kinds; of those left so many that earlier runs tried, so long before the end of the run."""
    names = [f"kind {number}" for number in range(left)]
    at = (FINISHED - age).isoformat()
    return Kinds(tuple(f"tried {number}" for number in range(tried)), tuple(names), dict.fromkeys(names[:earlier], at))
