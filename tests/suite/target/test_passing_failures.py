"""What is wrong on the way, or passes, is waited out within limits; where it stays it is told, and is no answer of the target."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import httpx
import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, Doubtful, GoneAway, TargetUnavailable, WaitTooLong
from conformance.mock.world import EMAIL, PASSWORD
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.sender import OUTAGES_AT_MOST, SILENCES, STRANGE_AT_MOST
from tests.suite.support.told_server import BASE_URL, LOOKUP, NO_TOKEN, TOKEN_ROUTE, CountingBudget, Server, connect

pytestmark = pytest.mark.usefixtures("naps")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("status", [429, 502])
def test_a_passing_failure_is_waited_out(
    client: KonciliClient, server: Server, naps: list[float], method: str, status: int
) -> None:
    server.answers["/order"] = [httpx.Response(status), httpx.Response(200)]
    assert client.send(method, "/order").status == 200
    assert (len(server.requests), sum(naps) > 0) == (2, True)


def test_retry_after_is_honoured(client: KonciliClient, server: Server, naps: list[float]) -> None:
    server.answers["/order"] = [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200)]
    assert client.send("GET", "/order").status == 200
    assert sum(naps) == 7


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
@pytest.mark.parametrize("failures", [1, 2])
def test_a_server_error_that_does_not_come_again_passes_and_is_told(
    client: KonciliClient, server: Server, method: str, failures: int
) -> None:
    server.answers["/order"] = [*[httpx.Response(500)] * failures, httpx.Response(200)]
    exchange = client.send(method, "/order")
    assert exchange.status == 200
    assert exchange.passed is not None
    assert exchange.passed.status == 500
    assert len(server.requests) == failures + 1


@pytest.mark.parametrize("status", [500, 501, 505])
@pytest.mark.parametrize("path", ["/order", "/reconciliation", "/reconciliation/release"])
def test_a_server_error_that_comes_each_time_is_the_answer(
    client: KonciliClient, server: Server, status: int, path: str
) -> None:
    server.answers[path] = [httpx.Response(status)]
    exchange = client.send("POST", path)
    assert (exchange.status, exchange.passed, len(server.requests)) == (status, None, 3)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/order"), ("POST", "/reconciliation/release")])
def test_what_is_refused_after_a_server_error_may_have_been_done(
    client: KonciliClient, server: Server, method: str, path: str
) -> None:
    server.answers[path] = [httpx.Response(500), httpx.Response(404)]
    with pytest.raises(Doubtful) as doubt:
        client.send(method, path)
    assert (doubt.value.refusal.status, doubt.value.passed.status) == (404, 500)


NOT_TWICE: Final = {Endpoint.DELETE_ORDER: LOOKUP, Endpoint.CREATE_RECONCILIATION: None, Endpoint.SUBMIT_RELEASE: None}


@pytest.mark.parametrize("endpoint", NOT_TWICE)
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_token_that_dies_after_a_server_error_says_nothing_of_the_call(
    client: KonciliClient, server: Server, endpoint: Endpoint, deaths: int
) -> None:
    """It was taken for a refusal of what may have been done: an order whose deletion met that was left behind."""
    server.answers[endpoint.path] = [httpx.Response(500), *[NO_TOKEN] * deaths, httpx.Response(200)]
    exchange = client.call(endpoint, query=NOT_TWICE[endpoint])
    assert (exchange.status, exchange.passed and exchange.passed.status) == (200, 500)
    assert server.routes.count(TOKEN_ROUTE) == 1 + deaths


@pytest.mark.parametrize("endpoint", NOT_TWICE)
def test_what_is_refused_after_that_may_have_been_done_too(
    client: KonciliClient, server: Server, endpoint: Endpoint
) -> None:
    server.answers[endpoint.path] = [httpx.Response(500), NO_TOKEN, httpx.Response(404)]
    with pytest.raises(Doubtful) as doubt:
        client.call(endpoint, query=NOT_TWICE[endpoint])
    assert (doubt.value.refusal.status, doubt.value.passed.status) == (404, 500)


def test_a_token_that_a_call_names_is_not_renewed_after_a_server_error(client: KonciliClient, server: Server) -> None:
    server.answers["/order"] = [httpx.Response(500), NO_TOKEN, httpx.Response(200)]
    with pytest.raises(Doubtful):
        client.call(Endpoint.DELETE_ORDER, query=LOOKUP, headers={"gumgaToken": "of another"})
    assert TOKEN_ROUTE not in server.routes


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_any_other_answer_is_returned_at_once(
    client: KonciliClient, server: Server, naps: list[float], status: int
) -> None:
    server.answers["/order"] = [httpx.Response(status), httpx.Response(200)]
    assert client.send("GET", "/order").status == status
    assert (len(server.requests), naps) == (1, [])


@pytest.mark.parametrize(("status", "tries"), [(429, 3), (502, 7)])
def test_a_failure_that_does_not_pass_is_no_answer(
    client: KonciliClient, server: Server, status: int, tries: int
) -> None:
    """Each 429 is a client error."""
    server.answers["/order"] = [httpx.Response(status)]
    with pytest.raises(TargetUnavailable, match=f"GET /order: still {status} after {tries} tries"):
        client.send("GET", "/order")
    assert len(server.requests) == tries


THROTTLED: Final[dict[str, tuple[str | None, float]]] = {
    "nothing": (None, 60),
    "at once": ("0", 0.05),
    "in ten minutes": ("600", 600),
    "a date that is over": ("Wed, 21 Oct 2015 07:28:00 GMT", 0.05),
    "a word": ("soon", 60),
    "a negative number": ("-5", 60),
    "a fraction": ("1.5", 60),
    "two of them": ("1, 2", 60),
}
"""What a 429 says of how long to wait, and for how many seconds that is done."""


@pytest.mark.parametrize("says", THROTTLED)
def test_a_429_is_waited_out_once_for_as_long_as_it_says(
    client: KonciliClient, server: Server, naps: list[float], says: str
) -> None:
    """The rates are documented by the minute; no document promises a Retry-After."""
    retry_after, seconds = THROTTLED[says]
    headers = {} if retry_after is None else {"retry-after": retry_after}
    server.answers["/order"] = [httpx.Response(429, headers=headers), httpx.Response(200)]
    assert client.send("GET", "/order").status == 200
    assert len(server.requests) == 2
    assert sum(naps) == pytest.approx(seconds)


def test_a_429_that_stays_although_it_was_waited_for_is_not_asked_for_ever(
    client: KonciliClient, server: Server, naps: list[float]
) -> None:
    server.answers["/order"] = [httpx.Response(429, headers={"retry-after": "600"})]
    with pytest.raises(TargetUnavailable, match="GET /order: still 429 after 2 tries"):
        client.send("GET", "/order")
    assert (len(server.requests), sum(naps)) == (2, 600)


@pytest.mark.parametrize("retry_after", ["7200", "99999999999999", "9" * 400])
def test_a_429_for_more_than_an_hour_ends_the_run(
    client: KonciliClient, server: Server, naps: list[float], retry_after: str
) -> None:
    server.answers["/order"] = [httpx.Response(429, headers={"retry-after": retry_after})]
    with pytest.raises(WaitTooLong, match=r"429, and its Retry-After asks for .* h: run again then"):
        client.send("GET", "/order")
    assert (len(server.requests), naps) == (1, [])


def test_every_attempt_is_counted(client: KonciliClient, server: Server) -> None:
    server.answers["/order"] = [httpx.Response(status) for status in (429, 502, 502, 404)]
    client.send("GET", "/order")
    assert client.journal.traffic.as_dict() == {
        "requests": 4,
        "client_errors": 2,
        "server_errors": 2,
        "throttled": 1,
    }
    assert client.journal.by_endpoint == {"GET /order": 4}


def test_every_attempt_passes_the_budget(server: Server) -> None:
    budget = CountingBudget()
    server.answers["/order"] = [httpx.Response(status) for status in (429, 502, 400)]
    with connect(server, budget=budget) as client:
        client.send("GET", "/order")
    assert (budget.asked, budget.told) == ([Endpoint.GET_ORDER] * 3, [429, 502, 400])


def test_a_spent_budget_stops_retries(server: Server) -> None:
    server.answers["/order"] = [httpx.Response(429)]
    with connect(server, budget=CountingBudget(left=2)) as client, pytest.raises(WaitTooLong, match="an hour"):
        client.send("GET", "/order")
    assert len(server.requests) == 2


class BrokenOff(httpx.SyncByteStream):
    """A body that ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"{"
        raise httpx.ReadError("connection reset")


