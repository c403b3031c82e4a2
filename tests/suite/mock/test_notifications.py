"""The mock's notifications: in shape, in order, and tried again on its clock until they are taken or given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from conformance.contract.jsontext import loads
from conformance.mock.clock import VirtualClock
from conformance.mock.notifications import Notifier, post

URL = "http://127.0.0.1:9100/notifications"


@dataclass
class Callback:
    """A callback that takes everything, or not, and keeps what came with the clock's instant."""

    clock: VirtualClock
    takes: bool = True
    seen: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes) -> bool:
        self.seen.append((url, self.clock.now(), loads(body)))
        return self.takes

    @property
    def types(self) -> list[str]:
        return [body["notificationType"] for _, _, body in self.seen]

    @property
    def instants(self) -> list[datetime]:
        return [at for _, at, _ in self.seen]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def callback(clock: VirtualClock) -> Callback:
    return Callback(clock)


@pytest.fixture
def notifier(clock: VirtualClock, callback: Callback) -> Notifier:
    notifier = Notifier(clock, send=callback)
    notifier.url = URL
    return notifier


# -- what leaves ---------------------------------------------------------------------------------------------------


def test_a_notification_has_the_documented_shape(notifier: Notifier, callback: Callback, clock: VirtualClock) -> None:
    clock.advance(1.25)
    notifier.emit("TEST_NOTIFICATION", None)
    notifier.deliver()
    body = {"notificationType": "TEST_NOTIFICATION", "timestamp": "2026-06-01T12:00:01.250Z", "payload": None}
    assert callback.seen == [(URL, clock.now(), body)]


def test_the_timestamp_is_that_of_the_emission_in_utc() -> None:
    elsewhere = timezone(timedelta(hours=-3))
    clock = VirtualClock(lambda: datetime(2026, 6, 1, 22, 30, tzinfo=elsewhere))
    callback = Callback(clock)
    notifier = Notifier(clock, send=callback)
    notifier.url = URL
    notifier.emit("TEST_NOTIFICATION", None)
    clock.advance(60)
    notifier.deliver()
    assert callback.seen[0][2]["timestamp"] == "2026-06-02T01:30:00.000Z"
    assert callback.instants == [datetime(2026, 6, 2, 1, 31, tzinfo=UTC)]


def test_the_payload_is_that_of_the_emission(notifier: Notifier, callback: Callback) -> None:
    payload = {"accountId": 19055, "value": Decimal("10.10"), "name": "São"}
    notifier.emit("ACCOUNT_CREATED", payload)
    payload.clear()
    notifier.deliver()
    assert callback.seen[0][2]["payload"] == {"accountId": 19055, "value": Decimal("10.10"), "name": "São"}


def test_what_is_no_json_is_not_queued(notifier: Notifier, callback: Callback) -> None:
    with pytest.raises(TypeError):
        notifier.emit("ACCOUNT_CREATED", object())
    notifier.deliver()
    assert callback.seen == []


def test_without_a_url_nothing_is_queued(notifier: Notifier, callback: Callback) -> None:
    notifier.url = None
    notifier.emit("LOST", None, rewrite=lambda _: pytest.fail("there is nothing to rewrite"))
    notifier.url = URL
    notifier.emit("KEPT", None)
    notifier.deliver()
    assert callback.types == ["KEPT"]


def test_what_is_queued_goes_to_the_url_of_that_time(notifier: Notifier, callback: Callback) -> None:
    notifier.emit("FIRST", None)
    notifier.url = "http://127.0.0.1:9200/"
    notifier.emit("SECOND", None)
    notifier.url = None
    notifier.deliver()
    assert [(url, body["notificationType"]) for url, _, body in callback.seen] == [
        (URL, "FIRST"),
        ("http://127.0.0.1:9200/", "SECOND"),
    ]


@pytest.mark.parametrize(
    ("rewrite", "types"),
    [
        (lambda body: [body], ["ONE", "LAST"]),
        (lambda _: [], ["LAST"]),
        (lambda body: [body, body], ["ONE", "ONE", "LAST"]),
        (lambda body: [body | {"notificationType": "OTHER"}], ["OTHER", "LAST"]),
    ],
    ids=["same", "none", "twice", "other"],
)
def test_a_defect_may_rewrite_what_leaves(
    notifier: Notifier, callback: Callback, rewrite: Callable[[dict[str, Any]], list[dict[str, Any]]], types: list[str]
) -> None:
    notifier.emit("ONE", None, rewrite=rewrite)
    notifier.emit("LAST", None)
    notifier.deliver()
    assert callback.types == types


