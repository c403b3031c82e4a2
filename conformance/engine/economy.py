"""Which kinds of its fault each scenario tries, so that a certification spends no more client errors than it may.

Every refusal spends one. What laws over several calls spend is set aside; the rest goes to the kinds that show most, by what
each caught of the defects of the fleet when that was measured: those that catch what no other does come first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Final, TypeVar

from conformance.contract.rules import Side, catalogue
from conformance.engine.kill_matrix import KillMatrix, KindOf, Refusal, measured
from conformance.planning.set_aside import SET_ASIDE
from conformance.profiles import Profile
from strategies.faults import FAULTS, Kind, possible
from strategies.scope import Scope

T = TypeVar("T")

Makeable = Mapping[Refusal, tuple[Kind, ...]]
"""The kinds that each scenario can make, in the sequence of the faults' table."""


def makeable(scope: Scope) -> Makeable:
    """The kinds that can be made on a target under the readings of a run, by the scenarios that can make any."""
    able = {
        Refusal(rule_id, endpoint, fault): tuple(kind for kind in kinds if possible(kind, scope, endpoint))
        for rule_id, faults in FAULTS.items()
        if Side.REFUSED in catalogue()[rule_id].sides_under(scope.readings)
        for fault, kinds in faults.items()
        for endpoint in catalogue()[rule_id].endpoints
    }
    return {refusal: kinds for refusal, kinds in able.items() if kinds}


@dataclass(frozen=True, slots=True)
class Earlier:
    """How an earlier run of the target tried a kind last."""

    age: float
    """In seconds."""
    passed: bool
    counts: bool
    """Whether it is recent enough to be taken for tried."""
    is_left_to: bool = False
    """Whether it was a smoke test of the same hour: the certification that follows leaves the kind to it, and spends less."""


History = Mapping[KindOf, Earlier]
"""What earlier runs of the target tried. (A mock in process has None: each of its runs is the first.)"""


def choose_kinds(
    scope: Scope,
    profile: Profile,
    seed: int,
    history: History | None = None,
    *,
    complete: bool = False,
    leave: int = 0,
    matrix: KillMatrix | None = None,
) -> Makeable:
    """The kinds that each scenario tries, by the profile, or every kind that earlier runs have left where the run is to be
    `complete`. Where not all can be tried, earlier runs say whose turn it is, or else the seed. A certification `leave`s so many
    more to later runs, for which the hour has no client errors."""
    able = makeable(scope)
    if complete:
        wanted = all_left(_names(able), history or {})
    elif profile.kinds_at_most is not None:
        return {refusal: kinds[: profile.kinds_at_most] for refusal, kinds in able.items()}
    elif profile.client_errors is None:
        return able
    else:
        names = _names(able)
        left_to_smoke = {kind for kind, before in (history or {}).items() if before.passed and before.is_left_to}
        others = {
            refusal: [kind for kind in kinds if kind not in left_to_smoke] or kinds for refusal, kinds in names.items()
        }
        budget = profile.client_errors - sum(SET_ASIDE.values()) - len(left_to_smoke) - leave
        wanted = worth_most(others, budget, measured() if matrix is None else matrix, seed, history)
    chosen = frozenset(wanted)
    return {
        refusal: tuple(kind for kind in kinds if KindOf(refusal, kind.name) in chosen)
        for refusal, kinds in able.items()
    }


Able = Mapping[Refusal, Sequence[KindOf]]


def _names(able: Makeable) -> Able:
    return {refusal: [KindOf(refusal, kind.name) for kind in kinds] for refusal, kinds in able.items()}


def all_left(able: Able, history: History) -> list[KindOf]:
    """Every kind that no recent run saw refused, and at least one of every scenario; all where none is left."""
    left = {
        refusal: [kind for kind in kinds if not ((before := history.get(kind)) and before.passed and before.counts)]
        for refusal, kinds in able.items()
    }
    again = able if not any(left.values()) else {refusal: left[refusal] or kinds[:1] for refusal, kinds in able.items()}
    return [kind for kinds in again.values() for kind in kinds]


RESERVED: Final = 4
"""Where not all that shows something fits, as many client errors as are wanting, and at most one in so many of those that are not
for the first kinds, are for kinds whose turn it is: else some would never be tried."""


