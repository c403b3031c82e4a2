"""Rules of clients about what they send: releases, reconciliations and orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from conformance.traffic.exchange import NOT_RECORDED
from tests.suite.support.bodies import CODE, DAY, END, INIT, LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import DONE, ERROR_400, QUERY, Recording, sent, verdict

SALE_EXPECTED = {**entries(("SALE", "203.63"))[0], "expectedDate": "2024-03-09T12:00:00Z"}


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


@pytest.mark.parametrize("how", ["a notification", "the next reconciliation"])
@pytest.mark.parametrize("released", ["12:40:00", "13:30:00"], ids=["within its period", "outside of it"])
def test_a_release_that_names_a_reconciliation_that_is_over_has_one_cause(how: str, released: str) -> None:
    """The number of its entries was right, and its period too: whoever resumes with an old id has to take another."""
    recording = sent()
    recording.submit(order("ANOTHER-1"))
    recording.look_up(QUERY.replace(CODE, "ANOTHER-1"), answer=order("ANOTHER-1"))
    recording.release(release())
    if how == "a notification":
        recording.notify(DONE)
    else:
        recording.open(creation(**LATER), 238)
    recording.release(release("ANOTHER-1", releasedDate=f"{DAY}{released}Z"), status=400, answer=ERROR_400)
    if (
        how == "a notification" and released == "12:40:00"
    ):  # this order may have been forgotten when entries were counted
        assert recording.broken() == {"CLI-05": [2, 7]}
        return
    assert recording.broken() == {"CLI-05": [7]}
    found = recording.audited().findings.found[0]
    assert (found.pointer, found.value) == ("/reconciliationId", 237)
    assert "the id of the reconciliation that is open" in found.instead


def test_a_release_after_an_error_may_name_the_reconciliation_again() -> None:
    recording = sent()
    recording.release(release())
    recording.notify({**DONE, "situation": "ERROR", "resolvedEndDate": None})
    recording.release(release(), status=400, answer=ERROR_400)
    assert not any(one.cause == "finished" for one in recording.audited().findings.found)
