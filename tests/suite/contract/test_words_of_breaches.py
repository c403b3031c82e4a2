"""What a breach says: the rule, the field, and the words. They become errorSource and errorMessage of a mock's answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT, Call
from tests.suite.support.bodies import (
    CODE,
    DAY,
    END,
    ENTRIES,
    HOUR,
    INIT,
    KEY,
    NEIGHBOUR,
    Body,
    breaches_of,
    creation,
    entries,
    open_world,
    order,
    release,
)
from tests.suite.support.properties import HOME, Bench

QUERY: Final = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}

Told = tuple[str, str, str]
"""Rule, field and words of a breach."""


def told(breaches: list[Breach]) -> list[Told]:
    """What they say, in order."""
    return [(breach.rule, breach.field, breach.message) for breach in breaches]


def asked(bench: Bench, endpoint: Endpoint, **call: Any) -> list[Told]:
    """What the breaches of a call say."""
    request = bench.request(Call(endpoint, **call), bench.values())
    return told(judge(request, bench.koncili.world, bench.koncili.readings))


# -- addresses, tokens, headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "what"), [("PUT", "/order", "method"), ("GET", "/orders", "path")])
def test_an_unknown_address(method: str, path: str, what: str) -> None:
    bench = Bench()
    breaches = judge(Request(method, path), bench.koncili.world, bench.koncili.readings)
    assert told(breaches) == [("ERR-04", what, f"{method} {path} is not a documented {what}")]


CREDENTIALS: Final[dict[str, tuple[object, str]]] = {
    "no text": (7, "credentials must be the base64 of email:password"),
    "no base64": ("%", "credentials must be the base64 of email:password"),
    "another's": (encode_credentials("nobody@koncili.example", "x"), "wrong email or password"),
    "another password": (encode_credentials(world.EMAIL, "x"), "wrong email or password"),
}


@pytest.mark.parametrize(("credentials", "words"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_wrong_credentials(credentials: object, words: str) -> None:
    seen = asked(Bench(), Endpoint.CREATE_TOKEN, body={"credentials": credentials})
    assert seen == [("AUTH-02", "credentials", words)]


@pytest.mark.parametrize("token", [LEFT_OUT, 7, "unknown"], ids=repr)
def test_a_wrong_refresh_token(token: object) -> None:
    seen = asked(Bench(), Endpoint.REFRESH_TOKEN, body={} if token is LEFT_OUT else {"refreshToken": token})
    assert seen == [("AUTH-07", "refreshToken", "refreshToken is unknown, used or missing")]


HEADERS: Final[dict[str, tuple[dict[str, str | None], Told]]] = {
    "no token": ({"gumgaToken": None}, ("AUTH-03", "gumgaToken", "gumgaToken is missing")),
    "another token": ({"gumgaToken": "x"}, ("AUTH-04", "gumgaToken", "gumgaToken is unknown")),
    "no integrator": ({"integrator": None}, ("AUTH-08", "integrator", "integrator must be the integrator's UUID")),
    "no UUID": ({"integrator": "x"}, ("AUTH-08", "integrator", "integrator must be the integrator's UUID")),
}


@pytest.mark.parametrize(("headers", "expected"), HEADERS.values(), ids=HEADERS)
def test_wrong_headers(headers: dict[str, str | None], expected: Told) -> None:
    assert asked(Bench(), Endpoint.LIST_ACCOUNTS, headers=headers) == [expected]
    for endpoint in Endpoint:
        if endpoint.needs_token:
            assert asked(Bench(), endpoint, headers=headers)[0] == expected, (
                f"of {endpoint.label} without anything else"
            )


def test_a_token_that_has_expired() -> None:
    bench = Bench()
    request = bench.request(Call(Endpoint.LIST_ACCOUNTS), bench.values())
    bench.koncili.clock.advance(7200)
    breaches = judge(request, bench.koncili.world, bench.koncili.readings)
    assert told(breaches) == [("AUTH-05", "gumgaToken", "gumgaToken has expired")]


# -- accounts ------------------------------------------------------------------------------------------------------

PLACES: Final[dict[str, tuple[Body, Told]]] = {
    "unknown account": ({"accountId": 7}, ("ACC-02", "accountId", "Account 7 not found")),
    "unknown channel": ({"channelName": "none"}, ("ACC-03", "channelName", "Channel none not found")),
    "not enabled": (
        {"accountId": world.DISABLED.id},
        ("ACC-04", "accountId", "Account 20002 is not enabled for API imports"),
    ),
    "inactive": ({"accountId": world.INACTIVE.id}, ("ACC-05", "accountId", "Account 20001 is inactive")),
    "not authorised": (
        {"channelName": world.OTHER_CHANNEL},
        ("ACC-06", "channelName", "Account 19055 is not authorised on channel OTHER_CHANNEL"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), PLACES.values(), ids=PLACES)
def test_a_wrong_account_or_channel(changes: Body, expected: Told) -> None:
    for endpoint, body in (
        (Endpoint.SUBMIT_ORDER, order(**changes)),
        (Endpoint.CREATE_RECONCILIATION, creation(**changes)),
        (Endpoint.SUBMIT_RELEASE, release(**changes)),
    ):
        assert asked(Bench(), endpoint, body=body) == [expected]
    query = {**QUERY, **{name: str(value) for name, value in changes.items()}}
    for endpoint in (Endpoint.GET_ORDER, Endpoint.DELETE_ORDER):
        assert asked(Bench(), endpoint, query=query) == [expected]


# -- orders --------------------------------------------------------------------------------------------------------

STATUSES: Final = "INVOICED, PAID_WAITING_DELIVERY, CONCLUDED, CANCELED"
TYPES: Final = "SALE, COMISSION, SHIP, RETURN_COMISSION, RETURN_SHIP"

ORDERS: Final[dict[str, tuple[Body, Told]]] = {
    "no code": ({"marketplaceCode": None}, ("ORD-12", "marketplaceCode", "marketplaceCode is missing")),
    "an empty code": ({"marketplaceCode": ""}, ("ORD-12", "marketplaceCode", "marketplaceCode is missing")),
    "an empty channel": ({"channelName": ""}, ("ACC-03", "channelName", "Channel  not found")),
    "no text for a channel": ({"channelName": 7}, ("ORD-13", "channelName", "channelName is not a string")),
    "no id": ({"accountId": "x"}, ("ORD-13", "accountId", "accountId is not an account id")),
    "no total": ({"totalGrossValue": "1"}, ("ORD-13", "totalGrossValue", "totalGrossValue is not a number")),
    "no text for a date": ({"sendDate": 7}, ("ORD-13", "sendDate", "sendDate is not a date")),
    "no instant": ({"sendDate": "x"}, ("ORD-08", "sendDate", "sendDate is not an ISO 8601 instant")),
    "canceled too early": (
        {"cancelDate": "2024-02-09T11:59:59Z"},
        ("ORD-07", "createdDate", "createdDate is later than cancelDate"),
    ),
    "no text for a status": ({"status": 7}, ("ORD-13", "status", "status is not a string")),
    "another status": ({"status": "PAID"}, ("ORD-02", "status", f"status must be one of {STATUSES}")),
    "no date for a status": (
        {"status": "CANCELED"},
        ("ORD-05", "cancelDate", "cancelDate is mandatory for CANCELED"),
    ),
    "no extracts": ({"extracts": []}, ("ORD-18", "extracts", "extracts is empty")),
    "no array": ({"extracts": {}}, ("ORD-13", "extracts", "extracts is not an array")),
    "no object": ({"extracts": [7]}, ("ORD-13", "extracts[0]", "extracts[0] is not an object")),
}


@pytest.mark.parametrize(("changes", "expected"), ORDERS.values(), ids=ORDERS)
def test_an_order(changes: Body, expected: Told) -> None:
    assert told(breaches_of(Bench(), Endpoint.SUBMIT_ORDER, order(**changes))) == [expected]


EXTRACTS: Final[dict[str, tuple[Body, str, str, str]]] = {
    "another type": ({"type": "FREIGHT"}, "ORD-09", "type", "must be one of SALE, COMISSION, SHIP"),
    "another code": ({"marketplaceCode": "X"}, "ORD-11", "marketplaceCode", "is not the order's"),
    "no value": ({"value": LEFT_OUT}, "ORD-12", "value", "is missing"),
    "no number": ({"value": "1"}, "ORD-13", "value", "is not a number"),
    "the other sign": ({"value": -1}, "ORD-10", "value", "has a sign that contradicts SALE"),
    "no percentage": ({"percentage": "1"}, "ORD-13", "percentage", "is not a number"),
    "no text for a date": ({"expectedDate": 7}, "ORD-13", "expectedDate", "is not a date"),
    "no instant": ({"expectedDate": "x"}, "ORD-08", "expectedDate", "is not an ISO 8601 instant"),
}


@pytest.mark.parametrize(("changes", "rule", "field", "words"), EXTRACTS.values(), ids=EXTRACTS)
def test_an_extract(changes: Body, rule: str, field: str, words: str) -> None:
    first, second, third = entries(*ENTRIES)
    changed = {name: value for name, value in {**first, **changes}.items() if value is not LEFT_OUT}
    seen = told(breaches_of(Bench(), Endpoint.SUBMIT_ORDER, order(extracts=[second, changed, third])))
    assert seen == [(rule, f"extracts[1].{field}", f"extracts[1].{field} {words}")]


# -- queries and deletions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUERY)
def test_a_query_without_a_parameter(name: str) -> None:
    query = {key: value for key, value in QUERY.items() if key != name}
    expected = ("ORD-12", name, f"query parameter {name} is missing or malformed")
    assert asked(Bench(), Endpoint.GET_ORDER, query=query) == [expected]


@pytest.mark.parametrize(("endpoint", "rule"), [(Endpoint.GET_ORDER, "QRY-02"), (Endpoint.DELETE_ORDER, "DEL-02")])
def test_an_order_that_is_not_there(endpoint: Endpoint, rule: str) -> None:
    assert asked(Bench(), endpoint, query=QUERY) == [(rule, "marketplaceCode", f"Order {CODE} not found")]


def test_an_order_that_may_not_be_deleted() -> None:
    bench = open_world()
    foreign = {**QUERY, "marketplaceCode": world.FOREIGN_CODE}
    words = "Order FOREIGN-1 did not come through the API"
    assert asked(bench, Endpoint.DELETE_ORDER, query=foreign) == [("DEL-03", "marketplaceCode", words)]
    bench.koncili.world.reconciled.add(KEY)
    words = f"Order {CODE} is reconciled"
    assert asked(bench, Endpoint.DELETE_ORDER, query=QUERY) == [("DEL-04", "marketplaceCode", words)]


# -- reconciliations -----------------------------------------------------------------------------------------------

CREATIONS: Final[dict[str, tuple[Body, Told]]] = {
    "no channel": ({"channelName": 7}, ("REC-08", "channelName", "channelName is missing or no string")),
    "no account": ({"accountId": None}, ("REC-08", "accountId", "accountId is missing or no account id")),
    "no beginning": (
        {"periodInitDate": 7},
        ("REC-08", "periodInitDate", "periodInitDate is missing or no ISO 8601 instant"),
    ),
    "no end": ({"periodEndDate": None}, ("REC-08", "periodEndDate", "periodEndDate is missing or no ISO 8601 instant")),
    "no period": (
        {"periodInitDate": END},
        ("REC-03", "periodInitDate", "periodInitDate is not earlier than periodEndDate"),
    ),
    "no count": ({"releasesQtd": None}, ("REC-08", "releasesQtd", "releasesQtd is missing")),
    "none": ({"releasesQtd": 0}, ("REC-07", "releasesQtd", "releasesQtd is not a positive integer")),
    "no total": ({"totalNetValue": "1"}, ("REC-08", "totalNetValue", "totalNetValue is not a number")),
}


@pytest.mark.parametrize(("changes", "expected"), CREATIONS.values(), ids=CREATIONS)
def test_a_creation(changes: Body, expected: Told) -> None:
    assert told(breaches_of(Bench(), Endpoint.CREATE_RECONCILIATION, creation(**changes))) == [expected]


BESIDE: Final[dict[str, tuple[str, str, Told]]] = {
    "equal": (INIT, END, ("REC-04", "periodInitDate", "the period equals, holds or lies within an earlier one")),
    "overlapping": (
        f"{DAY}12:30:00Z",
        f"{DAY}13:30:00Z",
        ("REC-05", "periodInitDate", "the period overlaps an earlier one"),
    ),
    "touching": (END, f"{DAY}14:00:00Z", ("REC-11", "periodInitDate", "the period touches an earlier one")),
}


@pytest.mark.parametrize(("begins", "ends", "expected"), BESIDE.values(), ids=BESIDE)
def test_a_creation_beside_an_earlier_one(begins: str, ends: str, expected: Told) -> None:
    bench = Bench(Koncili(readings={"adjacent-periods": "overlap"}))
    bench.open(HOME, INIT, HOUR, finished=True)
    body = creation(periodInitDate=begins, periodEndDate=ends)
    assert told(breaches_of(bench, Endpoint.CREATE_RECONCILIATION, body)) == [expected]


def test_a_creation_while_another_is_active() -> None:
    bench = Bench()
    bench.open(HOME, f"{DAY}20:00:00Z")
    assert told(breaches_of(bench, Endpoint.CREATE_RECONCILIATION, creation())) == [
        ("REC-06", "channelName", "another reconciliation is active on this channel")
    ]


# -- releases ------------------------------------------------------------------------------------------------------

RELEASES: Final[dict[str, tuple[Body, Told]]] = {
    "no code": ({"marketplaceCode": None}, ("REL-17", "marketplaceCode", "marketplaceCode is missing or no string")),
    "no account": ({"accountId": None}, ("REL-17", "accountId", "accountId is missing or no account id")),
    "no reconciliation": ({"reconciliationId": None}, ("REL-02", "reconciliationId", "reconciliationId is missing")),
    "no integer for one": (
        {"reconciliationId": "7"},
        ("REL-17", "reconciliationId", "reconciliationId is not an integer"),
    ),
    "an unknown one": ({"reconciliationId": 7}, ("REL-02", "reconciliationId", "Reconciliation 7 not found")),
    "another status": ({"status": "PAID"}, ("REL-17", "status", "status is none of an order")),
    "no day of creation": (
        {"createdDate": "x"},
        ("REL-17", "createdDate", "createdDate is missing or no ISO 8601 instant"),
    ),
    "no day of release": (
        {"releasedDate": None},
        ("REL-17", "releasedDate", "releasedDate is missing or no ISO 8601 instant"),
    ),
    "another day of release": (
        {"releasedDate": f"{DAY}20:00:00Z"},
        ("REL-03", "releasedDate", "releasedDate is outside the period"),
    ),
    "another type of release": ({"releaseType": "LATER"}, ("REL-04", "releaseType", "releaseType must be IN_CASH")),
    "no integer for an installment": (
        {"installment": "1"},
        ("REL-17", "installment", "installment is not an integer"),
    ),
    "no integer for how many": (
        {"installmentQuantity": "1"},
        ("REL-17", "installmentQuantity", "installmentQuantity is not an integer"),
    ),
    "installment zero": ({"installment": 0}, ("REL-16", "installment", "installment is below 1")),
    "two of one": ({"installment": 2}, ("REL-16", "installment", "installment is above installmentQuantity")),
    "no entries": ({"releases": None}, ("REL-17", "releases", "releases is missing or no array")),
    "no object": ({"releases": [7]}, ("REL-17", "releases[0]", "releases[0] is not an object")),
    "too few entries": ({"releases": entries(ENTRIES[0])}, ("REL-09", "releases", "1 entries for 3 extracts")),
    "other types": (
        {"releases": entries(ENTRIES[0], ENTRIES[1], ("RETURN_SHIP", "-27.95"))},
        ("REL-07", "releases", "the types of releases are not those of the extracts"),
    ),
    "other values": (
        {"releases": entries(ENTRIES[0], ENTRIES[1], ("SHIP", "-27.96"))},
        ("REL-08", "releases", "the values of releases are not those of the extracts"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), RELEASES.values(), ids=RELEASES)
def test_a_release(changes: Body, expected: Told) -> None:
    assert told(breaches_of(open_world(), Endpoint.SUBMIT_RELEASE, release(**changes))) == [expected]


IN_ITS_PLACE: Final[dict[str, tuple[Body, str, str, str]]] = {
    "another type": ({"type": "FREIGHT"}, "REL-05", "type", f"must be one of {TYPES}"),
    "another code": ({"marketplaceCode": "X"}, "REL-10", "marketplaceCode", "is not the release's"),
    "no value": ({"value": LEFT_OUT}, "REL-17", "value", "is missing or no number"),
    "the other sign": ({"value": Decimal("24.44")}, "REL-06", "value", "has a sign that contradicts COMISSION"),
}


@pytest.mark.parametrize(("changes", "rule", "field", "words"), IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
def test_an_entry(changes: Body, rule: str, field: str, words: str) -> None:
    first, second, third = entries(*ENTRIES)
    changed = {name: value for name, value in {**second, **changes}.items() if value is not LEFT_OUT}
    seen = told(breaches_of(open_world(), Endpoint.SUBMIT_RELEASE, release(releases=[first, changed, third])))
    assert seen == [(rule, f"releases[1].{field}", f"releases[1].{field} {words}")]


def test_a_release_for_another_reconciliation() -> None:
    bench = open_world(place=NEIGHBOUR)
    assert told(breaches_of(bench, Endpoint.SUBMIT_RELEASE, release())) == [
        ("REL-14", "reconciliationId", "the reconciliation is of another account or channel")
    ]


def test_a_release_at_the_end_of_a_period_without_its_ends() -> None:
    bench = open_world({"period-bounds": "exclusive"})
    assert told(breaches_of(bench, Endpoint.SUBMIT_RELEASE, release(releasedDate=END))) == [
        ("REL-20", "releasedDate", "releasedDate is not within the period")
    ]


def test_a_release_of_an_unknown_order() -> None:
    body = release("X")
    assert told(breaches_of(open_world(), Endpoint.SUBMIT_RELEASE, body)) == [
        ("REL-13", "marketplaceCode", "Order X not found")
    ]


def test_a_release_that_is_there_already() -> None:
    bench = open_world()
    bench.koncili.world.released.add(KEY)
    assert told(breaches_of(bench, Endpoint.SUBMIT_RELEASE, release())) == [
        ("REL-11", "marketplaceCode", "this order's release is there already")
    ]


def test_a_release_beyond_what_was_announced() -> None:
    assert told(breaches_of(open_world(quantity=2), Endpoint.SUBMIT_RELEASE, release())) == [
        ("REL-12", "releases", "more entries than releasesQtd announced")
    ]


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "rule"),
    [
        (Endpoint.SUBMIT_ORDER, "ORD-14"),
        (Endpoint.CREATE_RECONCILIATION, "REC-08"),
        (Endpoint.SUBMIT_RELEASE, "REL-17"),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_a_body_that_is_no_object(endpoint: Endpoint, rule: str) -> None:
    assert asked(Bench(), endpoint, body=[7]) == [(rule, "body", "the body is not a JSON object")]
    ((seen, field, words),) = asked(Bench(), endpoint)
    assert (seen, field) == (rule, "body")
    assert words.startswith("the body is not JSON: ")
