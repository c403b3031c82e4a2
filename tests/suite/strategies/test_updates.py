"""Updates that differ in little are lawful, keep what a server may take an extract by, and are others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import pytest

from conformance.contract.order_rules import judge_order
from conformance.contract.readings import resolve
from strategies.orders import STATUSES, Order, orders, place_of
from strategies.placeholders import fill
from strategies.updates import LITTLE, WALKS, gone_on, updates, with_a_cent_moved
from tests.suite.support.properties import EXAMPLES_OF_A_RUN, mock_scope, sample

CHANGES = {**LITTLE, "a cent moved": with_a_cent_moved, "a step later": gone_on}

KEEPS_VALUES = frozenset({*LITTLE, "a step later"}) - {"a cent less of each value"}


def values(order: Order) -> list[tuple[str, Any]]:
    return sorted((one["type"], one["value"]) for one in order["extracts"])


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_order_that_is_changed_in_little_is_lawful(change: Callable[[Order], Order]) -> None:
    for order in sample(orders(mock_scope({}), types=("COMISSION",)), 60):
        assert not list(judge_order(fill(change(order), {"code": "A-1"}), resolve({})))


@pytest.mark.parametrize("name", CHANGES)
def test_most_orders_are_others_then(name: str) -> None:
    drawn = sample(orders(mock_scope({}), types=("COMISSION", "SHIP")), 60)
    changed = [CHANGES[name](order) for order in drawn]
    assert sum(order != other for order, other in zip(drawn, changed, strict=True)) > len(drawn) / 2
    assert all(
        (values(order) == values(other)) == (name in KEEPS_VALUES) for order, other in zip(drawn, changed, strict=True)
    )


def test_an_order_that_has_gone_on_is_another_by_its_status_or_its_end_and_has_the_same_extracts() -> None:
    for order in sample(orders(mock_scope({})), 60):
        later = gone_on(order)
        assert later["extracts"] == order["extracts"]
        assert any(later.get(name) != order.get(name) for name in ("status", "deliveryDate", "cancelDate"))


def test_the_walks_go_from_each_status_to_each_other_one_and_change_all_that_is_little() -> None:
    scope = mock_scope({})
    steps = set[tuple[str, str]]()
    for before, after, little in WALKS:
        for first in sample(orders(scope, statuses=(before,)), EXAMPLES_OF_A_RUN)[:1]:
            for changes in sample(updates(scope, place_of(first), before, after, little), EXAMPLES_OF_A_RUN):
                steps.update(pairwise(order["status"] for order in (first, *changes, first)))
    assert steps >= set(permutations(STATUSES, 2))
    assert {little for *_, little in WALKS} == set(LITTLE)


def test_an_order_a_step_later_has_extracts_alike_by_sum_and_in_some_walks_others() -> None:
    scope, others = mock_scope({}), set[tuple[str, str]]()
    for before, after, little in WALKS:
        for *_, changed, later in sample(updates(scope, scope.places[0], before, after, little), EXAMPLES_OF_A_RUN):
            assert not list(judge_order(fill(later, {"code": "A-1"}), resolve({})))
            assert sum(value for _, value in values(changed)) == sum(value for _, value in values(later))
            assert any(later.get(name) != changed.get(name) for name in ("status", "deliveryDate", "cancelDate"))
            if later["extracts"] != changed["extracts"]:
                others.add((before, after))
    assert others == {("INVOICED", "CONCLUDED"), ("CONCLUDED", "CANCELED"), ("INVOICED", "CANCELED")}


def test_what_an_update_leaves_out_of_the_extracts_was_there_before() -> None:
    scope = mock_scope({})
    left_out = [walk for walk in WALKS if walk[-1] == "no dates and percentages of its extracts"]
    for before, after, little in left_out:
        for other, changed, _ in sample(updates(scope, scope.places[0], before, after, little), EXAMPLES_OF_A_RUN):
            assert all(one["expectedDate"] for one in other["extracts"])
            assert any(one.get("percentage") for one in other["extracts"])
            assert not any({"expectedDate", "percentage"} & set(one) for one in changed["extracts"])
