"""Queries and bodies that a recorder left out: what was asked or sent is then not known, and no fault."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from conformance.traffic.exchange import NOT_RECORDED, Exchange, Response
from conformance.traffic.ndjson import line_of
from tests.suite.audit.test_in_parts import TINY, is_alike
from tests.suite.support.bodies import END, LATER, creation, entries, order, release
from tests.suite.support.recorded_calls import CODE, QUERY, Recording, verdict

ERROR_400 = {"errorMessage": "not this", "errorCode": "400-0", "errorSource": None}
OTHERS = "marketplaceCode=ANOTHER-1&channelName=CHANNEL_NAME&accountId=19056"


def without_query(exchange: Exchange) -> Exchange:
    return replace(exchange, request=replace(exchange.request, url=exchange.request.url.partition("?")[0]))


def blotted(exchange: Exchange) -> Exchange:
    """Its query with the same text in place of each value."""
    address, mark, query = exchange.request.url.partition("?")
    told = urlencode([(name, "<redacted>") for name, _ in parse_qsl(query)])
    return replace(exchange, request=replace(exchange.request, url=f"{address}{mark}{told}"))


def without_answer_body(exchange: Exchange) -> Exchange:
    assert isinstance(exchange.response, Response)
    return replace(exchange, response=replace(exchange.response, body=NOT_RECORDED))


def day() -> Recording:
    """An order that is sent and asked about, a query that finds nothing, a release."""
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.look_up(QUERY.replace(CODE, "ANOTHER-1"), status=404, answer={**ERROR_400, "errorCode": "404-3"})
    recording.open(creation())
    recording.release(release())
    return recording


@pytest.mark.parametrize("how", [without_query, blotted])
def test_queries_that_the_recorder_left_out_are_not_missed_and_an_answer_shows_what_was_asked(how: Any) -> None:
    recording = Recording([how(one) for one in day().exchanges])
    auditor = recording.audited()
    assert recording.broken() == {}
    assert verdict(auditor, "ORD-12") == "undecided"
    assert verdict(auditor, "CLI-01") == "kept"


@pytest.mark.parametrize("how", [without_query, blotted])
def test_a_query_of_which_neither_the_address_nor_the_answer_says_what_it_is_about_may_have_found_any_order(
    how: Any,
) -> None:
    recording = Recording([how(one) for one in day().exchanges])
    recording.exchanges[1] = without_answer_body(recording.exchanges[1])
    assert recording.broken() == {}
    assert verdict(recording.audited(), "CLI-01") == "undecided"


def test_an_order_that_was_sent_after_such_a_query_is_not_verified() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.exchanges[1] = without_answer_body(without_query(recording.exchanges[1]))
    recording.submit(order())
    recording.open(creation())
    recording.release(release())
    assert recording.broken() == {"CLI-01": [4]}


def test_a_query_that_was_never_sent_is_missed() -> None:
    recording = Recording()
    recording.look_up("", status=400, answer=ERROR_400)
    recording.exchanges = [without_query(one) for one in recording.exchanges]
    assert recording.broken() == {"ORD-12": [0]}
    recording = day()
    recording.exchanges.append(without_query(recording.look_up("", status=400, answer=ERROR_400)))
    del recording.exchanges[-2]
    assert recording.broken() == {"ORD-12": [5]}


def test_an_order_whose_code_looks_like_a_mask_is_judged() -> None:
    code = "XXXX-MASK-1"
    recording = Recording()
    recording.submit(order(code))
    recording.look_up(QUERY.replace(CODE, code), answer=order(code))
    recording.submit(order(code))
    recording.open(creation())
    recording.release(release(code))
    assert recording.broken() == {"CLI-01": [4]}


@pytest.mark.parametrize("name", ["marketplaceCode", "channelName", "accountId"])
def test_a_query_of_which_the_recorder_left_a_part_out_is_not_missed_where_the_order_was_looked_for(name: str) -> None:
    recording = day()
    parts = [part for part in QUERY.split("&") if not part.startswith(name)]
    for place in (1, 2):
        request = recording.exchanges[place].request
        url = f"{request.url.partition('?')[0]}?{'&'.join(parts)}"
        recording.exchanges[place] = replace(recording.exchanges[place], request=replace(request, url=url))
    assert recording.broken() == {}
    recording.look_up("&".join(parts), status=400, answer=ERROR_400)
    assert set(recording.broken()) == {"ORD-12"}


def test_two_queries_of_which_nothing_was_recorded_need_not_be_the_same() -> None:
    recording = Recording()
    recording.look_up(answer=order())
    recording.look_up(status=400, answer=ERROR_400)
    recording.look_up(status=400, answer=ERROR_400)
    recording.exchanges = [without_query(one) for one in recording.exchanges]
    assert recording.broken() == {}


def test_a_deletion_of_which_nothing_was_recorded_may_have_been_of_any_order() -> None:
    recording = Recording()
    recording.submit(order(approvedDate="2024-02-09T12:00:00Z"))
    recording.delete()
    recording.exchanges = [without_query(one) for one in recording.exchanges]
    recording.submit(order())
    assert recording.broken() == {}


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "expected"), [(60.0, "undecided"), (3600.0, "broken")])
def test_an_order_may_have_been_sent_again_where_a_body_was_not_recorded(after: float, expected: str) -> None:
    """A query may show it late, as it was before; half an hour later it shows how it is."""
    recording = Recording()
    recording.submit(order())
    recording.submit(NOT_RECORDED)
    recording.look_up(answer=order(), after=after)
    recording.open(creation())
    parts = (("SALE", "203.63"), ("COMISSION", "-20.00"), ("SHIP", "-27.95"))
    recording.release(release(releases=entries(*parts)))
    assert verdict(recording.audited(), "CLI-03") == expected
    assert set(recording.broken()) == ({"CLI-03"} if expected == "broken" else set())


def test_a_release_whose_body_was_not_recorded_may_be_what_the_reconciliation_lacks() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.open(creation())
    recording.release(NOT_RECORDED)
    recording.open(creation(periodEndDate=END), status=400, answer=ERROR_400)
    auditor = recording.audited()
    assert set(recording.broken()) == {"REC-04"}
    assert "a release came whose body was not recorded" in auditor.findings.reason("CLI-18")


def test_a_reconciliation_that_was_opened_after_it_still_lacks_its_releases() -> None:
    recording = Recording()
    recording.submit(order())
    recording.look_up(answer=order())
    recording.release(NOT_RECORDED)
    recording.open(creation())
    recording.open(creation(**LATER), status=400, answer=ERROR_400)
    assert recording.broken() == {"CLI-18": [3, 4]}


def test_what_was_refused_may_be_sent_again_after_a_change_whose_body_was_not_recorded() -> None:
    recording = Recording()
    recording.open(creation())
    recording.release(release(), status=400, answer=ERROR_400)
    recording.submit(NOT_RECORDED)
    recording.release(release(), status=400, answer=ERROR_400)
    assert "CLI-12" not in recording.broken()


@pytest.mark.parametrize("dropped", ["queries", "bodies", "both", "answers too"])
def test_audits_in_parts_find_the_same(dropped: str, tmp_path: Path) -> None:
    recording = day()
    recording.submit(order("ANOTHER-1", accountId=19056))
    recording.look_up(OTHERS, answer=order("ANOTHER-1", accountId=19056))
    recording.open(creation(accountId=19056, totalNetValue=Decimal(1)), number=238)
    recording.release(release("ANOTHER-1", accountId=19056, reconciliationId=238))
    found = []
    for place, one in enumerate(recording.exchanges):
        exchange = one if dropped == "bodies" else without_query(one)
        if dropped != "queries" and place % 3 == 0 and exchange.request.body:
            exchange = replace(exchange, request=replace(exchange.request, body=NOT_RECORDED))
        if dropped == "answers too" and isinstance(exchange.response, Response):
            exchange = without_answer_body(exchange)
        found.append(exchange)
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(map(line_of, found)))
    assert is_alike([path], part_bytes=TINY)
