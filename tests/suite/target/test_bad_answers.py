"""Whatever comes back, no call takes long, takes much memory, or ends in anything but an answer or none."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.errors import CannotRun, TargetUnavailable
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.http import network as http_network
from conformance.target.wire.http.building import Builder
from conformance.target.wire.http.failures import BrokenOff, Garbled, NoAnswer
from conformance.target.wire.http.network import Answer, Network, answer_seconds, ask
from tests.suite.support.stage.bad_answers import BAD_ANSWERS, write
from tests.suite.support.stage.listener import Exchange, listening
from tests.suite.support.stage.passage import Reply, in_json
from tests.suite.support.told_server import connect

ANSWER_SECONDS: Final = 3.0
"""How long an answer may take here: 2 MiB of the smallest pieces take a busy machine two seconds."""

GOOD: Final = in_json(200, {"marketplaceCode": "A-1"})

ENDLESS: Final = ("trickle", "endless-headers", "endless-announcements")
CUT: Final = ("cut-chunks", "long-length", "no-headers")
LARGE: Final = ("huge", "huge-in-chunks", "gzip-bomb", "gzip-bomb-twice", "many-announcements")
UNREADABLE: Final = tuple(name for name in BAD_ANSWERS if name not in {*ENDLESS, *CUT, *LARGE, "no-headers"})

WORDS: Final = {
    **dict.fromkeys(ENDLESS, "no whole answer within 3 s"),
    **dict.fromkeys(CUT, "peer closed connection"),
    **dict.fromkeys(LARGE, "an answer of more than 2 MiB"),
    "many-announcements": "an answer with more than 256 KiB before its body",
    "no-headers": "disconnected",
    **dict.fromkeys(UNREADABLE, "an answer that can't be read: "),
}
"""What is said of each."""


@contextmanager
def served(serve: Callable[[Exchange], None]) -> Iterator[tuple[Builder, Network]]:
    """A way to a server of one's own, on which an answer may take seconds."""
    with listening(serve) as listener:
        base_url = f"http://127.0.0.1:{listener.port}"
        network = Network(base_url, None, ANSWER_SECONDS)
        try:
            yield Builder(base_url, (), "tests"), network
        finally:
            network.close()


def get(builder: Builder, network: Network, path: str = "/order", method: str = "GET") -> Answer:
    """The answer to a request. Raises NoAnswer."""
    return ask(network, builder.build(method, path, None, None, {}), lambda *_: None)


