"""A live endpoint that notifies, and some that do not notify of all that ends: told, and not waited for each time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import pytest

from conformance.engine import hearing, notices, places
from tests.suite.support import forked
from tests.suite.support.command_runs import PATIENCE_SECONDS, Run, kept_in, without_ci
from tests.suite.support.stage.mock import mock, target_file
from tests.suite.support.stage.ports import LOOPBACK, free_port

RULES: Final = ("NTF-01", "WFL-01", "WFL-02", "REC-10", "CON-03")
"""What opens reconciliations on several accounts."""

PATIENCE, LATE, SHORT = 6.0, 2.0, 0.2
"""Seconds to listen for a notification: at most, after the end is known, and where they are known not to come."""


def certified(directory: Path, defect: str | None = None, *options: str, late: float = LATE) -> Run:
    """What a certification of these rules says of a live endpoint that has the defect."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}/notifications"
    fixtures = {"callback_url": url, "callback_listen": f"{LOOPBACK}:{port}"}
    with mock(directory, defect=defect, variant="reconciles-at-once") as running:
        running.command(callbackUrl=url)
        target = target_file(directory / "live.toml", running.base_url, fixtures=fixtures)
        rules = [word for rule in RULES for word in ("--rule", rule)]
        arguments = (
            "certify",
            "--no-html",
            "--reports",
            str(directory / "reports"),
            "--target",
            str(target),
            *rules,
            *options,
        )
        environment = {**without_ci(), **kept_in(directory / "state")}
        done = forked.run(
            *arguments, environment=environment, patience=PATIENCE_SECONDS, first=partial(_listen_shortly, late)
        )
        return Run(done.returncode, done.stdout, done.stderr, directory / "reports")


def _listen_shortly(late: float) -> None:
    """In the run's own process."""
    places.PATIENCE_SECONDS = places.OTHERS_SECONDS = PATIENCE
    notices.LATE_SECONDS, hearing.SHORT_SECONDS = late, SHORT  # type: ignore[misc]


def test_an_endpoint_that_notifies_of_all_is_waited_for_by_what_it_notifies(tmp_path: Path) -> None:
    run = certified(tmp_path)
    assert {run.by_rule[rule] for rule in RULES} == {"pass"}, run.output


@pytest.mark.parametrize(
    "defect",
    ["ntf-01-none", "ntf-01-first-account-only", "ntf-01-every-third-silent", "ntf-01-another-id", "ntf-01-id-as-text"],
)
def test_what_is_not_notified_is_told(tmp_path: Path, defect: str) -> None:
    run = certified(tmp_path, defect)
    assert run.verdicts("fail") == {"NTF-01"}, run.output


def test_who_does_not_want_to_wait_is_not_told_what_may_still_come(tmp_path: Path) -> None:
    run = certified(tmp_path, "ntf-01-first-account-only", "--max-wait", "10s", late=600)
    assert (run.by_rule["NTF-01"], run.verdicts("fail")) == ("inconclusive", set()), run.output
    assert "a notification may still come, and --max-wait ends the wait for it" in run.output
