"""Rules of clients about when they call: tokens, rates, blocks, what was refused or lost before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from conformance.contract.jsontext import dumps
from tests.suite.support.bodies import DAY, creation, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, HEADERS, QUERY, TOKEN, UNTIMED, Recording, sent, verdict


def test_a_login_for_each_call_is_found() -> None:
    recording = Recording()
    for number in range(6):
        token = f"{TOKEN}-{number}"
        recording.log_in(token)
        recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": token})
    assert recording.broken() == {"CLI-08": [2, 4, 6, 8, 10]}


def test_a_login_after_a_restart_is_none() -> None:
    recording = Recording()
    for number in range(3):
        token = f"{TOKEN}-{number}"
        recording.log_in(token)
        recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": token})
    assert recording.broken() == {}


def jobs(pauses: tuple[float, ...], times: int, calls: int = 2) -> Recording:
    """Processes that are started so long after the one before, each with a login of its own."""
    recording = Recording()
    for number in range(times):
        token = f"{TOKEN}-{number}"
        recording.log_in(token, after=pauses[number % len(pauses)])
        for _ in range(calls):
            recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": token})
    return recording


@pytest.mark.parametrize(("minutes", "times"), [((15.0,), 96), ((5.0,), 40), ((1.0, 14.0), 60), ((0.5, 0.5, 29.0), 30)])
def test_a_login_for_each_job_that_a_schedule_starts_is_none(minutes: tuple[float, ...], times: int) -> None:
    assert jobs(tuple(60 * pause for pause in minutes), times).broken() == {}


@pytest.mark.parametrize(("steps", "calls", "broken"), [(4, 2, False), (9, 2, True), (4, 1, True), (3, 1, False)])
def test_a_login_for_each_step_of_a_job_is_one_for_each_process_unless_they_are_many(
    steps: int, calls: int, broken: bool
) -> None:
    """Schedulers that run a container for each step have no place where they all find a token."""
    pauses = (85_000.0, *(20.0 for _ in range(steps - 1)))
    assert set(jobs(pauses, 3 * steps, calls).broken()) == ({"CLI-08"} if broken else set())


def test_logins_of_which_the_recorder_blotted_out_the_tokens_say_nothing() -> None:
    recording = Recording()
    for _ in range(6):
        recording.log_in("<redacted:accessToken>")
        recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": "<redacted:accessToken>"})
    assert recording.broken() == {}


@pytest.mark.parametrize("after", [3700.0, 7300.0, 40_000.0])
def test_a_token_that_is_renewed_when_a_403_says_that_its_life_is_over_is_lawful(after: float) -> None:
    recording = Recording()
    recording.log_in()
    recording.look_up(answer=order())
    recording.look_up(status=403, answer={"response": "NO_TOKEN"}, after=after)
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning")
    recording.look_up(answer=order(), headers={**HEADERS, "gumgatoken": "second-token-of-this-morning"})
    assert recording.broken() == {}
    recording.look_up(status=403, answer={"response": "NO_TOKEN"})
    assert recording.broken() == {"CLI-08": [5]}


def test_a_token_that_lives_longer_may_be_used_longer() -> None:
    recording = Recording()
    recording.log_in()
    recording.look_up(answer=order(), after=7100)
    recording.look_up(answer=order(), after=3600)
    assert recording.broken() == {}


def test_workers_that_were_on_their_way_when_a_token_died_are_no_fault_in_whole_seconds() -> None:
    recording = Recording()
    for after in (1.0, 0.0):
        recording.look_up(status=403, answer={"response": "NO_TOKEN"}, after=after, took=timedelta(seconds=0.2))
    recording.exchanges[:] = [replace(one, whole_seconds=True) for one in recording.exchanges]
    assert recording.broken() == {}


def test_a_refused_token_that_is_sent_again_is_found() -> None:
    recording = Recording()
    recording.look_up(status=403, answer={"response": "NO_TOKEN"})
    assert recording.broken() == {}
    recording.look_up(status=403, answer={"response": "NO_TOKEN"})
    assert recording.broken() == {"CLI-08": [1]}


DEAD: dict[str, Any] = {"status": 403, "answer": {"response": "NO_TOKEN"}, "took": timedelta(milliseconds=50)}
OTHER = QUERY.replace("701-", "702-")


def test_a_worker_that_has_a_token_still_right_after_it_was_refused_is_no_fault() -> None:
    """It was sent 5 ms after the answer to another worker, who renews it meanwhile."""
    recording = Recording()
    recording.log_in()
    recording.look_up(answer=order())
    recording.look_up(after=7300.0, **DEAD)
    recording.look_up(OTHER, after=0.055, **DEAD)
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning", after=0.01)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-08") == "undecided"
    recording.look_up(after=0.6, **DEAD)
    assert recording.broken() == {"CLI-08": [5]}


def test_a_worker_that_sends_beside_another_one_may_not_know_yet_that_its_token_was_refused() -> None:
    recording = Recording()
    recording.look_up(**DEAD)
    recording.submit(order(), after=0.03, took=timedelta(seconds=1), headers={**HEADERS, "gumgatoken": f"{TOKEN}-2"})
    recording.look_up(OTHER, after=0.1, **DEAD)
    assert recording.broken() == {}


@pytest.mark.parametrize("is_burst", [True, False])
def test_calls_that_a_recorder_at_the_server_holds_one_after_the_other_may_have_been_on_their_way_at_once(
    is_burst: bool,
) -> None:
    """Twelve orders are sent at once, each is refused, one renewal is made, and each is sent again; whoever works through a list
    of orders goes on in it."""
    recording = Recording()
    short = {**DEAD, "took": timedelta(microseconds=300)}
    recording.look_up(**short)
    for number in range(11):
        recording.submit(order(f"ORDER-{number}"), after=0.015 if number == 0 else 0.0007, **short)
    recording.log_in(f"{TOKEN}-2", after=0.03)
    for number in range(11) if is_burst else range(11, 15):
        recording.submit(order(f"ORDER-{number}"), after=0.01, headers={**HEADERS, "gumgatoken": f"{TOKEN}-2"})
    assert recording.broken() == ({} if is_burst else {"CLI-08": list(range(1, 12))})
    assert recording.without(**UNTIMED).broken() == ({} if is_burst else {"CLI-08": list(range(1, 12))})


@pytest.mark.parametrize("times", [1, 5])
def test_one_who_sends_one_call_after_the_other_knows_that_a_token_was_refused(times: int) -> None:
    recording = Recording()
    recording.look_up(**DEAD)
    for _ in range(times):
        recording.look_up(OTHER, after=0.06, **DEAD)
    recording.log_in(f"{TOKEN}-2")
    assert recording.broken() == {"CLI-08": list(range(1, 1 + times))}


def test_a_refresh_token_that_is_used_twice_is_found() -> None:
    recording = Recording()
    recording.log_in()
    recording.refresh(f"refresh-of-{TOKEN}", "second-token-of-this-morning")
    recording.refresh(f"refresh-of-{TOKEN}", status=401, answer=ERROR_400)
    assert recording.broken() == {"AUTH-07": [2]}


@pytest.mark.parametrize(("calls", "apart", "broken"), [(91, 0.6, True), (90, 0.1, False), (300, 60 / 90, False)])
def test_more_calls_in_a_minute_than_are_documented_are_found(calls: int, apart: float, broken: bool) -> None:
    recording = Recording()
    for _ in range(calls):
        recording.look_up(answer=order(), after=apart, took=timedelta(milliseconds=20))
    assert recording.broken() == ({"CLI-09": [90]} if broken else {})


def test_rates_and_blocks_are_each_integrators_own() -> None:
    other = {**HEADERS, "integrator": "00000000-8c55-4a7e-9d7e-2f1f0a4c9a11"}
    recording = Recording()
    for number in range(120):
        recording.look_up(answer=order(), after=0.1, took=timedelta(0), headers=other if number % 2 else HEADERS)
    recording.look_up(status=423)
    recording.look_up(answer=order(), headers=other)
    recording.look_up(status=423, host="https://sandbox.koncili.example")
    assert recording.broken() == {}


@pytest.mark.parametrize(("after", "broken"), [(29.5, False), (10.0, True)])
def test_retry_after_is_to_be_honoured(after: float, broken: bool) -> None:
    recording = Recording()
    recording.look_up(status=429, answered={"retry-after": "30"})
    recording.submit(order())  # another endpoint, another rate
    recording.look_up(answer=order(), after=after - 1)
    assert recording.broken() == ({"CLI-10": [2]} if broken else {})


@pytest.mark.parametrize(
    ("asked", "after", "broken"), [(1, 0.25, True), (1, 0.8, False), (2, 0.9, True), (2, 1.3, False)]
)
def test_a_short_wait_that_is_asked_for_is_to_be_kept_too(asked: int, after: float, broken: bool) -> None:
    """The mock asks for a second."""
    recording = Recording()
    recording.look_up(status=429, answered={"retry-after": str(asked)})
    recording.look_up(status=429, after=0.2 + after)
    assert recording.broken() == ({"CLI-10": [1]} if broken else {})


@pytest.mark.parametrize(
    ("waits", "broken"),
    [
        ((2.0, 4.0, 8.0, 16.0), []),
        ((0.01,), [1]),
        ((0.3, 0.3, 0.3, 0.3), [3, 4]),
        ((5.0, 5.0, 5.0), [3]),
        ((4.0, 5.0, 4.4, 5.2, 4.7), [5]),
        ((3.0, 2.0, 5.0), []),
        ((1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0), []),
        ((1.0, 2.0, 2.0, 2.0), [4]),
        ((60.0, 60.0, 60.0, 60.0), []),
        ((1.8, 1.4, 1.9), []),
    ],
)
def test_waits_that_nobody_asks_for_grow(waits: tuple[float, ...], broken: list[int]) -> None:
    recording = Recording()
    recording.look_up(status=429)
    for wait in waits:
        recording.look_up(status=429, after=wait + 0.2)
    assert recording.broken() == ({"CLI-10": broken} if broken else {})


@pytest.mark.parametrize(
    ("waits", "judged"),
    [
        ((0.3,), "undecided"),
        ((0.3, 0.6, 1.2), "undecided"),
        ((0.93, 2.1), "undecided"),
        ((0.02, 1.7, 0.9), "undecided"),
        ((0.02, 0.04, 9.0), "broken"),
        ((0.02, 0.6), "broken"),
        ((1.1, 2.2), "kept"),
    ],
)
def test_a_short_wait_may_be_drawn_at_random_or_the_first_of_longer_ones(waits: tuple[float, ...], judged: str) -> None:
    """As undici (from half a second), ky (from 0.3 s), Symfony (a second, a tenth less) and tenacity (full jitter) wait."""
    recording = Recording()
    recording.look_up(status=429)
    for number, wait in enumerate(waits, start=1):
        recording.look_up(status=200 if number == len(waits) else 429, answer=order(), after=wait + 0.2)
    assert verdict(recording.audited(), "CLI-10") == judged


def test_calls_that_were_under_way_when_a_429_or_423_came_are_no_retries() -> None:
    for status in (429, 423):
        recording = Recording()
        recording.look_up(status=status, took=timedelta(seconds=2))
        recording.look_up(status=status, after=0.5)
        assert recording.broken() == {}


@pytest.mark.parametrize(("after", "status", "broken"), [(60, 423, True), (3601, 423, False), (60, 200, False)])
def test_nothing_is_sent_during_a_block(after: float, status: int, broken: bool) -> None:
    recording = Recording()
    recording.look_up(status=423)
    recording.submit(order(), status=status, after=after)
    assert recording.broken() == ({"CLI-11": [1]} if broken else {})


def test_calls_about_one_thing_at_once_are_found() -> None:
    recording = Recording()
    recording.submit(order(), took=timedelta(seconds=1))
    recording.submit(order(), after=0.5)
    assert recording.broken() == {"CLI-17": [0, 1]}


def test_calls_about_several_things_at_once_or_one_right_after_the_other_are_none() -> None:
    recording = Recording()
    recording.submit(order(), took=timedelta(seconds=1))
    recording.submit(order("ANOTHER-1"), after=0.5)
    recording.look_up(answer=order(), after=0.1)
    recording.submit(order(), after=0.399)
    recording.submit(order("ANOTHER-1"), after=0.001, file="other.har")
    assert recording.broken() == {}


def test_what_was_refused_is_not_to_be_sent_again_unchanged() -> None:
    recording = Recording()
    recording.submit(order(), status=400, answer=ERROR_400)
    recording.submit(order(), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-12": [0, 1]}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('"a": 1.50, "b": [1, 2]', '"b":[1,2],"a":1.5', True),
        ('"a": 1.5', '"a": 15E-1', True),
        ('"a": 1.5', '"a": "1.5"', False),
        ('"a": 3.0', '"a": 3', False),
        ('"a": 1E9999999', '"a": 1E9999999', True),
        (f'"a": 0.{"1" * 40}1', f'"a": 0.{"1" * 40}2', False),
        ('"a": [1, 2]', '"a": [2, 1]', False),
        ('"a": null', '"b": null', False),
    ],
)
def test_what_was_refused_is_unchanged_in_whatever_spelling(first: str, second: str, same: bool) -> None:
    recording = Recording()
    whole = dumps(order()).removesuffix("}")
    for more in (first, second):
        recording.submit(f"{whole}, {more}}}".encode(), status=400, answer=ERROR_400)
    assert recording.broken() == ({"CLI-12": [0, 1]} if same else {})


def test_what_was_refused_may_be_sent_changed_or_after_something_has_changed() -> None:
    recording = Recording()
    recording.submit(order(), status=400, answer=ERROR_400)
    recording.submit(order(totalGrossValue=Decimal("203.62")), status=400, answer=ERROR_400)
    recording.submit(order("ANOTHER-1"))
    recording.submit(order(), status=400, answer=ERROR_400)
    assert recording.broken() == {}


@pytest.mark.parametrize("times", [2, 5])
def test_a_queue_that_sends_what_was_refused_again_among_others_that_are_taken_is_found(times: int) -> None:
    """Once it may have been tried whether something has changed by the others; they change nothing of it."""
    recording = Recording()
    for number in range(times):
        recording.submit(order(), status=400, answer=ERROR_400, after=60)
        recording.submit(order(f"ANOTHER-{number}"))
    assert recording.broken() == ({"CLI-12": [2 * again for again in range(1, times)]} if times > 2 else {})


@pytest.mark.parametrize(("times", "broken"), [(2, False), (4, True)])
def test_an_order_that_is_refused_each_day_is_not_changed_by_what_is_reconciled_meanwhile(
    times: int, broken: bool
) -> None:
    recording = Recording()
    for number in range(times):
        recording.submit(order("BAD-1"), status=400, answer=ERROR_400, after=86_000)
        recording.submit(order(f"DAY-{number}"))
        recording.notify({**DONE, "reconciliationId": 237 + number})
    assert set(recording.broken()) == ({"CLI-12"} if broken else set())


def test_a_release_that_was_refused_is_not_changed_by_orders_of_others() -> None:
    recording = sent()
    for number in range(3):
        recording.release(release(), status=400, answer=ERROR_400)
        recording.submit(order(f"ANOTHER-{number}"))
    assert recording.broken() == {"CLI-12": [5, 7]}


@pytest.mark.parametrize("what", ["its order", "a reconciliation", "a notification"])
def test_what_was_refused_may_be_tried_after_each_change_of_what_it_is_about(what: str) -> None:
    recording = sent()
    for _ in range(4):
        recording.release(release(), status=400, answer=ERROR_400)
        if what == "its order":
            recording.submit(order())
            recording.look_up(answer=order())
        elif what == "a reconciliation":
            recording.release(release(code="ANOTHER-1"), status=503)
        else:
            recording.notify({**DONE, "reconciliationId": 236})
    assert "CLI-12" not in recording.broken()


def test_a_release_whose_answer_was_lost_is_not_to_be_sent_again_blindly() -> None:
    recording = sent()
    recording.release(release(), status=None)
    recording.release(release())
    assert recording.broken() == {"CLI-13": [3, 4]}


@pytest.mark.parametrize(
    ("number", "broken"), [(237, True), (238, False)], ids=["the same reconciliation", "another one"]
)
def test_a_release_with_another_date_is_the_same_change(number: int, broken: bool) -> None:
    """Integrations write the time of each try into createdDate."""
    recording = sent()
    recording.release(release(), status=None)
    recording.release(release(createdDate="2024-02-14T12:59:59Z", reconciliationId=number))
    assert recording.broken().get("CLI-13") == ([3, 4] if broken else None)


@pytest.mark.parametrize(("begin", "broken"), [("12:00:01", True), ("13:00:00", False)])
def test_a_creation_of_a_period_that_overlaps_is_the_same_change(begin: str, broken: bool) -> None:
    """Its period ends, or begins, when it is sent."""
    recording = Recording()
    recording.open(creation(), status=None, answer=None)
    recording.open(creation(periodInitDate=f"{DAY}12:00:00.500Z"), status=None, answer=None)
    recording.open(creation(periodInitDate=f"{DAY}{begin}Z", periodEndDate=f"{DAY}13:30:00Z"))
    assert recording.broken().get("CLI-13") == ([0, 1, 2] if broken else None)


@pytest.mark.parametrize(("queries", "broken"), [("day.har", True), ("queries.har", False)])
def test_a_look_may_be_in_another_recording_by_another_clock(queries: str, broken: bool) -> None:
    recording = Recording()
    recording.look_up(answer=order(), file=queries)
    recording.delete(status=None)
    recording.delete(after=20)
    assert recording.broken() == ({"CLI-13": [1, 2]} if broken else {})


def test_a_release_whose_answer_was_lost_may_be_sent_again_after_a_look() -> None:
    recording = sent()
    recording.release(release(), status=None)
    recording.look_up(answer=order())
    recording.release(release())
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    assert verdict(auditor, "CLI-13") == "kept"


def test_a_creation_or_an_order_whose_answer_was_lost_may_be_sent_again() -> None:
    recording = Recording()
    recording.submit(order(), status=None)
    recording.submit(order())
    recording.open(creation(), status=None)
    recording.open(creation())
    assert recording.broken() == {}
