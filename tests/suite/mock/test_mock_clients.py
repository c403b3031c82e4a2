"""A client that sends half of a request, nothing, or what is no request harms nobody else, however the mock is spoken to."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from conformance.contract.jsontext import dumps
from conformance.mock import wire
from conformance.mock.app import CONTROL_PATH
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Wire
from conformance.mock.wire import HOST, MOST_BODY_BYTES, listening
from tests.suite.support.command_runs import COMMAND

PATIENCE: Final = 20.0
"""Seconds: far more than an answer takes, and less than a client is waited for."""


@contextmanager
def serving(stall_seconds: float = 1000.0) -> Iterator[tuple[str, int]]:
    """The address of a mock that hangs up on a client that was silent for so long."""
    with pytest.MonkeyPatch.context() as patch, listening(Koncili(), Wire()) as base_url:
        patch.setattr(wire._Handler, "timeout", stall_seconds)
        parts = urlsplit(base_url)
        yield parts.hostname or "", parts.port or 0


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with serving() as found:
        yield found


def connected(address: tuple[str, int], raw: bytes) -> socket.socket:
    """A connection on which this was sent."""
    connection = socket.create_connection(address, timeout=PATIENCE)
    connection.sendall(raw)
    return connection


def first_line(address: tuple[str, int], raw: bytes) -> bytes:
    """The status line of what is answered to this; the rest is read, too, where there is any at once."""
    with connected(address, raw) as connection, connection.makefile("rb") as answer:
        return answer.readline().strip()


HALVES: Final = {
    "nothing": b"",
    "half a request line": b"POST /ord",
    "half the headers": b"POST /order HTTP/1.1\r\nHost: mock\r\nContent-Le",
    "no body": b"POST /order HTTP/1.1\r\nHost: mock\r\nContent-Length: 100\r\n\r\n",
    "half a body": b"POST /order HTTP/1.1\r\nHost: mock\r\nContent-Length: 100\r\n\r\n" + b"{" * 50,
    "half a chunk": b"POST /order HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{{",
    "half the chunks": b"POST /order HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
}
"""What a client may stop at."""

WHOLE: Final = f"GET {CONTROL_PATH} HTTP/1.1\r\nHost: mock\r\n\r\n".encode()


@pytest.mark.parametrize("half", HALVES)
def test_others_are_answered_while_clients_send_half_of_a_request(address: tuple[str, int], half: str) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connected(address, HALVES[half]))
        for _ in range(3):
            assert first_line(address, WHOLE) == b"HTTP/1.1 200 OK"


def test_a_client_that_stays_silent_is_hung_up_on() -> None:
    with serving(stall_seconds=1.0) as address, ExitStack() as stack:
        silent = {half: stack.enter_context(connected(address, raw)) for half, raw in HALVES.items()}
        assert {half: connection.recv(1) for half, connection in silent.items()} == dict.fromkeys(HALVES, b"")


def test_a_body_that_waits_to_be_asked_for_is_asked_for_at_once(address: tuple[str, int]) -> None:
    head = b"POST /order HTTP/1.1\r\nHost: mock\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with connected(address, head) as connection, connection.makefile("rb") as answer:
        assert answer.readline().strip() == b"HTTP/1.1 100 Continue"  # nothing more was sent, so it waited for nothing
        assert answer.readline().strip() == b""
        connection.sendall(b"{}")
        assert answer.readline().startswith(b"HTTP/1.1 403 ")


def test_requests_sent_at_once_are_answered_in_turn(address: tuple[str, int]) -> None:
    head = b"HEAD /nowhere HTTP/1.1\r\nHost: mock\r\n\r\n"
    last = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with connected(address, WHOLE + head + last) as connection, connection.makefile("rb") as answers:
        found = re.findall(rb"HTTP/1\.1 (\d+)", answers.read())
    assert found == [b"200", b"404", b"200"]


def chunked(body: bytes) -> bytes:
    return b"POST /order HTTP/1.1\r\nHost: mock\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def lengthy(length: str) -> bytes:
    return f"POST /order HTTP/1.1\r\nHost: mock\r\nContent-Length: {length}\r\n\r\n{{}}".encode()


NO_REQUESTS: Final = {
    "chunks without a length": (chunked(b"\r\n{}\r\n0\r\n\r\n"), b"400"),
    "a chunk of a length that is none": (chunked(b"zz\r\n{}\r\n0\r\n\r\n"), b"400"),
    "a chunk of a negative length": (chunked(b"-2\r\n{}\r\n0\r\n\r\n"), b"400"),
    "a chunk longer than it says": (chunked(b"1\r\n{}\r\n0\r\n\r\n"), b"400"),
    "a length that is none": (lengthy("two"), b"400"),
    "a negative length": (lengthy("-2"), b"400"),
    "a body that is too large": (lengthy(str(MOST_BODY_BYTES + 1)), b"413"),
    "a body far too large": (lengthy("9" * 18), b"413"),
    "headers that are too large": (WHOLE[:-2] + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n", b"431"),
}


@pytest.mark.parametrize("what", NO_REQUESTS)
def test_what_is_no_request_is_refused(address: tuple[str, int], what: str) -> None:
    raw, status = NO_REQUESTS[what]
    try:
        line = first_line(address, raw)
    except ConnectionError:  # hung up on before all was sent, which is allowed
        line = b""
    assert not line or line.split()[1] == status
    assert first_line(address, WHOLE) == b"HTTP/1.1 200 OK"


def test_chunks_that_are_too_large_together_are_refused() -> None:
    with serving() as address:
        chunk = b"%x\r\n%b\r\n" % (MOST_BODY_BYTES // 2 + 1, b" " * (MOST_BODY_BYTES // 2 + 1))
        with connected(address, chunked(chunk)) as connection, connection.makefile("rb") as answer:
            connection.sendall(b"%x\r\n" % (MOST_BODY_BYTES // 2 + 1))
            assert answer.readline().split()[1] == b"413"


def test_a_body_that_breaks_off_never_comes_to_the_mock() -> None:
    koncili = Koncili()
    with listening(koncili, Wire()) as base_url:
        parts = urlsplit(base_url)
        with connected((parts.hostname or "", parts.port or 0), HALVES["half a body"]) as connection:
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                assert answer.readline().split()[1] == b"400"
    assert koncili.state()["counts"]["requests"] == 0


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", [[], ["--variant=chunked"]], ids=["plain", "chunked"])
def test_a_port_that_is_taken_is_told(variant: list[str]) -> None:
    with socket.create_server((HOST, 0)) as taken:
        command = [str(COMMAND), "mock", f"--port={taken.getsockname()[1]}", *variant]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert ended.stderr == (
        f"koncili-conformance: port {command[2].removeprefix('--port=')} of 127.0.0.1 cannot be had: Address already in use; "
        "choose another with --port\n"
    )


@pytest.mark.parametrize("variant", [[], ["--variant=chunked"]], ids=["plain", "chunked"])
def test_ctrl_c_ends_it_and_says_nothing(variant: list[str]) -> None:
    with subprocess.Popen(
        [str(COMMAND), "mock", "--port=0", *variant], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as mock:
        assert mock.stdout is not None
        base_url = mock.stdout.readline().split()[3]
        with httpx.Client(base_url=base_url, timeout=PATIENCE) as client:
            while True:
                try:
                    assert client.get(CONTROL_PATH).status_code == 200
                    break
                except httpx.ConnectError:  # between the greeting and the first answer
                    continue
            parts = urlsplit(base_url)
            with connected((parts.hostname or "", parts.port or 0), HALVES["half a body"]):
                mock.send_signal(signal.SIGINT)
                assert mock.wait(timeout=60) == 0
        assert mock.stderr is not None
        assert mock.stderr.read() == ""


# -- where notifications go ----------------------------------------------------------------------------------------

NO_CALLBACKS: Final = {
    "a file": "file:///etc/passwd",
    "ftp": "ftp://127.0.0.1/notifications",
    "gopher": "gopher://127.0.0.1:70/_x",
    "data": "data:text/plain,x",
    "javascript": "javascript:alert(1)",
    "no scheme": "127.0.0.1:9100/notifications",
    "only a path": "/notifications",
    "nothing": "",
    "no host": "http:///notifications",
    "no host but a port": "http://:9100/notifications",
    "a password": "http://ana:hunter2mark@127.0.0.1:9100/notifications",
    "a port that is none": "http://127.0.0.1:x/",
    "a port beyond all": "http://127.0.0.1:70000/",
    "port 0": "http://127.0.0.1:0/",
    "a line break": "http://127.0.0.1:9100/\r\nX: y",
    "a blank": "http://127.0.0.1:9100/a b",
    "half an address": "http://[::1/",
    "a fragment": "http://127.0.0.1:9100/#x",
}


@pytest.mark.parametrize("what", NO_CALLBACKS)
def test_a_callback_that_is_none_is_refused_with_the_reason(address: tuple[str, int], what: str) -> None:
    url = f"http://{address[0]}:{address[1]}{CONTROL_PATH}"
    body = dumps({"callbackUrl": NO_CALLBACKS[what], "notify": "TEST_NOTIFICATION"})
    answer = httpx.post(url, content=body, timeout=PATIENCE)
    assert answer.status_code == 400
    told = answer.json()["errorMessage"]
    assert told.startswith(("/_mock: callbackUrl must ", "/_mock: callbackUrl is no URL"))
    assert "hunter2mark" not in told


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9100/notifications", "https://a.example/?x=1", "http://[::1]:9100", None]
)
def test_a_callback_that_is_one_is_taken(address: tuple[str, int], url: str | None) -> None:
    control = f"http://{address[0]}:{address[1]}{CONTROL_PATH}"
    assert httpx.post(control, json={"callbackUrl": url}, timeout=PATIENCE).status_code == 200


def test_a_callback_that_never_answers_holds_up_nobody(address: tuple[str, int]) -> None:
    control = f"http://{address[0]}:{address[1]}{CONTROL_PATH}"
    with socket.create_server((HOST, 0)) as mute, ExitStack() as stack:
        host, port = mute.getsockname()
        body = dumps({"callbackUrl": f"http://{host}:{port}/", "notify": "TEST_NOTIFICATION"}).encode()
        head = f"POST {CONTROL_PATH} HTTP/1.1\r\nHost: mock\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for _ in range(3):
            stack.enter_context(connected(address, head + body))
        came, _ = mute.accept()  # by now it waits for an answer
        with came:
            assert first_line(address, WHOLE) == b"HTTP/1.1 200 OK"
    httpx.post(control, json={"callbackUrl": None}, timeout=PATIENCE)
