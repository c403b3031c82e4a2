"""A seller's client of a mock in process, which hears its notifications."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import loads
from conformance.mock.koncili import Koncili
from conformance.mock.notifications import Notifier
from conformance.mock.quirks import Answer
from strategies.calls import Call
from strategies.scope import Place
from tests.suite.support.bodies import CODE, Body, creation, on, order, release
from tests.suite.support.properties import HOME, Bench

URL: Final = "http://127.0.0.1:9100/notifications"

RECONCILES_IN: Final = 2
"""Seconds that the mock takes from the last release on."""


@dataclass
class Seller:
    """A client of a mock in process that keeps the notifications it gets."""

    koncili: Koncili = field(default_factory=Koncili)
    heard: list[Body] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._bench = Bench(self.koncili)
        self.koncili.world.token_seconds = 10**8
        self.koncili.notifier = Notifier(self.koncili.clock, send=self._hear)
        self.koncili.notifier.url = URL

    def _hear(self, _: str, body: bytes) -> bool:
        self.heard.append(loads(body))
        return True

    def send(self, endpoint: Endpoint, body: Body | None = None, **query: str) -> Answer:
        """Send one request with a living token."""
        return self.koncili.handle(self._bench.request(Call(endpoint, query, body=body), self._bench.values()))

    def submit(self, code: str = CODE, **changes: Any) -> int:
        """POST /order; its status."""
        return self.send(Endpoint.SUBMIT_ORDER, order(code, **changes)).status

    def create(self, **changes: Any) -> int:
        """POST /reconciliation; its status."""
        return self.send(Endpoint.CREATE_RECONCILIATION, creation(**changes)).status

    def release(self, code: str = CODE, **changes: Any) -> int:
        """POST /reconciliation/release; its status."""
        return self.send(Endpoint.SUBMIT_RELEASE, release(code, **changes)).status

    def look_up(self, endpoint: Endpoint, code: str = CODE, place: Place = HOME) -> Answer:
        """GET or DELETE /order."""
        query: dict[str, Any] = {"marketplaceCode": code, "channelName": place.channel, "accountId": str(place.account)}
        return self.send(endpoint, **query)

    def deletion(self, code: str = CODE, place: Place = HOME) -> int:
        """DELETE /order; its status."""
        return self.look_up(Endpoint.DELETE_ORDER, code, place).status

    def wait(self, seconds: float = RECONCILES_IN) -> None:
        """Let time pass on the mock's clock: as long as it takes to reconcile, unless told otherwise."""
        self.koncili.control({"advanceSeconds": seconds})

    def reconcile(self, *codes: str, place: Place = HOME, **changes: Any) -> int:
        """Submit orders, open a reconciliation and release them all, all lawful; its id."""
        for code in codes:
            assert self.submit(code, **on(place)) == 200
        body = creation(**{**on(place), "releasesQtd": 3 * len(codes), **changes})
        opened = self.send(Endpoint.CREATE_RECONCILIATION, body)
        assert opened.status == 201
        number: int = opened.body["id"]  # type: ignore[index]
        for code in codes:
            assert self.release(code, **on(place), reconciliationId=number) == 200
        return number

    @property
    def ended(self) -> list[tuple[int, str]]:
        """Id and situation of each reconciliation that was told to be completed."""
        told = [one["payload"] for one in self.heard if one["notificationType"] == "RECONCILIATION_COMPLETED"]
        return [(payload["reconciliationId"], payload["situation"]) for payload in told]
