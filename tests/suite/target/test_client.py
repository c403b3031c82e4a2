"""The client: one token for many calls, passing failures waited out, and nothing else hidden from the caller."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER, Endpoint
from conformance.errors import CannotRun, GoneAway, NotLetIn, TargetUnavailable
from conformance.mock.clock import VirtualClock
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD
from conformance.run.session import Session
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.http.building import AsItStands
from tests.suite.support.told_server import (
    BASE_URL,
    LOOKUP,
    NO_TOKEN,
    REFRESH_ROUTE,
    TOKEN_ROUTE,
    CountingBudget,
    Server,
    connect,
)

pytestmark = pytest.mark.usefixtures("naps")


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


UNAUTHORISED: Final = httpx.Response(401, json={"message": "session expired"})


@pytest.mark.parametrize("endpoint", [Endpoint.SUBMIT_ORDER, Endpoint.GET_ORDER, Endpoint.DELETE_ORDER])
def test_a_401_that_a_new_token_ends_is_no_answer(client: KonciliClient, server: Server, endpoint: Endpoint) -> None:
    """A gateway whose session had ended: ORD-01 was blamed for it."""
    server.answers[endpoint.path] = [UNAUTHORISED, httpx.Response(200)]
    assert client.call(endpoint).status == 200
    assert server.routes == [TOKEN_ROUTE, endpoint.label, TOKEN_ROUTE, endpoint.label]


def test_a_401_that_comes_with_a_new_token_too_is_the_answer(client: KonciliClient, server: Server) -> None:
    """And asked for once: each is a client error."""
    server.answers["/order"] = [UNAUTHORISED]
    for _ in range(3):
        assert client.call(Endpoint.SUBMIT_ORDER).status == 401
    assert server.routes.count(Endpoint.SUBMIT_ORDER.label) == 4


@pytest.mark.parametrize("headers", [{TOKEN_HEADER: "made-up"}, {TOKEN_HEADER: None}, {INTEGRATOR_HEADER: None}])
def test_a_401_to_headers_of_the_callers_is_the_answer(
    client: KonciliClient, server: Server, headers: dict[str, str | None]
) -> None:
    server.answers["/order"] = [UNAUTHORISED]
    assert client.call(Endpoint.SUBMIT_ORDER, headers=headers).status == 401
    assert server.routes.count(Endpoint.SUBMIT_ORDER.label) == 1


@pytest.mark.parametrize("token", ["made-up", None])
def test_no_token_to_a_callers_token_is_the_answer(client: KonciliClient, server: Server, token: str | None) -> None:
    server.answers["/my-accounts"] = [NO_TOKEN]
    assert client.call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: token}).status == 403
    assert server.routes == [Endpoint.LIST_ACCOUNTS.label]
    assert server.sent(TOKEN_HEADER) == [token]


def test_a_token_that_a_call_names_is_not_renewed_though_it_is_the_clients_own(
    client: KonciliClient, server: Server
) -> None:
    """Tokens of the same second may be equal: the death of one was to be seen, and a new one was accepted."""
    server.answers["/my-accounts"] = [NO_TOKEN, httpx.Response(200)]
    assert client.call(Endpoint.LIST_ACCOUNTS, headers={TOKEN_HEADER: client.access_token()}).status == 403
    assert server.routes == [TOKEN_ROUTE, LIST]


@pytest.mark.parametrize("write", [str.lower, str.upper])
@pytest.mark.parametrize(("refused", "status"), [(1, 200), (2, 403)])
def test_the_own_token_is_renewed_once_however_its_header_is_written(
    client: KonciliClient, server: Server, write: Callable[[str], str], refused: int, status: int
) -> None:
    """A token that died is no fault of the target's; that it does not know the header, which it must, comes each time."""
    server.answers["/my-accounts"] = [*[NO_TOKEN] * refused, httpx.Response(200)]
    headers = {TOKEN_HEADER: None, write(TOKEN_HEADER): client.access_token()}
    assert client.call(Endpoint.LIST_ACCOUNTS, headers=headers).status == status
    assert server.routes == [TOKEN_ROUTE, LIST] * 2
    assert server.sent(TOKEN_HEADER) == ["access-token-number-1", "access-token-number-3"]


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
