"""What follows a change is asked on another connection: a server of several processes may remember it in one of them alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.mock.target import mock_target_table
from conformance.target.config import parse_target
from conformance.target.shared.budget import NoLimits
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.transport import RENEWED_AFTER
from tests.suite.support.bodies import CODE, creation, order, release
from tests.suite.support.properties import HOME

QUERY = {"marketplaceCode": CODE, "channelName": HOME.channel, "accountId": str(HOME.account)}
TOKEN = b'{"accessToken": "access", "refreshToken": "refresh", "expiresIn": 7200}'
BODIES = {
    Endpoint.REFRESH_TOKEN: {"refreshToken": "refresh"},
    Endpoint.SUBMIT_ORDER: order(),
    Endpoint.CREATE_RECONCILIATION: creation(),
    Endpoint.SUBMIT_RELEASE: release(),
}


@dataclass
class Processes:
    """A server that answers 200, or as it is told, and knows on which connection each request came."""

    status: int = 200
    connections: list[int] = field(default_factory=list)
    """The connection of each request but those for a token, by the port it comes from."""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                is_token = self.path.endswith("/auth/token")
                if not is_token:
                    told.connections.append(self.client_address[1])
                self.send_response(200 if is_token else told.status)
                self.send_header("content-length", str(len(TOKEN)))
                self.end_headers()
                self.wfile.write(TOKEN)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        return Handler


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture
def client(processes: Processes) -> Iterator[KonciliClient]:
    with ThreadingHTTPServer(("127.0.0.1", 0), processes.handler()) as server:
        server.daemon_threads, server.block_on_close = True, False
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        target = parse_target(mock_target_table(f"http://127.0.0.1:{server.server_port}"), "a test")
        readings = {"token-lifetime": "two-hours"}
        try:
            with KonciliClient(target, journal=Journal(Redactor()), budget=NoLimits(), readings=readings) as client:
                assert client.access_token()  # got before, on whatever connection
                yield client
        finally:
            server.shutdown()
            serving.join()


def call(client: KonciliClient, endpoint: Endpoint) -> None:
    if endpoint in BODIES:
        client.call(endpoint, body=BODIES[endpoint])
    else:
        client.call(endpoint, query=QUERY)


@pytest.mark.parametrize("endpoint", RENEWED_AFTER)
def test_what_was_changed_is_asked_for_on_another_connection(
    client: KonciliClient, processes: Processes, endpoint: Endpoint
) -> None:
    for _ in range(RENEWED_AFTER[endpoint]):
        call(client, endpoint)
    call(client, Endpoint.GET_ORDER)
    *changes, query = processes.connections
    assert len(set(changes)) == 1
    assert query not in changes


@pytest.mark.parametrize("endpoint", RENEWED_AFTER)
def test_a_refusal_changes_nothing(client: KonciliClient, processes: Processes, endpoint: Endpoint) -> None:
    processes.status = 400
    for _ in range(RENEWED_AFTER[endpoint] + 1):
        call(client, endpoint)
    assert len(set(processes.connections)) == 1


def test_queries_stay_on_their_connection(client: KonciliClient, processes: Processes) -> None:
    for _ in range(10):
        call(client, Endpoint.GET_ORDER)
    assert len(set(processes.connections)) == 1
