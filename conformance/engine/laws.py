"""How a scenario becomes Hypothesis properties: laws, and the two passes in which they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import Final, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, Unsatisfiable
from platformdirs import user_cache_path

from conformance.compat.hypothesis import draw_no_constants
from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import ASKED_AT_MOST, Bench, Hindered, NotSeenYet, Values, Waiting
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.hindrances import Hindrances
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.reconciliations import Reconciliations
from conformance.errors import CannotRun, Doubtful, NotTried, TargetUnavailable, WaitTooLong
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, Edit
from strategies.fault_parts import OF_BATCHES
from strategies.faults import Case, Kind, Sheaf, cases, possible, sheaves
from strategies.periods import EARLIER, EARLIER_SECONDS, LATEST, PERIOD

T = TypeVar("T")
Law = Callable[[T], Waiting[None] | None]
"""What is to hold of every example; a generator where time must pass in between."""

# Hypothesis keeps tables of characters: not in the directory in which somebody happens to certify.
set_hypothesis_home_dir(user_cache_path("koncili-conformance") / "hypothesis")

draw_no_constants()

TRIED_AGAIN: Final = 2
"""How often an example is tried anew that got no answer, or a server error that did not come again: something may have failed in
passing, on the way or in the server."""

SHRINKING_EXAMPLES = 200
"""How many examples the second pass may look at for the smallest failure."""


def once(bench: Bench, law: Callable[[], Waiting[None] | None]) -> None:
    """Run a law that has no examples."""
    prove(bench, bench.scenario, st.none(), lambda _: law(), 1)


def prove(
    bench: Bench, name: str, strategy: st.SearchStrategy[T], law: Law[T], examples: int, *, spares: bool = True
) -> None:
    """Run a law on so many examples; raises what the law raises, shrunk where the target allows. At the end of a run it
    only goes on with what was put off.

    The first pass leaves out Hypothesis's simplest example, with which every run would begin: of a few examples it is
    the one that shows least, and refusals are counted. Only when the law is broken does a second pass look for the
    smallest failure, from the simplest on. Examples that hold what a target refuses each time are left out, unless the law is
    itself about that (`spares` is False). Raises NotTried where there is no other.
    """
    if bench.session.resuming:
        bench.session.deferred.discard(bench.scenario)
        for deferred in bench.deferred.pop((bench.scenario, name), ()):
            _watched(bench, partial(bench.go_on, deferred))
        return
    seed = int.from_bytes(sha256(f"{bench.session.seed} {name}".encode()).digest()[:8])
    if spares and bench.hindrances is not None and not _is_about_acceptance(bench):
        strategy, law = _sparing(bench, bench.hindrances, strategy, law)
    try:
        _first_pass(bench, law, name, strategy, seed, examples)
    except Violation as violation:
        found = violation
        bench.session.deferred.discard(bench.scenario)
    else:
        return
    if bench.session.shrinks:
        _run(bench, law, name, strategy, seed, SHRINKING_EXAMPLES, [Phase.generate, Phase.shrink])
    raise found  # not shrunk, or found once and not again: the first sight of it is all there is


def _is_about_acceptance(bench: Bench) -> bool:
    """Whether the running scenario's rule says that orders are accepted: what is refused each time is what it is about."""
    rule = catalogue()[bench.session.evidence.scenarios[bench.scenario].rule]
    return Endpoint.SUBMIT_ORDER in rule.endpoints and Side.REFUSED not in rule.sides_under(bench.session.readings)


def _sparing(
    bench: Bench, hindrances: Hindrances, strategy: st.SearchStrategy[T], law: Law[T]
) -> tuple[st.SearchStrategy[T], Law[T]]:
    """Draw no example of what is refused each time, and send none that has come to be so since."""
    blocked = hindrances.blocked()

    def spared(example: T) -> Waiting[None] | None:
        bench.check_worth(example)
        return law(example)

    return strategy.filter(lambda example: not blocked.against(example)) if blocked.traits else strategy, spared


def _first_pass(bench: Bench, law: Law[T], name: str, strategy: st.SearchStrategy[T], seed: int, examples: int) -> None:
    """Run the law on examples as drawn, the simplest left out; on those kept from an earlier run where there are such."""
    kept, key = bench.session.drawn, (name, seed, examples, bench.circumstances)
    if kept is not None and key in kept:
        for example in kept[key]:
            _example(bench, name, law, example)
        return
    drawn: list[T] = []

    def noted(example: T) -> Waiting[None] | None:
        drawn.append(example)
        return law(example) if len(drawn) > 1 else None

    _run(bench, noted, name, strategy, seed, examples + 1, [Phase.generate])
    if len(drawn) == 1:  # there is no example but the simplest
        drawn *= 2
        _run(bench, law, name, strategy, seed, 1, [Phase.generate])
    if kept is not None:
        kept[key] = drawn[1:]


