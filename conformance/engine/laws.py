"""The laws that scenarios hold an endpoint to: every lawful call is accepted, every broken one is refused beside its twin."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hypothesis import strategies as st

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side
from conformance.engine.batch_laws import refuse_in_batches
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.properties import prove
from conformance.engine.settling import ASKED_AT_MOST
from conformance.engine.unfinished import NotSeenYet
from conformance.engine.values import Values
from conformance.engine.waiting import Waiting
from conformance.errors import Doubtful, NotTried
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call
from strategies.fault_parts import OF_BATCHES
from strategies.faults import Case, Kind, cases, possible

# -- acceptance ----------------------------------------------------------------------------------------------------


def accept(bench: Bench, rule: Rule, calls: st.SearchStrategy[Call]) -> None:
    """Every such call is accepted."""

    def law(call: Call) -> None:
        exchange = bench.send(call, bench.fresh(call.shape))
        bench.met(call, exchange)
        check_accepted(rule=rule, exchange=exchange)
        bench.saw(Side.ACCEPTED, exchange)

    prove(bench, f"{bench.scenario} accept", calls, law, bench.session.profile.acceptances, spares=False)


# -- refusal -------------------------------------------------------------------------------------------------------


def refuse(
    bench: Bench,
    rule: Rule,
    endpoint: Endpoint,
    fault: str,
    statuses: tuple[str, ...],
) -> int:
    """Every lawful call with one of the fault's kinds is refused, and its twin without the fault accepted.

    Returns how many kinds could be tried on this target.
    """
    tried = bench.kinds_of(rule, endpoint, fault)
    if endpoint in OF_BATCHES:
        now = tuple(kind for kind in tried if possible(kind, bench.reconciliations.scope, endpoint))
        if now and not bench.together.counts(Refusal(rule.id, endpoint, fault)):
            refuse_in_batches(bench, rule, endpoint, now, fault)
        elif tried and not now:
            bench.hindered("an account has a reconciliation that could not be completed")
        return len(tried)

    left_out: list[NotTried] = []
    for kind, turn in bench.kinds.in_turn(Refusal(rule.id, endpoint, fault)):
        try:
            refuse_one(bench, rule, endpoint, kind, statuses, fault, turn)
        except NotTried as reason:  # the other kinds may show something
            left_out.append(reason)
    if left_out:
        raise left_out[0]
    return len(tried)


def refuse_one(
    bench: Bench,
    rule: Rule,
    endpoint: Endpoint,
    kind: Kind,
    statuses: tuple[str, ...],
    fault: str,
    turn: int | None = None,
) -> None:
    """Every lawful call with this kind of the fault is refused, and its twin accepted; not for calls of batches. Where lawful
    orders of its turn are refused each time, others are sent."""
    this = KindOf(Refusal(rule.id, endpoint, fault), kind.name)
    bench.try_kinds(kind.name)

    def law(case: Case) -> Waiting[None]:
        before = bench.observed
        try:
            counts = yield from refused_beside_twin(bench, rule, case)
        except Violation:
            bench.kinds.failed(this)
            raise
        if counts:
            bench.kinds.tried(this, clean=bench.observed == before)

    name, examples = f"{bench.scenario} {endpoint.value} {kind.name}", bench.session.profile.refusals_per_kind
    of_any = cases(bench.scope, endpoint, kind, statuses)
    if turn is None:
        prove(bench, name, of_any, law, examples)
        return
    of_turn = cases(bench.scope, endpoint, kind, statuses, turn)
    try:
        prove(bench, f"{name} {turn}", of_turn, law, examples, otherwise=of_any)
    except NotTried:
        prove(bench, f"{name} {turn} otherwise", of_any, law, examples)


def refused_beside_twin(bench: Bench, rule: Rule, case: Case) -> Waiting[bool]:
    """Send a case and its twin, and count both: a refusal whose twin is refused too shows nothing. Returns whether they count."""
    lawful, context = case.lawful, f"changed in one place: {case.edit}"
    values = yield from make_ready(bench, lawful)
    if values is None:
        return False
    # A lawful deletion ends the order, so its twin comes last: then it also shows that the refused one deleted nothing.
    twin_first = case.twin_first and lawful.endpoint is not Endpoint.DELETE_ORDER
    if twin_first:
        twin, broken = bench.send(lawful, values), bench.send(case.broken, values)
        accepted = broken.is_accepted or bench.is_accepted(lawful, twin)
    else:
        broken, doubt = _refused_perhaps_twice(bench, case.broken, values)
        with bench.keeping_faults() as faults:
            send = partial(bench.send, lawful, values)
            twin = bench.asked_again(send) if lawful.endpoint is Endpoint.DELETE_ORDER else send()
            if doubt is not None and twin.is_refused:
                raise doubt
            accepted = broken.is_accepted or bench.is_accepted_after_refusal(lawful, twin, faults)
    if not accepted:  # what was accepted in spite of its fault is a violation whatever became of its twin
        return False
    check_refused(rule=rule, exchange=broken, bench=bench, context=context)
    bench.saw(Side.ACCEPTED, twin)
    bench.saw(Side.REFUSED, broken)
    return True


def _refused_perhaps_twice(bench: Bench, broken: Call, values: Values) -> tuple[Exchange, Doubtful | None]:
    """The answer to a broken call; with the doubt where it came after a lost one to the same deletion. If its twin is accepted
    after it, neither was carried out."""
    try:
        return bench.send(broken, values), None
    except Doubtful as doubt:
        if broken.endpoint is not Endpoint.DELETE_ORDER or doubt.refusal is None:
            raise
        return bench.sent(doubt.refusal), doubt


def make_ready(bench: Bench, lawful: Call) -> Waiting[Values | None]:
    """Values for a lawful call whose order, if it takes one, is there and to be seen; None where that can't be had."""
    if lawful.batch is not None:  # whoever makes ready for one also calls reconciliations.finish_current
        return bench.reconciliations.ready(lawful)
    values = bench.fresh(lawful.shape)
    if lawful.order is None:
        return values
    setup = Call(Endpoint.SUBMIT_ORDER, body=lawful.order)
    if not bench.is_accepted(setup, bench.send(setup, values)):
        return None
    if lawful.endpoint is Endpoint.DELETE_ORDER:
        bench.let_be_seen()
    if lawful.endpoint is Endpoint.GET_ORDER and not (yield from _visible(bench, lawful, values)):
        return None
    return values


def _visible(bench: Bench, lawful: Call, values: Mapping[str, str]) -> Waiting[bool]:
    """Whether a query sees the order that was just accepted, after half an hour if need be."""
    began = bench.clock
    for attempt in range(ASKED_AT_MOST):
        passed = (yield) if attempt or bench.puts_off else True
        bench.let_be_shown(bench.clock - began)
        exchange = bench.send(lawful, values)
        if exchange.status // 100 == 2:
            bench.slow = bench.slow or attempt > 0
            bench.note_delay(attempt, exchange)
            return True
        if not passed:
            raise NotSeenYet
    return bench.is_accepted(lawful, exchange)
