"""Each manner of writing is reached, means the same as the plain one, and has the plainest order for its simplest example."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.instants import parse_instant
from conformance.contract.jsontext import dumps, loads
from conformance.contract.money import to_the_cent
from conformance.engine.same_order import differences
from conformance.target.wire.http.building import Builder, InChunks
from strategies.calls import calls
from strategies.dates import FIELDS
from strategies.placeholders import fill
from strategies.reconciliations import batches
from strategies.spellings import FREE_TEXT, JSON_SPELLINGS, OTHER_SPELLINGS, Manner, Respelt, respelt
from strategies.written import PLAIN, Spelling, shorter_with_exponent, shortest, with_exponent, written
from tests.suite.support.properties import Bench, mock_scope, prove, repeatable, sample

MANNERS: Final[Mapping[str, Manner]] = {**JSON_SPELLINGS, **OTHER_SPELLINGS}
SAMPLE: Final = 30

VALUES: Final = {name: f"the {name}" for name in ("code", "token")}

REACHED: Final[Mapping[str, tuple[bytes, bytes]]] = {
    # what each such body holds, and what only others hold
    "no white space": (rb'","', rb'": |, "'),
    "white space everywhere": (rb'^\r\n \{\r\n\t".*\}\n\t$', rb'\{"'),
    "its members in another order": (rb'^\{.*"extracts": .*"marketplaceCode": "[^"]*"\}$', rb'^\{"marketplaceCode"'),
    "raw UTF-8": (b"\xc3\xa3", rb"\\u"),
    "every character escaped": (rb'"type": "\\u0053\\u0041\\u004c\\u0045"', rb'"SALE"'),
    "slashes escaped": (rb"\\u00e3o, S\\/A", rb"[^\\]/A"),
    "amounts without zeros at the end": (rb'"value": 1500[,}]', rb'"value": -?\d+\.\d*0[,}]'),
    "amounts with exponents": (rb'"value": 1\.5E3[,}]', rb'"value": -?\d+(\.\d+)?[,}]'),
    "amounts with exponents in lower case": (rb'"value": 1\.5e\+03[,}]', rb'"value": -?\d+(\.\d+)?[,}]'),
    "exponents where they are shorter": (rb'"value": 1\.5e3[,}]', rb'"value": -?\d+[,}]'),
    "one or two digits of a second": (rb':\d\d\.25Z".*:\d\d\.5Z"', rb":\d\d\.\d{3}|:\d\dZ"),
    "six digits of a second": (rb':\d\d\.123456Z"', rb":\d\dZ"),
    "seven digits of a second": (rb':\d\d\.1234567Z"', rb":\d\dZ"),
    "nine digits of a second": (rb':\d\d\.123456789Z"', rb":\d\dZ"),
    "the offset +00:00": (rb':\d\d\+00:00"', rb'\dZ"'),
    "the offset -00:00": (rb':\d\d-00:00"', rb'\dZ"'),
    "offsets without a colon": (rb':\d\d-0300"', rb'\dZ"|\d\d:\d\d"'),
    "the offset +0000": (rb':\d\d\+0000"', rb'\dZ"'),
    "amounts with zeros at the end": (rb'"value": -?\d+\.\d\d0[,}]', rb'"value": -?\d+(\.\d{1,2})?[,}]'),
    "amounts with seventeen digits and an exponent": (
        rb'"value": -?\d\.\d{16}E[+-]\d+[,}]',
        rb'"value": -?\d+(\.\d+)?[,}]',
    ),
}
"""Of the manners that show in a body."""


@cache
def examples_of(manner: str) -> tuple[Respelt, ...]:
    """Some examples of a manner, the same ones each time."""
    return tuple(sample(respelt(mock_scope({}), MANNERS[manner]), SAMPLE))


def bodies(manner: str) -> list[bytes]:
    """The bodies of some of its examples."""
    return [written(fill(one.spelt.body, VALUES), one.spelt.spelling) for one in examples_of(manner)]


@pytest.mark.parametrize("manner", REACHED)
def test_each_body_in_a_manner_shows_it(manner: str) -> None:
    has, never = (re.compile(pattern, re.DOTALL) for pattern in REACHED[manner])
    for body in bodies(manner):
        assert has.search(body), body
        assert not never.search(body), body


def test_every_manner_shows_in_the_body_or_in_how_it_is_sent() -> None:
    of_http = {name for name, manner in MANNERS.items() if manner.spelling.in_chunks or manner.spelling.headers}
    assert {*REACHED} | of_http == {*MANNERS}
    assert not {*REACHED} & of_http


@pytest.mark.parametrize("manner", MANNERS)
def test_what_is_written_so_means_the_same(manner: str) -> None:
    for example in examples_of(manner):
        read = loads(written(fill(example.spelt.body, VALUES), example.spelt.spelling))
        assert differences(fill(example.spelt.body, VALUES), read) == []
        assert read.get(FREE_TEXT) == example.spelt.body.get(FREE_TEXT)


@pytest.mark.parametrize("manner", MANNERS)
def test_an_order_in_any_manner_is_lawful_and_so_is_its_twin(manner: str) -> None:
    bench = Bench()

    def law(example: Respelt) -> None:
        for call in (example.twin, example.spelt):
            assert bench.broken_rules(call, bench.ready(call)) == []

    prove(respelt(mock_scope({}), MANNERS[manner]), law, 5)


@pytest.mark.parametrize("manner", MANNERS)
def test_the_twin_is_the_same_order_plainly_written(manner: str) -> None:
    for example in examples_of(manner):
        assert example.twin.spelling == PLAIN
        for name in FIELDS:
            plain, other = (call.body.get(name) for call in (example.twin, example.spelt))
            assert (plain is None) == (other is None)
            if plain is not None:
                was, is_ = parse_instant(plain), parse_instant(other)
                assert was is not None
                assert is_ is not None
                assert abs(was - is_) < timedelta(milliseconds=1)


@pytest.mark.parametrize("manner", MANNERS)
def test_the_simplest_example_of_a_manner_is_the_plainest_order(manner: str) -> None:
    found = hypothesis.find(respelt(mock_scope({}), MANNERS[manner]), lambda _: True, settings=repeatable(20))
    assert len(found.twin.body["extracts"]) == 1
    assert found.twin.body["status"] == "INVOICED"


def test_the_simplest_call_is_written_plainly() -> None:
    for endpoint in (Endpoint.SUBMIT_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE):
        assert (
            hypothesis.find(calls(mock_scope({}), endpoint), lambda _: True, settings=repeatable(20)).spelling == PLAIN
        )


# -- amounts -------------------------------------------------------------------------------------------------------

PRINTED: Final[Mapping[str, tuple[str, str, str]]] = {
    "203.63": ("203.63", "2.0363E2", "203.63"),
    "100.00": ("100", "1E2", "100.0"),
    "0.07": ("0.07", "7E-2", "0.07"),
    "1000.00": ("1000", "1E3", "1.0e3"),
    "150000.00": ("150000", "1.5E5", "1.5e5"),
    "-24.50": ("-24.5", "-2.45E1", "-24.5"),
    "12345678.91": ("12345678.91", "1.234567891E7", "12345678.91"),
    "0": ("0", "0E0", "0.0"),
}
"""As Boost.JSON and Elixir were seen to print them."""


@pytest.mark.parametrize("amount", PRINTED)
def test_an_amount_is_printed_as_client_libraries_do(amount: str) -> None:
    value = Decimal(amount)
    assert (shortest(value), with_exponent(value), shorter_with_exponent(value)) == PRINTED[amount]


def test_an_amount_is_the_same_however_it_is_printed() -> None:
    prints = [one.spelling.amounts for one in MANNERS.values() if one.spelling.amounts is not None]

    def law(cents: int) -> None:
        amount = Decimal(cents).scaleb(-2)
        for print_ in prints:
            assert loads(print_(amount)) == amount
            assert to_the_cent(loads(print_(amount))) == amount

    prove(st.integers(-(10**10), 10**10), law, 200)


def test_what_no_required_spelling_has_is_a_third_decimal() -> None:
    """Be it a zero: `203.630` and what a decimal type makes of `7.0e-2` have one."""

    def law(cents: int) -> None:
        for manner in JSON_SPELLINGS.values():
            if manner.spelling.amounts is not None:
                printed = Decimal(manner.spelling.amounts(Decimal(cents).scaleb(-2)))
                assert int(printed.as_tuple().exponent) >= -2

    prove(st.integers(-(10**8), 10**8), law, 200)


def test_counts_and_ids_have_neither_point_nor_exponent() -> None:
    body = {"accountId": 1000, "releasesQtd": 1000, "value": 1000}
    assert written(body, Spelling(amounts=with_exponent)) == b'{"accountId": 1000, "releasesQtd": 1000, "value": 1E3}'


def test_plainly_written_is_as_ever() -> None:
    body: dict[str, Any] = {"value": Decimal("1.50"), "text": "\u00e3/", "more": [{"a": None}]}
    assert written(body) == dumps(body).encode()


def test_releases_print_amounts_with_as_many_decimals_as_they_like() -> None:
    drawn = sample(batches(mock_scope({})), 90)
    as_sent = [str(one["value"]) for batch in drawn for order in batch.orders for one in order["extracts"]]
    as_released = [str(one["value"]) for batch in drawn for release in batch.releases for one in release["releases"]]
    assert [Decimal(text) for text in as_sent] == [Decimal(text) for text in as_released]
    assert sum(one != other for one, other in zip(as_sent, as_released, strict=True)) > 5
    assert not any("E" in text for text in as_released)


# -- HTTP ----------------------------------------------------------------------------------------------------------


def test_a_body_in_chunks_has_no_length_and_can_be_sent_again() -> None:
    body = InChunks(b"x" * 1000)
    request = Builder("http://koncili.example", ["/order"], "x").build("POST", "/order", None, body, {})
    assert "content-length" not in request.headers
    assert request.headers["transfer-encoding"] == "chunked"
    assert request.content == body
    for _ in range(2):
        assert isinstance(request.stream, Iterable)
        assert [*request.stream] == [b"x" * 400, b"x" * 400, b"x" * 200]


def test_other_bodies_have_their_length() -> None:
    request = Builder("http://koncili.example", ["/order"], "x").build("POST", "/order", None, b"{}", {})
    assert request.headers["content-length"] == "2"
    assert "transfer-encoding" not in request.headers
