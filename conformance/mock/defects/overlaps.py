"""Periods are compared with too few or too many others, or on one side only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import ReconciliationFacts, period_of
from conformance.mock.defects.parts import CREATE, Seen, rules
from conformance.mock.quirks import Defect
from conformance.mock.world import MockWorld

_OVER: Final = ("REC-04", "REC-05")

TWO_WEEKS: Final = timedelta(days=14)

Periods = Sequence[ReconciliationFacts]


def _among(chosen: Callable[[Periods], Periods]) -> Callable[[MockWorld], Seen]:
    """Only some of the earlier periods are looked at; active ones always."""

    def reconciliations(world: MockWorld, account: int, channel: str) -> list[ReconciliationFacts]:
        known = world.reconciliations(account, channel)
        some = chosen(known)
        return [one for one in known if one in some or one.active]

    return lambda world: Seen(world, reconciliations=lambda *at: reconciliations(world, *at))


def _of_all_accounts(world: MockWorld) -> Seen:
    return Seen(
        world, reconciliations=lambda *_: [reconciliation.facts for reconciliation in world.all_reconciliations]
    )


def _of_all_finished(world: MockWorld) -> Seen:
    """Other accounts' periods count, their active reconciliations do not."""

    def reconciliations(account: int, channel: str) -> list[ReconciliationFacts]:
        own = world.reconciliations(account, channel)
        return [
            *own,
            *(
                reconciliation.facts
                for reconciliation in world.all_reconciliations
                if reconciliation.account != account and reconciliation.situation is not None
            ),
        ]

    return Seen(world, reconciliations=reconciliations)


Overlap = Callable[[datetime, datetime, datetime, datetime], bool]


def _seen_only_if(overlap: Overlap) -> Callable[[Breach, Request, MockWorld], bool]:
    """An overlap is seen only where that holds: of beginning and end of the new period, then of the earlier one."""

    def forgives(breach: Breach, request: Request, world: MockWorld) -> bool:
        init, end = period_of(request.fields)
        if breach.rule not in _OVER or init is None or end is None:
            return False
        account, channel = int(str(request.fields["accountId"])), str(request.fields["channelName"])
        known = world.reconciliations(account, channel)
        return not any(overlap(init, end, one.init, one.end) for one in known)

    return forgives


def _sided(name: str, statement: str, overlap: Overlap) -> Defect:
    return Defect(name=f"rec-05-{name}", statement=statement, rules=rules(*_OVER), forgives=_seen_only_if(overlap))


def _nothing_active(breach: Breach, request: Request, world: MockWorld) -> bool:
    """An active reconciliation is no obstacle as long as no release has come."""
    if breach.rule != "REC-06":
        return False
    account = request.fields.get("accountId")
    return not any(
        reconciliation.situation is None and reconciliation.entries
        for reconciliation in world.all_reconciliations
        if str(reconciliation.account) == str(account)
    )


def _as_the_active_one(breach: Breach, request: Request, world: MockWorld) -> bool:
    """Nothing is in the way of a creation that is in all its fields the last one's, as long as that is active."""
    account, period = request.fields.get("accountId"), period_of(request.fields)
    own = [one for one in world.all_reconciliations if str(one.account) == str(account)]
    return (
        breach.rule in {"REC-04", "REC-06"}
        and bool(own)
        and own[-1].situation is None
        and (own[-1].facts.init, own[-1].facts.end) == period
        and own[-1].facts.quantity == request.fields.get("releasesQtd")
    )


def _active(world: MockWorld, request: Request) -> list[int]:
    """The ids of what is active on a request's account."""
    account = str(request.fields.get("accountId"))
    return [one.id for one in world.all_reconciliations if str(one.account) == account and one.situation is None]


def _note_refused_beside(world: MockWorld, request: Request) -> None:
    """Give the account free where the lock is let go in the end, also by who did not get it."""
    if request.endpoint is CREATE:
        world.memory.update({(number, "", "given free"): {} for number in _active(world, request)})


def _given_free(breach: Breach, request: Request, world: MockWorld) -> bool:
    return breach.rule == "REC-06" and all((one, "", "given free") in world.memory for one in _active(world, request))


def _as_one_that_ended(breach: Breach, request: Request, world: MockWorld) -> bool:
    """Nothing is in the way of a creation that is in all its fields one that has ended, as long as none is active."""
    account, period = request.fields.get("accountId"), period_of(request.fields)
    own = [one for one in world.all_reconciliations if str(one.account) == str(account)]
    asked = (period, request.fields.get("releasesQtd"), request.fields.get("totalNetValue"))
    return breach.rule == "REC-04" and asked in [
        ((one.facts.init, one.facts.end), one.quantity, one.total) for one in own
    ]


