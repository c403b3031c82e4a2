"""The reference model of calls at once: what Koncili may answer, one call after another.

Where the documents leave something open, both are allowed: a call that meets another about the same thing may be refused for
that (409, 423 of a lock ...), and what reads an order may see it, its change or its deletion late.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from conformance.concurrency.history import History, Operation, Outcome

ABSENT: Final = ""
"""The version of an order that is not there."""


@dataclass(frozen=True, slots=True)
class Submit:
    """POST /order: a version of an order, by a name that no other version has."""

    code: str
    version: str
    seen: bool = False
    """Whether it was seen to be stored before anything else was sent."""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE /order."""

    code: str


@dataclass(frozen=True, slots=True)
class Look:
    """GET /order, asked until what was done before must show; the operation's `shown` is the version, ABSENT where none is,
    None where it is none of those that were sent."""

    code: str


@dataclass(frozen=True, slots=True)
class Query:
    """GET /order, asked once beside other calls: it may show late what they do; the operation's `shown` is as that of Look."""

    code: str


@dataclass(frozen=True, slots=True)
class Open:
    """POST /reconciliation: a period, in any unit, and how many entries there will be."""

    name: str
    begin: int
    end: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Release:
    """POST /reconciliation/release: the entries of one order, into the reconciliation of that name."""

    into: str
    code: str
    entries: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Whether the reconciliation of that name is complete, seen when that must show; the operation's `shown` says it."""

    name: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """POST /auth/refresh-token, by a token that is good for once."""

    token: str


Call = Submit | Delete | Look | Query | Open | Release | Ended | Refresh


@dataclass(frozen=True, slots=True)
class Opened:
    """A reconciliation that was opened: it is active until all its entries are in."""

    call: Open
    released: frozenset[str] = frozenset()
    received: int = 0

    @property
    def is_active(self) -> bool:
        return self.received < self.call.quantity


@dataclass(frozen=True, slots=True)
class World:
    """What is stored of one account and channel, and which refresh tokens are void."""

    orders: frozenset[tuple[str, str]] = frozenset()
    """Codes and the versions that are stored."""
    opened: tuple[Opened, ...] = ()
    void: frozenset[str] = frozenset()
    earlier: frozenset[tuple[str, str]] = frozenset()
    """Codes and the versions that were stored before, which whoever reads them may still see."""

    def version(self, code: str) -> str:
        """The version of an order; ABSENT where there is none."""
        return next((version for known, version in self.orders if known == code), ABSENT)

    def reconciliation(self, name: str) -> Opened | None:
        """The reconciliation of that name."""
        return next((reconciliation for reconciliation in self.opened if reconciliation.call.name == name), None)

    def has_ended(self, name: str) -> bool:
        """Whether it was opened, and all its entries are in."""
        reconciliation = self.reconciliation(name)
        return reconciliation is not None and not reconciliation.is_active

    def having(self, code: str, version: str) -> World:
        """The world with this version of the order in place of what was there."""
        others = frozenset((known, other) for known, other in self.orders if known != code)
        return replace(self, orders=others | {(code, version)} if version != ABSENT else others)

    def changed(self, code: str, version: str, *, seen: bool = False) -> World:
        """The same, where what was there may still be shown; unless the change was seen, by whoever looked."""
        if seen:
            earlier = frozenset(known for known in self.earlier if known[0] != code)
        else:
            earlier = self.earlier | {(code, self.version(code))}
        return replace(self.having(code, version), earlier=earlier)

    def was_deleted(self, code: str) -> bool:
        """Whether there was an order of that code, and is none any more."""
        return self.version(code) == ABSENT and any(known == code and was != ABSENT for known, was in self.earlier)

    def may_show(self, code: str) -> frozenset[str]:
        """The versions of an order that whoever reads it may see."""
        return frozenset({self.version(code), *(version for known, version in self.earlier if known == code)})


