"""What two recorders hold by clocks of their own, or blot out, is no fault."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.suite.audit.test_repeats import seen_twice
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, TOKEN, Recording


@pytest.mark.parametrize("status", [503, 429, 400])
@pytest.mark.parametrize("apart", [0.003, 2.2, -2.2])
def test_a_release_that_was_not_taken_at_first_is_no_second_one_by_another_clock(status: int, apart: float) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(release(), status=status, answer=ERROR_400, answered={"retry-after": "1"})
    recording.release(release(), after=2)
    recording.notify(DONE)
    assert seen_twice(recording, apart).broken() == {}


def test_a_query_that_is_under_way_by_another_clock_when_its_order_is_released_may_have_found_it() -> None:
    recording = Recording()
    recording.submit(order())
    recording.open(creation(), file="other.har")
    recording.look_up(answer=order(), took=timedelta(seconds=0.8))
    recording.release(release(), after=0.3, file="other.har")
    assert recording.broken() == {}
    recording.exchanges.pop(2)
    assert recording.broken() == {"CLI-01": [3]}


@pytest.mark.parametrize("text", ["***", "removed", "gone"])
def test_renewals_whose_tokens_were_blotted_out_are_not_of_one_token(text: str) -> None:
    recording = Recording()
    for number in range(3):
        given = {"accessToken": f"{TOKEN}-{number}", "refreshToken": text}
        recording.log_in(answer=given)
    for number in range(3):
        recording.refresh(text, f"{TOKEN}-{3 + number}", after=0.05)
    assert recording.broken() == {}