def test_a_client_error_whose_body_breaks_off_is_counted() -> None:
    budget = CountingBudget()
    refuse = lambda _: httpx.Response(400, stream=BrokenOff())  # noqa: E731 - a server in one line
    with connect(refuse, budget=budget) as client, pytest.raises(TargetUnavailable):
        client.send("GET", "/order")
    assert budget.told == [400] * len(budget.asked)


# -- what ends a run -----------------------------------------------------------------------------------------------


def test_a_block_stops_the_run_and_nothing_more_is_sent(client: KonciliClient, server: Server) -> None:
    """A thousand calls during the block make it permanent."""
    server.answers["/my-accounts"] = [httpx.Response(423), httpx.Response(200)]
    for _ in range(3):
        with pytest.raises(CannotRun, match=r"blocked .* \(423\) until \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
            client.call(Endpoint.LIST_ACCOUNTS)
    assert server.routes == [TOKEN_ROUTE, Endpoint.LIST_ACCOUNTS.label]


def test_a_refused_connection_is_told_with_the_base_url() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with connect(None, base_url) as client, pytest.raises(TargetUnavailable, match="no answer") as raised:
        client.call(Endpoint.LIST_ACCOUNTS)
    assert base_url in str(raised.value)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_no_answer_is_told_without_a_secret(server: Server, error: type[httpx.TransportError]) -> None:
    server.answers["/public/api/auth/token"] = [error(f"failed with {EMAIL}:{PASSWORD}")]
    with connect(server) as client, pytest.raises(TargetUnavailable, match=f"no answer from {BASE_URL}") as raised:
        client.access_token()
    assert EMAIL not in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_a_proxy_that_lets_nothing_pass_is_told_without_a_secret(server: Server) -> None:
    server.answers["/public/api/auth/token"] = [httpx.ProxyError(f"refused {EMAIL}:{PASSWORD}")]
    with (
        connect(server) as client,
        pytest.raises(CannotRun, match=f"no way to {BASE_URL}: .*check the proxy") as raised,
    ):
        client.access_token()
    assert EMAIL not in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_nothing_more_is_sent_to_a_target_that_has_gone_away(client: KonciliClient, server: Server) -> None:
    refused, answered = httpx.ConnectError("connection refused"), httpx.Response(200)
    server.answers["/nowhere"] = [*[refused] * (SILENCES - 1), answered, *[refused] * SILENCES]
    raised: list[type[Exception]] = []
    for _ in range(2 * SILENCES):
        try:
            client.send("GET", "/nowhere")
        except TargetUnavailable as error:
            raised.append(type(error))
    assert raised == [TargetUnavailable] * (2 * (SILENCES - 1)) + [GoneAway]
    sent = len(server.requests)
    with pytest.raises(GoneAway, match=f"the {SILENCES}th call in a row without an answer: run again when"):
        client.send("GET", "/somewhere")
    assert len(server.requests) == sent


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ((503, 200), 200),
        ((504, 200), 200),
        ((503, 504, 503, 503, 200), 200),
        ((503,) * 5, 503),
        ((504,) * 5, 504),
        ((500, 200), 200),
    ],
)
def test_a_gateways_error_counts_only_if_it_comes_again(
    client: KonciliClient, server: Server, naps: list[float], answers: tuple[int, ...], status: int
) -> None:
    server.answers["/my-accounts"] = [httpx.Response(answer) for answer in answers]
    assert client.call(Endpoint.LIST_ACCOUNTS).status == status
    assert sum(naps) < 6


