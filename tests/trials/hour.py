"""The budget over a real hour: no clock is shifted, so it takes one. Not among what is done when no group is named."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Final

from tests.trials.assault import SPENDS
from tests.trials.staging import place
from tests.trials.table import Row

BUDGET: Final = 40
MINUTES: Final = 66


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """The one trial, by SQLite; answers are slow and some are lost, so that the server counts later than the run."""
    del chosen
    yield _tried


def _tried() -> Row:
    begun = time.monotonic()
    plans = [{"fault": "lost", "chance": 0.05, "since": 8}, {"fault": "slow", "seconds": 25.0, "every": 15}]
    with place(budget=BUDGET, plans=plans) as there:
        there.target()
        ends = time.monotonic() + MINUTES * 60
        codes = []
        while time.monotonic() < ends:
            going = there.begin(*SPENDS)
            ended = going.end(max(1.0, ends - time.monotonic()))
            codes.append(ended.code)
            if time.monotonic() < ends:
                time.sleep(10)
        told = there.server.told()
    right = told["mostInAnHour"] <= BUDGET < told["clientErrors"]
    return Row(
        "hour", f"{MINUTES} minutes of spending", f"runs that wait for the budget, one after the other, error_budget {BUDGET}",
        f"more than {BUDGET} client errors in all, never more within an hour",
        f"{told['clientErrors']} in all, {told['mostInAnHour']} within an hour, exit codes {' '.join(map(str, codes))}",
        not right, time.monotonic() - begun,
    )  # fmt: skip
