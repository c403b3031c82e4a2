"""How likely is a race seen in one try? Two refreshes by one token, at a server that looks whether it is good and some time later
writes that it is not: by how long that takes, and by the way in which the two are sent.

    python -m benchmarks.races [--tries 100]

Never a test: what comes of it hangs on the machine.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import httpx

from conformance.contract.endpoints import REFRESH_TOKEN_FIELD, Endpoint
from conformance.contract.jsontext import dumps
from conformance.engine.tries import SHIFTED_BY
from conformance.target.config import parse_target
from conformance.target.shared.budget import NoLimits
from conformance.target.wire.client import Calling, KonciliClient
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from conformance.target.wire.tokens import tokens_in
from tests.stacks.races import TARGET

WIDTHS: Final = ("0.2", "1", "5", "30")
"""Milliseconds from looking to writing."""

Way = Callable[[KonciliClient, str, bytes], bool]
"""Sends two refreshes with that body to that address; whether both got a pair."""


def _released(offset: float = 0.0) -> Way:
    """As the suite does: all but the last bytes before, these together, the second so many seconds later."""

    def way(client: KonciliClient, _: str, body: bytes) -> bool:
        call = Calling(Endpoint.REFRESH_TOKEN, content=body)
        answers = client.call_at_once([call, call], [0.0, offset])
        return all(one.exchange is not None and one.exchange.is_accepted for one in answers)

    return way


def _shifted(client: KonciliClient, address: str, body: bytes) -> bool:
    """The second later by the part of an answer's time by which the suite shifts it."""
    call = Calling(Endpoint.REFRESH_TOKEN, content=dumps({REFRESH_TOKEN_FIELD: "unknown"}).encode())
    soonest = min(one.answered - one.sent for one in client.call_at_once([call, call]))
    return _released(SHIFTED_BY * soonest)(client, address, body)


def _by_threads(_: KonciliClient, address: str, body: bytes) -> bool:
    """As a test by hand does: two threads that wait for each other, each with a connection that is open already."""
    together, statuses = threading.Barrier(2), [0, 0]

    def send(number: int) -> None:
        with httpx.Client(base_url=address) as session:
            session.get("/my-accounts")
            together.wait()
            answer = session.post(
                Endpoint.REFRESH_TOKEN.path, content=body, headers={"content-type": "application/json"}
            )
            statuses[number] = answer.status_code

    threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return all(status < 300 for status in statuses)


WAYS: Final[dict[str, Way]] = {
    "released together": _released(),
    "one later by a quarter of an answer": _shifted,
    "2 ms apart": _released(0.002),
    "two threads": _by_threads,
}


class _Tokens(ThreadingHTTPServer):
    """Gives tokens; a thread for each connection."""

    daemon_threads = True

    def __init__(self, width: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.width, self.good = width, set[str]()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Tokens

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(200, [])

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["content-length"]))).get(REFRESH_TOKEN_FIELD)
        if self.path.endswith("refresh-token"):
            if given not in self.server.good:
                self._answer(401, {"errorMessage": "void", "errorCode": "401"})
                return
            time.sleep(self.server.width)
            self.server.good.discard(given)
        refresh = secrets.token_hex(16)
        self.server.good.add(refresh)
        self._answer(200, {"accessToken": secrets.token_hex(16), "refreshToken": refresh, "expiresIn": 7200})

    def _answer(self, status: int, body: object) -> None:
        told = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


@contextmanager
def serving(width: str) -> Iterator[int]:
    """The server in a process of its own; its port."""
    command = [sys.executable, "-m", "benchmarks.races", "--serve", width]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def seen(port: int, way: Way, tries: int) -> int:
    """In how many of so many tries both refreshes get a pair."""
    target = parse_target(tomllib.loads(TARGET.format(port=port)), "a measurement")
    journal = Journal(Redactor())
    readings = {"token-lifetime": "two-hours"}
    with KonciliClient(target, journal=journal, budget=NoLimits(), readings=readings) as client:
        return sum(
            way(
                client, str(target.base_url), dumps({REFRESH_TOKEN_FIELD: tokens_in(client.create_token())[1]}).encode()
            )
            for _ in range(tries)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--serve", metavar="MILLISECONDS", help="be the server, with so much from looking to writing")
    options = parser.parse_args(arguments)
    if options.serve is not None:
        with _Tokens(float(options.serve) / 1000) as server:
            print(server.server_address[1], flush=True)
            server.serve_forever()
    print(f"| from looking to writing | {' | '.join(WAYS)} |")
    print("|---" * (len(WAYS) + 1) + "|")
    for width in WIDTHS:
        with serving(width) as port:
            counts = [seen(port, way, options.tries) for way in WAYS.values()]
        print(f"| {width} ms | {' | '.join(f'{count} of {options.tries}' for count in counts)} |", flush=True)


if __name__ == "__main__":
    main()
