"""What two recorders hold by clocks of their own, or blot out, is no fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.suite.audit.test_repeats import seen_twice
from tests.suite.support.bodies import SALE, creation, entries, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, HEADERS, TOKEN, Recording, sent, verdict


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


APART = pytest.mark.parametrize("apart", [0.4, 1.2, -1.2, 2.2, -2.2, 3.2, -3.2, 120, -120])


@APART
def test_an_update_that_adds_something_leaves_nothing_out_by_another_clock(apart: float) -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(totalGrossValue=Decimal("203.63"), extracts=entries(SALE)))
    recording.look_up(answer=order())
    recording.open(creation(releasesQtd=1))
    recording.release(release(releases=entries(SALE)))
    recording.notify(DONE)
    assert seen_twice(recording, apart).broken() == {}


@APART
@pytest.mark.parametrize("status", [502, 429, 400])
def test_a_creation_that_was_not_taken_at_first_overlaps_none_by_another_clock(apart: float, status: int) -> None:
    recording = sent()
    creations = recording.exchanges.pop()
    recording.open(creation(), status=status, answer=ERROR_400, answered={"retry-after": "1"})
    recording.exchanges.append(replace(creations, started=recording.now + timedelta(seconds=1)))
    recording.release(release(), after=2)
    recording.notify(DONE)
    assert seen_twice(recording, apart).broken() == {}


@APART
def test_an_order_that_is_new_after_its_deletion_is_no_second_one_by_another_clock(apart: float) -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.delete()
    recording.submit(order(extracts=entries(SALE)))
    recording.look_up(answer=order(extracts=entries(SALE)))
    recording.open(creation(releasesQtd=1))
    recording.release(release(releases=entries(SALE)))
    recording.notify(DONE)
    assert seen_twice(recording, apart).broken() == {}


@pytest.mark.parametrize("apart", [10_800, -10_800])
def test_releases_in_a_reconciliation_that_both_hold_are_the_same_whatever_their_clocks_say(apart: float) -> None:
    """One of them has written local time as if it was UTC."""
    recording = sent()
    recording.release(release())
    recording.notify(DONE)
    assert seen_twice(recording, apart).broken() == {}


def test_an_update_that_another_worker_sends_by_a_token_of_its_own_is_judged() -> None:
    recording = Recording()
    recording.submit(order())
    recording.submit(order(totalGrossValue=Decimal("203.63")))
    recording.submit(order(), headers={**HEADERS, "gumgatoken": f"{TOKEN}-2"}, file="other.har")
    assert recording.broken() == {"CLI-07": [2]}


@pytest.mark.parametrize("taken", ["as it was", "as it had become"])
def test_an_order_that_is_sent_as_it_was_in_the_next_file_may_be_so_again(taken: str) -> None:
    """A log goes on in a new file. Whether the update was recorded twice, or sent again after the other, nobody knows."""
    recording = Recording()
    became = order(totalGrossValue=Decimal("203.63"), extracts=entries(SALE))
    recording.submit(order())
    recording.submit(became)
    recording.submit(order(), file="day.har.2")
    was = taken == "as it was"
    recording.look_up(answer=order() if was else became, file="day.har.2")
    recording.open(creation(), file="day.har.2")
    recording.release(release() if was else release(releases=entries(SALE)), file="day.har.2")
    auditor = recording.audited()
    assert recording.broken() == {}
    assert verdict(auditor, "CLI-07") == "undecided"
