"""The judge by table: which rules each lawful or broken order breaks, and what takes a history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.mock import world
from strategies.calls import LEFT_OUT, Call
from tests.suite.support.judged_calls import (
    CODE,
    Order,
    breaches_of,
    broken,
    extract,
    judged,
    lookup,
    order,
    submission,
)
from tests.suite.support.properties import HOME, Bench

# -- the judge by table ----------------------------------------------------------------------------------------------


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


# -- what takes a history --------------------------------------------------------------------------------------------


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
