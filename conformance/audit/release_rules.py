"""The rules of releases beside the order and the reconciliation that they are of: whole, exact, in sequence, in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from conformance.audit.call import LENIENT, Call, Came
from conformance.audit.findings import Findings, value_at
from conformance.audit.request_rules import UNDER_WAY
from conformance.audit.states import FINISHED, Batch, Order, Unseen, Version, is_said_to_be_missing
from conformance.audit.unverified import VERIFIED, Unverified
from conformance.audit.world import World
from conformance.contract.order_rules import VALUE_SIGN
from conformance.contract.readings import RELEASE_TYPES
from conformance.contract.reconciliation_rules import Entry, is_whole, judge_against_reconciliation

WHOLE, EXACT, SEQUENCE, COUNT, COVERED = "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06"
UNKNOWN_ORDER, UNKNOWN_BATCH, OTHER_PLACE = "REL-13", "REL-02", "REL-14"

BEFORE: Final = (
    "the order was sent before the recording began, or its submission was not recorded whole, "
    "or an entry after it can't be read"
)
BATCH_BEFORE: Final = "the reconciliation was opened before the recording began, or its creation was not recorded whole"
IN_DOUBT: Final = "an answer about the order was lost or not recorded before"
TAKEN_AGAIN: Final = "the order was sent and released before, and the server took both again"
MAY_HAVE_FAILED: Final = (
    "the order was released before in another reconciliation, and taken again: "
    "whether that ended in ERROR is not recorded"
)
MAY_BE_SENT_TWICE: Final = (
    "another file holds the same release at about that time: it was recorded twice, or sent by two workers"
)
SEQUENCE_UNKNOWN: Final = "the order is known by a query only, which may show its extracts in any sequence"
LEFT_OUT: Final = "a query found an order, and the recording does not say which"
UNANSWERED: Final = "the answer to the query for the order was not recorded"


def judge_release_in(call: Call, world: World, findings: Findings, unverified: Unverified, *, is_clear: bool) -> None:
    """Judge a release whose body was recorded. `is_clear`: no other change of its order was under way."""
    entries = call.released
    number = call.body.get("reconciliationId")
    batch = world.batches.get(number) if is_whole(number) else None
    held = None
    if call.key is not None and call.came is Came.ACCEPTED:
        held = world.order(call.key).held_already(call, world.twins)
    if held is not None and frozenset({held.file, call.origin.file}) not in world.twins:
        findings.cannot_tell(WHOLE, MAY_BE_SENT_TWICE)
    again = held is not None or _judge_order(call, world, findings, unverified, entries, is_clear=is_clear)
    if is_whole(number):
        is_last = batch is None or world.places_batches(batch.place)[-1:] == [batch]
        new = 0 if again or not is_clear else _due(call, world, entries)
        _judge_batch(call, batch, findings, new, is_last=is_last)


def _due(call: Call, world: World, entries: Sequence[Entry]) -> int:
    """How many of the entries are those of the order: that there are more is no fault of releasesQtd."""
    expected = world.order(call.key).entries if call.key is not None else None
    return len(entries) if expected is None else min(len(entries), len(expected))


# -- the order -----------------------------------------------------------------------------------------------------


def _judge_order(
    call: Call, world: World, findings: Findings, unverified: Unverified, entries: Sequence[Entry], *, is_clear: bool
) -> bool:
    """Judge a release beside its order; whether the order was released before."""
    if call.key is None:
        return False
    order = world.order(call.key)
    if not is_clear:
        for rule in (VERIFIED, WHOLE, EXACT, SEQUENCE, UNKNOWN_ORDER):
            findings.cannot_tell(rule, UNDER_WAY)
        return False
    if order.is_gone and call.came is not Came.ACCEPTED:
        says = f"there is no order {call.key[2]} at this moment"
        findings.breaks(UNKNOWN_ORDER, call, says, pointer="/marketplaceCode", value=call.key[2])
        return False
    before = _released_before(order, world)
    if before is not None and call.came is Came.ACCEPTED and _may_all_have_failed(order, call, world):
        findings.cannot_tell(WHOLE, MAY_HAVE_FAILED)
        before = None
    if before is not None and not (order.sent_since and call.came is Came.ACCEPTED):
        says = f"order {call.key[2]} was released before, at entry {before}"
        findings.breaks(WHOLE, call, says, pointer="/marketplaceCode", value=call.key[2], cause="again")
        return True
    in_doubt = order.may_be_released and call.came is not Came.ACCEPTED  # a second one is not accepted
    is_repeated = in_doubt and order.looked_since and entries == order.entries  # as it may be where an answer was lost
    if before is not None or (in_doubt and not is_repeated):
        for rule in (WHOLE, EXACT, SEQUENCE):
            findings.cannot_tell(rule, IN_DOUBT if before is None else TAKEN_AGAIN)
        return False
    _judge_presence(call, order, findings)
    _judge_verified(call, order, findings, unverified, world.asked)
    _judge_match(call, order, findings, entries)
    return False


def _released_before(order: Order, world: World) -> int | None:
    """The entry at which the order was released, unless the reconciliation of that ended in ERROR, or may have."""
    for release in order.releases:
        batch = world.batches.get(release.reconciliation) if release.reconciliation is not None else None
        if batch is None or not (batch.situation == "ERROR" or batch.in_doubt):
            return release.origin.entry
    return None


def _may_all_have_failed(order: Order, call: Call, world: World) -> bool:
    """Whether each reconciliation in which it was released before may have ended in ERROR, of which notifications tell that are
    not always recorded: a server that takes the order in another one shows it (REL-11)."""
    number = call.body.get("reconciliationId")
    for release in order.releases:
        batch = world.batches.get(release.reconciliation) if release.reconciliation is not None else None
        told = batch.situation if batch is not None else None
        if release.reconciliation in {None, number} or told not in {None, FINISHED, "ERROR"}:
            return False
        if told is None and batch is not None and batch.is_active:
            return False
    return True


def _judge_presence(call: Call, order: Order, findings: Findings) -> None:
    if order.version is not None or call.came is Came.ACCEPTED:
        findings.keeps(UNKNOWN_ORDER, call)
    elif call.came is Came.REFUSED and is_said_to_be_missing(call, "marketplaceCode"):
        says = f"the server answers that it has no order {call.body.get('marketplaceCode')}"
        findings.breaks(UNKNOWN_ORDER, call, says, pointer="/marketplaceCode", value=call.body.get("marketplaceCode"))
    else:
        findings.cannot_tell(UNKNOWN_ORDER, BEFORE if _is_unseen(order) else IN_DOUBT)


def _is_unseen(order: Order) -> bool:
    return any(isinstance(state, Unseen) for state in order.states)


def _judge_verified(call: Call, order: Order, findings: Findings, unverified: Unverified, asked: int) -> None:
    if order.verified:
        findings.keeps(VERIFIED, call)
    elif order.sent is None:
        findings.cannot_tell(VERIFIED, BEFORE)
    elif order.may_be_verified:
        findings.cannot_tell(VERIFIED, UNANSWERED)
    elif order.asked < asked:
        findings.cannot_tell(VERIFIED, LEFT_OUT)
    else:
        unverified.release(call, order)


def _judge_match(call: Call, order: Order, findings: Findings, entries: Sequence[Entry]) -> None:
    """Beside each state that the order may have: what is wrong beside all of them is wrong.

    Of a body that holds what is no entry at all its own rules tell.
    """
    wrong = _wrong_by_themselves(call, entries)
    if wrong is None:
        return
    if _is_unseen(order):
        for rule in (WHOLE, EXACT, SEQUENCE):
            findings.cannot_tell(rule, BEFORE)
        return
    versions = [state for state in order.states if isinstance(state, Version)]
    if not versions:
        return
    verdicts = [_compare(entries, one.entries, wrong) for one in versions]
    if len({verdict and verdict[0] for verdict in verdicts}) > 1:
        for rule in (WHOLE, EXACT, SEQUENCE):
            findings.cannot_tell(rule, IN_DOUBT)
        return
    broken = verdicts[-1]
    for rule in (WHOLE, EXACT, SEQUENCE):
        if broken is not None and rule == SEQUENCE == broken[0] and any(one.is_shown for one in versions):
            findings.cannot_tell(SEQUENCE, SEQUENCE_UNKNOWN)
            return
        if broken is None or rule != broken[0]:
            if broken is None or _RANK[rule] < _RANK[broken[0]]:
                findings.keeps(rule, call)
            continue
        _, pointer, value, says, instead = broken
        value = value_at(call.content, pointer) if rule == EXACT else value  # as it was sent
        findings.breaks(rule, call, says, pointer=pointer, value=value, instead=instead, cause="match")


_RANK: Final[Mapping[str, int]] = {WHOLE: 0, EXACT: 1, SEQUENCE: 2}

_Mismatch = tuple[str, str, object, str, str]
"""Rule, pointer, value, what is wrong, what to send instead."""


def _wrong_by_themselves(call: Call, entries: Sequence[Entry]) -> frozenset[int] | None:
    """The places of entries of a type or sign that none may have; None where some are no entries."""
    sent = call.body.get("releases")
    if not isinstance(sent, list) or len(sent) != len(entries):
        return None
    return frozenset(place for place, entry in enumerate(entries) if not _may_be(*entry))


def _may_be(type_: str, value: Decimal) -> bool:
    return type_ in RELEASE_TYPES and (type_ not in VALUE_SIGN or VALUE_SIGN[type_](value))


def _compare(entries: Sequence[Entry], extracts: Sequence[Entry], wrong: frozenset[int]) -> _Mismatch | None:
    wanted = ", ".join(f"{type_} {value}" for type_, value in extracts)
    instead = f"Send {wanted}."
    if len(entries) != len(extracts):
        says = f"{len(entries)} entries for an order with {len(extracts)} extracts"
        return WHOLE, "/releases", len(entries), says, instead
    if Counter(entries) != Counter(extracts):
        left = list((Counter(extracts) - Counter(entries)).elements())
        odd = Counter(entries) - Counter(extracts)
        position = next((index for index, entry in enumerate(entries) if entry in odd and index not in wrong), None)
        if position is None:
            return None
        type_, value = entries[position]
        meant = next((amount for kind, amount in left if kind == type_), None)
        if meant is not None:
            says = f"{type_} is {value}, and {meant} in the order"
            return EXACT, f"/releases/{position}/value", value, says, instead
        says = f"{type_} is no extract of the order that is left; there is {left[0][0]} {left[0][1]}"
        return EXACT, f"/releases/{position}/type", type_, says, instead
    if list(entries) != list(extracts):
        position = next(index for index, pair in enumerate(zip(entries, extracts, strict=True)) if pair[0] != pair[1])
        says = f"entry {position + 1} is {entries[position][0]}, and {extracts[position][0]} in the order"
        return SEQUENCE, f"/releases/{position}", entries[position][0], says, instead
    return None


_OVER: Final = frozenset({"CONCILIED", FINISHED})

# -- the reconciliation --------------------------------------------------------------------------------------------


def _judge_batch(call: Call, batch: Batch | None, findings: Findings, new: int, *, is_last: bool) -> None:
    """Judge a release beside its reconciliation. `new`: how many entries it adds; `is_last`: no other was opened after it."""
    number = call.body.get("reconciliationId")
    if batch is None:
        if call.came is Came.REFUSED and is_said_to_be_missing(call, "reconciliationId"):
            says = f"the server answers that it has no reconciliation {number}"
            findings.breaks(UNKNOWN_BATCH, call, says, pointer="/reconciliationId", value=number)
        elif call.came is not Came.ACCEPTED:
            findings.cannot_tell(UNKNOWN_BATCH, BATCH_BEFORE)
    facts = batch.facts if batch is not None else None
    if batch is None or facts is None:
        findings.cannot_tell(COUNT, BATCH_BEFORE)
        findings.cannot_tell(COVERED, BATCH_BEFORE)
        return
    if call.place is None:
        return
    broken = {breach.rule: breach for breach in judge_against_reconciliation(call.body, call.place, facts, LENIENT)}
    if "REL-14" in broken:
        says = f"reconciliation {number} was opened for account {batch.place[0]} on {batch.place[1]}"
        findings.breaks(OTHER_PLACE, call, says, pointer="/reconciliationId", value=number)
    else:
        findings.keeps(OTHER_PLACE, call)
    is_anothers = new and "REL-14" not in broken and (not is_last or "REL-03" in broken)
    if is_anothers and batch.situation in _OVER and call.came is not Came.ACCEPTED:  # else releasesQtd may be too low
        says = f"reconciliation {number} had got its {facts.quantity} entries, and was finished"
        instead = "Send the id of the reconciliation that is open."
        findings.breaks(COUNT, call, says, pointer="/reconciliationId", value=number, instead=instead, cause="finished")
        return
    if "REL-03" in broken and batch.opened_by is not None:
        begin, end = batch.opened_by.body.get("periodInitDate"), batch.opened_by.body.get("periodEndDate")
        says = f"releasedDate is outside of the period of reconciliation {number}, {begin} to {end}"
        findings.breaks(COVERED, call, says, pointer="/releasedDate", value=call.body.get("releasedDate"))
    else:
        findings.keeps(COVERED, call)
    if new and "REL-14" not in broken and batch.received + new > facts.quantity and batch.opened_by is not None:
        sent = batch.received + new
        says = (
            f"releasesQtd of reconciliation {number} is {facts.quantity}, and at least {sent} entries were sent to it"
        )
        findings.breaks(
            COUNT, batch.opened_by, says, pointer="/releasesQtd", value=facts.quantity, cause="low", others=[call]
        )
