"""The mock answers as the documents say: tokens, accounts and orders, errors, also on a socket."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx
import pytest

from conformance.contract.credentials import encode_credentials
from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.mock import world
from conformance.mock.app import CONTROL_PATH
from conformance.mock.koncili import Koncili
from conformance.mock.variants import VARIANTS, variant
from strategies.calls import LEFT_OUT
from tests.suite.support import bodies
from tests.suite.support.mock_calls import CREDENTIALS, Body, Caller, order, refusal, shown

# -- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_opens_the_other_endpoints() -> None:
    caller = Caller()
    caller.headers["gumgaToken"] = caller.token().json()["accessToken"]
    assert caller.call("GET", "/my-accounts").status_code == 200


@pytest.mark.parametrize("integrator", [world.INTEGRATOR, world.INTEGRATOR.upper()], ids=["lower case", "upper case"])
def test_the_names_of_headers_have_no_case(integrator: str) -> None:
    caller = Caller()
    caller.headers = {"GUMGATOKEN": caller.headers["gumgaToken"], "Integrator": integrator}
    assert caller.call("GET", "/my-accounts").status_code == 200


LIFETIMES: Final[dict[str, tuple[Koncili, int]]] = {
    "two hours": (Koncili(), 7200),
    "the reading one-hour": (Koncili(readings={"token-lifetime": "one-hour"}), 3600),
    "the variant one-hour-tokens": (Koncili(quirks=[variant("one-hour-tokens")]), 3600),
}


@pytest.mark.parametrize(("koncili", "seconds"), LIFETIMES.values(), ids=LIFETIMES)
def test_a_token_lives_as_long_as_documented(koncili: Koncili, seconds: int) -> None:
    caller = Caller(koncili)
    tokens = caller.token().json()
    caller.headers["gumgaToken"] = tokens["accessToken"]
    assert tokens["expiresIn"] == seconds
    koncili.clock.advance(seconds - 1)
    assert caller.call("GET", "/my-accounts").status_code == 200
    koncili.clock.advance(1)
    dead = caller.call("GET", "/my-accounts")
    assert (dead.status_code, dead.json()) == (403, {"response": "NO_TOKEN"})


def test_a_refresh_voids_the_token_it_spends() -> None:
    caller = Caller()
    first = caller.token().json()
    second = caller.refresh(first["refreshToken"]).json()
    assert {first["accessToken"], first["refreshToken"]}.isdisjoint({second["accessToken"], second["refreshToken"]})
    assert refusal(caller.refresh(first["refreshToken"])) == (401, "401-0")
    assert caller.refresh(second["refreshToken"]).status_code == 200


def test_an_access_token_is_no_refresh_token() -> None:
    caller = Caller()
    assert refusal(caller.refresh(caller.headers["gumgaToken"])) == (401, "401-0")


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c"], ids=["left out", "empty", "unknown", "shaped like one"])
def test_no_call_without_a_living_token(token: str | None) -> None:
    caller = Caller()
    del caller.headers["gumgaToken"]
    if token is not None:
        caller.headers["gumgaToken"] = token
    answers = [caller.call("GET", "/my-accounts"), caller.submit(), caller.look_up(), caller.look_up("DELETE")]
    answers += [caller.call("POST", endpoint.path, body) for endpoint, body in bodies.LAWFUL.items()]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(403, {"response": "NO_TOKEN"})] * 6


# -- accounts and orders ---------------------------------------------------------------------------------------------


def test_every_account_is_listed() -> None:
    rows = Caller().call("GET", "/my-accounts").json()
    assert [row["id"] for row in rows] == [19055, 19056, 19060, world.INACTIVE.id, world.DISABLED.id]
    assert [row["status"] for row in rows] == ["ACTIVE"] * 3 + ["INACTIVE", "ACTIVE"]
    assert [row["apiImport"] for row in rows] == [True] * 4 + [False]
    assert [row["channelName"] for row in rows[:3]] == [world.CHANNEL, world.CHANNEL, world.OTHER_CHANNEL]


def test_an_order_is_stored_as_it_was_sent() -> None:
    caller = Caller()
    sent = order(comment="João 🚚 \x00 \ud800", nested={"a": [None, True, Decimal("1.10")]}, accountId="19055")
    assert caller.submit(**sent).status_code == 200
    assert repr(shown(caller.look_up())) == repr(sent)


def test_a_new_submission_replaces_the_order_whole() -> None:
    caller = Caller()
    caller.submit(comment="first", approvedDate="2025-05-09T13:00:00Z")
    caller.submit(status="CANCELED", cancelDate="2025-05-10T12:00:00Z", totalGrossValue=LEFT_OUT)
    assert shown(caller.look_up()) == order(
        status="CANCELED", cancelDate="2025-05-10T12:00:00Z", totalGrossValue=LEFT_OUT
    )


def test_a_refused_update_changes_nothing() -> None:
    caller = Caller()
    caller.submit()
    assert refusal(caller.submit(status="PAID")) == (400, "400-0")
    assert shown(caller.look_up()) == order()


def test_a_deleted_order_is_gone_and_no_other() -> None:
    caller = Caller()
    neighbour = {"accountId": str(world.ENABLED[1].id)}
    caller.submit()
    caller.submit(accountId=world.ENABLED[1].id)
    assert caller.look_up("DELETE").status_code == 200
    assert refusal(caller.look_up()) == (404, "404-3")
    assert refusal(caller.look_up("DELETE")) == (404, "404-3")
    assert caller.look_up(**neighbour).status_code == 200
    assert caller.submit().status_code == 200
    assert shown(caller.look_up()) == order()


@pytest.mark.parametrize("code", ["#1/2&A+B", "20 %", "ção", "a" * 300, "👍"], ids=ascii)
def test_a_code_is_any_text(code: str) -> None:
    caller = Caller()
    caller.submit(marketplaceCode=code, extracts=[{"marketplaceCode": code, "type": "SALE", "value": 1}])
    assert shown(caller.look_up(marketplaceCode=code))["marketplaceCode"] == code
    assert caller.look_up("DELETE", marketplaceCode=code).status_code == 200


REFUSED_OTHERWISE: Final = {"other-codes": (400, "400-917"), "conflicts": (409, "409-0"), "bare-codes": (400, "400")}
"""Variants that use what no document says of a deletion that is refused: its code, and which 4xx it is."""


@pytest.mark.parametrize("name", VARIANTS)
def test_the_foreign_order_is_there_from_the_start_and_stays(name: str) -> None:
    caller = Caller(Koncili(quirks=[VARIANTS[name]], readings=dict(VARIANTS[name].readings)))
    foreign = {"marketplaceCode": world.FOREIGN_CODE}
    assert shown(caller.look_up(**foreign))["marketplaceCode"] == world.FOREIGN_CODE
    assert refusal(caller.look_up("DELETE", **foreign)) == REFUSED_OTHERWISE.get(name, (400, "400-0"))
    assert caller.look_up(**foreign).status_code == 200


# -- errors ----------------------------------------------------------------------------------------------------------

ACCOUNT_ERRORS: Final[dict[str, tuple[dict[str, str], int, str]]] = {
    "not enabled for API imports": ({"accountId": str(world.DISABLED.id)}, 400, "400-2"),
    "inactive": ({"accountId": str(world.INACTIVE.id)}, 403, "403-1"),
    "not authorised on the channel": ({"channelName": world.OTHER_CHANNEL}, 403, "403-2"),
    "no such account": ({"accountId": "7"}, 404, "404-1"),
    "no such channel": ({"channelName": "invalid_channel"}, 404, "404-2"),
}


@pytest.mark.parametrize(("where", "status", "code"), ACCOUNT_ERRORS.values(), ids=ACCOUNT_ERRORS)
def test_an_account_is_refused_on_every_endpoint(where: dict[str, str], status: int, code: str) -> None:
    caller = Caller()
    answers = [caller.submit(**where), caller.look_up(**where), caller.look_up("DELETE", **where)]
    answers += [caller.call("POST", endpoint.path, body | where) for endpoint, body in bodies.LAWFUL.items()]
    assert [refusal(answer) for answer in answers] == [(status, code)] * 5


ORDER_ERRORS: Final[dict[str, tuple[Body, str]]] = {
    "a status": ({"status": "PAID"}, "400-0"),
    "a malformed date": ({"createdDate": "yesterday"}, "400-0"),
    "dates out of order": ({"approvedDate": "2025-05-09T11:59:59.999Z"}, "400-3"),
    "no extracts": ({"extracts": []}, "400-0"),
    "a missing field": ({"channelName": LEFT_OUT}, "400-0"),
    "a type": ({"totalGrossValue": "203.60"}, "400-0"),
}


@pytest.mark.parametrize(("changes", "code"), ORDER_ERRORS.values(), ids=ORDER_ERRORS)
def test_an_order_is_refused_with_its_code(changes: Body, code: str) -> None:
    assert refusal(Caller().submit(**changes)) == (400, code)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_order_has_its_code(method: str) -> None:
    assert refusal(Caller().look_up(method)) == (404, "404-3")


@pytest.mark.parametrize("credentials", ["", "x", None, encode_credentials(world.EMAIL, "no")], ids=repr)
def test_wrong_credentials_get_no_token(credentials: str | None) -> None:
    answer = Caller().token({"credentials": credentials})
    assert refusal(answer) == (401, "401-0")
    assert "accessToken" not in answer.text


@pytest.mark.parametrize("integrator", ["", "x", world.INTEGRATOR[:-1]], ids=["empty", "no UUID", "cut short"])
def test_the_integrator_is_a_uuid(integrator: str) -> None:
    caller = Caller()
    caller.headers["integrator"] = integrator
    assert refusal(caller.call("GET", "/my-accounts")) == (400, "400-0")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *[("GET", path, 404) for path in ("/", "/orders", "/order/", "/ORDER", "/order/7")],
        *[(method, "/order", 405) for method in ("PUT", "PATCH", "OPTIONS", "BREW")],
        ("POST", "/my-accounts", 405),
        *[("GET", path, 405) for path in ("/reconciliation", "/reconciliation/release")],
        *[("POST", path, 404) for path in ("/reconciliations", "/reconciliation/", "/reconciliation/237/release")],
        ("GET", Endpoint.CREATE_TOKEN.path, 405),
    ],
)
def test_only_documented_paths_and_methods(method: str, path: str, status: int) -> None:
    assert refusal(Caller().call(method, path)) == (status, f"{status}-0")


# -- on a socket -----------------------------------------------------------------------------------------------------


@contextmanager
def served(target_file: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The mock served on a socket, as a process and a base URL; it is ended in any case."""
    script = Path(sys.executable).with_name("koncili-conformance")
    command = [str(script), "mock", "--port", "0", "--target-file", str(target_file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=target_file.parent) as process:
        try:
            yield process, _base_url(process, target_file)
        finally:
            if process.poll() is None:
                process.terminate()


def _base_url(process: subprocess.Popen[bytes], target_file: Path) -> str:
    """Where the mock is, once it answers."""
    for _ in range(600):
        assert process.poll() is None, "the mock ended by itself"
        try:
            url: str = tomllib.loads(target_file.read_text())["base_url"]
            httpx.get(url + CONTROL_PATH).raise_for_status()
        except (OSError, KeyError, tomllib.TOMLDecodeError, httpx.HTTPError):
            time.sleep(0.05)
        else:
            return url
    raise AssertionError("the mock did not answer within 30 s")


def test_a_mock_on_a_socket_gives_tokens_until_it_is_interrupted(tmp_path: Path) -> None:
    with served(tmp_path / "mock.toml") as (process, url):
        answer = httpx.post(url + Endpoint.CREATE_TOKEN.path, json=CREDENTIALS)
        assert answer.status_code == 200
        assert answer.json()["accessToken"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_a_mock_on_a_socket_takes_a_body_in_chunks(tmp_path: Path) -> None:
    body = dumps(CREDENTIALS).encode()
    with served(tmp_path / "mock.toml") as (_, url):
        # An iterator has no length, so the client sends it with Transfer-Encoding: chunked.
        answer = httpx.post(url + Endpoint.CREATE_TOKEN.path, content=iter([body[:10], body[10:]]))
        assert answer.status_code == 200, answer.text
