"""What scenarios need of one creation that serves several: the parts of it, and which of them go together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.contract.rules import Rule, catalogue
from conformance.engine.kill_matrix import Refusal
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Spent
from strategies.faults import FaultBatch, Kind
from strategies.reconciliations import Batch
from strategies.scope import Scope

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
