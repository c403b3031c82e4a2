"""Stands before the mock as an endpoint of the open world does: compresses its answers and lets a browser in (CORS).

python front.py PORT MOCK_URL
"""

from __future__ import annotations

import gzip
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PASSED_ON = ("content-type", "content-encoding", "gumgatoken", "integrator")


class Front(BaseHTTPRequestHandler):
    """Passes a call on to the mock."""

    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        """Answer a browser's preflight."""
        self.send_response(204)
        self._cors()
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _pass_on(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        call = Request(sys.argv[2] + self.path, data=sent or None, headers=headers, method=self.command)  # noqa: S310
        try:
            answer = urlopen(call)  # noqa: S310
        except HTTPError as error:
            answer = error
        with answer:
            status, body = answer.status, answer.read()
        self.send_response(status)
        self._cors()
        self.send_header("Content-Type", "application/json")
        if "gzip" in self.headers.get("accept-encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _pass_on

    def _cors(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "content-type, gumgatoken, integrator")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Front).serve_forever()
