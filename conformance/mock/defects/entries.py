"""What was released before a release, or how much is left, is looked at loosely."""

from __future__ import annotations

from typing import Final

from conformance.contract.judge import Request
from conformance.contract.order_rules import Breach
from conformance.contract.reconciliation_rules import entries_of
from conformance.mock.defects.parts import RELEASE, reconciliation_of, rules
from conformance.mock.quirks import Answer, Defect
from conformance.mock.world import MockWorld, order_key


def _elsewhere(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation, key = reconciliation_of(request, world), order_key(request.fields)
    return breach.rule == "REL-11" and reconciliation is not None and key not in reconciliation.orders


def _in_the_same(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation, key = reconciliation_of(request, world), order_key(request.fields)
    return breach.rule == "REL-11" and reconciliation is not None and key in reconciliation.orders


def _next_installment(breach: Breach, request: Request, _: MockWorld) -> bool:
    return breach.rule == "REL-11" and request.fields.get("installment") != 1


def _next_status(breach: Breach, request: Request, _: MockWorld) -> bool:
    return breach.rule == "REL-11" and request.fields.get("status") != "CONCLUDED"


def _as_if_taken(request: Request, answer: Answer) -> Answer:
    """A refusal with a status of success says nothing of what is wrong."""
    is_release = request.endpoint is RELEASE and answer.status == 200
    return Answer(200, {}) if is_release else answer


def _one_too_many(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation = reconciliation_of(request, world)
    entries = len(entries_of(request.fields.get("releases")))
    return (
        breach.rule == "REL-12"
        and reconciliation is not None
        and reconciliation.received + entries == reconciliation.quantity + 1
    )


def _is_the_first(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation = reconciliation_of(request, world)
    return breach.rule == "REL-12" and reconciliation is not None and not reconciliation.received


def _while_room_is_left(breach: Breach, request: Request, world: MockWorld) -> bool:
    """A release that begins below releasesQtd is taken, however far it goes beyond."""
    reconciliation = reconciliation_of(request, world)
    return (
        breach.rule == "REL-12"
        and reconciliation is not None
        and reconciliation.finishes_at is None
        and reconciliation.received < reconciliation.quantity
    )


def _when_complete(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation = reconciliation_of(request, world)
    return breach.rule == "REL-12" and reconciliation is not None and reconciliation.situation is not None


def _channel_only(breach: Breach, request: Request, world: MockWorld) -> bool:
    reconciliation = reconciliation_of(request, world)
    return (
        breach.rule == "REL-14"
        and reconciliation is not None
        and request.fields.get("channelName") == reconciliation.channel
    )


ENTRIES: Final = (
    Defect(
        name="rel-11-in-another-reconciliation",
        statement="Takes a second release of an order in another reconciliation.",
        rules=rules("REL-11"),
        forgives=_elsewhere,
    ),
    Defect(
        name="rel-11-in-the-same-reconciliation",
        statement="Takes a second release of an order in the same reconciliation.",
        rules=rules("REL-11"),
        forgives=_in_the_same,
    ),
    Defect(
        name="rel-11-answered-again",
        statement="Takes a second release of an order for a repetition: accepts it, and does nothing.",
        rules=rules("REL-11"),
        refuses_as=lambda broken: (200, None) if broken == "REL-11" else None,
        answers=_as_if_taken,
    ),
    Defect(
        name="rel-11-by-installment",
        statement="Knows a release by its order and its installment: takes a second one as installment 2 of 2.",
        rules=rules("REL-11"),
        forgives=_next_installment,
    ),
    Defect(
        name="rel-11-by-status",
        statement="Knows a release by its order and its status: takes a second one with another.",
        rules=rules("REL-11"),
        forgives=_next_status,
    ),
    Defect(
        name="rel-12-one-too-many",
        statement="Takes one entry more than releasesQtd announced.",
        rules=rules("REL-12"),
        forgives=_one_too_many,
    ),
    Defect(
        name="rel-12-while-room-is-left",
        statement="Takes a release that begins below releasesQtd and goes beyond it.",
        rules=rules("REL-12"),
        forgives=_while_room_is_left,
    ),
    Defect(
        name="rel-12-not-of-the-first",
        statement="Takes the first release of a reconciliation, however many entries it has.",
        rules=rules("REL-12"),
        forgives=_is_the_first,
    ),
    Defect(
        name="rel-12-when-complete",
        statement="Takes a release for a reconciliation that is completed.",
        rules=rules("REL-12"),
        forgives=_when_complete,
    ),
    Defect(
        name="rel-14-channel-only",
        statement="Looks whether the channel is the reconciliation's, not the account.",
        rules=rules("REL-14"),
        forgives=_channel_only,
    ),
)  # fmt: skip
