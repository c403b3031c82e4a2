"""The client: one token for many calls, passing failures waited out, and nothing else hidden from the caller."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.contract.readings import resolve
from conformance.errors import CannotRun, Doubtful, GoneAway, NotLetIn, TargetUnavailable, WaitTooLong
from conformance.mock.clock import VirtualClock
from conformance.mock.target import mock_target_table
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD
from conformance.run.session import Options, Session, open_session
from conformance.target.config import parse_target
from conformance.target.shared.budget import Budget, NoLimits
from conformance.target.shared.budget_status import BudgetStatus
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.http.building import AsItStands
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.sender import SILENCES, STRANGE_AT_MOST

BASE_URL = "https://koncili.example"
TOKEN_ROUTE, REFRESH_ROUTE = Endpoint.CREATE_TOKEN.label, Endpoint.REFRESH_TOKEN.label
NO_TOKEN = httpx.Response(403, json={"response": "NO_TOKEN"})
LOOKUP = {"marketplaceCode": "A-1", "channelName": "CHANNEL_NAME", "accountId": "19055"}

Answer = httpx.Response | Exception


@dataclass
class Server:
    """A server that answers as it is told: 200, or what `answers` holds for the path, the last of them for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        told = self.answers.get(request.url.path)
        if told:
            answer = told.pop(0) if len(told) > 1 else told[0]
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if request.url.path.endswith(("/token", "/refresh-token")):
            return httpx.Response(200, json={"accessToken": self.token, "refreshToken": f"refresh-of-{self.token}"})
        return httpx.Response(200, json={})

    @property
    def token(self) -> str:
        """The token that it gives now."""
        return f"access-token-number-{len(self.requests)}"

    @property
    def routes(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def sent(self, header: str) -> list[str | None]:
        """What the calls that need a token carried under this name."""
        return [request.headers.get(header) for request in self.requests if "/auth/" not in request.url.path]


@dataclass
class CountingBudget:
    """A budget that only takes note; spent after `left` more requests."""

    left: int = 1000
    asked: list[Endpoint | None] = field(default_factory=list)
    told: list[int | None] = field(default_factory=list)

    def before(self, endpoint: Endpoint | None) -> str:
        self.asked.append(endpoint)
        if len(self.asked) > self.left:
            raise WaitTooLong("the budget: an hour")

        return str(len(self.asked))

    def wait_only_if(self, is_worth_it: Callable[[], None]) -> None:
        raise AssertionError(is_worth_it)

    def after(self, reservation: str, status: int | None) -> None:
        assert reservation == str(len(self.asked))
        self.told.append(status)

    def blocked(self, seconds: float = 3600) -> datetime:
        del seconds
        return datetime(2026, 11, 22, 13, 37, tzinfo=UTC)

    def clearing_away(self) -> AbstractContextManager[None]:
        return nullcontext()

    def check_block(self) -> None:
        pass

    def status(self) -> BudgetStatus | None:
        return None

    def close(self) -> None:
        pass


def connect(
    server: Callable[[httpx.Request], httpx.Response] | None,
    base_url: str = BASE_URL,
    budget: Budget | None = None,
    har: Path | None = None,
    clock: VirtualClock | None = None,
) -> KonciliClient:
    table = mock_target_table(base_url) | {"pace": "documented"}
    return KonciliClient(
        parse_target(table, "target.toml"),
        journal=Journal(Redactor(), har, EMAIL),
        budget=budget or NoLimits(),
        readings=resolve({}),
        transport=httpx.MockTransport(server) if server else None,
        now=(clock or VirtualClock()).now,
    )


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[KonciliClient]:
    with connect(server) as client:
        yield client


@pytest.fixture
def session() -> Iterator[Session]:
    session = open_session(Options())
    yield session
    session.close()


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have slept, each time."""
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    return naps


# -- tokens --------------------------------------------------------------------------------------------------------


def test_one_token_serves_many_calls(client: KonciliClient, server: Server) -> None:
    for _ in range(5):
        client.call(Endpoint.LIST_ACCOUNTS)
    assert server.routes == [TOKEN_ROUTE, *[Endpoint.LIST_ACCOUNTS.label] * 5]
    assert set(server.sent(TOKEN_HEADER)) == {"access-token-number-1"}
    assert set(server.sent(INTEGRATOR_HEADER)) == {INTEGRATOR}


@pytest.mark.parametrize(("seconds", "renewals"), [(7200 - 61, 0), (7200 - 60, 1), (7200, 1), (100_000, 1)], ids=str)
def test_a_token_is_renewed_a_minute_before_its_death(session: Session, seconds: float, renewals: int) -> None:
    assert session.control is not None
    assert session.client.call(Endpoint.LIST_ACCOUNTS).status == 200
    session.control.advance(seconds)
    assert session.client.call(Endpoint.LIST_ACCOUNTS).status == 200
    assert session.journal.by_endpoint == {
        TOKEN_ROUTE: 1,
        Endpoint.LIST_ACCOUNTS.label: 2,
        **({REFRESH_ROUTE: renewals} if renewals else {}),
    }


@pytest.mark.parametrize(
    "refusal",
    [httpx.Response(401), httpx.Response(200, json={}), httpx.Response(200, content=b"<html>"), httpx.Response(500)],
    ids=["401", "no token", "no JSON", "500"],
)
def test_the_credentials_get_a_token_where_the_refresh_token_does_not(server: Server, refusal: httpx.Response) -> None:
    server.answers["/public/api/auth/refresh-token"] = [refusal]
    clock = VirtualClock()
    with connect(server, clock=clock) as client:
        client.call(Endpoint.LIST_ACCOUNTS)
        clock.advance(7200)
        assert client.call(Endpoint.LIST_ACCOUNTS).status == 200
    asked = 3 if refusal.status_code == 500 else 1  # a server error counts where it comes each time
    assert server.routes[2:] == [*[REFRESH_ROUTE] * asked, TOKEN_ROUTE, Endpoint.LIST_ACCOUNTS.label]


LIST, GET = Endpoint.LIST_ACCOUNTS.label, Endpoint.GET_ORDER.label


def test_no_token_to_the_own_token_gets_new_ones_until_it_is_the_answer(client: KonciliClient, server: Server) -> None:
    """By the credentials: whoever gives dead tokens for credentials may give dead ones for a refresh token too. That an endpoint
    refuses what others take is found out once."""
    server.answers["/my-accounts"] = [NO_TOKEN]
    assert client.call(Endpoint.LIST_ACCOUNTS).status == 403
    assert server.routes == [*[TOKEN_ROUTE, LIST] * 3, GET, LIST, GET, LIST, GET]
    assert server.sent(TOKEN_HEADER) == [f"access-token-number-{n}" for n in (1, 3, 5, 5, 5, 5, 5, 5)]
    server.requests.clear()
    assert client.call(Endpoint.LIST_ACCOUNTS).status == 403
    assert server.routes == [LIST, TOKEN_ROUTE, LIST]


def test_no_token_to_another_integrator_is_the_answer(client: KonciliClient, server: Server) -> None:
    server.answers |= {"/my-accounts": [NO_TOKEN], "/order": [NO_TOKEN]}
    for _ in range(5):
        assert client.call(Endpoint.LIST_ACCOUNTS, headers={INTEGRATOR_HEADER: None}).status == 403
    assert GET not in server.routes


@pytest.mark.parametrize("refused", range(1, 4))
def test_a_call_is_sent_again_while_its_new_token_is_not_known_everywhere(
    client: KonciliClient, server: Server, refused: int
) -> None:
    server.answers["/my-accounts"] = [*[NO_TOKEN] * refused, httpx.Response(200)]
    assert client.call(Endpoint.LIST_ACCOUNTS).status == 200
    assert server.routes.count(TOKEN_ROUTE) == min(refused, 2) + 1
    assert server.routes.count(LIST) == refused + 1


def test_new_tokens_that_nothing_takes_are_no_answer_to_a_call(client: KonciliClient, server: Server) -> None:
    """And after four such calls in a row nothing more is sent."""
    server.answers |= {"/my-accounts": [NO_TOKEN], "/order": [NO_TOKEN]}
    for _ in range(3):
        with pytest.raises(
            NotLetIn, match=r"GET /order: .* refuses it with 403 NO_TOKEN, and GET /my-accounts with it"
        ):
            client.call(Endpoint.GET_ORDER)
    with pytest.raises(GoneAway, match="the 4th call in a row: run again when its tokens are taken"):
        client.call(Endpoint.GET_ORDER)
    sent = len(server.requests)
    with pytest.raises(GoneAway):
        client.call(Endpoint.GET_ORDER)
    assert len(server.requests) == sent


def test_a_dead_token_that_a_refresh_gave_is_replaced_by_one_for_the_credentials(server: Server) -> None:
    server.answers["/my-accounts"] = [httpx.Response(200), NO_TOKEN, httpx.Response(200)]
    clock = VirtualClock()
    with connect(server, clock=clock) as client:
        client.call(Endpoint.LIST_ACCOUNTS)
        clock.advance(7200)
        assert client.call(Endpoint.LIST_ACCOUNTS).status == 200
    assert server.routes[2:] == [
        REFRESH_ROUTE,
        Endpoint.LIST_ACCOUNTS.label,
        TOKEN_ROUTE,
        Endpoint.LIST_ACCOUNTS.label,
    ]


@pytest.mark.parametrize("token", ["made-up", None])
def test_no_token_to_a_callers_token_is_the_answer(client: KonciliClient, server: Server, token: str | None) -> None:
    server.answers["/my-accounts"] = [NO_TOKEN]
    assert client.call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: token}).status == 403
    assert server.routes == [Endpoint.LIST_ACCOUNTS.label]
    assert server.sent(TOKEN_HEADER) == [token]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"errorCode": "403-1"}', b'{"response": "FORBIDDEN"}', b"NO_TOKEN"])
def test_another_403_is_the_answer(client: KonciliClient, server: Server, body: bytes) -> None:
    server.answers["/my-accounts"] = [httpx.Response(403, content=body)]
    assert client.call(Endpoint.LIST_ACCOUNTS).response_body == body
    assert server.routes == [TOKEN_ROUTE, Endpoint.LIST_ACCOUNTS.label]


@pytest.mark.parametrize("expires_in", [None, -1, 0, 1, True, "7200", 7200.5, 1_780_000_000_000, 10**18, [], {}])
def test_an_odd_lifetime_does_no_harm(server: Server, expires_in: object) -> None:
    server.answers["/public/api/auth/token"] = [
        httpx.Response(200, json={"accessToken": "access-token-0123", "refreshToken": "r", "expiresIn": expires_in})
    ]
    with connect(server) as client:
        assert client.access_token() == "access-token-0123"


def test_wrong_credentials_cannot_run(server: Server) -> None:
    echo = {"errorMessage": f"{EMAIL} and {PASSWORD} ({encode_credentials(EMAIL, PASSWORD)}) are wrong"}
    server.answers["/public/api/auth/token"] = [httpx.Response(401, json=echo)]
    with connect(server) as client, pytest.raises(CannotRun, match=r"401.*are wrong.*check email, password") as raised:
        client.call(Endpoint.LIST_ACCOUNTS)
    assert BASE_URL in str(raised.value)
    assert not [
        secret for secret in (EMAIL, PASSWORD, encode_credentials(EMAIL, PASSWORD)) if secret in str(raised.value)
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": "eyJhbGciOi.eyJleHAi.c2lnbmF0dXJl"},
        {"data": {"token": "eyJhbGciOi.eyJleHAi.c2lnbmF0dXJl"}},
    ],
    ids=["other name", "nested"],
)
def test_a_token_under_another_name_is_not_shown(server: Server, fields: Mapping[str, Any]) -> None:
    """No document states the names of the answer's fields, so this is what a first run may meet."""
    server.answers["/public/api/auth/token"] = [httpx.Response(200, json=fields)]
    with connect(server) as client, pytest.raises(CannotRun, match="gives no access token") as raised:
        client.access_token()
    assert "eyJhbGciOi" not in str(raised.value)


# -- what is sent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [TOKEN_HEADER, INTEGRATOR_HEADER])
@pytest.mark.parametrize("value", ["mine", "", None])
def test_a_header_that_is_named_is_replaced_or_left_out(
    client: KonciliClient, server: Server, name: str, value: str | None
) -> None:
    client.call(Endpoint.LIST_ACCOUNTS, headers={name: value})
    assert server.sent(name) == [value]


@pytest.mark.parametrize("endpoint", [Endpoint.CREATE_TOKEN, Endpoint.REFRESH_TOKEN])
def test_calls_that_get_tokens_carry_none(client: KonciliClient, server: Server, endpoint: Endpoint) -> None:
    client.call(endpoint, body={})
    assert [TOKEN_HEADER in request.headers for request in server.requests] == [False]
    assert [INTEGRATOR_HEADER in request.headers for request in server.requests] == [False]


@pytest.mark.parametrize("body", [b"", b"{", b'\xff\x00 {"a": 1.10}', '{"a": "é"}'.encode()])
def test_bytes_are_sent_as_they_are(client: KonciliClient, server: Server, body: bytes) -> None:
    exchange = client.call(Endpoint.SUBMIT_ORDER, body=body)
    assert server.requests[-1].content == body == exchange.request_body
    assert server.requests[-1].headers["content-type"] == "application/json"


def test_a_call_without_a_body_says_nothing_about_one(client: KonciliClient, server: Server) -> None:
    client.call(Endpoint.GET_ORDER, query=LOOKUP)
    assert server.requests[-1].content == b""
    assert "content-type" not in server.requests[-1].headers
    assert dict(server.requests[-1].url.params) == LOOKUP


def test_a_blank_in_a_query_is_sent_as_20_and_a_plus_escaped(client: KonciliClient, server: Server) -> None:
    client.call(Endpoint.GET_ORDER, query={"marketplaceCode": "A+B c", "channelName": "Lojas Americanas"})
    assert server.requests[-1].url.query == b"marketplaceCode=A%2BB%20c&channelName=Lojas%20Americanas"


def test_what_is_to_be_sent_as_it_stands_is_not_escaped(client: KonciliClient, server: Server) -> None:
    client.call(Endpoint.GET_ORDER, query={"marketplaceCode": AsItStands("%zz"), "channelName": "A&B c"})
    assert server.requests[-1].url.query == b"marketplaceCode=%zz&channelName=A%26B%20c"


def test_a_cookie_is_not_sent_back(client: KonciliClient, server: Server) -> None:
    """Else a session would stand in for the token, and a call without a token would be accepted."""
    server.answers["/my-accounts"] = [httpx.Response(200, headers={"set-cookie": "JSESSIONID=0123456789; Path=/"})]
    client.call(Endpoint.LIST_ACCOUNTS)
    client.call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: None})
    assert server.sent("cookie") == [None, None]


