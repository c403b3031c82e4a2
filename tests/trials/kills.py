"""Runs that are killed, or ended by Ctrl-C, at random moments while answers are lost, also in the middle of calls at once: one
`cleanup`, and nothing is left that can be removed."""

from __future__ import annotations

import argparse
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from tests.trials.cases import rules
from tests.trials.staging import place
from tests.trials.table import Row

CREATES: Final = rules(
    "ACC-02",
    "ACC-03",
    "ORD-01",
    "DEL-01",
    "REC-01",
    "REC-07",
    "REC-08",
    "REC-10",
    "REL-01",
    "REL-04",
    "REL-17",
    "WFL-02",
)
AT_ONCE: Final = rules("CON-01", "CON-02", "CON-03", "CON-04", "CON-05")

SORTS: Final = ("", "lenient", "calls at once", "all rules")
"""What is asked for, in turn."""

LONGEST: Final = {"all rules": 700, "calls at once": 120}
"""The last request at which a run of that sort is killed."""

LOST: Final = 0.05
ERRORS_AT_MOST: Final = 40
PATIENCE_SECONDS: Final = 300.0


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """A row for each kill."""
    dice = random.Random(5)  # noqa: S311 - moments, not secrets
    for number in range(chosen.number):
        sort = SORTS[number % len(SORTS)]
        moment = dice.randint(10, LONGEST.get(sort, 170))
        for words, sent in (("kill", signal.SIGKILL), ("ctrl-c", signal.SIGINT)):
            name = f"{words} {number + 1} at request {moment}{sort and ', '}{sort}"
            if any(word in name for word in chosen.only or [""]):
                yield partial(_tried, name, moment, sort, sent)


def _tried(name: str, moment: int, sort: str, sent: signal.Signals) -> Row:
    begun = time.monotonic()
    options = {"all rules": ["--profile", "smoke"], "calls at once": AT_ONCE}.get(sort, CREATES)
    lenient = sort == "lenient"
    with place(plans=[{"fault": "lost", "chance": LOST}], lenient=lenient, reconcile_seconds=0.2) as there:
        there.target()
        going = there.after(moment, there.begin(*options))
        gone = not going.goes_on
        going.kill(sent)
        ended = going.end()
        time.sleep(0.2)
        before = there.server.told()
        clean = there.cleanup("--max-wait", "2m", patience=PATIENCE_SECONDS)
        after = there.server.told()
        again = there.cleanup("--max-wait", "1s", patience=PATIENCE_SECONDS)
        last = there.server.told()
    spent, later = (now["clientErrors"] - then["clientErrors"] for now, then in ((after, before), (last, after)))
    left = {what: after[what] for what in ("active", "deletable")}
    right = not any(left.values()) and spent <= ERRORS_AT_MOST and later <= 1 and clean.code == 0 and again.code == 0
    return Row(
        "kills", name, f"{sent.name} while {LOST:.0%} of the answers are lost, then one cleanup, then another",
        f"nothing left after the first, at most {ERRORS_AT_MOST} client errors; exit code 0 of both",
        _words(before, left, spent, later) + f", exit codes {clean.code} {again.code}" + (" (had ended)" if gone else ""),
        not right, time.monotonic() - begun,
        {"spent": spent, "later": later, "left": left, "code": ended.code, "seconds": round(clean.seconds), "said": clean.last},
    )  # fmt: skip


def _words(before: dict[str, Any], left: dict[str, Any], spent: int, later: int) -> str:
    was = f"{len(before['deletable'])} orders and {len(before['active'])} reconciliations were there"
    now = f"{len(left['deletable'])} and {len(left['active'])} left"
    return f"{was}, {now}, {spent} client errors, later {later}"