# -- when ----------------------------------------------------------------------------------------------------------


def test_nothing_leaves_before_it_is_delivered(notifier: Notifier, callback: Callback) -> None:
    notifier.emit("ONE", None)
    assert callback.seen == []
    notifier.deliver()
    notifier.deliver()
    assert callback.types == ["ONE"]
    assert notifier.given_up == 0


def test_what_is_due_is_sent_in_order(notifier: Notifier, callback: Callback, clock: VirtualClock) -> None:
    names = [f"N{number}" for number in range(50)]
    for name in names:
        notifier.emit(name, None)
    notifier.deliver()
    assert callback.types == names
    notifier.emit("LATER", None)
    clock.advance(1)
    notifier.emit("LATEST", None)
    notifier.deliver()
    assert callback.types[-2:] == ["LATER", "LATEST"]


def test_what_is_not_taken_is_tried_again_and_given_up(
    notifier: Notifier, callback: Callback, clock: VirtualClock
) -> None:
    start = clock.now()
    callback.takes = False
    notifier.emit("ONE", None)
    for _ in range(40 * 60):
        notifier.deliver()
        clock.advance(1)
    assert [(at - start).total_seconds() for at in callback.instants] == [0, 60, 300, 900]
    assert len({str(body) for _, _, body in callback.seen}) == 1
    assert notifier.given_up == 1


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_what_is_taken_at_a_later_try_is_not_sent_again(
    notifier: Notifier, callback: Callback, clock: VirtualClock, tries: int
) -> None:
    callback.takes = False
    notifier.emit("ONE", None)
    for _ in range(40):
        callback.takes = len(callback.seen) == tries
        notifier.deliver()
        clock.advance(60)
    assert len(callback.seen) == tries + 1
    assert notifier.given_up == 0


def test_a_try_is_not_due_a_moment_earlier(notifier: Notifier, callback: Callback, clock: VirtualClock) -> None:
    callback.takes = False
    notifier.emit("ONE", None)
    notifier.deliver()
    clock.advance(59.999)
    notifier.deliver()
    assert len(callback.seen) == 1
    clock.advance(0.001)
    notifier.deliver()
    assert len(callback.seen) == 2


def test_tries_are_counted_from_the_first_and_not_from_the_emission(
    notifier: Notifier, callback: Callback, clock: VirtualClock
) -> None:
    callback.takes = False
    notifier.emit("ONE", None)
    clock.advance(600)
    notifier.deliver()
    clock.advance(59)
    notifier.deliver()
    assert len(callback.seen) == 1
    clock.advance(1)
    notifier.deliver()
    assert len(callback.seen) == 2


def test_a_clock_moved_far_brings_one_try_at_a_time(
    notifier: Notifier, callback: Callback, clock: VirtualClock
) -> None:
    callback.takes = False
    notifier.emit("ONE", None)
    notifier.deliver()
    clock.advance(3600)
    notifier.deliver()
    notifier.deliver()
    assert len(callback.seen) == 2
    for _ in range(2):
        clock.advance(60)
        notifier.deliver()
    assert len(callback.seen) == 4
    assert notifier.given_up == 1


def test_one_that_is_not_taken_holds_up_no_other(notifier: Notifier, callback: Callback, clock: VirtualClock) -> None:
    callback.takes = False
    notifier.emit("ONE", None)
    notifier.deliver()
    callback.takes = True
    notifier.emit("TWO", None)
    notifier.deliver()
    clock.advance(60)
    notifier.emit("THREE", None)
    notifier.deliver()
    assert callback.types == ["ONE", "TWO", "ONE", "THREE"]


# -- threads -------------------------------------------------------------------------------------------------------


def in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_threads_lose_nothing_and_send_nothing_twice(notifier: Notifier, callback: Callback) -> None:
    def work(number: int) -> None:
        for step in range(50):
            notifier.emit(f"{number}-{step}", None)
            notifier.deliver()

    in_threads(work, 8)
    assert sorted(callback.types) == sorted(f"{number}-{step}" for number in range(8) for step in range(50))
    for number in range(8):
        own = [kind for kind in callback.types if kind.startswith(f"{number}-")]
        assert own == [f"{number}-{step}" for step in range(50)]


