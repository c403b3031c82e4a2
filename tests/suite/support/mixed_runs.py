"""A run in which scenarios ended in every way, for what CI systems read."""

from __future__ import annotations

from typing import Final

from conformance.verdict.evidence import Evidence, Outcome
from tests.suite.support.made_up_evidence import all_pass, finding, scenario

NASTY: Final = 'a <b> & "c" ]]> \x00\x1b[31m \ud800 \u20ac\nnext line'


def mixed() -> Evidence:
    """A run in which scenarios ended in every way."""
    told = ("ORD-02", "ORD-03", "ORD-04", "ORD-05", "ORD-06", "ORD-07", "ERR-05")
    evidence = all_pass(*told)
    scenario(evidence, "ORD-02", "one holds", Outcome.PASSED)
    scenario(evidence, "ORD-02", "one shows nothing", Outcome.PASSED, seen=False)
    scenario(evidence, "ORD-03", "one decides nothing", Outcome.INCONCLUSIVE, NASTY)
    scenario(evidence, "ORD-04", "one is broken", Outcome.FAILED, NASTY)
    scenario(evidence, "ORD-04", "one is not", Outcome.PASSED)
    scenario(evidence, "ORD-05", "one needs what is not there", Outcome.NOT_EXERCISED, "needs fixtures.x")
    scenario(evidence, "ORD-06", "one is broken, as is known", Outcome.FAILED, "it was accepted")
    evidence.expect("left out", "ORD-07", "left out")
    evidence.observed["ERR-02"] = finding("ERR-02", "it answered 500")  # though its own scenario passes
    return evidence
