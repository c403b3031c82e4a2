"""The refusal of creations and releases: broken copies are sent before the lawful one, for what is opened must be completed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from conformance.contract.endpoints import Endpoint
from conformance.contract.rules import Rule, Side, catalogue
from conformance.engine.bench import Bench
from conformance.engine.checks import check_accepted, check_refused
from conformance.engine.kill_matrix import KindOf, Refusal
from conformance.engine.open_reconciliation import OpenReconciliation
from conformance.engine.properties import prove
from conformance.engine.reconciliations import Reconciliations
from conformance.engine.release_turns import PLAIN, Comes, Turn, by_turns
from conformance.engine.unfinished import Hindered
from conformance.engine.values import Values
from conformance.target.wire.exchange import Exchange
from conformance.verdict.violation import Violation
from strategies.calls import Call, Edit
from strategies.faults import FaultBatch, Kind, fault_batches
from strategies.orders import Order
from strategies.periods import EARLIER, EARLIER_SECONDS, LATEST, LONG, MONTH, PERIOD
from strategies.placeholders import OTHER_CODE, Placeholder, fill
from strategies.reconciliations import order_on
from strategies.scope import Place

# -- refusal of creations and releases -----------------------------------------------------------------------------


def refuse_in_batches(
    bench: Bench, rule: Rule, endpoint: Endpoint, kinds: tuple[Kind, ...], fault: str = "", which: str = ""
) -> None:
    """Of one lawful creation or release every kind of broken copy is refused, and then itself accepted. `fault` is that of
    the scenario, where that is about this rule; `which` tells these kinds from others of it.

    One reconciliation serves all kinds of a turn, since each that is opened must be completed. Where one of them fails it is
    tried by itself, so that the counterexample holds no other.
    """

    def law(turn: Turn, fault_batch: FaultBatch) -> None:
        before = bench.observed
        try:
            if endpoint is Endpoint.CREATE_RECONCILIATION:
                counts = _refused_creation(bench, rule, fault_batch)
            else:
                counts = _refused_release(bench, rule, turn, fault_batch)
        except Violation as violation:
            if fault and violation.kind:
                bench.kinds.failed(KindOf(Refusal(rule.id, endpoint, fault), violation.kind))
            raise
        for kind, _ in fault_batch.edits if fault and counts else ():
            bench.kinds.tried(KindOf(Refusal(rule.id, endpoint, fault), kind.name), clean=bench.observed == before)

    def prove_for(some: tuple[Kind, ...], turn: Turn, name: str) -> None:
        scope = bench.reconciliations.scope
        drawn = fault_batches(scope, endpoint, some, crowded=turn.crowded, bare=turn.bare, turn=turn.number)
        prove(bench, name, drawn, partial(law, turn), bench.session.profile.refusals_per_kind)

    bench.try_kinds(*(kind.name for kind in kinds))
    for turn, some in by_turns(rule.id, kinds).items():
        name = f"{refused_name(bench, endpoint, turn)}{which}"
        try:
            prove_for(some, turn, name)
        except Violation as violation:
            alone = [kind for kind in some if kind.name == violation.kind]
            if len(some) > 1 and alone and bench.session.shrinks:
                prove_for((alone[0],), turn, f"{name} {violation.kind}")
            raise


def refused_name(bench: Bench, endpoint: Endpoint, turn: Turn = PLAIN) -> str:
    """The name of the running scenario's law that broken copies are refused that come in this turn."""
    return f"{bench.scenario} {endpoint.value}{turn}"


TRIED_WAITING: Final = 3


def _refused_creation(bench: Bench, rule: Rule, fault_batch: FaultBatch) -> bool:
    """Whether it counts. Tried again where the reconciliation before was still active: then the refusals may have been because
    of that. What was waited for may have been another worker's; after one of its own the run knows how long to wait."""
    for _ in range(TRIED_WAITING):
        counts = _creation_counts(bench, rule, fault_batch)
        if counts is not None:
            return counts
    raise Hindered("the reconciliation before was still active: refusals say nothing")


def _creation_counts(bench: Bench, rule: Rule, fault_batch: FaultBatch) -> bool | None:
    """Try every broken copy, then the lawful creation; whether that counts. None where it had to wait, so that it does not."""
    reconciliations, batch = bench.reconciliations, fault_batch.lawful.batch
    assert batch is not None
    reconciliation = reconciliations.begin(batch)
    use_earlier_periods(reconciliations, reconciliation, fault_batch)
    if not reconciliations.submit_orders(reconciliation):
        return False
    try:
        wrongly: list[Violation] = []
        refused = [
            send_broken_copy(bench, rule, fault_batch.lawful, kind, edit, reconciliation, wrongly)
            for kind, edit in fault_batch.edits
        ]
        broken = [edit.apply(fault_batch.lawful) for _, edit in fault_batch.edits]
        created = reconciliations.create_after_refusal(reconciliation, broken)
        check_accepted(rule=catalogue()["REC-01"], exchange=created)
        if reconciliation.waited:
            return None
        _count(bench, created, refused, wrongly)
        return True
    finally:
        reconciliations.finish(reconciliation)


