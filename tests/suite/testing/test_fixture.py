"""The fixture `koncili_mock` and what it offers, in the tests of a project that has the package; the clients of examples/."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import httpx
import pytest

from conformance.report.html import find_node
from conformance.target.config import load_target
from conformance.testing.mock import KonciliMock, koncili_mock
from examples.clients.client import Koncili, Lost, Refused
from examples.clients.test_client import BEGIN, END, connected, order
from tests.suite.support.command_runs import COMMAND

ROOT: Final = Path(__file__).parents[3]


def pytest_in(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest, as a project runs it that has the package."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


# -- as projects use it ----------------------------------------------------------------------------------------------


def test_the_example_s_tests_pass_side_by_side() -> None:
    run = pytest_in(ROOT, "-n2", "examples/clients")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "7 passed" in run.stdout


WRONG: Final = """
import pytest

pytestmark = pytest.mark.koncili_mock(variants=["codes-of-forty"])

@pytest.mark.koncili_mock(["codes-of-forty"])
def test_by_place(koncili_mock): pass

@pytest.mark.koncili_mock(variants=["codes-of-fourty"])
def test_misspelt(koncili_mock): pass

@pytest.mark.koncili_mock(variant="codes-of-forty")
def test_unknown(koncili_mock): pass

@pytest.mark.koncili_mock(faults=[{"fault": "lots"}])
def test_no_fault(koncili_mock): pass

@pytest.mark.koncili_mock(defects=["ord-04-not-enforced"])
def test_both(koncili_mock):
    assert [quirk.name for quirk in koncili_mock.koncili.quirks] == ["ord-04-not-enforced", "codes-of-forty"]
