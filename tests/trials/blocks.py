"""423 with whatever Retry-After and body: noted at once, kept to by every command, for an hour at least."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Final

from tests.trials.assault import FAKETIME
from tests.trials.breakdowns import FEW
from tests.trials.cases import Case
from tests.trials.servers import of
from tests.trials.staging import Ended, Place
from tests.trials.table import Row

RETRY_AFTERS: Final = (
    None,
    "1",
    "0",
    "-5",
    "Wed, 21 Oct 2037 07:28:00 GMT",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "3600000",
    "1795900000",
    "2037-01-01T00:00:00Z",
    "99999999999999",
    "9" * 400,
    "nan",
    "inf",
    "1e400",
    "soon",
    "1, 2",
    "٣",
)


def _blocked(retry_after: str | None, body: str, *more: str) -> Case:
    plan = {"fault": "status", "status": 423, "body": body, "since": 12, "code": "423"}
    if retry_after is not None:
        plan["retryAfter"] = retry_after.encode("utf-8").decode("latin-1")
    said = "none" if retry_after is None else retry_after[:24]
    return Case(
        "blocks",
        f"423, {body}, Retry-After {said}{' '.join(('', *more))}",
        "423 from the twelfth call on (row 7)",
        [3],
        [*FEW, *more],
        settings={"plans": [plan]},
        run=_then_all_others,
        expected="no call after the first 423 of each process, none by certify, cleanup and --dry-run after it, each "
        "exit code 3; blocked 50 minutes later too",
        holds=lambda seen: seen.told["statuses"].get("423", 0) <= (4 if more else 1),
    )


def _then_all_others(case: Case, there: Place) -> Ended:
    ended = there.certify(*case.arguments)
    before = there.server.requests
    target = str(there.path / "sandbox.toml")
    after = [there.certify(*FEW), there.certify(*FEW, "--dry-run"), there.start("cleanup", "--target", target).end()]
    if FAKETIME is not None:
        clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME": "+50m"}
        after.append(there.certify(*FEW, environment=clock))
    codes = [one.code for one in after]
    sent = there.server.requests - before
    if any(code != 3 for code in codes) or sent or any(one.traceback for one in after):
        ended.errors += f"\nafter it: exit codes {codes}, {sent} requests, {[one.last for one in after]}"
        ended.code = 100
    return ended


def _of_blocks() -> Iterator[Case]:
    for value in RETRY_AFTERS:
        yield _blocked(value, "json")
    for body in ("cut", "badgzip", "page"):
        for value in (None, "1"):
            yield _blocked(value, body)
    yield _blocked("1", "json", "--workers", "4")
    yield _blocked("1", "cut", "--workers", "4")


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_of_blocks()), chosen)
