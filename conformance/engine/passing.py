"""Server errors that pass, and refusals that something on the way gives in passing. A call that gets one is sent again; where
it does not come again, that alone does not say that it was a passing one: a server may have done half of what was asked, and find
its own half the next time. So what creates something is tried anew as a whole, with new codes; a kind of call that meets one in
every try is to blame. What was refused was not done, not even half of it: there it counts how many meet one."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
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

CALLS_KEPT: Final = 1000
"""So many calls of a try are kept: the last ones."""

ALIKE: Final = 5
"""Of so many calls alike in one try one that meets what passes is enough to count; of more, one in so many."""

AN_ACCIDENT: Final = 1e-4
"""What is as likely as this is told of nobody: a run tries some hundred examples."""

TRIES_AT_MOST: Final = 9
"""In so many tries nothing is met by accident."""


def _kind(call: Call) -> Kind:
    return call.endpoint, repr(call.body), f"{call.query!r} {call.rendered!r}"


Group = tuple[Endpoint, str]
"""Calls to an endpoint: all of them, or those whose bodies have a status."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Some calls, and how many of them met one."""

    sent: int = 0
    met: int = 0

    def __add__(self, others: Alike) -> Alike:
        return Alike(self.sent + others.sent, self.met + others.met)


def _groups(call: Call) -> set[Group]:
    status = call.body.get("status") if isinstance(call.body, Mapping) else None
    return {(call.endpoint, ""), (call.endpoint, status if isinstance(status, str) else "")}


@dataclass(slots=True)
class PassingFaults:
    """Those of one example, in all its tries."""

    _tries: dict[Kind, list[Exchange]] = field(default_factory=dict)
    """For each kind the last that it met in each of the tries in which one of its calls did, or a fifth of them where they are
    many: of twenty alike one may meet what passes in every try."""
    _own: dict[Kind, Alike] = field(default_factory=lambda: defaultdict(Alike))
    """The calls of each kind in these tries."""
    _all: Alike = field(default_factory=Alike)
    """The calls of the run that were not refused in passing."""
    _sent: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    """The calls of the running try."""
    _met: dict[Kind, list[Exchange]] = field(default_factory=dict)
    """What they met."""
    _calls: Counter[Group] = field(default_factory=Counter)
    """The calls of the run."""
    _faulty: Counter[Group] = field(default_factory=Counter)
    """Those of them that met one."""

    def begin_example(self) -> None:
        """Another example begins."""
        self._tries.clear()
        self._own.clear()
        self._forget_try()

    def begin_try(self) -> None:
        """The example is tried for the first time, or anew."""
        for kind, faults, sent in self._met_by_some():
            self._tries.setdefault(kind, []).append(faults[-1])
            self._own[kind] += Alike(sent, len(faults))
        self._forget_try()

    def _forget_try(self) -> None:
        self._sent.clear()
        self._met.clear()

    def _met_by_some(self) -> Iterator[tuple[Kind, list[Exchange], int]]:
        """The kinds that met enough in the running try, what they met, and how many calls they were."""
        if self._met:
            sent = Counter(map(_kind, self._sent))
            for kind, faults in self._met.items():
                if ALIKE * len(faults) >= sent[kind]:
                    yield kind, faults, sent[kind]

    def note(self, call: Call, passed: Exchange | None) -> None:
        """Take note of what a call met before the answer that counts."""
        for group in _groups(call):
            self._calls[group] += 1
            self._faulty[group] += passed is not None
        if passed is not None and passed.is_refused:
            return
        self._all += Alike(1, passed is not None)
        self._sent.append(call)
        if passed is not None:
            self._met.setdefault(_kind(call), []).append(passed)

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

    def tries_wanted(self, least: int, tried: int) -> int:
        """In how many tries a kind of call that met one in each so far must meet one before it is told: in `least` where others
        don't, in more where so many others meet one that it may be an accident in these."""
        kinds = self._in_all_tries() if self._met else ()
        return max((self._wanted(alike, least) for met, alike in kinds if len(met) == tried), default=least)

    def met_in(self, tries: int) -> Iterator[Exchange]:
        """The newest one of every kind of call that met any in so many tries at least, the running one among them, and in more
        than would be an accident."""
        return (met[-1] for met, alike in self._in_all_tries() if len(met) >= self._wanted(alike, tries))

    def _in_all_tries(self) -> Iterator[tuple[list[Exchange], Alike]]:
        """What each kind met, one in a try, and its calls."""
        running = {kind: (faults[-1:], Alike(sent, len(faults))) for kind, faults, sent in self._met_by_some()}
        for kind in dict.fromkeys((*self._tries, *running)):
            last, alike = running.get(kind, ([], Alike()))
            yield [*self._tries.get(kind, ()), *last], self._own.get(kind, Alike()) + alike

    def _wanted(self, alike: Alike, least: int) -> int:
        """In how many tries some calls that are alike must meet one, by how many of the others do."""
        others = (self._all.met - alike.met) / max(1, self._all.sent - alike.sent)
        by_accident = 1 - (1 - others) ** min(ALIKE, -(-alike.sent // alike.met))
        return next(
            (tries for tries in range(least, TRIES_AT_MOST) if by_accident**tries <= AN_ACCIDENT), TRIES_AT_MOST
        )
