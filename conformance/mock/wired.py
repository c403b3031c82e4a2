"""Leads to a mock in this process over a socket, for variants that only a socket shows."""

from __future__ import annotations

from contextlib import ExitStack

import httpx

from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Wire
from conformance.mock.wire import listening


class Wired(httpx.BaseTransport):
    """Sends every request to a server of the mock's own, whatever host and port it names."""

    def __init__(self, koncili: Koncili, wire: Wire) -> None:
        """The server begins with the first request."""
        self._koncili, self._wire = koncili, wire
        self._open = ExitStack()
        self._http: httpx.HTTPTransport | None = None
        self.base = httpx.URL()
        """Where the server listens; nowhere before the first request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it there."""
        if self._http is None:
            self.base = httpx.URL(self._open.enter_context(listening(self._koncili, self._wire)))
            self._http = self._open.enter_context(httpx.HTTPTransport())
        # A request of its own: the journal tells the one that was made.
        url = request.url.copy_with(host=self.base.host, port=self.base.port)
        return self._http.handle_request(
            httpx.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        )

    def close(self) -> None:
        """End the server."""
        self._open.close()
        self._http = None
