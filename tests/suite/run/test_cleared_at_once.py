"""Reconciliations that were opened at once, all of them accepted: whatever became of the run, none stays active."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.jsontext import dumps
from conformance.errors import TargetUnavailable
from conformance.mock.defects import defect
from conformance.mock.koncili import Koncili
from conformance.target.wire.client import Calling
from tests.suite.support.bodies import creation
from tests.suite.support.live_runs import OneRun, one_run


def open_two(run: OneRun, koncili: Koncili, lost: Sequence[int] = ()) -> None:
    """Open the same reconciliation twice at once at a mock that lets both in; these answers, by number, are lost."""
    run.client.access_token()
    carry_out, came = run.way.handle_request, iter(range(2))

    def handle_request(request: httpx.Request) -> httpx.Response:
        response = carry_out(request)
        if next(came) in lost:
            raise httpx.ReadError("reset")
        return response

    koncili.in_flight.expect(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.way, "handle_request", handle_request)
        call = Calling(Endpoint.CREATE_RECONCILIATION, content=dumps(creation()).encode())
        if len(lost) < 2:
            run.client.call_at_once([call, call])
            return
        with pytest.raises(TargetUnavailable):
            run.client.call_at_once([call, call])


def active(koncili: Koncili) -> int:
    koncili.tick()
    return sum(reconciliation.finishes_at is None for reconciliation in koncili.world.all_reconciliations)


LOST = {"none lost": (), "one lost": (0,), "the other lost": (1,), "both lost": (0, 1)}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_the_run_itself_completes_both(tmp_path: Path, lost: tuple[int, ...]) -> None:
    koncili = Koncili(quirks=[defect("race-rec-all")])
    with one_run(koncili, tmp_path / "store") as run:
        open_two(run, koncili, lost)
        assert active(koncili) == 2
        run.live.finish()
        assert active(koncili) == 0
        assert not any(run.live.ledger.left)


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_where_the_run_is_killed_the_next_one_completes_both(tmp_path: Path, lost: tuple[int, ...]) -> None:
    koncili = Koncili(quirks=[defect("race-rec-all")])
    with one_run(koncili, tmp_path / "store") as killed:
        open_two(killed, koncili, lost)
        killed.die()
        with one_run(koncili, tmp_path / "store") as run:
            run.live.rescue_all()
            assert active(koncili) == 0
            assert run.live.dead_runs == []


@pytest.mark.parametrize("lost", [(0,), (0, 1)], ids=["one", "both"])
def test_what_was_never_carried_out_is_not_looked_for_over_and_over(tmp_path: Path, lost: tuple[int, ...]) -> None:
    """Where the run knows of no id before it: each look opened another, without end, as long as nothing went wrong."""
    koncili = Koncili()
    with one_run(koncili, tmp_path / "store") as run:
        run.client.access_token()
        carry_out, came = run.way.handle_request, iter(range(2))

        def handle_request(request: httpx.Request) -> httpx.Response:
            if next(came) in lost:
                raise httpx.ReadError("reset")
            return carry_out(request)

        with pytest.MonkeyPatch.context() as patch, suppress(TargetUnavailable):
            patch.setattr(run.way, "handle_request", handle_request)
            call = Calling(Endpoint.CREATE_RECONCILIATION, content=dumps(creation()).encode())
            run.client.call_at_once([call, call])
        run.way.sent.clear()
        run.live.finish()
        assert active(koncili) == 0
        assert not any(run.live.ledger.left)
        assert run.way.sent.count(Endpoint.CREATE_RECONCILIATION) <= 3
