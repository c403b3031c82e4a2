"""The client's tests, by the fixture that `pip install koncili-conformance` brings: `pytest examples/clients`, or with `-n 2`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from koncili_conformance.testing import KonciliMock

from examples.clients.client import TRIES, Koncili, Lost

DAY = "2026-02-14T"
BEGIN, END = f"{DAY}12:00:00Z", f"{DAY}13:00:00Z"


def order(code: str) -> dict[str, Any]:
    parts = {"SALE": Decimal("203.63"), "COMISSION": Decimal("-24.44")}
    return {
        "marketplaceCode": code, "channelName": "CHANNEL_NAME", "accountId": 19055, "status": "INVOICED",
        "createdDate": "2026-02-10T09:00:00-03:00", "totalGrossValue": Decimal("203.63"),
        "extracts": [{"marketplaceCode": code, "type": type_, "value": value} for type_, value in parts.items()],
    }  # fmt: skip


class Careless(Koncili):
    """Sends a release again where its answer is lost, and asks nobody."""

    def order(self, order: dict[str, Any]) -> Any:
        return None


@pytest.fixture
def client(koncili_mock: KonciliMock) -> Iterator[Koncili]:
    made = connected(Koncili, koncili_mock)
    yield made
    made.http.close()


def connected(kind: type[Koncili], mock: KonciliMock) -> Koncili:
    return kind(mock.base_url, mock.credentials.email, mock.credentials.password, mock.integrator, timeout=20)


def test_orders_are_settled(client: Koncili, koncili_mock: KonciliMock) -> None:
    client.settle([order("A"), order("B")], BEGIN, END)
    koncili_mock.clock.advance(2)
    assert [(one.code, one.body["totalGrossValue"], one.is_reconciled) for one in koncili_mock.orders] == [
        ("A", Decimal("203.63"), True),
        ("B", Decimal("203.63"), True),
    ]
    koncili_mock.assert_released_once("A")
    koncili_mock.assert_conformant(allow=["CLI-01"])  # it looks no order up while all goes well


def test_a_mistake_is_named(client: Koncili, koncili_mock: KonciliMock) -> None:
    with pytest.raises(Exception, match="cancelDate is mandatory"):
        client.submit({**order("A"), "status": "CANCELED"})
    (violation,) = koncili_mock.violations
    assert (violation.rule, violation.pointer) == ("ORD-05", "/cancelDate")
    with pytest.raises(AssertionError, match="ORD-05 /cancelDate"):
        koncili_mock.assert_conformant()


def test_two_failures_are_overcome(client: Koncili, koncili_mock: KonciliMock) -> None:
    koncili_mock.fail_next(2, "502", call="POST /order")
    client.submit(order("A"))
    koncili_mock.fail_next(TRIES, "500", call="POST /order")
    with pytest.raises(Lost):
        client.submit(order("B"))


@pytest.mark.koncili_mock(faults=[{"fault": "lost", "call": "POST /reconciliation/release", "times": 1}])
@pytest.mark.parametrize("lost_before", ["reset", "lost"])
def test_a_lost_release_is_paid_once(client: Koncili, koncili_mock: KonciliMock, lost_before: str) -> None:
    koncili_mock.fail_next(1, lost_before, call="POST /order")
    client.settle([order("A")], BEGIN, END)
    koncili_mock.assert_released_once("A")


@pytest.mark.koncili_mock(lose_answers=True)
def test_whatever_is_lost_each_order_is_paid_once(client: Koncili, koncili_mock: KonciliMock) -> None:
    client.settle([order(f"A-{number}") for number in range(4)], BEGIN, END)
    koncili_mock.assert_exactly_once()


@pytest.mark.koncili_mock(lose_answers=True)
def test_a_client_that_does_not_ask_pays_twice(koncili_mock: KonciliMock) -> None:
    careless = connected(Careless, koncili_mock)
    careless.settle([order("A")], BEGIN, END)
    careless.http.close()
    with pytest.raises(
        AssertionError, match=r"(?s)order A was released 2 times.*POST /reconciliation/release.*\[lost\]"
    ):
        koncili_mock.assert_released_once("A")
    with pytest.raises(AssertionError, match=r"NOT exactly once: 1 PAID TWICE"):
        koncili_mock.assert_exactly_once()
