"""A reconciliation is completed never, too early or too late."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from conformance.mock.defects.parts import WORKFLOW, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld, Reconciliation

_AFTER: Final = (*WORKFLOW, "REL-01", "REL-11", "REL-12", "REL-18", "WFL-04", "NTF-01", "NTF-02")


def _complete(name: str, statement: str, is_complete: Callable[[Reconciliation], bool]) -> Defect:
    return Defect(name=f"wfl-03-{name}", statement=statement, rules=rules(*_AFTER), is_complete=is_complete)


def _not_positive(reconciliation: Reconciliation) -> bool:
    return isinstance(reconciliation.total, int | Decimal) and reconciliation.total <= 0


def _end_in_error(_: MockWorld, reconciliation: Reconciliation) -> None:
    if _not_positive(reconciliation):
        reconciliation.situation = "ERROR"


COMPLETION: Final = (
    Defect(
        name="rec-12-total-must-be-positive-to-end",
        statement="Completes no reconciliation whose totalNetValue is not positive.",
        rules=rules("REC-12"),
        is_complete=lambda one: one.received >= one.quantity and not _not_positive(one),
    ),
    Defect(
        name="rec-12-ends-in-error",
        statement="Ends a reconciliation with ERROR where its totalNetValue is not positive.",
        rules=rules("REC-12"),
        after_completion=_end_in_error,
    ),
    _complete("never-completes", "Completes no reconciliation.", lambda _: False),
    _complete("at-the-first-release", "Completes a reconciliation at its first release.", lambda one: bool(one.orders)),
    _complete("one-entry-early", "Completes a reconciliation when all releases but one entry are in.",
              lambda one: one.received >= one.quantity - 1),
    _complete("one-entry-late", "Completes a reconciliation when one entry more than announced is in.",
              lambda one: one.received > one.quantity),
    _complete("counts-requests", "Counts releases of orders, not their entries.",
              lambda one: len(one.orders) >= one.quantity),
    _complete("at-the-second-order", "Completes a reconciliation at its second order.",
              lambda one: len(one.orders) >= 2 or one.received >= one.quantity),
    _complete("at-half", "Completes a reconciliation when half of the entries are in.",
              lambda one: 2 * one.received >= one.quantity),
    _complete("never-of-one", "Never completes a reconciliation of one order.",
              lambda one: one.received >= one.quantity and len(one.orders) > 1),
    _complete("never-of-one-entry", "Never completes a reconciliation of a single entry.",
              lambda one: one.received >= one.quantity > 1),
    _complete("never-of-many", "Never completes a reconciliation of several orders.",
              lambda one: one.received >= one.quantity and len(one.orders) == 1),
    _complete("never-above-ten", "Never completes a reconciliation of more than ten entries.",
              lambda one: one.received >= one.quantity and one.quantity <= 10),
    _complete("never-above-127", "Never completes one of more than 127 entries (Java: == of two Integers).",
              lambda one: one.received >= one.quantity and one.quantity <= 127),
)  # fmt: skip
