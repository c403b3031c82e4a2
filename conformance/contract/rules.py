"""The catalogue of documented rules (rules.yaml) as frozen types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun


class Level(StrEnum):
    """How a rule is founded: stated by a document, or inferred from one."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    LATER = "later"
    """However it is founded, it was added after the version of the contract that is asked for: shown, never scored."""


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
    since: str = ""
    """The version of the contract that it came with."""

    def __reduce__(self) -> tuple[Callable[[str], Rule], tuple[str]]:
        """By its id: another process knows the same catalogue."""
        return _named, (self.id,)

    def sides_under(self, readings: Mapping[str, str]) -> tuple[Side, ...]:
        """The evidence this rule needs to pass, under the readings of a run."""
        if self.reading is None:
            return self.sides
        return self.sides_by_reading.get(readings[self.reading], self.sides)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All rules, in the order of the file, with the version and digest that a certificate quotes."""

    version: str
    sha256: str
    """Of what the rules of that version decide by, whatever their words and whatever was added later."""
    rules: Mapping[str, Rule]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Every version there is, the oldest first, with the digest of its rules as they were frozen."""

    def as_of(self, version: str) -> Catalogue:
        """The same rules as that version has them: what came later is at the level `later`. Raises CannotRun for no version."""
        if version not in self.versions:
            raise CannotRun(f"there is no contract {version!r}; the versions are {', '.join(self.versions)}")
        known = list(self.versions)[: list(self.versions).index(version) + 1]
        rules = {
            rule.id: rule if rule.since in known else replace(rule, level=Level.LATER) for rule in self.rules.values()
        }
        return Catalogue(version, _digest_of(rules.values()), MappingProxyType(rules), self.versions)

    @property
    def added_later(self) -> tuple[str, ...]:
        """The rules that came after this version."""
        return tuple(rule.id for rule in self.rules.values() if rule.level is Level.LATER)

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
        return f" (did you mean {', '.join(near)}?)" if near else ""


# An id without its hyphen or its leading zero.
_ID_PARTS = re.compile(r"([A-Z]+)[-_ ]?([0-9]{1,3})")


def catalogue(kind: Kind = Kind.ENDPOINT, version: str | None = None) -> Catalogue:
    """The rules by which that is judged, of the catalogue shipped with this version of the suite: as that version of the
    contract has them, or the newest. Raises CannotRun where there is no such version."""
    return _catalogue(every_rule(), kind, version)


@lru_cache
def _catalogue(every: Catalogue, kind: Kind, version: str | None) -> Catalogue:
    of_then = every if version is None else every.as_of(version)
    rules = {rule.id: rule for rule in of_then.rules.values() if kind in rule.applies}
    return Catalogue(of_then.version, of_then.sha256, MappingProxyType(rules), every.versions)


def _named(rule: str) -> Rule:
    return every_rule().rules[rule]


@cache
def every_rule() -> Catalogue:
    """The whole catalogue (rules.yaml beside this module), whatever its rules judge."""
    return read_catalogue(files("conformance.contract").joinpath("rules.yaml").read_bytes())


def read_catalogue(raw: bytes) -> Catalogue:
    """The catalogue in the content of a file, as its newest version has it. Raises ValueError where that is none."""
    import yaml

    document: dict[str, Any] = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    versions = {str(version): str(digest) for version, digest in document["versions"].items()}
    first, newest = next(iter(versions)), list(versions)[-1]
    rules = [_rule({"since": first, **row}) for row in document["rules"]]
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("rules.yaml: a rule id stands twice")
    if unknown := [rule.id for rule in rules if rule.since not in versions]:
        raise ValueError(f"rules.yaml: {', '.join(unknown)}: `since` is none of the versions {', '.join(versions)}")
    return Catalogue(
        newest, _digest_of(rules), MappingProxyType({rule.id: rule for rule in rules}), MappingProxyType(versions)
    )


def _digest_of(rules: Iterable[Rule]) -> str:
    """SHA-256 over what verdicts hang on, of the rules that are scored; words and sources may be put better."""
    facts = [
        {
            "id": rule.id,
            "endpoints": [endpoint.label for endpoint in rule.endpoints],
            "level": rule.level,
            "sides": rule.sides,
            "accepted": str(rule.accepted),
            "refused": str(rule.refused),
            "codes": rule.codes,
            "no_token_body": rule.no_token_body,
            "needs": rule.needs,
            "reading": rule.reading,
            "sides_by_reading": dict(rule.sides_by_reading),
            "applies": rule.applies,
        }
        for rule in sorted(rules, key=lambda rule: rule.id)
        if rule.level is not Level.LATER
    ]
    return sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


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
    "needs", "reading", "sides_by_reading", "applies", "instead", "since",
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
        since=str(row["since"]),
    )
