"""The mock on a socket, counting what it is asked: `GET /_counts` tells. Run as `python baseline_mock.py PORT`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from waitress import create_server

from conformance.contract.jsontext import dumps
from conformance.contract.openapi import METHODS, load
from conformance.mock.app import make_app
from conformance.mock.clock import ticking
from conformance.mock.defects import DEFECTS
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Quirk, Variant
from conformance.mock.variants import VARIANTS

HOST: Final = "127.0.0.1"
COUNTS_PATH: Final = "/_counts"
QUIRK: Final = "KONCILI_BASELINE_QUIRK"
"""The environment variable that names the defect or variant."""

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Counted:
    """A WSGI application around the mock's that counts requests and client errors, and gives a 405 its Allow header.

    RFC 9110 demands that header and the mock leaves it out. Schemathesis says so rightly, but no document of Koncili's asks
    for it: it is neither a false alarm nor a defect that is looked for.
    """

    def __init__(self, app: Callable[[Environ, StartResponse], Iterable[bytes]]) -> None:
        self._app = app
        self._requests = self._client_errors = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == COUNTS_PATH:
            start_response("200 OK", [("content-type", "application/json")])
            return [dumps({"requests": self._requests, "clientErrors": self._client_errors}).encode()]

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            self._requests += 1
            self._client_errors += status.startswith("4")
            allow = [("Allow", _allowed(path))] if status.startswith("405") else []
            return start_response(status, [*headers, *allow], *rest)

        return self._app(environ, start)


def _allowed(path: str) -> str:
    return ", ".join(method.upper() for method in load()["paths"].get(path, ()) if method in METHODS)


def application() -> Counted:
    """What is served."""
    name = os.environ.get(QUIRK)
    known: dict[str, Quirk] = {**DEFECTS, **VARIANTS}
    quirk = known[name] if name else None
    readings = dict(quirk.readings) if isinstance(quirk, Variant) else {}
    return Counted(make_app(Koncili(clock=ticking(), quirks=[quirk] if quirk else [], readings=readings)))


def main() -> None:
    """Serve until terminated, as `koncili-conformance mock` does."""
    with socket.create_server((HOST, int(sys.argv[1]))) as listening:
        create_server(application(), sockets=[listening], asyncore_use_poll=True, ident=None).run()


if __name__ == "__main__":
    main()
