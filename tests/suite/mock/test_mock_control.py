"""What a test can ask of the mock and nobody of Koncili: to abandon, to fail, to notify, to hold to the documented limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH, make_app
from conformance.mock.notifications import Notifier
from conformance.mock.quirks import Answer
from tests.suite.support.bodies import CODE, DAY, FIRST, HOUR, LATER, Body, order
from tests.suite.support.seller_client import RECONCILES_IN, Seller


@pytest.fixture
def seller() -> Seller:
    return Seller()


# -- what a test asks of it ----------------------------------------------------------------------------------------


def test_what_is_active_can_be_abandoned(seller: Seller) -> None:
    seller.reconcile("A")
    seller.wait()
    seller.submit()
    seller.create(**LATER)
    seller.koncili.control({"abandonReconciliations": True})
    assert seller.release(reconciliationId=FIRST + 1, releasedDate=f"{DAY}14:30:00Z") == 400
    assert seller.create() == 400, "what was finished stays"
    assert seller.create(**LATER) == 201
    assert seller.release(reconciliationId=FIRST + 2, releasedDate=f"{DAY}14:30:00Z") == 200
    seller.wait()
    assert seller.ended == [(FIRST, "CONCILIED"), (FIRST + 2, "CONCILIED")]


def test_what_is_about_to_complete_can_be_abandoned(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.koncili.control({"abandonReconciliations": True})
    seller.wait(86_400)
    assert seller.ended == []
    assert seller.deletion() == 200


@pytest.mark.parametrize("type_", ["TEST_NOTIFICATION", "ACCOUNT_CREATED", "BLOCKED_TEMPORARY", "BLOCKED_PERMANENT"])
def test_any_notification_can_be_asked_for(seller: Seller, type_: str) -> None:
    seller.koncili.control({"notify": type_})
    assert [one["notificationType"] for one in seller.heard] == [type_]


def test_notifications_go_where_they_are_sent(seller: Seller) -> None:
    urls: list[str] = []

    def send(url: str, _: bytes) -> bool:
        urls.append(url)
        return True

    seller.koncili.notifier = Notifier(seller.koncili.clock, send=send)
    for url in ("http://127.0.0.1:1/a", "http://127.0.0.1:2/b", None):
        seller.koncili.control({"callbackUrl": url, "notify": "TEST_NOTIFICATION"})
    assert urls == ["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"]


def test_commands_are_carried_out_in_their_sequence(seller: Seller) -> None:
    seller.reconcile(CODE)
    seller.koncili.control({"failReconciliation": FIRST, "advanceSeconds": RECONCILES_IN})
    assert seller.ended == [(FIRST, "ERROR")]


# -- limits --------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(seller: Seller) -> Seller:
    seller.koncili.control({"enforceLimits": True})
    return seller


@pytest.mark.parametrize(
    ("endpoint", "rate", "ordinary"),
    [(Endpoint.GET_ORDER, 90, 200), (Endpoint.SUBMIT_ORDER, 300, 200), (Endpoint.DELETE_ORDER, 300, 404)],
    ids=lambda value: value.label if isinstance(value, Endpoint) else None,
)
def test_lim_01_above_the_rate_it_answers_429(limited: Seller, endpoint: Endpoint, rate: int, ordinary: int) -> None:
    limited.submit()
    limited.koncili.control({"advanceSeconds": 60})

    def ask() -> Answer:
        if endpoint is Endpoint.SUBMIT_ORDER:
            return limited.send(endpoint, order())
        return limited.look_up(endpoint, CODE if endpoint is Endpoint.GET_ORDER else "X")

    assert {ask().status for _ in range(rate)} == {ordinary}
    refused = ask()
    assert (refused.status, dict(refused.headers)) == (429, {"Retry-After": "60"})
    limited.wait(59.9)
    assert ask().status == 429
    limited.wait(0.1)
    assert ask().status == ordinary


def test_no_rate_holds_for_reconciliations(limited: Seller) -> None:
    limited.create()
    assert {limited.create(**LATER) for _ in range(400)} == {400}
    assert {limited.release(releaseType="LATER") for _ in range(90)} == {400}


def test_lim_02_five_hundred_client_errors_block_every_call_for_an_hour(limited: Seller) -> None:
    tokens = {"credentials": encode_credentials(world.EMAIL, world.PASSWORD)}
    assert {limited.create(releasesQtd=0) for _ in range(499)} == {400}
    assert limited.create() == 201
    assert limited.create(**LATER) == 400
    limited.wait(0)
    assert [one["notificationType"] for one in limited.heard] == ["BLOCKED_TEMPORARY"]
    answers = [
        limited.send(Endpoint.CREATE_TOKEN, tokens),
        limited.send(Endpoint.LIST_ACCOUNTS),
        limited.look_up(Endpoint.GET_ORDER),
    ]
    assert [answer.status for answer in answers] == [423] * 3
    limited.wait(3599)
    assert limited.release() == 423
    limited.wait(1)
    assert limited.submit() == 200
    assert limited.release() == 200, "what was open is open still"


def test_lim_03_a_thousand_calls_during_a_block_make_it_permanent(limited: Seller) -> None:
    limited.reconcile(CODE)
    for _ in range(500):
        limited.create(releasesQtd=0)
    assert {limited.submit() for _ in range(1000)} == {423}
    limited.wait(100 * HOUR)
    assert limited.submit() == 423
    told = [one["notificationType"] for one in limited.heard]
    assert told == ["BLOCKED_TEMPORARY", "BLOCKED_PERMANENT", "RECONCILIATION_COMPLETED"]
    limited.koncili.control({"enforceLimits": True})
    assert limited.submit() == 200, "switching forgets"


def test_limits_do_not_hold_unless_they_are_switched_on(limited: Seller) -> None:
    for seller in (Seller(), limited):
        seller.koncili.control({"enforceLimits": False})
        assert {seller.create(releasesQtd=0) for _ in range(600)} == {400}
        assert {seller.look_up(Endpoint.GET_ORDER).status for _ in range(100)} == {404}
        seller.wait(0)
        assert seller.heard == []


# -- commands that are none ----------------------------------------------------------------------------------------

NO_COMMANDS: Final[dict[str, Body]] = {
    "nothing": {},
    "unknown": {"forget": True},
    "unknown, after a known one": {"advanceSeconds": 60, "forget": True},
    "malformed, after a known one": {"callbackUrl": None, "advanceSeconds": -1},
    "malformed, after one that abandons": {"abandonReconciliations": True, "failReconciliation": 7},
    "an unknown notification": {"notify": "NOTHING"},
    "one that only comes by itself": {"notify": "RECONCILIATION_COMPLETED"},
    "no notification": {"notify": None},
    "an array of them": {"notify": ["TEST_NOTIFICATION"]},
    "a reconciliation that there is not": {"failReconciliation": FIRST + 1},
    "the reconciliation as text": {"failReconciliation": str(FIRST)},
    "no reconciliation": {"failReconciliation": None},
    "true for a reconciliation": {"failReconciliation": True},
    "limits by a word": {"enforceLimits": "yes"},
    "limits by a number": {"enforceLimits": 1},
    "limits by nothing": {"enforceLimits": None},
    "a URL that is a number": {"callbackUrl": 7},
    "a URL in an array": {"callbackUrl": ["http://127.0.0.1:1/"]},
    "not to abandon": {"abandonReconciliations": False},
    "to abandon nothing": {"abandonReconciliations": None},
    "seconds as text": {"advanceSeconds": "60"},
    "true seconds": {"advanceSeconds": True},
}


@dataclass(frozen=True)
class State:
    """What commands change."""

    now: datetime
    url: str | None
    limited: bool
    failing: tuple[int, ...]
    active: tuple[int, ...]
    heard: int


def state(seller: Seller) -> State:
    koncili = seller.koncili
    return State(
        koncili.clock.now(),
        koncili.notifier.url,
        koncili.limits.enforced,
        tuple(reconciliation.id for reconciliation in koncili.world.all_reconciliations if reconciliation.fails),
        tuple(
            reconciliation.id
            for reconciliation in koncili.world.all_reconciliations
            if reconciliation.situation is None
        ),
        len(seller.heard),
    )


@pytest.mark.parametrize("command", NO_COMMANDS.values(), ids=NO_COMMANDS)
def test_what_is_no_command_is_refused_and_changes_nothing(limited: Seller, command: Body) -> None:
    limited.reconcile(CODE)
    before = state(limited)
    with httpx.Client(transport=httpx.WSGITransport(make_app(limited.koncili)), base_url="http://mock") as http:
        answer = http.post(CONTROL_PATH, json=command)
    assert (answer.status_code, answer.json().get("errorCode")) == (400, "400-0")
    assert state(limited) == before
