"""The rules of reconciliations that only their end decides: whether one was opened while another was active, whether each got
all its releases, whether releasesQtd was right."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final

from conformance.audit.call import BAD_REQUEST, Call, Came
from conformance.audit.findings import Findings
from conformance.audit.states import Batch
from conformance.audit.world import World
from conformance.i18n.messages import mark

ONE_AT_A_TIME, COUNT, COMPLETED = "REC-06", "CLI-05", "CLI-18"

UNDER_WAY: Final = "another creation for the channel was under way"

MOST_ORDERS: Final = 200
"""Of so many orders that could still be released it is found out whether some of them are what is missing."""


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A creation that came while another reconciliation of its channel was, or may have been, active."""

    call: Call
    active: Batch
    is_certain: bool


class Batches:
    """Follows every reconciliation to its end."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._meetings: list[_Meeting] = []
        self._moved_on: dict[int, Call] = {}
        """By reconciliation that was not whole, the call that shows that its client went on to the next."""

    def created(self, call: Call, world: World, *, is_clear: bool) -> bool:
        """Take note of a creation, before it is known what it did; whether another reconciliation is active for certain.
        `is_clear`: no other creation for the channel was under way."""
        if call.place is None:
            return False
        if not is_clear and call.came is Came.REFUSED:
            self._findings.cannot_tell(ONE_AT_A_TIME, UNDER_WAY)
            return False
        before = [batch for batch in world.places_batches(call.place) if batch.is_active is not False]
        for batch in before:
            if batch.is_active is True and call.came is Came.REFUSED:
                self._moved_on.setdefault(batch.id, call)  # where it is accepted, none was active: not all was recorded
        if call.came is Came.ACCEPTED or not before:
            self._findings.keeps(ONE_AT_A_TIME, call)
        elif call.came is Came.REFUSED:
            certain = [batch for batch in before if batch.is_active is True]
            self._meetings.append(_Meeting(call, (certain or before)[-1], bool(certain)))
        return any(batch.is_active is True for batch in before)

    def finish(self, world: World) -> None:
        """Judge what only the end of the recording decides."""
        for meeting in self._meetings:
            self._judge_meeting(meeting)
        for batch in world.batches.values():
            self._judge_end(batch, world)
        for waiting in world.unanswered.values():
            for _ in waiting:
                self._findings.cannot_tell(COMPLETED, "the answer to the creation was lost or not recorded")

    def _judge_meeting(self, meeting: _Meeting) -> None:
        call, active = meeting.call, meeting.active
        if not meeting.is_certain:
            if call.status == BAD_REQUEST:
                why = "refused, and whether the reconciliation before it was finished was not recorded"
                self._findings.cannot_tell(ONE_AT_A_TIME, why)
        elif active.missing and active.situation is None:
            pass  # the one that never got all its releases is the cause: CLI-18 or CLI-05 tell of it
        else:
            says = f"reconciliation {active.id} of the channel was active, and lacked releases"
            self._findings.breaks(ONE_AT_A_TIME, call, says, pointer="/channelName", value=call.body.get("channelName"))

    def _judge_end(self, batch: Batch, world: World) -> None:
        call, missing = batch.opened_by, batch.missing
        if why := self._undecided(batch):
            self._findings.cannot_tell(COMPLETED, why)
        if why or call is None:
            return
        if not missing:
            self._findings.keeps(COMPLETED, call)
            if not batch.unsure and batch.received == batch.quantity and not batch.refused:
                self._findings.keeps(COUNT, call)
            return
        went_on = self._moved_on[batch.id]
        says = (
            f"reconciliation {batch.id} was opened for {batch.quantity} entries and got {batch.received}; at entry "
            f"{went_on.origin.entry} its client went on to the next"
        )
        if self._can_be_made_up(batch, missing, world):
            self._findings.breaks(
                COMPLETED, call, says, pointer="/releasesQtd", value=batch.quantity, others=[went_on], cause="missing"
            )
            return
        instead = f"Send {batch.received}: that many entries the releases have."
        self._findings.breaks(
            COUNT,
            call,
            says,
            pointer="/releasesQtd",
            value=batch.quantity,
            instead=instead,
            others=[went_on],
            cause="high",
        )

    def _undecided(self, batch: Batch) -> str:
        """Why the recording can't say whether the reconciliation got all its releases; empty where it can."""
        missing, quantity = batch.missing, batch.quantity
        is_short = batch.received + batch.unsure < (batch.quantity or 0)
        reasons = (
            (batch.opened_by is None or not quantity, mark("the reconciliation was opened before the recording began")),
            (batch.situation == "ERROR", mark(f"reconciliation {batch.id} ended in ERROR; why is not told")),
            (
                batch.in_doubt and is_short,
                mark(f"while reconciliation {batch.id} was open an entry came that can't be read"),
            ),
            (
                batch.may_have_more and is_short,
                mark(f"while reconciliation {batch.id} was open a release came whose body was not recorded"),
            ),
            (not missing, ""),
            (
                batch.situation is not None,
                mark("the reconciliation was finished, and not all of its releases were recorded"),
            ),
            (batch.refused > 0, mark(f"releases of reconciliation {batch.id} were refused, for what other rules tell")),
            (
                batch.id not in self._moved_on,
                mark(f"the recording ends while reconciliation {batch.id} lacks {missing} of {quantity} entries"),
            ),
        )
        return next((why for holds, why in reasons if holds), "")

    def _can_be_made_up(self, batch: Batch, missing: int, world: World) -> bool:
        """Whether orders that were not released have together as many extracts as there are entries missing."""
        sums = {0}
        unreleased = (order for order in world.orders.of(batch.place) if not order.releases)
        orders = list(islice(unreleased, MOST_ORDERS + 1))
        for order in orders[:MOST_ORDERS]:
            if order.is_gone:
                continue
            if order.entries is None:
                return True  # nobody knows how many it has
            sums |= {known + len(order.entries) for known in sums if known + len(order.entries) <= missing}
        return missing in sums or len(orders) > MOST_ORDERS
