"""A creation that got a server error is sent again, and accepted: where the first was opened all the same, both are completed."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from conformance.contract.endpoints import Endpoint, endpoint_of
from conformance.mock.defects import defect
from conformance.mock.koncili import Koncili
from tests.suite.support.live_runs import OneRun, one_run

LOOKS_TOO_LATE = ("rec-04-not-enforced", "rec-06-not-enforced")
"""A server that looks into a copy that is behind: what was opened a moment ago is in nobody's way."""


def fail_after_opening(run: OneRun, monkeypatch: pytest.MonkeyPatch, *statuses: int) -> None:
    """The next creations are carried out and answered so."""
    carry_out, left = run.way.handle_request, list(statuses)

    def handle_request(request: httpx.Request) -> httpx.Response:
        response = carry_out(request)
        if left and endpoint_of(request.method, request.url.path) is Endpoint.CREATE_RECONCILIATION:
            return httpx.Response(left.pop(0), request=request)
        return response

    monkeypatch.setattr(run.way, "handle_request", handle_request)


def active(koncili: Koncili) -> int:
    koncili.tick()
    return sum(one.finishes_at is None for one in koncili.world.all_reconciliations)


def open_and_complete_one(run: OneRun, koncili: Koncili) -> None:
    """It shows what ids are like."""
    run.create(periodInitDate="2024-01-01T00:00:00Z", periodEndDate="2024-01-02T00:00:00Z")
    run.live.tidy()
    koncili.clock.advance(60)


def open_twice(run: OneRun, koncili: Koncili, monkeypatch: pytest.MonkeyPatch, *statuses: int) -> None:
    open_and_complete_one(run, koncili)
    fail_after_opening(run, monkeypatch, *statuses)
    assert run.create() not in {400, 500, 502}


FAILED = {"500": (500,), "502": (502,), "500 twice": (500, 500)}


@pytest.mark.parametrize("statuses", FAILED.values(), ids=FAILED)
def test_the_run_itself_completes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...]
) -> None:
    koncili = Koncili(quirks=[defect(name) for name in LOOKS_TOO_LATE])
    with one_run(koncili, tmp_path / "store") as run:
        open_twice(run, koncili, monkeypatch, *statuses)
        assert active(koncili) == 1 + len(statuses)
        run.live.tidy()
        run.live.finish()
        assert active(koncili) == 0
        assert not any(run.live.ledger.left)


@pytest.mark.parametrize("statuses", FAILED.values(), ids=FAILED)
def test_where_the_run_is_killed_the_next_one_completes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...]
) -> None:
    koncili = Koncili(quirks=[defect(name) for name in LOOKS_TOO_LATE])
    with one_run(koncili, tmp_path / "store") as killed:
        open_twice(killed, koncili, monkeypatch, *statuses)
        killed.die()
        with one_run(koncili, tmp_path / "store") as run:
            run.live.rescue_all()
            assert active(koncili) == 0
            assert run.live.dead_runs == []


@pytest.mark.parametrize("status", [500, 502])
def test_where_nothing_was_opened_the_first_time_nothing_is_spent(
    koncili: Koncili, tmp_path: Path, status: int
) -> None:
    with one_run(koncili, tmp_path / "store") as run:
        open_and_complete_one(run, koncili)
        run.upset(Endpoint.CREATE_RECONCILIATION, status)
        assert run.create() not in {400, 500, 502}
        run.live.tidy()
        sent = len(run.way.sent)
        run.live.finish()
        assert len(run.way.sent) == sent
        assert run.client.journal.traffic.client_errors == 0
