"""The suite's receiver of notifications: takes in what is proper, answers what is not, and says nothing."""

from __future__ import annotations

import gzip
import re
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from select import select
from threading import Thread
from threading import enumerate as running_threads
from typing import Any, cast

import httpx
import pytest

from conformance.errors import CannotRun
from conformance.mock.clock import VirtualClock
from conformance.mock.notifications import Notifier, post
from conformance.target import inbox as module
from conformance.target.inbox import MAX_BODY_BYTES, Inbox, Received

SUCCESS = {"status": "success"}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


@pytest.fixture
def http(inbox: Inbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=inbox.url.removesuffix("/notifications"), trust_env=False, timeout=30) as client:
        yield client


def port_of(inbox: Inbox) -> int:
    return cast(int, httpx.URL(inbox.url).port)


def connected(inbox: Inbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(inbox)), 30)


def raw(inbox: Inbox, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to these very bytes: status, headers by lower-case name, body."""
    with connected(inbox) as sock:
        sock.sendall(request)
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def bodies(inbox: Inbox) -> list[bytes]:
    return [received.body for received in inbox.received]


def named(body: bytes) -> bytes:
    return b"POST /notifications HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


# -- what is taken -------------------------------------------------------------------------------------------------


def test_a_notification_is_taken_as_documented(inbox: Inbox, http: httpx.Client) -> None:
    before = datetime.now(UTC)
    body = b'{"notificationType": "TEST_NOTIFICATION", "payload": {"value": 10.10}}'
    answer = http.post("/notifications", content=body, headers={"X-Koncili": "Yes"})
    assert (answer.status_code, answer.json()) == (200, SUCCESS)
    assert answer.headers["content-type"] == "application/json"
    (received,) = inbox.received
    assert received.body == body
    assert received.content == {"notificationType": "TEST_NOTIFICATION", "payload": {"value": Decimal("10.10")}}
    assert str(received.content["payload"]["value"]) == "10.10"
    assert received.headers["x-koncili"] == "Yes"
    assert received.headers["content-length"] == str(len(body))
    assert not received.refused
    assert received.at.utcoffset() == timedelta()
    assert before <= received.at <= datetime.now(UTC)


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xfe", b'{"a": ', b"NaN", b"[" * 100_000])
def test_what_is_no_json_is_taken_too(inbox: Inbox, http: httpx.Client, body: bytes) -> None:
    assert http.post("/notifications", content=body).status_code == 200
    (received,) = inbox.received
    assert (received.body, received.content) == (body, None)


def test_a_query_does_not_change_the_path(inbox: Inbox, http: httpx.Client) -> None:
    assert http.post("/notifications?secret=1", json={}).status_code == 200
    assert bodies(inbox) == [b"{}"]


def test_notifications_are_kept_in_order_of_arrival(inbox: Inbox, http: httpx.Client) -> None:
    for number in range(20):
        http.post("/notifications", json=number)
    assert [received.content for received in inbox.received] == list(range(20))
    instants = [received.at for received in inbox.received]
    assert instants == sorted(instants)


def test_the_list_is_the_callers_own(inbox: Inbox, http: httpx.Client) -> None:
    http.post("/notifications", json=1)
    inbox.received.clear()
    assert len(inbox.received) == 1


def test_two_deliveries_of_one_notification_are_two(inbox: Inbox, http: httpx.Client) -> None:
    for _ in range(2):
        http.post("/notifications", json=1)
    first, second = inbox.received
    assert first != second
    assert inbox.wait_for(lambda received: received is not first, 0) is second


def test_senders_side_by_side_are_all_served(inbox: Inbox) -> None:
    answers = []
    threads = [Thread(target=lambda n=n: answers.append(raw(inbox, named(b"%d" % n))[0])) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 30
    assert sorted(received.content for received in inbox.received) == list(range(30))


def test_a_sender_that_stays_silent_holds_up_no_other(inbox: Inbox, http: httpx.Client) -> None:
    with connected(inbox) as silent:
        silent.sendall(b"POST /notifications HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        assert http.post("/notifications", json=1).status_code == 200
    assert bodies(inbox) == [b"1"]


def test_a_sender_that_stays_silent_is_hung_up_on(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.01)
    with connected(inbox) as silent:
        silent.sendall(b"POST /notifications HTTP/1.1\r\nContent-Length: 5\r\n\r\n123")
        assert silent.recv(1) == b""
    assert inbox.received == []


def test_a_path_of_ones_own() -> None:
    with Inbox(path="/hooks/koncili") as inbox:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/hooks/koncili", inbox.url)
        assert post(inbox.url, b"{}")
        assert not post(inbox.url.replace("/hooks/koncili", "/notifications"), b"{}")


# -- what is not ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/notification", "/notifications/", "/Notifications", "/x?/notifications"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_another_path_is_not_found(inbox: Inbox, http: httpx.Client, method: str, path: str) -> None:
    assert http.request(method, path, content=b"{}").status_code == 404
    assert inbox.received == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_not_allowed(inbox: Inbox, http: httpx.Client, method: str) -> None:
    answer = http.request(method, "/notifications", content=b"{}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert inbox.received == []


LENGTHS = {
    "no length": (b"", 411),
    "chunked, with a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", 400),
    "another coding": (b"Transfer-Encoding: gzip, chunked\r\n", 400),
    "empty": (b"Content-Length:\r\n", 400),
    "a word": (b"Content-Length: two\r\n", 400),
    "negative": (b"Content-Length: -2\r\n", 400),
    "with a sign": (b"Content-Length: +2\r\n", 400),
    "underscored": (b"Content-Length: 1_0\r\n", 400),
    "superscript": (b"Content-Length: \xb2\r\n", 400),
    "fraction": (b"Content-Length: 2.0\r\n", 400),
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 3\r\n", 400),
    "endless": (b"Content-Length: " + b"9" * 5000 + b"\r\n", 400),
    "a byte too large": (b"Content-Length: %d\r\n" % (MAX_BODY_BYTES + 1), 413),
    "far too large": (b"Content-Length: 999999999999999999\r\n", 413),
}


@pytest.mark.parametrize(("header", "status"), LENGTHS.values(), ids=LENGTHS)
def test_a_body_of_no_proper_length_is_refused_unread(inbox: Inbox, header: bytes, status: int) -> None:
    answer = raw(inbox, b"POST /notifications HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n{}")
    assert (answer[0], answer[1]["connection"]) == (status, "close")
    assert inbox.received == []


def test_the_largest_body_is_taken_and_a_larger_one_answered(inbox: Inbox, http: httpx.Client) -> None:
    assert http.post("/notifications", content=b"x" * MAX_BODY_BYTES).status_code == 200
    assert http.post("/notifications", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert http.post("/notifications", content=b"x" * (8 * MAX_BODY_BYTES)).status_code == 413
    assert [len(body) for body in bodies(inbox)] == [MAX_BODY_BYTES]


def test_a_sender_in_the_middle_of_a_large_body_still_gets_the_answer(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 30)
    with connected(inbox) as sock:
        sock.sendall(b"POST /notifications HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n")
        select([sock], [], [], 30)
        for _ in range(9):
            sock.sendall(b"x" * 1_000_000)
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_sender_that_does_not_hang_up_is_hung_up_on(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0)
    with connected(inbox) as sock:
        sock.sendall(named(b"1"))
        while sock.recv(65536):
            pass
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            sock.sendall(b"x" * 100_000_000)


TOLD = '{"notificationType": "TEST_NOTIFICATION", "timestamp": "São Paulo", "payload": null}'
CHUNKED = b"POST /notifications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, iter([TOLD[:9].encode(), TOLD[9:].encode()])),  # no length: in chunks, as .NET, Node and Java send JSON
        ({"content-encoding": "gzip"}, gzip.compress(TOLD.encode())),
        ({"content-encoding": "gzip"}, iter([gzip.compress(TOLD.encode())])),
        ({"content-encoding": "deflate"}, zlib.compress(TOLD.encode())),
        ({"content-type": "application/json; charset=iso-8859-1"}, TOLD.encode("latin-1")),
        ({"content-type": "application/json; charset=iso-8859-1"}, TOLD.encode()),
        ({"content-type": "text/plain", "content-encoding": "identity"}, TOLD.encode()),
    ],
    ids=["chunks", "gzip", "gzip in chunks", "deflate", "latin-1", "utf-8 that says latin-1", "plain text"],
)
def test_a_notification_is_read_however_it_is_sent(
    inbox: Inbox, http: httpx.Client, headers: dict[str, str], body: Any
) -> None:
    answer = http.post("/notifications", content=body, headers=headers)
    assert (answer.status_code, answer.json(), bodies(inbox)) == (200, SUCCESS, [TOLD.encode()])


def test_chunks_may_say_more_than_how_long_they_are(inbox: Inbox) -> None:
    assert raw(inbox, CHUNKED + b"\r\n1;a=b\r\n{\r\n01\r\n}\r\n0\r\nX-Sum: 1\r\n\r\n")[0] == 200
    assert bodies(inbox) == [b"{}"]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"x\r\n{}\r\n0\r\n\r\n", 400),
        (b"-2\r\n{}\r\n0\r\n\r\n", 400),
        (b"1\r\n{}\r\n0\r\n\r\n", 400),
        (b"2\r\n{}\r\n0\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 400),
        (b"%x\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"fffffffffffffff\r\n", 413),
    ],
)
def test_what_are_no_chunks_is_no_notification(inbox: Inbox, chunks: bytes, status: int) -> None:
    assert raw(inbox, CHUNKED + b"\r\n" + chunks)[0] == status
    assert inbox.received == []


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"\x8b\x01\x80{}\x03", 415),
        ("gzip", b"{}", 415),
        ("gzip", gzip.compress(TOLD.encode(), mtime=0)[:-9], 415),
        ("gzip", gzip.compress(b" " * (MAX_BODY_BYTES + 1)), 413),
    ],
)
def test_what_is_not_in_its_content_coding_is_no_notification(
    inbox: Inbox, http: httpx.Client, coding: str, body: bytes, status: int
) -> None:
    assert http.post("/notifications", content=body, headers={"content-encoding": coding}).status_code == status
    assert inbox.received == []


def test_a_body_cut_off_is_no_notification(inbox: Inbox) -> None:
    with connected(inbox) as sock:
        sock.sendall(b"POST /notifications HTTP/1.1\r\nContent-Length: 5\r\n\r\n123")
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert inbox.received == []


NO_REQUESTS = {
    "no HTTP": (b"hello out there\r\n\r\n", 400),
    "one word": (b"hello\r\n\r\n", 400),
    "HTTP 0.9": (b"GET /\r\n\r\n", 404),
    "HTTP 2": (b"POST /notifications HTTP/2.0\r\n\r\n", 505),
    "too many words": (b"POST /notifications by HTTP/1.1\r\n\r\n", 400),
    "too long a line": (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    "too long a header": (b"POST /notifications HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    "too many headers": (b"POST /notifications HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 431),
    "a URL without a host": (b"POST http://[/ HTTP/1.1\r\n\r\n", 404),
}


@pytest.mark.parametrize(("request_bytes", "status"), NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_refused(inbox: Inbox, request_bytes: bytes, status: int) -> None:
    answer = raw(inbox, request_bytes)
    assert (answer[0], answer[2]) == (status, b'{"status": "error"}')
    assert inbox.received == []


def test_what_follows_a_request_is_no_second_one(inbox: Inbox) -> None:
    """The body of a refused request must not be read as a request of its own."""
    hidden = named(b"2")
    refused = b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(hidden), hidden)
    assert raw(inbox, refused)[0] == 404
    assert raw(inbox, named(b"1") + named(b"3"))[0] == 200
    assert bodies(inbox) == [b"1"]


def test_a_sender_that_waits_for_leave_to_go_on_gets_it(inbox: Inbox) -> None:
    with connected(inbox) as sock:
        sock.sendall(b"POST /notifications HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"{}")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert bodies(inbox) == [b"{}"]


def test_it_prints_nothing_and_names_no_version(
    inbox: Inbox, http: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = [http.post("/notifications", json=1), http.get("/notifications"), http.get("/")]
    raw(inbox, b"nonsense\r\n\r\n")
    with connected(inbox) as rude:
        # A reset instead of an end.
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        rude.sendall(b"POST /notifications HTTP/1.1\r\nContent-Length: 5\r\n\r\n123")
    assert http.post("/notifications", json=2).status_code == 200
    inbox.close()
    assert {answer.headers["server"] for answer in answers} == {"koncili-conformance"}
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_its_own_is_not_hidden(
    inbox: Inbox, http: httpx.Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(inbox._server, "take", lambda *_: 1 / 0)
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/notifications", json=1)
    # The connection is ended before the fault is told.
    for thread in running_threads():
        if "process_request_thread" in thread.name:
            thread.join()
    inbox.close()
    assert "ZeroDivisionError" in capfd.readouterr().err


# -- refusing ------------------------------------------------------------------------------------------------------


def test_the_next_notifications_are_refused(inbox: Inbox, http: httpx.Client) -> None:
    inbox.refuse_next(2)
    http.get("/notifications")
    http.post("/elsewhere")
    assert [http.post("/notifications", json=n).status_code for n in range(4)] == [500, 500, 200, 200]
    assert [received.refused for received in inbox.received] == [True, True, False, False]


def test_refusing_can_be_called_off(inbox: Inbox, http: httpx.Client) -> None:
    inbox.refuse_next(5)
    inbox.refuse_next(0)
    assert http.post("/notifications", json=1).status_code == 200


def test_the_mock_finds_it_past_a_proxy(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(inbox.url, b"{}")


def test_the_mock_tries_again_what_was_refused(inbox: Inbox) -> None:
    clock = VirtualClock()
    notifier = Notifier(clock)
    notifier.url = inbox.url
    notifier.emit("TEST_NOTIFICATION", None)
    inbox.refuse_next(1)
    notifier.deliver()
    clock.advance(60)
    notifier.deliver()
    clock.advance(3600)
    notifier.deliver()
    first, second = inbox.received
    assert (first.refused, second.refused) == (True, False)
    assert first.body == second.body
    assert first.content["notificationType"] == "TEST_NOTIFICATION"
    assert first.headers["content-type"] == "application/json"
    assert notifier.given_up == 0


# -- waiting -------------------------------------------------------------------------------------------------------


def test_what_has_arrived_already_needs_no_waiting(inbox: Inbox, http: httpx.Client) -> None:
    for number in range(3):
        http.post("/notifications", json={"number": number})
    found = inbox.wait_for(lambda received: received.content["number"] > 0, 0)
    assert found is inbox.received[1]


def test_what_arrives_is_waited_for(inbox: Inbox) -> None:
    """Whoever waits is woken by what arrives, long before the time is up."""
    found: list[Received | None] = []
    waiter = Thread(target=lambda: found.append(inbox.wait_for(lambda it: bool(it.content == 4), 3600)), daemon=True)
    waiter.start()
    for number in range(5):
        raw(inbox, named(b"%d" % number))
    waiter.join(30)
    assert found == [inbox.received[4]]


def test_what_does_not_arrive_is_none(inbox: Inbox, http: httpx.Client) -> None:
    http.post("/notifications", json=1)
    assert inbox.wait_for(lambda _: False, 0.05) is None
    assert inbox.wait_for(lambda _: False, 0) is None


def test_a_match_may_look_at_the_inbox(inbox: Inbox, http: httpx.Client) -> None:
    http.post("/notifications", json=1)
    assert inbox.wait_for(lambda received: received is inbox.received[-1], 0) is not None


# -- listening -----------------------------------------------------------------------------------------------------


def test_a_port_taken_names_the_address_and_the_remedy(inbox: Inbox) -> None:
    port = port_of(inbox)
    message = rf"^127\.0\.0\.1:{port} cannot be had .*in use; choose another callback_listen in the target file$"
    with pytest.raises(CannotRun, match=message):
        Inbox(port=port)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 65536), ("127.0.0.1", -1), ("a" * 70, 0), ("no such host", 0)]
)
def test_an_address_that_is_not_ours_cannot_be_had(host: str, port: int) -> None:
    with pytest.raises(CannotRun, match=rf"^{re.escape(f'{host}:{port}')} cannot be had .*callback_listen"):
        Inbox(host, port)


def test_once_closed_the_port_is_free_and_what_was_received_stays() -> None:
    with Inbox() as inbox:
        port = port_of(inbox)
        assert post(inbox.url, b"1")
    inbox.close()
    assert not post(inbox.url, b"2")
    assert bodies(inbox) == [b"1"]
    with Inbox(port=port) as other:
        assert post(inbox.url, b"3")
        assert bodies(other) == [b"3"]


def test_one_never_used_is_closed_at_once() -> None:
    for _ in range(3):
        Inbox().close()