def quietly(examples: int, phases: list[Phase], steps: int = 1) -> settings:
    """Settings for so many examples (a state machine's of so many steps), with nothing kept, printed or timed."""
    return settings(
        max_examples=examples,
        phases=phases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=steps,
    )


@contextmanager
def first_sight(found: Sequence[Violation]) -> Iterator[None]:
    """Raises the first of the violations found where Hypothesis, which tries again what it found, does not see it again: an
    endpoint that has changed in between may answer otherwise."""
    try:
        yield
    except Flaky:
        if not found:
            raise
        raise found[0] from None


def _run(
    bench: Bench,
    law: Law[T],
    name: str,
    strategy: st.SearchStrategy[T],
    seed: int,
    examples: int,
    phases: list[Phase],
) -> None:
    found: list[Violation] = []
    stopped: list[TargetUnavailable | CannotRun] = []

    def test(example: T) -> None:
        if stopped:
            return
        try:
            _example(bench, name, law, example)
        except Violation as violation:
            found.append(violation)
            raise
        except (TargetUnavailable, CannotRun) as reason:  # Hypothesis would send it all again
            stopped.append(reason)

    test.__name__ = test.__qualname__ = "".join(c if c.isalnum() else "_" for c in name)
    with first_sight(found):
        try:
            hypothesis.seed(seed)(quietly(examples, phases)(hypothesis.given(strategy)(test)))()
        except Unsatisfiable:
            if bench.hindrances is None or not (blocked := bench.hindrances.blocked().traits):
                raise
            raise NotTried(bench.hindrances.words(blocked)) from None
    if stopped:
        raise stopped[0]


def _example(bench: Bench, name: str, law: Law[T], example: T) -> None:
    def carry_out() -> None:
        bench.story.clear()
        _watched(bench, lambda: _carry_out(bench, name, law(example)))

    bench.passing.begin_example()
    try:
        for _ in range(TRIED_AGAIN):
            bench.passing.begin_try()
            late = bench.late
            try:
                carry_out()
            except WaitTooLong:
                raise
            except TargetUnavailable:  # with new codes the next time, and hardly as unlucky
                continue
            except Violation:
                if bench.late == late:
                    raise
            # What was refused before the order was to be seen may have been refused for that.
            if bench.late == late and not bench.passing.leaves_doubt:
                return
        bench.passing.begin_try()
        carry_out()
    finally:
        for fault in bench.passing.met_in(1 + TRIED_AGAIN):
            actual = f"it answered {fault.status}, each time with another code, and not when the same was sent again"
            bench.observe("ERR-02", "no server error", actual, fault)


def _carry_out(bench: Bench, name: str, rest: Waiting[None] | None) -> None:
    if rest is not None:
        bench.begin(name, rest)


def _watched(bench: Bench, example: Callable[[], None]) -> None:
    """Run one example; what it could not show is counted, what it shows broken gets its story."""
    try:
        example()
    except NotSeenYet as error:
        _keep_hidden(bench, error)
        bench.session.evidence.scenarios[bench.scenario].pending += 1
    except Hindered as reason:
        _keep_hidden(bench, reason)
        bench.hindered(str(reason))
    except Violation as violation:
        violation.story = violation.story or tuple(bench.story)
        raise
    except (TargetUnavailable, CannotRun) as error:
        _keep_hidden(bench, error)
        raise


def _keep_hidden(bench: Bench, error: BaseException) -> None:
    """Note the violation that an error hides, because it came up while that was cleared away."""
    hidden = error.__context__
    while hidden is not None and not isinstance(hidden, Violation):
        hidden = hidden.__context__
    if hidden is not None:
        hidden.story = hidden.story or tuple(bench.story)
        bench.session.evidence.observe(hidden, bench.session.redactor)


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
        if now:
            refuse_in_batches(bench, rule, endpoint, now, fault)
        elif tried:
            bench.hindered("an account has a reconciliation that could not be completed")
        return len(tried)

    left_out: list[NotTried] = []
    for kind in tried:
        try:
            refuse_one(bench, rule, endpoint, kind, statuses, fault)
        except NotTried as reason:  # the other kinds may show something
            left_out.append(reason)
    if left_out:
        raise left_out[0]
    return len(tried)