def test_what_is_emitted_while_another_thread_sends_is_sent_by_that_one(clock: VirtualClock) -> None:
    sending, go_on = Event(), Event()
    seen = []

    def send(_: str, body: bytes) -> bool:
        seen.append(loads(body)["notificationType"])
        sending.set()
        return go_on.wait(30)

    notifier = Notifier(clock, send=send)
    notifier.url = URL
    notifier.emit("ONE", None)
    thread = Thread(target=notifier.deliver)
    thread.start()
    assert sending.wait(30)
    notifier.emit("TWO", None)  # no lock is held while it sends
    notifier.deliver()
    assert seen == ["ONE"]
    go_on.set()
    thread.join(30)
    assert seen == ["ONE", "TWO"]


def test_a_callback_may_make_new_notifications(clock: VirtualClock) -> None:
    """As one does that calls the mock in process while it is being notified."""
    seen: list[str] = []

    def send(_: str, body: bytes) -> bool:
        seen.append(loads(body)["notificationType"])
        if len(seen) < 3:
            own.emit(f"{seen[-1]}+", None)
            own.deliver()
        return True

    own = Notifier(clock, send=send)
    own.url = URL
    own.emit("N", None)
    own.deliver()
    assert seen == ["N", "N+", "N++"]


def test_what_a_sender_raises_passes_through_and_counts_as_not_taken(clock: VirtualClock) -> None:
    seen: list[bytes] = []

    def send(_: str, body: bytes) -> bool:
        seen.append(body)
        if len(seen) == 1:
            raise KeyboardInterrupt
        return True

    notifier = Notifier(clock, send=send)
    notifier.url = URL
    notifier.emit("ONE", None)
    with pytest.raises(KeyboardInterrupt):
        notifier.deliver()
    notifier.deliver()
    assert len(seen) == 1
    clock.advance(60)
    notifier.deliver()
    assert len(seen) == 2


# -- over HTTP -----------------------------------------------------------------------------------------------------


@dataclass
class Wire:
    """Stands for the network below httpx."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json={"status": "success"}))
    requests: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: wire.handle(request))
    return wire


def test_a_notification_is_posted_as_json(wire: Wire) -> None:
    assert post(URL, b'{"a": 1.10}')
    (request,) = wire.requests
    assert (request.method, str(request.url), request.content) == ("POST", URL, b'{"a": 1.10}')
    assert request.headers["content-type"] == "application/json"
    assert set(request.extensions["timeout"].values()) == {5.0}


NOT_TAKEN = {
    "201": httpx.Response(201, json={"status": "success"}),
    "204": httpx.Response(204),
    "302": httpx.Response(302, headers={"location": URL}),
    "500": httpx.Response(500, json={"status": "success"}),
    "no body": httpx.Response(200),
    "text": httpx.Response(200, text="success"),
    "not UTF-8": httpx.Response(200, content=b"\xff"),
    "nested too deeply": httpx.Response(200, content=b"[" * 100_000),
    "null": httpx.Response(200, json=None),
    "list": httpx.Response(200, json=["success"]),
    "another status": httpx.Response(200, json={"status": "error"}),
    "another field": httpx.Response(200, json={"state": "success"}),
    "connection refused": httpx.ConnectError("refused"),
    "time out": httpx.ReadTimeout("slow"),
    "broken answer": httpx.RemoteProtocolError("what is this"),
}


@pytest.mark.parametrize("answer", NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_any_other_answer_is_not_taken(wire: Wire, answer: httpx.Response | Exception) -> None:
    wire.answer = answer
    assert not post(URL, b"{}")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://a\0b/", f"http://{'a' * 70}.x/"]
)
def test_a_url_that_is_none_takes_nothing(url: str) -> None:
    assert not post(url, b"{}")


def test_who_waits_is_told_when_another_thread_has_delivered() -> None:
    begun, go_on, heard = Event(), Event(), list[bytes]()

    def send(_: str, body: bytes) -> bool:
        begun.set()
        assert go_on.wait(60)
        heard.append(body)
        return True

    notifier = Notifier(VirtualClock(), send=send)
    notifier.url = "http://127.0.0.1:1/"
    notifier.emit("TEST_NOTIFICATION", None)
    assert notifier.await_rest(0), "nobody delivers yet"
    other = Thread(target=notifier.deliver)
    other.start()
    assert begun.wait(60)
    notifier.deliver()  # the other is at it
    assert not notifier.await_rest(0)
    go_on.set()
    assert notifier.await_rest(60)
    assert len(heard) == 1
    other.join()