@pytest.fixture
def far(client: KonciliClient, monkeypatch: pytest.MonkeyPatch) -> KonciliClient:
    """A client whose target is not in this process: there is a way to it."""
    monkeypatch.setattr(client.sender, "_in_process", False)
    return client


PAGE: Final = httpx.Response(200, content=b"<!DOCTYPE html><p>ok</p>", headers={"content-type": "text/html"})
GONE: Final = httpx.Response(
    404, json={"errorMessage": "order not found", "errorCode": "404-3", "errorSource": "order"}
)


def test_a_page_is_the_targets_own_where_what_was_asked_was_done_each_time(far: KonciliClient, server: Server) -> None:
    """No document says what the body of a success is. A refusal between them, as of an unknown order, is none."""
    for number in range(STRANGE_AT_MOST):
        server.answers["/order"] = [GONE]
        assert far.send("DELETE", "/order", query=LOOKUP).status == 404
        server.answers["/order"] = [PAGE, GONE]
        with pytest.raises(Doubtful, match="with a page" if number < STRANGE_AT_MOST - 1 else "refused with 404"):
            far.send("DELETE", "/order", query=LOOKUP)
    server.answers["/order"] = [PAGE, GONE]
    assert far.send("DELETE", "/order", query=LOOKUP).status == 200


