"""What an audit has found: of each rule how many calls kept it, how many can't be judged and why, and what broke it.

What has one cause is one finding, with the entries that show it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Final

from conformance.audit.call import Call
from conformance.contract.jsontext import JSONValue
from conformance.contract.rules import Kind, Rule, catalogue
from conformance.traffic.exchange import Origin

MOST_ENTRIES: Final = 1_000
"""So many entries of a finding are kept; how many there are is counted."""

MOST_REASONS: Final = 5
"""So many reasons why calls can't be judged are told of a rule."""

ANYWHERE: Final = frozenset({"AUTH-03", "CLI-08", "CLI-11", "CLI-14", "CLI-15"})
"""Rules that an integration breaks in the same way wherever it calls: one cause, whatever the endpoint."""

Cause = tuple[str, str, str, str]
"""What tells one finding from another: rule, endpoint, place without positions, and what else."""

_number: Final = itemgetter(0)

_NUMBER_IN_POINTER: Final = re.compile(r"(?<=/)\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Spot:
    """An entry of a recording."""

    origin: Origin
    started: datetime | None

    @classmethod
    def of(cls, call: Call) -> Spot:
        """Where the call stands."""
        return cls(call.origin, call.started)


@dataclass(slots=True)
class Finding:
    """What broke a rule: one cause, and all that shows it."""

    rule: Rule
    endpoint: str
    pointer: str
    """Where in the body of the first entry, as RFC 6901 has it; `header NAME`, `query NAME`, or empty."""
    value: JSONValue
    says: str
    """What is wrong with the first entry."""
    instead: str
    call: Call
    """The first entry."""
    cause: str
    """What tells it from others of the same rule, endpoint and place."""
    times: int = 0
    numbered: list[tuple[int, Spot]] = field(default_factory=list)
    """The first entries that show it, by the numbers of their calls, each once."""

    @property
    def spots(self) -> list[Spot]:
        """The first entries that show it, in sequence."""
        return [spot for _, spot in self.numbered]

    def show(self, number: int, spot: Spot) -> None:
        """Take note of an entry that shows it."""
        numbered = self.numbered
        if numbered and number <= numbered[-1][0]:
            place = bisect_left(numbered, number, key=_number)
            if numbered[place][0] != number:
                numbered.insert(place, (number, spot))
                del numbered[MOST_ENTRIES:]
        elif len(numbered) < MOST_ENTRIES:
            numbered.append((number, spot))

    def take(self, other: Finding) -> None:
        """Take over what another part of the recording shows of the same cause."""
        self.times += other.times
        for number, spot in other.numbered:
            self.show(number, spot)

    @property
    def id(self) -> str:
        """The same for the same cause, whatever recording shows it."""
        endpoint = "" if self.rule.id in ANYWHERE else self.endpoint
        cause = "\0".join((self.rule.id, endpoint, cause_of(self.pointer), self.cause))
        return f"{self.rule.id}-{sha256(cause.encode()).hexdigest()[:8]}"


@dataclass(slots=True)
class Tally:
    """Of one rule what was seen."""

    kept: int = 0
    broken: int = 0
    undecided: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)


def cause_of(pointer: str) -> str:
    """The pointer without positions in lists: what is wrong in every extract has one cause."""
    return _NUMBER_IN_POINTER.sub("*", pointer)


def pointer_of(place: str) -> str:
    """A place as the judge writes it, `extracts[1].value`, as a JSON pointer: `/extracts/1/value`."""
    if not place or place == "body":
        return ""
    return "/" + re.sub(r"\[(\d+)\]", r"/\1", place).replace(".", "/")


def value_at(content: JSONValue, pointer: str) -> JSONValue:
    """What stands at a JSON pointer, None where nothing does."""
    for part in pointer.split("/")[1:]:
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            return None
    return content


