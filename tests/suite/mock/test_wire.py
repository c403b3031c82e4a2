"""HTTP/1.1 by hand, byte by byte over a socket: chunks, closed connections, names of headers; and the way of a run to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps, loads
from conformance.contract.judge import Request
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH
from conformance.mock.clock import EPOCH
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Variant, Wire
from conformance.mock.variants import VARIANTS, variant
from conformance.mock.wire import listening, server_of
from conformance.mock.wired import Wired
from conformance.run.session import Options, open_session

PLAIN: Final = Wire()
CHUNKED: Final = Wire(chunked=True)
CLOSING: Final = Wire(closes=True)

SPOKEN: Final[Mapping[str, Wire]] = {
    "plain": PLAIN,
    "chunked": CHUNKED,
    "closing": CLOSING,
    "chunked and closing": Wire(chunked=True, closes=True),
    "lower case": Wire(header_case=str.lower),
    "upper case": Wire(header_case=str.upper),
}


@dataclass(frozen=True)
class Reply:
    """An answer as it stood on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    """As it was sent: chunks with their lengths."""

    def values(self, name: str) -> list[str]:
        """What the headers of that name hold, however it is written."""
        return [value for written, value in self.headers if written.lower() == name]

    @property
    def chunks(self) -> list[bytes]:
        """The chunks of the body, which must end with the empty one."""
        found, rest = [], self.body
        while True:
            length, rest = rest.split(b"\r\n", 1)
            size = int(length, 16)
            found.append(rest[:size])
            assert rest[size : size + 2] == b"\r\n"
            rest = rest[size + 2 :]
            if size == 0:
                assert rest == b"", "nothing comes after the last chunk"
                return found


@contextmanager
def connected(wire: Wire, koncili: Koncili | None = None) -> Iterator[socket.socket]:
    """A connection to a mock that is spoken to in this way."""
    with listening(koncili or Koncili(), wire) as base_url:
        parts = urlsplit(base_url)
        assert parts.hostname is not None
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
            yield connection


def send(connection: socket.socket, method: str, path: str, body: bytes = b"", *, length: bool = True) -> None:
    """Send a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: mock", *([f"Content-Length: {len(body)}"] if length else [])]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes the connection or says nothing more to this one."""
    found = b""
    while part := connection.recv(65_536):
        found += part
    return found


def parsed(raw: bytes) -> Reply:
    """The bytes of one answer by their parts."""
    head, body = raw.split(b"\r\n\r\n", 1)
    status, *lines = head.decode("latin-1").split("\r\n")
    assert status.startswith("HTTP/1.1 ")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    return Reply(int(status.split()[1]), headers, body)  # type: ignore[arg-type]


def ask(wire: Wire, method: str, path: str, body: bytes = b"", koncili: Koncili | None = None) -> Reply:
    """The answer to one request: nothing more is asked, so that all that comes belongs to it."""
    with connected(wire, koncili) as connection:
        send(connection, method, path, body)
        connection.shutdown(socket.SHUT_WR)
        return parsed(received(connection))


