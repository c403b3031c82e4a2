"""Runs with two workers at a target that consolidates, so that scenarios are put off: as with one, to the last request."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.trials.cases import rules
from tests.trials.staging import Ended, Place, place
from tests.trials.table import Row

PUT_OFF: Final = rules(
    "ORD-15", "ORD-16", "ORD-17", "QRY-01", "QRY-03", "QRY-04", "DEL-01", "REC-01", "REL-08", "ORD-03"
)
"""Rules among whose scenarios some are put off, and some are not."""

CONSOLIDATE_SECONDS: Final = 2.0
WHOLE_EVERY: Final = 5
"""Each so many runs all rules are asked for."""

PLAIN_EVERY: Final = 4
"""Each so many runs it is plain pytest."""

ALLOWED_APART: Final = 3
"""Before anything is certified a run asks for tokens and accounts, which no certificate counts."""


def trials(chosen: argparse.Namespace) -> Iterator[Callable[[], Row]]:
    """A row for each run with workers. What one without shows is found out once."""
    known: dict[tuple[str, ...], tuple[int, dict[str, str]]] = {}
    for number in range(chosen.number):
        whole, plain = number % WHOLE_EVERY == WHOLE_EVERY - 1, number % PLAIN_EVERY == PLAIN_EVERY - 1
        options = tuple(["--profile", "smoke"] if whole else PUT_OFF)
        name = f"run {number + 1}{', all rules' if whole else ''}{', plain pytest' if plain else ''}"
        if any(word in name for word in chosen.only or [""]):
            yield lambda name=name, options=options, plain=plain: _tried(name, options, known, plain=plain)  # type: ignore[misc]


def _tried(
    name: str, options: tuple[str, ...], known: dict[tuple[str, ...], tuple[int, dict[str, str]]], *, plain: bool
) -> Row:
    begun = time.monotonic()
    if options not in known:
        with place(consolidate_seconds=CONSOLIDATE_SECONDS) as there:
            alone = there.certify(*options)
            known[options] = (alone.code, there.verdicts())
    code, verdicts = known[options]
    with place(consolidate_seconds=CONSOLIDATE_SECONDS) as there:
        ended = _by_pytest(there, options) if plain else there.certify(*options, "--workers", "2")
        told, seen = there.server.told(), there.verdicts()
        certificate = there.certificate()
    counted = certificate["traffic"]["requests"] if certificate else 0
    apart = told["requests"] - counted
    differ = sorted(rule for rule in verdicts.keys() | seen.keys() if verdicts.get(rule) != seen.get(rule))
    right = not differ and 0 <= apart <= ALLOWED_APART and not ended.traceback
    right = right and (ended.code == code or (plain and ended.code == 0))  # pytest knows no partial
    words = [f"exit code {ended.code}", f"certificate {counted}, server {told['requests']} requests"]
    words += [f"{len(differ)} verdicts differ: {' '.join(differ[:8])}"] if differ else []
    words += ["TRACEBACK"] if ended.traceback else []
    words += [f"{len(told[what])} {what} left" for what in ("active", "deletable") if told[what]]
    return Row(
        "workers", name, f"two workers, {len(options) // 2} options of {len(verdicts)} rules",
        f"exit code {code}, verdicts as with one worker, as many requests as the server counted",
        ", ".join(words), not right, time.monotonic() - begun, {"said": ended.last, "code": ended.code, "apart": apart},
    )  # fmt: skip


def _by_pytest(there: Place, options: Sequence[str]) -> Ended:
    named = [f"--koncili-rule={options[place + 1]}" for place, one in enumerate(options) if one == "--rule"]
    target = there.target()
    command = [
        sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/certification", "--koncili-target", str(target),
        "--koncili-profile=smoke", "--koncili-reports", str(there.path / "reports"), "--koncili-no-html",
        "-p", "no:cacheprovider", *named,
    ]  # fmt: skip
    return there.run(command).end()
