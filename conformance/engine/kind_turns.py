"""Which kinds of faults are made in which orders: by turns, so that those of one rule see every status, account and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.engine.economy import Makeable
from conformance.engine.kill_matrix import Refusal
from conformance.planning.set_aside import IN_EVERY_STATUS
from strategies.faults import Kind
from strategies.orders import STATUSES
from strategies.turns import TURNS, sized, whose

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
        turns = ALL[(number + seed) % TURNS :] + ALL[: (number + seed) % TURNS]
        covered = set[str]()
        for (refusal, kind), turn in zip(some, cycle(turns), strict=False):
            found[refusal].append((kind, turn))
            covered.update(whose(kind.statuses, turn))
        # Those that are made in some statuses only leave no turn of the others out; the others are first where these are not.
        first = sorted(turns, key=lambda turn: not covered.isdisjoint(whose(STATUSES, turn)))
        every = [*in_any, *islice(cycle(in_any), max(repeated, 0))]
        for (refusal, kind), turn in _as_they_rather_come([*zip(_for_turns(every, first), cycle(first), strict=False)]):
            found[refusal].append((kind, turn))
    return {refusal: tuple(kinds) for refusal, kinds in found.items()}


def _for_turns(kinds: Sequence[tuple[Refusal, Kind]], turns: Sequence[int]) -> list[tuple[Refusal, Kind]]:
    """The kinds in the sequence of the turns: in that of the smallest orders one that needs nothing but a sale, if any does."""
    found, smallest = list(kinds), next(place for place, turn in enumerate(turns) if sized(turn)["bare"])
    plain = next((place for place, (_, kind) in enumerate(found) if not kind.types), None)
    if plain is not None and smallest < len(found):
        found[smallest], found[plain] = found[plain], found[smallest]
    return found


Turned = tuple[tuple[Refusal, Kind], int]


def _as_they_rather_come(turned: list[Turned]) -> list[Turned]:
    """The same kinds and turns: a kind that some take in orders of certain statuses has its turn there, in place of one to which
    that does not matter."""
    found = list(turned)
    for place, ((_, kind), turn) in enumerate(turned):
        if not kind.rather or _suits(kind, turn):
            continue
        others = (
            other
            for other, ((_, instead), there) in enumerate(found)
            if not instead.rather and _suits(kind, there) and (instead.types or not sized(there)["bare"])
        )
        if (other := next(others, None)) is not None:
            (mine, here), (its, there) = found[place], found[other]
            found[place], found[other] = (its, here), (mine, there)
    return found


def _suits(kind: Kind, turn: int) -> bool:
    return not set(whose(STATUSES, turn)).isdisjoint(kind.rather)
