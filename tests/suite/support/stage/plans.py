"""To which requests a fault happens: by method and path, and by how many of them there were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class When:
    """Chooses requests: of those that are this call (`POST /order`; None: any), those whose count from 1 on passes."""

    call: str | None
    counts: Callable[[int], bool]


def nth(n: int, call: str | None = None) -> When:
    """The n-th alone."""
    return When(call, lambda count: count == n)


def first(n: int, call: str | None = None) -> When:
    """The first n."""
    return When(call, lambda count: count <= n)


def since(n: int, call: str | None = None) -> When:
    """The n-th and all that follow."""
    return When(call, lambda count: count >= n)


def every(n: int, call: str | None = None) -> When:
    """Every n-th."""
    return When(call, lambda count: count % n == 0)


def always(call: str | None = None) -> When:
    """All of them."""
    return since(1, call)


@dataclass(frozen=True)
class Plan:
    """A fault of `FAULTS` by its name, and the requests to which it happens."""

    fault: str
    when: When
    seconds: float = 1
    """How long a `delay` takes."""


class Plans:
    """Plans as they are carried out: each counts the requests that are its call. Not for several threads at once."""

    def __init__(self, *plans: Plan) -> None:
        """Nothing is counted yet."""
        self._plans = plans
        self._counts = [0] * len(plans)

    def next(self, call: str) -> Plan | None:
        """The plan for the next request, which is this call: the first one that chooses it. All count it."""
        chosen = None
        for place, plan in enumerate(self._plans):
            if plan.when.call in {None, call}:
                self._counts[place] += 1
                if chosen is None and plan.when.counts(self._counts[place]):
                    chosen = plan
        return chosen
