"""Which kind of fault caught which defect of the fleet, as measured (kills.json, written by `make kills`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from conformance.contract.endpoints import Endpoint

KILLS_FILE: Final = Path(__file__).with_name("kills.json")

_ENDPOINTS: Final[Mapping[str, Endpoint]] = {endpoint.label: endpoint for endpoint in Endpoint}


class Refusal(NamedTuple):
    """What a scenario says is refused: the rule that is broken, the endpoint, and the fault in the words of strategies.faults."""

    rule: str
    endpoint: Endpoint
    fault: str


class KindOf(NamedTuple):
    """A kind of a fault, by its name."""

    refusal: Refusal
    name: str


KillMatrix = Mapping[KindOf, frozenset[str]]
"""The defects that each kind caught, by their names. A kind that caught none has an empty set; one that is newer than the
matrix is not in it."""


@cache
def measured(file: Path = KILLS_FILE) -> KillMatrix:
    """The matrix as it was measured. What is in it of kinds and endpoints that are no more does no harm."""
    table = json.loads(file.read_text(encoding="utf-8"))
    return {
        KindOf(Refusal(rule, _ENDPOINTS[label], fault), kind): frozenset(defects)
        for rule, endpoints in table.items()
        for label, faults in endpoints.items()
        if label in _ENDPOINTS
        for fault, kinds in faults.items()
        for kind, defects in kinds.items()
    }


def as_json(matrix: KillMatrix) -> str:
    """The matrix as it is kept: a line for each kind, so that a change of one is a change of one line."""
    table: dict[str, dict[str, dict[str, dict[str, list[str]]]]] = {}
    for (refusal, kind), defects in matrix.items():
        faults = table.setdefault(refusal.rule, {}).setdefault(refusal.endpoint.label, {})
        faults.setdefault(refusal.fault, {})[kind] = sorted(defects)
    return _block(table, depth=0) + "\n"


_KINDS_AT: Final = 4
"""How deep in the table the defects of a kind stand."""


def _block(part: object, *, depth: int) -> str:
    if depth == _KINDS_AT or not isinstance(part, dict):
        return json.dumps(part, ensure_ascii=False)
    rows = (
        f"{'  ' * (depth + 1)}{json.dumps(key, ensure_ascii=False)}: {_block(value, depth=depth + 1)}"
        for key, value in part.items()
    )
    return "{\n" + ",\n".join(rows) + "\n" + "  " * depth + "}"
