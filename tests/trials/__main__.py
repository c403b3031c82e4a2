"""The command line of the trials.

    python -m tests.trials [GROUP]... [--only WORD] [--store sqlite|redis]
                           [--budget N] [--number N] [--jobs N] [--reports DIR]

Writes trials.md and trials.json (both are added to: a trial done again replaces its row). Exit code 1 where a promise broke.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.trials import (
    answers,
    attacks,
    attacks_on_stores,
    blocks,
    breakdowns,
    hour,
    kills,
    lost,
    servers,
    stores,
    ways,
    workers,
)
from tests.trials.assault import ATTACKS, REDIS, SQLITE, carry_out
from tests.trials.table import Row, Table

del attacks, attacks_on_stores  # imported for what they enter


def _budget(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    for known in ATTACKS.values():
        for store in known.stores:
            if chosen.store in {None, store} and any(word in known.name for word in chosen.only or [""]):
                yield lambda known=known, store=store: carry_out(known, store, chosen.budget).row  # type: ignore[misc]


GROUPS: Final[dict[str, Callable[[argparse.Namespace], Iterator[Callable[[], Row]]]]] = {
    "servers": servers.trials,
    "budget": _budget,
    "workers": workers.trials,
    "kills": kills.trials,
    "lost": lost.trials,
    "answers": answers.trials,
    "breakdowns": breakdowns.trials,
    "stores": stores.trials,
    "ways": ways.trials,
    "blocks": blocks.trials,
    "hour": hour.trials,
}


def main() -> int:
    """Carry out what is asked for, and show it as it comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)} (default: all but the last)")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="trials whose name contains one of these")
    parser.add_argument("--store", choices=(SQLITE, REDIS), help="attacks on the budget with this store alone")
    parser.add_argument(
        "--budget", type=int, default=400, help="error_budget of the target files (default: %(default)s)"
    )
    parser.add_argument(
        "--number", type=int, default=20, help="runs of `workers` and of `kills` (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="trials at once (default: %(default)s)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where trials.md and trials.json go")
    chosen = parser.parse_args()
    if unknown := set(chosen.groups) - GROUPS.keys():
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # what a shell starts in the background ignores it, runs too
    table = Table.read(chosen.reports)
    asked = [one for name in chosen.groups or list(GROUPS)[:-1] for one in GROUPS[name](chosen)]
    with ThreadPoolExecutor(chosen.jobs) as pool:
        broken = 0
        for row in pool.map(lambda one: one(), asked):
            broken += row.broken
            table.add(row)
            table.write(chosen.reports)
            print(row.line, flush=True)
    print(f"{len(asked)} trials, {broken} of them broke a promise: {chosen.reports / 'trials.md'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
