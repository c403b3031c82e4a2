"""Runs at a mock in process that share one store: begun, upset on their way to the mock, killed at a request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.mock.app import make_app
from conformance.mock.koncili import Koncili
from conformance.mock.target import mock_target_table
from conformance.run.live import Live
from conformance.target.config import parse_target
from conformance.target.shared.calendar import Calendar
from conformance.target.shared.store_base import Store
from conformance.target.waiting import Waiting
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.exchange import Exchange
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor
from tests.suite.support.bodies import creation, order, release
from tests.suite.support.stage.etiquette import active, deletable

RUN: Final = "run/"

NUMBERS: Final = count(1)
"""The numbers of the runs: their orders have different codes."""


class Killed(BaseException):
    """The process ends here: nothing is written down any more."""


@dataclass
class Upset(httpx.BaseTransport):
    """The way to the mock. `plans` says what happens to the next requests of an endpoint, in turn: a status that stands in for
    the answer, "500 after" the request was carried out, or the answer that is "lost before" that or "after", or the run
    "killed before" it or "after"; "late" is lost before it, and carried out when
    `deliver` is called, "504 late" the same behind a gateway that says so."""

    inner: httpx.BaseTransport
    plans: dict[Endpoint, list[int | str | None]] = field(default_factory=dict)
    sent: list[Endpoint | None] = field(default_factory=list)
    waiting: list[httpx.Request] = field(default_factory=list)

    def deliver(self) -> None:
        """Carry out what was held up on the way."""
        while self.waiting:
            self.inner.handle_request(self.waiting.pop(0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = endpoint_of(request.method, request.url.path)
        self.sent.append(endpoint)
        planned = self.plans.get(endpoint) if endpoint else None
        plan = planned.pop(0) if planned else None
        if isinstance(plan, int):
            return httpx.Response(plan, json={"errorCode": "UPSET"}, request=request)
        if plan == "killed before":
            raise Killed
        if plan in {"late", "504 late"}:
            self.waiting.append(request)
        if plan == "504 late":
            return httpx.Response(504, json={"errorCode": "UPSET"}, request=request)
        if plan in {"lost before", "late"}:
            raise httpx.ReadError("lost", request=request)
        response = self.inner.handle_request(request)
        if plan == "killed after":
            raise Killed
        if plan == "lost after":
            raise httpx.ReadError("lost", request=request)
        if plan == "500 after":
            return httpx.Response(500, json={"errorCode": "UPSET"}, request=request)
        return response


@dataclass
class OneRun:
    """A run, and what it sends by hand."""

    live: Live
    client: KonciliClient
    way: Upset

    @property
    def store(self) -> Store:
        return self.live.store

    def upset(self, endpoint: Endpoint, *plans: int | str | None) -> None:
        self.way.plans[endpoint] = list(plans)

    def submit(self, code: str, **changes: Any) -> Exchange:
        return self.client.call(Endpoint.SUBMIT_ORDER, body=order(code, **changes))

    def create(self, **changes: Any) -> int:
        """Open a reconciliation; its id, or the status of the refusal."""
        created = self.client.call(Endpoint.CREATE_RECONCILIATION, body=creation(**changes))
        return int(created.json["id"]) if created.is_accepted else int(created.status or 0)

    def release(self, code: str, number: int, **changes: Any) -> Exchange:
        return self.client.call(Endpoint.SUBMIT_RELEASE, body=release(code, reconciliationId=number, **changes))

    def die(self) -> None:
        """As if its process had been killed."""
        rewrite(self.store, self.live.run.id, process=f"{os.getpid()} long ago")
        self.live.store.log.close()  # as the end of a process does


@contextmanager
def one_run(koncili: Koncili, store: Path | str, *, at_most: float | None = None, **changes: Any) -> Iterator[OneRun]:
    """A run at the mock, whose clock goes on while the run waits. It ends without clearing away. The store is a file, or
    anything else by what a target file calls it."""
    coordination = store if isinstance(store, str) else f"sqlite:{store}"
    table = {**mock_target_table("http://127.0.0.1:8765"), "environment": "sandbox", "coordination": coordination}
    target = parse_target({**table, **changes}, "target.toml")
    waiting = Waiting(at_most=at_most, sleep=koncili.clock.advance)
    live = Live.begin(target, waiting)
    way = Upset(httpx.WSGITransport(make_app(koncili)))
    client = KonciliClient(
        target, journal=Journal(Redactor()), budget=live.budget, readings=target.readings, now=koncili.clock.now,
        transport=way, ledger=live.ledger, waiting=waiting,
    )  # fmt: skip
    live.attach(client, Calendar(live.store.claim, live.store.now()), next(NUMBERS))
    with closing(live), client:
        yield OneRun(live, client, way)


def rewrite(store: Store, run: str, **changes: Any) -> None:
    """Change what is known of a run."""
    about: Mapping[str, Any] = json.loads(store.records(RUN + run)[RUN + run])
    store.put(RUN + run, json.dumps({**about, **changes}))


def left(koncili: Koncili) -> tuple[list[int], list[str]]:
    """The reconciliations that still wait, and the orders that can be deleted, once the target has reconciled."""
    koncili.clock.advance(60)
    state: Any = koncili.state()
    return active(state), deletable(state)


def rescue(dead: OneRun, rescuer: OneRun) -> OneRun:
    """The second run, which has cleared away what the first left when it died."""
    dead.die()
    rescuer.live.rescue_all()
    return rescuer
