"""Whatever a recording holds, an audit ends in a certificate: with no traceback, and by the same calls in the same findings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from unittest.mock import patch

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.audit import orders
from conformance.audit.books import as_csv
from conformance.audit.books_page import books_page
from conformance.audit.call import LENIENT
from conformance.audit.outcome import certify_recording
from conformance.audit.secrets import Secrets
from conformance.contract.coercion import as_taken, is_taken_alike
from conformance.contract.jsontext import dumps, loads
from conformance.contract.order_rules import judge_order
from conformance.contract.readings import READINGS
from conformance.contract.reconciliation_rules import judge_reconciliation, judge_release
from conformance.report.junit import junit
from conformance.report.page.render import page
from conformance.report.recorded import terminal
from conformance.report.summary import markdown
from conformance.traffic.exchange import NOT_RECORDED, Exchange, Origin, Request, Response
from conformance.verdict.certificate import Certificate, json_schema
from conformance.verdict.evidence import Evidence
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.recorded_calls import BEGAN, HEADERS, HOST, QUERY, Recording

SCHEMA: Final = jsonschema_rs.validator_for(json.loads(json_schema()))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            Decimal("1E+400"),
            Decimal("203.63"),
            "2024-02-14T12:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ]
    ),
    st.sampled_from(["SALE", "CONCLUDED", "CHANNEL_NAME", "IN_CASH", "19055", "\x00", "\ud800", "=1+1"]),
    st.text(max_size=8),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3))


VALUES = st.recursive(SCALARS, _containers, max_leaves=6)

TEMPLATES: Final[dict[str, Any]] = {
    "/order": order(),
    "/reconciliation": creation(),
    "/reconciliation/release": release(),
    "/public/api/auth/token": {"credentials": "YTpi"},
    "/public/api/auth/refresh-token": {"refreshToken": "refresh-token-of-this-morning"},
    "/notifications": {
        "notificationType": "RECONCILIATION_COMPLETED",
        "payload": {"reconciliationId": 237, "situation": "CONCILIED"},
    },
}


JUDGES: Final = {
    "/order": judge_order,
    "/reconciliation": judge_reconciliation,
    "/reconciliation/release": judge_release,
}


@st.composite
def fields_for(draw: st.DrawFn, path: str) -> bytes:
    """An object for that path with some of its fields replaced or gone, or written as text."""
    fields = dict(TEMPLATES.get(path, {}))
    for name in draw(st.lists(st.sampled_from([*fields, "extra"]), max_size=2)):
        fields[name] = draw(st.one_of(VALUES, st.just(str(fields.get(name)))))
    for name in draw(st.lists(st.sampled_from([*fields, "extra"]), max_size=1)):
        fields.pop(name, None)
    return dumps(fields).encode()


@st.composite
def bodies(draw: st.DrawFn, path: str) -> Any:
    """A body for that path with some of its fields replaced or gone; or anything else."""
    if draw(st.integers(0, 9)):
        return draw(fields_for(path))
    return draw(
        st.one_of(st.binary(max_size=9), st.just(NOT_RECORDED), VALUES.map(lambda value: dumps(value).encode()))
    )


CODES = st.sampled_from(["404-3", "404-1", "400-0", 5])
REFUSALS = CODES.map(lambda code: {"errorCode": code, "errorMessage": "no", "errorSource": "reconciliationId"})
GIVEN = st.sampled_from(
    [{"id": 237}, {"id": 238}, {"id": "x"}, {"accessToken": "access-token-of-this-morning"}, order()]
)
ANSWERS = st.one_of(GIVEN, REFUSALS, VALUES).map(lambda value: dumps(value).encode())

NAMES = st.sampled_from(["gumgatoken", "integrator", "retry-after", "x"])
HEADER_SETS = st.one_of(
    st.just(tuple(HEADERS.items())),
    st.just(NOT_RECORDED),
    st.lists(st.tuples(NAMES, st.text(max_size=9)), max_size=3).map(tuple),
)
TIMES = st.one_of(
    st.just(NOT_RECORDED),
    st.integers(0, 4).map(lambda seconds: BEGAN + timedelta(seconds=seconds)),
    st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
)


@st.composite
def recordings(draw: st.DrawFn) -> list[Exchange]:
    """Some exchanges, most of them nearly lawful calls to Koncili."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        path = draw(
            st.sampled_from([*TEMPLATES, "/order", "/reconciliation/release", "/my-accounts", "/else", "/%ff//"])
        )
        method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "DELETE", "PUT", "OPTIONS", "get"]))
        query = draw(
            st.sampled_from(["", f"?{QUERY}", "?marketplaceCode=%00&accountId=1&channelName=x", "?gumgaToken=abc"])
        )
        host = draw(st.sampled_from([HOST, "", "http://[", "https://u:p@koncili.example:99999"]))
        request = Request(method, f"{host}{path}{query}", draw(HEADER_SETS), draw(bodies(path)))
        status = draw(st.sampled_from([200, 200, 200, 201, 400, 401, 403, 404, 423, 429, 500, 502, 0, 999]))
        answer = Response(
            status, draw(HEADER_SETS), draw(st.one_of(ANSWERS, st.just(NOT_RECORDED), st.binary(max_size=5)))
        )
        response = draw(st.sampled_from([answer, answer, answer, answer, None, NOT_RECORDED]))
        started = draw(TIMES)
        took = draw(
            st.one_of(st.just(NOT_RECORDED), st.timedeltas(timedelta(0), timedelta(seconds=9)), st.just(timedelta.max))
        )
        found.append(Exchange(Origin("day.har", number), started, took, request, response))
    return found


