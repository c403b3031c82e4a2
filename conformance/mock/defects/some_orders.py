"""A rule is enforced in some orders only: of one status, new ones, short ones, those of one account."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import MANDATORY_DATES, Breach
from conformance.mock.defects.parts import SUBMIT, has_status, overlooked, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import ENABLED, Body, MockWorld, order_key

FEW: Final = 3
"""Extracts."""

LARGE: Final = 10_000
"""BRL."""

_OF_EXTRACTS: Final = ("ORD-09", "ORD-10", "ORD-11")


def _status(rule_id: str, status: str) -> Defect:
    """Overlooks a breach of the rule in orders with one status."""
    holds = has_status(status)
    return overlooked(
        f"{rule_id.lower()}-not-{status.lower().replace('_', '-')}",
        f"Does not enforce {rule_id} for orders with status {status}.",
        rule_id,
        lambda _, request: holds(request),
    )


def _known(request: Request, world: MockWorld) -> Body | None:
    """The order that a submission is to replace."""
    key = order_key(request.fields) if request.endpoint is SUBMIT else None
    stored = world.stored(key) if key is not None else None
    return stored.body if stored is not None else None


def _not_on_updates(rule_id: str) -> Defect:
    """Enforces the rule in new orders, and in those that are sent again with one change; not in updates of more than that."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        known = _known(request, world) if breach.rule == rule_id else None
        return known is not None and known.get("totalGrossValue") != request.fields.get("totalGrossValue")

    return Defect(
        name=f"{rule_id.lower()}-not-on-updates",
        statement=f"Does not enforce {rule_id} in updates that change the total.",
        rules=rules(rule_id),
        forgives=forgives,
    )


def _of_new_ones_only(rule_id: str) -> Defect:
    """Enforces the rule in new orders only."""
    return Defect(
        name=f"{rule_id.lower()}-of-new-orders-only",
        statement=f"Does not enforce {rule_id} in orders that are there already.",
        rules=rules(rule_id),
        forgives=lambda breach, request, world: breach.rule == rule_id and _known(request, world) is not None,
    )


def _of_few_extracts_only(rule_id: str) -> Defect:
    return overlooked(
        f"{rule_id.lower()}-of-few-extracts-only",
        f"Does not enforce {rule_id} in orders of more than {FEW} extracts.",
        rule_id,
        lambda _, request: len(request.fields.get("extracts") or ()) > FEW,
    )


def _not_on_second_account(rule_id: str) -> Defect:
    second = str(ENABLED[1].id)
    return overlooked(
        f"{rule_id.lower()}-not-on-second-account",
        f"Does not enforce {rule_id} on one of the accounts.",
        rule_id,
        lambda _, request: str(request.fields.get("accountId")) == second,
    )


def _is_large(breach: Breach, request: Request) -> bool:
    place = re.search(r"\[(\d+)\]", breach.field)
    value: Any = request.fields["extracts"][int(place[1])]["value"] if place else 0
    return isinstance(value, int | Decimal) and abs(Decimal(value)) >= LARGE


_GIVEN_BACK: Final = ("RETURN_COMISSION", "RETURN_SHIP")
"""The types that S2 names beside S1's."""


def _is_given_back(breach: Breach, request: Request) -> bool:
    """Whether it is the type of an extract of what is given back, in an order that is delivered or canceled."""
    found = re.fullmatch(r"extracts\[(\d+)\]\.type", breach.field)
    is_over = any(has_status(status)(request) for status in ("CONCLUDED", "CANCELED"))
    return found is not None and is_over and request.fields["extracts"][int(found[1])].get("type") in _GIVEN_BACK


SOME_ORDERS: Final = (
    overlooked(
        "ord-09-given-back-when-over",
        "Takes RETURN_COMISSION and RETURN_SHIP in orders with status CONCLUDED or CANCELED.",
        "ORD-09",
        _is_given_back,
    ),
    *(_not_on_updates(rule_id) for rule_id in ("ORD-07", "ORD-10")),
    *(_status("ORD-07", status) for status in ("INVOICED", "CANCELED")),
    *(_status(rule_id, status) for rule_id in _OF_EXTRACTS for status in MANDATORY_DATES),
    *(_of_new_ones_only(rule_id) for rule_id in ("ORD-02", "ORD-07", *_OF_EXTRACTS)),
    *(_of_few_extracts_only(rule_id) for rule_id in _OF_EXTRACTS),
    *(_not_on_second_account(rule_id) for rule_id in ("ORD-02", "ORD-07", *_OF_EXTRACTS)),
    overlooked(
        "ord-10-of-small-values-only",
        f"Does not compare the sign of a value of {LARGE:,} BRL or more with its type.",
        "ORD-10",
        _is_large,
    ),
)
