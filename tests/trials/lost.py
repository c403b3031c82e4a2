"""One answer is lost, each in turn: what may have been done is looked up where it can be, cheaply, and cleared away."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.trials.cases import Case, Seen, rules
from tests.trials.servers import of
from tests.trials.table import Row

FAULTY: Final = rules(
    "ACC-02", "ACC-03", "ACC-04", "ACC-05", "ACC-06", "ORD-12", "ORD-13", "REC-03", "REC-07", "REC-08", "REL-14"
)
USUAL_ERRORS: Final = 50
"""More client errors than these rules cost where nothing is lost."""

MOST_FOR_ONE: Final = 16
"""What one lost answer may cost besides."""

WAYS: Final[dict[str, dict[str, Any]]] = {
    "lost": {"fault": "lost"},
    "a page with 503": {"fault": "status", "status": 503, "body": "page"},
    "502 after it was done": {"fault": "status", "status": 502, "body": "page", "done": True},
}
CALLS: Final = {
    "POST /reconciliation": range(1, 13),
    "POST /order": range(2, 30, 4),
    "POST /reconciliation/release": (1, 2),
}


def _holds(seen: Seen) -> bool:
    few = seen.told["clientErrors"] <= USUAL_ERRORS + MOST_FOR_ONE
    return few and not seen.failed and not seen.told["active"] and not seen.told["deletable"]


def _cases() -> Iterator[Case]:
    for way, plan in WAYS.items():
        for call, numbers in CALLS.items():
            for number in numbers:
                yield Case(
                    "lost", f"{call} {number}: {way}", f"the answer to {call} number {number} is {way} (row 6)", [2],
                    [*FAULTY, "--max-wait", "3m"], {"plans": [{**plan, "call": call, "nth": number}]},
                    expected=f"at most {USUAL_ERRORS + MOST_FOR_ONE} client errors, nobody blamed, nothing left", holds=_holds,
                )  # fmt: skip


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """All of them, or those that are asked for."""
    return of(list(_cases()), chosen)
