"""The catalogue of rules for people and machines: as a table, as JSON, as Markdown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.contract.readings import NEVER_PROBED, PRINTED_CONTRADICTIONS, READINGS, Reading
from conformance.contract.rules import Kind, Rule, Side, catalogue
from conformance.i18n.messages import ENGLISH, mark, speaking, tr


def render(rules: Sequence[Rule], format_: str, *, single: bool) -> str:
    """The rules in that format (table, json or markdown); `single` shows one rule whole."""
    if format_ == "table":
        return _whole(rules[0]) if single else _table(rules)
    with speaking(ENGLISH):  # what machines read, and docs/rules.md
        return _for_documents(rules, format_, single=single)


def _for_documents(rules: Sequence[Rule], format_: str, *, single: bool) -> str:
    if format_ == "json":
        rows = [as_dict(rule) for rule in rules]
        return json.dumps(rows[0] if single else rows, indent=2, ensure_ascii=False)
    return "\n".join(_section(rules[0])) if single else _reference(rules)


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
        "applies": list(rule.applies),
        "instead": rule.instead,
    }


def expected(rule: Rule) -> str:
    """What must be seen for the rule to pass, in words."""
    if Kind.ENDPOINT not in rule.applies:
        return tr("recorded calls that keep it, and none that breaks it")
    parts = []
    for side in rule.sides:
        if side == "accepted":
            parts.append(tr("accepted with {status}", status=rule.accepted))
        elif side == "refused":
            codes = tr(" and code {codes}", codes=tr(" or ").join(rule.codes)) if rule.codes else ""
            body = tr(" and NO_TOKEN") if rule.no_token_body else ""
            parts.append(tr("refused with {status}", status=rule.refused) + codes + body)
        else:
            parts.append(tr("any answer but a server error"))
    return "; ".join(parts)


def _table(rules: Sequence[Rule]) -> str:
    return "\n".join(f"{rule.id:8} {tr(rule.level):11}  {tr(rule.statement)}" for rule in rules)


def _whole(rule: Rule) -> str:
    rows = {
        tr("level"): tr(rule.level),
        tr("endpoints"): ", ".join(endpoint.label for endpoint in rule.endpoints),
        tr("source"): rule.source,
        tr("expected"): expected(rule),
        tr("needs"): ", ".join(rule.needs) or tr("nothing"),
        tr("applies"): tr(" and ").join(tr(_APPLIES[kind]) for kind in rule.applies),
    }
    if rule.instead:
        rows[tr("instead")] = tr(rule.instead)
    if rule.reading:
        reading = READINGS[rule.reading]
        rows[tr("reading")] = f"{reading.id} ({' | '.join(reading.values)}): {tr(reading.disagreement)}"
    return "\n".join([f"{rule.id}  {tr(rule.statement)}", *(f"  {name:10} {value}" for name, value in rows.items())])


# -- Markdown ------------------------------------------------------------------------------------------------------

WRITTEN_BY = "koncili-conformance rules --format markdown"

_SOURCES = (
    "Sources: S1 is Koncili's order workflow page, S2 its page on orders, reconciliations and releases, `P: <page>` a page of "
    "its developer portal. A rule is *required* where one of them states it, and *recommended* where it is inferred: such a "
    "rule is reported and never decides."
)

_READINGS = (
    "Where the documents disagree or stay silent, a run follows one reading of them: what the target file says under "
    "`[readings]`, else what it finds out, else the default. The certificate says which, and how it is known."
)

_EVIDENCE = {
    Side.ACCEPTED: "an acceptance",
    Side.REFUSED: "a refusal beside its accepted twin",
    Side.CHECKED: "a checked answer",
}

_APPLIES = {
    Kind.ENDPOINT: mark("an endpoint (`certify`)"),
    Kind.INTEGRATION: mark("an integration's recorded calls (`audit`)"),
}

_NEEDS = {
    "clock": "a clock that can be moved, which is the suite's own mock",
    "mock": "the suite's own mock",
}


def _reference(rules: Sequence[Rule]) -> str:
    """The reference of all rules as a page."""
    levels = Counter(rule.level for rule in rules)
    areas = {area: [rule for rule in rules if rule.area == area] for area in dict.fromkeys(rule.area for rule in rules)}
    counted = ", ".join(f"{number} {level}" for level, number in levels.items())
    lines = [
        "# The rules",
        "",
        f"Made by `{WRITTEN_BY}` (`make docs`) from rules.yaml and the readings: change those, not this page.",
        "",
        f"Contract version {catalogue().version}: {len(rules)} rules, {counted}. {_SOURCES}",
        "",
        "## Contents",
        "",
        *(f"- [{area.capitalize()}](#{area}): {_linked(rule.id for rule in there)}" for area, there in areas.items()),
        f"- [Readings](#readings): {_linked(READINGS)}",
        "- [Printed contradictions](#printed-contradictions)",
    ]
    for area, there in areas.items():
        lines += ["", f"## {area.capitalize()}"]
        for rule in there:
            lines += ["", *_section(rule)]
    lines += ["", "## Readings", "", _READINGS]
    for reading in READINGS.values():
        lines += ["", *_reading(reading, rules)]
    lines += ["", "## Printed contradictions", "", "Beyond that the documents contradict themselves:", ""]
    lines += [f"- {contradiction}" for contradiction in PRINTED_CONTRADICTIONS]
    return "\n".join(lines)


def _section(rule: Rule) -> list[str]:
    """One rule under its own heading, to which `#ord-04` leads."""
    rows = {
        "level": str(rule.level),
        "endpoints": ", ".join(f"`{endpoint.label}`" for endpoint in rule.endpoints),
        "expected": expected(rule),
        "source": rule.source,
        "evidence it takes": _sides(rule.sides) if Kind.ENDPOINT in rule.applies else "a recorded call",
        "needs": "; ".join(map(_need, rule.needs)) or "nothing",
        "judges": " and ".join(_APPLIES[kind] for kind in rule.applies),
    }
    if rule.instead:
        rows["an integration sends instead"] = rule.instead
    if rule.reading:
        reading = READINGS[rule.reading]
        rows["reading"] = f"[{reading.id}](#{reading.id}): {_values(reading)}. {reading.disagreement}"
    for value, sides in rule.sides_by_reading.items():
        rows[f"evidence under `{value}`"] = _sides(sides)
    return [f"### {rule.id}", "", rule.statement, "", *(f"- **{name}:** {value}" for name, value in rows.items())]


def _reading(reading: Reading, rules: Sequence[Rule]) -> list[str]:
    lines = [f"### {reading.id}", "", reading.disagreement, "", f"- **values:** {_values(reading)}"]
    found_out = "no, the default is taken" if reading.id in NEVER_PROBED else "yes"
    lines.append(f"- **found out by a run that is not told:** {found_out}")
    concerned = [rule.id for rule in rules if rule.reading == reading.id]
    return [*lines, f"- **rules:** {_linked(concerned)}"] if concerned else lines


def _values(reading: Reading) -> str:
    return " or ".join(f"`{value}`" + " (default)" * (value == reading.default) for value in reading.values)


def _sides(sides: Sequence[Side]) -> str:
    return ", ".join(_EVIDENCE[side] for side in sides)


def _need(need: str) -> str:
    if need in _NEEDS:
        return _NEEDS[need]
    return f"`fixtures.{need}` in the target file"


def _linked(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}](#{name.lower()})" for name in names)