def in_turn(*answers: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Give these answers, one request after the other."""
    left = iter(answers)

    def serve(exchange: Exchange) -> None:
        next(left)(exchange)

    return serve


def raw(*pieces: bytes) -> Callable[[Exchange], None]:
    """Write these pieces, and leave the connection open."""

    def serve(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.wfile.write(piece)
            exchange.wfile.flush()

    return serve


GOOD_RAW: Final = raw(GOOD.head + GOOD.body)


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_is_none_and_the_next_one_counts(name: str) -> None:
    pieces = BAD_ANSWERS[name](GOOD)
    spoilt = lambda exchange: write(exchange, pieces)  # noqa: E731 - a server in one line
    with served(in_turn(spoilt, GOOD_RAW)) as (builder, network):
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=WORDS[name]) as raised:
            get(builder, network)
        assert time.monotonic() - begun < 30
        assert isinstance(raised.value, BrokenOff if name in CUT else NoAnswer if name in ENDLESS else Garbled)
        assert get(builder, network).body == GOOD.body


CODED: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its head": ("deflate", lambda body: zlib.compress(body)[2:-4]),
    "both": ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    "identity": ("identity", lambda body: body),
    "a charset": ("UTF-8", lambda body: body),
    "nothing": ("", lambda body: body),
}


@pytest.mark.parametrize("coding", CODED)
def test_a_good_content_coding_is_taken_off(coding: str) -> None:
    name, encode = CODED[coding]
    body = encode(GOOD.body)
    answer = Reply(200, (("Content-Encoding", name), ("Content-Length", str(len(body)))), body)
    with served(raw(answer.head + answer.body)) as (builder, network):
        assert get(builder, network).body == GOOD.body


OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n"
NO_CONTENT: Final = b"HTTP/1.1 204 No Content\r\n\r\n"

ODD: Final[dict[str, tuple[str, bytes, int, bytes]]] = {
    "204 with a body": ("DELETE", NO_CONTENT + b'{"gone": true}', 204, b""),
    "204 with a body and its length": ("DELETE", b"HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\n{}", 204, b""),
    "304 with a body": ("GET", b"HTTP/1.1 304 X\r\n\r\nHTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", 304, b""),
    "HEAD with a body": ("HEAD", OK, 200, b""),
    "an answer behind the answer": ("GET", b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"HTTP/1.1 500 X\r\n\r\n", 200, b"{}"),
    "chunks with trailers": ("GET", b"HTTP/1.1 200 OK\r\n" + CHUNKED[:-2] + b"X: y\r\n\r\n", 200, b"{}"),
    "line ends behind the body": ("GET", OK + b"\r\n", 200, b"{}"),
    "an announcement before": ("GET", b"HTTP/1.1 103 X\r\nLink: <a>\r\n\r\n" + OK, 200, b"{}"),
    "no length": ("GET", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", 200, b"{}"),
    "HTTP/1.0": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
    "no reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
    "a compressed answer to HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 200, b""),
}
"""What is odd and an answer all the same: method, what is sent, status and body that are taken."""


@pytest.mark.parametrize("name", ODD)
def test_what_comes_behind_an_answer_is_not_taken_for_the_next(name: str) -> None:
    method, sent, status, body = ODD[name]

    def odd(exchange: Exchange) -> None:
        raw(sent)(exchange)
        if b"close" in sent:
            exchange.close_after()

    with served(in_turn(odd, GOOD_RAW, GOOD_RAW)) as (builder, network):
        answer = get(builder, network, method=method)
        assert (answer.status, answer.body) == (status, body)
        assert [get(builder, network).body for _ in range(2)] == [GOOD.body] * 2


def test_an_answer_before_the_request_was_sent_whole() -> None:
    """Of a request that is larger than what lies between the two."""
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        base_url = f"http://127.0.0.1:{server.getsockname()[1]}"
        network = Network(base_url, None, 10)
        request = Builder(base_url, (), "tests").build("POST", "/order", None, b" " * 20_000_000, {})
        assert ask(network, request, lambda *_: None).status == 413
        network.close()
        thread.join()


@pytest.mark.parametrize(
    ("max_wait", "seconds"), [(None, 60), (3600.0, 60), (60.0, 60), (20.0, 20), (5.0, 10), (0.0, 10)]
)
def test_an_answer_takes_no_longer_than_the_user_wants_to_wait(max_wait: float | None, seconds: float) -> None:
    assert answer_seconds(max_wait) == seconds


# -- 423 -----------------------------------------------------------------------------------------------------------

BLOCKED_HEAD: Final = b"HTTP/1.1 423 Locked\r\n"

BLOCKS: Final[dict[str, bytes]] = {
    "whole": BLOCKED_HEAD + b"Content-Length: 2\r\n\r\n{}",
    "its body cut": BLOCKED_HEAD + b"Content-Length: 99\r\n\r\n{",
    "its body no gzip": BLOCKED_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "its headers cut": BLOCKED_HEAD + b"Content-Le",
    "its headers no headers": BLOCKED_HEAD + b"\x00: \x01\r\n\r\n",
    "nothing but its first line": BLOCKED_HEAD,
    "no line end": b"HTTP/1.1 423 ",
    "after an announcement": b"HTTP/1.1 102 X\r\n\r\n" + BLOCKED_HEAD,
    "too large": BLOCKED_HEAD + b"Content-Length: 9999999\r\n\r\n" + b" " * 9_999_999,
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("call", ["a token", "a query"])
def test_a_block_is_noted_by_its_first_line(name: str, call: str) -> None:
    requests = []

    def serve(exchange: Exchange) -> None:
        requests.append(exchange.path)
        if call == "a query" and exchange.path.endswith("/token"):
            token = in_json(200, {"accessToken": "access-token-0123", "refreshToken": "refresh-token-0123"})
            return raw(token.head + token.body)(exchange)
        return write(exchange, iter([BLOCKS[name]]))

    with listening(serve) as listener, connect(None, f"http://127.0.0.1:{listener.port}") as client:
        for _ in range(2):
            with pytest.raises(CannotRun, match=r"blocked .* \(423\) until \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
                client.call(Endpoint.LIST_ACCOUNTS)
        assert client.is_blocked
    assert len(requests) == (1 if call == "a token" else 2)


# -- memory --------------------------------------------------------------------------------------------------------

MOST_MEMORY: Final = 300
"""MiB of a run, whatever it is sent."""


def meet_everything() -> None:
    """In a process of its own: meet every bad answer and some that are as large as they may be, and tell the memory it
    took at most."""

    names = iter([*BAD_ANSWERS, *BAD_ANSWERS])
    large = in_json(200, [{"marketplaceCode": f"A-{number}", "token": f"a1{number:016d}"} for number in range(30_000)])

    def serve(exchange: Exchange) -> None:
        if exchange.path.endswith("/token"):
            token = in_json(200, {"accessToken": "access-token-0123", "refreshToken": "refresh-token-0123"})
            raw(token.head + token.body)(exchange)
        elif (name := next(names, None)) is not None:
            write(exchange, BAD_ANSWERS[name](GOOD))
        else:
            raw(large.head + large.body)(exchange)

    http_network.ANSWER_SECONDS = ANSWER_SECONDS
    time.sleep = lambda _: None
    with listening(serve) as listener:

        def client() -> KonciliClient:
            return connect(None, f"http://127.0.0.1:{listener.port}")

        with client() as own:
            own.access_token()
            for _ in range(len(BAD_ANSWERS)):
                own.sender._silences = 0
                try:
                    own.call(Endpoint.GET_ORDER)
                except TargetUnavailable:
                    continue
            for _ in range(15):
                assert own.call(Endpoint.GET_ORDER).status == 200
    print(json.dumps({"mebibytes": most_memory(), "size": len(large.body)}))


def most_memory() -> float:
    """MiB of this process since it was started. What getrusage tells begins with what the process had that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_no_answer_takes_much_memory() -> None:
    code = "from tests.suite.target.test_bad_answers import meet_everything; meet_everything()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["size"] > 1_500_000
    assert told["mebibytes"] < MOST_MEMORY
