"""Whatever comes, the judge says which rules it breaks, and raises nothing."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.contract.judge import Request, judge
from conformance.contract.rules import catalogue
from conformance.mock import world
from conformance.mock.koncili import Koncili
from strategies.fault_parts import OF_BATCHES
from tests.suite.support.judged_calls import Order, broken, extract, judged, lookup, order, submission
from tests.suite.support.properties import HOME, JSON_VALUES, ORDER_READINGS, READINGS, Bench, prove

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