class Told(Koncili):
    """A mock that answers as it is told, and keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answer


LONG: Final = Answer(200, {"text": "é" * 400})
"""Of several chunks."""

TOKEN_BODY: Final = dumps({"credentials": encode_credentials(world.EMAIL, world.PASSWORD)}).encode()


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [PLAIN, CLOSING], ids=["plain", "closing"])
def test_a_body_is_as_long_as_it_says(wire: Wire) -> None:
    reply = ask(wire, "GET", "/", koncili=Told(LONG))
    assert reply.values("content-length") == [str(len(reply.body))]
    assert reply.values("transfer-encoding") == []
    assert loads(reply.body) == LONG.body


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 4000])
def test_chunks_make_the_whole_body(size: int) -> None:
    reply = ask(CHUNKED, "GET", "/", koncili=Told(Answer(200, b"x" * size)))
    assert reply.values("transfer-encoding") == ["chunked"]
    assert reply.values("content-length") == []
    assert b"".join(reply.chunks) == b"x" * size
    assert len(reply.chunks) == -(-size // 100) + 1, "a hundred bytes each, and the empty one at the end"


@pytest.mark.parametrize("wire", SPOKEN.values(), ids=SPOKEN)
def test_a_client_reads_the_same_however_it_is_spoken_to(wire: Wire) -> None:
    with listening(Told(LONG), wire) as base_url, httpx.Client(base_url=base_url) as client:
        for _ in range(3):
            answer = client.get("/order")
            assert (answer.status_code, loads(answer.content)) == (200, LONG.body)
            assert answer.headers["content-type"] == "application/json"


def test_bytes_leave_as_they_are() -> None:
    assert ask(PLAIN, "GET", "/", koncili=Told(Answer(502, b"<html>\xff"))).body == b"<html>\xff"


def test_an_answer_without_a_body_has_none() -> None:
    reply = ask(PLAIN, "DELETE", "/order", koncili=Told(Answer(200)))
    assert (reply.status, reply.body, reply.values("content-length")) == (200, b"", ["0"])


@pytest.mark.parametrize("wire", [PLAIN, CLOSING, SPOKEN["lower case"]], ids=["plain", "closing", "lower case"])
def test_a_204_has_no_body(wire: Wire) -> None:
    reply = ask(wire, "DELETE", "/order", koncili=Told(Answer(204)))
    assert (reply.status, reply.body) == (204, b"")


# -- connections ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [CLOSING, SPOKEN["chunked and closing"]], ids=["closing", "chunked and closing"])
def test_a_connection_is_closed_after_the_answer_and_says_so(wire: Wire) -> None:
    with connected(wire, Told(LONG)) as connection:
        send(connection, "GET", "/")
        reply = parsed(received(connection))  # to the end: the other side closes
    assert reply.values("connection") == ["close"]
    assert reply.status == 200


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_a_connection_stays_open_for_the_next_request(wire: Wire) -> None:
    told = Told(Answer(200, {"a": 1}))
    with connected(wire, told) as connection:
        send(connection, "GET", "/first")
        send(connection, "GET", "/second")
        connection.shutdown(socket.SHUT_WR)
        raw = received(connection)
    assert [request.path for request in told.asked] == ["/first", "/second"]
    assert raw.count(b"HTTP/1.1 200 ") == 2
    assert b"close" not in raw.lower()


# -- headers -------------------------------------------------------------------------------------------------------

OWN: Final = ("content-type", "content-length", "transfer-encoding", "connection", "retry-after")
"""The headers that the mock decides on; the server adds its name and the date."""

CASES: Final[Mapping[str, tuple[Wire, list[str]]]] = {
    "as they are": (PLAIN, ["Content-Type", "Content-Length", "Retry-After"]),
    "lower case": (SPOKEN["lower case"], ["content-type", "content-length", "retry-after"]),
    "upper case": (SPOKEN["upper case"], ["CONTENT-TYPE", "CONTENT-LENGTH", "RETRY-AFTER"]),
    "chunked": (CHUNKED, ["Content-Type", "Transfer-Encoding", "Retry-After"]),
    "closing, in capitals": (
        Wire(closes=True, header_case=str.upper),
        ["CONTENT-TYPE", "CONTENT-LENGTH", "CONNECTION", "RETRY-AFTER"],
    ),
}


@pytest.mark.parametrize(("wire", "names"), CASES.values(), ids=CASES)
def test_names_of_headers_are_written_as_asked(wire: Wire, names: list[str]) -> None:
    told = Told(Answer(429, {"a": 1}, variant("throttles-now-and-then").busy(450).headers))  # type: ignore[misc, union-attr]
    reply = ask(wire, "GET", "/", koncili=told)
    assert [name for name, _ in reply.headers if name.lower() in OWN] == names
    assert reply.values("retry-after") == ["1"]


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_every_method_is_answered_by_the_mock(method: str) -> None:
    told = Told(LONG)
    reply = ask(PLAIN, method, "/order", b"{}", koncili=told)
    assert (reply.status, loads(reply.body)) == (200, LONG.body)
    assert [(request.method, request.path, request.body) for request in told.asked] == [(method, "/order", b"{}")]


@pytest.mark.parametrize("wire", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_head_is_answered_by_the_mock_without_a_body(wire: Wire) -> None:
    told = Told(LONG)
    reply = ask(wire, "HEAD", "/order", koncili=told)
    assert [request.method for request in told.asked] == ["HEAD"]
    assert (reply.status, reply.body) == (200, b"")
    assert len(reply.values("content-length") + reply.values("transfer-encoding")) == 1


def test_an_undocumented_method_gets_the_mock_s_own_refusal() -> None:
    assert ask(PLAIN, "PUT", "/order", b"{}").status in {404, 405}
    assert ask(PLAIN, "HEAD", "/order").status in {404, 405}


def test_a_request_comes_whole_to_the_mock() -> None:
    told, code = Told(Answer(200)), "#1/2&A+B%2B Açaí"
    with listening(told, PLAIN) as base_url:
        headers = {"gumgaToken": "T", "X-Empty": ""}
        httpx.get(f"{base_url}/ord%65r", params={"marketplaceCode": code, "channelName": ""}, headers=headers)
        httpx.post(f"{base_url}/order", content='{"a": "é"}'.encode())
    asked, posted = told.asked
    assert (asked.method, asked.path) == ("GET", "/order")
    assert asked.query == {"marketplaceCode": code, "channelName": ""}
    assert (asked.headers["gumgatoken"], asked.headers["x-empty"]) == ("T", "")
    assert asked.body == b""
    assert posted.body == '{"a": "é"}'.encode()


def test_a_request_without_a_length_has_no_body() -> None:
    with connected(PLAIN, told := Told(Answer(200))) as connection:
        send(connection, "POST", f"/order?marketplaceCode={quote('é')}", length=False)
        connection.shutdown(socket.SHUT_WR)
        assert parsed(received(connection)).status == 200
    assert (told.asked[0].body, told.asked[0].query) == (b"", {"marketplaceCode": "é"})


# -- the mock behind it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", SPOKEN.values(), ids=SPOKEN)
def test_the_mock_gives_a_token_and_lists_accounts(wire: Wire) -> None:
    with listening(Koncili(), wire) as base_url, httpx.Client(base_url=base_url) as client:
        token = client.post(Endpoint.CREATE_TOKEN.path, content=TOKEN_BODY).json()["accessToken"]
        listed = client.get("/my-accounts", headers={"gumgaToken": token, "integrator": world.INTEGRATOR})
        assert client.get("/my-accounts").status_code == 403
    assert listed.status_code == 200
    assert len(listed.json()) >= len(world.ENABLED)


def test_the_control_interface_is_behind_it_too() -> None:
    koncili = Koncili()
    reply = ask(PLAIN, "POST", CONTROL_PATH, b'{"advanceSeconds": 60}', koncili)
    assert reply.status == 200
    assert (koncili.clock.now() - EPOCH).total_seconds() == 60
    assert ask(PLAIN, "POST", CONTROL_PATH, b'{"advanceSeconds": -1}', koncili).status == 400


def test_a_taken_port_is_an_error() -> None:
    with server_of(Koncili(), PLAIN, 0) as server, pytest.raises(OSError, match="in use"):
        server_of(Koncili(), PLAIN, server.server_port)


def test_when_it_is_left_nobody_listens_any_more() -> None:
    with listening(Koncili(), PLAIN) as base_url:
        assert httpx.get(f"{base_url}/nowhere").status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base_url}/nowhere")


# -- the way of a run to it ----------------------------------------------------------------------------------------

OVER_A_SOCKET: Final = [name for name, mock in VARIANTS.items() if mock.wire is not None]


def test_some_variants_are_of_the_wire() -> None:
    assert OVER_A_SOCKET == [
        "chunked",
        "closes-connections",
        "lower-case-headers",
        "upper-case-headers",
        "at-once-on-a-socket",
    ]


def test_whatever_host_is_named_the_mock_is_asked() -> None:
    told = Told(LONG)
    with httpx.Client(transport=Wired(told, CHUNKED), base_url="https://koncili.example:8443") as client:
        answers = [client.get("http://koncili.example/order?a=1"), client.get("http://127.0.0.1:1/order?a=2")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [request.query for request in told.asked] == [{"a": "1"}, {"a": "2"}]


def test_closing_it_ends_the_server_and_asking_again_begins_another() -> None:
    transport = Wired(told := Told(LONG), PLAIN)
    transport.close()
    for _ in range(2):
        request = httpx.Request("GET", "http://mock/order")
        answer = transport.handle_request(request)
        answer.read()
        assert request.url == "http://mock/order"  # as the journal is to tell it
        port = transport.base.port
        transport.close()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/order")
    assert len(told.asked) == 2


@pytest.mark.parametrize("name", OVER_A_SOCKET)
def test_a_session_with_such_a_variant_goes_over_a_socket(name: str) -> None:
    session = open_session(Options(variants=(name,)))
    try:
        assert isinstance(session.transport, Wired)
        session.preflight()
        answer = session.client.call(Endpoint.LIST_ACCOUNTS)
    finally:
        session.close()
    assert answer.status == 200
    shown: dict[str, Any] = {written.lower(): value for written, value in answer.response_headers.items()}
    assert shown["content-type"] == "application/json"
    mock = VARIANTS[name]
    assert isinstance(mock, Variant)
    assert mock.wire is not None
    assert ("transfer-encoding" in shown) == mock.wire.chunked
    assert (shown.get("connection") == "close") == mock.wire.closes
