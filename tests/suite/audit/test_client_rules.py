"""Each rule about how an integration calls: a planted mistake is found, at its entry, and what is lawful beside it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from conformance.contract.jsontext import dumps
from conformance.contract.rules import Kind, catalogue
from conformance.traffic.exchange import NOT_RECORDED
from tests.suite.support.bodies import END, INIT, LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import HEADERS, QUERY, TOKEN, UNTIMED, Recording, verdict

ERROR_400 = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}
SALE_EXPECTED = {**entries(("SALE", "203.63"))[0], "expectedDate": "2024-03-09T12:00:00Z"}
DONE = {"accountId": 19055, "reconciliationId": 237, "resolvedEndDate": END, "situation": "CONCILIED"}


def sent(**changes: Any) -> Recording:
    """An order sent and verified, and a reconciliation opened for it."""
    recording = Recording()
    recording.submit(order(**changes))
    recording.look_up(answer=order(**changes))
    recording.open(creation())
    return recording


# -- releases ------------------------------------------------------------------------------------------------------


def test_a_whole_day_breaks_nothing() -> None:
    recording = sent()
    recording.release(release())
    recording.notify(DONE)
    auditor = recording.audited()
    assert recording.broken() == {}
    for rule in ("CLI-01", "CLI-02", "CLI-03", "CLI-04", "CLI-05", "CLI-06", "CLI-16", "CLI-18"):
        assert verdict(auditor, rule) == "kept", rule


def test_an_order_that_nobody_asked_for_is_not_verified() -> None:
    recording = Recording()
    recording.submit(order())
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {"CLI-01": [2]}


def test_an_order_asked_for_before_its_update_is_not_verified() -> None:
    recording = sent()
    recording.submit(order(totalGrossValue=Decimal("203.63")))
    recording.release(release())
    assert recording.broken() == {"CLI-01": [4]}


def test_an_order_may_have_been_found_by_a_query_of_which_the_answer_was_not_recorded() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.exchanges[-1] = replace(recording.exchanges[-1], response=NOT_RECORDED)
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-01") == "undecided"


def test_an_order_that_was_sent_again_after_such_a_query_is_not_verified() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.exchanges[-1] = replace(recording.exchanges[-1], response=NOT_RECORDED)
    recording.submit(order())
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {"CLI-01": [4]}


def test_a_release_in_two_parts_is_found_at_each() -> None:
    recording = sent()
    first, *others = release()["releases"]
    recording.release(release(releases=[first]), status=400, answer=ERROR_400)
    recording.release(release(releases=others), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-02": [3, 4]}


def test_a_supplement_to_a_release_is_found() -> None:
    recording = sent()
    recording.release(release())
    recording.release(release(releases=entries(("SHIP", "-1.00"))), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-02": [4]}


def test_an_order_may_be_released_again_after_its_reconciliation_ended_in_error() -> None:
    recording = sent()
    recording.release(release())
    recording.notify({**DONE, "situation": "ERROR", "resolvedEndDate": None})
    recording.open(creation(**LATER), number=238)
    recording.release(release(reconciliationId=238, releasedDate=LATER["periodInitDate"]))
    assert recording.broken() == {}


def released_again(*, situation: str | None, status: int = 200, number: int = 238) -> Recording:
    """An order that is released in two reconciliations; how the first ended, if a notification told it."""
    recording = sent()
    recording.release(release())
    if situation is not None:
        recording.notify({**DONE, "situation": situation})
    recording.open(creation(**LATER), number=238)
    again = release(reconciliationId=number, releasedDate=LATER["periodInitDate"])
    recording.release(again, status=status, answer=ERROR_400)
    return recording


def test_an_order_that_is_taken_again_shows_that_its_reconciliation_may_have_ended_in_error() -> None:
    """A client records what it calls: notifications come to another program."""
    recording = released_again(situation=None)
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-02") == "undecided"


@pytest.mark.parametrize(
    "how", [{"situation": "CONCILIED"}, {"situation": None, "status": 400}, {"situation": None, "number": 237}]
)
def test_an_order_that_is_released_again_is_found_otherwise(how: Any) -> None:
    assert "CLI-02" in released_again(**how).broken()


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ((("SALE", "203.63"), ("COMISSION", "-24.43"), ("SHIP", "-27.95")), "/releases/1/value"),
        ((("SALE", "203.63"), ("SHIP", "-24.44"), ("SHIP", "-27.95")), "/releases/1/type"),
        ((("SALE", "203.63"), ("SHIP", "-27.95"), ("COMISSION", "-24.4")), "/releases/2/value"),
    ],
)
def test_other_values_and_types_are_found_where_they_stand(parts: Any, pointer: str) -> None:
    recording = sent()
    recording.release(release(releases=entries(*parts)))
    (finding,) = recording.audited().findings.found
    assert (finding.rule.id, finding.pointer, finding.spots[0].origin.entry) == ("CLI-03", pointer, 3)
    assert "SALE 203.63, COMISSION -24.44, SHIP -27.95" in finding.instead


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"type": "FEE"}, "REL-05"),
        ({"value": Decimal("24.44")}, "REL-06"),
        ({"value": None}, "REL-17"),
        ({"value": "twenty"}, "REL-17"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_entry_that_none_may_have_is_told_by_its_own_rule_alone(change: Any, rule: str, status: int) -> None:
    recording = sent()
    first, second, third = release()["releases"]
    recording.release(release(releases=[first, {**second, **change}, third]), status=status, answer=ERROR_400)
    assert recording.broken() == {rule: [3]}


def test_an_entry_that_differs_beside_one_that_none_may_have_is_found_too() -> None:
    recording = sent()
    parts = (("SALE", "203.62"), ("FEE", "-24.44"), ("SHIP", "-27.95"))
    recording.release(release(releases=entries(*parts)), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-03": [3], "REL-05": [3]}


def test_entries_that_the_order_has_not_are_no_fault_of_releasesqtd() -> None:
    recording = sent()
    recording.release(release(releases=release()["releases"] * 2), status=400, answer=ERROR_400)
    recording.release(release())
    assert recording.broken() == {"CLI-02": [3]}


def test_less_than_a_cent_is_the_same_value() -> None:
    recording = sent()
    parts = (("SALE", "203.62999999999999545"), ("COMISSION", "-24.440"), ("SHIP", "-27.95"))
    recording.release(release(releases=entries(*parts)))
    assert recording.broken() == {}


def test_another_sequence_is_found() -> None:
    recording = sent()
    recording.release(release(releases=entries(("COMISSION", "-24.44"), ("SALE", "203.63"), ("SHIP", "-27.95"))))
    assert recording.broken() == {"CLI-04": [3]}


def test_a_releasesqtd_that_is_too_low_is_found_where_it_was_sent() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(releasesQtd=2))
    recording.release(release(), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-05": [2, 3]}


def test_a_releasesqtd_that_is_too_high_is_found_when_the_next_is_opened() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation(releasesQtd=4))
    recording.release(release())
    assert recording.broken() == {}  # the fourth entry may come after the recording's end
    recording.open(creation(**LATER), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-05": [2, 4]}


def test_a_forgotten_release_is_found_when_the_next_is_opened() -> None:
    recording = sent()
    recording.open(creation(**LATER), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-18": [2, 3]}


def test_a_second_reconciliation_beside_an_active_one_is_found_where_the_first_is_completed_later() -> None:
    recording = sent()
    recording.open(creation(**LATER), status=400, answer=ERROR_400)
    recording.release(release())
    assert recording.broken() == {"REC-06": [3]}


@pytest.mark.parametrize("released", [INIT, END])
def test_the_ends_of_a_period_belong_to_it(released: str) -> None:
    recording = sent()
    recording.release(release(releasedDate=released))
    assert recording.broken() == {}


def test_a_release_outside_of_the_period_is_found() -> None:
    recording = sent()
    recording.release(release(releasedDate=LATER["periodEndDate"]), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-06": [3]}


# -- orders --------------------------------------------------------------------------------------------------------


def test_an_update_that_leaves_something_out_is_found() -> None:
    recording = Recording()
    recording.submit(order(approvedDate="2024-02-09T12:00:00Z", extracts=[SALE_EXPECTED]))
    recording.submit(order(extracts=[SALE_EXPECTED]))
    recording.submit(order(extracts=entries(("SALE", "203.63"))))
    assert recording.broken() == {"CLI-07": [1, 2]}


def test_an_update_that_takes_something_back_in_so_many_words_is_none() -> None:
    recording = Recording()
    recording.submit(order(approvedDate="2024-02-09T12:00:00Z", extracts=[SALE_EXPECTED]))
    recording.submit(order(approvedDate=None, extracts=[SALE_EXPECTED]))
    recording.delete()
    recording.submit(order())
    assert recording.broken() == {}


# -- tokens --------------------------------------------------------------------------------------------------------


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


# -- pace ----------------------------------------------------------------------------------------------------------


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
    ("waits", "broken"),
    [((2.0, 4.0, 8.0, 16.0), []), ((0.3,), [1]), ((5.0, 5.0, 5.0), [3]), ((3.0, 2.0, 5.0), [])],
)
def test_waits_that_nobody_asks_for_grow(waits: tuple[float, ...], broken: list[int]) -> None:
    recording = Recording()
    recording.look_up(status=429)
    for wait in waits:
        recording.look_up(status=429, after=wait + 0.2)
    assert recording.broken() == ({"CLI-10": broken} if broken else {})


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


# -- repetitions and lost answers ----------------------------------------------------------------------------------


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


def test_a_release_whose_answer_was_lost_is_not_to_be_sent_again_blindly() -> None:
    recording = sent()
    recording.release(release(), status=None)
    recording.release(release())
    assert recording.broken() == {"CLI-13": [3, 4]}


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


# -- headers, URLs, notifications ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HEADERS, "kept"),
        ({"gumgatoken": TOKEN}, "broken"),
        ({**HEADERS, "integrator": "me"}, "broken"),
        ({**HEADERS, "integrator": "********"}, "undecided"),
        ({}, "undecided"),
        (NOT_RECORDED, "undecided"),
    ],
)
def test_the_integrator_is_told_with_every_call(headers: Any, expected: str) -> None:
    recording = Recording()
    recording.look_up(answer=order(), headers=headers)
    assert verdict(recording.audited(), "CLI-14") == expected


@pytest.mark.parametrize(
    "query",
    [f"{QUERY}&gumgaToken=abc", f"{QUERY}&access_token=abc", f"{QUERY}&key={TOKEN}", f"{QUERY}&key=password-4711"],
)
def test_a_secret_in_a_url_is_found_and_not_told(query: str) -> None:
    recording = Recording()
    recording.log_in()
    recording.look_up(query, answer=order())
    (finding,) = recording.audited().findings.found
    assert finding.rule.id == "CLI-15"
    assert TOKEN not in f"{finding.says}{finding.value}{finding.pointer}"
    assert "password-4711" not in f"{finding.says}{finding.value}{finding.pointer}"


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"status": "success"}, "kept"),
        (201, {"status": "success"}, "broken"),
        (200, {"status": "ok"}, "broken"),
        (200, b"", "broken"),
        (500, {"status": "success"}, "broken"),
        (None, None, "broken"),
        (200, NOT_RECORDED, "undecided"),
    ],
)
def test_notifications_are_answered_as_documented(status: int | None, answer: Any, expected: str) -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.notify(DONE, status=status, answer=answer)
    assert verdict(recording.audited(), "CLI-16") == expected


# -- all of them ---------------------------------------------------------------------------------------------------

CLIENT_RULES = [rule for rule in catalogue(Kind.INTEGRATION).rules if rule.startswith("CLI-")]


def test_every_rule_has_what_a_report_tells() -> None:
    assert [f"CLI-{number:02}" for number in range(1, 19)] == CLIENT_RULES
    for rule in catalogue(Kind.INTEGRATION).rules.values():
        assert rule.instead.endswith(".")
        assert rule.source


@pytest.mark.parametrize("rule", ["CLI-09", "CLI-10", "CLI-11", "CLI-17"])
def test_without_times_nothing_is_said_of_pace(rule: str) -> None:
    recording = Recording()
    for _ in range(100):
        recording.submit(order(), after=0.1)
        recording.look_up(status=429, after=0.1)
        recording.look_up(status=423, after=0.1)
    assert rule in {*recording.broken(), "CLI-17"}
    assert verdict(recording.without(**UNTIMED).audited(), rule) == "undecided"
