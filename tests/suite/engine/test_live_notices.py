"""A live endpoint that notifies, and some that do not notify of all that ends: told, and not waited for each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import create_server
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from conformance.engine import hearing, notices, places
from conformance.planning.shards import Shard, rules_of
from conformance.verdict.not_exercised import NEEDS_ONE_PROCESS
from tests.suite.support import forked
from tests.suite.support.command_runs import PATIENCE_SECONDS, Run, kept_in, without_ci
from tests.suite.support.stage.mock import mock, target_file
from tests.suite.support.stage.ports import LOOPBACK, free_port

RULES: Final = ("NTF-01", "WFL-01", "WFL-02", "REC-10", "CON-03")
"""What opens reconciliations on several accounts."""

PATIENCE, LATE, SHORT = 6.0, 2.0, 0.2
"""Seconds to listen for a notification: at most, after the end is known, and where they are known not to come."""

OF_OTHERS: Final[dict[str, Any]] = {
    "notificationType": "RECONCILIATION_COMPLETED",
    "timestamp": "2026-11-30T09:00:00Z",
    "payload": {
        "accountId": 19055,
        "reconciliationId": 900_001,
        "resolvedEndDate": "2026-11-30T09:00:00Z",
        "situation": "CONCILIED",
    },
}
"""A notification of what somebody else reconciles."""

EVERY_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Endpoint:
    """A live endpoint: the target file that leads to it, and where it notifies."""

    target: Path
    callback: str

    def certified(self, *options: str, late: float = LATE) -> Run:
        """What a certification of these rules says of it."""
        directory = self.target.parent
        rules = [word for rule in RULES for word in ("--rule", rule)]
        done = forked.run(
            *("certify", "--no-html", "--reports", str(directory / "reports"), "--target", str(self.target)),
            *rules,
            *options,
            environment={**without_ci(), **kept_in(directory / "state")},
            patience=PATIENCE_SECONDS,
            first=partial(_listen_shortly, late),
        )
        return Run(done.returncode, done.stdout, done.stderr, directory / "reports")


@contextmanager
def endpoint(directory: Path, defect: str | None = None) -> Iterator[Endpoint]:
    """A mock with that defect, which reconciles at once."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}/notifications"
    fixtures = {"callback_url": url, "callback_listen": f"{LOOPBACK}:{port}"}
    with mock(directory, defect=defect, variant="reconciles-at-once") as running:
        running.command(callbackUrl=url)
        yield Endpoint(target_file(directory / "live.toml", running.base_url, fixtures=fixtures), url)


def _listen_shortly(late: float) -> None:
    """In the run's own process."""
    places.PATIENCE_SECONDS = places.OTHERS_SECONDS = PATIENCE
    notices.LATE_SECONDS, hearing.SHORT_SECONDS = late, SHORT  # type: ignore[misc]


@contextmanager
def notified_of_others(url: str) -> Iterator[None]:
    """All the time somebody else's reconciliations end."""
    ended = Event()

    def notify() -> None:
        with httpx.Client() as client:
            while not ended.wait(EVERY_SECONDS):
                OF_OTHERS["payload"]["reconciliationId"] += 1
                try:
                    client.post(url, json=OF_OTHERS)
                except httpx.TransportError:  # nobody listens yet, or any more
                    continue

    thread = Thread(target=notify)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_an_endpoint_that_notifies_of_all_is_waited_for_by_what_it_notifies(tmp_path: Path) -> None:
    with endpoint(tmp_path) as there:
        run = there.certified()
    assert {run.by_rule[rule] for rule in RULES} == {"pass"}, run.output


def test_what_others_reconcile_meanwhile_is_no_matter_of_the_run(tmp_path: Path) -> None:
    with endpoint(tmp_path) as there, notified_of_others(there.callback):
        run = there.certified()
    assert {run.by_rule[rule] for rule in RULES} == {"pass"}, run.output


@pytest.mark.parametrize(
    "defect",
    ["ntf-01-none", "ntf-01-first-account-only", "ntf-01-every-third-silent", "ntf-01-another-id", "ntf-01-id-as-text"],
)
def test_what_is_not_notified_is_told(tmp_path: Path, defect: str) -> None:
    with endpoint(tmp_path, defect) as there:
        run = there.certified()
    assert run.verdicts("fail") == {"NTF-01"}, run.output


def test_who_does_not_want_to_wait_is_not_told_what_may_still_come(tmp_path: Path) -> None:
    with endpoint(tmp_path, "ntf-01-first-account-only") as there:
        run = there.certified("--max-wait", "10s", late=600)
    assert (run.by_rule["NTF-01"], run.verdicts("fail")) == ("inconclusive", set()), run.output
    assert "a notification may still come, and --max-wait ends the wait for it" in run.output


def test_of_several_workers_none_listens(tmp_path: Path) -> None:
    """They would all listen at one address."""
    with endpoint(tmp_path) as there:
        run = there.certified("--workers", "2")
    assert (run.by_rule["NTF-01"], run.entry("NTF-01")["reason"]) == ("not-exercised", NEEDS_ONE_PROCESS), run.output
    assert {run.by_rule[rule] for rule in RULES if rule != "NTF-01"} == {"pass"}, run.output


def test_of_several_shards_only_the_one_that_has_the_rule_listens(tmp_path: Path) -> None:
    """On one machine the others could not: they ended as if nothing could be run."""
    shards = [Shard(number, 2) for number in (1, 2)]
    other = next(shard for shard in shards if "NTF-01" not in rules_of(shard, RULES, "certification"))
    with endpoint(tmp_path) as there, create_server((LOOPBACK, urlsplit(there.callback).port or 0)):
        run = there.certified("--shard", str(other))
    its_own = set(rules_of(other, RULES, "certification"))
    assert its_own & {"WFL-01", "WFL-02"}, "it reconciles nothing"
    assert run.verdicts("pass") == its_own, run.output + run.errors
