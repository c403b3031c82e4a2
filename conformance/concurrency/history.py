"""A history: which calls were sent when, and what they were answered when."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a call: unknown where no answer came, or one that does not say whether it was carried out."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call and its answer. Instants are seconds of one monotonic clock."""

    lane: int
    """Which of the workers sent it; those of one lane are sent one after the other."""
    call: Hashable
    """What it asks for, as the model understands it."""
    label: str
    """The same in words."""
    sent: float
    """When its last byte was released: before that nobody can have carried it out."""
    answered: float
    """When its answer was whole: after that nobody can still carry it out. Infinite where none came."""
    outcome: Outcome
    shown: object = None
    """What the answer shows of the state."""
    told: str = ""
    """The answer in words: `201, id 237`."""
    touches: frozenset[Hashable] = frozenset()
    """What it reads or writes: calls that have nothing of it in common can't be in each other's way."""

    @property
    def must_be_explained(self) -> bool:
        """Whether it was answered: what was not may never have been carried out."""
        return self.outcome is not Outcome.UNKNOWN

    @property
    def ends(self) -> float:
        """After that it has no effect any more: one whose outcome is unknown may be carried out at any time."""
        return self.answered if self.must_be_explained else math.inf

    def precedes(self, other: Operation) -> bool:
        """Whether it was over before the other was sent."""
        return self.ends < other.sent

    def contends(self, others: Iterable[Operation]) -> bool:
        """Whether one of the others was under way at the same time: a server may refuse it for that, whatever it is about, since
        its lock may be for a row, for an account or for all."""
        besides = (other for other in others if other is not self)
        return any(not self.precedes(other) and not other.precedes(self) for other in besides)


History = Sequence[Operation]


def were_at_once(operations: History) -> bool:
    """Whether they really overlapped: each was sent before the first answer to any of them came."""
    return len(operations) > 1 and max(one.sent for one in operations) < min(one.answered for one in operations)


def apart(history: History) -> list[tuple[Operation, ...]]:
    """The history in parts that have nothing to do with each other: linearizability is local, so that each is searched by
    itself (Herlihy and Wing 1990)."""
    parts: list[tuple[set[Hashable], list[Operation]]] = []
    for operation in history:
        touched, joined = set(operation.touches), [operation]
        others = []
        for things, operations in parts:
            if things & touched:
                touched |= things
                joined += operations
            else:
                others.append((things, operations))
        parts = [*others, (touched, joined)]
    ordered = [sorted(operations, key=lambda one: (one.sent, one.lane)) for _, operations in parts]
    return [tuple(part) for part in sorted(ordered, key=lambda part: part[0].sent)]
