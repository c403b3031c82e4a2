"""How a scenario becomes Hypothesis properties: laws, and the two passes in which they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeVar
from zlib import crc32

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.faults import Case, Kind, cases, possible
from tests.certification.bench import ASKED_AT_MOST, Bench, NotSeenYet, Values
from tests.certification.checks import check_accepted, check_refused

T = TypeVar("T")

NO_CONSTANTS = Constants()

# Hypothesis also draws the literals of the source files that happen to be loaded from outside site-packages: one seed would
# then mean other cases with a defect or variant, and in an installed suite.
providers._get_local_constants = lambda: NO_CONSTANTS

SHRINKING_EXAMPLES = 200
"""How many examples the second pass may look at for the smallest failure."""


def prove(bench: Bench, name: str, strategy: st.SearchStrategy[T], law: Callable[[T], None], examples: int) -> None:
    """Run a law on so many examples; raises what the law raises, shrunk where the target allows.

    The first pass leaves out Hypothesis's simplest example, with which every run would begin: of a few examples it is
    the one that shows least, and refusals are counted. Only when the law is broken does a second pass look for the
    smallest failure, from the simplest on.
    """
    seed = int.from_bytes(sha256(f"{bench.session.seed} {name}".encode()).digest()[:8])
    runs = 0

    def first_pass(example: T) -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            law(example)

    try:
        _run(bench, first_pass, name, strategy, seed, examples + 1, [Phase.generate])
        if runs <= 1:  # there is no example but the simplest
            _run(bench, law, name, strategy, seed, 1, [Phase.generate])
    except Violation as violation:
        found = violation
    else:
        return
    if bench.session.shrinks:
        _run(bench, law, name, strategy, seed, SHRINKING_EXAMPLES, [Phase.generate, Phase.shrink])
    raise found  # not shrunk, or found once and not again: the first sight of it is all there is


def _run(
    bench: Bench,
    law: Callable[[T], None],
    name: str,
    strategy: st.SearchStrategy[T],
    seed: int,
    examples: int,
    phases: list[Phase],
) -> None:
    def test(example: T) -> None:
        bench.story.clear()
        try:
            law(example)
        except NotSeenYet:
            bench.session.evidence.scenarios[bench.scenario].pending += 1
        except Violation as violation:
            violation.story = tuple(bench.story)
            raise

    test.__name__ = test.__qualname__ = "".join(c if c.isalnum() else "_" for c in name)
    configured = settings(
        max_examples=examples,
        phases=phases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    hypothesis.seed(seed)(configured(hypothesis.given(strategy)(test)))()


# -- acceptance ----------------------------------------------------------------------------------------------------


def accept(bench: Bench, rule: Rule, calls: st.SearchStrategy[Call]) -> None:
    """Every such call is accepted."""

    def law(call: Call) -> None:
        exchange = bench.send(call, bench.fresh(call.shape))
        check_accepted(rule=rule, exchange=exchange)
        bench.saw(Side.ACCEPTED, exchange)

    prove(bench, f"{bench.scenario} accept", calls, law, bench.session.profile.acceptances)


# -- refusal -------------------------------------------------------------------------------------------------------


def refuse(
    bench: Bench,
    rule: Rule,
    endpoint: Endpoint,
    kinds: tuple[Kind, ...],
    statuses: tuple[str, ...],
    *,
    afterwards: Callable[[Case], None] | None = None,
) -> int:
    """Every lawful call with one of the faults is refused, and its twin without the fault accepted.

    Returns how many kinds could be tried on this target.
    """
    profile = bench.session.profile
    able = [kind for kind in kinds if possible(kind, bench.scope, endpoint)]
    tried = profile.choose(able, rule.id, crc32(bench.scenario.encode()))

    def law(case: Case) -> None:
        if refused_beside_twin(bench, rule, case) and afterwards is not None:
            afterwards(case)

    for kind in tried:
        name = f"{bench.scenario} {endpoint.value} {kind.name}"
        strategy = cases(bench.scope, endpoint, kind, statuses)
        prove(bench, name, strategy, law, 1 if len(tried) < len(able) else profile.examples_per_kind(len(tried)))
    return len(tried)


def refused_beside_twin(bench: Bench, rule: Rule, case: Case) -> bool:
    """Send a case and its twin. Whether both sides were seen: a refusal whose twin is refused too shows nothing."""
    lawful, context = case.lawful, f"changed in one place: {case.edit}"
    values = make_ready(bench, lawful)
    if values is None:
        return False
    # A lawful deletion ends the order, so its twin comes last: then it also shows that the refused one deleted nothing.
    twin_first = case.twin_first and lawful.endpoint is not Endpoint.DELETE_ORDER
    calls = (lawful, case.broken) if twin_first else (case.broken, lawful)
    exchanges = [bench.send(call, values) for call in calls]
    twin, broken = exchanges if twin_first else reversed(exchanges)
    # What was accepted in spite of its fault is a violation whatever became of its twin.
    if broken.status // 100 != 2 and not bench.is_accepted(lawful, twin):
        return False
    check_refused(rule=rule, exchange=broken, bench=bench, context=context)
    bench.saw(Side.ACCEPTED, twin)
    bench.saw(Side.REFUSED, broken)
    return True


def make_ready(bench: Bench, lawful: Call) -> Values | None:
    """Values for a lawful call whose order, if it takes one, is there and to be seen; None where that can't be had."""
    values = bench.fresh(lawful.shape)
    if lawful.order is None:
        return values
    setup = Call(Endpoint.SUBMIT_ORDER, body=lawful.order)
    if not bench.is_accepted(setup, bench.send(setup, values)):
        return None
    if lawful.endpoint is Endpoint.GET_ORDER and not _visible(bench, lawful, values):
        return None
    return values


def _visible(bench: Bench, lawful: Call, values: Mapping[str, str]) -> bool:
    """Whether a query sees the order that was just accepted, after half an hour if need be."""
    for attempt in range(ASKED_AT_MOST):
        if attempt:
            bench.wait_for_consolidation()
        exchange = bench.send(lawful, values)
        if exchange.status // 100 == 2:
            bench.note_delay(attempt, exchange)
            return True
    return bench.is_accepted(lawful, exchange)
