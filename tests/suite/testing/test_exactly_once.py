"""Whether a client pays each order once is judged by the mock's books: what each way to retry comes to."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.mock.exactly_once import JUDGED, ROUND, Judgement, Standing, plans, told
from conformance.mock.faults import Faults, Plans
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD
from conformance.testing.mock import KonciliMock, koncili_mock
from examples.clients.client import Koncili, Lost, Refused
from examples.clients.test_client import BEGIN, END, Careless, connected, order
from tests.suite.support.command_runs import COMMAND

ENOUGH: Final = 10
"""Orders that meet every fault."""


class Blind(Careless):
    """Sends again what got no answer, and asks nobody."""


class Resigned(Koncili):
    """Sends nothing again, and asks nobody."""

    def release(self, order: dict[str, Any], number: int, released: str) -> None:
        try:
            self.call("POST", "/reconciliation/release", self.body(order, number, released))
        except Lost:
            return

    def body(self, order: dict[str, Any], number: int, released: str) -> dict[str, Any]:
        """What releases it."""
        names = ("channelName", "accountId", "marketplaceCode", "status", "createdDate")
        same = {name: order[name] for name in names}
        return {**same, "reconciliationId": number, "releasedDate": released, "releaseType": "IN_CASH", "installment": 1,
                "installmentQuantity": 1, "releases": order["extracts"]}  # fmt: skip


class Inquirer(Resigned):
    """Asks, and leaves the rest to a person."""

    def release(self, order: dict[str, Any], number: int, released: str) -> None:
        try:
            self.call("POST", "/reconciliation/release", self.body(order, number, released))
        except Lost:
            self.order(order)


class Wrong(Resigned):
    """Releases other values than it has sent."""

    def body(self, order: dict[str, Any], number: int, released: str) -> dict[str, Any]:
        """What does not release it."""
        return super().body({**order, "extracts": order["extracts"][:1]}, number, released)


class Patient(Koncili):
    """Asks before it sends again: pays once."""


@pytest.fixture
def mock() -> Iterator[KonciliMock]:
    with koncili_mock() as made:
        made.koncili.faults = Faults(wait=lambda _: None)  # a late answer is not waited for here
        made.lose_answers()
        yield made


def judged(mock: KonciliMock, kind: type[Koncili], orders: int = ENOUGH) -> Judgement:
    """What is said of such a client that settles so many orders."""
    client = connected(kind, mock)
    try:
        client.settle([order(f"A-{number}") for number in range(orders)], BEGIN, END)
    finally:
        client.http.close()
    return mock.exactly_once()


def standings(judgement: Judgement) -> set[Standing]:
    return {one.standing for one in judgement.orders}


CLIENTS: Final[dict[type[Koncili], tuple[set[Standing], int]]] = {
    Patient: ({Standing.ONCE}, 0),
    Blind: ({Standing.ONCE, Standing.TWICE}, 1),
    Resigned: ({Standing.ONCE, Standing.LOST}, 1),
    Inquirer: ({Standing.ONCE, Standing.OPEN}, 2),
    Wrong: ({Standing.LOST, Standing.NOT_RELEASED}, 1),
}


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.__name__)
def test_each_way_to_retry_comes_to_what_it_is(mock: KonciliMock, kind: type[Koncili]) -> None:
    expected, code = CLIENTS[kind]
    try:
        judgement = judged(mock, kind)
    except Refused:
        judgement = mock.exactly_once()
    assert (standings(judgement), judgement.exit_code) == (expected, code), told(judgement)
    assert judgement.not_met == [] or kind in {Wrong}, told(judgement)


def test_the_books_are_those_of_the_mock(mock: KonciliMock) -> None:
    judgement = judged(mock, Blind)
    times = {one.key[2]: one.times for one in judgement.orders}
    assert times == {one.code: one.releases for one in mock.orders}
    assert sum(times.values()) > ENOUGH
    twice = [one for one in judgement.orders if one.standing is Standing.TWICE]
    assert all("sent again without a look at call" in one.why for one in twice)
    assert {one.times for one in twice} == {2}


def test_who_pays_twice_takes_no_place_from_others(mock: KonciliMock) -> None:
    judged(mock, Blind)
    mock.clock.advance(2)
    assert all(one.is_reconciled for one in mock.orders)


def test_after_a_look_the_second_is_refused(mock: KonciliMock) -> None:
    judgement = judged(mock, Patient)
    refused = [entry for entry in mock.requests if any(one.rule == "REL-11" for one in entry.refusals)]
    assert refused, "it sent again what was carried out"
    assert standings(judgement) == {Standing.ONCE}


def test_few_orders_decide_nothing(mock: KonciliMock) -> None:
    judgement = judged(mock, Patient, orders=2)
    assert judgement.exit_code == 2
    assert "reset at POST /reconciliation/release, 502-after" in " ".join(told(judgement)[1:])
    mock.assert_exactly_once()


def test_no_order_decides_nothing(mock: KonciliMock) -> None:
    assert mock.exactly_once().exit_code == 2
    assert told(mock.exactly_once())[0] == "undecided: no order came"


def test_an_order_that_never_arrived_is_lost(mock: KonciliMock) -> None:
    mock.command(faults=[{"fault": "reset", "call": "POST /order"}])
    client = connected(Blind, mock)
    with pytest.raises(Lost):
        client.submit(order("A"))
    client.http.close()
    assert standings(mock.exactly_once()) == {Standing.LOST}


def test_an_order_that_was_taken_out_is_none(mock: KonciliMock) -> None:
    client = connected(Patient, mock)
    client.submit(order("A"))
    client.call("DELETE", "/order", marketplaceCode="A", channelName="CHANNEL_NAME", accountId="19055")
    client.http.close()
    assert mock.exactly_once().orders == []


def test_every_other_call_has_a_fault_and_each_comes_again() -> None:
    of_calls = [plan for plan in plans() if plan.when.call in JUDGED]
    for call in JUDGED:
        carried_out = Plans(*of_calls)
        happened = [plan.fault if (plan := carried_out.next(call)) else None for _ in range(4 * len(ROUND))]
        assert happened == [one for fault in ROUND for one in (fault, None)] * 2


def test_it_is_asked_for_before_it_is_told() -> None:
    with koncili_mock() as mock, pytest.raises(RuntimeError, match="lose_answers"):
        mock.exactly_once()


def test_a_reset_begins_anew(mock: KonciliMock) -> None:
    judged(mock, Blind)
    mock.reset()
    assert judged(mock, Patient).exit_code == 0
    assert len(mock.koncili.quirks) == 1


# -- the command -----------------------------------------------------------------------------------------------------


def test_the_command_ends_with_what_it_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """As a client that pays twice sees it; the one that does not is the example in Node."""
    command = [str(COMMAND), "mock", "--port=0", "--certify-client", "--target-file=mock.toml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        request.addfinalizer(process.kill)
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[3]
        client = Blind(base_url, EMAIL, PASSWORD, INTEGRATOR, timeout=30)
        client.settle([order("A")], BEGIN, END)
        client.http.close()
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        assert (process.wait(60), "A (19055, CHANNEL_NAME): PAID TWICE: call " in output) == (1, True), output
