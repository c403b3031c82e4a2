"""Releases are compared with the extracts where the order, or the moment in the reconciliation, is an ordinary one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conformance.contract.instants import parse_instant
from conformance.contract.judge import Request
from conformance.contract.reconciliation_rules import entries_of
from conformance.mock.defects.parts import entries_and_extracts, reconciliation_of, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import ENABLED, MockWorld, order_key

MANY: Final = 8
"""More extracts than this are many."""

Seldom = Callable[[Request, MockWorld], bool]


def _is_first(request: Request, world: MockWorld) -> bool:
    reconciliation = reconciliation_of(request, world)
    return reconciliation is not None and not reconciliation.received


def _completes(request: Request, world: MockWorld) -> bool:
    reconciliation, entries = reconciliation_of(request, world), entries_of(request.fields.get("releases"))
    return reconciliation is not None and reconciliation.received + len(entries) == reconciliation.quantity


def _has_one(request: Request, world: MockWorld) -> bool:
    return len(entries_and_extracts(request, world)[1]) == 1


def _has_many(request: Request, world: MockWorld) -> bool:
    return len(entries_and_extracts(request, world)[1]) > MANY


def _was_sent_again(request: Request, world: MockWorld) -> bool:
    key = order_key(request.fields)
    return key is not None and len(world.orders.get(world.key(key), ())) > 1


def _is_of(status: str) -> Seldom:
    def seldom(request: Request, world: MockWorld) -> bool:
        key = order_key(request.fields)
        stored = world.stored(key) if key is not None else None
        return stored is not None and stored.body is not None and stored.body.get("status") == status

    return seldom


def _is_on(account: int) -> Seldom:
    return lambda request, _: str(request.fields.get("accountId")) == str(account)


def _of_orders_and_accounts(rule: str) -> tuple[Defect, ...]:
    """Not enforced for orders of one of the statuses that are reconciled, and on one of the accounts."""
    by_status = (
        _not_of(
            rule, f"of-{status.lower().replace('_', '-')}", f"releases of orders with status {status}", _is_of(status)
        )
        for status in ("PAID_WAITING_DELIVERY", "CONCLUDED")
    )
    by_account = (
        _not_of(rule, f"on-{which}-account", f"releases on the {which} account", _is_on(account.id))
        for which, account in (("first", ENABLED[0]), ("last", ENABLED[-1]))
    )
    return (*by_status, *by_account)


def _not_of(rule: str, which: str, words: str, seldom: Seldom) -> Defect:
    return Defect(
        name=f"{rule.lower()}-not-{which}",
        statement=f"Does not enforce {rule} in {words}.",
        rules=rules(rule),
        forgives=lambda breach, request, world: breach.rule == rule and seldom(request, world),
    )


def _is_in_a_period(request: Request, world: MockWorld) -> bool:
    key, dated = order_key(request.fields), parse_instant(str(request.fields.get("releasedDate")))
    periods = world.reconciliations(*key[:2]) if key is not None else []
    return dated is not None and any(one.init <= dated <= one.end for one in periods)


SOME_RELEASES: Final = (
    _not_of("REL-08", "of-the-first", "the first release of a reconciliation", _is_first),
    _not_of("REL-08", "of-the-completing-one", "the release that completes its reconciliation", _completes),
    _not_of("REL-08", "of-one-extract", "releases of orders with a single extract", _has_one),
    _not_of("REL-08", "of-many-extracts", f"releases of orders with more than {MANY} extracts", _has_many),
    _not_of("REL-08", "of-updates", "releases of orders that were sent more than once", _was_sent_again),
    _not_of("REL-09", "of-many-extracts", f"releases of orders with more than {MANY} extracts", _has_many),
    _not_of("REL-09", "of-one-extract", "releases of orders with a single extract", _has_one),
    *(defect for rule in ("REL-08", "REL-09") for defect in _of_orders_and_accounts(rule)),
    _not_of("REL-03", "in-any-of-its-periods", "releases dated within any period of the account", _is_in_a_period),
)
