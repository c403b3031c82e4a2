"""Mocks that do one thing wrong, by family, each with the rules that the suite may blame for it.

May import what the mock may. Start with unenforced.py, then parts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from conformance.i18n.messages import mark
from conformance.mock.defects.answers import ANSWERS
from conformance.mock.defects.calendar_days import CALENDAR_DAYS
from conformance.mock.defects.collateral import COLLATERAL
from conformance.mock.defects.collations import COLLATIONS
from conformance.mock.defects.columns import COLUMNS
from conformance.mock.defects.completion import COMPLETION
from conformance.mock.defects.crashes import CRASHES
from conformance.mock.defects.dates import DATES
from conformance.mock.defects.entries import ENTRIES
from conformance.mock.defects.frameworks import FRAMEWORKS
from conformance.mock.defects.half_done import HALF_DONE
from conformance.mock.defects.in_part import IN_PART
from conformance.mock.defects.keys import KEYS
from conformance.mock.defects.left_behind import LEFT_BEHIND
from conformance.mock.defects.lenient_values import LENIENT_VALUES
from conformance.mock.defects.limiting import LIMITING
from conformance.mock.defects.matching import MATCHING
from conformance.mock.defects.money import MONEY
from conformance.mock.defects.notices import NOTICES
from conformance.mock.defects.overlaps import OVERLAPS
from conformance.mock.defects.parsers import PARSERS
from conformance.mock.defects.races import RACES
from conformance.mock.defects.second_creations import SECOND_CREATIONS
from conformance.mock.defects.some_orders import SOME_ORDERS
from conformance.mock.defects.some_releases import SOME_RELEASES
from conformance.mock.defects.spelt import SPELT
from conformance.mock.defects.storing import STORING
from conformance.mock.defects.strict import STRICT
from conformance.mock.defects.tokens import TOKENS
from conformance.mock.defects.tolerance import TOLERANCE
from conformance.mock.defects.unenforced import UNENFORCED
from conformance.mock.defects.versions import VERSIONS
from conformance.mock.defects.zones import ZONES
from conformance.mock.quirks import Defect, named, table

FAMILIES: Final[Mapping[str, tuple[Defect, ...]]] = MappingProxyType(
    {
        "a rule is not enforced": UNENFORCED,
        "enforced in part": IN_PART,
        "enforced in some orders": SOME_ORDERS,
        "enforced in some releases": SOME_RELEASES,
        "tolerant of what breaks it": (*TOLERANCE, *LENIENT_VALUES),
        "parsers": PARSERS,
        "frameworks": FRAMEWORKS,
        "spellings": SPELT,
        "too strict": STRICT,
        "instants and boundaries": DATES,
        "money and what is shown": MONEY,
        "storing": STORING,
        "collations": COLLATIONS,
        "columns": COLUMNS,
        "keys": KEYS,
        "versions": VERSIONS,
        "zones": ZONES,
        "days of the calendar": CALENDAR_DAYS,
        "collateral": COLLATERAL,
        "answers": ANSWERS,
        "crashes": CRASHES,
        "half done": HALF_DONE,
        "left behind": (*LEFT_BEHIND, *SECOND_CREATIONS),
        "tokens": TOKENS,
        "overlapping periods": OVERLAPS,
        "matching": MATCHING,
        "released before, or beyond the count": ENTRIES,
        "completion": COMPLETION,
        "notifications": NOTICES,
        "limits": LIMITING,
        "calls at once": RACES,
    }
)

DEFECTS: Final = table(*(defect for family in FAMILIES.values() for defect in family))

FAMILY_OF: Final[Mapping[str, str]] = MappingProxyType(
    {defect.name: family for family, defects in FAMILIES.items() for defect in defects}
)
"""The family of each defect, by its name."""


def defect(name: str) -> Defect:
    """The defect of that name. Raises KeyError that names it and those that resemble it."""
    return named(DEFECTS, name, mark("defect"))