OVERLAPS: Final = (
    Defect(
        name="rec-05-every-period",
        statement="Takes every period: one that overlaps others, one that ends before it begins.",
        rules=rules("REC-03", *_OVER, "REC-11"),
        overlooks=lambda breach, _: breach.rule in {"REC-03", *_OVER},
    ),
    Defect(
        name="rec-02-same-id",
        statement="Gives every reconciliation the same id.",
        rules=rules("REC-02"),
        reconciliation_id=lambda _: 237,
    ),
    Defect(
        name="rec-02-ids-in-turn",
        statement="Gives ten ids in turn.",
        rules=rules("REC-02", "REC-01"),
        reconciliation_id=lambda number: 237 + number % 10,
    ),
    Defect(
        name="rec-04-only-the-last-period",
        statement="Compares a period with the last one only.",
        rules=rules(*_OVER),
        sees=_among(lambda known: known[-1:]),
    ),
    Defect(
        name="rec-04-only-the-first-period",
        statement="Compares a period with the first one only.",
        rules=rules(*_OVER),
        sees=_among(lambda known: known[:1]),
    ),
    Defect(
        name="rec-04-only-active-ones",
        statement="Forgets the period of a reconciliation that is completed.",
        rules=rules(*_OVER),
        sees=_among(lambda _: ()),
    ),
    Defect(
        name="rec-04-with-the-last-twelve",
        statement="Compares a period with the last twelve.",
        rules=rules(*_OVER),
        sees=_among(lambda known: known[-12:]),
    ),
    Defect(
        name="rec-04-with-the-first-twelve",
        statement="Compares a period with the first twelve.",
        rules=rules(*_OVER),
        sees=_among(lambda known: known[:12]),
    ),
    Defect(
        name="rec-04-of-the-same-month-only",
        statement="Compares a period with those that begin in the same month of the same year.",
        rules=rules(*_OVER),
        forgives=_seen_only_if(
            lambda init, end, earlier, until: (
                (init.year, init.month) == (earlier.year, earlier.month) and init < until and earlier < end
            )
        ),
    ),
    Defect(
        name="rec-04-not-of-long-ones",
        statement="Takes every period of more than two weeks.",
        rules=rules(*_OVER),
        forgives=_seen_only_if(
            lambda init, end, earlier, until: end - init <= TWO_WEEKS and init < until and earlier < end
        ),
    ),
    Defect(
        name="rec-04-not-with-long-ones",
        statement="Compares a period with those of two weeks at most.",
        rules=rules(*_OVER),
        forgives=_seen_only_if(
            lambda init, end, earlier, until: until - earlier <= TWO_WEEKS and init < until and earlier < end
        ),
    ),
    _sided("beginning-only", "Sees an overlap only where the new period begins in an earlier one.",
           lambda init, _, earlier, end: earlier <= init < end),
    _sided("end-only", "Sees an overlap only where the new period ends in an earlier one.",
           lambda _, end, earlier, until: earlier < end <= until),
    _sided("an-end-inside", "Misses a period that holds an earlier one.",
           lambda init, end, earlier, until: earlier < init < until or earlier < end < until),
    _sided("inside-only", "Sees an overlap only where one of the periods lies within the other.",
           lambda init, end, earlier, until: (earlier <= init and end <= until) or (init <= earlier and until <= end)),
    _sided("not-around", "Misses a period that begins before an earlier one and ends after it.",
           lambda init, end, earlier, until: init < until and earlier < end and not (init < earlier and end > until)),
    _sided("not-inside", "Misses a period within an earlier one.",
           lambda init, end, earlier, until: init < until and earlier < end and not (init > earlier and end < until)),
    _sided("equal-only", "Sees an overlap only where the periods are equal.",
           lambda init, end, earlier, until: (init, end) == (earlier, until)),
    _sided("not-equal", "Misses a period that equals an earlier one.",
           lambda init, end, earlier, until: init < until and earlier < end and (init, end) != (earlier, until)),
    Defect(
        name="rec-06-no-release-yet",
        statement="Opens a second reconciliation while no release of the first has come.",
        rules=rules("REC-06", "REC-09"),
        forgives=_nothing_active,
    ),
    Defect(
        name="rec-06-the-same-again",
        statement="Opens a reconciliation that is active once more where the same creation comes again.",
        rules=rules("REC-04", "REC-06"),
        forgives=_as_the_active_one,
    ),
    Defect(
        name="rec-06-given-free-by-a-refusal",
        statement="Opens a second reconciliation once it has refused one while the first is active (a lock let go in finally).",
        rules=rules("REC-06"),
        forgives=_given_free,
        after_refusal=_note_refused_beside,
    ),
    Defect(
        name="rec-04-the-same-again",
        statement="Opens a reconciliation that has ended once more where the same creation comes again.",
        rules=rules("REC-04"),
        forgives=_as_one_that_ended,
    ),
    Defect(
        name="rec-10-across-accounts",
        statement="Holds every account's reconciliations against every other account.",
        rules=rules("REC-10"),
        sees=_of_all_accounts,
    ),
    Defect(
        name="rec-10-periods-across-accounts",
        statement="Holds every account's finished periods against every other account.",
        rules=rules("REC-10"),
        sees=_of_all_finished,
    ),
)  # fmt: skip
