"""The catalogue of rules for people and machines: as a table, as JSON, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from conformance.contract.readings import READINGS
from conformance.contract.rules import Rule


def render(rules: Sequence[Rule], format_: str, *, single: bool) -> str:
    """The rules in that format (table, json or markdown); `single` shows one rule whole."""
    if format_ == "json":
        rows = [as_dict(rule) for rule in rules]
        return json.dumps(rows[0] if single else rows, indent=2, ensure_ascii=False)
    if format_ == "markdown":
        return _markdown(rules)
    return _whole(rules[0]) if single else _table(rules)


def as_dict(rule: Rule) -> dict[str, Any]:
    """The rule as JSON."""
    return {
        "id": rule.id,
        "area": rule.area,
        "statement": rule.statement,
        "endpoints": [endpoint.label for endpoint in rule.endpoints],
        "source": rule.source,
        "level": rule.level,
        "expected": expected(rule),
        "needs": list(rule.needs),
        "reading": rule.reading,
    }


def expected(rule: Rule) -> str:
    """What must be seen for the rule to pass, in words."""
    parts = []
    for side in rule.sides:
        if side == "accepted":
            parts.append(f"accepted with {rule.accepted}")
        elif side == "refused":
            codes = f" and code {' or '.join(rule.codes)}" if rule.codes else ""
            body = " and NO_TOKEN" if rule.no_token_body else ""
            parts.append(f"refused with {rule.refused}{codes}{body}")
        else:
            parts.append("any answer but a server error")
    return "; ".join(parts)


def _table(rules: Sequence[Rule]) -> str:
    return "\n".join(f"{rule.id:8} {rule.level:11}  {rule.statement}" for rule in rules)


def _whole(rule: Rule) -> str:
    rows = {
        "level": str(rule.level),
        "endpoints": ", ".join(endpoint.label for endpoint in rule.endpoints),
        "source": rule.source,
        "expected": expected(rule),
        "needs": ", ".join(rule.needs) or "nothing",
    }
    if rule.reading:
        reading = READINGS[rule.reading]
        rows["reading"] = f"{reading.id} ({' | '.join(reading.values)}): {reading.disagreement}"
    return "\n".join([f"{rule.id}  {rule.statement}", *(f"  {name:10} {value}" for name, value in rows.items())])


def _markdown(rules: Sequence[Rule]) -> str:
    lines = ["| rule | level | statement | endpoints | expected | source |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {rule.id} | {rule.level} | {rule.statement} | {', '.join(e.label for e in rule.endpoints)} "
        f"| {expected(rule)} | {rule.source} |"
        for rule in rules
    ]
    return "\n".join(lines)
