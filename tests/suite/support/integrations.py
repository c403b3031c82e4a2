"""The example's integration run against a mock in process, on a clock that moves by itself, and recorded as the mock records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from conformance.audit.run import Audited, audit
from conformance.commandline.recording import recorder_of
from conformance.mock.app import make_app
from conformance.mock.clock import VirtualClock
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Quirk
from conformance.mock.world import EMAIL, INTEGRATOR, PASSWORD
from examples.integrator.callbacks import Callbacks
from examples.integrator.day import Day
from examples.integrator.koncili import Blocked
from examples.integrator.koncili import Koncili as Client
from examples.integrator.marketplace import Sale, read_export
from examples.integrator.mistakes import commit

ORDERS: Final = Path(__file__).parents[3] / "examples" / "integrator" / "orders.csv"
BASE_URL: Final = "http://127.0.0.1:8765"
STEP_SECONDS: Final = 0.005


class StepClock(VirtualClock):
    """Moves on by some milliseconds each time that it is asked, so that every call takes a time, the same in every run."""

    def now(self) -> datetime:
        """The instant it shows, in UTC."""
        self.advance(STEP_SECONDS)
        return super().now()


def record(
    path: Path,
    *,
    mistake: str | None = None,
    quirks: Sequence[Quirk] = (),
    limits: bool = False,
    export: Sequence[Sale] | None = None,
) -> Day:
    """Let the example work for a day, with one mistake or none, and record it into that file. `limits`: whether the mock holds
    to its limits."""
    clock = StepClock()
    koncili = Koncili(clock=clock, quirks=quirks)
    koncili.limits.enforce(on=limits)

    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        koncili.tick()

    with recorder_of(path) as recorder, Callbacks() as callbacks:
        koncili.witness, koncili.notifier.witness = recorder.call, recorder.notification
        koncili.notifier.url = callbacks.url
        client = Client(
            BASE_URL,
            integrator=INTEGRATOR,
            email=EMAIL,
            password=PASSWORD,
            transport=httpx.WSGITransport(make_app(koncili)),
            now=lambda: clock.now().timestamp(),
            sleep=sleep,
        )
        day = Day(client, callbacks, say=lambda _: None)
        if mistake is not None:
            commit(mistake, day)
        try:
            day.work(list(export if export is not None else read_export(ORDERS)))
        except Blocked:
            day.aside.append("blocked")
        finally:
            client.http.close()
    return day


def found_in(path: Path) -> Audited:
    """What an audit finds in that recording."""
    return audit([path])


def broken(audited: Audited) -> set[str]:
    """The rules that it finds broken."""
    return {finding.rule.id for finding in audited.auditor.findings.found}