def certified(exchanges: list[Exchange]) -> Certificate:
    """The certificate of these, with every report made of it."""
    secrets = Secrets()
    for exchange in exchanges:
        secrets.learn(exchange)
    auditor = Recording(exchanges).audited()
    certificate = certify_recording(auditor, secrets, files=[], problems=["\ud800"], started_at=BEGAN)
    for text in (
        markdown(certificate), page(certificate), junit(certificate, Evidence()), certificate.to_json(),
        books_page(auditor.books, certificate), as_csv(auditor.books), *(line.text for line in terminal(certificate)),
    ):  # fmt: skip
        text.encode()
    return certificate


@given(exchanges=recordings())
def test_any_recording_ends_in_a_certificate(exchanges: list[Exchange]) -> None:
    certificate = certified(exchanges)
    SCHEMA.validate(json.loads(certificate.to_json()))
    assert certificate.verdict == certificate.follows


@given(exchanges=recordings())
def test_the_same_recording_is_judged_alike_each_time(exchanges: list[Exchange]) -> None:
    one, two = (Recording(exchanges).audited() for _ in range(2))
    assert [finding.id for finding in one.findings.found] == [finding.id for finding in two.findings.found]
    assert one.findings.tallies == two.findings.tallies


@given(exchanges=recordings())
def test_the_law_of_the_books_holds_whatever_became_of_each_call(exchanges: list[Exchange]) -> None:
    """What was submitted is replaced, deleted, released or open: a note of no entry says that our own sums are wrong."""
    books = Recording(exchanges).audited().books
    assert [note.says for note in books.notes if note.entry < 0] == []


@given(exchanges=recordings())
def test_what_was_not_recorded_makes_no_fault(exchanges: list[Exchange]) -> None:
    """Without bodies, headers, times and answers nothing is left to find but what stands in URLs."""
    bare = [
        Exchange(
            one.origin,
            NOT_RECORDED,
            NOT_RECORDED,
            replace(one.request, headers=NOT_RECORDED, body=NOT_RECORDED),
            NOT_RECORDED,
        )
        for one in exchanges
    ]
    found = {finding.rule.id for finding in Recording(bare).audited().findings.found}
    assert found <= {"CLI-15", "ORD-12"}


@given(exchanges=recordings())
def test_orders_that_were_packed_in_between_are_judged_alike(exchanges: list[Exchange]) -> None:
    others = [order(code) for code in ("B-1", "B-2", "B-3")]
    between = [
        one for exchange in exchanges for one in (exchange, *(submitted(body, after=exchange) for body in others))
    ]
    plain = Recording(between).audited()
    with patch.object(orders, "MOST_AWAKE", 2):
        packed = Recording(between).audited()
    assert packed.findings.tallies == plain.findings.tallies
    assert [finding.says for finding in packed.findings.found] == [finding.says for finding in plain.findings.found]
    assert as_csv(packed.books) == as_csv(plain.books)


def submitted(body: dict[str, Any], *, after: Exchange) -> Exchange:
    """That order submitted, at the time of the other call."""
    request = Request("POST", f"{HOST}/order", tuple(HEADERS.items()), dumps(body).encode())
    return replace(after, request=request, response=Response(200, (), b""))


@pytest.mark.parametrize("path", ["/order", "/reconciliation", "/reconciliation/release"])
@given(data=st.data())
def test_what_is_allowed_under_some_readings_is_allowed_under_the_most_lenient(path: str, data: st.DataObject) -> None:
    """That is why a body that keeps all rules under the stated readings is judged once."""
    content = loads(data.draw(fields_for(path)))
    readings = {reading.id: data.draw(st.sampled_from(list(reading.values))) for reading in READINGS.values()}
    judge = JUDGES[path]
    if not list(judge(as_taken(content, readings), readings)):
        assert list(judge(as_taken(content, LENIENT), LENIENT)) == []
    if is_taken_alike(content):
        assert dumps(as_taken(content, readings)) == dumps(as_taken(content, LENIENT)) == dumps(content)
