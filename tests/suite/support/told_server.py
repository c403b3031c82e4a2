"""A server that answers as it is told, and a client that is connected to it without a network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from conformance.contract.endpoints import Endpoint
from conformance.contract.readings import resolve
from conformance.errors import WaitTooLong
from conformance.mock.clock import VirtualClock
from conformance.mock.target import mock_target_table
from conformance.mock.world import EMAIL
from conformance.target.config import parse_target
from conformance.target.shared.budget import Budget, NoLimits
from conformance.target.shared.budget_status import BudgetStatus
from conformance.target.wire.client import KonciliClient
from conformance.target.wire.journal import Journal
from conformance.target.wire.redaction import Redactor

BASE_URL = "https://koncili.example"
TOKEN_ROUTE, REFRESH_ROUTE = Endpoint.CREATE_TOKEN.label, Endpoint.REFRESH_TOKEN.label
NO_TOKEN = httpx.Response(403, json={"response": "NO_TOKEN"})
LOOKUP = {"marketplaceCode": "A-1", "channelName": "CHANNEL_NAME", "accountId": "19055"}

Answer = httpx.Response | Exception


@dataclass
class Server:
    """A server that answers as it is told: 200, or what `answers` holds for the path, the last of them for ever."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        told = self.answers.get(request.url.path)
        if told:
            answer = told.pop(0) if len(told) > 1 else told[0]
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if request.url.path.endswith(("/token", "/refresh-token")):
            return httpx.Response(200, json={"accessToken": self.token, "refreshToken": f"refresh-of-{self.token}"})
        return httpx.Response(200, json={})

    @property
    def token(self) -> str:
        """The token that it gives now."""
        return f"access-token-number-{len(self.requests)}"

    @property
    def routes(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def sent(self, header: str) -> list[str | None]:
        """What the calls that need a token carried under this name."""
        return [request.headers.get(header) for request in self.requests if "/auth/" not in request.url.path]


@dataclass
class CountingBudget:
    """A budget that only takes note; spent after `left` more requests."""

    left: int = 1000
    asked: list[Endpoint | None] = field(default_factory=list)
    told: list[int | None] = field(default_factory=list)

    def before(self, endpoint: Endpoint | None) -> str:
        self.asked.append(endpoint)
        if len(self.asked) > self.left:
            raise WaitTooLong("the budget: an hour")

        return str(len(self.asked))

    def wait_only_if(self, is_worth_it: Callable[[], None]) -> None:
        raise AssertionError(is_worth_it)

    def after(self, reservation: str, status: int | None) -> None:
        assert reservation == str(len(self.asked))
        self.told.append(status)

    def blocked(self, seconds: float = 3600) -> datetime:
        del seconds
        return datetime(2026, 11, 22, 13, 37, tzinfo=UTC)

    def clearing_away(self) -> AbstractContextManager[None]:
        return nullcontext()

    def check_block(self) -> None:
        pass

    def status(self) -> BudgetStatus | None:
        return None

    def close(self) -> None:
        pass


def connect(
    server: Callable[[httpx.Request], httpx.Response] | None,
    base_url: str = BASE_URL,
    budget: Budget | None = None,
    har: Path | None = None,
    clock: VirtualClock | None = None,
) -> KonciliClient:
    table = mock_target_table(base_url) | {"pace": "documented"}
    return KonciliClient(
        parse_target(table, "target.toml"),
        journal=Journal(Redactor(), har, EMAIL),
        budget=budget or NoLimits(),
        readings=resolve({}),
        transport=httpx.MockTransport(server) if server else None,
        now=(clock or VirtualClock()).now,
    )
