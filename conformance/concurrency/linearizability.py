"""Is there an order of the calls that explains every answer?

The search of Wing and Gong (1993) with Lowe's memory of what was tried (2017): take any call that none still to be taken was
over before, see whether the model can answer it so in the state so far, and go on; a set of calls taken that leads to a state
which was met before is not looked at again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from conformance.concurrency.history import History, Operation, apart

State = TypeVar("State", bound=Hashable)


class Model(Protocol[State]):
    """What a server may answer. States are compared and remembered."""

    def after(self, state: State, operation: Operation, history: History) -> Iterable[State]:
        """The states that the operation may leave behind when it is carried out in this one; none where no server may answer
        it so. One whose outcome is unknown is carried out here. `history` holds all that may have been in its way."""

    def why_not(self, state: State, operation: Operation) -> str:
        """Why no server may answer it so in this state, in words."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """No order of the calls explains the answers."""

    history: tuple[Operation, ...]
    nearest: tuple[Operation, ...]
    """The calls in the order that comes nearest: as many as can be explained."""
    fails_at: Operation
    """The call that can't be answered so after them."""
    why: str

    @property
    def sentence(self) -> str:
        """The finding in one sentence."""
        answers = ", ".join(f"{one.label}: {one.told or one.outcome}" for one in self.history)
        return f"no order of these calls explains the answers: {answers}"

    @property
    def nearest_words(self) -> str:
        """The nearest order, and where it fails."""
        before = ", then ".join(one.label for one in self.nearest)
        return f"{f'after {before}, ' if before else ''}{self.fails_at.label} can't be answered so: {self.why}"


def explain(history: History, model: Model[State], initial: State) -> Unexplained | None:
    """What can't be explained, or None where there is an order of the calls that explains all. `initial` is the state before."""
    for part in apart(history):
        if found := _Search(part, tuple(history), model).run(initial):
            return found
    return None


class _Search(Generic[State]):
    """The search for an order of one part of a history."""

    def __init__(self, history: tuple[Operation, ...], beside: tuple[Operation, ...], model: Model[State]) -> None:
        """`beside` is all that may have been in their way, they themselves included."""
        self._history = history
        self._beside = beside
        self._model = model
        self._to_explain = frozenset(number for number, one in enumerate(history) if one.must_be_explained)
        self._met: set[tuple[frozenset[int], State]] = set()
        self._nearest: tuple[tuple[int, ...], int, str] | None = None
        """The longest order so far, the call at which it fails, and why."""

    def run(self, initial: State) -> Unexplained | None:
        if self._goes_on((), initial):
            return None
        assert self._nearest is not None
        order, fails_at, why = self._nearest
        history = self._history
        return Unexplained(history, tuple(history[number] for number in order), history[fails_at], why)

    def _goes_on(self, order: tuple[int, ...], state: State) -> bool:
        """Whether the calls that are not in the order yet can be taken after it."""
        taken = frozenset(order)
        if self._to_explain <= taken:
            return True
        if (taken, state) in self._met:
            return False
        self._met.add((taken, state))
        for number in self._next(taken):
            operation = self._history[number]
            states = list(self._model.after(state, operation, self._beside))
            if not states:
                self._note_failure(order, number, state)
            if any(self._goes_on((*order, number), after) for after in states):
                return True
        return False

    def _next(self, taken: frozenset[int]) -> list[int]:
        """The calls that can come next: nothing that is still to be taken was over before they were sent."""
        left = [number for number in range(len(self._history)) if number not in taken]
        return [
            number
            for number in left
            if not any(self._history[other].precedes(self._history[number]) for other in left if other != number)
        ]

    def _note_failure(self, order: tuple[int, ...], number: int, state: State) -> None:
        if number in self._to_explain and (self._nearest is None or len(order) > len(self._nearest[0])):
            self._nearest = order, number, self._model.why_not(state, self._history[number])
