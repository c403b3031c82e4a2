"""The OpenAPI document and the strategies check each other: on lawful orders, on faults, and on the mock's answers."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from conformance.contract import openapi
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.mock.quirks import Answer
from strategies.calls import Call, calls
from strategies.faults import Case, Kind, cases
from strategies.holes import fill
from strategies.orders import STATUSES
from tests.suite.support import Bench, faults, mock_scope, order_faults, prove

SCOPE: Final = mock_scope({})
"""The document encodes the default readings."""

REFUSED_BY_SHAPE: Final = order_faults(
    "ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-08", "ORD-09", "ORD-10", "ORD-12", "ORD-13", "ORD-18"
)

# An extract without a marketplaceCode of its own is out of shape; that another's is not the order's no schema can say.
WITHOUT_CODE: Final = {"empty", "null", "left out"}
OTHER_CODES: Final = order_faults("ORD-11")
BEYOND_SHAPE: Final = order_faults("ORD-07") | {
    name: kind for name, kind in OTHER_CODES.items() if kind.name not in WITHOUT_CODE
}
CODES_OUT_OF_SHAPE: Final = {name: kind for name, kind in OTHER_CODES.items() if kind.name in WITHOUT_CODE}


def as_sent(body: Any, values: dict[str, str]) -> Any:
    """A body as a validator takes it: its JSON, read with floats for fractions."""
    return json.loads(dumps(fill(body, values)))


def is_valid(call: Call, values: dict[str, str]) -> bool:
    """Whether the body is one that the document describes."""
    return openapi.request_validator(call.endpoint.value).is_valid(as_sent(call.body, values))


def check_fault(case: Case, *, accepted: bool) -> None:
    """Check that the document takes the lawful order, and takes or refuses it with its fault."""
    values = Bench().values(case.lawful.shape)
    assert is_valid(case.lawful, values)
    assert is_valid(case.broken, values) is accepted, f"{case.edit}"


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_a_lawful_order_is_valid(status: str) -> None:
    bench = Bench()

    def law(call: Call) -> None:
        body = as_sent(call.body, bench.values(call.shape))
        openapi.request_validator("submitOrder").validate(body)

    prove(calls(SCOPE, Endpoint.SUBMIT_ORDER, statuses=(status,)), law, 75)


@pytest.mark.parametrize("endpoint", [Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN], ids=lambda it: it.label)
def test_a_lawful_request_for_tokens_is_valid(endpoint: Endpoint) -> None:
    def law(call: Call) -> None:
        assert is_valid(call, Bench().values())

    prove(calls(SCOPE, endpoint), law, 1)


@pytest.mark.parametrize("kind", REFUSED_BY_SHAPE.values(), ids=REFUSED_BY_SHAPE)
def test_a_fault_of_shape_is_invalid(kind: Kind) -> None:
    prove(cases(SCOPE, Endpoint.SUBMIT_ORDER, kind), lambda case: check_fault(case, accepted=False), 6)


@pytest.mark.parametrize("kind", BEYOND_SHAPE.values(), ids=BEYOND_SHAPE)
def test_a_fault_between_two_fields_is_beyond_the_document(kind: Kind) -> None:
    prove(cases(SCOPE, Endpoint.SUBMIT_ORDER, kind), lambda case: check_fault(case, accepted=True), 6)


@pytest.mark.parametrize("kind", CODES_OUT_OF_SHAPE.values(), ids=CODES_OUT_OF_SHAPE)
def test_an_extract_without_a_code_is_invalid(kind: Kind) -> None:
    prove(cases(SCOPE, Endpoint.SUBMIT_ORDER, kind), lambda case: check_fault(case, accepted=False), 6)


# -- answers -------------------------------------------------------------------------------------------------------


def check_answer(endpoint: Endpoint, answer: Answer) -> None:
    """Check that the document declares the answer's status for this endpoint, and its body for this status."""
    validator = openapi.answer_validator(endpoint.value, str(answer.status))
    if validator is not None:
        validator.validate(json.loads(dumps(answer.body)))


@pytest.mark.parametrize("endpoint", Endpoint, ids=lambda endpoint: endpoint.label)
def test_what_the_mock_answers_to_a_lawful_call_is_valid(endpoint: Endpoint) -> None:
    bench = Bench()

    def law(call: Call) -> None:
        answer = bench.koncili.handle(bench.request(call, bench.ready(call)))
        assert answer.status == 200
        check_answer(endpoint, answer)

    prove(calls(SCOPE, endpoint), law, 40)


REFUSALS: Final = [
    pytest.param(kind, endpoint, id=f"{rule_id} on {endpoint.label}: {fault}, {kind.name}")
    for rule_id, fault, kind, endpoint in faults()
]


@pytest.mark.parametrize(("kind", "endpoint"), REFUSALS)
def test_what_the_mock_answers_to_a_fault_is_valid(kind: Kind, endpoint: Endpoint) -> None:
    bench = Bench()

    def law(case: Case) -> None:
        answer = bench.koncili.handle(bench.request(case.broken, bench.ready(case.lawful)))
        assert 400 <= answer.status < 500
        assert openapi.answer_validator(endpoint.value, str(answer.status)) is not None, "the body is documented"
        check_answer(endpoint, answer)

    prove(cases(SCOPE, endpoint, kind), law, 2)


def test_the_mock_s_refusal_of_a_foreign_order_is_valid() -> None:
    bench = Bench()
    place = SCOPE.places[0]
    query = {"marketplaceCode": SCOPE.foreign_code, "channelName": place.channel, "accountId": str(place.account)}
    found = bench.koncili.handle(bench.request(Call(Endpoint.GET_ORDER, query=query), bench.values()))
    assert found.status == 200
    check_answer(Endpoint.GET_ORDER, found)
    kept = bench.koncili.handle(bench.request(Call(Endpoint.DELETE_ORDER, query=query), bench.values()))
    assert kept.status == 400
    check_answer(Endpoint.DELETE_ORDER, kept)