class Koncili:
    """A model for `linearizability.explain`."""

    def after(self, state: World, operation: Operation, history: History) -> Iterable[World]:
        """The states after the operation, none where no server may answer it so."""
        if operation.outcome is Outcome.REFUSED:
            may = self.may_refuse(state, operation.call) or operation.contends(history)
            return (state,) if may or self.objection(state, operation) else ()
        if isinstance(operation.call, Look):
            return (state,) if operation.shown == state.version(operation.call.code) else ()
        if isinstance(operation.call, Query):
            return (state,) if operation.shown in state.may_show(operation.call.code) else ()
        if isinstance(operation.call, Ended):
            return (state,) if operation.shown == state.has_ended(operation.call.name) else ()
        return () if self.objection(state, operation) else tuple(self._done(state, operation))

    def why_not(self, state: World, operation: Operation) -> str:
        """Why no server may answer it so."""
        if operation.outcome is Outcome.REFUSED:
            return "nothing speaks against it, and no other call was in its way"
        if isinstance(operation.call, Look | Query):
            stored = state.version(operation.call.code)
            words = shown_words(operation.shown)
            what = "there is no such order" if stored == ABSENT else f"what is stored is {stored}"
            return f"{what}, and it shows {words}"
        if isinstance(operation.call, Ended):
            reconciliation = state.reconciliation(operation.call.name)
            entries = (
                f"{reconciliation.received} of its {reconciliation.call.quantity} entries are in"
                if reconciliation
                else "it was never opened"
            )
            return f"{entries}, and it is {'complete' if operation.shown else 'not complete'}"
        return self.objection(state, operation)

    def may_refuse(self, state: World, call: Hashable) -> bool:
        """Whether a call may be refused in a state, and accepted too by who sees late what was done before."""
        match call:
            case Open():
                return bool(state.opened)  # one that has all its entries may be on its way to be reconciled still
            case Submit(code):
                return state.was_deleted(code)  # that a code can be used again is DEL-07's matter alone
            case Release(_, code) | Query(code):
                return ABSENT in state.may_show(code)
            case Delete(code):
                return ABSENT in state.may_show(code) or any(
                    code in reconciliation.released for reconciliation in state.opened
                )
        return False

    def objection(self, state: World, operation: Operation) -> str:
        """Why a call must be refused in a state; empty where it must be accepted."""
        match operation.call:
            case Open() as call:
                return next(_objections_to_opening(state, call), "")
            case Release() as call:
                return next(_objections_to_release(state, call), "")
            case Refresh(token):
                return "the refresh token was used before" if token in state.void else ""
        return ""

    def _done(self, state: World, operation: Operation) -> Iterator[World]:
        match operation.call:
            case Submit(code, version, seen):
                yield state.changed(code, version, seen=seen)
            case Delete(code):
                yield state.changed(code, ABSENT)
            case Open() as call:
                yield replace(state, opened=(*state.opened, Opened(call)))
            case Release() as call:
                yield replace(state, opened=tuple(_received(reconciliation, call) for reconciliation in state.opened))
            case Refresh(token):
                yield replace(state, void=state.void | {token})
            case _:
                yield state


def _objections_to_opening(state: World, call: Open) -> Iterator[str]:
    for reconciliation in state.opened:
        if reconciliation.is_active:
            yield f"{reconciliation.call.name} is active"
        if call.begin < reconciliation.call.end and reconciliation.call.begin < call.end:
            yield f"its period overlaps that of {reconciliation.call.name}"


def _objections_to_release(state: World, call: Release) -> Iterator[str]:
    reconciliation = state.reconciliation(call.into)
    if reconciliation is None:
        return  # whether it is there the scenario knows
    if call.code in reconciliation.released:
        yield f"the entries of order {call.code} are in"
    elif reconciliation.received + call.entries > reconciliation.call.quantity:
        of = reconciliation.call.quantity
        yield f"{reconciliation.received} of {of} entries are in, so that {call.entries} more are too many"


def _received(reconciliation: Opened, call: Release) -> Opened:
    if reconciliation.call.name != call.into:
        return reconciliation
    return replace(
        reconciliation, released=reconciliation.released | {call.code}, received=reconciliation.received + call.entries
    )


def shown_words(shown: object) -> str:
    """What a query shows, in words: a version, ABSENT, or None."""
    if shown is None:
        return "what nobody sent so"
    return "none" if shown == ABSENT else str(shown)
