"""The documented rates are used up and never exceeded, also by several runs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.target.shared.store_base import MARGIN_SECONDS
from tests.suite.support.limits import MINUTE, Limits, Time

DOCUMENTED = {Endpoint.GET_ORDER: 90, Endpoint.SUBMIT_ORDER: 300, Endpoint.DELETE_ORDER: 300}
UNDOCUMENTED = (*(endpoint for endpoint in Endpoint if endpoint not in DOCUMENTED), None)


def most_in_a_minute(instants: list[float]) -> int:
    return max(sum(start <= instant <= start + MINUTE for instant in instants) for start in instants)


@pytest.mark.parametrize("endpoint", [*Endpoint, None], ids=lambda value: getattr(value, "name", str(value)))
def test_a_rate_is_used_up_and_never_exceeded(limits: Limits, time: Time, endpoint: Endpoint | None) -> None:
    """Not by a request that arrives a second later than it was sent, either."""
    rate = DOCUMENTED.get(endpoint, 90) if endpoint else 90
    start, instants = time.now, []
    for number in range(2 * rate + 5):
        limits.answer(endpoint, 200)
        instants.append(time.now - number % 2)
        time.now += 0.003
    assert max(instants[:rate]) < start + MINUTE
    assert most_in_a_minute(instants) == rate


def test_a_used_up_rate_is_waited_for_to_the_second(store: Path, time: Time) -> None:
    start = time.now
    with closing(Limits(store, 400, time, at_most=None)) as limits:
        for _ in range(91):
            limits.answer(Endpoint.GET_ORDER, 200)
    assert time.now - start == pytest.approx(MINUTE + MARGIN_SECONDS, abs=0.02)


def test_endpoints_have_rates_of_their_own(limits: Limits, time: Time) -> None:
    start = time.now
    for endpoint in (*Endpoint, None):
        for _ in range(90):
            limits.answer(endpoint, 200)
    assert time.now == start


def test_two_runs_share_a_rate(limits: Limits, others: Limits, time: Time) -> None:
    instants = []
    for _ in range(60):
        for run in (limits, others):
            run.answer(Endpoint.GET_ORDER, 200)
            instants.append(time.now)
    assert most_in_a_minute(instants) == 90
