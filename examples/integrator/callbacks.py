"""The integrator's callback: takes Koncili's notifications, answers each as documented, and keeps it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TAKEN = {"status": "success"}


class Callbacks:
    """Listens on this machine while it is open."""

    answer: dict[str, Any] = TAKEN

    def __init__(self, port: int = 0) -> None:
        callbacks = self
        self.heard: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Take one notification."""
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                callbacks.heard.append(json.loads(body))
                told = json.dumps(callbacks.answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notifications"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def completed(self, reconciliation: int) -> str | None:
        """How a reconciliation ended, None while it has not."""
        for heard in list(self.heard):
            payload = heard.get("payload") or {}
            if (
                heard.get("notificationType") == "RECONCILIATION_COMPLETED"
                and payload.get("reconciliationId") == reconciliation
            ):
                return str(payload.get("situation"))
        return None

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Callbacks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
