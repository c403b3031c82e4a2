"""How a run goes by the clock: its requests, one after the other, through the documented rates and the budget of 4xx. Pure.

Only what the limits make it wait is counted, not how long the target takes to answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from conformance.contract.endpoints import OTHER, Endpoint
from conformance.contract.limits import HOUR_SECONDS, MINUTE_SECONDS, PER_MINUTE
from conformance.planning.costs import Stage
from conformance.target.shared.budget_status import BudgetStatus

_LOWEST: Final = min(PER_MINUTE.values())

RATES: Final[Mapping[str, int]] = MappingProxyType(
    {**{endpoint.label: PER_MINUTE.get(endpoint, _LOWEST) for endpoint in Endpoint}, OTHER: _LOWEST}
)
"""Requests a minute, by endpoint; those without a documented rate have the lowest one."""


def least_seconds(number: int, rate: int) -> int:
    """How long so many requests take at least: of the rate's number each next one waits until a minute is over."""
    return max(0, number - 1) // rate * MINUTE_SECONDS


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a run."""

    endpoint: str
    is_client_error: bool
    stage: int
    """The number of its stage."""


def requests_in_turn(stages: Iterable[Stage]) -> list[Request]:
    """The requests of a run in their order. Within a stage nobody knows it: endpoints and client errors are spread evenly."""
    return [
        Request(endpoint, is_client_error, number)
        for number, stage in enumerate(stages)
        for endpoint, is_client_error in zip(_spread(stage.requests), _refused(stage), strict=True)
    ]


def _spread(requests: Mapping[str, int]) -> list[str]:
    places = [((place + 0.5) / number, label) for label, number in requests.items() for place in range(number)]
    return [label for _, label in sorted(places)]


def _refused(stage: Stage) -> list[bool]:
    size, errors = stage.size, min(stage.client_errors, stage.size)
    reached = [place * errors // size for place in range(size + 1)] if size else [0]
    return [after > before for before, after in pairwise(reached)]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run is held to on its target."""

    paced: bool = True
    """Whether the documented rates are kept."""
    budget_status: BudgetStatus | None = None
    """How the budget of client errors stands; None where none is kept."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How a run goes."""

    seconds: float
    """From its beginning to its last request."""
    waiting: float
    """How many of these it waits for client errors to leave the hour."""
    longest_wait: float
    """The longest of these waits."""
    free_stages: int
    """How many stages are over before it first waits for that."""


def simulate(requests: Sequence[Request], limits: Limits, start: float = 0.0) -> Timeline:
    """How these requests go, the first one `start` seconds from now."""
    budget_status = limits.budget_status
    now, waiting, longest, free_stages = start, 0.0, 0.0, requests[-1].stage + 1 if requests else 0
    windows = {label: deque[float](maxlen=rate) for label, rate in RATES.items()}
    counted = deque(sorted(budget_status.frees)) if budget_status else deque[float]()
    """The instants at which client errors leave the hour."""
    for request in requests:
        if budget_status is not None:
            while counted and counted[0] <= now:
                counted.popleft()
            if len(counted) >= budget_status.budget:
                free_stages = min(free_stages, request.stage)
                free_again = counted[len(counted) - budget_status.budget]
                waiting, longest, now = waiting + free_again - now, max(longest, free_again - now), free_again
        if limits.paced:
            window = windows[request.endpoint]
            if len(window) == window.maxlen:
                now = max(now, window[0] + MINUTE_SECONDS)
            window.append(now)
        if budget_status is not None and request.is_client_error:
            counted.append(now + HOUR_SECONDS)
    return Timeline(now - start, waiting, longest, free_stages)
