"""Days on which something happens to every so many-th request: all that can be shown is seen all the same, and nobody blamed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pytest

from conformance.contract.rules import catalogue
from conformance.mock.faults import Plan, When, every
from conformance.planning.costs import measured
from conformance.planning.smoke import SMOKE, WITHOUT_CALLBACK, left_out
from conformance.run.session import missing_need
from conformance.target.config import load_target
from tests.suite.support.stage.fault_proxy import FaultProxy
from tests.suite.support.stage.way import CREATE, DELETE, GET, POST, RELEASE, Stage

AT_ONCE: Final = "CON-"
"""The rules of calls at once: a server error may have been carried out, and which call meets it nobody knows before."""


def whole_parts(rules: Collection[str]) -> list[list[str]]:
    """The rules in parts, of each of which a smoke test has client errors for all scenarios."""
    parts: list[list[str]] = [[]]
    for rule in sorted(rules):
        wanted = {(stage.rule, stage.name) for stage in measured()[SMOKE] if stage.rule in {*parts[-1], rule}}
        if left_out(wanted, spare=WITHOUT_CALLBACK):
            parts.append([])
        parts[-1].append(rule)
    return parts


@pytest.mark.parametrize("apart", [31, 37])
def test_whole_runs_on_a_bad_day(unused_stage: Stage, unused_layer: FaultProxy, apart: int) -> None:
    """All that a live endpoint can show is seen although every so many-th request meets something, each time something else:
    where one of many releases meets it in every try its law goes on. (Each 37th and each 39th met one of 21 in all tries.)"""
    stage, layer = unused_stage, unused_layer
    often = ("502", "429-retry-after", "reset-after", "half-answer", "html-503")
    died = {GET: 71, POST: 61, DELETE: 53, CREATE: 31, RELEASE: 37}  # no token dies while one is asked for
    layer.play(
        *(Plan(fault, When(every=apart * len(often), after=apart * turn)) for turn, fault in enumerate(often)),
        *(Plan("no-token", every(n, call)) for call, n in died.items()),
    )
    all_pass(stage, layer)
    assert set(layer.faults()) == {*often, "no-token"}


@pytest.mark.parametrize("apart", [21, 53])
def test_a_server_error_now_and_then_fails_no_rule(unused_stage: Stage, unused_layer: FaultProxy, apart: int) -> None:
    """Each 53rd call met another of 21 orders that are sent alike, in every try; each 21st the same call of an example of which
    three tries are 21 requests. ERR-02 failed."""
    unused_layer.play(Plan("500", When(every=apart)))
    all_pass(unused_stage, unused_layer, but_for=AT_ONCE)


def all_pass(stage: Stage, layer: FaultProxy, *, but_for: str = "") -> None:
    """Every rule that is open to a live endpoint is certified; what may stay open begins with `but_for`."""
    known = load_target(stage.target(layer.base_url))
    open_to_all = {rule.id for rule in catalogue().rules.values() if not missing_need(rule, known, controlled=False)}
    for part in whole_parts(open_to_all):
        run = stage.certify(stage.target(layer.base_url), *part)
        assert run.verdicts("fail") == set(), run.output
        still_open = {rule for rule in run.verdicts("inconclusive") if but_for and rule.startswith(but_for)}
        assert run.verdicts("inconclusive") == still_open, run.output
        assert run.verdicts("pass") == set(part) - still_open, run.output
