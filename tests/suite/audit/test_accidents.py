"""What befalls careful integrators, and those who serve them: deployments, gateways, clients that give up, orders seen late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from conformance.traffic.exchange import NOT_RECORDED
from tests.suite.support.bodies import Body, creation, entries, order, release
from tests.suite.support.recorded_calls import CODE, DONE, ERROR_400, HEADERS, TOKEN, Recording, sent, verdict

PAGE: Final = b"<!DOCTYPE html><html><body>We are back soon</body></html>"
NO_ORDER_400: Final = {
    "errorMessage": f"Order {CODE} not found",
    "errorCode": "400-0",
    "errorSource": "marketplaceCode",
}
NO_ORDER_404: Final = {**NO_ORDER_400, "errorCode": "404-3"}
OTHER: Final = entries(("SALE", "203.63"), ("COMISSION", "-20.00"))


# -- the callback --------------------------------------------------------------------------------------------------


def notified(*answers: tuple[int | None, Any], took: float = 0.05, other: Body | None = None) -> str:
    recording = Recording()
    recording.look_up(answer=order())
    for number, (status, answer) in enumerate(answers):
        payload = {**DONE, **(other or {})} if number else DONE
        recording.notify(payload, status=status, answer=answer, after=60, took=timedelta(seconds=took))
    return verdict(recording.audited(), "CLI-16")


SUCCESS: Final = (200, {"status": "success"})


@pytest.mark.parametrize("first", [(502, b"Bad Gateway"), (503, PAGE), (None, None)])
def test_a_callback_that_was_not_there_for_a_moment_has_taken_what_came_again(first: tuple[int | None, Any]) -> None:
    assert notified(first, first, SUCCESS) == "kept"
    assert notified(first) == "broken"
    assert notified(first, first) == "broken"
    assert notified(first, SUCCESS, other={"reconciliationId": 238}) == "broken"
    assert notified(first, (200, {"status": "ok"})) == "broken"
    assert notified(first, (200, NOT_RECORDED)) == "undecided"


def test_a_callback_that_fails_or_takes_too_long_is_found() -> None:
    assert notified((500, b""), SUCCESS) == "broken"
    assert notified((504, b""), SUCCESS) == "broken"
    assert notified((None, None), SUCCESS, took=30) == "broken"


# -- who waits no longer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("again", "after", "expected"),
    [(order(), 5.2, "undecided"), (order(status="CONCLUDED"), 5.2, "broken"), (order(), 0.2, "broken")],
    ids=["the same", "another version", "at once"],
)
def test_a_recorder_at_the_server_does_not_see_that_a_client_gave_up(again: Body, after: float, expected: str) -> None:
    recording = Recording()
    recording.submit(order(), took=timedelta(seconds=9))
    recording.submit(again, after=after)
    assert verdict(recording.audited(), "CLI-17") == expected


def test_a_creation_may_be_sent_again_and_a_release_may_not() -> None:
    recording = Recording()
    recording.open(creation(), took=timedelta(seconds=9), status=None)
    recording.open(creation(), after=5.2, status=400, answer=ERROR_400)
    assert verdict(recording.audited(), "CLI-17") == "undecided"
    recording = sent()
    recording.release(release(), took=timedelta(seconds=9))
    recording.release(release(), after=5.2, status=400, answer=ERROR_400)
    assert "CLI-17" in recording.broken()


@pytest.mark.parametrize(
    ("looks", "again", "expected"),
    [(True, release(), "kept"), (False, release(), "undecided"), (True, release(releases=OTHER), "undecided")],
)
def test_a_release_whose_answer_was_lost_may_be_refused_when_it_is_sent_again(
    looks: bool, again: Body, expected: str
) -> None:
    """That the first was taken is what its client could not know, and asked for."""
    recording = sent()
    recording.release(release(), status=None)
    if looks:
        recording.look_up(answer=order())
    recording.release(again, status=400, answer=ERROR_400)
    auditor = recording.audited()
    assert {verdict(auditor, rule) for rule in ("CLI-02", "CLI-03", "CLI-04")} == {expected}
    assert ("CLI-13" in recording.broken()) is not looks


def test_a_look_before_an_answer_was_lost_is_none_after_it() -> None:
    recording = sent()
    recording.release(release(), status=None)
    recording.look_up(answer=order())
    recording.release(release(), status=502)
    recording.release(release(), status=400, answer=ERROR_400)
    assert verdict(recording.audited(), "CLI-02") == "undecided"


# -- seen late -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "looks", "expected"), [(10, True, "undecided"), (10, False, "broken"), (40, True, "broken")]
)
@pytest.mark.parametrize("answer", [NO_ORDER_400, NOT_RECORDED])
def test_a_release_may_see_an_order_late_that_a_query_finds(
    answer: Any, minutes: int, looks: bool, expected: str
) -> None:
    recording = sent()
    for _ in range(2):
        recording.release(release(), status=400, answer=answer, after=60 * minutes)
        if looks:
            recording.look_up(answer=order())
    assert verdict(recording.audited(), "CLI-12") == expected


def test_what_is_refused_for_another_reason_is_not_seen_late() -> None:
    recording = sent()
    for _ in range(2):
        recording.release(release(), status=400, answer=ERROR_400)
        recording.look_up(answer=order())
    assert verdict(recording.audited(), "CLI-12") == "broken"


@pytest.mark.parametrize("finds", [True, False])
def test_an_order_that_is_still_found_may_be_deleted_again(finds: bool) -> None:
    recording = Recording()
    recording.submit(order())
    recording.delete()
    if finds:
        recording.look_up(answer=order())
    else:
        recording.look_up(status=404, answer=NO_ORDER_404)
    recording.delete(status=404, answer=NO_ORDER_404)
    assert verdict(recording.audited(), "DEL-02") == ("kept" if finds else "broken")


def test_of_two_queries_for_an_order_sent_before_the_recording_the_later_one_shows_it() -> None:
    changed = order(extracts=OTHER)
    recording = Recording()
    recording.look_up(answer=order())
    recording.look_up(answer=changed, after=1700)
    recording.open(creation(releasesQtd=2))
    recording.release(release(releases=OTHER))
    assert recording.broken() == {}
    books = recording.audited().books
    assert books.ties_out
    recording.exchanges.pop()
    recording.release(release())
    assert "CLI-02" in recording.broken()


# -- gateways ------------------------------------------------------------------------------------------------------


def test_a_page_in_place_of_an_answer_says_nothing_of_what_was_done() -> None:
    recording = sent()
    recording.release(release(), answer=PAGE)
    recording.look_up(answer=order())
    recording.release(release())
    assert recording.broken() == {}


def test_a_400_of_a_load_balancer_is_none_of_koncilis() -> None:
    recording = Recording()
    for _ in range(2):
        recording.submit(order(), status=400, answer=b"<html><center>nginx</center></html>")
    recording.submit(order())
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-12") == "undecided"


@pytest.mark.parametrize(
    ("token", "expected"), [(TOKEN, "broken"), (f"{TOKEN}-2", "undecided"), ("***", "undecided"), (None, "undecided")]
)
@pytest.mark.parametrize("answered", [{"retry-after": "30"}, {}])
def test_an_instance_does_not_know_what_another_one_was_told(
    token: str | None, expected: str, answered: dict[str, str]
) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "gumgatoken"}
    recording = Recording()
    recording.look_up(status=429, answered=answered, headers=headers | ({"gumgatoken": TOKEN} if token else {}))
    recording.submit(order(), headers=headers | ({"gumgatoken": token} if token else {}))
    recording.look_up(
        "marketplaceCode=B-2&channelName=CHANNEL_NAME&accountId=19055",
        after=0.3,
        status=404,
        answer=NO_ORDER_404,
        headers=headers | ({"gumgatoken": token} if token else {}),
    )
    found = verdict(recording.audited(), "CLI-10")
    assert found == (expected if answered or expected == "undecided" else "kept")


# -- whose token ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "broken"), [(NOT_RECORDED, set()), (ERROR_400, set()), (b"", {"CLI-14"})])
def test_a_400_shows_that_a_recorder_left_the_headers_out(answer: Any, broken: set[str]) -> None:
    """Without a token it would have been a 403."""
    recording = Recording()
    recording.open(creation(), status=400, answer=answer, headers={"host": "koncili.example"})
    assert set(recording.broken()) == broken


def test_a_token_that_comes_with_two_integrators_is_one_of_them_only() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    assert verdict(recording.audited(), "CLI-14") == "kept"
    recording.look_up(answer=order(), headers={**HEADERS, "integrator": "8d1f3a7e-52c4-4b0e-9d0a-7c1b2e3f4a5b"})
    assert verdict(recording.audited(), "CLI-14") == "undecided"
    recording = Recording()
    for one in ("8d1f3a7e-52c4-4b0e-9d0a-7c1b2e3f4a5b", "8D1F3A7E-52C4-4B0E-9D0A-7C1B2E3F4A5B "):
        recording.look_up(answer=order(), headers={**HEADERS, "integrator": one})
    assert verdict(recording.audited(), "CLI-14") == "kept"
