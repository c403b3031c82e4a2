"""The OpenAPI document and the strategies check each other: on lawful orders, on faults, and on the mock's answers."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from conformance.contract import openapi
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.mock.quirks import Answer
from strategies.calls import Call, calls
from strategies.fault_parts import OF_BATCHES
from strategies.faults import Case, Kind, cases
from strategies.orders import STATUSES
from strategies.placeholders import fill
from tests.suite.support.bodies import CODE, order
from tests.suite.support.properties import BATCH_RULES, Bench, faults, mock_scope, order_faults, prove
from tests.suite.support.seller_client import Seller

SCOPE: Final = mock_scope({})
"""The document encodes the default readings."""

REFUSED_BY_SHAPE: Final = order_faults(
    "ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-08", "ORD-09", "ORD-10", "ORD-12", "ORD-13", "ORD-18", "ORD-21"
)

# An extract without a marketplaceCode of its own is out of shape; that another's is not the order's no schema can say.
WITHOUT_CODE: Final = {"empty", "null", "left out"}
OTHER_CODES: Final = order_faults("ORD-11")
BEYOND_SHAPE: Final = order_faults("ORD-07") | {
    name: kind for name, kind in OTHER_CODES.items() if kind.name not in WITHOUT_CODE
}
CODES_OUT_OF_SHAPE: Final = {name: kind for name, kind in OTHER_CODES.items() if kind.name in WITHOUT_CODE}


# Kinds of a rule that is beyond the document which leave the shape all the same.
OUT_OF_SHAPE: Final = {
    "REL-02": {"left out", "null"},
    "REL-09": {"none"},
    "REL-10": {"null, in one entry", "left out, in one entry"},
    "REL-16": {"zero", "negative", "no installments at all"},
}
BATCH_SHAPES: Final = {"ORD-21", "REC-07", "REC-08", "REL-04", "REL-05", "REL-06", "REL-17"}
"""Rules about reconciliations and releases that the document tells by itself."""


def is_beyond_shape(rule_id: str, kind: Kind) -> bool:
    """Whether the document takes a creation or release in spite of this fault."""
    return rule_id not in BATCH_SHAPES and kind.name not in OUT_OF_SHAPE.get(rule_id, ())


FAULTS_OF_BATCHES: Final = [
    pytest.param(kind, endpoint, is_beyond_shape(rule_id, kind), id=f"{rule_id}: {fault}, {kind.name}")
    for rule_id, fault, kind, endpoint in faults("ORD-21", *BATCH_RULES)
    if endpoint in OF_BATCHES and fault != "its body is not a JSON object"
]


def as_sent(body: Any, values: dict[str, str]) -> Any:
    """A body as a validator takes it: its JSON, read with floats for fractions."""
    return json.loads(dumps(fill(body, values)))


def is_valid(call: Call, values: dict[str, str]) -> bool:
    """Whether the body is one that the document describes."""
    return openapi.request_validator(call.endpoint.value).is_valid(as_sent(call.body, values))


def check_fault(case: Case, *, accepted: bool) -> None:
    """Check that the document takes the lawful order, and takes or refuses it with its fault."""
    values = Bench().ready(case.lawful)
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


@pytest.mark.parametrize("endpoint", OF_BATCHES, ids=lambda it: it.label)
def test_a_lawful_creation_or_release_is_valid(endpoint: Endpoint) -> None:
    bench = Bench()

    def law(call: Call) -> None:
        openapi.request_validator(endpoint.value).validate(as_sent(call.body, bench.ready(call)))

    prove(calls(SCOPE, endpoint), law, 75)


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


@pytest.mark.parametrize(("kind", "endpoint", "valid"), FAULTS_OF_BATCHES)
def test_a_fault_of_a_batch_is_invalid_where_it_is_one_of_shape(kind: Kind, endpoint: Endpoint, valid: bool) -> None:
    prove(cases(SCOPE, endpoint, kind), lambda case: check_fault(case, accepted=valid), 3)


INSTANTS: Final[dict[str, tuple[bool, bool]]] = {
    # whether the judge takes it, whether the document does
    "2025-05-09T12:00:00Z": (True, True),
    "2025-05-09T12:00:00.5Z": (True, True),
    "2025-05-09T12:00:00.123456789-03:00": (True, True),
    "2025-05-09T12:00:00+00:00": (True, True),
    "2025-05-09T12:00:00-00:00": (True, True),
    # The document keeps to RFC 3339, which wants the colon; that servers take the offset without it is recommended.
    "2025-05-09T12:00:00-0300": (True, False),
    "2025-05-09T12:00:00": (False, False),
    "2025-05-09": (False, False),
    "2025-02-30T12:00:00Z": (False, False),
    "2025-05-09T25:00:00Z": (False, False),
    "2025-05-09T12:00:00+03:60": (False, False),
    "2025-05-09T12:00:00Zx": (False, False),
    "2025-05-09T24:00:00Z": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize(("text", "taken"), INSTANTS.items(), ids=INSTANTS)
def test_judge_and_document_agree_on_spellings_of_an_instant(text: str, taken: tuple[bool, bool]) -> None:
    body = order(createdDate=text)
    bench = Bench()
    judged = bench.broken_rules(Call(Endpoint.SUBMIT_ORDER, body=body), bench.values()) == []
    assert (judged, is_valid(Call(Endpoint.SUBMIT_ORDER, body=body), {})) == taken


AMOUNTS: Final[dict[str, bool]] = {
    "203.63": True, "203.630": True, "2.0363E2": True, "1e+02": True, "7E-2": True, '"203.63"': False, "[203.63]": False,
    "true": False,
}  # fmt: skip


@pytest.mark.parametrize(("text", "taken"), AMOUNTS.items(), ids=AMOUNTS)
def test_judge_and_document_agree_on_spellings_of_an_amount(text: str, taken: bool) -> None:
    bench, body = Bench(), order(totalGrossValue=loads(text))
    call = Call(Endpoint.SUBMIT_ORDER, body=body)
    assert (bench.broken_rules(call, bench.values()) == [], is_valid(call, {})) == (taken, taken)


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
        assert answer.status == (201 if endpoint is Endpoint.CREATE_RECONCILIATION else 200)
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


@pytest.mark.parametrize("situation", ["CONCILIED", "ERROR"])
def test_what_the_mock_refuses_of_a_reconciled_order_and_tells_of_it_is_valid(situation: str) -> None:
    seller = Seller()
    number = seller.reconcile(CODE)
    if situation == "ERROR":
        seller.koncili.control({"failReconciliation": number})
    seller.wait()
    assert seller.ended == [(number, situation)]
    check_notifications(seller)
    kept = seller.look_up(Endpoint.DELETE_ORDER)
    assert kept.status == (400 if situation == "CONCILIED" else 200)
    check_answer(Endpoint.DELETE_ORDER, kept)


@pytest.mark.parametrize("type_", ["TEST_NOTIFICATION", "ACCOUNT_CREATED", "BLOCKED_TEMPORARY", "BLOCKED_PERMANENT"])
def test_what_the_mock_tells_when_it_is_asked_to_is_valid(type_: str) -> None:
    seller = Seller()
    seller.koncili.control({"notify": type_})
    check_notifications(seller)


def test_what_the_mock_answers_and_tells_beyond_its_limits_is_valid() -> None:
    seller = Seller()
    seller.koncili.control({"enforceLimits": True})
    answers = [seller.look_up(Endpoint.GET_ORDER) for _ in range(91)]
    answers += [seller.look_up(Endpoint.DELETE_ORDER) for _ in range(300)]
    answers += [seller.send(Endpoint.CREATE_RECONCILIATION, {}) for _ in range(1200)]
    assert {answer.status for answer in answers} == {404, 429, 400, 423}
    for endpoint in (Endpoint.GET_ORDER, Endpoint.DELETE_ORDER, Endpoint.CREATE_RECONCILIATION):
        for answer in (answers[90], answers[-1]):
            check_answer(endpoint, answer)
    seller.wait(0)
    check_notifications(seller, 2)


def check_notifications(seller: Seller, count: int = 1) -> None:
    """Check that so many came, each as the document has those of its type."""
    assert len(seller.heard) == count
    for heard in seller.heard:
        openapi.webhook_validator(heard["notificationType"]).validate(json.loads(dumps(heard)))
