"""The bench of the scenarios: what counts as gone, and what is noted beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.contract.jsontext import dumps
from conformance.session import Options, open_session
from conformance.target.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.scope import Place
from tests.certification.bench import Bench

PLACE = Place(19055, "CHANNEL_NAME")


@pytest.fixture
def bench() -> Iterator[Bench]:
    session = open_session(Options())
    yield Bench(session)
    session.close()


def answering(bench: Bench, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any]) -> None:
    """Let every query of the bench get this answer."""
    raw = dumps(body).encode()
    exchange = Exchange(datetime.now(UTC), "GET", "http://127.0.0.1/order", {}, b"", status, {}, raw, 0.0)
    monkeypatch.setattr(bench, "query", lambda place, code: exchange)  # noqa: ARG005


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
    answering(bench, monkeypatch, status, body)
    bench.settled("DEL-01", None, {"code": "C-1"}, PLACE, before=())
    assert ("QRY-02" in bench.session.evidence.observed) == noted


@pytest.mark.parametrize(("status", "body"), [(500, {}), (200, {"marketplaceCode": "C-1"})])
def test_a_server_error_or_the_order_itself_is_not_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any]
) -> None:
    answering(bench, monkeypatch, status, body)
    with pytest.raises(Violation, match="DEL-01"):
        bench.settled("DEL-01", None, {"code": "C-1"}, PLACE, before=())
