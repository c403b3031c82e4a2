"""Server errors that pass break no rule; those of a kind of call that meets one in every try do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.engine.passing import PassingFaults
from conformance.target.wire.exchange import Exchange
from strategies.calls import Call
from strategies.placeholders import CODE

ORDER = Call(Endpoint.SUBMIT_ORDER, body={"marketplaceCode": CODE})
QUERY = Call(Endpoint.GET_ORDER, query={"marketplaceCode": CODE})


def fault(number: int = 0) -> Exchange:
    when = datetime(2026, 6, 1, tzinfo=UTC)
    return Exchange(when, "POST", f"https://h/{number}", {}, b"", 500, {}, b"", 0.0, Endpoint.SUBMIT_ORDER)


def tried(*tries: list[tuple[Call, Exchange | None]]) -> PassingFaults:
    """What is known after an example that met these in its tries."""
    faults = PassingFaults()
    faults.begin_example()
    for calls in tries:
        faults.begin_try()
        for call, passed in calls:
            faults.note(call, passed)
    return faults


def test_without_one_there_is_nothing_to_try_again() -> None:
    faults = tried([(ORDER, None), (QUERY, None)])
    assert (faults.leaves_doubt, list(faults.met_in(1))) == (False, [])


def test_an_order_is_tried_again_and_a_query_is_not() -> None:
    assert tried([(ORDER, fault())]).leaves_doubt
    assert not tried([(QUERY, fault())]).leaves_doubt


def test_one_in_an_earlier_try_leaves_no_doubt_about_the_last() -> None:
    faults = tried([(ORDER, fault())], [(ORDER, None)])
    assert not faults.leaves_doubt
    assert list(faults.met_in(2)) == []


def test_a_kind_of_call_that_meets_one_in_every_try_is_told_with_the_newest() -> None:
    faults = tried([(ORDER, fault(1))], [(ORDER, fault(2))], [(ORDER, fault(3))])
    assert [one.url for one in faults.met_in(3)] == ["https://h/3"]


def test_several_in_one_try_count_once() -> None:
    assert list(tried([(ORDER, fault(1)), (ORDER, fault(2)), (ORDER, fault(3))]).met_in(3)) == []


@pytest.mark.parametrize("alike", [1, 2, 5, 6, 21])
def test_of_many_calls_alike_one_that_meets_what_passes_is_an_accident_in_every_try(alike: int) -> None:
    """Each 53rd call got 500, in every try another of the 21 orders of a reconciliation, and ERR-02 failed."""
    one: list[list[tuple[Call, Exchange | None]]]
    each: list[list[tuple[Call, Exchange | None]]]
    one = [[(ORDER, None)] * (alike - 1) + [(ORDER, fault(number))] for number in range(3)]
    assert [told.url for told in tried(*one).met_in(3)] == (["https://h/2"] if alike <= 5 else [])
    each = [[(ORDER, fault(number))] * alike for number in range(3)]
    assert [told.url for told in tried(*each).met_in(3)] == ["https://h/2"]


@pytest.mark.parametrize(("others", "tries"), [(0, 3), (100, 3), (10, 4), (3, 9)])
def test_where_others_meet_them_too_a_kind_of_call_is_tried_more_often(others: int, tries: int) -> None:
    """One in so many of the other calls meets one: what meets one in three tries may do so by accident."""
    apart: list[tuple[Call, Exchange | None]] = [(QUERY, None)] * (others - 1) + [(QUERY, fault())] * bool(others)
    faults = tried(apart * 40)
    faults.begin_example()
    for number in range(tries):
        assert faults.tries_wanted(3, number) <= tries
        assert list(faults.met_in(3)) == []
        faults.begin_try()
        faults.note(ORDER, fault(number))
    assert faults.tries_wanted(3, tries) == tries
    assert [told.url for told in faults.met_in(3)] == [f"https://h/{tries - 1}"]


def test_another_kind_of_call_is_another_matter() -> None:
    other = Call(Endpoint.SUBMIT_ORDER, body={"marketplaceCode": CODE, "status": "INVOICED"})
    assert list(tried([(ORDER, fault())], [(other, fault())], [(ORDER, fault())]).met_in(3)) == []


def test_what_passes_and_is_no_accident_breaks_the_rule_of_its_kind() -> None:
    """Something on the way may refuse in passing what is lawful; who does so each time refuses otherwise than documented."""
    assert PassingFaults.breach(fault())[0] == "ERR-02"
    assert PassingFaults.breach(replace(fault(), status=405))[0] == "ERR-01"


def of_status(status: str) -> Call:
    return Call(Endpoint.SUBMIT_ORDER, body={"marketplaceCode": CODE, "status": status})


def test_what_was_refused_in_passing_was_not_done_and_is_not_tried_again() -> None:
    """What happens to each seventh request may meet the same call of an example each time."""
    refused = replace(fault(), status=403)
    faults = tried([(ORDER, refused)], [(ORDER, refused)], [(ORDER, refused)])
    assert (faults.leaves_doubt, list(faults.met_in(3))) == (False, [])


@pytest.mark.parametrize("others", [0, 4, 100])
def test_who_refuses_most_orders_of_a_status_at_first_cannot_hide_behind_others(others: int) -> None:
    refused = replace(fault(), status=405)
    some: list[tuple[Call, Exchange | None]] = [(of_status("CANCELED"), refused)] * 5
    some += [(of_status("INVOICED"), None)] * others
    assert tried(some).is_usual(of_status("CANCELED"))
    assert tried(some).is_usual(of_status("INVOICED")) is (others < 5)


def test_one_in_three_is_no_more_than_a_bad_day() -> None:
    refused = replace(fault(), status=405)
    faults = tried([(ORDER, refused), (ORDER, None), (ORDER, None)] * 20)
    assert not faults.is_usual(ORDER)
