"""The stage: every fault as a plain client sees it, the mock in a process of its own, TLS, Redis."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import INTEGRATOR_HEADER, TOKEN_HEADER
from conformance.contract.jsontext import dumps
from conformance.errors import CannotRun
from conformance.mock import world
from conformance.mock.faults import Plan, Plans, When, always, every, first, nth, since
from conformance.run.mock_control import NOBODY
from conformance.target.config import load_target
from tests.suite.support.bodies import CODE, FIRST, creation, order, release
from tests.suite.support.stage.bad_answers import BAD_ANSWERS
from tests.suite.support.stage.fault_proxy import OTHER_HOST, FaultProxy, fault_proxy
from tests.suite.support.stage.faults import FAULTS
from tests.suite.support.stage.mock import StagedMock, mock, target_file
from tests.suite.support.stage.redis import NoRedis, redis_server
from tests.suite.support.stage.tls import tls_listener

TOKEN_CALL: Final = "POST /public/api/auth/token"
PATH: Final = "/public/api/auth/token"
CREDENTIALS: Final = {"credentials": encode_credentials(world.EMAIL, world.PASSWORD)}

PATIENT: Final = 20.0
IMPATIENT: Final = 0.3


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedMock]:
    """A mock that all tests of this module share."""
    with mock(tmp_path_factory.mktemp("mock")) as running:
        yield running


@pytest.fixture
def layer(staged: StagedMock) -> Iterator[FaultProxy]:
    """A layer in front of it, in which nothing happens yet."""
    with fault_proxy(staged.base_url) as running:
        yield running


def client(base_url: str, timeout: float = PATIENT, *, follow: bool = False) -> httpx.Client:
    """A plain client."""
    return httpx.Client(base_url=base_url, timeout=timeout, verify=NOBODY, follow_redirects=follow)


def tokens(http: httpx.Client) -> dict[str, str]:
    """The headers of an integrator with a new token."""
    token: str = http.post(PATH, json=CREDENTIALS).raise_for_status().json()["accessToken"]
    return {TOKEN_HEADER: token, INTEGRATOR_HEADER: world.INTEGRATOR}


def requests_of(staged: StagedMock) -> int:
    """How many requests have reached the mock."""
    count: int = staged.state()["counts"]["requests"]
    return count


# -- faults --------------------------------------------------------------------------------------------------------

Seen = int | type[Exception]

SEEN: Final[dict[str, tuple[Seen, int]]] = {
    "refuse": (httpx.TransportError, False),
    "reset-before": (httpx.ReadError, False),
    "reset-after": (httpx.ReadError, True),
    "half-answer": (httpx.RemoteProtocolError, True),
    "half-headers": (httpx.RemoteProtocolError, True),
    "delay": (200, True),
    "silence": (httpx.ReadTimeout, True),
    "not-json-200": (200, False),
    "html-403": (403, False),
    "html-503": (503, False),
    "423": (423, False),
    "429": (429, False),
    "429-retry-after": (429, False),
    "500": (500, False),
    "502": (502, False),
    "502-after": (502, True),
    "504": (504, False),
    "redirect-elsewhere": (302, False),
    "redirect-same-host": (301, False),
    "no-token": (403, False),
    "revoked-token": (403, False),
    "twice": (200, 2),
    "closed-405": (405, False),
}
"""By fault: what a client sees of it, and whether the request was carried out, or how often."""

LOGGED: Final = {"half-answer": 200}
"""The statuses in the log that no client sees as such."""


def test_every_fault_is_tried() -> None:
    """Those that are no HTTP, or that never end, no client of this library sees as such: ours meets them in test_bad_answers."""
    assert SEEN.keys() <= FAULTS.keys()
    own = {
        "429-at-once",
        "still-active",
        "redirect-login",
        "423-cut",
        "423-cut-headers",
        "423-bad-gzip",
        "423-for-ever",
        "unknown-token",
        "wipe",
    }
    assert FAULTS.keys() - SEEN.keys() <= {*BAD_ANSWERS, *own}


@pytest.mark.parametrize("fault", SEEN)
def test_a_fault_is_seen(fault: str, staged: StagedMock, layer: FaultProxy) -> None:
    seen, carried_out = SEEN[fault]
    layer.play(Plan(fault, nth(2, TOKEN_CALL), seconds=0.05))
    before = requests_of(staged)
    with client(layer.base_url, IMPATIENT if fault == "silence" else PATIENT) as http:
        assert http.post(PATH, json=CREDENTIALS).status_code == 200
        if isinstance(seen, int):
            assert http.post(PATH, json=CREDENTIALS).status_code == seen
        else:
            with pytest.raises(seen):
                http.post(PATH, json=CREDENTIALS)
    layer.close()  # what is still under way ends
    status = seen if isinstance(seen, int) else LOGGED.get(fault)
    assert layer.log == [("POST", PATH, 200, None), ("POST", PATH, status, fault)]
    assert requests_of(staged) - before == 1 + carried_out


def answer(layer: FaultProxy, fault: str) -> httpx.Response:
    """What a client is answered where this happens."""
    layer.play(Plan(fault, always()))
    with client(layer.base_url) as http:
        return http.get("/my-accounts")


@pytest.mark.parametrize("fault", ["not-json-200", "html-403", "html-503", "502", "502-after", "504"])
def test_gateways_answer_in_html(fault: str, layer: FaultProxy) -> None:
    answered = answer(layer, fault)
    assert answered.headers["content-type"] == "text/html; charset=utf-8"
    assert answered.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("fault", "seconds"), [("429", None), ("429-retry-after", "1"), ("500", None), ("423", None)])
def test_endpoints_answer_in_json(fault: str, seconds: str | None, layer: FaultProxy) -> None:
    answered = answer(layer, fault)
    assert answered.json()["errorCode"] == f"{answered.status_code}-0"
    assert answered.headers.get("retry-after") == seconds


def test_a_late_answer_is_late(layer: FaultProxy) -> None:
    layer.play(Plan("delay", always(), seconds=PATIENT))
    with client(layer.base_url, IMPATIENT) as http, pytest.raises(httpx.ReadTimeout):
        http.post(PATH, json=CREDENTIALS)


def test_what_refuses_can_listen_again(layer: FaultProxy) -> None:
    layer.play(Plan("refuse", nth(1)))
    with client(layer.base_url) as http:
        with pytest.raises(httpx.TransportError):
            http.get("/my-accounts")
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                http.get("/my-accounts")
        layer.listen()
        assert http.get("/my-accounts").status_code == 403
    assert layer.faults() == ["refuse"]


def test_a_connection_that_is_kept_open_is_ended_when_it_refuses(layer: FaultProxy) -> None:
    with client(layer.base_url) as http:
        http.get("/my-accounts")
        layer.refuse()
        with pytest.raises(httpx.TransportError):
            http.get("/my-accounts")


def test_a_redirect_elsewhere_leads_to_one_who_writes_down_all(layer: FaultProxy) -> None:
    layer.play(Plan("redirect-elsewhere", always()))
    with client(layer.base_url, follow=True) as http:
        followed = http.get("/my-accounts", params={"a": "b"}, headers={TOKEN_HEADER: "secret"})
    assert (followed.url.host, followed.json()) == (OTHER_HOST, {})
    (visit,) = layer.visits
    assert (visit.method, visit.path, visit.body) == ("GET", "/my-accounts?a=b", b"")
    assert (TOKEN_HEADER, "secret") in visit.headers


def test_a_redirect_to_the_same_host_leads_back(layer: FaultProxy) -> None:
    layer.play(Plan("redirect-same-host", nth(1)))
    with client(layer.base_url, follow=True) as http:
        http.get("/my-accounts")
    assert layer.log == [
        ("GET", "/my-accounts", 301, "redirect-same-host"),
        ("GET", "/moved/my-accounts", 404, None),
    ]
    assert layer.visits == []


@pytest.mark.parametrize(("fault", "again"), [("revoked-token", 403), ("no-token", 200)])
def test_a_token_is_refused(fault: str, again: int, layer: FaultProxy) -> None:
    with client(layer.base_url) as http:
        old, new = tokens(http), tokens(http)
        layer.play(Plan(fault, nth(2, "GET /my-accounts")))
        statuses = [http.get("/my-accounts", headers=headers).status_code for headers in (old, old, old, new)]
        assert statuses == [200, 403, again, 200]
        layer.play(Plan("no-token", always()))
        assert http.get("/my-accounts", headers=new).json() == {"response": "NO_TOKEN"}


# -- when they happen ----------------------------------------------------------------------------------------------

WHEN: Final[dict[str, tuple[When, list[int]]]] = {
    "nth": (nth(3, "POST /order"), [3]),
    "first": (first(2, "POST /order"), [1, 2]),
    "since": (since(4, "POST /order"), [4, 5, 6]),
    "every": (every(2, "POST /order"), [2, 4, 6]),
    "always": (always("POST /order"), [1, 2, 3, 4, 5, 6]),
}


@pytest.mark.parametrize(("when", "chosen"), WHEN.values(), ids=WHEN)
def test_requests_are_chosen_by_call_and_count(when: When, chosen: list[int]) -> None:
    plans = Plans(Plan("500", when))
    happened = []
    for count in range(1, 7):
        assert plans.next("GET /order") is None
        if plans.next("POST /order"):
            happened.append(count)
    assert happened == chosen


def test_of_several_plans_the_first_that_chooses_is_carried_out_and_all_count() -> None:
    plans = Plans(Plan("500", nth(2)), Plan("502", every(2, "POST /order")))
    chosen = [plans.next("POST /order") for _ in range(4)]
    assert [plan and plan.fault for plan in chosen] == [None, "500", None, "502"]


def test_an_unknown_fault_is_named(layer: FaultProxy) -> None:
    with pytest.raises(ValueError, match="no such fault: 501; there are refuse, "):
        layer.play(Plan("501", always()))


# -- what passes ---------------------------------------------------------------------------------------------------

PASSING: Final = [
    ("GET", "/order?marketplaceCode=%C3%A9%20%2F&channelName=&accountId=1", b""),
    ("HEAD", "/my-accounts", b""),
    ("DELETE", "/order?marketplaceCode=A", b""),
    ("POST", "/order", b'{"a": "\xc3\xa9"}'),
    ("POST", "/order", b""),
    ("TRACE", "/none/such", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), PASSING)
def test_what_passes_is_left_as_it_is(
    method: str, path: str, body: bytes, staged: StagedMock, layer: FaultProxy
) -> None:
    def asked(base_url: str) -> tuple[int, dict[str, str], bytes]:
        with client(base_url) as http:
            headers = {**tokens(http), "content-type": "application/json"}
            got = http.request(method, path, content=body or None, headers=headers)
        return got.status_code, {k: v for k, v in got.headers.items() if k != "date"}, got.content

    assert asked(layer.base_url) == asked(staged.base_url)


def test_a_body_in_chunks_passes(layer: FaultProxy) -> None:
    with client(layer.base_url) as http:
        body = iter([b'{"credentials": ', dumps(CREDENTIALS["credentials"]).encode(), b"}"])
        assert http.post(PATH, content=body, headers={"content-type": "application/json"}).status_code == 200


def test_control_is_spared(layer: FaultProxy) -> None:
    layer.play(Plan("500", always()))
    with client(layer.base_url) as http:
        assert http.get("/_mock").json()["mock"] == "koncili-conformance"


def test_where_nothing_is_behind_it_answers_502() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        with fault_proxy(f"http://127.0.0.1:{closed.getsockname()[1]}") as layer, client(layer.base_url) as http:
            assert http.get("/my-accounts").status_code == 502


# -- the mock ------------------------------------------------------------------------------------------------------


def send(http: httpx.Client, path: str, body: Any, headers: dict[str, str]) -> int:
    """POST a body that may hold Decimals; the status."""
    return http.post(path, content=dumps(body), headers={**headers, "content-type": "application/json"}).status_code


def test_the_mock_tells_its_state(tmp_path: Path) -> None:
    with mock(tmp_path, variant="reconciles-at-once") as staged, client(staged.base_url) as http:
        headers = tokens(http)
        assert send(http, "/order", order("A"), headers) == 200
        assert send(http, "/order", order(), headers) == 200
        assert send(http, "/reconciliation", creation(), headers) == 201
        assert send(http, "/reconciliation/release", release(), headers) == 200
        state = staged.state()
        assert {row["marketplaceCode"]: row["reconciled"] for row in state["orders"]} == {"A": False, CODE: True}
        assert [(row["id"], row["quantity"], row["received"]) for row in state["reconciliations"]] == [(FIRST, 3, 3)]
        assert (state["counts"]["requests"], state["counts"]["perEndpoint"]["POST /order"]) == (5, 2)
        staged.command(abandonReconciliations=True)


@pytest.mark.parametrize("variant", [None, "closes-connections"], ids=["plain", "closes-connections"])
def test_with_limits_they_hold_from_the_start(variant: str | None, tmp_path: Path) -> None:
    with mock(tmp_path, limits=True, variant=variant) as staged, client(staged.base_url) as http:
        statuses = [http.get("/order").status_code for _ in range(91)]
        assert statuses == [403] * 90 + [429]
        assert staged.state()["counts"]["429"] == 1
        target = load_target(staged.target)
        assert (target.environment, target.pace, target.base_url) == ("mock", "documented", staged.base_url)


def test_without_limits_none_hold(staged: StagedMock) -> None:
    with client(staged.base_url) as http:
        assert {http.get("/order").status_code for _ in range(91)} == {403}
    assert load_target(staged.target).pace == "unlimited"


def test_a_mock_that_can_not_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the mock does not start"), mock(tmp_path, defect="none-such"):
        pytest.fail("it has started")


def test_a_target_file_is_that_of_a_sandbox_unless_changed(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9"
    plain = load_target(target_file(tmp_path / "plain.toml", url))
    assert (plain.environment, plain.pace, plain.base_url) == ("sandbox", "unlimited", url)
    changed = load_target(target_file(tmp_path / "changed.toml", url, pace=None, error_budget=20, readings=None))
    assert (changed.pace, changed.error_budget, changed.readings) == ("documented", 20, {})
    with pytest.raises(CannotRun, match="environment"):
        load_target(target_file(tmp_path / "wrong.toml", url, environment=None))


# -- TLS -----------------------------------------------------------------------------------------------------------


def test_only_who_is_told_to_trusts_the_certificate(staged: StagedMock, tmp_path: Path) -> None:
    with tls_listener(staged.base_url, tmp_path) as secured:
        assert secured.base_url.startswith("https://127.0.0.1:")
        with (
            httpx.Client(timeout=PATIENT) as http,
            pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            http.get(secured.base_url)
        told = ssl.create_default_context(cafile=str(secured.certificate))
        with httpx.Client(timeout=PATIENT, verify=told) as http:
            assert http.post(secured.base_url + PATH, json=CREDENTIALS).status_code == 200
            secured.layer.play(Plan("reset-after", always()))
            with pytest.raises(httpx.TransportError):
                http.post(secured.base_url + PATH, json=CREDENTIALS)


# -- Redis ---------------------------------------------------------------------------------------------------------


def pong(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENT) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(64)


def test_redis_goes_up_and_down_and_up_again(tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        assert redis.url == f"redis://127.0.0.1:{redis.port}/0"
        assert pong(redis.port) == b"+PONG\r\n"
        redis.stop()
        with pytest.raises(ConnectionRefusedError):
            pong(redis.port)
        with redis_server(tmp_path, port=redis.port) as again:
            assert again.url == redis.url
            assert pong(again.port) == b"+PONG\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["redis.log"]


def test_a_test_without_redis_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRedis, match="apt-get install redis-server"), redis_server(tmp_path):
        pytest.fail("it has started")
