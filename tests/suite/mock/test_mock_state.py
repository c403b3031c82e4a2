"""What the mock tells of itself: the orders and reconciliations that lie in it, and what it has answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.mock.app import CONTROL_PATH, make_app
from conformance.mock.defects import defect
from conformance.mock.koncili import Koncili
from tests.suite.support.bodies import CODE, DAY, FIRST, LATER
from tests.suite.support.properties import HOME
from tests.suite.support.seller_client import Seller


@pytest.fixture
def seller() -> Seller:
    return Seller()


def asked(seller: Seller, **query: str) -> dict[str, Any]:
    """What GET /_mock answers."""
    with httpx.Client(transport=httpx.WSGITransport(make_app(seller.koncili)), base_url="http://mock") as http:
        told: dict[str, Any] = http.get(CONTROL_PATH, params=query).json()
    return told


def orders(seller: Seller) -> dict[str, bool]:
    """Whether each order is reconciled, by its code."""
    told = asked(seller, state="1")["orders"]
    assert all((row["account"], row["channel"]) == (HOME.account, HOME.channel) for row in told)
    return {row["marketplaceCode"]: row["reconciled"] for row in told}


def test_only_who_asks_is_told(seller: Seller) -> None:
    assert asked(seller).keys() == asked(seller, state="0").keys() == {"mock", "now"}
    assert asked(seller, state="1").keys() == {"mock", "now", "orders", "reconciliations", "counts"}


def test_furniture_is_not_told(seller: Seller) -> None:
    assert orders(seller) == {}


def test_orders_are_told_until_they_are_deleted(seller: Seller) -> None:
    for code in ("A", "B"):
        seller.submit(code)
    seller.submit("B")
    assert orders(seller) == {"A": False, "B": False}
    seller.deletion("A")
    assert orders(seller) == {"B": False}


def test_an_order_is_on_its_way_once_all_releases_are_in(seller: Seller) -> None:
    seller.submit("unreleased")
    seller.submit()
    seller.create(releasesQtd=6)
    seller.release()
    assert orders(seller) == {"unreleased": False, CODE: False}
    seller.submit("A")
    seller.release("A")
    assert orders(seller) == {"unreleased": False, CODE: True, "A": True}
    seller.wait()
    assert orders(seller) == {"unreleased": False, CODE: True, "A": True}


def test_what_ends_in_error_is_not_reconciled(seller: Seller) -> None:
    seller.koncili.control({"failReconciliation": seller.reconcile(CODE)})
    assert orders(seller) == {CODE: True}
    seller.wait()
    assert orders(seller) == {CODE: False}


def test_reconciliations_are_told(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.wait()
    seller.submit("A")
    seller.create(**LATER, releasesQtd=5)
    seller.release("A", reconciliationId=FIRST + 1, releasedDate=f"{DAY}14:30:00Z")
    at = {"account": HOME.account, "channel": HOME.channel}
    finished, active = asked(seller, state="1")["reconciliations"]
    period = {"init": f"{DAY}12:00:00+00:00", "end": f"{DAY}13:00:00+00:00"}
    assert finished == {"id": FIRST, **at, **period, "active": False, "quantity": 3, "received": 3}
    later = {"init": f"{DAY}14:00:00+00:00", "end": f"{DAY}15:00:00+00:00"}
    assert active == {"id": FIRST + 1, **at, **later, "active": True, "quantity": 5, "received": 3}


def test_what_was_answered_is_counted_but_not_what_control_answers(seller: Seller) -> None:
    seller.submit()
    seller.submit(status="NONE SUCH")
    seller.look_up(Endpoint.GET_ORDER)
    seller.koncili.handle(Request("GET", "/elsewhere"))
    asked(seller)
    assert asked(seller, state="1")["counts"] == {
        "requests": 4,
        "clientErrors": 2,
        "429": 0,
        "423": 0,
        "perEndpoint": {"POST /order": 2, "GET /order": 1, "other": 1},
    }


def test_refusals_by_a_limit_are_client_errors_too(seller: Seller) -> None:
    seller.koncili.control({"enforceLimits": True})
    for _ in range(91):
        seller.look_up(Endpoint.GET_ORDER)
    for _ in range(410):
        seller.create(releasesQtd=0)
    counts = asked(seller, state="1")["counts"]
    assert (counts["requests"], counts["clientErrors"], counts["429"], counts["423"]) == (501, 501, 1, 1)


def test_an_order_that_is_kept_under_another_code_is_told_with_that() -> None:
    seller = Seller(Koncili(quirks=[defect("qry-05-without-case")]))
    seller.reconcile("ABC")
    (code,) = orders(seller)
    assert code.casefold() == "abc"
    assert orders(seller) == {code: True}