def refuse_one(bench: Bench, rule: Rule, endpoint: Endpoint, kind: Kind, statuses: tuple[str, ...], fault: str) -> None:
    """Every lawful call with this kind of the fault is refused, and its twin accepted; not for calls of batches."""
    this = KindOf(Refusal(rule.id, endpoint, fault), kind.name)

    def law(case: Case) -> Waiting[None]:
        before = bench.observed
        try:
            counts = yield from refused_beside_twin(bench, rule, case)
        except Violation:
            bench.kinds.failed(this)
            raise
        if counts:
            bench.kinds.tried(this, clean=bench.observed == before)

    name = f"{bench.scenario} {endpoint.value} {kind.name}"
    prove(bench, name, cases(bench.scope, endpoint, kind, statuses), law, bench.session.profile.refusals_per_kind)


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
    for attempt in range(ASKED_AT_MOST):
        passed = (yield) if attempt or bench.slow else True
        exchange = bench.send(lawful, values)
        if exchange.status // 100 == 2:
            bench.slow = bench.slow or attempt > 0
            bench.note_delay(attempt, exchange)
            return True
        if not passed:
            raise NotSeenYet
    return bench.is_accepted(lawful, exchange)


# -- refusal of creations and releases -----------------------------------------------------------------------------


def refuse_in_batches(
    bench: Bench, rule: Rule, endpoint: Endpoint, kinds: tuple[Kind, ...], fault: str = "", which: str = ""
) -> None:
    """Of one lawful creation or release every kind of broken copy is refused, and then itself accepted. `fault` is that of
    the scenario, where that is about this rule; `which` tells these kinds from others of it.

    One reconciliation serves all kinds, since each that is opened must be completed. Where one of them fails it is tried
    by itself, so that the counterexample holds no other.
    """
    try_each = _refused_creation if endpoint is Endpoint.CREATE_RECONCILIATION else _refused_release

    def law(sheaf: Sheaf) -> None:
        before = bench.observed
        try:
            counts = try_each(bench, rule, sheaf)
        except Violation as violation:
            if fault and violation.kind:
                bench.kinds.failed(KindOf(Refusal(rule.id, endpoint, fault), violation.kind))
            raise
        for kind, _ in sheaf.edits if fault and counts else ():
            bench.kinds.tried(KindOf(Refusal(rule.id, endpoint, fault), kind.name), clean=bench.observed == before)

    def prove_for(some: tuple[Kind, ...], name: str, examples: int) -> None:
        scope = bench.reconciliations.scope
        prove(bench, name, sheaves(scope, endpoint, some), law, examples)

    name = f"{bench.scenario} {endpoint.value}{which}"
    examples = bench.session.profile.refusals_per_kind
    try:
        prove_for(kinds, name, examples)
    except Violation as violation:
        alone = [kind for kind in kinds if kind.name == violation.kind]
        if len(kinds) > 1 and alone and bench.session.shrinks:
            prove_for((alone[0],), f"{name} {violation.kind}", examples)
        raise


TRIED_WAITING: Final = 3


def _refused_creation(bench: Bench, rule: Rule, sheaf: Sheaf) -> bool:
    """Whether it counts. Tried again where the reconciliation before was still active: then the refusals may have been because
    of that. What was waited for may have been another worker's; after one of its own the run knows how long to wait."""
    for _ in range(TRIED_WAITING):
        counts = _creation_counts(bench, rule, sheaf)
        if counts is not None:
            return counts
    raise Hindered("the reconciliation before was still active: refusals say nothing")


def _creation_counts(bench: Bench, rule: Rule, sheaf: Sheaf) -> bool | None:
    """Try every broken copy, then the lawful creation; whether that counts. None where it had to wait, so that it does not."""
    reconciliations, batch = bench.reconciliations, sheaf.lawful.batch
    assert batch is not None
    reconciliation = reconciliations.begin(batch)
    _use_earlier_periods(reconciliations, reconciliation, sheaf)
    if not reconciliations.submit_orders(reconciliation):
        return False
    try:
        wrongly: list[Violation] = []
        refused = [_tried(bench, rule, sheaf.lawful, kind, edit, reconciliation, wrongly) for kind, edit in sheaf.edits]
        created = reconciliations.create_after_refusal(reconciliation)
        check_accepted(rule=catalogue()["REC-01"], exchange=created)
        if reconciliation.waited:
            return None
        _count(bench, created, refused, wrongly)
        return True
    finally:
        reconciliations.finish(reconciliation)