"""


def test_what_a_marker_can_t_say_is_told(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(WRONG)
    run = pytest_in(tmp_path, "--strict-markers")
    assert "1 passed, 4 errors" in run.stdout, run.stdout + run.stderr
    for says in (
        "koncili_mock takes its settings by name",
        "no variant 'codes-of-fourty'; did you mean codes-of-forty",
        "unexpected keyword argument 'variant'",
        "no fault 'lots'; did you mean lost",
    ):
        assert says in run.stdout, says


def test_the_client_in_node_is_tested_by_the_command() -> None:
    problems: list[str] = []
    node = find_node(problems)
    assert node is not None, problems
    run = subprocess.run(
        [node, "--test", "examples/clients/client.test.mjs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "KONCILI": str(COMMAND)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 3" in run.stdout


# -- what it offers --------------------------------------------------------------------------------------------------


@pytest.fixture
def mock() -> Iterator[KonciliMock]:
    with koncili_mock() as made:
        yield made


@pytest.fixture
def client(mock: KonciliMock) -> Iterator[Koncili]:
    made = connected(Koncili, mock)
    yield made
    made.http.close()


def test_it_says_how_it_is_reached(mock: KonciliMock, tmp_path: Path) -> None:
    target = load_target(mock.write_target(tmp_path / "mock.toml"))
    assert (target.base_url, str(target.integrator)) == (mock.base_url, mock.integrator)
    assert target.credentials.values() == (mock.credentials.email, mock.credentials.password)
    answer = httpx.post(f"{mock.base_url}/public/api/auth/token", json={"credentials": mock.credentials.encoded})
    assert answer.status_code == 200
    assert {account.id for account in mock.accounts} >= {19055}


def test_variants_that_only_a_socket_shows_are_served() -> None:
    with koncili_mock(variants=["chunked"]) as mock:
        answer = httpx.post(f"{mock.base_url}/public/api/auth/token", json={"credentials": mock.credentials.encoded})
    assert answer.headers["transfer-encoding"] == "chunked"


def test_orders_are_told_as_they_were_sent(mock: KonciliMock, client: Koncili) -> None:
    client.settle([order("A")], BEGIN, END)
    client.submit(order("B"))
    client.submit(order("C"))
    client.call("DELETE", "/order", marketplaceCode="C", channelName="CHANNEL_NAME", accountId="19055")
    told = {one.code: (one.account, one.channel, one.releases) for one in mock.orders}
    assert told == {"A": (19055, "CHANNEL_NAME", 1), "B": (19055, "CHANNEL_NAME", 0)}
    assert mock.orders[0].body["extracts"][1]["value"] == Decimal("-24.44")
    mock.clock.advance(2)
    assert [one.is_reconciled for one in mock.orders] == [True, False]


def test_releases_are_counted(mock: KonciliMock, client: Koncili) -> None:
    client.settle([order("A")], BEGIN, END)
    mock.assert_released_once("A")
    mock.assert_released_once("A", account=19055)
    with pytest.raises(AssertionError, match="order A was released never"):
        mock.assert_released_once("A", account=19056)
    with pytest.raises(AssertionError, match="order B was released never, not once:\n  no call named it"):
        mock.assert_released_once("B")


def test_the_next_calls_fail(mock: KonciliMock, client: Koncili) -> None:
    mock.fail_next(2, "500", order="A")
    mock.fail_next(1, "423", call="GET /order")
    for _ in range(2):
        with pytest.raises(Lost):
            client.call("POST", "/order", order("A"))
    client.call("POST", "/order", order("A"))
    with pytest.raises(Refused, match="blocked"):
        client.call("GET", "/order", marketplaceCode="B", channelName="CHANNEL_NAME", accountId="19055")
    with pytest.raises(ValueError, match="no fault 'x'"):
        mock.fail_next(1, "x")


@pytest.mark.parametrize("sent", ["502", "lost", "half", "reset"])
def test_what_a_client_met_on_the_way_breaks_no_rule(mock: KonciliMock, client: Koncili, sent: str) -> None:
    mock.fail_next(1, sent, call="POST /order")
    client.submit(order("A"))
    mock.assert_conformant(recommended=True)


def test_a_broken_rule_is_named_with_what_to_send(mock: KonciliMock, client: Koncili) -> None:
    client.submit(order("A"))
    mock.assert_conformant()
    with pytest.raises(Refused):
        client.call("POST", "/order", {**order("A"), "status": "CONCLUDED"})
    with pytest.raises(AssertionError, match=r"ORD-04 /sendDate: .*exchange 3\)"):
        mock.assert_conformant()
    mock.assert_conformant(allow=["ORD-04"])
    mock.reset()
    mock.assert_conformant()


def test_recommended_rules_count_where_they_are_to(mock: KonciliMock, client: Koncili) -> None:
    client.settle([order("A")], BEGIN, END)
    mock.fail_next(1, "lost", call="POST /reconciliation/release")
    body = {"reconciliationId": 7, "channelName": "CHANNEL_NAME", "accountId": 19055, "marketplaceCode": "A"}
    for raised in (Lost, Refused):
        with pytest.raises(raised):
            client.call("POST", "/reconciliation/release", body)
    with pytest.raises(AssertionError, match="CLI-13"):
        mock.assert_conformant(recommended=True)
    with pytest.raises(AssertionError) as required:
        mock.assert_conformant()
    assert "CLI-13" not in str(required.value)


def test_notifications_reach_the_test_and_are_audited(mock: KonciliMock, client: Koncili) -> None:
    heard: list[bytes] = []

    class Callback(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Callback) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        mock.notify(f"http://127.0.0.1:{server.server_port}/")
        client.settle([order("A")], BEGIN, END)
        mock.clock.advance(2)
        mock.command(notify="TEST_NOTIFICATION")
        server.shutdown()
    assert any(b"RECONCILIATION_COMPLETED" in body for body in heard)
    with pytest.raises(AssertionError, match="CLI-16"):  # it answered 200, but not as documented
        mock.assert_conformant(recommended=True)


def test_each_is_its_own(mock: KonciliMock, client: Koncili) -> None:
    client.submit(order("A"))
    with koncili_mock() as other:
        assert other.base_url != mock.base_url
        assert other.orders == []
        assert other.requests == []
