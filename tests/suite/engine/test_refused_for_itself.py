"""Lawful creations that a server refuses for what they are: REC-01 is to blame, whatever they were sent for, and others show the
rest, as far as there are others."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import pytest

from conformance.contract.rules import Side
from conformance.engine.hindrances import Hindrances
from conformance.errors import NotTried
from tests.suite.support.in_succession import WHOLE, bench_for, run

AT_MOST: Final = 45
"""Client errors that it may cost all of these scenarios."""


@pytest.mark.usefixtures("without_a_clock")
@pytest.mark.parametrize(
    "name", ["short-period", "single-release", "offsets", "milliseconds", "account-id-as-text", "large-total"]
)
def test_what_is_refused_for_itself_is_soon_left_out(name: str) -> None:
    """Of a certification all was undecided but that: each look whether the one before had ended was refused too."""
    broken = set[str]()
    with bench_for(*WHOLE, "REC-06", "REC-10", defects=(f"strict-reconciliation-{name}",)) as bench:
        bench.session.in_process, bench.hindrances = False, Hindrances()
        for rule in WHOLE:
            with suppress(NotTried):
                broken.add(run(bench, rule))
        assert broken | set(bench.session.evidence.observed) <= {"", "REC-01"}
        assert bench.session.journal.spent().client_errors <= AT_MOST


@pytest.mark.usefixtures("without_a_clock")
def test_where_short_periods_are_refused_all_else_is_shown_by_long_ones() -> None:
    """Fifty rules were left undecided: what reconciliations there were lasted seconds or minutes."""
    broken = set[str]()
    defects = ("strict-reconciliation-short-period", "rel-12-not-enforced")
    with bench_for(*WHOLE, defects=defects) as bench:
        bench.session.in_process, bench.hindrances = False, Hindrances()
        for rule in WHOLE:
            with suppress(NotTried):
                broken.add(run(bench, rule))
        evidence = bench.session.evidence
        assert broken | {one.rule for one in evidence.observed.values()} == {"", "REC-01", "REL-12"}
        assert all(evidence.scenarios[rule].count(Side.ACCEPTED) for rule in ("WFL-02", "WFL-03", "REL-18"))
