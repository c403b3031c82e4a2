"""Cases of the kinds of faults of reconciliations and releases, with their placeholders filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from strategies.faults import FAULTS, Case, Kind, cases
from strategies.placeholders import fill
from tests.suite.support.properties import BATCH_READINGS, Bench, mock_scope, sample

Body = dict[str, Any]

FEW: Final = 30

INIT: Final = "2001-01-02T03:04:05Z"


@dataclass(frozen=True)
class Broken:
    """A case with its placeholders filled: the lawful body, the one with the fault, and what filled them."""

    case: Case
    lawful: Body
    broken: Body
    values: Mapping[str, str]

    @property
    def seconds(self) -> int:
        """How long the period of its batch lasts."""
        assert self.case.lawful.batch is not None
        return self.case.lawful.batch.seconds

    @property
    def opened(self) -> Body:
        """The creation of its batch."""
        assert self.case.lawful.batch is not None
        body: Body = fill(self.case.lawful.batch.creation, self.values)
        return body


def kind_of(rule_id: str, name: str) -> Kind:
    """The kind of that name."""
    return next(kind for kinds in FAULTS[rule_id].values() for kind in kinds if kind.name == name)


@cache
def broken(rule_id: str, name: str, readings: str = "extended types", many: int = FEW) -> tuple[Broken, ...]:
    """So many cases of a kind, the same ones each time."""
    endpoint = Endpoint.CREATE_RECONCILIATION if rule_id.startswith("REC-") else Endpoint.SUBMIT_RELEASE
    bench = Bench()
    found = []
    for case in sample(cases(mock_scope(BATCH_READINGS[readings]), endpoint, kind_of(rule_id, name)), many):
        values = bench.ready(case.lawful)
        found.append(Broken(case, fill(case.lawful.body, values), fill(case.broken.body, values), values))
    return tuple(found)


def names_of(rule_id: str) -> set[str]:
    """The names of the kinds of a rule."""
    return {kind.name for kinds in FAULTS[rule_id].values() for kind in kinds}


def plain_names_of(rule_id: str) -> set[str]:
    """The same without those that take extracts in fixed proportions (`test_matching.py`)."""
    return {kind.name for kinds in FAULTS[rule_id].values() for kind in kinds if not kind.multiples}


def period(body: Body) -> tuple[datetime, datetime]:
    """Beginning and end of a creation's period."""
    return datetime.fromisoformat(body["periodInitDate"]), datetime.fromisoformat(body["periodEndDate"])


def since(text: str, begins: str = INIT) -> timedelta:
    """How long after a period's beginning an instant is."""
    return datetime.fromisoformat(text) - datetime.fromisoformat(begins)
