"""Requests that Schemathesis makes of the OpenAPI document: its coverage phase, as values of our own.

They are made beforehand and kept in schema_cases.json (`make schema` writes it, by tests/schema_cases.py), so that a
certification needs no Schemathesis: importing it takes a second and changes Hypothesis for the whole process, and its
pytest plugin does both in every project of whoever has it installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("schema_cases.json")

MOST: Final = 10
"""How many cases of a part are kept: the deep profile sends so many."""

ALLOWED, REFUSED, UNDECLARED = "allowed", "refused", "undeclared"
PARTS: Final = (ALLOWED, REFUSED, UNDECLARED)
"""What the document allows, what it does not, and methods that it does not declare for the path."""

ACCOUNT: Final = 4242424242
CHANNEL: Final = "THE-CHANNEL-OF-THE-TARGET"
"""What stands in the table for the account and channel of the target."""


@dataclass(frozen=True, slots=True)
class SchemaCase:
    """One request to be. Security headers are left to the client."""

    operation_id: str
    description: str
    """What was changed, in words."""
    positive: bool
    """Whether the document allows it. That does not make it lawful: accounts, dates and codes are made up."""
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None
    kind: str = ""
    """The kind of change, by Schemathesis's name: `incorrect_type`."""


def cases(operation_id: str, part: str, at_most: int, *, account: int, channel: str) -> list[SchemaCase]:
    """So many cases of one operation about this account, in the order in which Schemathesis made them.

    The first of a part in the table are those that say most (`chosen` in tests/schema_cases.py): a larger number of them holds
    every smaller one. Raises KeyError where the document has no such operation.
    """
    entries = sorted(_table()[operation_id][part][:at_most], key=lambda entry: entry["position"])
    return [_case(operation_id, part, entry, account=account, channel=channel) for entry in entries]


@cache
def _table() -> dict[str, dict[str, list[dict[str, Any]]]]:
    operations: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(TABLE.read_text("utf-8"))["operations"]
    return operations


def _case(operation_id: str, part: str, entry: Mapping[str, Any], *, account: int, channel: str) -> SchemaCase:
    def of_the_target(text: str, name: str) -> str:
        return text.replace(CHANNEL, name).replace(str(ACCOUNT), str(account))

    body = entry["body"]
    return SchemaCase(
        operation_id=operation_id,
        description=of_the_target(entry["description"], channel),
        positive=part == ALLOWED,
        method=entry["method"],
        path=entry["path"],
        query={name: of_the_target(text, channel) for name, text in entry["query"].items()},
        body=None if body is None else of_the_target(body, json.dumps(channel)[1:-1]).encode(),
        kind=entry["kind"],
    )
