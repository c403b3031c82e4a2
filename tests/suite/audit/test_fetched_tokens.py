"""Tokens that nobody needed are found, and those of workers that have one each are none of these."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import BEGAN, HEADERS, TOKEN, Recording

LATER = timedelta(hours=1, minutes=50)


def worker(number: int) -> str:
    return f"{TOKEN}-of-worker-{number}"


def call(recording: Recording, token: str, after: float = 1.0) -> None:
    recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": token}, after=after)


def started(workers: int, calls: int) -> Recording:
    """Workers of one process that have each logged in as they began, and made calls in turn."""
    recording = Recording()
    for number in range(workers):
        recording.log_in(worker(number))
    for _ in range(calls):
        for number in range(workers):
            call(recording, worker(number))
    return recording


@pytest.mark.parametrize("calls", [1, 3, 20])
def test_workers_that_log_in_as_they_begin_and_use_their_tokens_need_them(calls: int) -> None:
    assert started(6, calls).broken() == {}


def test_workers_that_log_in_one_by_one_need_their_tokens() -> None:
    recording = Recording()
    for number in range(5):
        recording.log_in(worker(number))
        call(recording, worker(number))
    for _ in range(8):
        for number in range(5):
            call(recording, worker(number))
    assert recording.broken() == {}


def test_tokens_that_served_few_calls_in_all_their_life_were_not_needed() -> None:
    recording = started(6, 2)
    recording.now += 2 * LATER
    call(recording, worker(5), after=0)
    recording.log_in(worker(6))
    assert recording.broken() == {"CLI-08": [1, 2, 3, 4, 5]}


def test_a_login_for_each_call_of_many_threads_is_found() -> None:
    recording = started(1, 1)
    for number in range(1, 30):
        recording.log_in(worker(number))
        call(recording, worker(number - 1))
    assert set(recording.broken()) == {"CLI-08"}


def test_a_renewal_for_each_call_is_found() -> None:
    recording = Recording()
    recording.log_in(worker(0))
    for number in range(1, 6):
        call(recording, worker(number - 1))
        recording.refresh(f"refresh-of-{worker(number - 1)}", worker(number))
    assert recording.broken() == {"CLI-08": [2, 4, 6, 8, 10]}


@pytest.mark.parametrize(("minutes", "broken"), [(59, False), (50, False), (30, False), (5, False), (1, True)])
def test_a_job_that_a_schedule_starts_needs_a_token_of_its_own(minutes: int, broken: bool) -> None:
    recording = Recording()
    for number in range(6):
        recording.log_in(worker(number))
        call(recording, worker(number))
        recording.now += timedelta(minutes=minutes)
    assert bool(recording.broken()) is broken


@pytest.mark.parametrize("after", [timedelta(minutes=50), LATER])
def test_a_renewal_before_the_end_of_a_token_that_served_few_calls_is_lawful(after: timedelta) -> None:
    recording = Recording()
    recording.log_in(worker(0))
    for number in range(1, 8):
        call(recording, worker(number - 1))
        recording.now += after
        recording.refresh(f"refresh-of-{worker(number - 1)}", worker(number))
    assert recording.broken() == {}


def test_a_login_after_a_renewal_is_beside_the_renewed_token() -> None:
    recording = Recording()
    for day in range(4):
        recording.now = BEGAN + timedelta(days=day)
        recording.log_in(worker(10 * day))
        recording.now += timedelta(minutes=59)
        recording.refresh(f"refresh-of-{worker(10 * day)}", worker(10 * day + 1))
        for _ in range(9):
            call(recording, worker(10 * day + 1), after=0.2)
        recording.log_in(worker(10 * day + 2), after=0.2)
    assert recording.broken() == {}