def worth_most(able: Able, budget: int, matrix: KillMatrix, turn: int, history: History | None = None) -> list[KindOf]:
    """So many kinds as the budget buys at one client error each, and at least one of every scenario.

    After these come those that did not pass in an earlier run, those of which nothing is known yet, and those that catch what
    none before them does, the one that catches most first. Of the rest as many as there is room for: those that waited longest,
    or without a history by turn.
    """
    before = history or {}
    firsts = _one_each(able, matrix, turn, history)
    left = _evenly([_without(kinds, firsts) for kinds in able.values()])
    failed = [kind for kind in left if kind in before and not before[kind].passed]
    new = [kind for kind in left if kind not in matrix and kind not in before]
    known = [kind for kind in _without(left, failed) if kind in matrix]
    catching = cover(known, matrix, _caught_by([*firsts, *failed], matrix))
    wanted = [*failed, *new, *catching]
    rest = _layers(_without(left, wanted), matrix)
    room = max(0, budget - len(firsts))
    reserved = min(room // RESERVED, max(0, len(wanted) - room))
    sure = wanted[: min(room, max(len(failed), room - reserved))]
    waiting = [*wanted[len(sure) :], *rest]
    if history is None:
        every = _layers(_evenly(able.values()), matrix)
        return [*firsts, *sure, *_in_turn(waiting, every, turn * max(1, room - len(sure)))[: room - len(sure)]]
    longest = sorted(waiting, key=lambda kind: -before[kind].age if kind in before else float("-inf"))
    return [*firsts, *sure, *longest[: room - len(sure)]]


def _one_each(able: Able, matrix: KillMatrix, turn: int, history: History | None) -> list[KindOf]:
    """Of every scenario one that did not pass in an earlier run; else the kind that catches most of what those before it don't;
    or where none does, the one whose turn it is."""
    found: list[KindOf] = []
    caught: set[str] = set()
    for number, kinds in enumerate(able.values()):
        failed = [kind for kind in kinds if history and kind in history and not history[kind].passed]
        best = max(failed or kinds, key=lambda kind: len(matrix.get(kind, _NOTHING) - caught))
        if not failed and not matrix.get(best, _NOTHING) - caught:
            best = _whose_turn(kinds, matrix, number + turn, history)
        found.append(best)
        caught |= matrix.get(best, _NOTHING)
    return found


def _whose_turn(kinds: Sequence[KindOf], matrix: KillMatrix, turn: int, history: History | None) -> KindOf:
    if history is not None:
        return max(kinds, key=lambda kind: history[kind].age if kind in history else float("inf"))
    return kinds[turn % len(kinds)] if all(kind in matrix for kind in kinds) else kinds[0]


_NOTHING: Final[frozenset[str]] = frozenset()


def _caught_by(kinds: Iterable[KindOf], matrix: KillMatrix) -> frozenset[str]:
    return frozenset(chain.from_iterable(matrix.get(kind, _NOTHING) for kind in kinds))


def cover(kinds: Sequence[KindOf], matrix: KillMatrix, caught: Collection[str] = _NOTHING) -> list[KindOf]:
    """The kinds that catch something beyond what is caught, the one that catches most first (greedy set cover); of two that
    catch as much, the one that stands first."""
    found, seen = list[KindOf](), set(caught)
    # What a kind catches beyond that only ever becomes less: the first one of which it is still as much as it was is the best.
    waiting = [(-len(matrix[kind]), place) for place, kind in enumerate(kinds)]
    heapify(waiting)
    while waiting:
        negative, place = heappop(waiting)
        if not (more := matrix[kinds[place]] - seen):
            continue
        if len(more) < -negative:
            heappush(waiting, (-len(more), place))
        else:
            found.append(kinds[place])
            seen |= more
    return found


def _layers(kinds: Sequence[KindOf], matrix: KillMatrix) -> list[KindOf]:
    """Kinds that catch what others do too: those first that together catch it all once more, and so on; at the end those that
    caught nothing."""
    found: list[KindOf] = []
    left = list(kinds)
    while layer := cover([kind for kind in left if kind in matrix], matrix):
        found += layer
        left = _without(left, layer)
    return [*found, *left]


def _without(kinds: Sequence[KindOf], others: Sequence[KindOf]) -> list[KindOf]:
    left_out = set(others)
    return [kind for kind in kinds if kind not in left_out]


def _evenly(lists: Iterable[Sequence[T]]) -> list[T]:
    """The first of each, then the second of each, and so on."""
    sequences = list(lists)
    longest = max(map(len, sequences), default=0)
    return [sequence[place] for place in range(longest) for sequence in sequences if place < len(sequence)]


def _in_turn(waiting: Sequence[KindOf], every: Sequence[KindOf], start: int) -> list[KindOf]:
    """Those that wait, beginning with the one at that place of all. The places are the same at each turn, whoever waits: where as
    many are taken as the start moves on, each comes."""
    places = {kind: (place - start) % len(every) for place, kind in enumerate(every)}
    return sorted(waiting, key=lambda kind: places[kind])


def choose(kinds: Sequence[T], most: int, turn: int) -> list[T]:
    """So many of these, which come in the sequence of what they show: the first ones, and of the rest one in turn."""
    if most >= len(kinds):
        return list(kinds)
    always, rest = kinds[: most - 1], kinds[most - 1 :]
    return [*always, rest[turn % len(rest)]]
