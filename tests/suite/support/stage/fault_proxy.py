"""A layer in front of an endpoint that forwards requests, and to some of them lets faults happen."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from conformance.contract.endpoints import TOKEN_HEADER
from conformance.mock.app import CONTROL_PATH
from conformance.mock.faults import Plan, Plans
from tests.suite.support.stage.faults import FAULTS, REVOKED_TOKEN
from tests.suite.support.stage.listener import HOST, Exchange, Listener, listening
from tests.suite.support.stage.passage import Headers, Passage, Scene, in_json

OTHER_HOST: Final = "localhost"
"""Another name than that of the layer, so that a redirect to it leads to another host."""


class Passed(NamedTuple):
    """A request that came, the status that the client was given (None: no answer), and the fault that happened to it."""

    method: str
    path: str
    status: int | None
    fault: str | None


class Visit(NamedTuple):
    """A request that reached the other host."""

    method: str
    path: str
    headers: Headers
    body: bytes


class FaultProxy:
    """The layer. `log` holds what passed, in sequence; `visits` what followed a redirect to the other host."""

    def __init__(self, upstream: str, elsewhere: Listener, tls: ssl.SSLContext | None = None) -> None:
        """Forwards to this base URL; with `tls` it is spoken to over https."""
        self.log: list[Passed] = []
        self.visits: list[Visit] = []
        self._tls = tls
        self._lock = Lock()
        self._plans = Plans()
        self._listeners = [Listener(self._serve, 0, tls)]
        self._port = self._listeners[0].port
        self.base_url = f"{'https' if tls else 'http'}://{HOST}:{self._port}"
        other = f"http://{OTHER_HOST}:{elsewhere.port}"
        self._scene = Scene(upstream, self.base_url, other, self.refuse, set())
        elsewhere.serve = self._visited

    def play(self, *plans: Plan) -> None:
        """From now on let these faults happen, and no others; counts begin anew. Raises ValueError for an unknown one."""
        if unknown := {plan.fault for plan in plans} - FAULTS.keys():
            raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
        with self._lock:
            self._plans = Plans(*plans)

    def faults(self) -> list[str]:
        """The names of the faults that happened, in sequence."""
        return [passed.fault for passed in self.log if passed.fault is not None]

    def refuse(self) -> None:
        """Listen no longer, and end all connections."""
        self._listeners[-1].stop()

    def listen(self) -> None:
        """Listen again on the same port, after `refuse`."""
        self._listeners.append(Listener(self._serve, self._port, self._tls))

    def close(self) -> None:
        """End it."""
        for listener in self._listeners:
            listener.close()

    def _serve(self, exchange: Exchange) -> None:
        path = urlsplit(exchange.path).path
        plan, fault = None, None
        if path != CONTROL_PATH:  # which is the mock's and not Koncili's
            with self._lock:
                plan = self._plans.next(f"{exchange.command} {path}")
            revoked = exchange.headers.get(TOKEN_HEADER, "") in self._scene.revoked
            fault = plan.fault if plan else REVOKED_TOKEN if revoked else None

        def log(status: int | None) -> None:
            self.log.append(Passed(exchange.command, path, status, fault))

        passage = Passage(exchange, self._scene, plan, log)
        if fault is None:
            passage.give(passage.forward())
        else:
            FAULTS[fault](passage)

    def _visited(self, exchange: Exchange) -> None:
        self.visits.append(Visit(exchange.command, exchange.path, tuple(exchange.headers.items()), exchange.content))
        Passage(exchange, self._scene, None, lambda _: None).give(in_json(200, {}))


@contextmanager
def fault_proxy(upstream: str, *plans: Plan, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A layer on a free port of loopback in front of this base URL, in which these faults happen."""
    with listening(lambda _: None) as elsewhere:
        layer = FaultProxy(upstream, elsewhere, tls)
        try:
            layer.play(*plans)
            yield layer
        finally:
            layer.close()
