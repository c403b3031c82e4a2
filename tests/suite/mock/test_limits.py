"""The mock's limits: exactly at the documented thresholds, on its clock, and only where they are switched on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from conformance.contract import limits as documented
from conformance.contract.endpoints import Endpoint
from conformance.mock.clock import VirtualClock
from conformance.mock.limits import BLOCKED_TEMPORARY, Limits
from conformance.mock.quirks import Answer
from conformance.target.shared import budget

RATES = {Endpoint.GET_ORDER: 90, Endpoint.SUBMIT_ORDER: 300, Endpoint.DELETE_ORDER: 300}
UNSTATED = [endpoint for endpoint in (*Endpoint, None) if endpoint not in RATES]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def limits(clock: VirtualClock) -> Limits:
    limits = Limits(clock)
    limits.enforce(on=True)
    return limits


def passes(limits: Limits, endpoint: Endpoint | None, calls: int) -> int:
    """How many of these calls pass, at once."""
    return sum(limits.before(endpoint) is None for _ in range(calls))


def fail(limits: Limits, errors: int, status: int = 400) -> list[str]:
    """What so many failing answers, given at once, lead to."""
    return [outcome for _ in range(errors) if (outcome := limits.after(status)) is not None]


def status(limits: Limits, endpoint: Endpoint | None = None) -> int | None:
    answer = limits.before(endpoint)
    return answer.status if answer else None


def body_of(answer: Answer | None) -> Mapping[str, Any]:
    assert answer is not None
    assert isinstance(answer.body, dict)
    return answer.body


def test_the_documented_numbers() -> None:
    assert documented.PER_MINUTE == RATES
    assert budget.PER_MINUTE is documented.PER_MINUTE  # type: ignore[attr-defined]
    assert (documented.ERRORS_AN_HOUR, documented.BLOCK_SECONDS, documented.CALLS_WHILE_BLOCKED) == (500, 3600, 1000)


def test_nothing_is_limited_until_it_is_switched_on(clock: VirtualClock) -> None:
    limits = Limits(clock)
    assert not limits.enforced
    assert fail(limits, 600) == []
    assert passes(limits, Endpoint.GET_ORDER, 1200) == 1200
    assert not limits.just_blocked_for_good()
    limits.enforce(on=True)
    assert limits.enforced
    assert fail(limits, 499) == []
    assert passes(limits, Endpoint.GET_ORDER, 91) == 90


@pytest.mark.parametrize("on", [True, False])
def test_switching_forgets_every_count_and_block(limits: Limits, on: bool) -> None:
    passes(limits, Endpoint.GET_ORDER, 90)
    fail(limits, 499)
    limits.enforce(on=on)
    limits.enforce(on=True)
    assert passes(limits, Endpoint.GET_ORDER, 91) == 90
    assert fail(limits, 500) == [BLOCKED_TEMPORARY]
    passes(limits, None, 1000)
    limits.enforce(on=on)
    assert not limits.just_blocked_for_good()
    assert status(limits) is None
    limits.enforce(on=True)
    assert status(limits) is None
    assert fail(limits, 499) == []


# -- rates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("endpoint", "rate"), RATES.items(), ids=lambda value: getattr(value, "name", str(value)))
def test_a_documented_rate_passes_and_one_more_is_refused(limits: Limits, endpoint: Endpoint, rate: int) -> None:
    assert passes(limits, endpoint, rate) == rate
    answer = limits.before(endpoint)
    assert answer is not None
    assert answer.status == 429
    assert answer.headers == {"Retry-After": "60"}
    assert body_of(answer) == {
        "errorMessage": f"More than {rate} calls a minute of {endpoint.label}; try again in 60 s",
        "errorCode": "429-0",
        "errorSource": None,
    }


@pytest.mark.parametrize("endpoint", UNSTATED, ids=str)
def test_what_has_no_documented_rate_has_none(limits: Limits, endpoint: Endpoint | None) -> None:
    assert passes(limits, endpoint, 1000) == 1000


def test_endpoints_have_rates_of_their_own(limits: Limits) -> None:
    for endpoint, rate in RATES.items():
        assert passes(limits, endpoint, rate + 10) == rate


def test_the_window_is_sixty_seconds(limits: Limits, clock: VirtualClock) -> None:
    passes(limits, Endpoint.GET_ORDER, 90)
    clock.advance(59.999)
    assert status(limits, Endpoint.GET_ORDER) == 429
    clock.advance(0.001)
    assert passes(limits, Endpoint.GET_ORDER, 91) == 90


def test_the_window_rolls(limits: Limits, clock: VirtualClock) -> None:
    """No minute holds more than the rate, wherever it begins."""
    passes(limits, Endpoint.GET_ORDER, 45)
    clock.advance(30)
    assert passes(limits, Endpoint.GET_ORDER, 46) == 45
    clock.advance(30)
    assert passes(limits, Endpoint.GET_ORDER, 46) == 45
    clock.advance(30)
    assert passes(limits, Endpoint.GET_ORDER, 46) == 45


def test_refused_calls_do_not_count_towards_the_rate(limits: Limits, clock: VirtualClock) -> None:
    passes(limits, Endpoint.GET_ORDER, 90)
    clock.advance(59)
    assert passes(limits, Endpoint.GET_ORDER, 90) == 0
    clock.advance(1)
    assert passes(limits, Endpoint.GET_ORDER, 90) == 90


@pytest.mark.parametrize(("later", "seconds"), [(0, 60), (0.5, 60), (1, 59), (58.7, 2), (59, 1), (59.9, 1)])
def test_waiting_as_long_as_told_is_enough(limits: Limits, clock: VirtualClock, later: float, seconds: int) -> None:
    passes(limits, Endpoint.SUBMIT_ORDER, 300)
    clock.advance(later)
    answer = limits.before(Endpoint.SUBMIT_ORDER)
    assert answer is not None
    assert answer.headers["Retry-After"] == str(seconds)
    clock.advance(seconds)
    assert status(limits, Endpoint.SUBMIT_ORDER) is None


# -- client errors -------------------------------------------------------------------------------------------------


def test_the_five_hundredth_error_blocks(limits: Limits) -> None:
    assert fail(limits, 499) == []
    assert status(limits) is None
    assert limits.after(404) == BLOCKED_TEMPORARY
    for endpoint in (*Endpoint, None):
        answer = limits.before(endpoint)
        assert answer is not None
        assert (answer.status, dict(answer.headers)) == (423, {})
        assert body_of(answer) == {
            "errorMessage": "The integrator is blocked until 2026-06-01T13:00:00+00:00 for too many client errors",
            "errorCode": "423-0",
            "errorSource": None,
        }


@pytest.mark.parametrize("failure", [400, 401, 403, 404, 405, 429, 499])
def test_a_client_error_counts(limits: Limits, failure: int) -> None:
    fail(limits, 499)
    assert limits.after(failure) == BLOCKED_TEMPORARY


@pytest.mark.parametrize("other", [100, 200, 201, 302, 399, 423, 500, 502])
def test_any_other_answer_does_not(limits: Limits, other: int) -> None:
    fail(limits, 499)
    assert limits.after(other) is None
    assert status(limits) is None


def test_errors_of_a_whole_hour_apart_do_not_block(limits: Limits, clock: VirtualClock) -> None:
    limits.after(400)
    clock.advance(3600)
    assert fail(limits, 499) == []
    assert limits.after(400) == BLOCKED_TEMPORARY


def test_errors_within_an_hour_block(limits: Limits, clock: VirtualClock) -> None:
    limits.after(400)
    clock.advance(3599)
    assert fail(limits, 499) == [BLOCKED_TEMPORARY]


def test_the_hour_rolls(limits: Limits, clock: VirtualClock) -> None:
    """249 in every half hour are never 500 within an hour."""
    for _ in range(6):
        assert fail(limits, 249) == []
        clock.advance(1800)
    assert fail(limits, 251) == [BLOCKED_TEMPORARY]


def test_a_block_lasts_an_hour(limits: Limits, clock: VirtualClock) -> None:
    fail(limits, 500)
    clock.advance(3599)
    assert status(limits) == 423
    clock.advance(1)
    assert status(limits) is None


def test_the_count_starts_anew_after_a_block(limits: Limits, clock: VirtualClock) -> None:
    clock.advance(3000)
    fail(limits, 500)
    assert fail(limits, 5) == []  # answers to what was let pass before
    clock.advance(3600)
    assert fail(limits, 499) == []
    assert status(limits) is None
    assert limits.after(400) == BLOCKED_TEMPORARY
    assert status(limits) == 423


def test_the_count_starts_anew_after_a_shorter_block_too(clock: VirtualClock) -> None:
    limits = Limits(clock, block_seconds=60)
    limits.enforce(on=True)
    fail(limits, 500)
    clock.advance(60)
    assert fail(limits, 499) == []
    assert limits.after(400) == BLOCKED_TEMPORARY


def test_calls_refused_by_a_block_do_not_count_towards_a_rate(clock: VirtualClock) -> None:
    limits = Limits(clock, block_seconds=1)
    limits.enforce(on=True)
    fail(limits, 500)
    passes(limits, Endpoint.GET_ORDER, 90)
    clock.advance(1)
    assert passes(limits, Endpoint.GET_ORDER, 91) == 90


# -- blocked for good ----------------------------------------------------------------------------------------------


def test_the_thousandth_call_of_a_block_makes_it_one_for_good(limits: Limits, clock: VirtualClock) -> None:
    fail(limits, 500)
    assert passes(limits, Endpoint.SUBMIT_ORDER, 999) == 0
    assert not limits.just_blocked_for_good()
    answer = limits.before(None)
    assert body_of(answer) == {
        "errorMessage": "The integrator is blocked for good; only Koncili's support lifts the block",
        "errorCode": "423-0",
        "errorSource": None,
    }
    assert limits.just_blocked_for_good()
    assert not limits.just_blocked_for_good()
    clock.advance(10 * 365 * 24 * 3600)
    assert status(limits) == 423
    assert not limits.just_blocked_for_good()
    assert fail(limits, 500) == []


def test_a_call_less_does_not(limits: Limits, clock: VirtualClock) -> None:
    fail(limits, 500)
    passes(limits, None, 999)
    clock.advance(3600)
    assert status(limits) is None
    assert not limits.just_blocked_for_good()


def test_calls_of_an_earlier_block_do_not_count(limits: Limits, clock: VirtualClock) -> None:
    fail(limits, 500)
    passes(limits, None, 999)
    clock.advance(3600)
    fail(limits, 500)
    passes(limits, None, 999)
    assert not limits.just_blocked_for_good()
    assert status(limits) == 423
    assert limits.just_blocked_for_good()


# -- other thresholds ----------------------------------------------------------------------------------------------


def test_a_mock_may_be_off_by_one(clock: VirtualClock) -> None:
    rates = {endpoint: rate + 1 for endpoint, rate in RATES.items()}
    limits = Limits(clock, rates=rates, errors_an_hour=501, block_seconds=3599, calls_while_blocked=1001)
    limits.enforce(on=True)
    assert passes(limits, Endpoint.SUBMIT_ORDER, 302) == 301
    assert fail(limits, 500) == []
    assert limits.after(400) == BLOCKED_TEMPORARY
    passes(limits, None, 1000)
    assert not limits.just_blocked_for_good()
    clock.advance(3599)
    assert status(limits) is None
    fail(limits, 501)
    passes(limits, None, 1001)
    assert limits.just_blocked_for_good()


def test_a_mock_may_have_no_rates(clock: VirtualClock) -> None:
    limits = Limits(clock, rates={})
    limits.enforce(on=True)
    assert passes(limits, Endpoint.SUBMIT_ORDER, 1000) == 1000


def test_a_limit_that_lets_nothing_pass_is_none(clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Limits(clock, rates={Endpoint.GET_ORDER: 0})
    with pytest.raises(ValueError, match="at least one"):
        Limits(clock, errors_an_hour=0)
