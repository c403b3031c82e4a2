"""Server errors that pass, and refusals that something on the way gives in passing. A call that gets one is sent again; where
it does not come again, that alone does not say that it was a passing one: a server may have done half of what was asked, and find
its own half the next time. So what creates something is tried anew as a whole, with new codes; a kind of call that meets one in
every try is to blame. What was refused was not done, not even half of it: there it counts how many meet one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.target.wire.exchange import SERVER_ERROR, Exchange
from strategies.calls import Call

CREATING: Final = frozenset({Endpoint.SUBMIT_ORDER})
"""What can be sent again although it may have been carried out, and is then another call: an update. (What is refused then,
as a release is, has no answer that counts: see Doubtful.)"""

USUAL_FROM: Final = 5
"""So many calls to an endpoint say something of the others."""

PASSED_BREAKS: Final = {True: ("ERR-02", "no server error"), False: ("ERR-01", "the documented error body")}
"""The rule that what passed breaks where it is no accident, and what was to be instead: by whether it was a server error, or a
refusal of the kind that something on the way gives."""

Kind = tuple[Endpoint, str, str]
"""A call as it was drawn, its placeholders not filled: alike in every try of an example."""


Group = tuple[Endpoint, str]
"""Calls to an endpoint: all of them, or those whose bodies have a status."""


def _groups(call: Call) -> set[Group]:
    status = call.body.get("status") if isinstance(call.body, Mapping) else None
    return {(call.endpoint, ""), (call.endpoint, status if isinstance(status, str) else "")}


@dataclass(slots=True)
class PassingFaults:
    """Those of one example, in all its tries."""

    _tries: dict[Kind, list[Exchange]] = field(default_factory=dict)
    _met: set[Kind] = field(default_factory=set)
    """The kinds that met one in the running try."""
    _calls: Counter[Group] = field(default_factory=Counter)
    """The calls of the run."""
    _faulty: Counter[Group] = field(default_factory=Counter)
    """Those of them that met one."""

    def begin_example(self) -> None:
        """Another example begins."""
        self._tries.clear()

    def begin_try(self) -> None:
        """The example is tried for the first time, or anew."""
        self._met.clear()

    def note(self, call: Call, passed: Exchange | None) -> None:
        """Take note of what a call met before the answer that counts; in one try once for each kind of call."""
        for group in _groups(call):
            self._calls[group] += 1
            self._faulty[group] += passed is not None
        if passed is None or passed.is_refused:
            return
        kind = (call.endpoint, repr(call.body), f"{call.query!r} {call.rendered!r}")
        if kind not in self._met:
            self._met.add(kind)
            self._tries.setdefault(kind, []).append(passed)

    @property
    def leaves_doubt(self) -> bool:
        """Whether the running try met one that may have passed only because half of what was asked was done."""
        return any(endpoint in CREATING for endpoint, *_ in self._met)

    def is_usual(self, call: Call) -> bool:
        """Whether most calls to an endpoint meet one, whatever is asked, or most with orders of that status: that is no
        accident."""
        faulty = ((self._faulty[group], self._calls[group]) for group in _groups(call))
        return any(some >= USUAL_FROM and 2 * some > of for some, of in faulty)

    @staticmethod
    def breach(passed: Exchange) -> tuple[str, str]:
        """The rule that it breaks where it is no accident, and what was to be instead."""
        return PASSED_BREAKS[passed.status >= SERVER_ERROR]

    def met_in(self, tries: int) -> Iterator[Exchange]:
        """The newest one of every kind of call that met any in so many tries."""
        return (faults[-1] for faults in self._tries.values() if len(faults) >= tries)
