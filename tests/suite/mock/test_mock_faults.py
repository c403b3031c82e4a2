"""Faults that a mock lets happen to its clients: to the calls that a plan chooses, whichever way it is spoken to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import loads
from conformance.errors import CannotRun
from conformance.mock.fault_plans import CALLS, EXAMPLE, NOTIFICATIONS, plans_of
from conformance.mock.faults import AFTERWARDS, FAULTS, INSTEAD, OF_NOTIFICATIONS, Faults
from conformance.mock.koncili import SAMPLE_PAYLOADS, Koncili
from conformance.mock.scenario import Scenario, read_scenario, scenario_of
from conformance.mock.wire import HOST, server_on
from tests.suite.support.bodies import FIRST
from tests.suite.support.mock_calls import CODE, Caller, order
from tests.suite.support.seller_client import Seller

PATIENCE: Final = 20.0


@contextmanager
def serving(koncili: Koncili) -> Iterator[str]:
    with socket.create_server((HOST, 0)) as taken, server_on(taken, koncili) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://{HOST}:{taken.getsockname()[1]}"
        server.shutdown()


class Client:
    """A client over a socket of a mock of its own, with a token."""

    def __init__(self, koncili: Koncili, http: httpx.Client) -> None:
        self.koncili, self.http = koncili, http
        self.headers = Caller(koncili).headers

    def play(self, *faults: dict[str, Any]) -> None:
        self.koncili.control({"faults": list(faults)})

    def submit(self, code: str = CODE) -> int | str:
        """POST /order; the status, or how no answer came."""
        entries = [{"marketplaceCode": code, "type": "SALE", "value": 1}]
        body = order(marketplaceCode=code, totalGrossValue=1, extracts=entries)
        try:
            return self.http.post("/order", json=body, headers=self.headers).status_code
        except httpx.TransportError as error:
            return type(error).__name__

    def query(self, code: str = CODE) -> int | str:
        """GET /order; the status, or how no answer came."""
        try:
            query = {"marketplaceCode": code, "channelName": "CHANNEL_NAME", "accountId": "19055"}
            return self.http.get("/order", params=query, headers=self.headers).status_code
        except httpx.TransportError as error:
            return type(error).__name__

    def has(self, code: str = CODE) -> bool:
        """Whether the order is there."""
        return any(key[2] == code for key in self.koncili.world.orders)


@pytest.fixture
def client() -> Iterator[Client]:
    koncili = Koncili()
    with ExitStack() as stack:
        base_url = stack.enter_context(serving(koncili))
        yield Client(koncili, stack.enter_context(httpx.Client(base_url=base_url, timeout=PATIENCE)))


SEEN: Final[dict[str, tuple[int | str, bool]]] = {
    "429": (429, False),
    "423": (423, False),
    "500": (500, False),
    "502": (502, False),
    "504": (504, False),
    "reset": ("ReadError", False),
    "lost": ("ReadError", True),
    "half": ("RemoteProtocolError", True),
    "delay": (200, True),
    "502-after": (502, True),
}
"""What a client sees of each fault, and whether its order is there."""


def test_every_fault_of_calls_is_seen_below() -> None:
    assert SEEN.keys() == {*INSTEAD, *AFTERWARDS}
    assert FAULTS.keys() == SEEN.keys() | OF_NOTIFICATIONS.keys()


def test_a_client_sees_what_a_fault_says(client: Client) -> None:
    waited: list[float] = []
    client.koncili.faults = Faults(waited.append)
    for fault, seen in SEEN.items():
        client.play({"fault": fault, "times": 1, "seconds": 7})
        assert (client.submit(fault), client.has(fault)) == seen, fault
        assert client.submit(f"{fault} again") == 200, fault
    assert waited == [7], "the answer was late"
    assert [entry.fault for entry in client.koncili.log.entries()][::2] == list(SEEN)


def test_a_retry_after_says_how_long(client: Client) -> None:
    client.play({"fault": "429", "seconds": 1.5})
    answer = client.http.post("/order", json={})
    assert (answer.headers["retry-after"], answer.json()["errorCode"]) == ("2", "429-0")


def test_half_of_an_answer_is_half_of_it(client: Client) -> None:
    client.play({"fault": "half", "call": "GET /order"})
    assert client.submit() == 200
    assert client.query() == "RemoteProtocolError"
    assert [entry.status for entry in client.koncili.log.entries()] == [200, None]


def test_the_connection_after_a_fault_is_a_new_one(client: Client) -> None:
    client.play({"fault": "lost", "every": 2})
    assert [client.submit(f"{n}") for n in range(6)] == [200, "ReadError"] * 3
    assert all(client.has(f"{n}") for n in range(6))


# -- to which calls --------------------------------------------------------------------------------------------------


@pytest.fixture
def caller() -> Caller:
    return Caller()


def statuses(caller: Caller, *codes: str) -> list[int]:
    """What orders of these codes are answered, one after the other."""
    return [
        caller.submit(
            marketplaceCode=code, extracts=[{"marketplaceCode": code, "type": "SALE", "value": 1}]
        ).status_code
        for code in codes
    ]


CHOSEN: Final[dict[str, tuple[list[dict[str, Any]], list[int]]]] = {
    "the next two, then it works": ([{"fault": "502", "times": 2}], [502, 502, 200, 200, 200, 200]),
    "every third": ([{"fault": "500", "every": 3}], [200, 200, 500, 200, 200, 500]),
    "every second, twice, after the first": (
        [{"fault": "500", "after": 1, "every": 2, "times": 2}],
        [200, 200, 500, 200, 500, 200],
    ),
    "of an order": ([{"fault": "423", "order": "B"}], [200, 423, 200, 423, 200, 423]),
    "of another call": ([{"fault": "423", "call": "GET /order"}], [200] * 6),
    "of this call": ([{"fault": "504", "call": "POST /order", "times": 1}], [504, 200, 200, 200, 200, 200]),
    "several": ([{"fault": "502", "times": 1}, {"fault": "500", "every": 2}], [502, 500, 200, 500, 200, 500]),
    "none": ([], [200] * 6),
}


@pytest.mark.parametrize("what", CHOSEN)
def test_it_happens_to_the_calls_that_are_chosen(caller: Caller, what: str) -> None:
    faults, expected = CHOSEN[what]
    caller.koncili.control({"faults": [{"fault": "500"}]})
    caller.koncili.control({"faults": faults})  # which replaces what was there
    assert statuses(caller, "A", "B", "A", "B", "A", "B") == expected


def test_an_order_is_known_by_query_and_release_too(caller: Caller) -> None:
    caller.koncili.control({"faults": [{"fault": "504", "order": "B"}]})
    assert caller.look_up(marketplaceCode="B").status_code == 504
    assert caller.look_up(marketplaceCode="A").status_code == 404
    assert caller.call("POST", "/reconciliation/release", {"marketplaceCode": "B"}).status_code == 504
    assert caller.call("POST", "/order", b"[]").status_code == 400


def test_some_can_be_added(caller: Caller) -> None:
    caller.koncili.control({"faults": [{"fault": "502", "times": 1}]})
    caller.koncili.control({"addFaults": [{"fault": "500", "times": 1, "after": 1}]})
    assert statuses(caller, "A", "A", "A") == [502, 500, 200]


def test_what_happens_on_the_way_is_not_koncili_s(caller: Caller) -> None:
    caller.koncili.control({"enforceLimits": True, "faults": [{"fault": "429", "times": 600}]})
    assert set(statuses(caller, *["A"] * 600)) == {429}
    assert statuses(caller, "A") == [200], "no limit was used up"
    assert caller.koncili.state()["counts"]["requests"] == 1
    assert caller.call("GET", "/_mock").status_code == 200


def test_in_process_too_no_answer_comes(caller: Caller) -> None:
    caller.koncili.control({"faults": [{"fault": "lost"}]})
    with pytest.raises(ConnectionResetError):
        caller.submit()
    assert caller.koncili.state()["counts"]["requests"] == 1


# -- notifications ---------------------------------------------------------------------------------------------------


@pytest.fixture
def seller() -> Seller:
    return Seller()


def test_a_notification_comes_twice_late_or_never(seller: Seller) -> None:
    def heard_after(seconds: float) -> int:
        before = len(seller.heard)
        seller.koncili.control({"advanceSeconds": seconds, "notify": "TEST_NOTIFICATION"})
        return len(seller.heard) - before

    seller.koncili.control({"faults": [{"fault": "doubled-notification", "times": 1}]})
    assert [heard_after(0), heard_after(0)] == [2, 1]
    seller.koncili.control({"faults": [{"fault": "lost-notification", "times": 1}]})
    assert [heard_after(0), heard_after(3600)] == [0, 1]
    seller.koncili.control({"faults": [{"fault": "late-notification", "times": 1, "seconds": 600}]})
    assert [heard_after(0), heard_after(599), heard_after(1)] == [0, 1, 2]


def test_faults_of_notifications_choose_by_type(seller: Seller) -> None:
    faults = [
        {"fault": "doubled-notification", "notification": "RECONCILIATION_COMPLETED"},
        {"fault": "500", "after": 100},
    ]
    seller.koncili.control({"faults": faults, "notify": "TEST_NOTIFICATION"})
    assert len(seller.heard) == 1
    seller.reconcile("A")
    seller.wait()
    assert seller.ended == [(FIRST, "CONCILIED")] * 2
    assert seller.submit("B") == 200


def test_any_notification_can_be_named() -> None:
    assert {*SAMPLE_PAYLOADS, "RECONCILIATION_COMPLETED"} == {*NOTIFICATIONS}
    assert {endpoint.label for endpoint in Endpoint} == {*CALLS}


# -- what is no plan -------------------------------------------------------------------------------------------------

NO_PLANS: Final = {
    "no list": ({"fault": "502"}, "takes a list"),
    "no table": (["502"], "of fault 1: a fault is a table"),
    "no fault": ([{"call": "POST /order"}], "of fault 1: fault is missing"),
    "an unknown fault": ([{"fault": "lots"}], "of fault 1: no fault 'lots'; did you mean lost"),
    "an unknown key": ([{"fault": "502", "time": 2}], "no key 'time'; there are fault, call"),
    "an unknown call": (
        [{"fault": "502"}, {"fault": "502", "call": "POST /orders"}],
        "of fault 2: no call .*POST /order",
    ),
    "never": ([{"fault": "502", "times": 0}], "times is a whole number of at least 1"),
    "half a time": ([{"fault": "502", "times": 1.5}], "times is a whole number"),
    "true": ([{"fault": "502", "every": True}], "every is a whole number"),
    "before the first": ([{"fault": "502", "after": -1}], "after is a whole number of at least 0"),
    "a day and more": ([{"fault": "delay", "seconds": 86_401}], "seconds is a number from 0 to 86,400"),
    "no order": ([{"fault": "502", "order": ""}], "order is a text"),
    "a call of a notification": ([{"fault": "lost-notification", "call": "POST /order"}], "leave call out"),
    "a notification of a call": ([{"fault": "502", "notification": "TEST_NOTIFICATION"}], "leave notification out"),
    "too many": ([{"fault": "502"}] * 1001, "a list of up to 1,000"),
}


@pytest.mark.parametrize("what", NO_PLANS)
def test_what_is_no_plan_is_told_and_changes_nothing(caller: Caller, what: str) -> None:
    faults, says = NO_PLANS[what]
    caller.koncili.control({"faults": [{"fault": "502", "times": 1}]})
    with pytest.raises(ValueError, match=f"faults .*{says}"):
        caller.koncili.control({"faults": faults})
    assert statuses(caller, "A", "A") == [502, 200]


def test_the_example_that_is_told_is_one() -> None:
    assert plans_of(loads(EXAMPLE))


# -- scenario files --------------------------------------------------------------------------------------------------


def test_a_scenario_file_is_read(tmp_path: Path) -> None:
    text = """
        name = "a bad day"
        variants = ["one-hour-tokens"]
        defects = ["ord-04-not-enforced"]
        limits = true
        callback_url = "http://127.0.0.1:9100/notifications"

        [[faults]]
        fault = "429"
        call = "POST /order"
        times = 2
        seconds = 0.5

        [[faults]]
        fault = "late-notification"
        notification = "RECONCILIATION_COMPLETED"
        seconds = 60
    """
    path = tmp_path / "scenario.toml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(text, encoding=encoding)
        scenario = read_scenario(path)
        assert (scenario.variants, scenario.defects, scenario.limits) == (
            ("one-hour-tokens",),
            ("ord-04-not-enforced",),
            True,
        )
        assert [plan.seconds for plan in scenario.faults] == [0.5, 60]
    koncili = Koncili()
    scenario.begin(koncili)
    assert koncili.notifier.url == "http://127.0.0.1:9100/notifications"
    caller = Caller(koncili)
    assert statuses(caller, "A", "A", "A") == [429, 429, 200]
    assert scenario_of({}) == Scenario()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"variant": ["a"]}, "no key 'variant'; there are name, variants"),
        ({"variants": "a"}, "variants is a list of names"),
        ({"limits": 1}, "limits is true or false"),
        ({"callback_url": "ftp://x/"}, "callback_url must be an http or https URL"),
        ({"callback_url": 7}, "callback_url is a URL"),
        ({"faults": [{"fault": "x"}]}, "faults of fault 1: no fault 'x'"),
        ({"name": 7}, "name is a text"),
    ],
    ids=str,
)
def test_what_is_no_scenario_is_told(tmp_path: Path, table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        scenario_of(table)
    path = tmp_path / "scenario.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(CannotRun, match="no TOML"):
        read_scenario(path)
