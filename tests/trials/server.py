"""A Koncili of its own for trials, over HTTP: written from the documents alone, by the standard library alone, and it counts.

    python -m tests.trials.server     prints a line of JSON: its ports, and that of its control

`GET /` of the control tells what was counted and what is left, `GET /trail` the last calls; `POST /` takes
`{"plans": [...]}` and settings of `world.Manner`. Several ports lead to the same Koncili, as through a gateway, and so does
every path before the known ones.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from contextlib import suppress
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.trials.accidents import FAULTS, INSTEAD, Accidents
from tests.trials.lawful import Refusal
from tests.trials.tally import Tally
from tests.trials.world import Answer, Manner, World

HOST: Final = "127.0.0.1"
TRAIL: Final = 2000
"""So many of the last calls are remembered, for whoever asks what happened."""
PORTS: Final = 2

ROOTS: Final = ("/public/api/auth/", "/my-accounts", "/order", "/reconciliation")
"""Where the paths of Koncili begin: what stands before them is a gateway's."""


class Koncili:
    """What all ports lead to."""

    def __init__(self) -> None:
        self.world = World()
        self.tally = Tally()
        self.accidents = Accidents()
        self.trail: deque[str] = deque(maxlen=TRAIL)
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[str, Answer, str]:
        """The call by its path, the answer, and why it is a refusal."""
        parts = urlsplit(target)
        path = known_path(parts.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            with self._lock:
                return path, self.world.call((method, path), query, headers, body), ""
        except Refusal as refusal:
            if refusal.message == "NO_TOKEN":
                return path, Answer(403, b'{"response":"NO_TOKEN"}'), "NO_TOKEN"
            code = refusal.code
            if "-" not in code and not self.world.manner.bare_codes:
                code += "-0"
            told = {"errorMessage": refusal.message, "errorCode": code, "errorSource": None}
            return path, Answer(refusal.status, json.dumps(told).encode()), refusal.message

    def told(self) -> dict[str, Any]:
        """Counts, and what is left."""
        with self._lock:
            left = {
                "active": self.world.active(),
                "deletable": self.world.deletable(),
                "overlaps": self.world.overlaps(),
            }
        return {**self.tally.told(), **left, "happened": self.accidents.happened}

    def settle(self, settings: dict[str, Any]) -> None:
        """Change plans and manners."""
        if "plans" in settings:
            self.accidents.put(settings.pop("plans"))
        if "blocks" in settings:
            self.tally.blocks = settings.pop("blocks")
        for name, value in settings.items():
            if name not in Manner.__dataclass_fields__:
                raise KeyError(name)
            setattr(self.world.manner, name, value)


def known_path(path: str) -> str:
    """The path without what a gateway has before it."""
    found = [place for root in ROOTS if (place := path.find(root)) >= 0]
    return path[min(found) :] if found else path


class Handler(BaseHTTPRequestHandler):
    """A connection to Koncili."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Door

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def give(self, status: int, body: bytes, **headers: str) -> None:
        """Answer whole."""
        shown = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Odd')}", *(f"{k}: {v}" for k, v in shown.items())]
        self.raw("\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if self.command == "HEAD" else body))

    def raw(self, sent: bytes) -> None:
        """Send these bytes at once."""
        self.wfile.write(sent)
        self.wfile.flush()

    def finish(self) -> None:
        """A client that is gone needs no goodbye."""
        with suppress(OSError):
            super().finish()

    def serve(self) -> None:
        """Answer one call."""
        body = self._body()
        koncili, path = self.server.koncili, known_path(urlsplit(self.path).path)
        call = f"{self.command} {path}"
        if koncili.tally.arrived(call):
            koncili.tally.answered(call, 423, "blocked")
            self.give(423, b'{"errorMessage":"blocked","errorCode":"423-0","errorSource":null}')
            return
        plan = koncili.accidents.next(call)
        answer, why = Answer(0), ""
        if plan is None or plan["fault"] not in INSTEAD or plan.get("done"):
            headers = {name.lower(): value for name, value in self.headers.items()}
            _, answer, why = koncili.answer(self.command, self.path, headers, body)
        met = plan["fault"] if plan else ""
        shown = f"{answer.body[:80]!r} {body[:300]!r}" if path.startswith("/reconciliation") else self.path
        koncili.trail.append(f"{call} {answer.status} {met} {why} {shown}")
        if plan is None:
            koncili.tally.answered(call, answer.status, why)
            self.give(answer.status, answer.body)
            return
        if plan["fault"] == "lost":
            koncili.tally.lost_one()
        koncili.tally.answered(call, int(plan.get("status", answer.status or 302)), why or plan["fault"])
        FAULTS[plan["fault"]](self, plan, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_TRACE = serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)


class Desk(BaseHTTPRequestHandler):
    """The control: not part of Koncili, on a port of its own."""

    server: Door

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """What was counted."""
        koncili = self.server.koncili
        self._say({"trail": list(koncili.trail)} if self.path == "/trail" else koncili.told())

    def do_POST(self) -> None:
        """Change it."""
        settings = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.server.koncili.settle(settings)
        self._say({})

    def _say(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Door(ThreadingHTTPServer):
    """A port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, koncili: Koncili, handler: type[BaseHTTPRequestHandler], host: str = HOST) -> None:
        self.koncili = koncili
        super().__init__((host, 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until the process is ended."""
    koncili = Koncili()
    doors = [Door(koncili, Handler) for _ in range(PORTS)]
    desk = Door(koncili, Desk)
    for door in (*doors, desk):
        threading.Thread(target=door.serve_forever, args=(0.1,), daemon=True).start()
    ports = {"ports": [door.server_address[1] for door in doors], "control": desk.server_address[1]}
    print(json.dumps(ports), flush=True)
    sys.stdin.read()  # its starter's end is its own


if __name__ == "__main__":
    main()
