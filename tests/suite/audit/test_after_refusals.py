"""What follows a 429 and a 423 where several workers call, each with a recorder of its own or all of them by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from conformance.traffic.exchange import NOT_RECORDED
from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import BEGAN, HEADERS, TOKEN, Recording, verdict


def retried(waits: Mapping[str, tuple[float, ...]], *, file: bool = False) -> Recording:
    """Workers that are told 429 at the same time, and wait each by itself until its order is taken; times are from the start."""
    recording = Recording()
    calls = []
    for number, (worker, times) in enumerate(waits.items()):
        calls += [(0.01 * number, worker, 429), *((time, worker, 429) for time in times[:-1]), (times[-1], worker, 200)]
    for time, worker, status in sorted(calls):
        recording.now = BEGAN + timedelta(seconds=time)
        code = f"701-{worker}"
        body = order(marketplaceCode=code, extracts=[{**one, "marketplaceCode": code} for one in order()["extracts"]])
        recording.submit(body, status=status, after=0, file=f"{worker}.ndjson" if file else "day.har")
    return recording


GROWING = {"one": (1.5, 4.0, 8.6), "two": (1.7, 3.9, 9.1), "three": (2.0, 6.5, 13.0)}


@pytest.mark.parametrize("file", [False, True])
def test_workers_that_each_wait_ever_longer_for_their_own_order_are_patient(file: bool) -> None:
    assert retried(GROWING, file=file).broken() == {}


def test_of_workers_the_one_that_does_not_wait_is_found() -> None:
    recording = retried({**GROWING, "hasty": (0.24, 0.46, 20.0)})
    assert recording.broken() == {"CLI-10": [4, 5]}
    recording = retried({**GROWING, "dull": (3.0, 6.2, 9.4, 12.6)})
    assert set(recording.broken()) == {"CLI-10"}


def test_another_order_that_is_sent_right_after_a_429_is_found() -> None:
    recording = retried({"one": (1.5, 4.0)})
    recording.exchanges.insert(1, replace(Recording().submit(order()), started=BEGAN + timedelta(seconds=0.5)))
    assert set(recording.broken()) == {"CLI-10"}


def test_without_bodies_nobody_knows_which_call_has_waited() -> None:
    recording = retried(GROWING)
    recording.exchanges = [replace(one, request=replace(one.request, body=NOT_RECORDED)) for one in recording.exchanges]
    auditor = recording.audited()
    assert not auditor.findings.found
    assert verdict(auditor, "CLI-10") == "undecided"


@pytest.mark.parametrize("status", [429, 423])
def test_in_whole_seconds_a_call_that_was_under_way_may_seem_to_come_later(status: int) -> None:
    recording = Recording()
    for number in range(3):
        recording.look_up(
            f"marketplaceCode={number}&channelName=C&accountId=1", status=status, after=0.9 * (number > 0)
        )
    rounded = [
        replace(one, started=one.started.replace(microsecond=0), took=timedelta(seconds=1), whole_seconds=True)
        for one in recording.exchanges
        if one.started is not NOT_RECORDED
    ]
    assert Recording(rounded).broken() == {}


@pytest.mark.parametrize("status", [429, 423])
@pytest.mark.parametrize(("after", "broken"), [(0.2, False), (1.5, True)])
def test_a_recorder_that_does_not_time_calls_does_not_say_what_was_under_way(
    status: int, after: float, broken: bool
) -> None:
    recording = Recording()
    recording.submit(order(), status=status, took=timedelta(0), answered={"retry-after": "30"})
    recording.submit(order(), status=status, took=timedelta(0), after=after, answered={"retry-after": "30"})
    assert bool(recording.broken()) is broken


def blocked(apart: float, file: str) -> Recording:
    recording = Recording()
    recording.submit(order(), status=423)
    recording.submit(order(), status=423, after=apart, file=file)
    return recording


@pytest.mark.parametrize(
    ("apart", "file", "broken"),
    [(2.0, "day.har", True), (2.0, "other.har", False), (290.0, "other.har", False), (400.0, "other.har", True)],
)
def test_a_worker_that_goes_on_after_a_423_is_found_as_far_as_clocks_tell(
    apart: float, file: str, broken: bool
) -> None:
    assert blocked(apart, file).broken() == ({"CLI-11": [1]} if broken else {})


def test_each_worker_that_goes_on_after_its_own_423_is_found() -> None:
    recording = blocked(2.0, "other.har")
    recording.submit(order(), status=423, after=20, file="other.har")
    assert recording.broken() == {"CLI-11": [2]}


@pytest.mark.parametrize(("integrator", "broken"), [("***", False), ("redacted", False), (HEADERS["integrator"], True)])
def test_whose_calls_are_too_many_is_not_known_where_the_integrator_is_blotted_out(
    integrator: str, broken: bool
) -> None:
    recording = Recording()
    for number in range(91):
        headers = {"gumgatoken": f"{TOKEN}-{number % 2}", "integrator": integrator}
        recording.look_up(answer=order(), after=0.5, headers=headers)
    auditor = recording.audited()
    assert ("CLI-09" in recording.broken()) is broken
    assert verdict(auditor, "CLI-09") == ("broken" if broken else "undecided")


def test_tokens_that_were_blotted_out_in_headers_only_were_used_for_nobody_knows_how_many_calls() -> None:
    recording = Recording()
    for number in range(6):
        recording.log_in(f"token-that-the-answer-shows-{number}")
        recording.look_up(
            answer=order(), headers={**HEADERS, "gumgatoken": f"9f86d081884c7d659a2feaa0c55ad015{number}"}
        )
    assert recording.broken() == {}


@pytest.mark.parametrize("others", [0, 1])
def test_a_login_after_a_423_is_found_where_there_is_one_integrator(others: int) -> None:
    """It takes the block for a token that has died. Of logins nobody knows whose they are but by the calls beside them."""
    recording = Recording()
    recording.log_in()
    recording.look_up(answer=order())
    recording.look_up(status=423)
    recording.log_in(status=423, answer=None, after=60)
    recording.log_in(status=423, answer=None, after=3600)
    for _ in range(others):
        headers = {"gumgatoken": f"{TOKEN}-2", "integrator": "0b5c0a2e-8a52-4a2a-9a36-0c1d1d1d1d1d"}
        recording.look_up(answer=order(), headers=headers)
    assert recording.broken() == ({} if others else {"CLI-11": [3]})
    assert others == 0 or verdict(recording.audited(), "CLI-11") == "undecided"


@pytest.mark.parametrize("status", [502, 503, None, 429])
def test_what_a_gateway_answers_does_not_show_that_a_block_is_over(status: int | None) -> None:
    recording = Recording()
    recording.look_up(status=423)
    recording.submit(order(), status=status, after=60)
    recording.submit(order(), status=423, after=60)
    assert recording.broken() == {"CLI-11": [2]}


AT_THE_SERVER = timedelta(microseconds=300)


@pytest.mark.parametrize("asked", [{"retry-after": "2"}, {}])
def test_calls_at_once_that_a_recorder_at_the_server_holds_one_after_the_other_are_no_retries(
    asked: Mapping[str, str],
) -> None:
    """Eight were on their way when the first one was answered; each that got a 429 waits."""
    recording = Recording()
    for number in range(8):
        status = 429 if number < 5 else 200
        recording.submit(order(f"A-{number}"), status=status, answered=asked, after=0.0007, took=AT_THE_SERVER)
    for number in range(5):
        recording.submit(order(f"A-{number}"), after=2.1 if number == 0 else 0.0007, took=AT_THE_SERVER)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-10") == "undecided"


def test_a_retry_that_another_recorder_holds_earlier_ends_no_wait() -> None:
    """By a clock that is 1.2 s behind; the wait is drawn at random."""
    recording = Recording()
    for file, apart in (("a.har", 0.0), ("b.har", 1.2)):
        for status, at in ((429, 0.0), (200, 1.29)):
            recording.now = BEGAN + timedelta(seconds=apart + at)
            took = timedelta(seconds=0.9 if status == 429 else 0.1)
            recording.submit(order(), status=status, after=0, took=took, file=file)
    recording.exchanges.sort(key=lambda one: str(one.started))
    assert recording.broken() == {}


def test_queries_without_their_parameters_may_each_have_waited_with_their_own() -> None:
    recording = Recording()
    for status in (429, 200):
        recording.look_up("", status=status, answer=order(), after=0.6)
    assert verdict(recording.audited(), "CLI-10") == "undecided"


def test_requests_that_the_recording_does_not_tell_apart_are_none_that_are_sent_again() -> None:
    """By workers with a token each; of their queries only the path was recorded."""
    recording = Recording()
    for number, status in enumerate((429, 200)):
        headers = {**HEADERS, "gumgatoken": f"{TOKEN}-{number}"}
        recording.look_up("", status=status, answered={"retry-after": "30"}, answer=order(), headers=headers)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-10") == "undecided"


WORKERS = {"A": (0.0, 15, 429), "B": (0.016, 15, 429), "C": (0.017, 14, 200), "D": (0.04, 6, 200), "E": (0.3, 6, 200)}
"""As a proxy holds what three workers sent at once: when, for how many milliseconds, how it was answered."""


@pytest.mark.parametrize("asked", [{"retry-after": "2"}, {}])
@pytest.mark.parametrize("goes_on", [False, True])
def test_workers_that_were_on_their_way_do_not_know_that_another_was_told_to_wait(
    asked: dict[str, str], goes_on: bool
) -> None:
    recording = Recording()
    for code, (at, took, status) in {**WORKERS, "F": (0.9, 6, 200)}.items():
        recording.now = BEGAN + timedelta(seconds=at)
        told = 429 if goes_on else status
        recording.submit(order(code), status=told, answered=asked, after=0, took=timedelta(milliseconds=took))
    assert recording.broken() == ({"CLI-10": [5]} if goes_on else {})


def test_the_first_of_calls_at_once_may_take_a_server_longer_than_the_others() -> None:
    recording = Recording()
    for number in range(3):
        took = timedelta(milliseconds=6.4) if number == 0 else AT_THE_SERVER
        status = 429 if number < 2 else 200
        answered = {"retry-after": "2"}
        recording.submit(
            order(f"A-{number}"), status=status, answered=answered, after=0.0069 / (number or 1), took=took
        )
    assert recording.broken() == {}


@pytest.mark.parametrize(
    ("took", "broken"), [(AT_THE_SERVER, list(range(501, 600))), (timedelta(milliseconds=50), [1])]
)
def test_a_queue_that_goes_on_after_a_429_is_found_at_the_server_too(took: timedelta, broken: list[int]) -> None:
    recording = Recording()
    for number in range(600 if took == AT_THE_SERVER else 2):
        after = 0.001 if took == AT_THE_SERVER else 0.06
        recording.submit(order(f"A-{number}"), status=429, answered={"retry-after": "30"}, after=after, took=took)
    assert recording.broken()["CLI-10"] == broken
