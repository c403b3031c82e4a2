"""How many kinds of its fault each scenario tries, so that a certification spends no more client errors than it may.

Every refusal spends one. What laws over several calls spend is set aside; the rest goes to the scenarios one refusal at a
time, always to the one whose next kind shows most. A kind shows much where a server can get it wrong although it gets the
fault's other kinds right: those faults are hard to hit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from types import MappingProxyType
from typing import Final, TypeVar

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import catalogue
from conformance.profiles import Profile
from strategies.faults import FAULTS, Kind, possible
from strategies.scope import Scope

KindT = TypeVar("KindT")

SET_ASIDE: Final[Mapping[str, int]] = MappingProxyType(
    {
        "AUTH-05": 6, "AUTH-07": 3, "ORD-16": 9, "ORD-17": 3, "DEL-01": 4, "DEL-03": 1, "DEL-04": 4, "DEL-05": 2,
        "REC-06": 3, "REC-09": 2, "REL-11": 2, "REL-12": 3, "REL-18": 6,
        "WFL-01": 1, "WFL-04": 26, "CON-01": 6, "CON-02": 4, "CON-03": 2, "CON-04": 2, "CON-05": 8,
        "ERR-01": 5, "ERR-02": 21, "ERR-03": 3, "ERR-04": 7, "ERR-05": 7,
    }
)  # fmt: skip
"""Client errors that laws over several calls, or over any input, spend in a certification, by rule."""

HARD, SOME, EASY = 4.0, 2.0, 0.4

SHOWS: Final[Mapping[str, float]] = MappingProxyType(
    {
        # Money, periods, codes and matching: each kind is a mistake of its own.
        "AUTH-02 the password is wrong": 2 * HARD, "QRY-02": 2 * HARD, "ORD-10": HARD, "ORD-04": HARD, "ORD-03": HARD,
        "REC-03": HARD, "REC-04": 2 * HARD, "REC-05": HARD, "REC-07": HARD,
        "REL-03": HARD, "REL-06": HARD, "REL-07": HARD, "REL-08": 2 * HARD, "REL-09": 2 * HARD, "REL-10": HARD, "REL-13": HARD,
        # Each kind is another field.
        "ORD-08 one of its dates is malformed": 2 * HARD,
        "REC-08 one of its fields has another JSON type": 1.3 * HARD, "REL-17 one of its fields has another JSON type": 2 * HARD,
        "REC-08 one of its fields is missing": 1.3 * HARD, "REL-17 one of its fields is missing": HARD,
        "ORD-02": 1.5 * SOME, "ORD-18": SOME, "ORD-07": SOME, "ORD-09": 3 * HARD, "ORD-11": HARD, "REL-02": HARD, "REL-05": SOME,
        "REL-17 one of its entries is malformed": 2 * HARD, "REL-17 one of its dates is malformed": HARD, "ORD-14": 1.1 * HARD,
        "ORD-21 one of its dates names no instant": SOME, "ORD-22 its body is nearly JSON": HARD,
        # Whether the one reader of dates and of JSON is used there, too.
        "ORD-21": EASY, "ORD-22": EASY,
        # Whoever sees one wrong JSON type in a field sees the others too.
        "ORD-13": EASY, "ORD-13 its accountId has another JSON type": SOME, "DEL-02": SOME,
        "ORD-13 the value of one extract has another JSON type": HARD, "ORD-13 one extract is not an object": SOME,
        # One piece of code looks at tokens, accounts and channels; whether it is called differs from endpoint to endpoint.
        "AUTH-04": EASY, "AUTH-08": EASY / 4, "ACC-03": EASY / 4,
        # A date is parsed, or it is not.
        "ORD-08 the expectedDate of one extract is malformed": EASY,
    }
)  # fmt: skip
"""How much the kinds of a fault show, by rule or by rule and fault; 1 where it is not told."""


@dataclass(slots=True, order=True)
class _Lot:
    """A scenario in the queue; the one whose next kind shows most comes first."""

    worth: float
    number: int
    weight: float
    kinds: int
    given: int = 1

    def give(self) -> None:
        """One kind more; every next one shows less."""
        self.given += 1
        self.worth = -self.weight / self.given


Key = tuple[str, Endpoint, Sequence[Kind]]


def shares(scope: Scope, budget: int) -> dict[Key, int]:
    """How many kinds each scenario of a fault tries, by rule, endpoint and kinds; at least one of those it can make."""
    keys: list[Key] = []
    lots: list[_Lot] = []
    for key, weight, able in _faults(scope):
        keys.append(key)
        lots.append(_Lot(-weight, len(lots), weight, able))
    left = budget - sum(SET_ASIDE.values()) - len(lots)
    queue = [lot for lot in lots if lot.kinds > 1]
    heapify(queue)
    while left > 0 and queue:
        lot = queue[0]
        lot.give()
        left -= 1
        if lot.given < lot.kinds:
            heapreplace(queue, lot)
        else:
            heappop(queue)
    return {key: lot.given for key, lot in zip(keys, lots, strict=True)}


def _faults(scope: Scope) -> Iterator[tuple[Key, float, int]]:
    for rule_id, faults in FAULTS.items():
        for words, kinds in faults.items():
            weight = SHOWS.get(f"{rule_id} {words}", SHOWS.get(rule_id, 1.0))
            for endpoint in catalogue()[rule_id].endpoints:
                able = sum(possible(kind, scope, endpoint) for kind in kinds)
                if able:
                    yield (rule_id, endpoint, kinds), weight, able


def choose(kinds: Sequence[KindT], most: int, turn: int) -> list[KindT]:
    """So many of the kinds, which come in the sequence of what they show: the first ones, and of the rest one in turn."""
    if most >= len(kinds):
        return list(kinds)
    always, rest = kinds[: most - 1], kinds[most - 1 :]
    return [*always, rest[turn % len(rest)]]


def tried(profile: Profile, shares: Mapping[Key, int], key: Key, kinds: Sequence[Kind], turn: int) -> list[Kind]:
    """The kinds that a scenario tries, of those that it can make; `turn` tells seeds and endpoints apart."""
    most = profile.kinds_at_most or (len(kinds) if profile.client_errors is None else shares.get(key, 1))
    return choose(kinds, most, turn)
