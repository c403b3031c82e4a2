"""What scenarios need of one reconciliation that serves several: the parts of it, and which of them go together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract.rules import Rule, catalogue
from conformance.engine.batch_laws import ROOM_FOR_MORE
from conformance.engine.kill_matrix import Refusal
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from strategies.faults import FaultBatch, Kind
from strategies.reconciliations import Batch
from strategies.scope import Scope

MOST_ENTRIES: Final = 300
"""Of one such reconciliation: as many as WFL-02 has reconciled."""

WITHIN_THE_PERIOD: Final = frozenset({"REL-03"})
"""Rules whose faults are about the ends of the period: it must be as long as theirs."""

CREATED_BY_ITSELF: Final = frozenset({"ORD-21"})
"""Rules whose broken creations are not tried beside those of others: a date without its offset is another instant, and whether
that alone would be accepted hangs on the period and the zones that are drawn for it."""


@dataclass(slots=True)
class Part:
    """What one scenario needs: the kinds that it tries, and the scenario's id."""

    refusal: Refusal
    scenario: str
    kinds: tuple[Kind, ...]

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return catalogue()[self.refusal.rule]


@dataclass(slots=True)
class Seen:
    """What a scenario counts when its turn comes."""

    part: Part
    accepted: Exchange
    refused: list[Exchange]
    clean: bool
    """Whether no other rule was seen broken meanwhile."""
    spent: Spent


def batch_of(fault_batch: FaultBatch) -> Batch:
    """The batch of its lawful call."""
    assert fault_batch.lawful.batch is not None
    return fault_batch.lawful.batch


def with_a_place_in_common(parts: Sequence[Part], scope: Scope) -> list[Part]:
    """Those that can be tried on one place, the first among them."""
    chosen, common = list[Part](), set(scope.places)
    for part in parts:
        allowed = common.intersection(*(kind.places(scope) for kind in part.kinds if kind.places is not None))
        if allowed or not chosen:
            chosen, common = [*chosen, part], allowed
    return chosen


def entries_of(batches: Sequence[Batch]) -> int:
    """How many release entries all their orders have."""
    return sum(len(order["extracts"]) for batch in batches for order in batch.orders)


def numbers(fault_batch: FaultBatch, first: int) -> range:
    """Which of the orders of the whole reconciliation are its own."""
    return range(first, first + len(batch_of(fault_batch).orders))


def about(exchange: Exchange, codes: Collection[str]) -> bool:
    """Whether it submitted an order of one of these codes."""
    return any(code.encode() in exchange.request_body for code in codes)


def on_one_place(drawn: Sequence[tuple[Part, FaultBatch]]) -> list[tuple[Part, FaultBatch]]:
    """Of what was drawn what one reconciliation can hold, the first among it."""
    batches = {part.refusal: batch_of(fault_batch) for part, fault_batch in drawn}
    first = batches[drawn[0][0].refusal]
    there = [one for one in drawn if batches[one[0].refusal].place == first.place]
    seconds = (
        first.seconds
        if drawn[0][0].refusal.rule in WITHIN_THE_PERIOD
        else max(batches[part.refusal].seconds for part, _ in there if part.refusal.rule not in WITHIN_THE_PERIOD)
    )
    chosen, entries = [], 0
    # Where entries are too many for the order there must be room for them: another order comes after it.
    for part, fault_batch in sorted(
        there, key=lambda one: (one[0] is not drawn[0][0], one[0].refusal.rule not in ROOM_FOR_MORE)
    ):
        batch = batches[part.refusal]
        fits = batch.seconds == seconds if part.refusal.rule in WITHIN_THE_PERIOD else batch.seconds <= seconds
        if fits and entries + entries_of([batch]) <= MOST_ENTRIES:
            chosen.append((part, fault_batch))
            entries += entries_of([batch])
    return chosen
