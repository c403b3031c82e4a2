"""Requests at once: nobody's last byte is sent before all others are there, and all of it is counted and written down."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.errors import CannotRun, TargetUnavailable
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.target.shared.budget import DocumentedLimits
from conformance.target.shared.ledger import Ledger
from conformance.target.shared.store_sqlite import SQLiteStore
from conformance.target.waiting import Waiting
from conformance.target.wire import at_once
from conformance.target.wire.at_once import CalledOff, Rendezvous
from conformance.target.wire.client import Calling, KonciliClient
from conformance.target.wire.http.building import Builder
from conformance.target.wire.http.connections import Held
from conformance.target.wire.http.network import Answer, Network, ask
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.transport import Blocked
from tests.suite.support.bodies import CODE, creation, order, release
from tests.suite.support.properties import HOME

QUERY = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}
TOKEN = b'{"accessToken": "access", "refreshToken": "refresh", "expiresIn": 7200}'


@dataclass
class Watched:
    """A server that notices when all but the last byte of a request has come."""

    statuses: list[str] = field(default_factory=lambda: ["200 OK"])
    bodies: list[bytes] = field(default_factory=lambda: [b"{}"])
    """Of the answers, by the turn in which requests are whole; the last one for all others."""
    partly: list[bytes] = field(default_factory=list)
    """What had come of requests when all but their last byte had."""
    requests: list[bytes] = field(default_factory=list)
    when_whole: Callable[[int], None] = lambda _: None
    """Told how many requests are whole, tokens aside, before that one is answered."""
    given_up: int = 0
    """How many connections were closed in the middle of a request."""
    hangs_up_on: int | None = None
    """The how manieth connection is closed at once, tokens aside."""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _connections: int = 0

    def wait_for_all_but_one(self) -> None:
        """Wait until all but the last byte of a request has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.partly, 30)

    def wait_for_a_request_given_up(self) -> None:
        """Wait until a connection is closed in the middle of a request."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.given_up, 30)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            got = b""
            while not _is_whole(got):
                more = connection.recv(65536)
                if not more:
                    with self._changed:
                        self.given_up += bool(got)
                        self._changed.notify_all()
                    return
                if not got:
                    with self._changed:
                        number, self._connections = (
                            self._connections,
                            self._connections + ("/auth/" not in more.decode()),
                        )
                    if "/auth/" not in more.decode() and number == self.hangs_up_on:
                        return
                got += more
                if not _is_whole(got) and (_is_whole(got + b"}") or _is_whole(got + b"\n")):
                    with self._changed:
                        self.partly.append(got)
                        self._changed.notify_all()
            if b"/auth/token" in got:
                _send(connection, "200 OK", TOKEN)
                return
            with self._changed:
                self.requests.append(got)
                self.when_whole(len(self.requests))
                status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
                body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
            _send(connection, status, body)


def _is_whole(request: bytes) -> bool:
    head, blank, body = request.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(blank) and len(body) >= int(lengths[0] if lengths else 0)


def _send(connection: socket.socket, status: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + body)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def base_url(watched: Watched) -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=watched.serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "store.sqlite")) as store:
        yield store


@pytest.fixture
def budget(store: SQLiteStore) -> Iterator[DocumentedLimits]:
    with closing(DocumentedLimits(store, 100, Waiting(), paced=False)) as budget:
        yield budget


@pytest.fixture
def ledger(store: SQLiteStore) -> Ledger:
    return Ledger(store, "me")


@pytest.fixture
def client(base_url: str, budget: DocumentedLimits, ledger: Ledger) -> Iterator[KonciliClient]:
    target = parse_target(mock_target_table(base_url), "a test")
    readings = {"token-lifetime": "two-hours"}
    with KonciliClient(target, journal=Journal(Redactor()), budget=budget, readings=readings, ledger=ledger) as client:
        yield client


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, whatever this process does of it else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c_at(requests: int) -> Callable[[int], None]:
    """Ctrl-C when so many requests are whole."""

    def when_whole(number: int) -> None:
        if number == requests:
            os.kill(os.getpid(), signal.SIGINT)

    return when_whole


def creating(**changes: object) -> Calling:
    return Calling(Endpoint.CREATE_RECONCILIATION, content=dumps({**creation(), **changes}).encode())


CALLS = {
    "a body": Calling(Endpoint.SUBMIT_ORDER, content=dumps(order()).encode()),
    "a query": Calling(Endpoint.GET_ORDER, query=QUERY),
    "no body": Calling(Endpoint.DELETE_ORDER, query=QUERY),
}


@pytest.mark.parametrize("name", CALLS)
def test_all_but_the_last_byte_is_sent_before(base_url: str, watched: Watched, name: str) -> None:
    call = CALLS[name]
    builder = Builder(base_url, [], "a test")
    request = builder.build(call.endpoint.method, call.endpoint.path, call.query, call.content, {"connection": "close"})
    held: list[bytes] = []

    def release(send: Callable[[], None]) -> None:
        watched.wait_for_all_but_one()
        held.extend(watched.partly)
        send()

    with closing(Network(base_url)) as network:
        assert ask(network, request, lambda *_: None, release).status == 200
    assert watched.requests == [held[0] + (b"}" if call.content else b"\n")]


def test_calls_at_once_are_all_sent_before_the_first_answer(client: KonciliClient, watched: Watched) -> None:
    results = client.call_at_once(list(CALLS.values()))
    assert max(one.sent for one in results) < min(one.answered for one in results)
    assert [one.exchange.endpoint for one in results if one.exchange] == [call.endpoint for call in CALLS.values()]
    assert sorted(request.split(b" ")[0] for request in watched.requests) == [b"DELETE", b"GET", b"POST"]
    for request in watched.requests:
        assert b"gumgatoken: access" in request.lower()


def test_each_may_be_released_a_little_later(client: KonciliClient, watched: Watched) -> None:
    first, second, third = client.call_at_once([creating()] * 3, offsets=[0.0, 0.05, 0.03])
    assert second.sent - first.sent >= 0.05
    assert third.sent - first.sent >= 0.03
    assert len(watched.requests) == 3


def test_one_that_gets_no_answer_is_told_and_the_others_go_on(
    client: KonciliClient, watched: Watched, ledger: Ledger
) -> None:
    watched.hangs_up_on, watched.bodies = 0, [b'{"id": 7}']
    results = client.call_at_once([creating(), creating()])
    (lost,) = [one for one in results if one.exchange is None]
    (answered,) = [one for one in results if one.exchange is not None]
    assert lost.failure is not None
    assert lost.answered == float("inf")
    assert answered.exchange is not None
    assert answered.exchange.status == 200
    assert len(ledger.left.opened) == 2


def test_where_none_is_answered_the_target_is_not_there(client: KonciliClient, watched: Watched) -> None:
    watched.hangs_up_on = 0
    with pytest.raises(TargetUnavailable, match="1 calls at once: no answer"):
        client.call_at_once([creating()])


def test_each_client_error_is_counted(client: KonciliClient, watched: Watched, budget: DocumentedLimits) -> None:
    client.access_token()
    watched.statuses = ["409 Conflict"]
    before = budget.status().spent
    client.call_at_once([creating(), creating(), creating()])
    assert budget.status().spent == before + 3
    assert client.journal.traffic.client_errors == 3


def test_two_equal_creations_that_are_both_accepted_are_both_written_down(
    client: KonciliClient, watched: Watched, store: SQLiteStore
) -> None:
    watched.bodies = [b'{"id": 7}', b'{"id": 8}']
    client.call_at_once([creating(), creating()])
    assert sorted(str(one.id) for one in Ledger.of(store, "me").left.opened) == ["7", "8"]


def test_of_two_equal_creations_the_refused_one_is_off_the_ledger(
    client: KonciliClient, watched: Watched, ledger: Ledger
) -> None:
    client.access_token()
    watched.statuses, watched.bodies = ["400 Bad Request", "201 Created"], [b"{}", b'{"id": 7}']
    client.call_at_once([creating(), creating()])
    (left,) = ledger.left.opened
    assert left.id == 7
    assert not left.refused_again


def test_a_release_that_is_accepted_twice_counts_once(client: KonciliClient, watched: Watched, ledger: Ledger) -> None:
    watched.bodies = [b'{"id": 237}']
    client.call_at_once([creating(releasesQtd=6)])
    twice = Calling(Endpoint.SUBMIT_RELEASE, content=dumps(release()).encode())
    client.call_at_once([twice, twice])
    (left,) = ledger.left.opened
    assert left.received == len(release()["releases"])
    assert left.doubts == []


def test_a_block_is_noted_when_all_else_is_written_down(client: KonciliClient, watched: Watched) -> None:
    client.access_token()
    watched.statuses = ["423 Locked"]
    with pytest.raises(Blocked):
        client.call_at_once([creating(), creating()])
    assert client.journal.traffic.requests == 3
    with pytest.raises(Blocked):
        client.call_at_once([creating()])


def test_what_is_said_to_a_proxy_is_not_held_back() -> None:
    held = Held(b"POST", has_body=True, release=lambda send: send())
    assert not held.is_end(b"CONNECT koncili.example:443 HTTP/1.1\r\n\r\n")
    assert not held.is_end(b"POST /order HTTP/1.1\r\n\r\n")
    assert not held.is_end(b"")
    assert held.is_end(b"{}")
    assert Held(b"GET", has_body=False, release=lambda send: send()).is_end(b"GET /order HTTP/1.1\r\n\r\n")


def test_a_pool_whose_connections_were_closed_makes_new_ones(base_url: str, client: KonciliClient) -> None:
    del client
    network, builder = Network(base_url), Builder(base_url, [], "a test")
    for _ in range(2):
        request = builder.build("GET", "/public/api/auth/token", None, None, {})
        response = network.handle_request(request)
        assert response.read()
        response.close()
        network.let_go()
    network.close()


def test_the_last_byte_is_sent_by_whoever_comes_last() -> None:
    together, by = Rendezvous(2, seconds=30), []
    waiting = threading.Thread(target=together.send, args=(0, lambda: by.append(threading.current_thread())))
    waiting.start()
    together.send(1, lambda: by.append(threading.current_thread()))
    waiting.join(10)
    assert len(by) == 2
    assert len(set(by)) == 1


def test_who_fails_on_the_way_is_waited_for_no_longer() -> None:
    together = Rendezvous(2, seconds=30)
    waiting = threading.Thread(target=together.send, args=(0, lambda: None), daemon=True)
    waiting.start()
    together.leave()
    waiting.join(10)
    assert not waiting.is_alive()


def test_nobody_is_waited_for_for_ever() -> None:
    sent: list[int] = []
    Rendezvous(2, seconds=0.01).send(0, lambda: sent.append(0))
    assert sent == [0]


def test_who_could_not_send_hears_of_it_and_nobody_else() -> None:
    def fails() -> None:
        raise OSError("gone")

    together, heard = Rendezvous(2, seconds=30), []

    def other() -> None:
        try:
            together.send(0, fails)
        except OSError as error:
            heard.append(str(error))

    waiting = threading.Thread(target=other)
    waiting.start()
    together.send(1, lambda: None)
    waiting.join(10)
    assert heard == ["gone"]


def test_a_token_that_died_is_replaced_for_the_next_call(client: KonciliClient, watched: Watched) -> None:
    first = client.access_token()
    watched.statuses, watched.bodies = ["403 Forbidden"], [b'{"response": "NO_TOKEN"}']
    client.call_at_once([creating(), creating()])
    asked = client.journal.by_endpoint[Endpoint.CREATE_TOKEN.label]
    assert client.access_token() == first  # this server has one only
    assert client.journal.by_endpoint[Endpoint.CREATE_TOKEN.label] == asked + 1


@pytest.mark.usefixtures("interruptible")
def test_what_is_not_sent_when_a_run_is_interrupted_is_never_sent(
    client: KonciliClient, watched: Watched, ledger: Ledger, budget: DocumentedLimits
) -> None:
    client.access_token()
    spent = budget.status().spent
    watched.when_whole, watched.bodies = ctrl_c_at(2), [b'{"id": 7}', b'{"id": 8}']
    with pytest.raises(KeyboardInterrupt):
        client.call_at_once([creating()] * 3, offsets=[0.0, 0.0, 60.0])
    watched.wait_for_a_request_given_up()
    assert len(watched.requests) == 2
    assert sorted(str(one.id) for one in ledger.left.opened) == ["7", "8"]
    assert client.journal.traffic.requests == 3  # a token, and two that were answered
    assert budget.status().spent == spent + 1  # of half a request a server may have made a client error


@pytest.mark.usefixtures("interruptible")
def test_answers_on_their_way_to_an_interrupted_run_are_written_down(
    client: KonciliClient, watched: Watched, ledger: Ledger
) -> None:
    client.access_token()
    watched.when_whole, watched.bodies = ctrl_c_at(1), [b'{"id": 7}', b'{"id": 8}', b'{"id": 9}']
    with pytest.raises(KeyboardInterrupt):
        client.call_at_once([creating()] * 3)
    assert sorted(str(one.id) for one in ledger.left.opened) == ["7", "8", "9"]


@pytest.mark.usefixtures("interruptible")
def test_the_answer_that_was_waited_for_when_a_run_is_interrupted_is_written_down(
    client: KonciliClient, watched: Watched, ledger: Ledger
) -> None:
    """A thread whose join is interrupted counts as ended before Python 3.13, though it goes on."""
    client.access_token()

    def when_whole(_: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)

    watched.when_whole, watched.bodies = when_whole, [b'{"id": 7}']
    with pytest.raises(KeyboardInterrupt):
        client.call_at_once([creating()])
    assert [one.id for one in ledger.left.opened] == [7]


@pytest.mark.usefixtures("interruptible")
def test_what_an_interrupted_run_got_no_answer_to_stays_on_the_ledger(
    client: KonciliClient, watched: Watched, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "LAST_SECONDS", 0.1)
    client.access_token()
    hanging = threading.Event()

    def when_whole(number: int) -> None:
        if number == 1:
            os.kill(os.getpid(), signal.SIGINT)
            hanging.wait(30)

    watched.when_whole = when_whole
    with pytest.raises(KeyboardInterrupt):
        client.call_at_once([creating()] * 2)
    hanging.set()
    assert [one.id for one in ledger.left.opened] == [None, None]


def test_what_nobody_foresees_of_one_drops_no_answer_to_another(
    client: KonciliClient, watched: Watched, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.access_token()
    first = iter([True])

    def breaks_down(*given: Any) -> Answer:
        answer = ask(*given)
        if next(first, False):
            raise RuntimeError("out of memory, say")
        return answer

    monkeypatch.setattr(at_once, "ask", breaks_down)
    watched.bodies = [b'{"id": 7}']
    with pytest.raises(RuntimeError, match="out of memory"):
        client.call_at_once([creating()] * 2)
    assert sorted(str(one.id) for one in ledger.left.opened) == ["7", "None"]


def test_what_can_not_be_written_down_of_one_is_of_the_others(
    client: KonciliClient, watched: Watched, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.access_token()
    watched.bodies = [b'{"id": 7}', b'{"id": 8}', b'{"id": 9}']
    answered, number = ledger.answered, count(1)

    def fails(*given: Any) -> None:
        if next(number) == 2:
            raise CannotRun("the disk is full")
        answered(*given)

    monkeypatch.setattr(ledger, "answered", fails)
    with pytest.raises(CannotRun, match="the disk is full"):
        client.call_at_once([creating()] * 3)
    assert [one.id is None for one in ledger.left.opened].count(True) == 1
    assert len(ledger.left.opened) == 3


def test_who_waits_for_others_does_so_no_longer_when_all_is_called_off() -> None:
    together, sent, heard = Rendezvous(2, seconds=60), list[int](), list[str]()

    def waits() -> None:
        try:
            together.send(0, lambda: sent.append(0))
        except CalledOff as error:
            heard.append(str(error))

    waiting = threading.Thread(target=waits, daemon=True)
    waiting.start()
    together.call_off()
    waiting.join(30)
    assert (sent, len(heard)) == ([], 1)
    with pytest.raises(CalledOff):
        together.send(1, lambda: sent.append(1))
    assert sent == []


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_what_was_answered_while_the_store_went_away_is_in_the_journal(
    client: KonciliClient, watched: Watched, budget: DocumentedLimits, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    client.access_token()
    watched.bodies = [b'{"id": 7}', b'{"id": 8}']
    before, spent = client.journal.traffic.requests, budget.after

    def is_gone(reservation: str, status: int | None) -> None:
        spent(reservation, status)
        raise CannotRun("the store is gone")

    monkeypatch.setattr(budget, "after", is_gone)
    send = (
        partial(client.call_at_once, [creating()] * 2) if at_once else partial(client.send, "POST", "/reconciliation")
    )
    with pytest.raises(CannotRun, match="the store is gone"):
        send()
    assert client.journal.traffic.requests - before == (2 if at_once else 1)
