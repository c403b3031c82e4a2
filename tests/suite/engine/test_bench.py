"""The bench of the scenarios: what counts as gone, and what is noted beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.engine.as_sent import check_shown_as_sent
from conformance.engine.bench import Bench
from conformance.engine.settling import ASKED_AT_MOST
from conformance.engine.unfinished import NotSeenYet
from conformance.run.session import Options, open_session
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.reconciliations import plain_order
from strategies.scope import Place

PLACE = Place(19055, "CHANNEL_NAME")


@pytest.fixture
def bench() -> Iterator[Bench]:
    session = open_session(Options())
    yield Bench(session)
    session.close()


Answer = tuple[int, dict[str, Any]]

THERE: Final[Answer] = (200, {"marketplaceCode": "C-1"})
GONE: Final[Answer] = (404, {"errorMessage": "no such order", "errorCode": "404-3"})


def answering(bench: Bench, monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> None:
    """Let the queries of the bench get these answers, one after the other, and the last of them from then on."""
    left = list(answers)

    def query(*_: object) -> Exchange:
        status, body = left.pop(0) if len(left) > 1 else left[0]
        raw = dumps(body).encode()
        return Exchange(datetime.now(UTC), "GET", "http://127.0.0.1/order", {}, b"", status, {}, raw, 0.0)

    monkeypatch.setattr(bench, "query", query)


def settle(bench: Bench, *before: dict[str, Any], passed: bool = True) -> Exchange:
    """The exchange that shows an order gone; wherever that is waited for, half an hour has passed or not."""
    waiting = bench.settled("DEL-01", None, {"code": "C-1"}, PLACE, before=before)
    try:
        next(waiting)
        for _ in range(ASKED_AT_MOST):
            waiting.send(passed)
    except StopIteration as settled:
        exchange: Exchange = settled.value
        return exchange
    raise AssertionError("it asks without end")


@pytest.mark.parametrize(
    ("status", "body", "noted"),
    [
        (404, {"errorMessage": "no such order", "errorCode": "404-3"}, False),
        (404, {"errorMessage": "no such order", "errorCode": "404-0"}, True),
        (400, {"errorMessage": "no such order", "errorCode": "400-0"}, True),
        (403, {}, True),
        (200, {}, True),
    ],
)
def test_gone_in_another_way_is_noted_against_the_query(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any], noted: bool
) -> None:
    answering(bench, monkeypatch, (status, body))
    settle(bench)
    assert ("QRY-02" in bench.session.evidence.observed) == noted


@pytest.mark.parametrize(("status", "body"), [(500, {}), (200, {"marketplaceCode": "C-1"})])
def test_a_server_error_or_the_order_itself_is_not_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any]
) -> None:
    answering(bench, monkeypatch, (status, body))
    with pytest.raises(Violation, match="DEL-01"):
        settle(bench)


@pytest.mark.parametrize(("half_hours", "noted"), [(0, set()), (1, set()), (2, {"QRY-03"})])
def test_what_may_still_be_seen_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, half_hours: int, noted: set[str]
) -> None:
    answering(bench, monkeypatch, *[THERE] * half_hours, GONE)
    assert settle(bench, THERE[1]).status == 404
    assert bench.session.evidence.observed.keys() == noted


def test_what_is_seen_after_an_hour_is_not_gone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(bench, monkeypatch, THERE)
    with pytest.raises(Violation, match="DEL-01"):
        settle(bench, THERE[1])


def test_what_may_still_be_seen_is_no_violation_until_time_has_passed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(bench, monkeypatch, THERE)
    with pytest.raises(NotSeenYet):
        settle(bench, THERE[1], passed=False)
    assert bench.session.evidence.observed == {}


def test_what_was_never_there_is_not_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(bench, monkeypatch, THERE)
    with pytest.raises(Violation, match="DEL-01"):
        settle(bench, {"marketplaceCode": "C-1", "status": "INVOICED"}, passed=False)


# -- what is no order that is still to come ------------------------------------------------------------------------

ORDER: Final[dict[str, Any]] = {
    "marketplaceCode": "C-1",
    "channelName": "CHANNEL_NAME",
    "accountId": 19055,
    "status": "INVOICED",
    "createdDate": "2024-02-09T12:00:00Z",
    "extracts": [{"marketplaceCode": "C-1", "type": "SALE", "value": 5}],
}

NOT_THERE_YET: Final[dict[str, Answer]] = {
    "unknown": GONE,
    "an empty object": (200, {}),
    "no order in it": (200, {"order": None}),
    "an error in a success": (200, {"errorMessage": "no such order", "errorCode": "404-3"}),
    "nothing but names": (200, {"marketplaceCode": None, "extracts": []}),
}

WRONG: Final[dict[str, Answer]] = {
    "another code": (200, {**ORDER, "marketplaceCode": "C-2"}),
    "a code that was cut": (200, {**ORDER, "marketplaceCode": "C-"}),
    "another code, wrapped": (200, {"order": {**ORDER, "marketplaceCode": "C-2"}}),
    "another code, in a list": (200, {"content": [{**ORDER, "marketplaceCode": "C-2"}]}),
    "no code": (200, {name: value for name, value in ORDER.items() if name != "marketplaceCode"}),
    "text that was cut": (200, {**ORDER, "channelName": "CHANNEL_"}),
}


def settle_order(bench: Bench, *, passed: bool) -> None:
    """Ask for the order until it shows; wherever that is waited for, half an hour has passed or not."""
    waiting = bench.settled("QRY-01", ORDER, {"code": "C-1"}, PLACE)
    try:
        next(waiting)
        for _ in range(ASKED_AT_MOST):
            waiting.send(passed)
    except StopIteration:
        return


@pytest.mark.parametrize("answer", NOT_THERE_YET.values(), ids=NOT_THERE_YET)
def test_an_order_that_is_not_there_yet_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    answering(bench, monkeypatch, answer)
    with pytest.raises(NotSeenYet):
        settle_order(bench, passed=False)


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_an_order_that_is_shown_otherwise_is_not_one_that_is_still_to_come(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    answering(bench, monkeypatch, answer)
    with pytest.raises(Violation, match="QRY-01"):
        settle_order(bench, passed=False)


def test_an_order_that_was_accepted_with_another_status_is_there() -> None:
    session = open_session(Options(defects=("ord-01-status-201",)))
    try:
        bench = Bench(session)
        order = plain_order(PLACE, int, 2)
        accepted = bench.submit(order, bench.fresh("amazon"))
        assert (accepted.status, bench.is_accepted(Call(Endpoint.SUBMIT_ORDER, body=order), accepted)) == (201, True)
        assert set(session.evidence.observed) == {"ORD-01"}
    finally:
        session.close()


@pytest.mark.parametrize(("defect", "rule"), [("qry-01-one-decimal", "QRY-01"), ("ord-15-keeps-extracts", None)])
def test_what_is_shown_otherwise_when_it_is_new_is_no_matter_of_what_was_done_to_it(
    defect: str, rule: str | None
) -> None:
    session = open_session(Options(defects=(defect,)))
    try:
        bench, found = Bench(session), None
        try:
            check_shown_as_sent(bench, [plain_order(PLACE, int, 2)])
        except Violation as violation:
            found = violation.rule
        assert found == rule
        assert len(bench.story) == (2 if rule else 0)  # what shows it, and nothing else
    finally:
        session.close()