def test_a_redirect_to_another_host_is_no_answer_and_not_followed(client: KonciliClient, server: Server) -> None:
    server.answers["/my-accounts"] = [httpx.Response(302, headers={"location": "https://elsewhere.example/"})]
    with pytest.raises(TargetUnavailable, match=r"redirects to elsewhere\.example, where no token is sent"):
        client.call(Endpoint.LIST_ACCOUNTS)
    assert {request.url.host for request in server.requests} == {"koncili.example"}


@pytest.mark.parametrize("location", ["/elsewhere", "https://koncili.example/elsewhere", ""])
def test_a_redirect_within_the_host_is_an_answer_and_not_followed(
    client: KonciliClient, server: Server, location: str
) -> None:
    server.answers["/my-accounts"] = [httpx.Response(302, headers={"location": location})]
    assert client.call(Endpoint.LIST_ACCOUNTS).status == 302
    assert server.routes == [TOKEN_ROUTE, Endpoint.LIST_ACCOUNTS.label]


@pytest.mark.parametrize("base_url", [f"{BASE_URL}/api", f"{BASE_URL}/api/", f"{BASE_URL}/v%201", f"{BASE_URL}/a/../b"])
def test_a_path_in_the_base_url_is_kept(server: Server, base_url: str) -> None:
    budget = CountingBudget()
    with connect(server, base_url, budget) as client:
        exchange = client.call(Endpoint.LIST_ACCOUNTS)
        unknown = client.send("GET", "/my-accounts/1")
    prefix = str(httpx.URL(base_url)).rstrip("/")
    assert exchange.url == f"{prefix}/my-accounts"
    assert (exchange.endpoint, unknown.endpoint) == (Endpoint.LIST_ACCOUNTS, None)
    assert budget.asked == [Endpoint.CREATE_TOKEN, Endpoint.LIST_ACCOUNTS, None]


# -- what is waited out --------------------------------------------------------------------------------------------


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


def test_large_answers_are_written_down_cut_where_there_are_many(server: Server, tmp_path: Path) -> None:
    """Who reads the traffic, the process that leads the workers too, reads it into memory."""
    server.answers["/order"] = [httpx.Response(200, content=b" " * 1_900_000 + b"{}")]
    with connect(server, har=tmp_path / "traffic.har") as client:
        for _ in range(20):
            assert len(client.send("GET", "/order").response_body) == 1_900_002
        client.journal.close()
    raw = (tmp_path / "traffic.har").read_text(encoding="utf-8")
    contents = [entry["response"]["content"] for entry in json.loads(raw)["log"]["entries"]]
    assert len(raw) < 10_000_000
    assert [len(content["text"]) for content in contents[:4]] == [1_900_002] * 4
    assert {content["text"] for content in contents[4:]} == {f"{' ' * 16_384} … 1,883,618 characters more"}
    assert {content["size"] for content in contents} == {1_900_002}
