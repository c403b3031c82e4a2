"""What an audit has found: of each rule how many calls kept it, how many can't be judged and why, and what broke it.

What has one cause is one finding, with the entries that show it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
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
    spots: list[Spot] = field(default_factory=list)

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
    """Collects what an audit finds."""

    def __init__(self) -> None:
        self.rules = catalogue(Kind.INTEGRATION).rules
        self.tallies: dict[str, Tally] = {rule: Tally() for rule in self.rules}
        self.broken = self.undecided = 0
        """How often, of all rules together."""
        self._found: dict[tuple[str, str, str, str], Finding] = {}

    def keeps(self, rule: str, call: Call) -> None:
        """The call keeps the rule."""
        tally = self.tallies[rule]
        tally.kept += 1
        tally.endpoints[call.label] += 1

    def cannot_tell(self, rule: str, why: str) -> None:
        """A call that the rule is about can't be judged."""
        tally = self.tallies[rule]
        tally.undecided += 1
        self.undecided += 1
        tally.reasons[why] += 1

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
        tally = self.tallies[rule]
        tally.broken += 1
        self.broken += 1
        known = self.rules[rule]
        place = (rule, "" if rule in ANYWHERE else call.label, cause_of(pointer), cause)
        finding = self._found.get(place)
        if finding is None:
            told = f"{instead} {known.instead}".strip() if instead else known.instead
            finding = self._found[place] = Finding(known, call.label, pointer, value, says, told, call, cause)
        finding.times += 1
        for spot in (Spot.of(call), *map(Spot.of, others)):
            if len(finding.spots) < MOST_ENTRIES and spot not in finding.spots[-8:]:
                finding.spots.append(spot)

    @property
    def found(self) -> list[Finding]:
        """All findings, in the order of the catalogue, those of a rule as they came."""
        order = list(self.rules)
        return sorted(self._found.values(), key=lambda finding: order.index(finding.rule.id))

    def reason(self, rule: str) -> str:
        """Why calls that the rule is about could not be judged, the most frequent reasons first."""
        tally = self.tallies[rule]
        told = [f"{why} ({number})" if number > 1 else why for why, number in tally.reasons.most_common(MOST_REASONS)]
        more = len(tally.reasons) - len(told)
        return "; ".join(told) + (f"; and {more} more reasons" if more > 0 else "")
