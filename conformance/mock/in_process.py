"""Leads to a mock in this process without a socket: what WSGI says of a request and its answer, without the WSGI in between."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import httpx

from conformance.contract.judge import Request
from conformance.mock.app import answered
from conformance.mock.koncili import Koncili


class InProcess(httpx.BaseTransport):
    """Hands every request to the mock, whatever host and port it names. `httpx.WSGITransport` does the same by way of an
    environment that is made of the request and taken apart again: a tenth of what a certification takes."""

    def __init__(self, koncili: Koncili) -> None:
        """Nothing is sent yet."""
        self._koncili = koncili
        self._known: WeakKeyDictionary[httpx.Request, Request] = WeakKeyDictionary()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Have it answered. Raises ConnectionResetError where no answer leaves."""
        received = _as_it_comes(request)
        status, headers, body = answered(self._koncili, lambda: received, request.method, _complain)
        raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
        return httpx.Response(status, headers=raw, stream=httpx.ByteStream(body))

    def answer_again(self, request: httpx.Request) -> tuple[int, list[tuple[str, str]], bytes]:
        """The same for a request that is sent thousands of times as it is: status, headers and body, with nothing in between."""
        if request not in self._known:
            self._known[request] = _as_it_comes(request)
        received = replace(self._known[request])  # as each is: what is read of one is no other's
        return answered(self._koncili, lambda: received, request.method, _complain)


def _as_it_comes(request: httpx.Request) -> Request:
    body, url = request.read(), request.url
    query = url.query.decode("ascii")
    return Request(
        method=request.method,
        path=url.path or "/",
        query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
        # As PEP 3333 has their names: those with _ and those with - are the same.
        headers={
            name.decode("ascii").replace("_", "-").lower(): value.decode("ascii") for name, value in request.headers.raw
        },
        query_string=query,
        body=body,
    )


def _complain() -> None:
    sys.stderr.write(traceback.format_exc())
