"""A rule is not enforced."""

from __future__ import annotations

from typing import Final

from conformance.contract.rules import Side, catalogue
from conformance.mock.defects.parts import rules
from conformance.mock.quirks import Defect

# These stand for a law over several calls, or for one that another rule's breach shows: they have defects of their own.
_NOT_BY_OVERLOOKING: Final = {
    "ORD-16", "DEL-05", "ERR-01", "ERR-03", "AUTH-07", "DEL-02", "REC-09", "REL-18", "WFL-04", "LIM-01", "LIM-02", "LIM-03",
}  # fmt: skip


_SHOWN_BY_TOO: Final = {"QRY-02": ("ERR-05",)}
"""What is answered then breaks another rule too: nothing that is documented for an order that is there."""


def _not_enforced(rule_id: str) -> Defect:
    return Defect(
        name=f"{rule_id.lower()}-not-enforced",
        statement=f"Does not refuse what {rule_id} forbids.",
        rules=rules(rule_id, *_SHOWN_BY_TOO.get(rule_id, ())),
        overlooks=lambda breach, _: breach.rule == rule_id,
    )


UNENFORCED: Final = (
    *(
        _not_enforced(rule.id)
        for rule in catalogue().rules.values()
        if Side.REFUSED in rule.sides and rule.id not in _NOT_BY_OVERLOOKING
    ),
    Defect(
        name="del-02-unknown-accepted",
        statement="Deletes orders that do not exist.",
        rules=rules("DEL-02", "DEL-05", "ORD-17"),
        overlooks=lambda breach, _: breach.rule == "DEL-02",
    ),
)
