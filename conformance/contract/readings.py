"""Where Koncili's documents disagree or stay silent: named readings, their values, their default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Reading:
    """One disagreement: its id, what is at odds, and the values a run may follow (the default first)."""

    id: str
    disagreement: str
    values: tuple[str, ...]

    @property
    def default(self) -> str:
        """The value used where a target file says nothing."""
        return self.values[0]


_ALL = (
    Reading(
        "extract-types",
        "S1 lets an order's extracts be SALE, COMISSION or SHIP; S2 adds RETURN_COMISSION and RETURN_SHIP; "
        "the portal adds ADJUSTMENT (enums) and RETURN_SALE (release types).",
        ("workflow", "extended", "portal"),
    ),
    Reading(
        "account-id-type",
        "S2 prints accountId as a string in the order and as an integer everywhere else.",
        ("either", "integer", "string"),
    ),
    Reading(
        "token-lifetime",
        "The authentication flow gives an access token two hours, the ERP page one.",
        ("two-hours", "one-hour"),
    ),
    Reading(
        "consolidation",
        "Whether a new submission is to be seen at once or at the next 30-minute consolidation; either is fine.",
        ("eventual",),
    ),
    Reading(
        "empty-extracts", "No document says whether an order without extracts is refused.", ("rejected", "accepted")
    ),
    Reading(
        "value-mismatch",
        "S2 wants release values identical to the extracts'; the portal (best practices) takes a differing one and marks "
        "the reconciliation with a discrepancy.",
        ("rejected", "discrepancy"),
    ),
    Reading(
        "adjacent-periods",
        "No document says whether a period may begin at the instant at which another ends.",
        ("allowed", "overlap"),
    ),
    Reading(
        "period-bounds",
        "S2 lets the period cover every releasedDate; whether its two ends belong to it no document says.",
        ("inclusive", "exclusive", "half-open"),
    ),
    Reading(
        "total-net-value",
        "S2 calls 203.63 the total net value; that is the gross of its example, whose entries sum to 151.24.",
        ("unchecked", "sum-of-entries", "gross"),
    ),
    Reading(
        "scalar-coercion",
        "S2 prints accountId as text and as a number, and says that malformed fields are refused; no document says whether a "
        "number that is written as text is malformed. Where it is accepted it is taken at its value.",
        ("rejected", "accepted"),
    ),
    Reading(
        "whole-as-decimal",
        "No document says whether 3.0 is a whole number, as JSON Schema and many serialisers have it.",
        ("accepted", "rejected"),
    ),
)

READINGS: Final[Mapping[str, Reading]] = MappingProxyType({reading.id: reading for reading in _ALL})

NEVER_PROBED: Final = frozenset({"consolidation", "total-net-value", "scalar-coercion", "whole-as-decimal"})
"""The readings that a run does not find out about where a target file leaves them out: that a server coerces what is malformed
is mostly an accident, and to be seen."""

_WORKFLOW = ("SALE", "COMISSION", "SHIP")
_EXTENDED = (*_WORKFLOW, "RETURN_COMISSION", "RETURN_SHIP")
_PORTAL = (*_EXTENDED, "ADJUSTMENT", "RETURN_SALE")

EXTRACT_TYPES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"workflow": _WORKFLOW, "extended": _EXTENDED, "portal": _PORTAL}
)
"""The types an order's extracts may have, by value of the reading `extract-types`."""

RELEASE_TYPES: Final = _EXTENDED
"""The types that a release's entries may have (S2)."""

PRINTED_CONTRADICTIONS: Final = (
    "S2 prints a release dated 10 February for a reconciliation whose period is 14 to 15 February, and says that the period "
    "must cover every releasedDate: the example breaks the rule. The rule is certified, the example as printed refused.",
)
"""Where a document contradicts itself, beyond the readings: what is certified instead."""

TOKEN_LIFETIME_SECONDS: Final[Mapping[str, int]] = MappingProxyType({"two-hours": 7200, "one-hour": 3600})
"""How long an access token lives, in seconds, by value of the reading `token-lifetime`."""

CONSOLIDATION_SECONDS: Final = 1800
"""Updates are consolidated every 30 minutes (S1): the longest that one may take to be seen."""


def resolve(chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Every reading with its value: as chosen, else the default.

    Raises ValueError that names the reading and its values where an id or a value is unknown.
    """
    for reading_id, value in chosen.items():
        reading = READINGS.get(reading_id)
        if reading is None:
            raise ValueError(f"readings.{reading_id}: there is no such reading; known: {', '.join(READINGS)}")
        if value not in reading.values:
            raise ValueError(
                f"readings.{reading_id}: {value!r} is none of its values; use {' | '.join(reading.values)}"
            )
    return MappingProxyType({reading.id: chosen.get(reading.id, reading.default) for reading in _ALL})