class Findings:
    """Collects what an audit finds. What it says does not hang on the sequence in which it learns it, only on the calls' own:
    so parts of a recording that were judged by themselves can be put together."""

    def __init__(self) -> None:
        self.rules = catalogue(Kind.INTEGRATION).rules
        self.broken = self.undecided = 0
        """How often, of all rules together."""
        self._tallies: dict[str, Tally] = {rule: Tally() for rule in self.rules}
        self._kept: dict[tuple[str | tuple[str, ...], str], int] = {}
        """How often rules were kept together by calls of an endpoint: a lawful order keeps fifteen at once."""
        self._found: dict[Cause, Finding] = {}

    def __getstate__(self) -> dict[str, object]:
        """Without the catalogue, which another process has too."""
        return {name: value for name, value in self.__dict__.items() if name != "rules"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, rules=catalogue(Kind.INTEGRATION).rules)

    def keeps(self, rule: str, call: Call) -> None:
        """The call keeps the rule."""
        place: tuple[str | tuple[str, ...], str] = rule, call.label
        self._kept[place] = self._kept.get(place, 0) + 1

    def keeps_all(self, rules: tuple[str, ...], call: Call) -> None:
        """The call keeps these rules."""
        place: tuple[str | tuple[str, ...], str] = rules, call.label
        self._kept[place] = self._kept.get(place, 0) + 1

    def cannot_tell(self, rule: str, why: str) -> None:
        """A call that the rule is about can't be judged."""
        tally = self._tallies[rule]
        tally.undecided += 1
        self.undecided += 1
        tally.reasons[why] += 1

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """Of each rule what was seen."""
        for (rules, label), number in self._kept.items():
            for rule in (rules,) if isinstance(rules, str) else rules:
                tally = self._tallies[rule]
                tally.kept += number
                tally.endpoints[label] += number
        self._kept.clear()
        return self._tallies

    def breaks(
        self,
        rule: str,
        call: Call,
        says: str,
        *,
        pointer: str = "",
        value: JSONValue = None,
        instead: str = "",
        cause: str = "",
        others: Iterable[Call] = (),
    ) -> None:
        """The call breaks the rule. `instead` where more can be said than the catalogue does; `cause` where pointer and
        endpoint don't tell two causes apart; `others`: calls that show the same."""
        tally = self._tallies[rule]
        tally.broken += 1
        self.broken += 1
        known = self.rules[rule]
        place = (rule, "" if rule in ANYWHERE else call.label, cause_of(pointer), cause)
        finding = self._found.get(place)
        if finding is None or call.number < finding.call.number:
            told = f"{instead} {known.instead}".strip() if instead else known.instead
            first = Finding(known, call.label, pointer, value, says, told, call, cause)
            if finding is not None:
                first.take(finding)
            finding = self._found[place] = first
        finding.times += 1
        for one in (call, *others):
            finding.show(one.number, Spot.of(one))

    @property
    def found(self) -> list[Finding]:
        """All findings, in the order of the catalogue, those of a rule in that of the calls that show them first."""
        order = {rule: place for place, rule in enumerate(self.rules)}
        by_first = sorted(self._found.items(), key=lambda one: (order[one[0][0]], one[1].call.number, one[0]))
        return [finding for _, finding in by_first]

    def take(self, other: Findings) -> None:
        """Take over what was found in another part of the recording."""
        self.broken += other.broken
        self.undecided += other.undecided
        for rule, tally in other.tallies.items():
            own = self._tallies[rule]
            own.kept += tally.kept
            own.broken += tally.broken
            own.undecided += tally.undecided
            own.reasons += tally.reasons
            own.endpoints += tally.endpoints
        for place, finding in other._found.items():
            known = self._found.get(place)
            first, more = (
                (finding, known) if known is None or finding.call.number < known.call.number else (known, finding)
            )
            if more is not None:
                first.take(more)
            self._found[place] = first

    def reason(self, rule: str) -> str:
        """Why calls that the rule is about could not be judged, the most frequent reasons first."""
        tally = self.tallies[rule]
        often = sorted(tally.reasons.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
        told = [f"{why} ({number})" if number > 1 else why for why, number in often]
        if (left := len(tally.reasons) - len(told)) > 0:
            told.append(f"and {left} more reasons")
        return "; ".join(told)
