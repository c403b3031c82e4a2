"""Numbers written as text, and whole numbers written with a point, are taken as the readings say; judge and mock alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract import openapi
from conformance.contract.coercion import as_taken
from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import NEVER_PROBED, resolve
from conformance.mock.koncili import Koncili
from strategies.calls import Call
from tests.suite.support.bodies import creation, order
from tests.suite.support.properties import Bench

TAKES_TEXT: Final = resolve({"scalar-coercion": "accepted"})
DEFAULTS: Final = resolve({})
NO_DECIMALS: Final = resolve({"whole-as-decimal": "rejected"})

TAKEN: Final[dict[str, tuple[Mapping[str, str], dict[str, Any], dict[str, Any]]]] = {
    "text stays by default": (DEFAULTS, {"totalGrossValue": "203.63"}, {"totalGrossValue": "203.63"}),
    "text at its value": (TAKES_TEXT, {"totalGrossValue": "203.63"}, {"totalGrossValue": Decimal("203.63")}),
    "with an exponent": (TAKES_TEXT, {"totalGrossValue": "0.20363e3"}, {"totalGrossValue": Decimal("203.63")}),
    "a count as text": (TAKES_TEXT, {"releasesQtd": "3"}, {"releasesQtd": 3}),
    "in an item": (TAKES_TEXT, {"extracts": [{"value": "-1"}, "x"]}, {"extracts": [{"value": -1}, "x"]}),
    "what is no number of JSON": (TAKES_TEXT, {"totalGrossValue": "1,5"}, {"totalGrossValue": "1,5"}),
    "nothing": (TAKES_TEXT, {"totalGrossValue": ""}, {"totalGrossValue": ""}),
    "with a zero before it": (TAKES_TEXT, {"totalGrossValue": "010.5"}, {"totalGrossValue": "010.5"}),
    "with a blank before it": (TAKES_TEXT, {"totalGrossValue": " 1"}, {"totalGrossValue": " 1"}),
    "beyond any number": (TAKES_TEXT, {"releasesQtd": "1E+9999"}, {"releasesQtd": "1E+9999"}),
    "no text of another field": (TAKES_TEXT, {"marketplaceCode": "7"}, {"marketplaceCode": "7"}),
    "a whole number with a point": (DEFAULTS, {"releasesQtd": Decimal("3.0")}, {"releasesQtd": 3}),
    "a whole number with an exponent": (DEFAULTS, {"reconciliationId": Decimal("3E0")}, {"reconciliationId": 3}),
    "an account with a point": (DEFAULTS, {"accountId": Decimal("19055.0")}, {"accountId": 19055}),
    "a fraction": (DEFAULTS, {"releasesQtd": Decimal("3.5")}, {"releasesQtd": Decimal("3.5")}),
    "a point, where none is taken": (NO_DECIMALS, {"releasesQtd": Decimal("3.0")}, {"releasesQtd": Decimal("3.0")}),
    "a huge exponent": (DEFAULTS, {"releasesQtd": Decimal("1E+999999")}, {"releasesQtd": Decimal("1E+999999")}),
}


@pytest.mark.parametrize(("readings", "sent", "taken"), TAKEN.values(), ids=TAKEN)
def test_a_scalar_is_taken_as_the_readings_say(
    readings: Mapping[str, str], sent: dict[str, Any], taken: dict[str, Any]
) -> None:
    assert repr(as_taken(sent, readings)) == repr(taken)


def test_neither_reading_is_probed() -> None:
    """A server that coerces by accident would else be read as one that means it."""
    assert {"scalar-coercion", "whole-as-decimal"} <= NEVER_PROBED


WHOLE: Final = Decimal("3.0")


@pytest.mark.parametrize(("reading", "expected"), [("accepted", []), ("rejected", ["REC-07"])])
def test_judge_and_document_agree_that_a_whole_number_may_have_a_point(reading: str, expected: list[str]) -> None:
    bench = Bench(Koncili(readings={"whole-as-decimal": reading}))
    call = Call(Endpoint.CREATE_RECONCILIATION, body={**creation(), "releasesQtd": WHOLE})
    assert bench.broken_rules(call, bench.values()) == expected
    document = openapi.request_validator("createReconciliation")
    assert document.is_valid({**creation(), "releasesQtd": 3.0})
    assert not document.is_valid({**creation(), "releasesQtd": 3.5})


@pytest.mark.parametrize(("reading", "status"), [("accepted", 200), ("rejected", 400)])
def test_the_mock_takes_amounts_as_text_at_their_value_where_its_reading_says_so(reading: str, status: int) -> None:
    bench = Bench(Koncili(readings={"scalar-coercion": reading}))
    body = order(totalGrossValue=Decimal("203.63"))
    text = {**body, "totalGrossValue": "203.63"}
    text["extracts"] = [{**one, "value": str(one["value"])} for one in body["extracts"]]
    values = bench.values()
    assert bench.koncili.handle(bench.request(Call(Endpoint.SUBMIT_ORDER, body=text), values)).status == status
    if status == 200:
        (stored,) = [version for key in bench.koncili.world.orders if (version := bench.koncili.world.stored(key))][-1:]
        assert stored.body is not None
        assert stored.body["extracts"] == body["extracts"]


@pytest.mark.parametrize(("value", "rule"), [("-1", "ORD-10"), ("x", "ORD-13")])
def test_a_value_as_text_is_judged_at_its_value(value: str, rule: str) -> None:
    bench = Bench(Koncili(readings={"scalar-coercion": "accepted"}))
    body = order()
    body["extracts"] = [{**body["extracts"][0], "value": value}]
    assert bench.broken_rules(Call(Endpoint.SUBMIT_ORDER, body=body), bench.values()) == [rule]
