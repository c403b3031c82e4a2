"""Whatever answers are lost on the way, carried out or not, and whenever the run is killed: one `cleanup` finds and completes
what may be active, and spends few client errors on it."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.errors import TargetUnavailable
from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import Killed, OneRun, Upset, left, one_run

AT_MOST: Final = 40
"""Client errors that one `cleanup` may spend."""

SEEDS: Final = range(int(os.environ.get("KONCILI_SEEDS", "20")))
"""KONCILI_SEEDS=200 shows more."""


BROKEN: Final[list[tuple[str, Any]]] = [
    ("releasesQtd", 0), ("periodEndDate", "2025-02-30"), ("accountId", 999), ("channelName", None),
]  # fmt: skip


class Losing(httpx.BaseTransport):
    """A way on which a share of the answers is lost, and on which the process is killed at some request."""

    def __init__(self, inner: httpx.BaseTransport, seed: str, share: float, killed_at: int | None = None) -> None:
        self._inner = inner
        self._lot = random.Random(seed)  # noqa: S311 - the same each time
        self._share = share
        self._killed_at = killed_at
        self._sent = 0
        self.client_errors = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._sent += 1
        killed, what = self._sent == self._killed_at, self._lot.random()
        if endpoint_of(request.method, request.url.path) is Endpoint.CREATE_TOKEN:
            what = 1.0
        lost = killed or what < self._share
        if lost and what < self._share / 2:
            self._lose(request, killed=killed)
        response = self._inner.handle_request(request)
        self.client_errors += response.is_client_error
        if lost:
            self._lose(request, killed=killed)
        return response

    def _lose(self, request: httpx.Request, *, killed: bool) -> None:
        if killed:
            raise Killed
        raise httpx.ReadError("Connection reset by peer", request=request)


def lose(run: OneRun, seed: str, share: float, killed_at: int | None = None) -> Losing:
    """From now on let answers be lost on the way of a run."""
    assert isinstance(run.way, Upset)
    run.way.inner = way = Losing(run.way.inner, seed, share, killed_at)
    return way


def one_scenario(run: OneRun, lot: random.Random, day: int) -> None:
    """Several orders, a broken creation, a reconciliation, a release for each order, then clearing away."""
    account, channel = lot.choice([(19055, "CHANNEL_NAME"), (19056, "CHANNEL_NAME"), (19060, "OTHER_CHANNEL")])
    where: dict[str, Any] = {"accountId": account, "channelName": channel}
    codes = [f"701-{run.live.run.id}-{day}-{number}" for number in range(lot.choice([1, 2, 3]))]
    init, end, within = (f"2024-{1 + day // 28:02}-{1 + day % 28:02}T{hour}:00:00Z" for hour in ("00", "20", "12"))
    with suppress(TargetUnavailable):
        for code in codes:
            run.submit(code, **where)
        name, value = lot.choice(BROKEN)
        run.create(**{**where, "periodInitDate": init, "periodEndDate": end, name: value})
        number = run.create(**where, periodInitDate=init, periodEndDate=end, releasesQtd=3 * len(codes))
        for code in codes[: lot.choice([0, len(codes), len(codes)])]:
            run.release(code, number, createdDate=within, releasedDate=within, **where)
    with suppress(TargetUnavailable):
        run.live.tidy()


@pytest.mark.parametrize("share", [0.05, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_one_cleanup_finds_it_all(koncili: Koncili, shared: Path, dead: OneRun, seed: int, share: float) -> None:
    lot = random.Random(f"{seed} {share}")  # noqa: S311 - the same each time
    lose(dead, f"run {seed}", share, lot.randint(5, 120))
    with suppress(Killed):
        for day in range(20):
            one_scenario(dead, lot, day)
    dead.die()
    with one_run(koncili, shared) as cleanup:
        way = lose(cleanup, f"cleanup {seed}", 0.05)
        cleanup.live.recovery.thorough = True
        cleanup.live.rescue_all()
        report = cleanup.live.recovery.report
    assert (left(koncili), report.undone) == (([], []), [])
    assert way.client_errors <= AT_MOST