def use_earlier_periods(
    reconciliations: Reconciliations,
    reconciliation: OpenReconciliation,
    fault_batch: FaultBatch,
    *,
    opened_before: bool = False,
) -> None:
    """Where a broken creation is about earlier periods, let there be two: the latest is new; the other may have been
    `opened_before` for something else. Where it is about one of a month, let there be the first of those, too."""
    about = {placeholder for _, edit in fault_batch.edits for placeholder in edit.placeholders}
    wanted, place, before = about & {EARLIER, LATEST}, reconciliation.place, None
    if LONG in about:  # a new one where something may have been opened within the first
        long = reconciliations.first_of(place, MONTH) if opened_before else None
        _know_period(
            reconciliation, LONG, long or reconciliations.run_through(reconciliations.plain(place, 1, seconds=MONTH))
        )
    seconds = EARLIER_SECONDS + reconciliations.scope.shortest
    if opened_before:
        before = reconciliations.lying_alone(place, seconds)
    for name in (EARLIER, LATEST) if wanted else ():
        earlier, before = before, None
        if earlier is None:
            earlier = reconciliations.run_through(reconciliations.plain(place, 1, seconds=seconds))
        _know_period(reconciliation, name, earlier)


def _know_period(reconciliation: OpenReconciliation, name: str, earlier: OpenReconciliation) -> None:
    """Let its calls name the earlier one's period so."""
    begins = earlier.values[0][PERIOD]
    reconciliation.values = tuple(values.having(**{name: begins}) for values in reconciliation.values)


ROOM_FOR_MORE: Final = frozenset({"REL-09"})


def _refused_release(bench: Bench, rule: Rule, turn: Turn, fault_batch: FaultBatch) -> bool:
    """Whether it counts. By itself what comes between others completes its reconciliation."""
    reconciliations, batch = bench.reconciliations, fault_batch.lawful.batch
    assert batch is not None
    reconciliation = reconciliations.begin(batch)
    if not reconciliations.submit_orders(reconciliation) or not submit_elsewhere(bench, fault_batch, reconciliation):
        return False
    if reconciliations.create(reconciliation).status // 100 != 2:
        return False

    def release_beside() -> bool:
        return all(reconciliations.released(reconciliation, beside) for beside in range(1, len(batch.orders)))

    # Where entries are too many for the order, there must be room for them: else they are refused for another reason.
    leave_room = rule.id in ROOM_FOR_MORE or turn.comes is Comes.FIRST
    try:
        if not leave_room and not release_beside():
            return False
        wrongly: list[Violation] = []
        refused = [
            send_broken_copy(bench, rule, fault_batch.lawful, kind, edit, reconciliation, wrongly)
            for kind, edit in fault_batch.edits
        ]
        counts = reconciliations.released(reconciliation, 0)
        if counts:
            _count(bench, bench.story[-1], refused, wrongly)
        if leave_room:
            release_beside()
        return counts
    finally:
        reconciliations.finish(reconciliation)


def submit_elsewhere(bench: Bench, fault_batch: FaultBatch, reconciliation: OpenReconciliation) -> bool:
    """Where a release goes to another account of the target, the same order is there too: only the account is at fault. One that
    names a code of which its account has no order finds one alike on another account: who looks for the code alone takes it."""
    batch, values, broken = reconciliation.batch, reconciliation.values[0], _broken(fault_batch)
    named = {(str(call.body.get("accountId")), str(call.body.get("channelName"))) for call in broken}
    others = [place for place in bench.scope.places if place != batch.place]
    wanted = [(place, values) for place in others if (str(place.account), place.channel) in named]
    if any(_names_throughout(call, OTHER_CODE) for call in broken):
        nearest = [*bench.scope.neighbours(batch.place), *others][:1]
        wanted += [(place, values.having(code=values[OTHER_CODE.name])) for place in nearest]
    reconciliation.sent_elsewhere = tuple(place for place, known in wanted if known is values)
    return all(_is_taken_elsewhere(bench, batch.orders[0], place, known) for place, known in wanted)


def _names_throughout(call: Call, code: Placeholder) -> bool:
    entries = call.body.get("releases")
    return call.body.get("marketplaceCode") == code and (
        isinstance(entries, list)
        and all(isinstance(one, dict) and one.get("marketplaceCode") == code for one in entries)
    )


def _is_taken_elsewhere(bench: Bench, order: Order, place: Place, values: Values) -> bool:
    call = Call(Endpoint.SUBMIT_ORDER, body=order_on(place, order))
    return bench.is_accepted(call, bench.send(call, values))


def _broken(fault_batch: FaultBatch) -> list[Call]:
    """The broken copies whose body is an object still."""
    broken = [edit.apply(fault_batch.lawful) for _, edit in fault_batch.edits]
    return [call for call in broken if call.rendered is None]


def send_broken_copy(
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
        bench.reconciliations.note_refused(reconciliation.place)
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
            if rule.id == "REL-13":
                _check_unknown(bench, reconciliation, broken)
        raise
    return exchange


def _check_unknown(bench: Bench, reconciliation: OpenReconciliation, broken: Call) -> None:
    """Raises a violation of QRY-05 where an order is found under the code that was released in place of its own: whoever takes
    one code for the other knows the order."""
    values = reconciliation.values[0]
    code = fill(broken.body, values)["marketplaceCode"]
    asked = bench.query(reconciliation.place, code)
    if asked.is_accepted and any(
        bench.problems(asked, None, values.having(code=known)) for known in (code, values["code"])
    ):
        expected, actual = "the order not to be found", f"it answered {asked.status} and showed it"
        raise Violation(rule="QRY-05", expected=expected, actual=actual, exchange=asked)


def _count(bench: Bench, accepted: Exchange, refused: list[Exchange], wrongly: Sequence[Violation]) -> None:
    if wrongly:
        raise wrongly[0]
    bench.saw(Side.ACCEPTED, accepted)
    for exchange in refused:
        bench.saw(Side.REFUSED, exchange)
