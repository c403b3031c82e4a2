"""What each recorded exchange is evidence of, and which of them it is: written into the HAR of a run, and read back.

Each entry gets a `_koncili` object (HAR 1.2 lets a tool have fields that begin so): its `number` from 1 on, the `evidence` that
it is (rule, side, scenario), and the `digest` of all that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

FIELD: Final = "_koncili"
"""The field of an entry, and of the log, that is the suite's own."""

BROKEN: Final = "broken"
"""In place of a side: the exchange shows the rule broken."""

Entry = dict[str, Any]

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Mark:
    """What an exchange is evidence of: a side of a rule (or that it is broken), as a scenario saw it."""

    rule: str
    side: str
    scenario: str

    def as_json(self) -> dict[str, str]:
        """As it stands in the HAR."""
        return {"rule": self.rule, "side": self.side, "scenario": self.scenario}


def digest_of_entry(entry: Mapping[str, Any]) -> str:
    """`sha256:` and 64 hex digits over an entry without its digest, whatever the order of its members and the white space."""
    own = {name: value for name, value in entry.get(FIELD, {}).items() if name != "digest"}
    return f"sha256:{sha256(_CANONICAL.encode({**entry, FIELD: own}).encode()).hexdigest()}"


class Marking:
    """Says of the entries of a HAR, one after the other, what each is evidence of."""

    def __init__(self, marks: Mapping[str, Sequence[Mark]]) -> None:
        """`marks` are by the instant at which an exchange was sent (ISO 8601)."""
        self._marks, self._used = marks, set[str]()
        self._entries = 0

    def marked(self, entry: Entry) -> Entry:
        """The next entry with its number, evidence and digest."""
        entry, instant = _unmarked(entry), str(entry["startedDateTime"])
        evidence = self._marks.get(instant, ()) if instant not in self._used else ()
        if evidence:
            self._used.add(instant)
        self._entries += 1
        comment = " | ".join([*filter(None, [entry.get("comment")]), *(f"{one.rule} {one.side}" for one in evidence)])
        own: Entry = {"number": self._entries, "evidence": [one.as_json() for one in evidence]}
        whole: Entry = {**entry, **({"comment": comment} if comment else {}), FIELD: own}
        own["digest"] = digest_of_entry(whole)
        return whole

    def summary(self) -> dict[str, Any]:
        """How many entries there were; evidence of exchanges that were not among them is counted, so that nobody takes it for
        lost."""
        left = (those for instant, those in self._marks.items() if instant not in self._used)
        elsewhere = Counter((one.rule, one.side) for those in left for one in those)
        told = [{"rule": rule, "side": side, "count": count} for (rule, side), count in sorted(elsewhere.items())]
        return {"entries": self._entries, "elsewhere": told}


def _unmarked(entry: Entry) -> Entry:
    """An entry as it was before it was marked, as one of a shard's HAR was."""
    if FIELD not in entry:
        return entry
    told = "".join(f" | {one['rule']} {one['side']}" for one in entry[FIELD]["evidence"])
    before = {name: value for name, value in entry.items() if name not in {FIELD, "comment"}}
    comment = str(entry.get("comment", "")).removesuffix(told)
    return {**before, "comment": comment} if comment and comment != told.removeprefix(" | ") else before