def _use_earlier_periods(reconciliations: Reconciliations, reconciliation: OpenReconciliation, sheaf: Sheaf) -> None:
    """Where a broken creation is about earlier periods, let there be two."""
    wanted = {hole for _, edit in sheaf.edits for hole in edit.holes} & {EARLIER, LATEST}
    for name in (EARLIER, LATEST) if wanted else ():
        earlier = reconciliations.run_through(reconciliations.plain(reconciliation.place, 1, seconds=EARLIER_SECONDS))
        reconciliation.values = tuple(
            values.having(**{name: earlier.values[0][PERIOD]}) for values in reconciliation.values
        )


ROOM_FOR_MORE: Final = frozenset({"REL-09"})


def _refused_release(bench: Bench, rule: Rule, sheaf: Sheaf) -> bool:
    reconciliations, batch = bench.reconciliations, sheaf.lawful.batch
    assert batch is not None
    reconciliation = reconciliations.begin(batch)
    if not reconciliations.submit_orders(reconciliation) or not _submit_elsewhere(bench, sheaf, reconciliation):
        return False
    if reconciliations.create(reconciliation).status // 100 != 2:
        return False

    def release_beside() -> bool:
        return all(reconciliations.released(reconciliation, beside) for beside in range(1, len(batch.orders)))

    # Where entries are too many for the order, there must be room for them: else they are refused for another reason.
    leave_room = rule.id in ROOM_FOR_MORE
    try:
        if not leave_room and not release_beside():
            return False
        wrongly: list[Violation] = []
        refused = [_tried(bench, rule, sheaf.lawful, kind, edit, reconciliation, wrongly) for kind, edit in sheaf.edits]
        counts = reconciliations.released(reconciliation, 0)
        if counts:
            _count(bench, bench.story[-1], refused, wrongly)
        if leave_room:
            release_beside()
        return counts
    finally:
        reconciliations.finish(reconciliation)


def _submit_elsewhere(bench: Bench, sheaf: Sheaf, reconciliation: OpenReconciliation) -> bool:
    """Where a release goes to another account of the target, the same order is there too: only the account is at fault."""
    batch, order = reconciliation.batch, reconciliation.batch.orders[0]
    named = {(str(call.body.get("accountId")), str(call.body.get("channelName"))) for call in _broken(sheaf)}
    for place in bench.scope.places:
        if place != batch.place and (str(place.account), place.channel) in named:
            form = type(order["accountId"])
            call = Call(
                Endpoint.SUBMIT_ORDER, body={**order, "accountId": form(place.account), "channelName": place.channel}
            )
            if not bench.is_accepted(call, bench.send(call, reconciliation.values[0])):
                return False
    return True


def _broken(sheaf: Sheaf) -> list[Call]:
    """The broken copies whose body is an object still."""
    broken = [edit.apply(sheaf.lawful) for _, edit in sheaf.edits]
    return [call for call in broken if call.rendered is None]


def _tried(
    bench: Bench,
    rule: Rule,
    lawful: Call,
    kind: Kind,
    edit: Edit,
    reconciliation: OpenReconciliation,
    wrongly: list[Violation],
) -> Exchange:
    """Send one broken copy, which must be refused. One that is refused otherwise than documented is noted as `wrongly`: it says
    something only if the lawful call is not refused, too."""
    broken = edit.apply(lawful)
    reconciliation.after_refusal = True
    if lawful.endpoint is Endpoint.CREATE_RECONCILIATION:
        bench.reconciliations.refused_at.add(reconciliation.place)
    exchange = bench.reconciliations.send_broken(reconciliation, broken)
    try:
        check_refused(rule=rule, exchange=exchange, bench=bench, context=f"changed in one place: {edit}")
    except Violation as violation:
        violation.kind = kind.name
        violation.story = tuple(bench.story)
        if exchange.status // 100 == 4:
            wrongly.append(violation)
            return exchange
        if exchange.status // 100 == 2:
            bench.reconciliations.stray(reconciliation)
        raise
    return exchange


def _count(bench: Bench, accepted: Exchange, refused: list[Exchange], wrongly: Sequence[Violation]) -> None:
    if wrongly:
        raise wrongly[0]
    bench.saw(Side.ACCEPTED, accepted)
    for exchange in refused:
        bench.saw(Side.REFUSED, exchange)
