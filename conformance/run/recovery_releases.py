"""Sends releases to a reconciliation that a run left open, until it has all that it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

from conformance.contract.jsontext import JSONValue
from conformance.run import fillers
from conformance.run.recovery_client import (
    NoSuchPlace,
    NotCompleted,
    NotRefused,
    RecoveryClient,
    Refused,
    answer_words,
    order_of,
)
from conformance.target.shared.ledger import NO_SUCH_PLACE, Doubt, Ledger, Opened
from conformance.target.shared.lenient import ENTRIES_AT_MOST, Place, counts, released_dates, spellings
from conformance.target.shared.near_ids import FEW


def send_rest(client: RecoveryClient, ledger: Ledger, opened: Opened, place: Place, *, lawful: bool) -> bool:
    """Whether it takes releases. Raises NotCompleted that says why it takes none."""
    totals = counts(opened.quantity)
    if not totals:
        raise NotCompleted(
            f"it waits for {opened.quantity} release entries, and no more than {ENTRIES_AT_MOST} are ever sent"
        )
    if lawful:
        missing, may_be_counted = totals[0] - opened.received, ledger.has_refused(opened)
        try:
            return _release_first(client, ledger, opened, place, _amounts(missing, opened.doubts))
        except NoSuchPlace:
            raise
        except Refused:
            if not (may_be_counted and _release_less(client, opened, place, missing)):
                raise
            _leave_unsure(client, opened.doubts)
            return True
    received, accepted = opened.received, False
    for total in totals:
        if total <= received:
            continue
        try:
            _release_first(client, ledger, opened, place, [total - received])
        except (NoSuchPlace, NotRefused):
            raise
        except NotCompleted:
            if accepted:  # it was full before
                break
            raise
        accepted, received = True, total
    return accepted


def _release_first(
    client: RecoveryClient, ledger: Ledger, opened: Opened, place: Place, amounts: Sequence[int]
) -> bool:
    """Send so many entries, or so many, until they are taken. Raises NotCompleted where none are.

    Where a server error is all that a larger amount got there may be room for it all the same, so that what a smaller one that is
    taken leaves of it is sent too: raises NotRefused where that gets no other answer either.
    """
    reason = NotCompleted("it has all the releases that it was to get")
    doubts, unknown = list(opened.doubts), list[int]()
    for amount in amounts:
        if amount <= 0:
            continue
        try:
            release(client, ledger, opened, place, spellings(opened.id), amount)
        except NoSuchPlace:
            raise
        except NotRefused as failed:
            unknown.append(amount)
            reason = failed
        except NotCompleted as refused:
            reason = refused
        else:
            if unknown:
                _leave_unsure(client, [*doubts, *opened.doubts])
                _release_what_is_left(client, ledger, opened, place, [larger - amount for larger in unknown])
            elif amount < amounts[0]:  # of what was in doubt so much was taken
                sure = _surely_taken(doubts, amounts[0] - amount)
                ledger.released(*(doubt.order for doubt in sure))
                _leave_unsure(client, [doubt for doubt in doubts if doubt not in sure])
            return True
    raise reason


def _release_less(client: RecoveryClient, opened: Opened, place: Place, missing: int) -> bool:
    """Fill up one that has counted entries of releases that it refused, so that fewer than so many are missing: by powers of two,
    from the largest down, of which each is taken once where it fits. Whether any was taken. Raises NotCompleted."""
    date, taken_any = released_dates(opened.init, opened.end)[0], False
    for power in reversed(range((missing - 1).bit_length())):
        filled = client.submit_order(place, 2**power)
        client.check_allowance()
        if client.release(fillers.release(opened.id, filled, date), may_be_late=False).is_accepted:
            taken_any = True
        else:
            client.withdraw(filled)
    return taken_any


def _release_what_is_left(
    client: RecoveryClient, ledger: Ledger, opened: Opened, place: Place, amounts: Sequence[int]
) -> None:
    try:
        _release_first(client, ledger, opened, place, amounts)
    except (NoSuchPlace, NotRefused):
        raise
    except NotCompleted:
        pass  # each is refused: it was full before


def release(
    client: RecoveryClient, ledger: Ledger, opened: Opened, place: Place, numbers: Sequence[JSONValue], entries: int
) -> JSONValue:
    """Send one order's entries to the first of these ids that takes them, and returns it. Raises NotCompleted where none does."""
    filled = client.submit_order(place, entries)
    try:
        return taken(client, ledger, opened, numbers, filled)
    except NotCompleted:
        client.withdraw(filled)
        raise


def taken(
    client: RecoveryClient, ledger: Ledger, opened: Opened, numbers: Sequence[JSONValue], filled: dict[str, Any]
) -> JSONValue:
    """The first of these ids that takes the order's entries. Raises NotCompleted where none does."""
    dates = released_dates(opened.init, opened.end) or (fillers.written(datetime.now(UTC)),)
    tries, entries, last, refused = 0, len(filled["extracts"]), "", False
    # The client writes into the ledger of this run alone, and by ids.
    unwritten = ledger is not client.own or opened.id is None
    for number, date in product(numbers, dates if opened.id is not None else dates[:FEW]):
        client.check_allowance()
        if unwritten:
            ledger.doubt(opened, Doubt(order_of(filled), entries))
        may_be_late = opened.id is not None and tries == 0
        answer = client.release(fillers.release(number, filled, date), may_be_late=may_be_late)
        if unwritten and (answer.is_accepted or (answer.is_refused and not client.in_doubt)):
            ledger.settled(opened, order_of(filled), entries if answer.is_accepted else 0)
        if answer.is_accepted:
            return number
        tries, last, refused = tries + 1, answer_words(answer), refused or answer.is_refused
        if answer.error_code in NO_SUCH_PLACE:
            raise NoSuchPlace(f"its releases got {last}")
    why = f"its releases got {last} ({tries} tried)"
    raise Refused(why) if refused else NotRefused(why)


def _amounts(missing: int, doubts: Sequence[Doubt]) -> list[int]:
    """How many entries may be missing where some releases may have been taken: most first."""
    return sorted({missing - one for one in _sums(doubts) if one < missing}, reverse=True)


def _surely_taken(doubts: Sequence[Doubt], entries: int) -> list[Doubt]:
    """Those without which the others in doubt don't make up so many entries."""
    return [
        doubt for number, doubt in enumerate(doubts) if entries not in _sums([*doubts[:number], *doubts[number + 1 :]])
    ]


def _leave_unsure(client: RecoveryClient, doubts: Sequence[Doubt]) -> None:
    """Their deletion will show whether they were taken, once what they may be in has ended."""
    client.unsure.update(doubt.order for doubt in doubts if doubt.order is not None)


def _sums(doubts: Sequence[Doubt]) -> set[int]:
    """How many entries some of these have, whichever they are."""
    sums = {0}
    for doubt in doubts:
        sums |= {one + doubt.entries for one in sums}
    return sums
