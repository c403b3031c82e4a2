"""Which kinds of faults are made in which orders: by turns, so that those of one rule see every status, account and size."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.economy import Makeable
from conformance.engine.kill_matrix import Refusal
from conformance.planning.set_aside import IN_EVERY_STATUS
from strategies.faults import Kind
from strategies.orders import STATUSES
from strategies.turns import TURNS

ALL: Final = tuple(range(TURNS))
"""What is tried of a kind where nobody knows which turn it had: of one by which a finding is replayed."""

KindTurns = Mapping[Refusal, tuple[tuple[Kind, int], ...]]
"""The kinds that each scenario tries, each with its turn; one comes again where its rule has fewer kinds than there are turns."""


def kind_turns(chosen: Makeable, seed: int, *, again: bool) -> KindTurns:
    """The turns of all that break submissions of orders, one after the other within each rule, from another on with each seed;
    some kinds `again`, so that each turn comes."""
    found: dict[Refusal, list[tuple[Kind, int]]] = {
        refusal: [] for refusal in chosen if refusal.endpoint is Endpoint.SUBMIT_ORDER
    }
    for number, rule in enumerate(dict.fromkeys(refusal.rule for refusal in found)):
        of_rule = [(refusal, kind) for refusal in found if refusal.rule == rule for kind in chosen[refusal]]
        in_any = [(refusal, kind) for refusal, kind in of_rule if kind.statuses == STATUSES]
        some = [one for one in of_rule if one not in in_any]
        repeated = TURNS - len(in_any) if again and rule in IN_EVERY_STATUS else 0
        for kinds in (some, [*in_any, *islice(cycle(in_any), max(repeated, 0))]):
            # Those that are made in some statuses only leave no turn of the others out.
            turns = cycle(ALL[(number + seed) % TURNS :] + ALL[: (number + seed) % TURNS])
            for refusal, kind in kinds:
                found[refusal].append((kind, next(turns)))
    return {refusal: tuple(kinds) for refusal, kinds in found.items()}