@pytest.mark.parametrize(
    "second",
    [httpx.Response(403, json={"response": "NO_TOKEN"}), httpx.Response(200, json={})],
    ids=["no token", "done"],
)
def test_a_page_is_a_proxys_where_nothing_says_that_it_was_done(
    far: KonciliClient, server: Server, second: httpx.Response
) -> None:
    for _ in range(STRANGE_AT_MOST - 1):
        server.answers["/order"] = [PAGE, second]
        with pytest.raises(Doubtful):
            far.send("DELETE", "/order", query=LOOKUP)
    server.answers["/order"] = [PAGE, second]
    with suppress(Doubtful):
        far.send("DELETE", "/order", query=LOOKUP)
    server.answers["/order"] = [PAGE, GONE]
    with pytest.raises(Doubtful):
        far.send("DELETE", "/order", query=LOOKUP)


def test_a_page_is_a_proxys_where_the_target_says_otherwise_that_it_was_done(
    far: KonciliClient, server: Server
) -> None:
    """What is refused after it may be broken, and never have been carried out."""
    server.answers["/order"] = [httpx.Response(200, json={})]
    assert far.send("DELETE", "/order", query=LOOKUP).status == 200
    for _ in range(STRANGE_AT_MOST + 1):
        server.answers["/order"] = [PAGE, GONE]
        with pytest.raises(Doubtful):
            far.send("DELETE", "/order", query=LOOKUP)


CLOSED: Final = {
    "a page": httpx.Response(
        403, content=b"<!DOCTYPE html><h1>Maintenance</h1>", headers={"content-type": "text/html"}
    ),
    "405 with nothing": httpx.Response(405),
    "403 with text": httpx.Response(403, content=b"read-only mode"),
    "405 in a JSON of its own": httpx.Response(405, json={"message": "The service is in read-only mode"}),
    "503": httpx.Response(503),
}
"""How something on the way refuses to write during maintenance."""

REFUSED: Final = {
    405: httpx.Response(405, json={"errorMessage": "Method not allowed", "errorCode": "405", "errorSource": None}),
    403: httpx.Response(403, json={"errorMessage": "Account inactive", "errorCode": "403-1", "errorSource": "account"}),
}
"""How Koncili does."""


@pytest.mark.parametrize("refused", CLOSED)
@pytest.mark.parametrize("times", [1, 2, 7])
def test_what_is_closed_to_writing_for_some_seconds_is_waited_for(
    far: KonciliClient, server: Server, naps: list[float], refused: str, times: int
) -> None:
    """ORD-01 was blamed for it."""
    server.answers["/order"] = [*[CLOSED[refused]] * times, httpx.Response(200, json={})]
    exchange = far.call(Endpoint.SUBMIT_ORDER, body={})
    assert (exchange.status, len([one for one in server.routes if one == "POST /order"])) == (200, times + 1)
    assert refused == "503" or (exchange.passed is not None and exchange.passed.status in {403, 405})
    assert sum(naps) < 70


