"""The catalogue of documented rules (rules.yaml) as frozen types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from conformance.contract.endpoints import Endpoint


class Level(StrEnum):
    """How a rule is founded: stated by a document, or inferred from one."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"


class Side(StrEnum):
    """A kind of evidence: an acceptance, a refusal beside its accepted twin, or any checked answer."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CHECKED = "checked"


class Kind(StrEnum):
    """What a rule judges, and what a certificate is of: an endpoint, or the calls of an integration."""

    ENDPOINT = "endpoint"
    INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class Statuses:
    """A set of HTTP statuses as the catalogue writes it: `400`, or a class such as `4xx`."""

    text: str

    def __contains__(self, status: int) -> bool:
        return self.text == str(status) or (self.text.endswith("xx") and self.text[0] == str(status)[0])

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Rule:
    """One documented rule: what must happen, where, by which source, and what it takes to show it."""

    id: str
    area: str
    statement: str
    endpoints: tuple[Endpoint, ...]
    source: str
    level: Level
    sides: tuple[Side, ...]
    accepted: Statuses
    refused: Statuses
    codes: tuple[str, ...]
    no_token_body: bool
    needs: tuple[str, ...]
    reading: str | None
    sides_by_reading: Mapping[str, tuple[Side, ...]]
    applies: tuple[Kind, ...] = (Kind.ENDPOINT,)
    instead: str = ""
    """What an integration is to send where it broke the rule."""

    def __reduce__(self) -> tuple[Callable[[str], Rule], tuple[str]]:
        """By its id: another process knows the same catalogue."""
        return _named, (self.id,)

    def sides_under(self, readings: Mapping[str, str]) -> tuple[Side, ...]:
        """The evidence this rule needs to pass, under the readings of a run."""
        if self.reading is None:
            return self.sides
        return self.sides_by_reading.get(readings[self.reading], self.sides)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rules, in the order of the file, with the version and digest that a certificate quotes."""

    version: str
    sha256: str
    rules: Mapping[str, Rule]

    def __getitem__(self, rule_id: str) -> Rule:
        """The rule of that id; KeyError names the id and how to list them."""
        try:
            return self.rules[rule_id]
        except KeyError:
            raise KeyError(f"no rule {rule_id!r}; `koncili-conformance rules` lists them all") from None

    def nearest(self, written: str) -> str:
        """` (did you mean ORD-04?)`: what to add where somebody wrote the id of no rule; empty where nothing is near."""
        if written.upper() not in self.rules and written.upper() in every_rule().rules:
            return " (it judges the calls of an integration: `koncili-conformance audit` does)"
        parts = _ID_PARTS.fullmatch(written.upper())
        padded = f"{parts[1]}-{int(parts[2]):02}" if parts else ""
        near = [padded] if padded in self.rules else get_close_matches(written.upper(), self.rules, n=3)
        return f" (did you mean {' or '.join(near)}?)" if near else ""


# An id without its hyphen or its leading zero.
_ID_PARTS = re.compile(r"([A-Z]+)[-_ ]?([0-9]{1,3})")


@cache
def catalogue(kind: Kind = Kind.ENDPOINT) -> Catalogue:
    """The rules by which that is judged, of the catalogue shipped with this version of the suite."""
    every = every_rule()
    rules = {rule.id: rule for rule in every.rules.values() if kind in rule.applies}
    return Catalogue(every.version, every.sha256, MappingProxyType(rules))


def _named(rule: str) -> Rule:
    return every_rule().rules[rule]


@cache
def every_rule() -> Catalogue:
    """The whole catalogue (rules.yaml beside this module), whatever its rules judge."""
    import yaml

    raw = files("conformance.contract").joinpath("rules.yaml").read_bytes()
    document: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    rules = [_rule(row) for row in document["rules"]]
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("rules.yaml: a rule id stands twice")
    return Catalogue(document["version"], sha256(raw).hexdigest(), MappingProxyType({rule.id: rule for rule in rules}))


def stated_rules(stated: object) -> Mapping[str, str]:
    """What a file states of rules, a text each. Raises ValueError that names the rule."""
    if not isinstance(stated, Mapping):
        raise ValueError('must be a table with lines such as ACC-02 = "why"')  # noqa: TRY004 (pydantic wants it)
    for rule, why in stated.items():
        if rule not in catalogue().rules:
            raise ValueError(f"names {rule}, which is no rule; `koncili-conformance rules` lists them")
        if not isinstance(why, str) or not why.strip():
            raise ValueError(f"must say in words why {rule} is not exercised")
    return stated


_KNOWN_KEYS = {
    "id", "area", "statement", "endpoints", "source", "level", "sides", "accepted", "refused", "codes", "body",
    "needs", "reading", "sides_by_reading", "applies", "instead",
}  # fmt: skip


def _rule(row: dict[str, Any]) -> Rule:
    unknown = row.keys() - _KNOWN_KEYS
    if unknown:
        raise ValueError(f"rules.yaml: {row.get('id')}: unknown keys {sorted(unknown)}")
    return Rule(
        id=row["id"],
        area=row["area"],
        statement=row["statement"],
        endpoints=tuple(Endpoint(name) for name in row["endpoints"]),
        source=row["source"],
        level=Level(row["level"]),
        sides=tuple(Side(side) for side in row["sides"]),
        accepted=Statuses(str(row.get("accepted", "2xx"))),
        refused=Statuses(str(row.get("refused", "4xx"))),
        codes=tuple(row.get("codes", ())),
        no_token_body=row.get("body") == "no-token",
        needs=tuple(row.get("needs", ())),
        reading=row.get("reading"),
        sides_by_reading=MappingProxyType(
            {value: tuple(Side(side) for side in sides) for value, sides in row.get("sides_by_reading", {}).items()}
        ),
        applies=tuple(Kind(kind) for kind in row.get("applies", (Kind.ENDPOINT,))),
        instead=row.get("instead", ""),
    )
