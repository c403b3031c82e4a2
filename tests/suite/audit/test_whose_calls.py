"""Two integrators in one recording of which the recorder left out the header: rates and waits are each one's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from conformance.traffic.exchange import NOT_RECORDED, Missing
from tests.suite.support.bodies import order
from tests.suite.support.recorded_calls import HEADERS, TOKEN, Recording, verdict

SENT = {"host": "koncili.example"}
OTHERS = "the-access-token-of-the-other-integrator"
LEFT_OUT: Mapping[str, tuple[Mapping[str, str] | Missing, Mapping[str, str] | Missing]] = {
    "integrator": ({**SENT, "gumgatoken": TOKEN}, {**SENT, "gumgatoken": OTHERS}),
    "blank": (
        {**SENT, "gumgatoken": TOKEN, "integrator": ""},
        {**SENT, "gumgatoken": OTHERS, "integrator": ""},
    ),
    "masked": (
        {**SENT, "gumgatoken": TOKEN, "integrator": "***"},
        {**SENT, "gumgatoken": OTHERS, "integrator": "***"},
    ),
    "both": (SENT, SENT),
    "all": (NOT_RECORDED, NOT_RECORDED),
}


def asked(account: int) -> str:
    return f"marketplaceCode=701&channelName=CHANNEL_NAME&accountId={account}"


def two_at(apart: float, left_out: str, *, calls: int = 160) -> Recording:
    """Queries of two integrators in turn, so far apart."""
    recording = Recording()
    for number in range(calls):
        recording.look_up(
            asked(19055 + number % 2), answer=order(), after=apart, took=timedelta(milliseconds=20),
            headers=LEFT_OUT[left_out][number % 2],
        )  # fmt: skip
    return recording


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_what_two_integrators_send_within_the_rate_is_no_fault(left_out: str) -> None:
    recording = two_at(0.38, left_out)
    assert {rule: found for rule, found in recording.broken().items() if rule != "CLI-14"} == {}
    assert verdict(recording.audited(), "CLI-09") == "undecided"


WITH_TOKENS = ("integrator", "blank", "masked")


@pytest.mark.parametrize("left_out", WITH_TOKENS)
def test_one_of_them_that_exceeds_it_by_itself_is_found(left_out: str) -> None:
    assert "CLI-09" in two_at(0.2, left_out, calls=200).broken()


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_a_token_that_exceeds_it_alone_is_found_and_of_an_account_there_may_be_two(left_out: str) -> None:
    recording = Recording()
    for _ in range(95):
        recording.look_up(asked(19055), answer=order(), after=0.3, headers=LEFT_OUT[left_out][0])
    assert ("CLI-09" in recording.broken()) is (left_out in WITH_TOKENS)


def test_a_token_that_once_came_with_its_integrator_tells_whose_it_is() -> None:
    recording = Recording()
    recording.look_up(asked(19055), answer=order())
    for _ in range(95):
        recording.look_up(asked(19055), answer=order(), after=0.3, headers={**SENT, "gumgatoken": TOKEN})
    assert "CLI-09" in recording.broken()


@pytest.mark.parametrize("left_out", LEFT_OUT)
@pytest.mark.parametrize("status", [429, 423])
def test_one_integrator_does_not_wait_for_what_the_other_was_told(status: int, left_out: str) -> None:
    first, second = LEFT_OUT[left_out]
    answered: dict[str, Any] = {"answered": {"retry-after": "30"}} if status == 429 else {}
    recording = Recording()
    recording.look_up(asked(19055), status=status, headers=first, **answered)
    recording.look_up(asked(19056), answer=order(), headers=second)
    assert {rule: found for rule, found in recording.broken().items() if rule != "CLI-14"} == {}


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_who_sends_the_same_again_at_once_after_a_429_is_found(left_out: str) -> None:
    headers = LEFT_OUT[left_out][0]
    recording = Recording()
    recording.look_up(asked(19055), status=429, headers=headers, answered={"retry-after": "30"})
    recording.look_up(asked(19055), answer=order(), headers=headers)
    assert "CLI-10" in recording.broken()


def test_workers_of_one_integrator_share_its_rate_whatever_their_tokens() -> None:
    recording = Recording()
    for number in range(120):
        headers = {**HEADERS, "gumgatoken": f"{TOKEN}-{number % 2}"}
        recording.look_up(asked(19055), answer=order(), after=0.4, headers=headers)
    assert "CLI-09" in recording.broken()
