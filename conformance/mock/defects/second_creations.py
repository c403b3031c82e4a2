"""A second creation is refused, since one is active, after the active one was changed to what it asks for: the account's row in a
table is written before one looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import is_number
from conformance.contract.reconciliation_rules import is_whole, period_of
from conformance.mock.defects.parts import rules
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld, Reconciliation

_Change = Callable[[Reconciliation, datetime, datetime, int], None]


def _changed(name: str, statement: str, change: _Change, *blamed: str) -> Defect:
    """A second creation that is in order by itself changes so what is active there."""

    def after_refusal(world: MockWorld, request: Request) -> None:
        fields, (init, end) = request.fields, period_of(request.fields)
        quantity = fields.get("releasesQtd")
        if (
            init is None
            or end is None
            or init >= end
            or not is_whole(quantity)
            or not is_number(fields.get("totalNetValue"))
        ):
            return
        account, channel = str(fields.get("accountId")), fields.get("channelName")
        for one in world.all_reconciliations:
            if str(one.account) == account and one.channel == channel and one.situation is None:
                change(one, init, end, int(quantity))

    return Defect(name=name, statement=statement, rules=rules("REC-09", *blamed), after_refusal=after_refusal)


def _moves(one: Reconciliation, init: datetime, end: datetime, _: int) -> None:
    one.init, one.end = init, end


def _begins(one: Reconciliation, init: datetime, _: datetime, __: int) -> None:
    one.init = init


def _grows(one: Reconciliation, init: datetime, end: datetime, _: int) -> None:
    one.init, one.end = min(one.init, init), max(one.end, end)


def _counts(one: Reconciliation, _: datetime, __: datetime, quantity: int) -> None:
    one.quantity = quantity


def _adds(one: Reconciliation, _: datetime, __: datetime, quantity: int) -> None:
    one.quantity += quantity


def _kept_beside(world: MockWorld, request: Request) -> None:
    """A second creation that is refused since one is active has its period taken for good, as of one that has ended."""
    (init, end), account = period_of(request.fields), str(request.fields.get("accountId"))
    channel = request.fields.get("channelName")
    there = [one for one in world.all_reconciliations if (str(one.account), one.channel) == (account, channel)]
    if init is not None and end is not None and init < end and any(one.situation is None for one in there):
        kept = replace(there[-1], init=init, end=end, situation="CONCILIED", entries=[], orders=[], finishes_at=None)
        world.all_reconciliations.insert(0, replace(kept, id=-1))


def _begins_anew(one: Reconciliation, _: datetime, __: datetime, ___: int) -> None:
    one.received = 0


SECOND_CREATIONS: Final = (
    _changed(
        "rec-09-active-moved", "Gives the active reconciliation the period of a second one that it refuses.", _moves
    ),
    _changed(
        "rec-09-active-begins-then", "Lets the active one begin when a second one was to, which it refuses.", _begins
    ),
    _changed(
        "rec-09-active-grown",
        "Adds the period of a second one that it refuses to that of the active one.",
        _grows,
        "REC-01",
    ),
    _changed(
        "rec-09-active-counts-so", "Gives the active one the releasesQtd of a second one that it refuses.", _counts
    ),
    _changed(
        "rec-09-active-counts-more", "Adds the releasesQtd of a second one that it refuses to the active one's.", _adds
    ),
    _changed(
        "rec-09-active-counts-anew",
        "Counts the entries of the active one from 0 when it refuses a second one.",
        _begins_anew,
    ),
    Defect(
        name="rec-09-second-kept",
        statement="Registers the period of a second creation that it refuses since one is active.",
        rules=rules("REC-09"),
        after_refusal=_kept_beside,
    ),
)
