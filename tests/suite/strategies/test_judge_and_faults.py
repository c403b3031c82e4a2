"""Faults and judge check each other: a fault breaks its rule by the judge, no other, and its twin breaks none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.contract.order_rules import Breach
from conformance.contract.rules import Side, catalogue
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.calls import LEFT_OUT, Call, calls
from strategies.fault_parts import OF_BATCHES
from strategies.faults import FAULTLESS, FAULTS, Case, Kind, cases
from tests.suite.support.properties import (
    BATCH_READINGS,
    BATCH_RULES,
    HOME,
    JSON_VALUES,
    ORDER_READINGS,
    READINGS,
    Bench,
    faults,
    mock_scope,
    prove,
    rules_of,
    under,
)

EXAMPLES: Final = 8
EXAMPLES_PER_READING: Final = 2

ALL_FAULTS: Final = [
    pytest.param(rule_id, kind, endpoint, id=f"{rule_id} on {endpoint.label}: {fault}, {kind.name}")
    for rule_id, fault, kind, endpoint in faults()
]


def check_case(bench: Bench, rule_id: str, case: Case) -> None:
    """Check that the call breaks this rule and no other, and its twin none."""
    values = bench.ready(case.lawful)
    assert bench.broken_rules(case.lawful, values) == []
    broken = bench.broken_rules(case.broken, values)
    assert set(broken) == {rule_id}, f"{case.edit} breaks {broken or 'nothing'}"


# -- every fault ---------------------------------------------------------------------------------------------------


def test_every_refusable_rule_has_faults_or_says_why_not() -> None:
    refusable = {rule.id for rule in catalogue().rules.values() if Side.REFUSED in rule.sides}
    assert set(FAULTS) | set(FAULTLESS) == refusable
    assert set(FAULTS).isdisjoint(FAULTLESS)


def test_every_kind_can_be_made_under_some_reading() -> None:
    made = {id(kind) for readings in READINGS for _, _, kind, _ in faults(readings=readings)}
    assert [
        kind.name for fault in FAULTS.values() for kinds in fault.values() for kind in kinds if id(kind) not in made
    ] == []


@pytest.mark.parametrize(("rule_id", "kind", "endpoint"), ALL_FAULTS)
def test_a_fault_breaks_its_rule_and_no_other(rule_id: str, kind: Kind, endpoint: Endpoint) -> None:
    bench, scope = Bench(), mock_scope({})
    prove(cases(scope, endpoint, kind), lambda case: check_case(bench, rule_id, case), EXAMPLES)


OTHER_RULES: Final = tuple(rule_id for rule_id in FAULTS if rule_id not in BATCH_RULES)


def test_only_of_two_rules_does_a_reading_take_the_refusal_away() -> None:
    every = {(rule_id, readings) for rule_id in FAULTS for readings in READINGS if READINGS[readings]}
    assert every - {*under(*FAULTS, some=READINGS)} == {
        ("ORD-18", "empty extracts accepted"),
        ("REL-08", "discrepancies taken"),
    }


# Those of batches are in test_judge_of_reconciliations.py.
@pytest.mark.parametrize(("rule_id", "readings"), under(*OTHER_RULES, some=ORDER_READINGS))
def test_a_fault_breaks_its_rule_and_no_other_under_other_readings(rule_id: str, readings: str) -> None:
    scope = mock_scope(READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))
    for _, _, kind, endpoint in faults(rule_id, readings=readings):
        prove(cases(scope, endpoint, kind), lambda case: check_case(bench, rule_id, case), EXAMPLES_PER_READING)


@pytest.mark.parametrize(("rule_id", "kind", "endpoint"), ALL_FAULTS)
def test_the_mock_refuses_the_fault_as_documented_and_takes_its_twin(
    rule_id: str, kind: Kind, endpoint: Endpoint
) -> None:
    bench, scope, rule = Bench(), mock_scope({}), catalogue()[rule_id]

    def law(case: Case) -> None:
        values = bench.ready(case.lawful)
        refused = bench.koncili.handle(bench.request(case.broken, values))
        assert refused.status in rule.refused
        if rule.codes:
            assert isinstance(refused.body, dict)
            assert refused.body["errorCode"] == rule.codes[0]
        assert bench.koncili.handle(bench.request(case.lawful, values)).status in rule.accepted

    prove(cases(scope, endpoint, kind), law, EXAMPLES_PER_READING)


@pytest.mark.parametrize(
    ("readings", "endpoint"),
    [
        pytest.param(readings, endpoint, id=f"{readings}: {endpoint.label}")
        for endpoint in Endpoint
        for readings in (BATCH_READINGS if endpoint in OF_BATCHES else ORDER_READINGS)
    ],
)
def test_a_lawful_call_breaks_nothing(readings: str, endpoint: Endpoint) -> None:
    scope = mock_scope(READINGS[readings])
    bench = Bench(Koncili(readings=scope.readings))

    def law(call: Call) -> None:
        assert bench.broken_rules(call, bench.ready(call)) == []

    prove(calls(scope, endpoint), law, 40)


@pytest.mark.parametrize("value", [[], None, LEFT_OUT], ids=["empty", "null", "left out"])
def test_no_extracts_are_fine_where_the_reading_says_so(value: object) -> None:
    assert broken(order(extracts=value)) == ["ORD-18"]
    assert broken(order(extracts=value), {"empty-extracts": "accepted"}) == []


# -- the judge by table --------------------------------------------------------------------------------------------

CODE: Final = "701-2798273-4005859"

Order = dict[str, Any]


def extract(**changes: object) -> Order:
    """A lawful SALE of this order, changed."""
    return changed({"marketplaceCode": CODE, "type": "SALE", "value": Decimal("203.63")}, changes)


def order(**changes: object) -> Order:
    """A lawful order with a full chain of dates, changed."""
    lawful = {
        "marketplaceCode": CODE,
        "channelName": HOME.channel,
        "accountId": HOME.account,
        "status": "CONCLUDED",
        "createdDate": "2025-05-09T12:00:00Z",
        "approvedDate": "2025-05-10T12:00:00Z",
        "sendDate": "2025-05-11T12:00:00Z",
        "estimatedDeliveryDate": "2025-05-15T12:00:00Z",
        "deliveryDate": "2025-05-14T12:00:00Z",
        "cancelDate": None,
        "totalGrossValue": Decimal("203.63"),
        "extracts": [extract()],
    }
    return changed(lawful, changes)


def changed(fields: Order, changes: Mapping[str, object]) -> Order:
    """The fields with these changes; what is LEFT_OUT goes."""
    return {name: value for name, value in {**fields, **changes}.items() if value is not LEFT_OUT}


def submission(bench: Bench, body: bytes, **headers: str) -> Request:
    """POST /order with lawful headers but for those given by their lower-case name; an empty one is left out."""
    access, _ = bench.koncili.world.issue_tokens()
    lawful = {TOKEN_HEADER.lower(): access, INTEGRATOR_HEADER: world.INTEGRATOR}
    return Request(
        "POST", "/order", headers={name: value for name, value in (lawful | headers).items() if value}, body=body
    )


def judged(bench: Bench, request: Request) -> list[str]:
    """The rules that a request breaks."""
    return rules_of(judge(request, bench.koncili.world, bench.koncili.readings))


def breaches_of(body: Order, readings: Mapping[str, str] | None = None) -> list[Breach]:
    """What the judge says of a submission."""
    bench = Bench(Koncili(readings=readings))
    return judge(submission(bench, dumps(body).encode()), bench.koncili.world, bench.koncili.readings)


def broken(body: Order, readings: Mapping[str, str] | None = None) -> list[str]:
    """The rules that a submission breaks."""
    return rules_of(breaches_of(body, readings))


def test_the_order_that_the_tables_change_is_lawful() -> None:
    assert broken(order()) == []


IN_SEQUENCE: Final[dict[str, tuple[Order, dict[str, str], list[str]]]] = {
    "token before integrator": ({}, {"gumgatoken": "", "integrator": "x"}, ["AUTH-03", "AUTH-08"]),
    "token before body": ({"status": "PAID"}, {"gumgatoken": "x"}, ["AUTH-04", "ORD-02"]),
    "integrator before body": ({"status": "PAID"}, {"integrator": ""}, ["AUTH-08", "ORD-02"]),
    "body before account": ({"status": "PAID", "accountId": 1}, {}, ["ORD-02", "ACC-02"]),
    "account before channel": ({"accountId": 1, "channelName": "none"}, {}, ["ACC-02", "ACC-03"]),
    "token, body, account": (
        {"status": "PAID", "accountId": world.INACTIVE.id},
        {"gumgatoken": "x"},
        ["AUTH-04", "ORD-02", "ACC-05"],
    ),
}


@pytest.mark.parametrize(("changes", "headers", "expected"), IN_SEQUENCE.values(), ids=IN_SEQUENCE)
def test_breaches_come_in_the_sequence_a_server_looks(
    changes: Order, headers: dict[str, str], expected: list[str]
) -> None:
    bench = Bench()
    assert judged(bench, submission(bench, dumps(order(**changes)).encode(), **headers)) == expected


LENIENTLY_READ: Final[dict[str, tuple[Order, list[str]]]] = {
    # what servers were seen to take, and the rule that it breaks
    "an ordinal of a status": ({"status": 0}, ["ORD-13"]),
    "an ordinal of a status as text": ({"status": "0"}, ["ORD-02"]),
    "an ordinal of a type as text": ({"extracts": [extract(type="1")]}, ["ORD-09"]),
    "an ordinal of a type": ({"extracts": [extract(type=1)]}, ["ORD-09"]),
    "an amount as text": ({"totalGrossValue": "203.63"}, ["ORD-13"]),
    "an amount in a list": ({"totalGrossValue": [203]}, ["ORD-13"]),
    "one extract for a list": ({"extracts": extract()}, ["ORD-13"]),
    "null beside an extract": ({"extracts": [extract(), None]}, ["ORD-13"]),
    "30 February": ({"createdDate": "2025-02-30T12:00:00Z"}, ["ORD-08"]),
    "text after a date": ({"createdDate": "2025-05-09T12:00:00Zx"}, ["ORD-08"]),
    "an offset of sixty minutes": ({"createdDate": "2025-05-09T12:00:00+03:60"}, ["ORD-08"]),
    "no offset": ({"createdDate": "2025-05-09T12:00:00"}, ["ORD-21"]),
    "no time of day": ({"createdDate": "2025-05-09"}, ["ORD-21"]),
}


@pytest.mark.parametrize(("changes", "expected"), LENIENTLY_READ.values(), ids=LENIENTLY_READ)
def test_what_a_lenient_server_takes_breaks_one_rule(changes: Order, expected: list[str]) -> None:
    assert broken(order(**changes)) == expected


TWO_FAULTS: Final[dict[str, tuple[Order, set[tuple[str, str]]]]] = {
    "status and sign": (
        {"status": "PAID", "extracts": [extract(value=-1)]},
        {("ORD-02", "status"), ("ORD-10", "extracts[0].value")},
    ),
    "two signs": (
        {"extracts": [extract(value=0), extract(), extract(type="COMISSION", value=1)]},
        {("ORD-10", "extracts[0].value"), ("ORD-10", "extracts[2].value")},
    ),
    "two mandatory dates": (
        {"sendDate": None, "deliveryDate": LEFT_OUT},
        {("ORD-04", "sendDate"), ("ORD-04", "deliveryDate")},
    ),
    "malformed and out of order": (
        {"createdDate": "2025-05-12T00:00:00Z", "approvedDate": "yesterday"},
        {("ORD-08", "approvedDate"), ("ORD-07", "createdDate")},
    ),
    "code and type of one extract": (
        {"extracts": [extract(marketplaceCode="other", type="sale")]},
        {("ORD-11", "extracts[0].marketplaceCode"), ("ORD-09", "extracts[0].type")},
    ),
    "missing field and wrong type": (
        {"channelName": LEFT_OUT, "totalGrossValue": "203.63"},
        {("ORD-12", "channelName"), ("ORD-13", "totalGrossValue")},
    ),
    "inactive on another's channel": (
        {"accountId": world.INACTIVE.id, "channelName": world.OTHER_CHANNEL},
        {("ACC-05", "accountId"), ("ACC-06", "channelName")},
    ),
}


@pytest.mark.parametrize(("changes", "expected"), TWO_FAULTS.values(), ids=TWO_FAULTS)
def test_two_faults_show_two_breaches(changes: Order, expected: set[tuple[str, str]]) -> None:
    assert {(breach.rule, breach.field) for breach in breaches_of(order(**changes))} == expected


MANDATORY: Final[dict[str, tuple[str, str, str]]] = {
    # what is broken without this date where the order is paid, concluded, canceled
    "createdDate": ("", "", ""),
    "approvedDate": ("", "", ""),
    "sendDate": ("ORD-03", "ORD-04", ""),
    "estimatedDeliveryDate": ("ORD-03", "ORD-04", ""),
    "deliveryDate": ("", "ORD-04", ""),
    "cancelDate": ("", "", "ORD-05"),
}


@pytest.mark.parametrize("name", MANDATORY)
def test_a_status_demands_its_dates(name: str) -> None:
    for status, rule in zip(("PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED"), MANDATORY[name], strict=True):
        body = order(**{"status": status, "cancelDate": "2025-05-15T12:00:00Z", name: None})
        assert broken(body) == ([rule] if rule else []), status
    assert broken(order(**{"status": "INVOICED", name: None})) == []


SIGNS: Final[dict[str, tuple[str, str, str]]] = {
    # what is broken by minus one, zero and one
    "SALE": ("ORD-10", "ORD-10", ""),
    "COMISSION": ("", "ORD-10", "ORD-10"),
    "RETURN_COMISSION": ("ORD-10", "ORD-10", ""),
    "RETURN_SALE": ("", "ORD-10", "ORD-10"),
    "SHIP": ("", "", ""),
    "RETURN_SHIP": ("", "", ""),
    "ADJUSTMENT": ("", "", ""),
}


@pytest.mark.parametrize("type_", SIGNS)
def test_an_extract_has_the_sign_of_its_type(type_: str) -> None:
    for value, rule in zip((-1, 0, 1), SIGNS[type_], strict=True):
        body = order(extracts=[extract(type=type_, value=value)])
        assert broken(body, {"extract-types": "portal"}) == ([rule] if rule else []), f"{type_} = {value}"


NOON: Final = "2025-05-09T12:00:00Z"
DATES: Final = ("createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate")

CHRONOLOGY: Final[dict[str, tuple[Order, list[str]]]] = {
    "equal instants": (dict.fromkeys(DATES, NOON), []),
    "equal instants, another offset": ({"createdDate": "2025-05-10T09:00:00-03:00"}, []),
    "equal instants, with milliseconds": ({"createdDate": "2025-05-10T12:00:00.000Z"}, []),
    "a late delivery": ({"deliveryDate": "2025-07-01T00:00:00Z"}, []),
    "a millisecond late": ({"createdDate": "2025-05-10T12:00:00.001Z"}, ["ORD-07"]),
    "in order, but not as text": ({"createdDate": "2025-05-10T17:00:00+05:30"}, []),
    "in order as text only": ({"createdDate": "2025-05-10T11:00:00-03:00"}, ["ORD-07"]),
    "sent after the estimate": ({"estimatedDeliveryDate": "2025-05-11T11:59:59Z"}, ["ORD-07"]),
    "sent after delivery": ({"deliveryDate": "2025-05-11T11:59:59Z"}, ["ORD-07"]),
    "null in the chain": ({"approvedDate": None, "createdDate": "2025-05-11T12:00:00.001Z"}, ["ORD-07"]),
    "a gap in the chain": ({"approvedDate": LEFT_OUT, "createdDate": "2025-05-11T12:00:00.001Z"}, ["ORD-07"]),
    "a gap, in order": ({"approvedDate": LEFT_OUT, "createdDate": "2025-05-11T12:00:00Z"}, []),
    "a longer gap": (
        {"status": "INVOICED", "approvedDate": None, "sendDate": None, "createdDate": "2025-05-14T12:00:01Z"},
        ["ORD-07"],
    ),
    "a gap before delivery": (
        {"status": "INVOICED", "sendDate": None, "approvedDate": "2025-05-14T12:00:01Z"},
        ["ORD-07"],
    ),
    "canceled before created": ({"status": "CANCELED", "cancelDate": "2025-05-09T11:59:59Z"}, ["ORD-07"]),
    "canceled when created": ({"status": "CANCELED", "cancelDate": NOON}, []),
    "canceled before approved": ({"status": "CANCELED", "cancelDate": "2025-05-09T13:00:00Z"}, []),
    "estimated before created, never sent": (
        {"status": "INVOICED", "sendDate": None, "estimatedDeliveryDate": "2025-05-01T00:00:00Z"},
        [],
    ),
    "the ends of the calendar": (
        {
            "status": "INVOICED",
            "createdDate": "0001-01-01T00:00:00+23:59",
            "approvedDate": "9999-12-31T23:59:59-23:59",
            "sendDate": None,
            "deliveryDate": None,
        },
        [],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CHRONOLOGY.values(), ids=CHRONOLOGY)
def test_dates_are_compared_as_instants(changes: Order, expected: list[str]) -> None:
    assert broken(order(**changes)) == expected


ACCOUNT_IDS: Final[dict[str, tuple[object, str, str, str]]] = {
    # what stands there: broken under either, integer, string
    "a number": (19055, "", "", "ORD-13"),
    "a number with a point": (Decimal("19055.0"), "", "", "ORD-13"),
    "digits": ("19055", "", "ORD-13", ""),
    "digits after zeros": ("0019055", "", "ORD-13", ""),
    "another number": (7, "ACC-02", "ACC-02", "ORD-13"),
    "other digits": ("7", "ACC-02", "ORD-13", "ACC-02"),
    "a negative number": (-19055, "ACC-02", "ACC-02", "ORD-13"),
    "eighteen digits": (10**17, "ACC-02", "ACC-02", "ORD-13"),
    **{
        name: (value, "ORD-13", "ORD-13", "ORD-13")
        for name, value in {
            "a fraction": Decimal("19055.5"),
            "true": True,
            "an array": [19055],
            "an object": {},
            "an empty string": "",
            "letters": "19055a",
            "a space after": "19055 ",
            "a sign": "-19055",
            "digits of another script": "\u0661\u0669\u0660\u0665\u0665",
            "nineteen digits": 10**18,
            "nineteen digits as a string": "1" * 19,
        }.items()
    },
    "null": (None, "ORD-12", "ORD-12", "ORD-12"),
}


@pytest.mark.parametrize(("value", "either", "integer", "string"), ACCOUNT_IDS.values(), ids=ACCOUNT_IDS)
def test_an_account_id_is_written_as_the_reading_says(value: object, either: str, integer: str, string: str) -> None:
    for reading, expected in {"either": either, "integer": integer, "string": string}.items():
        seen = broken(order(accountId=value), {"account-id-type": reading})
        assert seen == ([expected] if expected else []), f"under account-id-type = {reading}"


INSTANTS: Final[dict[str, tuple[object, list[str]]]] = {
    "Z": ("2025-05-10T12:00:00Z", []),
    "an offset": ("2025-05-10T12:00:00-03:00", []),
    "an offset without a colon": ("2025-05-10T12:00:00-0300", []),
    "nanoseconds": ("2025-05-10T12:00:00.123456789Z", []),
    "one decimal": ("2025-05-10T12:00:00.1Z", []),
    "a leap day": ("2024-02-29T12:00:00Z", ["ORD-07"]),
    "no leap day": ("2025-02-29T12:00:00Z", ["ORD-08"]),
    "no offset": ("2025-05-10T12:00:00", ["ORD-21"]),
    "no time": ("2025-05-10", ["ORD-21"]),
    "no seconds and no offset": ("2025-05-10 12:00", ["ORD-21"]),
    "no such day, no time": ("2025-02-30", ["ORD-08"]),
    "an offset of a day": ("2025-05-10T12:00:00+24:00", ["ORD-08"]),
    "a newline after": ("2025-05-10T12:00:00Z\n", ["ORD-08"]),
    "digits of another script": ("\u0662\u0660\u0662\u0665-05-10T12:00:00Z", ["ORD-08"]),
    "a number": (1746792000, ["ORD-13"]),
}


@pytest.mark.parametrize(("value", "expected"), INSTANTS.values(), ids=INSTANTS)
def test_a_date_is_an_iso_8601_instant(value: object, expected: list[str]) -> None:
    assert broken(order(approvedDate=value)) == expected


# -- what takes a history ------------------------------------------------------------------------------------------


def lookup(bench: Bench, endpoint: Endpoint, code: str) -> Request:
    """GET or DELETE /order for an order of the first account."""
    access, _ = bench.koncili.world.issue_tokens()
    query = {"marketplaceCode": code, "channelName": HOME.channel, "accountId": str(HOME.account)}
    headers = {TOKEN_HEADER.lower(): access, INTEGRATOR_HEADER: world.INTEGRATOR}
    return Request(endpoint.method, endpoint.path, query, headers)


def test_auth_05_a_token_dies_when_its_life_is_over() -> None:
    bench = Bench()
    request = submission(bench, dumps(order()).encode())
    bench.koncili.clock.advance(7199)
    assert judged(bench, request) == []
    bench.koncili.clock.advance(1)
    assert judged(bench, request) == ["AUTH-05"]


def test_auth_07_a_used_refresh_token_is_void() -> None:
    bench = Bench()
    values = bench.values()
    call = Call(Endpoint.REFRESH_TOKEN, body={"refreshToken": values["refresh_token"]})
    assert bench.broken_rules(call, values) == []
    bench.koncili.world.void_refresh_token(values["refresh_token"])
    assert bench.broken_rules(call, values) == ["AUTH-07"]


def test_del_03_an_order_that_did_not_come_through_the_api_stays() -> None:
    bench = Bench()
    assert judged(bench, lookup(bench, Endpoint.GET_ORDER, world.FOREIGN_CODE)) == []
    assert judged(bench, lookup(bench, Endpoint.DELETE_ORDER, world.FOREIGN_CODE)) == ["DEL-03"]


def test_del_05_a_deleted_order_is_an_unknown_one() -> None:
    bench = Bench()
    key = (HOME.account, HOME.channel, CODE)
    bench.koncili.world.put(key, order())
    assert judged(bench, lookup(bench, Endpoint.DELETE_ORDER, CODE)) == []
    bench.koncili.world.put(key, None)
    assert judged(bench, lookup(bench, Endpoint.DELETE_ORDER, CODE)) == ["DEL-02"]
    assert judged(bench, lookup(bench, Endpoint.GET_ORDER, CODE)) == ["QRY-02"]


def test_a_query_sees_the_last_consolidation_and_a_deletion_what_was_last_accepted() -> None:
    bench = Bench()
    known = bench.koncili.world
    known.shows_at = lambda accepted: accepted + timedelta(minutes=30)
    known.put((HOME.account, HOME.channel, CODE), order())
    get, delete = (lookup(bench, endpoint, CODE) for endpoint in (Endpoint.GET_ORDER, Endpoint.DELETE_ORDER))
    assert (judged(bench, get), judged(bench, delete)) == (["QRY-02"], [])
    bench.koncili.clock.advance(1800)
    assert (judged(bench, get), judged(bench, delete)) == ([], [])


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [("POST", "/orders", "path"), ("POST", "/order/", "path"), ("PUT", "/order", "method"), ("GET", "", "path")],
)
def test_err_04_only_documented_paths_and_methods(method: str, path: str, field: str) -> None:
    bench = Bench()
    breaches = judge(Request(method, path), bench.koncili.world, bench.koncili.readings)
    assert [(breach.rule, breach.field) for breach in breaches] == [("ERR-04", field)]


@pytest.mark.parametrize("name", ["marketplaceCode", "channelName", "accountId"])
@pytest.mark.parametrize("endpoint", [Endpoint.GET_ORDER, Endpoint.DELETE_ORDER], ids=lambda endpoint: endpoint.label)
def test_a_lookup_names_its_order_in_full(endpoint: Endpoint, name: str) -> None:
    bench = Bench()
    whole = lookup(bench, endpoint, world.FOREIGN_CODE)
    query = {key: value for key, value in whole.query.items() if key != name}
    breaches = judge(
        Request(whole.method, whole.path, query, whole.headers), bench.koncili.world, bench.koncili.readings
    )
    assert [(breach.rule, breach.field) for breach in breaches] == [("ORD-12", name)]


# -- garbage -------------------------------------------------------------------------------------------------------

NO_OBJECT: Final = {
    Endpoint.CREATE_TOKEN: "AUTH-02",
    Endpoint.REFRESH_TOKEN: "AUTH-07",
    Endpoint.SUBMIT_ORDER: "ORD-14",
    Endpoint.CREATE_RECONCILIATION: "REC-08",
    Endpoint.SUBMIT_RELEASE: "REL-17",
}
"""Every endpoint that takes a body, with the rule that a body which is no object breaks."""

GARBAGE: Final[dict[str, bytes]] = {
    "nothing": b"",
    "spaces": b"  \n",
    "null": b"null",
    "true": b"true",
    "a number": b"203.63",
    "a string": b'"INVOICED"',
    "an empty array": b"[]",
    "an array of an order": dumps([order()]).encode(),
    "half an order": dumps(order()).encode()[:100],
    "two arrays": b"[]" * 2,
    "an array, a comma after its last item": b'[{"status": "INVOICED"},]',
    "the comma of the last member twice": b'{"status": "INVOICED",,}',
    "text before it": b'x {"status": "INVOICED"}',
    "a form": b"marketplaceCode=701",
    "arrays, deeply nested": b"[" * 100_000,
    "objects, deeply nested": b'{"a":' * 100_000,
    "balanced, deeply nested": b"[" * 5000 + b"]" * 5000,
    "a number of many digits": b"1" * 5000,
    "a large exponent": b"1E+400",
    "an exponent beyond any Decimal": b"1E+99999999999999999999",
    "NaN": b"NaN",
    "an infinity": b"-Infinity",
    "invalid UTF-8": b'{"status": "\xff\xfe"}',
    "UTF-16": '{"status": "INVOICED"}'.encode("utf-16"),
    "a surrogate in UTF-8": b'{"status": "\xed\xa0\x80"}',
    "a NUL": b"\x00",
}


@pytest.mark.parametrize("endpoint", NO_OBJECT, ids=lambda endpoint: endpoint.label)
@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_a_body_that_is_no_json_object_breaks_one_rule(body: bytes, endpoint: Endpoint) -> None:
    bench = Bench()
    whole = submission(bench, body)
    request = Request(endpoint.method, endpoint.path, headers=whole.headers, body=body)
    assert judged(bench, request) == [NO_OBJECT[endpoint]]


NEARLY: Final[dict[str, str]] = {
    # of what an order's JSON makes what a lenient parser takes
    "two orders": "{0}{0}",
    "text after it": "{0} x",
    "a comment before it": "/* {{ */ {0}",
    "a comment after it": "{0} // x",
    "a byte order mark encoded twice": "\u00ef\u00bb\u00bf{0}",
}


@pytest.mark.parametrize("endpoint", [Endpoint.SUBMIT_ORDER, *OF_BATCHES], ids=lambda endpoint: endpoint.label)
@pytest.mark.parametrize("shape", NEARLY.values(), ids=NEARLY)
def test_a_body_that_is_nearly_json_breaks_one_rule(shape: str, endpoint: Endpoint) -> None:
    bench = Bench()
    whole = submission(bench, shape.format(dumps(order())).encode())
    request = Request(endpoint.method, endpoint.path, headers=whole.headers, body=whole.body)
    assert judged(bench, request) == ["ORD-22"]


IN_A_FIELD: Final[dict[str, tuple[str, list[str]]]] = {
    # what stands for the total of an otherwise lawful order
    "NaN": ("NaN", ["ORD-14"]),
    "a zero before it": ("010.5", ["ORD-14"]),
    "a comma after it": ("10.5,", ["ORD-14"]),
    "a comment before it": ("/* BRL */ 10.5", ["ORD-22"]),
    "an infinity": ("Infinity", ["ORD-14"]),
    "a number of many digits": ("1" * 4000, []),
    "a number of too many digits": ("1" * 5000, ["ORD-14"]),
    "a large number": ("1E+400", []),
    "a tiny number": ("1E-400", []),
    "a very large exponent": ("1E+999999999999999999", []),
    "an exponent beyond any Decimal": ("1E+99999999999999999999", ["ORD-14"]),
    "a lone surrogate": ('"\\ud800"', ["ORD-13"]),
    "a NUL": ('"\\u0000"', ["ORD-13"]),
    "nested to the limit": ("[" * 500 + "]" * 500, ["ORD-13"]),
    "nested too deeply": ("[" * 5000 + "]" * 5000, ["ORD-14"]),
    "its key twice, the last one lawful": ('"first", "totalGrossValue": 1', []),
    "its key twice, the last one not": ('1, "totalGrossValue": "last"', ["ORD-13"]),
}


@pytest.mark.parametrize(("text", "expected"), IN_A_FIELD.values(), ids=IN_A_FIELD)
def test_odd_json_in_one_field(text: str, expected: list[str]) -> None:
    bench = Bench()
    body = dumps(order(totalGrossValue="HERE")).replace('"HERE"', text).encode()
    assert judged(bench, submission(bench, body)) == expected


@pytest.mark.parametrize("field", ["status", "marketplaceCode", "channelName", "createdDate"])
def test_a_lone_surrogate_is_text_like_any_other(field: str) -> None:
    assert broken(order(**{field: "\ud800"})), "no such status, code, channel or date"


FIELDS: Final = tuple(order())
EXTRACT_FIELDS: Final = ("marketplaceCode", "type", "value", "expectedDate", "percentage")


@pytest.mark.parametrize("endpoint", NO_OBJECT, ids=lambda endpoint: endpoint.label)
def test_no_bytes_make_the_judge_raise(endpoint: Endpoint) -> None:
    bench = Bench()
    headers = submission(bench, b"").headers

    def law(body: bytes) -> None:
        assert judged(bench, Request(endpoint.method, endpoint.path, headers=headers, body=body))

    prove(st.binary(max_size=60) | JSON_VALUES.map(lambda value: dumps(value).encode()), law, 100)


@pytest.mark.parametrize("readings", ORDER_READINGS)
def test_no_value_in_any_field_makes_the_judge_raise(readings: str) -> None:
    places = st.tuples(st.sampled_from(FIELDS), JSON_VALUES).map(lambda place: order(**dict([place])))
    extracts = st.tuples(st.sampled_from(EXTRACT_FIELDS), JSON_VALUES).map(
        lambda place: order(extracts=[extract(), extract(**dict([place]))])
    )
    bench = Bench(Koncili(readings=READINGS[readings]))

    def law(body: Order) -> None:
        breaches = judge(submission(bench, dumps(body).encode()), bench.koncili.world, bench.koncili.readings)
        assert all(breach.rule in catalogue().rules and breach.message for breach in breaches)

    prove(places | extracts, law, 60)


def test_no_query_makes_the_judge_raise() -> None:
    bench = Bench()
    lawful = lookup(bench, Endpoint.GET_ORDER, world.FOREIGN_CODE)
    texts = st.text(st.characters(), max_size=25) | st.sampled_from([str(HOME.account), "9" * 5000])
    queries = st.fixed_dictionaries({}, optional=dict.fromkeys(lawful.query, texts))

    def law(query: dict[str, str]) -> None:
        assert judged(bench, Request(lawful.method, lawful.path, query, lawful.headers))

    prove(queries, law, 60)
