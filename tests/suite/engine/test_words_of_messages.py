"""What is told of a broken rule speaks JSON, and not Python."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

import conformance
import strategies
import tests.certification
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import told
from conformance.contract.readings import resolve
from conformance.contract.rules import catalogue
from conformance.mock.world import ENABLED
from strategies.fault_parts import OF_BATCHES
from strategies.faults import FAULTS, Kind, cases, fault_batches, possible
from strategies.placeholders import CODE
from strategies.scope import Place, Scope

PYTHON: Final = re.compile(
    r"Decimal\(|\bNone\b|\bTrue\b|\bFalse\b|datetime\.|Place\(|\{'|\['|: '|b'|<class|object at 0x"
)

TOLD: Final = {
    '{"a": null}': {"a": None},
    "true": True,
    '"São Paulo\\n"': "São Paulo\n",
    "4.17": Decimal("4.17"),
    '[1, "b", <code>]': [1, "b", CODE],
    '{"code": <code>, "value": 10000.00}': {"code": CODE, "value": Decimal("10000.00")},
    "inf": float("inf"),
}


@pytest.mark.parametrize("words", TOLD)
def test_a_value_is_told_as_json(words: str) -> None:
    assert told(TOLD[words]) == words


# -- what is written into messages ---------------------------------------------------------------------------------


def sources() -> list[Path]:
    """Where messages about broken rules are made."""
    library, drawn = (Path(package.__path__[0]) for package in (conformance, strategies))
    here = Path(tests.certification.__path__[0])
    folders = (library / "engine", library / "concurrency", here, drawn)
    judge = [library / "contract" / name for name in ("judge.py", "order_rules.py", "reconciliation_rules.py")]
    return sorted([*judge, *(path for folder in folders for path in folder.glob("*.py"))])


def _reprs(path: Path) -> list[int]:
    """The lines on which a text is made of a value by Python's repr, but in reprs and in what only developers read."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spared = {
        part
        for node in ast.walk(tree)
        if (isinstance(node, ast.FunctionDef) and node.name == "__repr__")
        or (isinstance(node, ast.Raise) and "Error(" in ast.unparse(node))
        for part in ast.walk(node)
    }
    wanted = ord("r")
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.conversion == wanted and node not in spared
    ]


NO_MESSAGE: Final = {"passing.py"}
"""Where a repr tells kinds of calls apart and is shown to nobody."""


@pytest.mark.parametrize("path", sources(), ids=lambda path: "/".join(path.parts[-2:]))
def test_no_message_is_made_by_repr(path: Path) -> None:
    assert _reprs(path) == [] or path.name in NO_MESSAGE


# -- what was changed in a call ------------------------------------------------------------------------------------

SCOPE: Final = Scope(
    tuple(Place(account.id, account.channel) for account in ENABLED),
    resolve({}),
    {},
    None,
)

KINDS: Final = {
    f"{rule} {endpoint.value} {kind.name}": (endpoint, kind)
    for rule, faults in FAULTS.items()
    for kinds in faults.values()
    for kind in kinds
    for endpoint in catalogue()[rule].endpoints
    if possible(kind, SCOPE, endpoint)
}


def _change(endpoint: Endpoint, kind: Kind) -> st.SearchStrategy[str]:
    if endpoint in OF_BATCHES:
        return fault_batches(SCOPE, endpoint, (kind,)).map(lambda fault_batch: str(fault_batch.edits[0][1]))
    return cases(SCOPE, endpoint, kind).map(lambda case: str(case.edit))


@pytest.mark.parametrize("name", KINDS)
def test_a_change_is_told_in_json(name: str) -> None:
    assert PYTHON.search(KINDS[name][1].name) is None
    told_as: list[str] = []
    quick = settings(
        max_examples=1, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )

    def noted(words: str) -> bool:
        told_as.append(words)
        return True

    find(_change(*KINDS[name]), noted, settings=quick)
    assert [words for words in told_as if PYTHON.search(words)] == []
