"""Rates and blocks are off by one, too short or missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.limits import PER_MINUTE
from conformance.mock.defects.parts import DELETE, QUERY, SUBMIT, rules
from conformance.mock.quirks import Defect


def _rates(by: int) -> Mapping[str, Any]:
    return MappingProxyType({"rates": {endpoint: limit + by for endpoint, limit in PER_MINUTE.items()}})


def _limits(name: str, statement: str, blamed: str, limits: Mapping[str, Any], *also: str) -> Defect:
    return Defect(name=name, statement=statement, rules=rules(blamed, *also), limits=limits)


LIMITING: Final = (
    _limits("lim-01-one-more", "Takes one call a minute more than documented.", "LIM-01", _rates(1)),
    _limits("lim-01-one-fewer", "Takes one call a minute fewer than documented.", "LIM-01", _rates(-1)),
    _limits(
        "lim-01-queries-as-many-as-submissions",
        "Takes 300 queries a minute.",
        "LIM-01",
        MappingProxyType({"rates": {SUBMIT: 300, QUERY: 300, DELETE: 300}}),
    ),
    _limits(
        "lim-01-deletions-without-limit",
        "Takes any number of deletions.",
        "LIM-01",
        MappingProxyType({"rates": {SUBMIT: 300, QUERY: 90, DELETE: 10**6}}),
    ),
    _limits("lim-02-at-501", "Blocks at the 501st client error.", "LIM-02", MappingProxyType({"errors_an_hour": 501})),
    _limits("lim-02-at-499", "Blocks at the 499th client error.", "LIM-02", MappingProxyType({"errors_an_hour": 499})),
    _limits("lim-02-half-an-hour", "Blocks for half an hour.", "LIM-02", MappingProxyType({"block_seconds": 1800})),
    _limits("lim-02-two-hours", "Blocks for two hours.", "LIM-02", MappingProxyType({"block_seconds": 7200}), "LIM-03"),
    _limits(
        "lim-03-never-for-good", "Never blocks for good.", "LIM-03", MappingProxyType({"calls_while_blocked": 10**9})
    ),
    _limits(
        "lim-03-at-999", "Blocks for good at the 999th call.", "LIM-03", MappingProxyType({"calls_while_blocked": 999})
    ),
)