@pytest.mark.parametrize("endpoint", [Endpoint.DELETE_ORDER, Endpoint.CREATE_RECONCILIATION, Endpoint.SUBMIT_RELEASE])
def test_what_succeeds_once_is_sent_again_after_it_too(far: KonciliClient, server: Server, endpoint: Endpoint) -> None:
    """It was refused, so that it was not done; and what Koncili refuses then is no doubtful refusal."""
    for then in (httpx.Response(200), GONE):
        server.answers[endpoint.path] = [CLOSED["405 with nothing"], CLOSED["405 with nothing"], then]
        assert far.call(endpoint, query=LOOKUP).status == then.status_code


@pytest.mark.parametrize("status", REFUSED)
def test_a_refusal_of_the_documented_form_counts_at_once(
    far: KonciliClient, server: Server, naps: list[float], status: int
) -> None:
    server.answers["/order"] = [REFUSED[status], httpx.Response(200)]
    exchange = far.call(Endpoint.SUBMIT_ORDER, body={})
    assert (exchange.status, exchange.passed, naps) == (status, None, [])


@pytest.mark.parametrize("refused", CLOSED)
def test_what_stays_closed_to_writing_counts_and_is_waited_for_once(
    far: KonciliClient, server: Server, naps: list[float], refused: str
) -> None:
    """Ten client errors in all: whoever refuses so in earnest is not to spend the budget by it."""
    server.answers["/order"] = [CLOSED[refused]]
    for _ in range(3):
        assert far.call(Endpoint.SUBMIT_ORDER, body={}).status == CLOSED[refused].status_code
    assert 45 < sum(naps) < 90
    assert far.journal.traffic.client_errors <= 11
    naps.clear()
    assert far.call(Endpoint.CREATE_RECONCILIATION, body={}).status == 200


@pytest.mark.parametrize("refused", CLOSED)
def test_who_is_closed_again_and_again_is_waited_for_no_more(
    far: KonciliClient, server: Server, naps: list[float], refused: str
) -> None:
    """A server that refuses lawful calls for a while, ever again, is not in maintenance."""
    for _ in range(OUTAGES_AT_MOST):
        server.answers["/order"] = [*[CLOSED[refused]] * 6, httpx.Response(200, json={})]
        assert far.call(Endpoint.SUBMIT_ORDER, body={}).status == 200
    naps.clear()
    server.answers["/order"] = [*[CLOSED[refused]] * 6, httpx.Response(200, json={})]
    assert far.call(Endpoint.SUBMIT_ORDER, body={}).status == CLOSED[refused].status_code
    assert sum(naps) < 6


def test_each_part_of_a_target_may_be_away_for_a_while(
    client: KonciliClient, server: Server, naps: list[float]
) -> None:
    """A deployment takes its parts away one after the other, each for seconds."""
    for _ in range(3):
        server.answers["/my-accounts"] = [
            *[httpx.Response(503, headers={"retry-after": "2"})] * 4,
            httpx.Response(200, json=[]),
        ]
        assert client.call(Endpoint.LIST_ACCOUNTS).status == 200
    assert sum(naps) >= 18


@pytest.mark.parametrize(("away", "answered"), [(5, True), (40, False)])
def test_a_target_that_is_away_is_waited_for(
    client: KonciliClient, server: Server, naps: list[float], away: int, answered: bool
) -> None:
    client.access_token()
    down = [httpx.Response(503, content=b"<html>back soon</html>")] * away
    server.answers = {
        "/my-accounts": [*down, httpx.Response(200, json=[])],
        "/public/api/auth/token": [*down, httpx.Response(200, json={"accessToken": "another-one"})],
    }
    if answered:
        assert client.call(Endpoint.LIST_ACCOUNTS).status == 200
        return
    with pytest.raises(TargetUnavailable, match="503 with a page in place of JSON, each time"):
        client.call(Endpoint.LIST_ACCOUNTS)
    assert 45 < sum(naps) < 70
    with pytest.raises(TargetUnavailable):
        client.call(Endpoint.LIST_ACCOUNTS)
    assert sum(naps) < 70, "it is waited for once"
