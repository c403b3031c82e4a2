"""Updates that differ in little are lawful, keep what a server may take an extract by, and are others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.contract.order_rules import judge_order
from conformance.contract.readings import resolve
from strategies.orders import Order, orders
from strategies.placeholders import fill
from strategies.updates import LITTLE, with_a_cent_moved
from tests.suite.support.properties import mock_scope, sample

CHANGES = {**LITTLE, "a cent moved": with_a_cent_moved}

KEEPS_VALUES = frozenset(LITTLE) - {"a cent less of each value"}


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
