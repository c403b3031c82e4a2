"""One reconciliation of the suite's own: what it is made of, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.engine.values import Values
from conformance.target.inbox import Received
from conformance.target.wire.exchange import Exchange
from strategies.reconciliations import Batch
from strategies.scope import Place


@dataclass(slots=True)
class OpenReconciliation:
    """A reconciliation of the suite's own: what it is made of, and how far it has come."""

    batch: Batch
    values: tuple[Values, ...]
    """For each order; the period is the same in all."""
    id: int | None = None
    released: set[int] = field(default_factory=set)
    """The orders, by number, whose releases were accepted."""
    lost: set[int] = field(default_factory=set)
    """Those whose release was refused when it was sent again, its answer being lost: it is in, as a rule."""
    after_refusal: bool = False
    """Whether a broken release was refused before."""
    refused_beside: Batch | None = None
    """The last one whose creation was refused while this one was open: it may have changed what this one is."""
    sent_elsewhere: tuple[Place, ...] = ()
    """Other accounts on which the first order was sent under the same code, after it."""
    waited: bool = False
    """Whether its creation had to wait for the one before it: what was refused until then may have been refused for that."""
    refused_for: str = ""
    """What shows for what its lawful creation was refused, in words for people; "" where nothing does."""
    doubtful: bool = False
    """Whether the answer to a broken call was lost: if it was carried out, what is refused after it is refused for that."""
    spoiled: bool = False
    """Whether something was accepted that should not have been, so that what it holds is not known."""
    ended: bool = False
    """Whether it was seen to have ended."""
    sent_twice: bool = False
    """Whether its first order was sent twice, the same."""
    deleted_beside: bool = False
    """Whether an order that is no part of it was deleted while it was open: what is refused since may have gone with it."""
    told_before: tuple[Received, ...] = ()
    """What told of its end before it was open: of another's, most likely, under its number."""
    completed_by: Exchange | None = None
    """The release that completed it."""
    may_fail: bool = False
    """Whether it may end in ERROR: it was made to, or its order was deleted meanwhile, of which no document speaks. That this is
    notified is another rule's business than that it is reconciled."""
    within: OpenReconciliation | None = None
    """The one of the shelf of which this is a part, with orders of its own."""
    room: int = 0
    """Of one of the shelf: how many entries it still takes for what is tried in it."""

    @property
    def place(self) -> Place:
        """The account and channel that it is for."""
        return self.batch.place

    @property
    def has_parts(self) -> bool:
        """Whether it is one of the shelf, for more entries than its own orders have."""
        return sum(len(order["extracts"]) for order in self.batch.orders) < int(self.batch.creation["releasesQtd"])

    @property
    def is_complete(self) -> bool:
        """Whether every order's release was accepted, or so many that there is no room for another entry."""
        return self.released == set(range(len(self.batch.orders))) or self.is_full

    @property
    def is_full(self) -> bool:
        """Whether as many entries were accepted as it was opened for: where it is for fewer than its orders have."""
        entries = sum(len(self.batch.orders[order]["extracts"]) for order in self.released)
        wanted: int = self.batch.creation["releasesQtd"]
        return entries >= wanted


def is_about(received: Received, reconciliation: OpenReconciliation) -> bool:
    """Whether it is a notification that this reconciliation was completed."""
    told = received.completed
    return told is not None and told == reconciliation.id and received not in reconciliation.told_before
